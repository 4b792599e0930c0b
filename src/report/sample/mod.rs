//! Made-up results to show and to test with: deterministic, of the shape that a run yields, from
//! a Borg-like day with a failed rack down to a run in which nothing happened. Tests only.

mod reliability;
mod series;

use series::{column, noise, timeseries};

use crate::metrics::*;
use crate::workload::SourceStatistics;
use serde_json::json;

const DAY_S: f64 = 86_400.0;
const TIERS: [&str; 4] = ["free", "best-effort-batch", "mid", "production"];

/// A day of 1,000 nodes with a diurnal load; at 14:00 a rack of 40 fails for an hour and a half.
pub fn borg_day() -> RunResult {
    day(42, 288)
}

/// The same day under another seed: every figure moves a little.
pub fn borg_day_with_seed(seed: u64) -> RunResult {
    day(seed, 288)
}

/// A series of a million buckets.
pub fn very_long() -> RunResult {
    let mut result = day(42, 1);
    let count = 1_000_000;
    result.timeseries = TimeSeries {
        bucket_s: 1.0,
        time_s: (0..count).map(|index| index as f64).collect(),
        columns: vec![column(
            "nodes",
            "up",
            (0..count).map(|i| 1_000.0 - (i % 7) as f64).collect(),
        )],
    };
    result.window = Window { start_s: 0.0, end_s: count as f64, length_s: count as f64 };
    result
}

/// A run of one bucket.
pub fn one_bucket() -> RunResult {
    day(7, 1)
}

/// No pods, no workloads, no failures, a window of no length.
pub fn nothing() -> RunResult {
    RunResult {
        schema_version: SCHEMA_VERSION,
        cellsim_version: "0.1.0".to_owned(),
        fingerprint: "0".repeat(32),
        scenario: ScenarioInfo {
            name: "nothing".to_owned(),
            title: String::new(),
            seed: 0,
            architecture: "pod-at-a-time".to_owned(),
            placement: "first-fit".to_owned(),
            queue: "fifo".to_owned(),
            resolved: json!({}),
        },
        notices: Vec::new(),
        window: Window { start_s: 0.0, end_s: 0.0, length_s: 0.0 },
        resources: Vec::new(),
        target_workload: None,
        tiers: Vec::new(),
        pools: Vec::new(),
        pods: PodCounts::default(),
        admission: Vec::new(),
        preferences: None,
        waiting: Vec::new(),
        evictions: Vec::new(),
        work: WorkSummary::default(),
        nodes: NodeSummary::default(),
        reliability: ReliabilitySummary::default(),
        domains: Vec::new(),
        workloads: Vec::new(),
        outages: Vec::new(),
        jobs: JobSummary::default(),
        batch: None,
        allocs: None,
        scheduler: SchedulerSummary::default(),
        littles_law: LittlesLaw::default(),
        source: SourceStatistics::default(),
        timeseries: TimeSeries::default(),
    }
}

