//! Section `workload`: where pods come from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ByteQuantity, CpuQuantity, Distribution, DurationText, FactorText, PerTier, Preference,
    RateText, Ratio, Service,
};

/// Where pods come from: at most one of `trace`, `generator`, `poisson` and `yardstick`, and any
/// number of services beside it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Workload {
    /// A recorded trace.
    pub trace: Option<Trace>,
    /// A synthetic load with the shapes published of Borg: tiers, heavy-tailed jobs, daily waves.
    pub generator: Option<Generator>,
    /// Equal pods that arrive at random: what queueing theory has formulas for.
    pub poisson: Option<Poisson>,
    /// The load by which the speed of placement is measured. It brings its own 12,500 nodes.
    pub yardstick: Option<Yardstick>,
    /// Workloads that want a number of equal pods all the time.
    pub services: Vec<Service>,
}

/// A recorded trace. Paths are files or folders of parts, plain, `.gz` or `.zst`. A relative path
/// is looked up beside the scenario file, then in the folder that `CELLSIM_DATA` names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Trace {
    /// Its format.
    pub format: TraceFormat,
    /// The folder that holds all of it (`google2011`, `native`), or the log (`swf`).
    #[schemars(length(min = 1))]
    pub path: Option<String>,
    /// Table of task events (`google2011`), where it is not in `path`.
    #[schemars(length(min = 1))]
    pub tasks: Option<String>,
    /// Table of machine events (`google2011`), where it is not in `path`.
    #[schemars(length(min = 1))]
    pub machines: Option<String>,
    /// Table of task constraints (`google2011`), where it is not in `path`.
    #[schemars(length(min = 1))]
    pub constraints: Option<String>,
    /// Table of machine attributes (`google2011`), where it is not in `path`.
    #[schemars(length(min = 1))]
    pub attributes: Option<String>,
    /// Node list (`openb`).
    #[schemars(length(min = 1))]
    pub nodes: Option<String>,
    /// Pod list (`openb`).
    #[schemars(length(min = 1))]
    pub pods: Option<String>,
    /// When pods come (`openb`). Default: `recorded`.
    pub arrivals: Option<ArrivalsName>,
    /// With shuffled arrivals: so much is requested of GPUs in all, relative to what the nodes
    /// have; pods are drawn again from the list until then. Default: each pod once.
    pub inflate: Option<FactorText>,
    /// Stop at the first broken row. Otherwise broken rows are counted, skipped and reported.
    #[serde(default)]
    pub strict: bool,
    /// Hold requests for disk space against the nodes too (`google2011`).
    #[serde(default)]
    pub disk: bool,
    /// How far ahead the reader looks for the end of a pod (`google2011`). Default: 12h. Longer
    /// takes more memory.
    pub horizon: Option<DurationText>,
    /// Processors to a pod (`swf`): a job of many processors becomes that many fewer pods. Default:
    /// 1.
    #[schemars(range(min = 1, max = 100_000))]
    pub cores_per_pod: Option<u32>,
    /// All pods of a job have to be bound at once (`swf`). Default: true.
    pub gang: Option<bool>,
    /// Pods request the memory that their job asked for (`swf`).
    #[serde(default)]
    pub memory: bool,
    /// A job that follows another waits for its end and the think time after it (`swf`). Default:
    /// true.
    pub dependencies: Option<bool>,
    /// What schedulers are told of the run time of a job (`swf`). Default: `requested`.
    pub estimates: Option<EstimateName>,
    /// Whose queue a job is in (`swf`). Default: `user`.
    pub tenant: Option<TenantName>,
}

/// What schedulers are told of the run time of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EstimateName {
    /// The time that its user requested; the true run time where that is not known.
    Requested,
    /// The true run time.
    Exact,
}

/// Whose queue a job is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TenantName {
    /// That of its user.
    User,
    /// That of its group.
    Group,
    /// The one that the log names.
    Queue,
}

/// When the pods of a list come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ArrivalsName {
    /// When they came, and for as long as they stayed.
    Recorded,
    /// In random order, one each second, and none ever leaves: they fill the cell.
    Shuffled,
}

/// Formats of traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TraceFormat {
    /// Google's cluster trace of 2011 (format 2.1): task and machine events. Amounts in it are
    /// shares of the largest machine; where nodes come from `cluster.pools` instead, that machine
    /// is one of 10000 cores and 10M of memory.
    Google2011,
    /// Alibaba's GPU trace of 2023: a node list and a pod list.
    Openb,
    /// The Standard Workload Format 2.2 of the Parallel Workloads Archive: jobs of many processors.
    /// Where `cluster.pools` is empty, the nodes are those that the header of the log tells of.
    Swf,
    /// The CSV of this project (`docs/trace-format.md`).
    Native,
}

