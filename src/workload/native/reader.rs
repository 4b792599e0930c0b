//! Reading the native format: the three files merged into one stream.
//!
//! `nodes.csv` comes first, at time zero; then node events and pods in order of time, a node
//! event at equal times after as many pod rows of that instant as it says itself.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::ByteRecord;
use hashbrown::HashMap;

use super::super::csv_table::CsvTable;
use super::super::input::{ReadProgress, file_error};
use super::super::record::{
    Change, NodeKey, PodKey, PodRecord, Record, Source, TemplateIndex, Work, WorkloadKey,
};
use super::super::row::{Fault, FieldError, at_most, unsigned};
use super::super::source::{SourceError, SourceStatistics};
use super::columns::{
    Amounts, Column, NodeColumns, TemplateColumns, WorkColumns, extended_names, flag,
};
use super::job_constraints::JobConstraints;
use super::jobs::{JobColumns, JobIndex};
use super::{NODE_EVENTS, NODES, PODS};
use crate::cluster::{GpuRequest, JobSpec, PodTemplate, ResourceNames};
use crate::engine::SimTime;

/// Largest number of an alloc instance; the next one is still a number.
const MOST_ALLOC_INDEX: u64 = (1 << 31) - 1;

/// What to read, and how.
#[derive(Clone, Debug)]
pub struct NativeConfig {
    /// The folder that holds the files, each plain, `.gz` or `.zst`.
    pub folder: PathBuf,
    /// Stop at the first broken row instead of counting and skipping it.
    pub strict: bool,
}

/// A trace in the native format as a source.
pub struct Native {
    nodes: Option<(CsvTable, NodeFile)>,
    node_events: Option<(CsvTable, NodeFile)>,
    pods: Option<(CsvTable, PodFile)>,
    next_node: Option<NodeRow>,
    next_pod: Option<Record>,
    /// Time of the last pod row handed over, and how many there were at that time.
    pods_at: (SimTime, u64),
    /// Template declarations go out before the row that needs them.
    ready: VecDeque<Record>,
    names: ResourceNames,
    progress: ReadProgress,
    tells_of_gpus: bool,
}

/// A node event and how many pod rows of its instant go before it.
struct NodeRow {
    pods_before: u64,
    record: Record,
}

impl Native {
    /// Opens the files of the folder; each may be missing, but not all of them.
    ///
    /// # Errors
    /// No file of the format there, one that cannot be read, a column that is missing, too many
    /// extended resources, jobs that wait for each other.
    pub fn open(config: &NativeConfig) -> Result<Self, SourceError> {
        let progress = ReadProgress::default();
        let open = |name: &'static str, table: &'static str| {
            let path = find_file(&config.folder, name)?;
            path.map(|path| CsvTable::open(&path, table, config.strict, &progress)).transpose()
        };
        let tables =
            [open(NODES, "nodes")?, open(NODE_EVENTS, "node_events")?, open(PODS, "pods")?];
        let extended = extended_of(&tables)?;
        let tells_of_gpus = tables.iter().flatten().any(|table| {
            ["gpu_milli", "gpu_devices"].iter().any(|name| table.column(name).is_some())
        });
        let names = ResourceNames::with_extended(extended.clone());
        let [nodes, node_events, pods] = tables;
        let node_file = |table: CsvTable, events: bool| -> Result<_, SourceError> {
            let file = NodeFile::find(&table, &extended, events)?;
            Ok((table, file))
        };
        let pod_path = find_file(&config.folder, PODS)?;
        let index = pod_path.map_or(Ok(JobIndex::default()), |path| JobIndex::read(&path))?;
        let pod_file = |table: CsvTable| -> Result<_, SourceError> {
            let file = PodFile::find(&table, &extended, index)?;
            Ok((table, file))
        };
        let mut native = Self {
            nodes: nodes.map(|table| node_file(table, false)).transpose()?,
            node_events: node_events.map(|table| node_file(table, true)).transpose()?,
            pods: pods.map(pod_file).transpose()?,
            next_node: None,
            next_pod: None,
            pods_at: (SimTime::ZERO, 0),
            ready: VecDeque::new(),
            names: names.expect("extended_of has checked the names"),
            tells_of_gpus,
            progress: progress.clone(),
        };
        if native.nodes.is_none() && native.node_events.is_none() && native.pods.is_none() {
            let message = format!("none of {NODES}, {NODE_EVENTS} and {PODS} is there");
            return Err(SourceError::File { file: config.folder.display().to_string(), message });
        }
        native.read_node()?;
        native.read_pod()?;
        Ok(native)
    }

