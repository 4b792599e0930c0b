//! Writing the native format: any source, record by record, into a folder.
//!
//! Files are written under temporary names and renamed when all of them are whole.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::ByteRecord;
use serde::Serialize;

use super::super::input::file_error;
use super::super::record::{Change, Outcome, PodKey, PodRecord, Record, Source, Work};
use super::super::source::SourceError;
use super::out_file::{Compression, OutFile};
use super::{AMOUNTS, EXTENDED, NODE_EVENTS, NODES, PODS};
use crate::cluster::{
    Dimension, JobAlloc, JobSpec, NodeConstraints, NodeSpec, PodTemplate, ResourceNames, Resources,
};
use crate::engine::SimTime;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenTrace {
    /// The files, in the folder that was named.
    pub files: Vec<PathBuf>,
    /// Rows, headers apart.
    pub rows: u64,
}

/// Writes everything that `source` yields into `folder`, which is made if it is not there.
///
/// # Errors
/// What the source or the file system says. Nothing but temporary files is left then.
pub fn write_trace(
    source: &mut dyn Source,
    folder: &Path,
    names: &ResourceNames,
    compression: Compression,
) -> Result<WrittenTrace, SourceError> {
    let mut writer = NativeWriter::create(folder, names, compression)?;
    while let Some(record) = source.next_record()? {
        writer.write(&record)?;
    }
    writer.finish()
}

/// A trace on its way to disk.
pub struct NativeWriter {
    nodes: OutFile,
    node_events: OutFile,
    pods: OutFile,
    dimensions: Vec<Dimension>,
    templates: Vec<Template>,
    /// Nodes at time zero before anything else go into `nodes.csv`.
    only_nodes_so_far: bool,
    /// Time of the last pod row, and how many rows there are at that time.
    pods_at: (SimTime, u64),
    row: ByteRecord,
    rows: u64,
}

/// The columns of a template, as text.
struct Template {
    fields: [String; 4],
}

impl NativeWriter {
    /// Makes the folder and the files, under temporary names.
    ///
    /// # Errors
    /// What the file system says.
    pub fn create(
        folder: &Path,
        names: &ResourceNames,
        compression: Compression,
    ) -> Result<Self, SourceError> {
        fs::create_dir_all(folder).map_err(|error| file_error(folder, &error))?;
        let amounts: Vec<String> = amount_columns(names);
        let dimensions = names.iter().map(|(dimension, _)| dimension).collect();
        let spec = [&["name", "pool"], &borrowed(&amounts)[..], &SPEC_TAIL].concat();
        let nodes = [&["node"], &spec[..]].concat();
        let events = [&["time_us", "pods_before", "event", "node"], &spec[..]].concat();
        let pods = [&POD_HEAD[..], &borrowed(&amounts)[..], &POD_TAIL].concat();
        Ok(Self {
            nodes: OutFile::create(folder, NODES, compression, &nodes)?,
            node_events: OutFile::create(folder, NODE_EVENTS, compression, &events)?,
            pods: OutFile::create(folder, PODS, compression, &pods)?,
            dimensions,
            templates: Vec::new(),
            only_nodes_so_far: true,
            pods_at: (SimTime::ZERO, 0),
            row: ByteRecord::new(),
            rows: 0,
        })
    }

