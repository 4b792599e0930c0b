//! `cellsim run`: one scenario, under one seed or many.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::args::RunArguments;
use super::failure::Failure;
use super::output::{check_writable, print, print_json, width};
use super::progress::ProgressDisplay;
use crate::cluster::{Cluster, Fact};
use crate::engine::SimTime;
use crate::experiment::{RunStarted, Watcher, run_seeds};
use crate::metrics::{EventLog, Observer, RunResult};
use crate::report;
use crate::scenario::{Plan, Registry, load};
use crate::simulation::{Progress, Simulation};

/// Runs the scenario, writes the report, prints the summary.
///
/// # Errors
/// Bad input, an output that cannot be written, or a goal that was missed.
pub fn run(arguments: &RunArguments, registry: &Registry) -> Result<(), Failure> {
    let loaded = load(&arguments.scenario, &arguments.overrides)?;
    let plan = Plan::new(&loaded, registry)?;
    let seed = arguments.seed.unwrap_or(plan.seed);
    let seeds = arguments.seeds.unwrap_or(plan.seeds);
    if arguments.events.is_some() && seeds > 1 {
        return Err(Failure::input("error: --events is for one run, not for several seeds"));
    }
    let folder = report_folder(arguments, &plan, seed);
    if let Some(folder) = &folder {
        report::check(folder)?;
        check_writable(folder)?;
    }
    let events = arguments.events.as_deref().map(EventFile::create).transpose()?;
    let display = ProgressDisplay::new(seeds, arguments.quiet);
    let watcher = RunWatcher { display, events };
    let results =
        in_pool(arguments.threads, || run_seeds(&plan, seed, seeds, arguments.check, &watcher))?;
    watcher.display.clear();
    let results = results?;
    if let Some(events) = watcher.events {
        events.finish()?;
    }
    write_report(&results, folder.as_deref())?;
    print_results(&results, arguments, folder.as_deref())?;
    if arguments.fail_on_slo { check_objectives(&results) } else { Ok(()) }
}

fn report_folder(arguments: &RunArguments, plan: &Plan, seed: u64) -> Option<PathBuf> {
    if arguments.no_report {
        return None;
    }
    let default = || PathBuf::from("reports").join(format!("{}-{seed}", plan.name));
    Some(arguments.output.clone().unwrap_or_else(default))
}

/// Calls `work` on a pool of `threads` threads.
fn in_pool<R: Send>(threads: Option<u16>, work: impl FnOnce() -> R + Send) -> Result<R, Failure> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.map_or(0, usize::from)).build();
    let pool = pool.map_err(|error| Failure::input(format!("error: {error}")))?;
    Ok(pool.install(work))
}

fn write_report(results: &[RunResult], folder: Option<&Path>) -> Result<(), Failure> {
    let Some(folder) = folder else { return Ok(()) };
    match results {
        [only] => report::write(only, folder)?,
        several => report::multi::write(several, folder)?,
    }
    Ok(())
}

fn print_results(
    results: &[RunResult],
    arguments: &RunArguments,
    folder: Option<&Path>,
) -> Result<(), Failure> {
    match results {
        [only] if arguments.json => return print_json(only),
        several if arguments.json => return print_json(&several),
        [only] => print(&report::text(only, width()))?,
        several => print(&report::multi::text(several, width())?)?,
    }
    match folder {
        Some(folder) if !arguments.quiet => {
            print(&format!("\nreport: {}\n", folder.join("report.html").display()))
        }
        Some(_) | None => Ok(()),
    }
}

fn check_objectives(results: &[RunResult]) -> Result<(), Failure> {
    let mut missed = Vec::new();
    for result in results {
        for workload in &result.workloads {
            if let (Some(objective), Some(availability)) =
                (workload.objective, workload.service_availability)
                && availability < objective
            {
                missed.push(format!(
                    "{} was available for {:.4} % of the time, not {} % (seed {})",
                    workload.name,
                    availability * 100.0,
                    objective * 100.0,
                    result.scenario.seed
                ));
            }
        }
    }
    if missed.is_empty() { Ok(()) } else { Err(Failure::Goal(missed.join("\n        "))) }
}

/// Shows progress, and hangs the event log on the run.
struct RunWatcher {
    display: ProgressDisplay,
    events: Option<EventFile>,
}

impl Watcher for RunWatcher {
    fn started(&self, run: &RunStarted<'_>, simulation: &mut Simulation) {
        self.display.started(run.index, run.reading.cloned());
        if let Some(events) = &self.events {
            simulation.observe(Box::new(SharedLog(Arc::clone(&events.log))));
        }
    }

    fn progress(&self, index: usize, progress: Progress) {
        self.display.progress(index, progress);
    }

    fn finished(&self, index: usize) {
        self.display.finished(index);
    }
}

type Log = EventLog<BufWriter<File>>;

/// A file of facts that takes its name once it is whole.
struct EventFile {
    path: PathBuf,
    file: tempfile::NamedTempFile,
    log: Arc<Mutex<Option<Log>>>,
}

impl EventFile {
    fn create(path: &Path) -> Result<Self, Failure> {
        let failed = |reason: String| {
            Failure::input(format!("error: cannot write {}: {reason}", path.display()))
        };
        if path.is_dir() {
            return Err(failed("it is a folder".to_owned()));
        }
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            Some(_) | None => Path::new("."),
        };
        let file = tempfile::Builder::new().prefix(".cellsim-events-").tempfile_in(folder);
        let file = file.map_err(|error| failed(error.to_string()))?;
        let writer =
            file.reopen().map(BufWriter::new).map_err(|error| failed(error.to_string()))?;
        let log = EventLog::new(writer).map_err(|error| failed(error.to_string()))?;
        Ok(Self { path: path.to_path_buf(), file, log: Arc::new(Mutex::new(Some(log))) })
    }

    fn finish(self) -> Result<(), Failure> {
        let failed = |reason: String| {
            Failure::input(format!("error: cannot write {}: {reason}", self.path.display()))
        };
        let log = self.log.lock().expect("the run is over").take().expect("finished once");
        let writer = log.finish().map_err(|error| failed(error.to_string()))?;
        writer.into_inner().map_err(|error| failed(error.to_string()))?;
        self.file.persist(&self.path).map_err(|error| failed(error.to_string()))?;
        Ok(())
    }
}

/// The log as an observer; the run owns its observers, but the log has to be finished after it.
struct SharedLog(Arc<Mutex<Option<Log>>>);

impl Observer for SharedLog {
    fn observe(&mut self, now: SimTime, fact: &Fact, cluster: &Cluster) {
        if let Some(log) = self.0.lock().expect("only one run writes").as_mut() {
            log.observe(now, fact, cluster);
        }
    }
}