    /// How much of the files has been read.
    pub fn progress(&self) -> ReadProgress {
        self.progress.clone()
    }

    /// What the dimensions of the trace are called.
    pub fn resource_names(&self) -> &ResourceNames {
        &self.names
    }

    /// True if a file has a column about GPUs.
    pub fn tells_of_gpus(&self) -> bool {
        self.tells_of_gpus
    }

    fn read_node(&mut self) -> Result<(), SourceError> {
        self.next_node = None;
        if let Some((table, file)) = &mut self.nodes {
            self.next_node = table.next(|row| file.parse(row))?;
        }
        if let (None, Some((table, file))) = (&self.next_node, &mut self.node_events) {
            self.next_node = table.next(|row| file.parse(row))?;
        }
        Ok(())
    }

    fn read_pod(&mut self) -> Result<(), SourceError> {
        let Some((table, file)) = &mut self.pods else { return Ok(()) };
        let ready = &mut self.ready;
        self.next_pod = table.next(|row| file.parse(row, ready))?;
        Ok(())
    }

    /// True where the next node event goes before the next pod row.
    fn node_is_due(&self) -> bool {
        match (&self.next_node, &self.next_pod) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(node), Some(pod)) => {
                let time = node.record.time;
                let passed = if self.pods_at.0 == time { self.pods_at.1 } else { 0 };
                time < pod.time || (time == pod.time && passed >= node.pods_before)
            }
        }
    }
}

impl Source for Native {
    fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
        if self.node_is_due() {
            let node = self.next_node.take();
            self.read_node()?;
            return Ok(node.map(|node| node.record));
        }
        // A template that was read together with the next row goes out right before it.
        if let Some(template) = self.ready.pop_front() {
            return Ok(Some(template));
        }
        let pod = self.next_pod.take();
        if let Some(record) = &pod {
            let same = self.pods_at.0 == record.time;
            self.pods_at = (record.time, if same { self.pods_at.1 + 1 } else { 1 });
            self.read_pod()?;
        }
        Ok(pod)
    }

    fn statistics(&self) -> SourceStatistics {
        let mut statistics = SourceStatistics::default();
        for (table, _) in self.nodes.iter().chain(&self.node_events) {
            table.add_to(&mut statistics);
        }
        if let Some((table, _)) = &self.pods {
            table.add_to(&mut statistics);
        }
        statistics
    }
}

/// The file of that name, plain or packed.
fn find_file(folder: &Path, name: &str) -> Result<Option<PathBuf>, SourceError> {
    fs::read_dir(folder).map_err(|error| file_error(folder, &error))?;
    let ends = ["", ".gz", ".zst"];
    let paths = ends.iter().map(|end| folder.join(format!("{name}{end}")));
    let found: Vec<_> = paths.filter(|path| path.exists()).collect();
    if found.len() > 1 {
        let message = format!("{name} is there plain and packed: keep one of them");
        return Err(SourceError::File { file: folder.display().to_string(), message });
    }
    Ok(found.into_iter().next())
}

/// The extended resources of all files in the order of their first appearance.
fn extended_of(tables: &[Option<CsvTable>; 3]) -> Result<Vec<String>, SourceError> {
    let mut names: Vec<String> = Vec::new();
    for table in tables.iter().flatten() {
        for name in extended_names(table) {
            if !names.iter().any(|known| known == name) {
                names.push(name.into());
            }
        }
        if ResourceNames::with_extended(names.clone()).is_none() {
            let message =
                format!("too many extended resources, or a name that is taken: {names:?}");
            return Err(table.header_error(&message));
        }
    }
    Ok(names)
}

/// Columns of `nodes.csv` or `node_events.csv`.
struct NodeFile {
    time: Column,
    pods_before: Column,
    event: Column,
    node: Column,
    spec: NodeColumns,
    last_time: SimTime,
}

impl NodeFile {
    fn find(table: &CsvTable, extended: &[String], events: bool) -> Result<Self, SourceError> {
        let of_events = |name| -> Result<Column, SourceError> {
            if events { Column::required(table, name) } else { Ok(Column::optional(table, name)) }
        };
        Ok(Self {
            time: of_events("time_us")?,
            pods_before: Column::optional(table, "pods_before"),
            event: of_events("event")?,
            node: Column::required(table, "node")?,
            spec: NodeColumns::find(table, extended),
            last_time: SimTime::ZERO,
        })
    }

