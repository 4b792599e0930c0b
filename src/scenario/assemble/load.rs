//! Section `workload` but for its services: what brings pods, built anew for each run.

use super::cluster::PoolNodes;
use super::distribution::{distribution, lasting};
use super::files::Files;
use super::services::preferences;
use super::source::WithoutNodes;
use super::trace::{TracePlan, trace};
use crate::cluster::{Dimension, Resources, Tier};
use crate::engine::{Distribution, SimDuration, SimTime, Streams};
use crate::scenario::document::Path;
use crate::scenario::error::ErrorCode;
use crate::scenario::problems::Problems;
use crate::scenario::types::{self, Quantity, Scenario, StartName, TierLoad};
use crate::workload::generator::{
    AllocSetMix, AllocSets, DeclaredJobs, Generator, GeneratorConfig, InitialPopulation, Poisson,
    PoissonConfig, Pool, TierMix, borg_like, yardstick,
};
use crate::workload::{ReadAhead, ReadProgress, Source, SourceError};

/// What brings pods, besides services.
pub enum Load {
    /// Nothing.
    Services,
    /// A recorded trace.
    Trace(TracePlan),
    /// A synthetic workload; its nodes are known beforehand.
    Generated(Box<GeneratorConfig>),
    /// Equal pods at random.
    Poisson(PoissonConfig),
    /// A trace that cannot be read, which is a problem by itself: nothing follows from it.
    Unreadable,
}

/// A source, and how much of its files has been read, where there are any.
pub type OpenedLoad = (Option<Box<dyn Source>>, Option<ReadProgress>);

impl Load {
    /// The source of one run, and how much of its files has been read.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn open(
        &self,
        streams: Streams,
        levels: &[Vec<String>],
    ) -> Result<OpenedLoad, SourceError> {
        match self {
            Self::Services | Self::Unreadable => Ok((None, None)),
            Self::Trace(trace) => {
                let (source, progress) = trace.open(streams, levels)?;
                Ok((Some(source), Some(progress)))
            }
            Self::Generated(config) => {
                let generator = Generator::new((**config).clone(), streams);
                let generator = generator.expect("the configuration has been checked");
                let source: Box<dyn Source> = match config.alloc_sets {
                    None => Box::new(ReadAhead::new(WithoutNodes(generator))),
                    Some(mix) => {
                        let with_sets = AllocSets::new(WithoutNodes(generator), mix, streams);
                        Box::new(ReadAhead::new(with_sets))
                    }
                };
                Ok((Some(source), None))
            }
            Self::Poisson(config) => {
                Ok((Some(Box::new(Poisson::new(config.clone(), streams))), None))
            }
        }
    }

    /// True if nodes come from a trace, so that they are not known beforehand.
    pub fn trace_brings_nodes(&self) -> bool {
        match self {
            Self::Trace(trace) => trace.brings_nodes(),
            Self::Unreadable => true,
            Self::Services | Self::Generated(_) | Self::Poisson(_) => false,
        }
    }

    /// True if the load ends by itself.
    pub fn ends(&self) -> bool {
        match self {
            Self::Services => false,
            Self::Trace(_) | Self::Unreadable => true,
            Self::Generated(config) => config.tasks.is_some(),
            Self::Poisson(config) => config.count < u64::MAX,
        }
    }

    /// True if it tells what pods use.
    pub fn tells_usage(&self) -> bool {
        match self {
            Self::Services | Self::Trace(_) | Self::Poisson(_) | Self::Unreadable => false,
            Self::Generated(config) => {
                config.tiers.iter().any(|tier| tier.usage_permille.is_some())
            }
        }
    }
}

