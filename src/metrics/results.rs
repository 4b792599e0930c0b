//! What one run comes to: plain data with a stable schema, the whole content of `summary.json`.
//!
//! Names end in their unit. Times are seconds of virtual time as `f64` (they are results, not
//! state). Ratios are plain numbers, 1.0 = 100 %. `None` means that the question does not arise
//! (no eviction, no GPU, usage not known …), never zero.

use serde::{Deserialize, Serialize};

use super::reliability::ReliabilitySummary;
use crate::workload::SourceStatistics;

/// Version of the schema below; grows when a field changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that is known about one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Version of cellsim.
    pub cellsim_version: String,
    /// 128-bit fingerprint of all state transitions, 32 hexadecimal digits.
    pub fingerprint: String,
    /// The scenario that was run.
    pub scenario: ScenarioInfo,
    /// What the reader must know to read the figures right: overcommit in force, rows skipped,
    /// pods that could never be placed and why, …; whole sentences.
    pub notices: Vec<String>,
    /// The window over which everything below is measured.
    pub window: Window,
    /// Capacity, allocation and usage of the cell, per resource in use.
    pub resources: Vec<ResourceSummary>,
    /// What fragmentation is measured against; `None` where it is not measured.
    pub target_workload: Option<TargetWorkload>,
    /// The same requests split by tier (tiers without pods are left out), by pool, and by declared
    /// workload.
    pub tiers: Vec<GroupSummary>,
    /// By node pool.
    pub pools: Vec<GroupSummary>,
    /// Pods: how many came, ran, ended and how.
    pub pods: PodCounts,
    /// Quota: what was let in and what was turned away, by user and band; empty without quota.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub admission: Vec<QuotaSummary>,
    /// How much of what pods preferred of nodes they got; `None` where nobody preferred anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferences: Option<PreferenceSummary>,
    /// Waiting from submission (or eviction) to running: all pods first, then by tier.
    pub waiting: Vec<WaitingSummary>,
    /// Evictions by tier and cause; cells without evictions are left out.
    pub evictions: Vec<EvictionSummary>,
    /// Work done, kept and lost.
    pub work: WorkSummary,
    /// Nodes: failures, repairs, times between.
    pub nodes: NodeSummary,
    /// The same by node.
    pub reliability: ReliabilitySummary,
    /// Failure domains by kind.
    pub domains: Vec<DomainSummary>,
    /// Declared workloads: availability.
    pub workloads: Vec<WorkloadSummary>,
    /// Every outage of a declared workload, in order of time (the first [`MAX_OUTAGES`]).
    pub outages: Vec<Outage>,
    /// Jobs of a trace: completion.
    pub jobs: JobSummary,
    /// Jobs that were declared as a whole (gangs, batch jobs); `None` without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchSummary>,
    /// What alloc sets reserve and what runs inside; `None` without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocs: Option<AllocSummary>,
    /// The scheduler at work.
    pub scheduler: SchedulerSummary,
    /// Little's law, checked on this run.
    pub littles_law: LittlesLaw,
    /// What the source of the workload says of itself.
    pub source: SourceStatistics,
    /// Means over equal buckets of the whole run, warm-up included.
    pub timeseries: TimeSeries,
}

/// Most outages listed one by one.
pub const MAX_OUTAGES: usize = 10_000;

/// What was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScenarioInfo {
    /// Name of the scenario.
    pub name: String,
    /// One line on what it is about.
    pub title: String,
    /// Master seed.
    pub seed: u64,
    /// Scheduler.
    pub architecture: String,
    /// Placement policy.
    pub placement: String,
    /// Queue discipline.
    pub queue: String,
    /// The scenario resolved in full, as it was run.
    pub resolved: serde_json::Value,
}

/// The measurement window `[start, end)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// End of the warm-up.
    pub start_s: f64,
    /// End of the run.
    pub end_s: f64,
    /// `end − start`.
    pub length_s: f64,
}

