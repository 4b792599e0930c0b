//! Reader of the Google 2011 cluster trace (format v2.1): `task_events` and `machine_events`,
//! with `task_constraints` and `machine_attributes` where they are present, merged in order of
//! time (machines first at equal times).
//!
//! Trace time is kept as it is: 0 stands for everything before the window, whose own events begin
//! at 600 s. What is replayed and what is not is told in `tasks`.

mod constraints;
mod lookahead;
mod machines;
mod notes;
mod rows;
mod table;
mod tasks;
mod templates;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use super::input::{ReadProgress, file_error, is_data_file};
use super::record::{Change, PodRecord, Record, Source, TemplateIndex, WorkloadKey};
use super::source::{SourceError, SourceStatistics};
use crate::cluster::{Dimension, GpuRequest, Resources};
use crate::engine::SimDuration;
use constraints::Constraints;
use lookahead::{LookAhead, Released, Request, Slot};
use machines::Machines;
use notes::{Note, Notes};
use rows::TaskEvent;
use table::Table;
use tasks::{Sink, Tasks, job_of};

pub use tasks::pod_key;
pub use templates::tier_of_priority;

/// Decimals of a normalised amount that are kept; the trace has no more above 0.0001.
const DECIMALS: i32 = 7;
/// What 1.0 of any resource (that of the largest machine) becomes.
pub const UNITS_OF_THE_LARGEST_MACHINE: i64 = 10_000_000;
/// Pod slots of every machine: the trace knows no such limit.
pub const UNLIMITED_PODS: i64 = 1_000_000;
/// Storage of every machine where requests for disk are read: the trace does not tell it.
pub const UNLIMITED_STORAGE: i64 = UNITS_OF_THE_LARGEST_MACHINE * 1_000_000;
/// The time of events after the window.
pub const AFTER_THE_WINDOW: u64 = i64::MAX as u64;
/// How far ahead of what it hands over the reader looks, unless told otherwise.
pub const DEFAULT_HORIZON: SimDuration = SimDuration::from_secs(12 * 3600);

/// What to read, and how. Each path is a file or a folder of parts.
#[derive(Clone, Debug)]
pub struct Google2011Config {
    /// Table `task_events`.
    pub task_events: Option<PathBuf>,
    /// Table `machine_events`.
    pub machine_events: Option<PathBuf>,
    /// Table `task_constraints`.
    pub task_constraints: Option<PathBuf>,
    /// Table `machine_attributes`.
    pub machine_attributes: Option<PathBuf>,
    /// Stop at the first broken row instead of counting and skipping it.
    pub strict: bool,
    /// Read requests for disk space into [`Dimension::STORAGE`]; machines then have
    /// [`UNLIMITED_STORAGE`] of it.
    pub disk: bool,
    /// How long, in trace time, a pod is held back until its end has been read. Memory grows with
    /// it; pods that run longer go out with their work unknown and are told it later.
    pub horizon: SimDuration,
}

impl Google2011Config {
    /// Reads the two tables that every replay needs, leniently, with defaults.
    pub fn new(task_events: impl Into<PathBuf>, machine_events: impl Into<PathBuf>) -> Self {
        Self {
            task_events: Some(task_events.into()),
            machine_events: Some(machine_events.into()),
            task_constraints: None,
            machine_attributes: None,
            strict: false,
            disk: false,
            horizon: DEFAULT_HORIZON,
        }
    }

    /// Finds the tables in `folder`: each is a sub-folder of that name, or the one data file whose
    /// name begins with it.
    ///
    /// # Errors
    /// A folder that cannot be listed, neither tasks nor machines in it, several files for one
    /// table.
    pub fn in_folder(folder: &Path) -> Result<Self, SourceError> {
        let config = Self {
            task_events: find_table(folder, "task_events")?,
            machine_events: find_table(folder, "machine_events")?,
            task_constraints: find_table(folder, "task_constraints")?,
            machine_attributes: find_table(folder, "machine_attributes")?,
            ..Self::new("", "")
        };
        if config.task_events.is_none() && config.machine_events.is_none() {
            let message = "neither task_events nor machine_events in this folder".into();
            return Err(SourceError::File { file: folder.display().to_string(), message });
        }
        Ok(config)
    }
}

