//! Workloads made from published figures: a Borg-like cell and the yardstick of the benches.

use super::super::bands::usual_priority;
use super::config::{Diurnal, GeneratorConfig, InitialPopulation, Pool, TierMix};
use crate::cluster::{Dimension, NodeSpec, Resources, Tier};
use crate::engine::{Distribution, SimDuration};

/// The capacity classes of the Google 2011 trace: cpu and memory in ten-thousandths of the
/// largest machine, and how many of its 12,583 machines there are (Reiss et al., SoCC'12).
pub const CAPACITY_CLASSES: [(i64, i64, u64); 10] = [
    (5000, 4995, 6732),
    (5000, 2493, 3863),
    (5000, 7490, 1001),
    (10_000, 10_000, 795),
    (2500, 2498, 126),
    (5000, 1241, 52),
    (5000, 308, 5),
    (5000, 9678, 5),
    (10_000, 5000, 3),
    (5000, 616, 1),
];
/// Parts of the largest machine in [`CAPACITY_CLASSES`].
const PARTS: i64 = 10_000;
/// Cpu of the largest machine of [`borg_like`] cells: 64 cores. The trace does not tell it; this
/// is a common large machine.
pub const LARGEST_CPU_MILLI: i64 = 64_000;
/// Memory of the largest machine of [`borg_like`] cells: 512 GiB. See [`LARGEST_CPU_MILLI`].
pub const LARGEST_MEMORY_BYTES: i64 = 512 << 30;
/// Pod slots of generated nodes: no limit that is ever met.
const UNLIMITED_PODS: i64 = 1_000_000;
const DAY_SECONDS: f64 = 86_400.0;

/// The capacity classes for a cell of `nodes` nodes, in proportion to the trace (largest
/// remainders), with `unit` turning ten-thousandths of cpu and memory into amounts.
fn pools(nodes: u64, unit: impl Fn(i64, i64) -> (i64, i64)) -> Vec<Pool> {
    let total: u64 = CAPACITY_CLASSES.iter().map(|class| class.2).sum();
    let shares = CAPACITY_CLASSES.map(|class| class.2 * nodes);
    let mut counts = shares.map(|share| share / total);
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|class| std::cmp::Reverse(shares[*class] % total));
    let missing = nodes - counts.iter().sum::<u64>();
    order.iter().take(missing as usize).for_each(|class| counts[*class] += 1);
    let pool = |(class, count): (&(i64, i64, u64), u64)| {
        let (cpu, memory) = unit(class.0, class.1);
        let mut allocatable = Resources::pod(cpu, memory);
        allocatable[Dimension::PODS] = UNLIMITED_PODS;
        let name = format!("cpu{}-memory{}", class.0, class.1);
        let spec = NodeSpec { name: name.clone(), pool: name, allocatable, ..NodeSpec::default() };
        Pool { count, spec }
    };
    CAPACITY_CLASSES.iter().zip(counts).filter(|(_, count)| *count > 0).map(pool).collect()
}

/// What is told of a tier; the rest is the same for all.
struct Preset {
    tier: Tier,
    /// Share of the allocated cpu.
    weight: f64,
    /// 95th percentile of tasks per job.
    tasks_p95: f64,
    /// Median and sigma of the run in seconds.
    run: (f64, f64),
    /// Median cpu and memory of a task as a share of the largest machine.
    median: (f64, f64),
    killed: f64,
    failing: f64,
}

/// The tiers of [`borg_like`] cells.
///
/// * Weights: what ran at the start of the 2011 trace (production .732, others .184, free .219 of
///   all cpu), with the middle divided into batch and mid, and a little monitoring.
/// * Tasks per job: 95th percentiles of EuroSys'20 (best-effort batch 498, mid 67, free 21,
///   production 3) as Pareto tails from 1; monitoring as production.
/// * Runs: for batch and free the FINISH quantiles of 2011 (p50 460 s, p90 4,852 s: sigma 1.84);
///   services run for days, mid for hours (our choice: the windows at hand are too short to say).
/// * Shapes: medians around the request quantiles of 2011 (cpu p50 .025 with sigma 1.1, memory p50
///   .020 with sigma .8), larger for services.
/// * Ends: of the ends of 2011 that are not evictions 59 % FINISH, 38 % KILL, 3 % FAIL.
const PRESETS: [Preset; 5] = [
    Preset {
        tier: Tier::Free,
        weight: 0.19,
        tasks_p95: 21.0,
        run: (460.0, 1.84),
        median: (0.0125, 0.0139),
        killed: 0.38,
        failing: 0.03,
    },
    Preset {
        tier: Tier::BestEffortBatch,
        weight: 0.12,
        tasks_p95: 498.0,
        run: (460.0, 1.84),
        median: (0.025, 0.0202),
        killed: 0.38,
        failing: 0.03,
    },
    Preset {
        tier: Tier::Mid,
        weight: 0.05,
        tasks_p95: 67.0,
        run: (3_600.0, 1.84),
        median: (0.025, 0.0202),
        killed: 0.38,
        failing: 0.03,
    },
    Preset {
        tier: Tier::Production,
        weight: 0.62,
        tasks_p95: 3.0,
        run: (DAY_SECONDS, 2.0),
        median: (0.0313, 0.0318),
        killed: 0.9,
        failing: 0.0,
    },
    Preset {
        tier: Tier::Monitoring,
        weight: 0.02,
        tasks_p95: 3.0,
        run: (DAY_SECONDS, 2.0),
        median: (0.0063, 0.0062),
        killed: 0.9,
        failing: 0.0,
    },
];
/// Sigma of the requested cpu and memory.
const SHAPE_SIGMA: (f64, f64) = (1.1, 0.8);
/// Share of jobs that want nodes of their own: 13.6 % of the submits of 2011 do.
const SPREAD: f64 = 0.136;
/// More tasks than this no job has; the largest in the first day of 2011 has 20,010.
const LARGEST_JOB_TASKS: f64 = 20_000.0;
/// Swing of the submits per hour of 2011: p10 646, p50 884, p90 1,305.
const DIURNAL_AMPLITUDE: f64 = 0.3;