/// One resource of the whole cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResourceSummary {
    /// `cpu`, `memory`, …
    pub resource: String,
    /// Unit of the amounts below: `cores`, `bytes`, `pods`, `GPUs`, or `units` where the trace is
    /// normalised.
    pub unit: String,
    /// Mean capacity of all installed nodes, down ones included.
    pub installed_mean: f64,
    /// Mean capacity of nodes that are up.
    pub up_mean: f64,
    /// Mean of what bound pods request.
    pub requested_mean: f64,
    /// ∫ requests of bound pods / ∫ capacity of nodes that are up.
    pub allocation_ratio: Option<f64>,
    /// ∫ requests of bound pods / ∫ installed capacity.
    pub effective_allocation_ratio: Option<f64>,
    /// ∫ usage of running pods / ∫ capacity of nodes that are up; cpu and memory only.
    pub utilization: Option<f64>,
    /// Largest share of up capacity requested at any instant.
    pub peak_allocation_ratio: Option<f64>,
    /// A cell that is filled: requests of bound pods / capacity up at the end of the first instant
    /// by which the pods that had arrived requested as much as was up. `None` where they never did,
    /// or where a pod had left before.
    pub allocation_at_full_demand: Option<f64>,
    /// Mean of what is free on nodes that are up and that the workload could not use.
    pub fragmented_mean: Option<f64>,
    /// Share of what is free on nodes that are up that the workload could not use (see
    /// [`TargetWorkload`]); for GPUs by device.
    pub fragmentation: Option<f64>,
}

/// The pods that fragmentation is measured against. Each counts what is free on a node for usable
/// if there is room for it and it asks for some of it, and for unusable otherwise; what is usable is
/// the mean over all of them (Weng et al., USENIX ATC 2023, §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetWorkload {
    /// Pods that had arrived when it was renewed last.
    pub pods: u64,
    /// Different shapes among them.
    pub shapes: u64,
    /// Their amounts are rounded down to so many significant binary digits; `None`: exact.
    pub significant_bits: Option<u32>,
}

/// Pods of one tier, pool or workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupSummary {
    /// Name of the tier or pool.
    pub name: String,
    /// Pods submitted in the window (for a pool: bound).
    pub pods: u64,
    /// Mean number of running pods.
    pub running_mean: f64,
    /// Per resource, in the order of [`RunResult::resources`]: mean requested by bound pods as a
    /// share of the up capacity of the cell (for a pool: of the pool).
    pub allocation_ratio: Vec<Option<f64>>,
    /// Pod availability: running pod-seconds / pod-seconds between submission and end.
    pub running_share: Option<f64>,
}

/// Counts of pods. Counts are of events in the window unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodCounts {
    /// Submitted.
    pub submitted: u64,
    /// Bound to a node (placements); a pod that is evicted and placed again counts again.
    pub bound: u64,
    /// Began to run.
    pub started: u64,
    /// Ended: work done.
    pub succeeded: u64,
    /// Ended: failed of their own accord.
    pub failed: u64,
    /// Ended: stopped by their user.
    pub killed: u64,
    /// Ended: deleted by their controller.
    pub deleted: u64,
    /// Ended: turned away by their scheduler (over quota, or given up).
    pub rejected: u64,
    /// Evicted.
    pub evicted: u64,
    /// Crashed and restarted in place.
    pub crashed: u64,
    /// Running when the run ended.
    pub running_at_end: u64,
    /// Pending when the run ended.
    pub pending_at_end: u64,
    /// Bound but not running when the run ended (starting, backing off, stranded).
    pub waiting_on_node_at_end: u64,
    /// Largest number of pods alive at one instant.
    pub live_peak: u64,
}