    /// Appends a record; they come in order of time.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&mut self, record: &Record) -> Result<(), SourceError> {
        self.row.clear();
        match &record.change {
            Change::Template(template) => {
                self.templates.push(Template::new(template));
                return Ok(());
            }
            // It follows from the pods.
            Change::Population(_) => return Ok(()),
            Change::NodeAdd { key, spec }
                if self.only_nodes_so_far && record.time == SimTime::ZERO =>
            {
                push(&mut self.row, key.0);
                self.push_spec(spec);
                self.rows += 1;
                return self.nodes.write(&self.row);
            }
            Change::NodeAdd { key, spec } => self.push_node(record.time, "add", key.0, Some(spec)),
            Change::NodeUpdate { key, spec } => {
                self.push_node(record.time, "update", key.0, Some(spec));
            }
            Change::NodeRemove { key } => self.push_node(record.time, "remove", key.0, None),
            Change::Job { key, spec } => self.push_job(record.time, key.0, spec),
            Change::Submit(pod) => self.push_submit(record.time, pod),
            Change::Work { key, work } => {
                self.push_pod_head(record.time, "work", *key);
                self.push_blanks(2 + 4 + self.dimensions.len() + 2);
                self.push_work(*work);
                self.push_blanks(2 + JOB_COLUMNS + 1);
            }
            Change::Kill { key } => {
                self.push_pod_head(record.time, "kill", *key);
                self.push_blanks(2 + 4 + self.dimensions.len() + 2 + 2 + 2 + JOB_COLUMNS + 1);
            }
            Change::Resize { key, template, requests } => {
                self.push_pod_head(record.time, "resize", *key);
                self.push_blanks(2);
                self.push_template(template.0);
                self.push_amounts(requests);
                self.push_blanks(2 + 2 + 2 + JOB_COLUMNS + 1);
            }
        }
        self.only_nodes_so_far = false;
        self.rows += 1;
        match &record.change {
            Change::NodeAdd { .. } | Change::NodeUpdate { .. } | Change::NodeRemove { .. } => {
                self.node_events.write(&self.row)
            }
            Change::Template(_)
            | Change::Job { .. }
            | Change::Population(_)
            | Change::Submit(_)
            | Change::Work { .. }
            | Change::Kill { .. }
            | Change::Resize { .. } => {
                let same = self.pods_at.0 == record.time;
                self.pods_at = (record.time, if same { self.pods_at.1 + 1 } else { 1 });
                self.pods.write(&self.row)
            }
        }
    }

    /// Ends all files and gives them their names.
    ///
    /// # Errors
    /// What the file system says.
    pub fn finish(self) -> Result<WrittenTrace, SourceError> {
        let parts = [self.nodes, self.node_events, self.pods];
        let mut ended = Vec::new();
        for part in parts {
            ended.push(part.end()?);
        }
        let mut files = Vec::new();
        for (temporary, path) in ended {
            fs::rename(&temporary, &path).map_err(|error| file_error(&path, &error))?;
            files.push(path);
        }
        Ok(WrittenTrace { files, rows: self.rows })
    }

    fn push_node(&mut self, time: SimTime, event: &str, key: u64, spec: Option<&Arc<NodeSpec>>) {
        let pods_before = if self.pods_at.0 == time { self.pods_at.1 } else { 0 };
        push(&mut self.row, time.0);
        push_optional(&mut self.row, (pods_before > 0).then_some(pods_before));
        self.row.push_field(event.as_bytes());
        push(&mut self.row, key);
        match spec {
            Some(spec) => self.push_spec(spec),
            None => self.push_blanks(2 + self.dimensions.len() + SPEC_TAIL.len()),
        }
    }

    fn push_spec(&mut self, spec: &NodeSpec) {
        self.row.push_field(spec.name.as_bytes());
        self.row.push_field(spec.pool.as_bytes());
        self.push_amounts(&spec.allocatable);
        push(&mut self.row, u64::from(spec.gpu_devices));
        self.row.push_field(spec.gpu_model.as_bytes());
        push_json(&mut self.row, &spec.labels, spec.labels.is_empty());
        push_json(&mut self.row, &spec.taints, spec.taints.is_empty());
        push_json(&mut self.row, &spec.attributes, spec.attributes.is_empty());
        push_json(&mut self.row, &spec.domains, spec.domains.is_empty());
    }

    fn push_pod_head(&mut self, time: SimTime, event: &str, key: PodKey) {
        push(&mut self.row, time.0);
        self.row.push_field(event.as_bytes());
        push(&mut self.row, key.0);
    }

    fn push_submit(&mut self, time: SimTime, pod: &PodRecord) {
        self.push_pod_head(time, "submit", pod.key);
        push(&mut self.row, pod.workload.0);
        self.row.push_field(if pod.tracked { b"true" } else { b"false" });
        self.push_template(pod.template.0);
        self.push_amounts(&pod.requests);
        push(&mut self.row, u64::from(pod.gpu.devices));
        push(&mut self.row, u64::from(pod.gpu.milli));
        self.push_work(pod.work);
        let [cpu, memory] = pod.usage_permille.map_or([None; 2], |usage| usage.map(Some));
        push_optional(&mut self.row, cpu.map(u64::from));
        push_optional(&mut self.row, memory.map(u64::from));
        self.push_blanks(JOB_COLUMNS);
        push_optional(&mut self.row, pod.alloc_index.map(u64::from));
    }

    fn push_job(&mut self, time: SimTime, key: u64, spec: &JobSpec) {
        push(&mut self.row, time.0);
        self.row.push_field(b"job");
        self.push_blanks(1);
        push(&mut self.row, key);
        self.push_blanks(1 + 4 + self.dimensions.len() + 2 + 2 + 2);
        push_optional(&mut self.row, (spec.pods > 0).then_some(spec.pods.into()));
        push_optional(&mut self.row, (spec.gang > 0).then_some(spec.gang.into()));
        self.row.push_field(spec.queue.as_bytes());
        push_optional(&mut self.row, spec.estimate.map(|estimate| estimate.0));
        let after: Vec<String> = spec.after.iter().map(u64::to_string).collect();
        self.row.push_field(after.join(" ").as_bytes());
        push_optional(&mut self.row, (spec.delay.0 > 0).then_some(spec.delay.0));
        self.row.push_field(if spec.followed { b"true" } else { b"" });
        let (is_set, inside) = match spec.alloc {
            JobAlloc::None => (false, None),
            JobAlloc::Set => (true, None),
            JobAlloc::Inside(set) => (false, Some(set)),
        };
        self.row.push_field(if is_set { b"true" } else { b"" });
        push_optional(&mut self.row, inside);
        self.push_blanks(1);
    }

    fn push_template(&mut self, index: u32) {
        let template = self.templates.get(index as usize).expect("a template is declared first");
        for field in &template.fields {
            self.row.push_field(field.as_bytes());
        }
    }

    fn push_amounts(&mut self, amounts: &Resources) {
        for dimension in &self.dimensions {
            let amount = u64::try_from(amounts[*dimension]).expect("amounts are never negative");
            push_optional(&mut self.row, (amount > 0).then_some(amount));
        }
    }

    fn push_work(&mut self, work: Work) {
        let (run, outcome) = match work {
            Work::For { run, outcome: Outcome::Finish } => (Some(run.0), "finish"),
            Work::For { run, outcome: Outcome::Fail } => (Some(run.0), "fail"),
            Work::UntilStopped => (None, "until-stopped"),
            Work::Unknown => (None, "unknown"),
        };
        push_optional(&mut self.row, run);
        self.row.push_field(outcome.as_bytes());
    }

    fn push_blanks(&mut self, count: usize) {
        (0..count).for_each(|_| self.row.push_field(b""));
    }
}

