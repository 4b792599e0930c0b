//! Reader of the Alibaba GPU trace of 2023 (`openb`): a node list and a pod list.
//!
//! Both are small and read whole: the pod list is not in order of time. Pods of this trace ran on
//! Kubernetes; what is replayed is when they came, what they asked for and how long they lasted.

mod filling;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::bands::usual_priority;
use super::csv_table::CsvTable;
use super::input::ReadProgress;
use super::record::{
    Change, NodeKey, Outcome, PodKey, PodRecord, Record, Source, TemplateIndex, Work, WorkloadKey,
};
use super::row::{Fault, FieldError, at_most, unsigned};
use super::source::{SourceError, SourceStatistics};
use crate::cluster::{
    Dimension, GpuRequest, NodeConstraints, NodeSpec, PodTemplate, Resources, Tier,
};
use crate::engine::{SimDuration, SimTime};
pub use filling::Filling;

/// Pod slots of a node: kubelet's default of `maxPods` (kube v1.35); the trace does not tell them.
pub const PODS_PER_NODE: i64 = 110;
const MEBIBYTE: u64 = 1 << 20;
/// Amounts above this are broken numbers: a million cores, an exbibyte in MiB.
const LARGEST_AMOUNT: u64 = 1_000_000_000;
const LARGEST_MEMORY_MIB: u64 = 1 << 40;
/// Times above this many seconds (about 31,700 years) are broken numbers.
const LATEST_SECOND: u64 = 1_000_000_000_000;

/// What to read, and how.
#[derive(Clone, Debug)]
pub struct OpenbConfig {
    /// The node list, if its nodes are wanted.
    pub nodes: Option<PathBuf>,
    /// The pod list, if its pods are wanted.
    pub pods: Option<PathBuf>,
    /// Stop at the first broken row instead of counting and skipping it.
    pub strict: bool,
    /// Fill the cell with the pods in random order instead of replaying them.
    pub filling: Option<Filling>,
}

/// The trace as a source: nodes at time zero, then pods as they are created.
pub struct Openb {
    records: std::vec::IntoIter<Record>,
    statistics: SourceStatistics,
    progress: ReadProgress,
}

impl Openb {
    /// Reads both lists.
    ///
    /// # Errors
    /// A file that cannot be read, a column that is missing; where strict, a broken row.
    pub fn open(config: &OpenbConfig) -> Result<Self, SourceError> {
        let progress = ReadProgress::default();
        let mut statistics = SourceStatistics::default();
        let mut records = Vec::new();
        if let Some(path) = &config.nodes {
            let mut table = CsvTable::open(path, "nodes", config.strict, &progress)?;
            read_nodes(&mut table, &mut records)?;
            table.add_to(&mut statistics);
        }
        if let Some(path) = &config.pods {
            let mut table = CsvTable::open(path, "pods", config.strict, &progress)?;
            let pods = read_pods(&mut table)?;
            table.add_to(&mut statistics);
            let unscheduled = pods.iter().filter(|pod| !pod.scheduled).count() as u64;
            if unscheduled > 0 && config.filling.is_none() {
                let note = "pods never scheduled; their run is deletion − creation";
                statistics.noted.insert(note.into(), unscheduled);
            }
            match &config.filling {
                None => records.extend(pod_records(pods)),
                Some(filling) => records = filling.records(&pods, records),
            }
        }
        Ok(Self { records: records.into_iter(), statistics, progress })
    }

    /// How much of the files has been read.
    pub fn progress(&self) -> ReadProgress {
        self.progress.clone()
    }
}

impl Source for Openb {
    fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
        Ok(self.records.next())
    }

    fn statistics(&self) -> SourceStatistics {
        self.statistics.clone()
    }
}

/// Where the columns of the node list are.
#[derive(Clone, Copy)]
struct NodeColumns {
    name: usize,
    cpu: usize,
    memory: usize,
    gpu: usize,
    model: usize,
}