/// Quantiles of a duration, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DurationSummary {
    /// Number of observations.
    pub count: u64,
    /// Exact mean.
    pub mean_s: f64,
    /// Median (quantiles are exact to three significant digits).
    pub p50_s: f64,
    /// 90th percentile.
    pub p90_s: f64,
    /// 99th percentile.
    pub p99_s: f64,
    /// 99.9th percentile.
    pub p999_s: f64,
    /// Exact maximum.
    pub max_s: f64,
}

/// Waiting times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaitingSummary {
    /// `all` or a tier.
    pub name: String,
    /// From submission to the first time running, of pods that ran.
    pub from_submit: DurationSummary,
    /// From an eviction to running again.
    pub from_eviction: DurationSummary,
    /// (waiting + running) / running of pods that succeeded, mean.
    pub slowdown_mean: Option<f64>,
    /// Cumulative distribution of `from_submit`: (seconds, share of pods that waited at most so
    /// long), at most 100 points, for the plot.
    pub distribution: Vec<(f64, f64)>,
}

/// Evictions of one tier for one cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvictionSummary {
    /// Tier.
    pub tier: String,
    /// Cause (see `EvictionCause::name`).
    pub cause: String,
    /// Evictions.
    pub count: u64,
    /// Evictions per week of running time of the tier's pods (EuroSys'15 Figure 3).
    pub per_task_week: Option<f64>,
}

/// Work in core-seconds (normalised units × seconds where the trace is normalised).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkSummary {
    /// Requested cpu × time of all runs of pods.
    pub total_core_s: f64,
    /// Of it, lost: done and to be done again.
    pub lost_core_s: f64,
    /// useful / total.
    pub goodput: Option<f64>,
    /// Lost work by what stopped the pod: (`crash`, `node-down`, eviction causes), core-seconds.
    pub lost_by_cause: Vec<(String, f64)>,
}

/// Nodes as they really were.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeSummary {
    /// Nodes in the cell at the end, up or down.
    pub present_at_end: u64,
    /// Mean number of nodes in the cell.
    pub present_mean: f64,
    /// Mean number of nodes up.
    pub up_mean: f64,
    /// Fewest nodes up at any instant of the window.
    pub up_min: u64,
    /// up / present.
    pub availability: Option<f64>,
    /// Times that a node went down.
    pub failures: u64,
    /// Times that a node came up again.
    pub repairs: u64,
    /// Nodes that joined or came back (trace), the initial ones not counted.
    pub added: u64,
    /// Nodes that left (trace, drain).
    pub removed: u64,
    /// Mean up time before a failure: node-seconds up / failures.
    pub mttf_s: Option<f64>,
    /// Mean down time of the repaired: what happened, not what was configured.
    pub mttr_s: Option<f64>,
    /// MTTF + MTTR.
    pub mtbf_s: Option<f64>,
    /// From truth to observation of failures.
    pub detection: DurationSummary,
}

/// Failure domains of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DomainSummary {
    /// `rack`, `zone`, …
    pub kind: String,
    /// How many there are.
    pub count: u64,
    /// Failures.
    pub failures: u64,
    /// Domain-seconds up / failures.
    pub mttf_s: Option<f64>,
    /// Mean time to repair.
    pub mttr_s: Option<f64>,
    /// MTTF + MTTR.
    pub mtbf_s: Option<f64>,
}

/// A declared workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkloadSummary {
    /// Its name.
    pub name: String,
    /// Pods wanted at the end.
    pub wanted: u32,
    /// Ready pods with which it counts as available.
    pub minimum_ready: u32,
    /// Ready pod-seconds / wanted pod-seconds.
    pub pod_availability: Option<f64>,
    /// Share of the window in which ready ≥ minimum.
    pub service_availability: Option<f64>,
    /// −log10(1 − service availability); `None` where there was no outage.
    pub nines: Option<f64>,
    /// Outages that began in the window.
    pub outages: u64,
    /// Time in outage.
    pub outage_s: f64,
    /// Longest outage.
    pub longest_outage_s: f64,
    /// Mean outage.
    pub mttr_s: Option<f64>,
    /// Mean time between the starts of outages: window / outages.
    pub mtbf_s: Option<f64>,
    /// The service level objective, where one is stated.
    pub objective: Option<f64>,
    /// Share of the error budget used: (1 − availability) / (1 − objective).
    pub budget_burned: Option<f64>,
    /// Crashes of its pods.
    pub crashes: u64,
    /// Evictions of its pods.
    pub evictions: u64,
    /// Where recovery time goes: (`detect`, `place`, `start`), mean seconds of displaced pods.
    pub recovery: Vec<(String, f64)>,
}