/// Columns of a node after its amounts.
const SPEC_TAIL: [&str; 6] =
    ["gpu_devices", "gpu_model", "labels", "taints", "attributes", "domains"];
/// Columns of a pod before its amounts.
const POD_HEAD: [&str; 9] = [
    "time_us",
    "event",
    "pod",
    "workload",
    "tracked",
    "priority",
    "tier",
    "one_per_node",
    "constraints",
];
/// Columns of a pod after its amounts.
const POD_TAIL: [&str; 6 + JOB_COLUMNS + 1] = [
    "gpu_devices",
    "gpu_share_milli",
    "run_us",
    "outcome",
    "cpu_usage_permille",
    "memory_usage_permille",
    "job_pods",
    "gang",
    "queue",
    "estimate_us",
    "after",
    "delay_us",
    "followed",
    "alloc_set",
    "in_alloc_set",
    "alloc_index",
];
/// Columns that describe a job; those of a pod's place among allocs come after them.
const JOB_COLUMNS: usize = 9;

impl Template {
    fn new(template: &PodTemplate) -> Self {
        let plain = template.constraints == NodeConstraints::default();
        let constraints = if plain { String::new() } else { json(&template.constraints) };
        Self {
            fields: [
                template.priority.to_string(),
                template.tier.name().into(),
                template.one_per_node.to_string(),
                constraints,
            ],
        }
    }
}

fn amount_columns(names: &ResourceNames) -> Vec<String> {
    let extended = names.iter().skip(AMOUNTS.len()).map(|(_, name)| format!("{EXTENDED}{name}"));
    AMOUNTS.iter().map(ToString::to_string).chain(extended).collect()
}

fn borrowed(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

fn push(row: &mut ByteRecord, mut value: u64) {
    // Twenty digits hold every 64-bit number.
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return row.push_field(&digits[start..]);
        }
    }
}

fn push_optional(row: &mut ByteRecord, value: Option<u64>) {
    match value {
        Some(value) => push(row, value),
        None => row.push_field(b""),
    }
}

fn push_json<T: Serialize>(row: &mut ByteRecord, value: &T, empty: bool) {
    row.push_field(if empty { String::new() } else { json(value) }.as_bytes());
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("maps of strings and plain data are always JSON")
}