fn read_nodes(table: &mut CsvTable, records: &mut Vec<Record>) -> Result<(), SourceError> {
    let columns = NodeColumns {
        name: table.require("sn")?,
        cpu: table.require("cpu_milli")?,
        memory: table.require("memory_mib")?,
        gpu: table.require("gpu")?,
        model: table.require("model")?,
    };
    while let Some(spec) = table.next(|row| parse_node(row, columns))? {
        let key = NodeKey(records.len() as u64);
        let change = Change::NodeAdd { key, spec: Arc::new(spec) };
        records.push(Record { time: SimTime::ZERO, change });
    }
    Ok(())
}

fn parse_node(row: &csv::ByteRecord, columns: NodeColumns) -> Result<NodeSpec, FieldError> {
    let gpu_devices = parse(row, columns.gpu, |field| at_most(field, 255))? as u8;
    let gpu_model = parse(row, columns.model, text)?;
    let mut allocatable = amounts(row, columns.cpu, columns.memory)?;
    allocatable[Dimension::PODS] = PODS_PER_NODE;
    allocatable[Dimension::GPU] = 1000 * i64::from(gpu_devices);
    let pool = match (gpu_devices, gpu_model.as_str()) {
        (0, _) => "cpu",
        (_, "") => "gpu-unknown",
        (_, model) => model,
    };
    Ok(NodeSpec {
        name: parse(row, columns.name, text)?,
        pool: pool.into(),
        allocatable,
        gpu_devices,
        gpu_model,
        ..NodeSpec::default()
    })
}

/// Where the columns of the pod list are.
#[derive(Clone, Copy)]
struct PodColumns {
    cpu: usize,
    memory: usize,
    gpus: usize,
    gpu_milli: usize,
    gpu_spec: usize,
    qos: usize,
    phase: usize,
    created: usize,
    deleted: usize,
    scheduled: usize,
}

/// A row of the pod list.
struct Pod {
    created: u64,
    run: u64,
    scheduled: bool,
    outcome: Outcome,
    requests: Resources,
    gpu: GpuRequest,
    gpu_models: Vec<String>,
    tier: Tier,
}

fn read_pods(table: &mut CsvTable) -> Result<Vec<Pod>, SourceError> {
    let columns = PodColumns {
        cpu: table.require("cpu_milli")?,
        memory: table.require("memory_mib")?,
        gpus: table.require("num_gpu")?,
        gpu_milli: table.require("gpu_milli")?,
        gpu_spec: table.require("gpu_spec")?,
        qos: table.require("qos")?,
        phase: table.require("pod_phase")?,
        created: table.require("creation_time")?,
        deleted: table.require("deletion_time")?,
        scheduled: table.require("scheduled_time")?,
    };
    let mut pods = Vec::new();
    while let Some(pod) = table.next(|row| parse_pod(row, columns))? {
        pods.push(pod);
    }
    pods.sort_by_key(|pod| pod.created);
    Ok(pods)
}

fn parse_pod(row: &csv::ByteRecord, columns: PodColumns) -> Result<Pod, FieldError> {
    let created = parse(row, columns.created, second)?;
    let deleted = parse(row, columns.deleted, second)?;
    let scheduled = match &row[columns.scheduled] {
        b"" => None,
        _ => Some(parse(row, columns.scheduled, second)?),
    };
    let start = scheduled.unwrap_or(created);
    let run = deleted.checked_sub(start).ok_or(Fault::EndsBeforeStart.at(columns.deleted))?;
    let gpu = parse_gpu(row, columns)?;
    let mut requests = amounts(row, columns.cpu, columns.memory)?;
    requests[Dimension::PODS] = 1;
    requests[Dimension::GPU] = gpu.total_milli();
    let spec = parse(row, columns.gpu_spec, text)?;
    let mut gpu_models: Vec<String> =
        spec.split('|').filter(|model| !model.is_empty()).map(String::from).collect();
    gpu_models.sort();
    gpu_models.dedup();
    Ok(Pod {
        created,
        run,
        scheduled: scheduled.is_some(),
        outcome: parse(row, columns.phase, outcome)?,
        requests,
        gpu,
        gpu_models,
        tier: parse(row, columns.qos, tier_of_qos)?,
    })
}