    fn parse(&mut self, row: &ByteRecord) -> Result<NodeRow, FieldError> {
        let time = in_order(self.time, row, self.last_time)?;
        let pods_before = self.pods_before.parse_or(row, 0, unsigned)?;
        let key = NodeKey(self.node.parse(row, unsigned)?);
        let change = match self.event.field(row) {
            b"" | b"add" => Change::NodeAdd { key, spec: Arc::new(self.spec.parse(row)?) },
            b"update" => Change::NodeUpdate { key, spec: Arc::new(self.spec.parse(row)?) },
            b"remove" => Change::NodeRemove { key },
            _ => return self.event.parse(row, |_| Err(Fault::UnknownCode)),
        };
        self.last_time = time;
        Ok(NodeRow { pods_before, record: Record { time, change } })
    }
}

/// A time that does not go back; zero where the file has none.
fn in_order(column: Column, row: &ByteRecord, last: SimTime) -> Result<SimTime, FieldError> {
    let time = SimTime(column.parse_or(row, 0, unsigned)?);
    if time < last { column.parse(row, |_| Err(Fault::TimeBackwards)) } else { Ok(time) }
}

/// Columns of `pods.csv`, and the templates seen so far.
struct PodFile {
    time: Column,
    event: Column,
    pod: Column,
    workload: Column,
    tracked: Column,
    template: TemplateColumns,
    requests: Amounts,
    gpu_devices: Column,
    gpu_share: Column,
    work: WorkColumns,
    usage: [Column; 2],
    alloc_index: Column,
    job: JobColumns,
    jobs: JobIndex,
    job_constraints: JobConstraints,
    last_time: SimTime,
    templates: Templates,
}

impl PodFile {
    fn find(table: &CsvTable, extended: &[String], jobs: JobIndex) -> Result<Self, SourceError> {
        let column = |name| Column::optional(table, name);
        Ok(Self {
            time: Column::required(table, "time_us")?,
            event: column("event"),
            pod: Column::required(table, "pod")?,
            workload: column("workload"),
            tracked: column("tracked"),
            template: TemplateColumns::find(table),
            requests: Amounts::find(table, extended),
            gpu_devices: column("gpu_devices"),
            gpu_share: column("gpu_share_milli"),
            work: WorkColumns::find(table),
            usage: [column("cpu_usage_permille"), column("memory_usage_permille")],
            alloc_index: column("alloc_index"),
            job: JobColumns::find(table),
            jobs,
            job_constraints: JobConstraints::default(),
            last_time: SimTime::ZERO,
            templates: Templates::default(),
        })
    }

    fn parse(
        &mut self,
        row: &ByteRecord,
        ready: &mut VecDeque<Record>,
    ) -> Result<Record, FieldError> {
        let time = in_order(self.time, row, self.last_time)?;
        if self.event.field(row) == b"job" {
            let key = WorkloadKey(self.workload.parse(row, unsigned)?);
            let spec = Arc::new(self.job.parse(row)?);
            self.job_constraints.read(key.0, &self.template, row)?;
            self.jobs.declare(key.0);
            self.last_time = time;
            return Ok(Record { time, change: Change::Job { key, spec } });
        }
        let key = PodKey(self.pod.parse(row, unsigned)?);
        let change = match self.event.field(row) {
            b"" | b"submit" => self.submit(key, time, row, ready)?,
            b"kill" => Change::Kill { key },
            b"work" => match self.work.parse(row)? {
                Work::Unknown => return self.work_unknown(row),
                work @ (Work::For { .. } | Work::UntilStopped) => Change::Work { key, work },
            },
            b"resize" => {
                let requests = self.requests.parse(row)?;
                let job = self.workload.parse_or(row, key.0, unsigned)?;
                let template = self.template_of(job, row, time, ready)?;
                Change::Resize { key, template, requests }
            }
            _ => return self.event.parse(row, |_| Err(Fault::UnknownCode)),
        };
        self.last_time = time;
        Ok(Record { time, change })
    }

    /// Work that is told has to be known.
    fn work_unknown(&self, row: &ByteRecord) -> Result<Record, FieldError> {
        self.event.parse(row, |_| Err(Fault::Missing))
    }