/// The sub-folder or file of a table.
fn find_table(folder: &Path, table: &str) -> Result<Option<PathBuf>, SourceError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| file_error(folder, &error))? {
        let path = entry.map_err(|error| file_error(folder, &error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && name == table {
            return Ok(Some(path));
        }
        if name.starts_with(table) && is_data_file(&path) && path.is_file() {
            found.push(path);
        }
    }
    if found.len() > 1 {
        let message = format!("several files of {table} here: name one, or put them in a folder");
        return Err(SourceError::File { file: folder.display().to_string(), message });
    }
    Ok(found.pop())
}

/// The trace as a source.
pub struct Google2011 {
    tasks_table: Option<Table<TaskEvent>>,
    constraints: Option<Constraints>,
    machines: Machines,
    tasks: Tasks,
    window: LookAhead,
    notes: Notes,
    disk: bool,
    done: bool,
    progress: ReadProgress,
}

impl Google2011 {
    /// Opens the tables.
    ///
    /// # Errors
    /// A file that is missing, empty or cannot be unpacked; where the reader is strict, a broken
    /// first row.
    pub fn open(config: &Google2011Config) -> Result<Self, SourceError> {
        let progress = ReadProgress::default();
        let strict = config.strict;
        let machines = Machines::open(
            config.machine_events.as_deref(),
            config.machine_attributes.as_deref(),
            (strict, config.disk),
            &progress,
        )?;
        let open_tasks = |path: &PathBuf| Table::open(path, strict, &progress);
        let open_constraints = |path: &PathBuf| Constraints::open(path, strict, &progress);
        Ok(Self {
            tasks_table: config.task_events.as_ref().map(open_tasks).transpose()?,
            constraints: config.task_constraints.as_ref().map(open_constraints).transpose()?,
            machines,
            tasks: Tasks::default(),
            window: LookAhead::new(config.horizon),
            notes: Notes::default(),
            disk: config.disk,
            done: false,
            progress,
        })
    }

    /// How much of the files has been read.
    pub fn progress(&self) -> ReadProgress {
        self.progress.clone()
    }

    /// Takes in the next instant of the machines or the next row of the tasks.
    fn read_more(&mut self) -> Result<(), SourceError> {
        let mut sink = Sink { window: &mut self.window, notes: &mut self.notes };
        let machine_time = self.machines.next_time();
        let task_time = self.tasks_table.as_ref().and_then(Table::next_time);
        match (machine_time, task_time) {
            (None, None) => {
                self.done = true;
                self.tasks.close(&mut sink);
                if let Some(constraints) = &mut self.constraints {
                    constraints.close(&mut self.notes)?;
                }
            }
            (Some(time), task) if task.is_none_or(|task| time <= task) => {
                self.machines.apply(time, &mut sink)?;
            }
            (_, Some(_)) => return self.read_task(),
            (Some(_), None) => unreachable!("the arm above takes every machine without a task"),
        }
        Ok(())
    }

    fn read_task(&mut self) -> Result<(), SourceError> {
        let table = self.tasks_table.as_mut().expect("its next time is known");
        let Some(event) = table.take()? else { return Ok(()) };
        if event.time == AFTER_THE_WINDOW {
            self.notes.add(Note::AfterTheWindow);
            return Ok(());
        }
        let constraints = match &mut self.constraints {
            Some(constraints) => constraints.of(&event, &mut self.notes)?,
            None => Vec::new(),
        };
        let mut sink = Sink { window: &mut self.window, notes: &mut self.notes };
        sink.window.read_up_to(crate::engine::SimTime(event.time));
        self.tasks.apply(&event, constraints, &mut sink);
        Ok(())
    }

    /// What a slot that leaves the window tells the world.
    fn change_of(&self, slot: Slot) -> Option<Change> {
        Some(match slot {
            Slot::Cancelled | Slot::Evict(_) => return None,
            Slot::Ready(change) => *change,
            Slot::Kill(key) => Change::Kill { key },
            Slot::Resize(key, request, template) => Change::Resize {
                key,
                template: TemplateIndex(template),
                requests: self.requests(request),
            },
            Slot::Submit(key, submission) => Change::Submit(PodRecord {
                key,
                // Any task may be submitted again, even after FINISH.
                tracked: true,
                workload: WorkloadKey(job_of(key)),
                alone: false,
                template: TemplateIndex(submission.template),
                requests: self.requests(submission.request),
                gpu: GpuRequest::default(),
                work: submission.work.expect("the window settles it when the slot leaves"),
                usage_permille: None,
                alloc_index: None,
            }),
        })
    }

    fn requests(&self, request: Request) -> Resources {
        let mut requests = Resources::pod(i64::from(request.cpu), i64::from(request.memory));
        if self.disk {
            requests[Dimension::STORAGE] = i64::from(request.disk);
        }
        requests
    }
}

impl Source for Google2011 {
    fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
        loop {
            match self.window.release() {
                Some(Released::Work(record)) => return Ok(Some(record)),
                Some(Released::EvictedForGood(key)) => {
                    let mut sink = Sink { window: &mut self.window, notes: &mut self.notes };
                    self.tasks.give_up(key, &mut sink);
                }
                Some(Released::Slot(time, slot)) => {
                    if let Slot::Submit(_, submission) = &slot
                        && submission.work == Some(super::record::Work::Unknown)
                    {
                        self.notes.add(Note::WorkUnknownAtFirst);
                    }
                    if let Some(change) = self.change_of(slot) {
                        return Ok(Some(Record { time, change }));
                    }
                }
                None if self.done => return Ok(None),
                None => self.read_more()?,
            }
        }
    }

    fn statistics(&self) -> SourceStatistics {
        let mut statistics = SourceStatistics::default();
        self.machines.add_to(&mut statistics);
        if let Some(table) = &self.tasks_table {
            table.add_to(&mut statistics);
        }
        if let Some(constraints) = &self.constraints {
            constraints.add_to(&mut statistics);
        }
        self.notes.add_to(&mut statistics);
        statistics
    }
}
