//! What a synthetic workload is described by, and the checks on it.

use crate::cluster::{NodeSpec, Preference, Tier};
use crate::engine::{Distribution, SimDuration};

/// Nodes of one shape.
#[derive(Clone, Debug)]
pub struct Pool {
    /// How many.
    pub count: u64,
    /// What each is; its name is completed by a number.
    pub spec: NodeSpec,
}

/// The jobs of one tier. Sizes, shapes and usage are drawn per job, durations and fates per task.
#[derive(Clone, Debug)]
pub struct TierMix {
    /// Tier of its pods.
    pub tier: Tier,
    /// Priority of its pods.
    pub priority: i32,
    /// Share of the cpu allocation that this tier has; the shares of all tiers are weights.
    pub weight: f64,
    /// Tasks per job, rounded down to a whole number of at least one.
    pub job_tasks: Distribution,
    /// Length of an uninterrupted run, in seconds.
    pub run_seconds: Distribution,
    /// Requested cpu, in the unit of the pools.
    pub cpu: Distribution,
    /// Requested memory, in the unit of the pools.
    pub memory: Distribution,
    /// Mean usage of cpu and of memory as a share of the request in permille.
    pub usage_permille: Option<[Distribution; 2]>,
    /// Share of tasks that their user stops, after what would have been their run.
    pub killed: f64,
    /// Share of tasks that fail at the end of their run.
    pub failing: f64,
    /// Share of jobs that want each task on a node of its own.
    pub spread: f64,
    /// What its pods would like of a node.
    pub preferences: Vec<Preference>,
}

/// A daily swing of arrivals: the rate is `1 + amplitude × sin(2π time / period)` times its mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Diurnal {
    /// 0 (none) to 1 (nothing arrives at night).
    pub amplitude: f64,
    /// Length of a day.
    pub period: SimDuration,
}

/// What runs when the run starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitialPopulation {
    /// Nothing.
    Empty,
    /// Jobs until the target of each tier is allocated; the last one is cut.
    Allocated,
    /// As many tasks as are running in the mean (Little's law), whatever they add up to.
    Expected,
}

/// A synthetic workload.
#[derive(Clone, Debug)]
pub struct GeneratorConfig {
    /// The cell.
    pub pools: Vec<Pool>,
    /// Cpu that is requested in the mean as a share of the cell's; above 1 it is overcommitted.
    pub allocation: f64,
    /// The jobs.
    pub tiers: Vec<TierMix>,
    /// Largest share of the cell's cpu that one job requests; larger jobs have fewer tasks.
    pub largest_job: f64,
    /// The daily swing.
    pub diurnal: Diurnal,
    /// What runs at the start.
    pub initial: InitialPopulation,
    /// Number of tasks that arrive after the start, if that ends the workload.
    pub tasks: Option<u64>,
    /// Time after which nothing arrives, if that ends the workload.
    pub duration: Option<SimDuration>,
    /// What is declared of jobs as a whole; `None` declares none.
    pub declared: Option<DeclaredJobs>,
    /// Which jobs are alloc sets; `None`: none.
    pub alloc_sets: Option<AllocSetMix>,
}

/// Alloc sets in a generated workload. Published of Borg (EuroSys'20): alloc sets have 20 % of the
/// cpu and 18 % of the memory that is allocated, and 95 % of the tasks in them are production.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AllocSetMix {
    /// Share of the jobs of the production and monitoring tiers that are alloc sets.
    pub share: f64,
    /// Pods inside of each instance, each of a job of its own.
    pub pods: u32,
}

/// What a generated workload declares of its jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DeclaredJobs {
    /// Number of tenants: each job is in the queue of one of them, `tenant-0`, `tenant-1`, …, drawn
    /// alike. 0: no queues.
    pub tenants: u32,
    /// Share of jobs whose tasks have to be started together.
    pub gangs: f64,
}

/// Why a synthetic workload cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GeneratorError {
    /// The cell has no cpu.
    #[error("the cell has no cpu: at least one pool needs nodes with cpu")]
    EmptyCell,
    /// There is nothing to generate.
    #[error("there is no tier with a weight above 0")]
    NoTier,
    /// A number is not in its range.
    #[error("{what} is {value}, not in {low}..={high}")]
    OutOfRange {
        /// Which number.
        what: &'static str,
        /// What it is.
        value: f64,
        /// Least value.
        low: f64,
        /// Largest value.
        high: f64,
    },
    /// A distribution whose expectation cannot be worked out.
    #[error("{what} of tier {tier} needs a distribution with a quantile function")]
    NoQuantile {
        /// Which distribution.
        what: &'static str,
        /// Of which tier.
        tier: &'static str,
    },
    /// A distribution whose mean is zero or beyond all bounds.
    #[error("{what} of tier {tier} has the mean {mean}")]
    BadMean {
        /// Which distribution.
        what: &'static str,
        /// Of which tier.
        tier: &'static str,
        /// Its mean.
        mean: f64,
    },
}

impl GeneratorConfig {
    /// Checks all numbers.
    ///
    /// # Errors
    /// The first that is out of its range.
    pub fn check(&self) -> Result<(), GeneratorError> {
        if self.cell_cpu() <= 0 {
            return Err(GeneratorError::EmptyCell);
        }
        in_range("the allocation", self.allocation, 1e-9, 1e3)?;
        in_range("the largest job", self.largest_job, 1e-9, 1e9)?;
        in_range("the amplitude of the day", self.diurnal.amplitude, 0.0, 1.0)?;
        if let Some(AllocSetMix { share, pods }) = self.alloc_sets {
            in_range("the share of alloc sets", share, 0.0, 1.0)?;
            in_range("the number of pods in an alloc", f64::from(pods), 1.0, 1e3)?;
        }
        in_range("the length of the day", self.diurnal.period.as_secs_f64(), 1.0, 1e9)?;
        for tier in &self.tiers {
            in_range("the weight of a tier", tier.weight, 0.0, 1e9)?;
            in_range("the share of killed tasks", tier.killed, 0.0, 1.0)?;
            in_range("the share of failing tasks", tier.failing, 0.0, 1.0)?;
            in_range("the share of ended tasks", tier.killed + tier.failing, 0.0, 1.0)?;
            in_range("the share of spread jobs", tier.spread, 0.0, 1.0)?;
        }
        if self.tiers.iter().all(|tier| tier.weight == 0.0) {
            return Err(GeneratorError::NoTier);
        }
        Ok(())
    }

    /// Cpu of the whole cell.
    pub fn cell_cpu(&self) -> i64 {
        let cpu = |pool: &Pool| pool.spec.allocatable[crate::cluster::Dimension::CPU];
        self.pools.iter().map(|pool| pool.count as i64 * cpu(pool)).sum()
    }
}

fn in_range(what: &'static str, value: f64, low: f64, high: f64) -> Result<(), GeneratorError> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(GeneratorError::OutOfRange { what, value, low, high })
    }
}