fn day(seed: u64, buckets: usize) -> RunResult {
    let shift = noise(seed, 0) - 0.5;
    RunResult {
        fingerprint: format!("{:032x}", (0x5eed_u128 << 96) | (u128::from(seed) * 0x1_0001)),
        scenario: scenario(seed),
        notices: vec![
            "Production pods may use 1.12 of the CPU they request (overcommit of cpu: 1.5 below \
             production), as the scenario states."
                .to_owned(),
            "312 rows of the trace were skipped: 300 with a negative duration, 12 of a machine \
             that is not in the cell."
                .to_owned(),
        ],
        window: Window { start_s: 7_200.0, end_s: DAY_S, length_s: DAY_S - 7_200.0 },
        resources: resources(shift),
        target_workload: Some(TargetWorkload {
            pods: 13_000,
            shapes: 212,
            significant_bits: Some(4),
        }),
        tiers: tiers(shift),
        pools: pools(),
        pods: pods(seed),
        admission: Vec::new(),
        preferences: None,
        waiting: waiting(shift),
        evictions: evictions(shift),
        work: WorkSummary {
            total_core_s: 4.012e9,
            lost_core_s: 2.1e7 * (1.0 + shift),
            goodput: Some(1.0 - 0.00523 * (1.0 + shift)),
            lost_by_cause: [("preemption", 1.2e7), ("node-down", 8.1e6), ("crash", 0.9e6)]
                .map(|(cause, lost)| (cause.to_owned(), lost))
                .to_vec(),
        },
        nodes: nodes(shift),
        reliability: reliability::spread(),
        domains: vec![DomainSummary {
            kind: "rack".to_owned(),
            count: 25,
            failures: 1,
            mttf_s: Some(1.98e6),
            mttr_s: Some(5_400.0),
            mtbf_s: Some(1.985_4e6),
        }],
        workloads: workloads(shift),
        outages: outages(),
        jobs: JobSummary {
            ended: 4_812,
            completion: durations(4_812, 2_912.0, 900.0),
            makespan_s: 86_391.25,
        },
        batch: None,
        allocs: None,
        scheduler: SchedulerSummary {
            attempts: 158_220,
            placed: 152_904,
            unschedulable: 5_316,
            preempted: 2_904,
            nodes_examined: 1_204_551,
            scan: None,
            pending_mean: 31.4,
            pending_peak: 1_804,
            activity: Vec::new(),
        },
        littles_law: LittlesLaw {
            pods_mean: 13_204.51,
            pods_from_sojourn: 13_204.49,
            relative_difference: 1.5e-6,
        },
        source: SourceStatistics {
            rows: 812_334,
            skipped: [("negative duration", 300), ("unknown machine", 12)]
                .map(|(reason, count)| (reason.to_owned(), count))
                .into(),
            noted: [("late outcome".to_owned(), 41)].into(),
        },
        timeseries: timeseries(seed, buckets),
        ..nothing()
    }
}

fn scenario(seed: u64) -> ScenarioInfo {
    ScenarioInfo {
        name: "borg-day".to_owned(),
        title: "A Borg-like cell for a day, with a rack that fails at two".to_owned(),
        seed,
        architecture: "pod-at-a-time".to_owned(),
        placement: "best-fit".to_owned(),
        queue: "priority".to_owned(),
        resolved: json!({
            "seed": seed,
            "duration": "1d",
            "measure": {"warmup": "2h"},
            "cluster": {"pools": [
                {"name": "standard", "count": 950, "cpu": 64, "memory": "256Gi"},
                {"name": "accelerated", "count": 50, "cpu": 96, "memory": "512Gi", "gpus": 4},
            ]},
            "scheduler": {"placement": "best-fit", "queue": "priority"},
            "failures": {"script": [{"at": "14h", "rack": "r-07", "for": "90min"}]},
        }),
    }
}

fn resources(shift: f64) -> Vec<ResourceSummary> {
    let of = |name: &str, unit: &str, installed: f64, allocated: f64, used: Option<f64>| {
        let up = installed * 0.997_2;
        let ratio = allocated + 0.01 * shift;
        ResourceSummary {
            resource: name.to_owned(),
            unit: unit.to_owned(),
            installed_mean: installed,
            up_mean: up,
            requested_mean: up * ratio,
            allocation_ratio: Some(ratio),
            effective_allocation_ratio: Some(ratio * 0.997_2),
            utilization: used.map(|used| used + 0.01 * shift),
            peak_allocation_ratio: Some(ratio + 0.12),
            allocation_at_full_demand: (name == "gpu").then_some(ratio + 0.11),
            fragmented_mean: Some(up * (1.0 - ratio) * (0.2 + ratio / 4.0)),
            fragmentation: Some(0.2 + ratio / 4.0),
        }
    };
    vec![
        of("cpu", "cores", 65_600.0, 0.873, Some(0.412)),
        of("memory", "bytes", 2.886e14, 0.781, Some(0.563)),
        of("gpu", "GPUs", 200.0, 0.642, None),
    ]
}