    fn submit(
        &mut self,
        key: PodKey,
        time: SimTime,
        row: &ByteRecord,
        ready: &mut VecDeque<Record>,
    ) -> Result<Change, FieldError> {
        let workload = self.workload.parse_or(row, key.0, unsigned)?;
        let tracked = self.tracked.parse_or(row, true, flag)?;
        let requests = self.requests.parse(row)?;
        let gpu = self.gpu(row)?;
        let work = self.work.parse(row)?;
        let usage_permille = self.usage(row)?;
        let index = |field: &[u8]| at_most(field, MOST_ALLOC_INDEX).map(|index| Some(index as u32));
        let alloc_index = self.alloc_index.parse_or(row, None, index)?;
        let job = self.job_of(workload, row)?;
        // Last, because nothing may be declared for a row that is skipped.
        let template = self.template_of(workload, row, time, ready)?;
        if let Some(spec) = job.filter(|_| self.jobs.declare(workload)) {
            let change = Change::Job { key: WorkloadKey(workload), spec: Arc::new(spec) };
            ready.push_back(Record { time, change });
        }
        Ok(Change::Submit(PodRecord {
            key,
            tracked,
            workload: WorkloadKey(workload),
            alone: false,
            template,
            requests,
            gpu,
            work,
            usage_permille,
            alloc_index,
        }))
    }

    /// The template of a pod of `job`.
    fn template_of(
        &mut self,
        job: u64,
        row: &ByteRecord,
        time: SimTime,
        ready: &mut VecDeque<Record>,
    ) -> Result<TemplateIndex, FieldError> {
        let (columns, shared) = (&self.template, &self.job_constraints);
        let declare =
            |template| ready.push_back(Record { time, change: Change::Template(template) });
        self.templates.index(columns, row, (job, shared), declare)
    }

    /// What the row of a pod says of its job, if it says anything or another job waits for it.
    fn job_of(&self, job: u64, row: &ByteRecord) -> Result<Option<JobSpec>, FieldError> {
        if !self.job.any(row) && !self.jobs.is_followed(job) {
            return Ok(None);
        }
        Ok(Some(self.jobs.complete(job, self.job.parse(row)?)))
    }

    fn gpu(&self, row: &ByteRecord) -> Result<GpuRequest, FieldError> {
        let devices = self.gpu_devices.parse_or(row, 0, |field| at_most(field, 255))? as u8;
        let whole = if devices == 0 { 0 } else { 1000 };
        let milli = self.gpu_share.parse_or(row, whole, |field| at_most(field, 1000))? as u16;
        if devices > 1 && milli < 1000 {
            return self.gpu_share.parse(row, |_| Err(Fault::ShareOfSeveral));
        }
        Ok(GpuRequest { devices, milli })
    }

    fn usage(&self, row: &ByteRecord) -> Result<Option<[u16; 2]>, FieldError> {
        let [cpu, memory] = self.usage;
        if cpu.field(row).is_empty() && memory.field(row).is_empty() {
            return Ok(None);
        }
        let permille = |column: Column| {
            column.parse(row, |field| at_most(field, u64::from(u16::MAX)).map(|v| v as u16))
        };
        Ok(Some([permille(cpu)?, permille(memory)?]))
    }
}

/// Templates in the order of their first use.
#[derive(Default)]
struct Templates {
    /// By the text of their columns: what nearly every row finds.
    by_text: HashMap<Vec<u8>, TemplateIndex>,
    /// By what they are: two texts may say the same.
    by_value: HashMap<Arc<PodTemplate>, TemplateIndex>,
    key: Vec<u8>,
}

impl Templates {
    fn index(
        &mut self,
        columns: &TemplateColumns,
        row: &ByteRecord,
        (job, shared): (u64, &JobConstraints),
        declare: impl FnOnce(Arc<PodTemplate>),
    ) -> Result<TemplateIndex, FieldError> {
        columns.key(row, &mut self.key);
        self.key.extend_from_slice(shared.text(job));
        if let Some(index) = self.by_text.get(&self.key) {
            return Ok(*index);
        }
        let mut template = columns.parse(row)?;
        shared.add_to(job, &mut template.constraints);
        let template = Arc::new(template);
        let next = TemplateIndex(self.by_value.len() as u32);
        let index = *self.by_value.entry(Arc::clone(&template)).or_insert_with(|| {
            declare(template);
            next
        });
        self.by_text.insert(self.key.clone(), index);
        Ok(index)
    }
}