/// What brings pods, and the nodes that it brings along.
pub fn load(
    scenario: &Scenario,
    pools: &[PoolNodes],
    files: &Files,
    problems: &mut Problems<'_>,
) -> (Load, Vec<PoolNodes>) {
    let workload = &scenario.workload;
    check_one_load(scenario, problems);
    if let Some(given) = &workload.trace {
        let load =
            trace(given, !pools.is_empty(), files, problems).map_or(Load::Unreadable, Load::Trace);
        return (load, Vec::new());
    }
    if let Some(given) = &workload.generator {
        return generated(given, pools, files, problems);
    }
    if let Some(given) = &workload.poisson {
        return (poisson(given, files, problems), Vec::new());
    }
    match &workload.yardstick {
        Some(given) => {
            let config = yardstick(given.tasks);
            let brought = brought_nodes(&config);
            (Load::Generated(Box::new(config)), brought)
        }
        None => (Load::Services, Vec::new()),
    }
}

fn check_one_load(scenario: &Scenario, problems: &mut Problems<'_>) {
    let workload = &scenario.workload;
    let loads = [
        ("trace", workload.trace.is_some()),
        ("generator", workload.generator.is_some()),
        ("poisson", workload.poisson.is_some()),
        ("yardstick", workload.yardstick.is_some()),
    ];
    let mut given = loads.iter().filter(|(_, there)| *there).map(|(name, _)| *name);
    let path = Path::of(&["workload"]);
    let Some(first) = given.next() else {
        if workload.services.is_empty() && scenario.kubernetes.files.is_empty() {
            let message = "the workload is empty: nothing would ever run";
            problems.add_with_help(
                ErrorCode::MissingField,
                &path,
                message,
                "add trace, generator, poisson, yardstick or services, or kubernetes.files",
            );
        }
        return;
    };
    for other in given {
        let message = format!("workload has both \"{first}\" and \"{other}\"; only one can be");
        problems.add(ErrorCode::Contradiction, &path.key(other), message);
    }
}

fn generated(
    given: &types::Generator,
    pools: &[PoolNodes],
    files: &Files,
    problems: &mut Problems<'_>,
) -> (Load, Vec<PoolNodes>) {
    let path = Path::of(&["workload", "generator"]);
    let mut config = borg_like(given.nodes.map_or(1, u64::from));
    let mut brought = Vec::new();
    match (given.nodes, pools) {
        (Some(_), []) => brought = brought_nodes(&config),
        (None, [_, ..]) => {
            let pool =
                |pool: &PoolNodes| Pool { count: u64::from(pool.count), spec: pool.spec.clone() };
            config.pools = pools.iter().map(pool).collect();
        }
        (Some(_), [_, ..]) => {
            let message = "the generator brings nodes, but cluster.pools has nodes too";
            problems.add_with_help(
                ErrorCode::Contradiction,
                &path.key("nodes"),
                message,
                "leave out one of the two",
            );
        }
        (None, []) => {
            let message = "there are no nodes to generate load for";
            problems.add_with_help(
                ErrorCode::MissingField,
                &path,
                message,
                "add cluster.pools, or workload.generator.nodes",
            );
        }
    }
    adjust(&mut config, given, files, &path, problems);
    if let Err(error) = config.check() {
        problems.add(ErrorCode::OutOfRange, &path, format!("{path}: {error}"));
    } else if let Err(error) = Generator::new(config.clone(), Streams { seed: 0, run: 0 }) {
        problems.add(ErrorCode::OutOfRange, &path, format!("{path}: {error}"));
    }
    (Load::Generated(Box::new(config)), brought)
}

fn brought_nodes(config: &GeneratorConfig) -> Vec<PoolNodes> {
    let pool = |pool: &Pool| PoolNodes {
        spec: pool.spec.clone(),
        count: u32::try_from(pool.count).expect("scenarios have at most a million nodes"),
    };
    config.pools.iter().map(pool).collect()
}

/// A server and what takes care of its logs (EuroSys'15 §2.4).
const PODS_PER_ALLOC: u32 = 2;