fn tiers(shift: f64) -> Vec<GroupSummary> {
    let sizes: [(u64, f64, f64, f64); 4] = [
        (31_204, 1_310.2, 0.061, 0.981),
        (98_770, 5_120.7, 0.242, 0.991),
        (11_409, 2_011.0, 0.131, 0.998_7),
        (9_220, 4_730.3, 0.439, 0.999_95),
    ];
    TIERS
        .iter()
        .zip(sizes)
        .map(|(name, (pods, running, cpu, share))| GroupSummary {
            name: (*name).to_owned(),
            pods,
            running_mean: running * (1.0 + 0.02 * shift),
            allocation_ratio: vec![Some(cpu), Some(cpu * 0.89), None],
            running_share: Some(share),
        })
        .collect()
}

fn pools() -> Vec<GroupSummary> {
    [
        ("standard", 149_801, 12_913.0, 0.881, None),
        ("accelerated", 3_103, 259.2, 0.741, Some(0.642)),
    ]
    .map(|(name, pods, running_mean, cpu, gpu)| GroupSummary {
        name: name.to_owned(),
        pods,
        running_mean,
        allocation_ratio: vec![Some(cpu), Some(cpu - 0.1), gpu],
        running_share: None,
    })
    .to_vec()
}

fn pods(seed: u64) -> PodCounts {
    let more = seed % 100;
    PodCounts {
        submitted: 150_603 + more,
        bound: 152_904 + more,
        started: 152_811 + more,
        succeeded: 131_022,
        failed: 2_904,
        killed: 3_120,
        deleted: 211,
        rejected: 0,
        evicted: 3_412 + more,
        crashed: 842,
        running_at_end: 13_310,
        pending_at_end: 27,
        waiting_on_node_at_end: 9,
        live_peak: 15_120,
    }
}

fn durations(count: u64, mean_s: f64, p50_s: f64) -> DurationSummary {
    DurationSummary {
        count,
        mean_s,
        p50_s,
        p90_s: p50_s * 6.9,
        p99_s: p50_s * 45.2,
        p999_s: p50_s * 190.0,
        max_s: p50_s * 704.0,
    }
}

fn waiting(shift: f64) -> Vec<WaitingSummary> {
    let all = std::iter::once(("all", 150_212, 0.31));
    let tiers = [
        ("free", 31_004, 2.4),
        ("best-effort-batch", 98_601, 0.61),
        ("mid", 11_402, 0.12),
        ("production", 9_205, 0.04),
    ];
    all.chain(tiers)
        .map(|(name, count, p50): (&str, u64, f64)| {
            let p50 = p50 * (1.0 + 0.2 * shift);
            WaitingSummary {
                name: name.to_owned(),
                from_submit: durations(count, p50 * 5.2, p50),
                from_eviction: durations(count / 50, p50 * 42.0, p50 * 31.0),
                slowdown_mean: (name != "production").then_some(1.0 + p50 / 40.0),
                distribution: distribution(p50),
            }
        })
        .collect()
}

/// A log-logistic distribution of median `p50`, in which a tenth does not wait at all.
fn distribution(p50: f64) -> Vec<(f64, f64)> {
    let mut points = vec![(0.0, 0.1)];
    points.extend((1..=80).map(|step| {
        let seconds = p50 * libm::pow(10.0, f64::from(step - 40) / 14.0);
        let odds = libm::pow(seconds / p50, 1.1);
        (seconds, 0.1 + 0.9 * odds / (1.0 + odds))
    }));
    points.push((p50 * 704.0, 1.0));
    points
}