/// Usage of cpu as a share of the request, in permille, from the quantiles of the 2019 sample (p25
/// .03, p50 .20, p75 .70, p90 1.25), cut at 1.25.
const CPU_USAGE: [(f64, f64); 6] =
    [(0.0, 0.0), (0.25, 30.0), (0.5, 200.0), (0.75, 700.0), (0.9, 1250.0), (1.0, 1250.0)];
/// The same for memory (p50 .46, p75 .80), cut at the request, which is a limit.
const MEMORY_USAGE: [(f64, f64); 4] = [(0.0, 50.0), (0.5, 460.0), (0.75, 800.0), (1.0, 1000.0)];

/// A Borg-like cell of `nodes` nodes: the ten capacity classes of 2011 with
/// [`LARGEST_CPU_MILLI`] and [`LARGEST_MEMORY_BYTES`] for the largest machine, 80 % of the cpu
/// requested in the mean, all tiers, a day's swing, and a full cell at the start. It has no end of
/// its own: set `tasks` or `duration`.
pub fn borg_like(nodes: u64) -> GeneratorConfig {
    GeneratorConfig {
        pools: pools(nodes, |cpu, memory| {
            (cpu * LARGEST_CPU_MILLI / PARTS, memory * (LARGEST_MEMORY_BYTES / PARTS))
        }),
        allocation: 0.8,
        tiers: PRESETS.iter().map(tier_mix).collect(),
        largest_job: 0.02,
        diurnal: Diurnal { amplitude: DIURNAL_AMPLITUDE, period: SimDuration::from_secs(86_400) },
        initial: InitialPopulation::Allocated,
        tasks: None,
        duration: None,
        declared: None,
        alloc_sets: None,
    }
}

fn tier_mix(preset: &Preset) -> TierMix {
    const SOUND: &str = "the presets hold sound parameters";
    let bounded = |distribution: Result<Distribution, _>, low: f64, high: f64| {
        distribution.and_then(|inner| inner.clamped(low, high)).expect(SOUND)
    };
    let (cpu, memory) = (LARGEST_CPU_MILLI as f64, LARGEST_MEMORY_BYTES as f64);
    // A Pareto tail from 1 exceeds x with probability x^-α.
    let alpha = libm::log(20.0) / libm::log(preset.tasks_p95);
    let usage = |points: &[(f64, f64)]| Distribution::quantile_table(points.to_vec()).expect(SOUND);
    let shape = |median: f64, sigma: f64| Distribution::log_normal(median, sigma);
    TierMix {
        tier: preset.tier,
        priority: usual_priority(preset.tier),
        weight: preset.weight,
        job_tasks: bounded(Distribution::pareto(1.0, alpha), 1.0, LARGEST_JOB_TASKS),
        run_seconds: bounded(shape(preset.run.0, preset.run.1), 1.0, 30.0 * DAY_SECONDS),
        cpu: bounded(shape(preset.median.0 * cpu, SHAPE_SIGMA.0), 10.0, 0.5 * cpu),
        memory: bounded(shape(preset.median.1 * memory, SHAPE_SIGMA.1), 1048576.0, 0.5 * memory),
        usage_permille: Some([usage(&CPU_USAGE), usage(&MEMORY_USAGE)]),
        killed: preset.killed,
        failing: preset.failing,
        spread: SPREAD,
        preferences: Vec::new(),
    }
}

/// The yardstick of the benches: 12,500 nodes in ten classes of 10,000 units of cpu and of memory,
/// tasks of their own shape each, Poisson arrivals that keep 80 % of the cpu allocated, a full
/// cell of 124,566 tasks at the start, then `arrivals` more.
pub fn yardstick(arrivals: u64) -> GeneratorConfig {
    const SOUND: &str = "the yardstick holds sound parameters";
    let cpu = [62, 125, 250, 312, 500, 625, 1250, 2500].map(f64::from);
    let weights = [0.20, 0.20, 0.15, 0.10, 0.10, 0.15, 0.06, 0.04];
    let mix = TierMix {
        tier: Tier::Mid,
        priority: 0,
        weight: 1.0,
        job_tasks: Distribution::constant(1.0).expect(SOUND),
        run_seconds: Distribution::log_normal(300.0, 1.8).expect(SOUND),
        cpu: Distribution::weighted(cpu.into_iter().zip(weights).collect()).expect(SOUND),
        memory: Distribution::log_normal(180.0, 1.0)
            .and_then(|memory| memory.clamped(1.0, 2400.0))
            .expect(SOUND),
        usage_permille: None,
        killed: 0.0,
        failing: 0.0,
        spread: 0.0,
        preferences: Vec::new(),
    };
    GeneratorConfig {
        pools: pools(12_500, |cpu, memory| (cpu, memory)),
        allocation: 0.8,
        tiers: vec![mix],
        largest_job: 1.0,
        diurnal: Diurnal { amplitude: 0.0, period: SimDuration::from_secs(86_400) },
        initial: InitialPopulation::Expected,
        tasks: Some(arrivals),
        duration: None,
        declared: None,
        alloc_sets: None,
    }
}