fn parse_gpu(row: &csv::ByteRecord, columns: PodColumns) -> Result<GpuRequest, FieldError> {
    let devices = parse(row, columns.gpus, |field| at_most(field, 255))? as u8;
    let milli = parse(row, columns.gpu_milli, |field| at_most(field, 1000))? as u16;
    match devices {
        0 => Ok(GpuRequest::default()),
        1 => Ok(GpuRequest { devices, milli }),
        _ if milli == 1000 => Ok(GpuRequest { devices, milli }),
        _ => Err(Fault::ShareOfSeveral.at(columns.gpu_milli)),
    }
}

/// Pods that failed fail; those that succeeded, still ran or still waited when they were deleted
/// end without a failure.
fn outcome(field: &[u8]) -> Result<Outcome, Fault> {
    match field {
        b"Failed" => Ok(Outcome::Fail),
        b"Succeeded" | b"Running" | b"Pending" => Ok(Outcome::Finish),
        _ => Err(Fault::UnknownCode),
    }
}

/// Latency-sensitive and guaranteed pods count as production, burstable ones as mid, best-effort
/// ones as batch: the trace has no priorities, this order is ours.
fn tier_of_qos(field: &[u8]) -> Result<Tier, Fault> {
    match field {
        b"LS" | b"Guaranteed" => Ok(Tier::Production),
        b"Burstable" => Ok(Tier::Mid),
        b"BE" => Ok(Tier::BestEffortBatch),
        _ => Err(Fault::UnknownCode),
    }
}

fn amounts(row: &csv::ByteRecord, cpu: usize, memory: usize) -> Result<Resources, FieldError> {
    let cpu_milli = parse(row, cpu, |field| at_most(field, LARGEST_AMOUNT))?;
    let memory_mib = parse(row, memory, |field| at_most(field, LARGEST_MEMORY_MIB))?;
    let mut amounts = Resources::ZERO;
    amounts[Dimension::CPU] = cpu_milli as i64;
    amounts[Dimension::MEMORY] = (memory_mib * MEBIBYTE) as i64;
    Ok(amounts)
}

fn parse<T>(
    row: &csv::ByteRecord,
    column: usize,
    parse: impl Fn(&[u8]) -> Result<T, Fault>,
) -> Result<T, FieldError> {
    parse(&row[column]).map_err(|fault| fault.at(column))
}

/// A time in seconds, whole or with `.0` as spreadsheets write it.
fn second(field: &[u8]) -> Result<u64, Fault> {
    let value = unsigned(field.strip_suffix(b".0").unwrap_or(field))?;
    if value > LATEST_SECOND { Err(Fault::TooLarge) } else { Ok(value) }
}

fn text(field: &[u8]) -> Result<String, Fault> {
    std::str::from_utf8(field).map(String::from).map_err(|_| Fault::NotText)
}

fn template_of(tier: Tier, gpu_models: &[String]) -> PodTemplate {
    let constraints =
        NodeConstraints { gpu_models: gpu_models.to_vec(), ..NodeConstraints::default() };
    PodTemplate {
        priority: usual_priority(tier),
        tier,
        constraints,
        one_per_node: false,
        kubernetes: None,
    }
}

/// Pods, in order of creation, with their templates declared before their first use.
fn pod_records(pods: Vec<Pod>) -> Vec<Record> {
    let mut templates: BTreeMap<(Tier, Vec<String>), TemplateIndex> = BTreeMap::new();
    let mut records = Vec::with_capacity(pods.len());
    for (number, pod) in pods.into_iter().enumerate() {
        let time = SimTime::from_secs(pod.created);
        let next = TemplateIndex(templates.len() as u32);
        let template = *templates.entry((pod.tier, pod.gpu_models)).or_insert_with_key(|key| {
            let template = template_of(key.0, &key.1);
            records.push(Record { time, change: Change::Template(Arc::new(template)) });
            next
        });
        let record = PodRecord {
            key: PodKey(number as u64),
            tracked: false,
            workload: WorkloadKey(number as u64),
            alone: true,
            template,
            requests: pod.requests,
            gpu: pod.gpu,
            work: Work::For { run: SimDuration::from_secs(pod.run), outcome: pod.outcome },
            usage_permille: None,
            alloc_index: None,
        };
        records.push(Record { time, change: Change::Submit(record) });
    }
    records
}