fn evictions(shift: f64) -> Vec<EvictionSummary> {
    [
        ("free", "preemption", 1_904, 9.31),
        ("free", "machine-failure", 61, 0.3),
        ("best-effort-batch", "preemption", 1_000, 1.24),
        ("best-effort-batch", "machine-failure", 248, 0.31),
        ("best-effort-batch", "out-of-resources", 31, 0.04),
        ("mid", "machine-failure", 91, 0.28),
        ("mid", "machine-shutdown", 12, 0.04),
        ("production", "machine-failure", 58, 0.08),
        ("production", "machine-shutdown", 7, 0.01),
    ]
    .map(|(tier, cause, count, rate)| EvictionSummary {
        tier: tier.to_owned(),
        cause: cause.to_owned(),
        count,
        per_task_week: Some(rate * (1.0 + 0.3 * shift)),
    })
    .to_vec()
}

fn nodes(shift: f64) -> NodeSummary {
    NodeSummary {
        present_at_end: 1_000,
        present_mean: 1_000.0,
        up_mean: 997.2 + shift,
        up_min: 958,
        availability: Some(0.997_2 + shift * 1e-3),
        failures: 49,
        repairs: 47,
        added: 0,
        removed: 2,
        mttf_s: Some(1.612e6 * (1.0 + shift)),
        mttr_s: Some(4_711.0),
        mtbf_s: Some(1.616_7e6),
        detection: durations(49, 41.2, 40.0),
    }
}

fn workloads(shift: f64) -> Vec<WorkloadSummary> {
    let recovery = [("detect", 41.2), ("place", 0.4), ("start", 12.7)];
    let of = |(name, wanted, minimum, outages, outage_s, objective): Declared| {
        let length = DAY_S - 7_200.0;
        let outage_s = outage_s * (1.0 + 0.3 * shift);
        let share = 1.0 - outage_s / length;
        WorkloadSummary {
            name: name.to_owned(),
            wanted,
            minimum_ready: minimum,
            pod_availability: Some(share - 0.000_3),
            service_availability: Some(share),
            nines: (outages > 0).then(|| -libm::log10(1.0 - share)),
            outages,
            outage_s,
            longest_outage_s: outage_s * 0.6,
            mttr_s: (outages > 0).then(|| outage_s / outages as f64),
            mtbf_s: (outages > 0).then(|| length / outages as f64),
            objective,
            budget_burned: objective.map(|objective| (1.0 - share) / (1.0 - objective)),
            crashes: 3 * outages + 1,
            evictions: 2 * outages,
            recovery: if outages > 0 {
                recovery.map(|(stage, seconds)| (stage.to_owned(), seconds)).to_vec()
            } else {
                Vec::new()
            },
        }
    };
    DECLARED.map(of).to_vec()
}

/// Name, pods wanted, minimum ready, outages, seconds in outage, objective.
type Declared = (&'static str, u32, u32, u64, f64, Option<f64>);
const DECLARED: [Declared; 5] = [
    ("frontend", 120, 100, 2, 37.5, Some(0.999)),
    ("checkout", 24, 20, 3, 121.0, Some(0.999)),
    ("search-index", 64, 60, 0, 0.0, Some(0.9995)),
    ("orders-database", 3, 2, 1, 52.1, Some(0.9999)),
    ("single-wordpress", 1, 1, 1, 5_461.0, None),
];

fn outages() -> Vec<Outage> {
    [
        ("checkout", 20_511.2, 20_560.1, 19),
        ("frontend", 50_400.0, 50_422.5, 96),
        ("checkout", 50_400.0, 50_472.6, 17),
        ("single-wordpress", 50_400.0, 55_861.0, 0),
        ("orders-database", 61_200.5, 61_252.6, 1),
        ("frontend", 70_100.0, 70_115.0, 99),
        ("checkout", 80_001.0, 80_001.5, 19),
    ]
    .map(|(workload, start_s, end_s, ready_min)| Outage {
        workload: workload.to_owned(),
        start_s,
        end_s,
        ready_min,
    })
    .to_vec()
}