/// A time in which a declared workload had fewer ready pods than its minimum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outage {
    /// The workload.
    pub workload: String,
    /// Begin, seconds since the start of the run.
    pub start_s: f64,
    /// End; the end of the run where it did not end.
    pub end_s: f64,
    /// Fewest ready pods during it.
    pub ready_min: u32,
}

/// Jobs: workloads without a declared size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JobSummary {
    /// Jobs whose last pod ended in the window.
    pub ended: u64,
    /// From the first submission to the last end.
    pub completion: DurationSummary,
    /// End of the last pod that ended, from the start of the run.
    pub makespan_s: f64,
}

/// Declared jobs that ended in the window, each counted once whatever its size. Their response is
/// from coming in to the end of the last pod, their run from the start of the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchSummary {
    /// How many.
    pub ended: u64,
    /// From coming in to the start of the first pod.
    pub waiting: DurationSummary,
    /// response / run, mean, of jobs that ran at all.
    pub slowdown_mean: Option<f64>,
    /// max(response / max(run, 10 s), 1), mean (Feitelson et al., JSSPP 1997, §3.2: short jobs do
    /// not count for more than their users would notice).
    pub bounded_slowdown_mean: Option<f64>,
}

/// Alloc instances over the window: what they reserve on nodes counts as allocated, whether or not
/// pods inside ask for it; what the pods inside use counts as usage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AllocSummary {
    /// Mean number of bound instances.
    pub instances_mean: f64,
    /// Mean number of pods inside of them.
    pub pods_inside_mean: f64,
    /// By resource.
    pub resources: Vec<AllocResource>,
}

/// One resource of the alloc instances.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AllocResource {
    /// `cpu`, `memory`, …
    pub resource: String,
    /// Reserved by bound instances, mean, in the unit of the resource.
    pub reserved_mean: f64,
    /// reserved by instances / requested of nodes by all bound pods.
    pub share_of_allocation: Option<f64>,
    /// requested by the pods inside / reserved.
    pub requested_inside: Option<f64>,
    /// used by the pods inside / reserved; `None` where usage is not known.
    pub utilization: Option<f64>,
    /// used by all other pods / what they request, to compare with.
    pub utilization_elsewhere: Option<f64>,
}

/// The scheduler at work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SchedulerSummary {
    /// Attempts to place a pod, over the whole run.
    pub attempts: u64,
    /// Of them, successful.
    pub placed: u64,
    /// Attempts that found no node: the class then waits for a change that could help.
    pub unschedulable: u64,
    /// Pods preempted.
    pub preempted: u64,
    /// Nodes looked at one by one.
    pub nodes_examined: u64,
    /// How they were looked at, where the scenario has a scan with Borg's techniques.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<ScanSummary>,
    /// Mean number of pending pods.
    pub pending_mean: f64,
    /// Largest number of pending pods.
    pub pending_peak: u64,
    /// The schedulers whose decisions take time, each on its own; empty where none do.
    pub activity: Vec<SchedulerActivity>,
}