/// A synthetic load with the shapes published of Borg (EuroSys 2020, and the 2011 trace).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Generator {
    /// Brings this many nodes of the ten capacity classes of the 2011 trace, the largest with 64
    /// cores and 512 GiB. Default: the load is for the nodes of `cluster.pools`.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub nodes: Option<u32>,
    /// Cpu that is requested in the mean as a share of the cell's. Default: 80%.
    pub allocation: Option<FactorText>,
    /// Ends after so many tasks. Default: at the end of the run.
    #[schemars(range(min = 1))]
    pub tasks: Option<u64>,
    /// What runs at the start. Default: `full`.
    pub start: Option<StartName>,
    /// Largest share of the cell's cpu that one job requests. Default: 2%.
    pub largest_job: Option<Ratio>,
    /// Swing of the arrivals over a day: 0 is none, 1 means that nothing arrives at night.
    /// Default: 0.3.
    pub daily_swing: Option<Ratio>,
    /// Number of tenants: each job is in the queue of one of them, `tenant-0`, `tenant-1`, …, drawn
    /// alike. Default: no queues.
    #[schemars(range(min = 1, max = 100_000))]
    pub tenants: Option<u32>,
    /// Share of jobs whose tasks have to be started together. Default: none.
    pub gangs: Option<Ratio>,
    /// Share of production and monitoring jobs that are alloc sets: their tasks are reservations,
    /// and pods run inside. Published of Borg: alloc sets have 20 % of the cpu that is requested,
    /// for which this takes about 35 %. Default: none.
    pub alloc_sets: Option<Ratio>,
    /// Pods inside of each instance of an alloc set; they share its requests evenly. Default: 2.
    #[schemars(range(min = 1, max = 1000))]
    pub pods_per_alloc: Option<u32>,
    /// What differs from the published shapes, by tier.
    pub tiers: PerTier<TierLoad>,
}

/// What runs at the start of a generated load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StartName {
    /// Nothing.
    Empty,
    /// Jobs until the cell is allocated as it is in the mean.
    Full,
}

/// The generated load of one tier; what is left out is as published.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct TierLoad {
    /// Share of the requested cpu that this tier has, relative to the other tiers (published:
    /// free 0.19, best-effort-batch 0.12, mid 0.05, production 0.62, monitoring 0.02).
    pub weight: Option<FactorText>,
    /// Length of an uninterrupted run of a task.
    pub run: Option<Distribution>,
    /// Cpu that a task requests.
    pub cpu: Option<CpuShape>,
    /// Memory that a task requests.
    pub memory: Option<MemoryShape>,
    /// Share of tasks that their user stops.
    pub killed: Option<Ratio>,
    /// Share of tasks that fail at the end of their run.
    pub failing: Option<Ratio>,
    /// Share of jobs that want each task on a node of its own.
    pub spread: Option<Ratio>,
    /// What its tasks would like of a node: soft constraints (`docs/borg.md`).
    pub preferences: Vec<Preference>,
}

/// A lognormal amount of cpu.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CpuShape {
    /// Half request less.
    pub median: CpuQuantity,
    /// Standard deviation of the natural logarithm.
    #[schemars(range(min = 0.0, max = 20.0))]
    pub sigma: f64,
}

/// A lognormal amount of memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MemoryShape {
    /// Half request less.
    pub median: ByteQuantity,
    /// Standard deviation of the natural logarithm.
    #[schemars(range(min = 0.0, max = 20.0))]
    pub sigma: f64,
}

/// Equal pods with exponential times between arrivals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Poisson {
    /// Mean rate: `100/s`, `20/min`.
    pub arrivals: RateText,
    /// Pods that arrive together, as one job.
    #[schemars(range(min = 1, max = 1_000_000))]
    #[serde(default = "one")]
    pub tasks: u64,
    /// Length of a run.
    pub run: Distribution,
    /// Cpu that each pod requests.
    pub cpu: CpuQuantity,
    /// Memory that each pod requests.
    pub memory: ByteQuantity,
    /// Ends after so many pods. Default: at the end of the run.
    #[schemars(range(min = 1))]
    pub count: Option<u64>,
}

fn one() -> u64 {
    1
}

/// The load by which the speed of placement is measured: 12,500 nodes in ten capacity classes,
/// nearly every task its own shape, 80 % of the cpu allocated from the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Yardstick {
    /// Tasks that arrive after the start.
    #[schemars(range(min = 1))]
    pub tasks: u64,
}

impl Default for Yardstick {
    fn default() -> Self {
        Self { tasks: 1_000_000 }
    }
}