fn adjust(
    config: &mut GeneratorConfig,
    given: &types::Generator,
    files: &Files,
    path: &Path,
    problems: &mut Problems<'_>,
) {
    if let Some(allocation) = &given.allocation {
        config.allocation = allocation.amount();
    }
    if let Some(share) = &given.largest_job {
        config.largest_job = share.amount();
    }
    if let Some(swing) = &given.daily_swing {
        config.diurnal.amplitude = swing.amount();
    }
    if given.tenants.is_some() || given.gangs.is_some() {
        config.declared = Some(DeclaredJobs {
            tenants: given.tenants.unwrap_or(0),
            gangs: given.gangs.as_ref().map_or(0.0, Quantity::amount),
        });
    }
    config.alloc_sets = given.alloc_sets.as_ref().map(|share| AllocSetMix {
        share: share.amount(),
        pods: given.pods_per_alloc.unwrap_or(PODS_PER_ALLOC),
    });
    config.tasks = given.tasks;
    config.initial = match given.start {
        Some(StartName::Empty) => InitialPopulation::Empty,
        Some(StartName::Full) | None => InitialPopulation::Allocated,
    };
    for (tier, load) in given.tiers.iter() {
        let tier = Tier::from(tier);
        let path = path.key("tiers").key(tier.name());
        for mix in config.tiers.iter_mut().filter(|mix| mix.tier == tier) {
            adjust_tier(mix, load, files, &path, problems);
        }
    }
}

fn adjust_tier(
    mix: &mut TierMix,
    given: &TierLoad,
    files: &Files,
    path: &Path,
    problems: &mut Problems<'_>,
) {
    for (share, field) in [
        (&given.killed, &mut mix.killed),
        (&given.failing, &mut mix.failing),
        (&given.spread, &mut mix.spread),
    ] {
        if let Some(share) = share {
            *field = share.amount();
        }
    }
    mix.preferences = preferences(&given.preferences, &path.key("preferences"), problems);
    if let Some(weight) = &given.weight {
        mix.weight = weight.amount();
    }
    if let Some(run) = &given.run {
        mix.run_seconds = lasting(run, &path.key("run"), files, problems);
    }
    let mut shape = |field: &str, median: i64, sigma: f64, into: &mut Distribution| {
        // Amounts are precise to the millicore and the byte, which are integers.
        match Distribution::log_normal(median as f64, sigma) {
            Ok(shape) => *into = shape,
            Err(error) => {
                let path = path.key(field);
                problems.add(ErrorCode::OutOfRange, &path, format!("{path}: {error}"));
            }
        }
    };
    if let Some(cpu) = &given.cpu {
        shape("cpu", cpu.median.amount(), cpu.sigma, &mut mix.cpu);
    }
    if let Some(memory) = &given.memory {
        shape("memory", memory.median.amount(), memory.sigma, &mut mix.memory);
    }
}

fn poisson(given: &types::Poisson, files: &Files, problems: &mut Problems<'_>) -> Load {
    let path = Path::of(&["workload", "poisson"]);
    if given.arrivals.amount() == 0.0 {
        let message = "workload.poisson.arrivals must be above 0";
        problems.add(ErrorCode::OutOfRange, &path.key("arrivals"), message);
    }
    let mut requests = Resources::pod(given.cpu.amount(), given.memory.amount());
    requests[Dimension::PODS] = 1;
    Load::Poisson(PoissonConfig {
        servers: 0,
        rate_per_second: given.arrivals.amount(),
        tasks: given.tasks,
        service: distribution(&given.run, &path.key("run"), files, problems),
        requests,
        count: given.count.unwrap_or(u64::MAX),
    })
}

/// Ends a generated load together with the run.
pub fn end_with_run(load: &mut Load, end: Option<SimTime>) {
    if let (Load::Generated(config), Some(end)) = (load, end) {
        let length: SimDuration = end.since(SimTime::ZERO);
        config.duration = Some(config.duration.map_or(length, |given| given.min(length)));
    }
}