/// What became of the quota of one user at one band (EuroSys'15 §2.5). What is turned away never
/// enters the cell: it is in no other figure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QuotaSummary {
    /// Whose (a queue); empty for pods that are in none.
    pub user: String,
    /// Tier.
    pub band: String,
    /// Quota of cpu in cores; `None` where it is not limited.
    pub cpu: Option<f64>,
    /// Quota of memory in bytes.
    pub memory: Option<f64>,
    /// Quota of local storage in bytes.
    pub storage: Option<f64>,
    /// Most cores that were charged at once, over the whole run.
    pub cpu_used_peak: f64,
    /// Most bytes of memory that were charged at once, over the whole run.
    pub memory_used_peak: f64,
    /// Jobs and services that were let in. A job with pods of several tiers counts at each.
    pub jobs_admitted: u64,
    /// Those that were turned away.
    pub jobs_rejected: u64,
    /// Pods of jobs that were let in.
    pub pods_admitted: u64,
    /// Pods of jobs that were turned away.
    pub pods_rejected: u64,
    /// Cores that these requested together.
    pub cpu_rejected: f64,
    /// Bytes of memory that these requested together.
    pub memory_rejected: f64,
}

/// How much of what pods preferred of nodes they got (soft constraints, EuroSys'15 §2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PreferenceSummary {
    /// Placements of pods that prefer anything.
    pub placements: u64,
    /// Share of them on nodes that meet all that is preferred.
    pub all_met: f64,
    /// Weight of what the node met, as a share of the weight of all that was preferred: mean over
    /// these placements.
    pub weight_met_mean: f64,
}

/// The work of a scan with Borg's techniques, over the whole run (EuroSys'15 §3.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanSummary {
    /// Decisions for which nodes were looked at from the first on.
    pub scans: u64,
    /// Decisions that went on with what was found for the pod before, of the same class.
    pub shared: u64,
    /// Times that feasibility and score of a node were worked out.
    pub evaluated: u64,
    /// Times that they were known from the score cache.
    pub cache_hits: u64,
}

/// What one scheduler did, over the whole run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SchedulerActivity {
    /// Which one.
    pub name: String,
    /// Share of the run in which it was deciding (Omega, EuroSys'13 §4: *busyness*).
    pub busy: f64,
    /// The same without repeated attempts: what it would be if nobody ever got in the way.
    pub busy_first_attempts: f64,
    /// Decisions that were made: jobs or rounds, as the scheduler counts them.
    pub decisions: u64,
    /// Of them, those with a conflict, which have to be made again in part or in full.
    pub conflicted: u64,
    /// Placements that others had made impossible when they were to be committed.
    pub conflicts: u64,
    /// Decisions with a conflict for each that went through (Omega §4: *conflict fraction*; 3 means
    /// that it takes four attempts).
    pub conflict_fraction: f64,
    /// Jobs that were given up after too many attempts.
    pub abandoned: u64,
    /// Mean time from a job's coming to the end of the first attempt at it (Omega §4: *job wait
    /// time*).
    pub wait_mean_s: Option<f64>,
}

/// Little's law over the window: mean number = arrival rate × mean time. The two sides agree up to
/// what was in the system at the two ends of the window, which `edge` states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LittlesLaw {
    /// L: time-averaged number of pods in the cell (pending or bound), from the integral.
    pub pods_mean: f64,
    /// λ·W from pod by pod: Σ over pods of the time they spent in the cell within the window,
    /// divided by the window.
    pub pods_from_sojourn: f64,
    /// |L − λW| / L.
    pub relative_difference: f64,
}

/// Means over equal buckets of virtual time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeSeries {
    /// Length of a bucket.
    pub bucket_s: f64,
    /// Start of each bucket. The last bucket may be shorter.
    pub time_s: Vec<f64>,
    /// The columns, each as long as `time_s`.
    pub columns: Vec<Column>,
}

/// One line of a plot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// What it is: `allocation`, `utilization`, `fragmentation`, `nodes`, `pods`, `evictions`, `ready`.
    pub group: String,
    /// Which one: a resource, `up` / `present`, `pending` / `running`, a cause, a workload.
    pub name: String,
    /// Mean over the bucket (evictions: count in the bucket). Allocation and utilization are
    /// shares of up capacity.
    pub values: Vec<f64>,
}
