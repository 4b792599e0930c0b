//! Runs of one plan under several seeds.

use rayon::prelude::*;

use crate::metrics::RunResult;
use crate::scenario::{Plan, PreparedRun};
use crate::simulation::{Progress, Simulation, SimulationError};
use crate::workload::ReadProgress;

/// One run that has just begun.
pub struct RunStarted<'a> {
    /// Its position among the runs.
    pub index: usize,
    /// How much of a trace's files it has read.
    pub reading: Option<&'a ReadProgress>,
}

/// Told what goes on; from several threads at once.
pub trait Watcher: Sync {
    /// A run begins; observers may be added to it.
    fn started(&self, run: &RunStarted<'_>, simulation: &mut Simulation);
    /// A run has come this far.
    fn progress(&self, index: usize, progress: Progress);
    /// A run is over.
    fn finished(&self, index: usize);
}

/// Runs `plan` under `count` seeds from `first_seed` on. Whatever the number of threads, a run
/// depends on its seed alone, and the results are in the order of the seeds.
///
/// # Errors
/// The first run, in this order, that failed.
pub fn run_seeds(
    plan: &Plan,
    first_seed: u64,
    count: u32,
    check: bool,
    watcher: &dyn Watcher,
) -> Result<Vec<RunResult>, SimulationError> {
    let outcomes: Vec<Result<RunResult, SimulationError>> = (0..count as usize)
        .into_par_iter()
        .map(|index| {
            let seed = first_seed.wrapping_add(index as u64);
            let run = plan.prepare(seed, 0, check)?;
            run_one(index, run, watcher)
        })
        .collect();
    outcomes.into_iter().collect()
}

fn run_one(
    index: usize,
    run: PreparedRun,
    watcher: &dyn Watcher,
) -> Result<RunResult, SimulationError> {
    let PreparedRun { config, reading } = run;
    let mut simulation = Simulation::new(config)?;
    watcher.started(&RunStarted { index, reading: reading.as_ref() }, &mut simulation);
    let result = simulation.run(&|progress| watcher.progress(index, progress))?;
    watcher.finished(index);
    Ok(result)
}
