//! The rows of `task_constraints`, handed to the task events that they belong to.
//!
//! Holds the rows of one instant only.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::super::input::ReadProgress;
use super::super::source::{SourceError, SourceStatistics};
use super::notes::{Note, Notes};
use super::rows::{TaskConstraint, TaskEvent, TaskEventKind};
use super::table::Table;
use crate::cluster::AttributeConstraint;

/// The constraints of the current instant.
pub struct Constraints {
    table: Table<TaskConstraint>,
    time: u64,
    waiting: FxHashMap<(u64, u32), Vec<AttributeConstraint>>,
    waiting_rows: u64,
}

impl Constraints {
    /// Opens the table.
    pub fn open(path: &Path, strict: bool, progress: &ReadProgress) -> Result<Self, SourceError> {
        let table = Table::open(path, strict, progress)?;
        Ok(Self { table, time: 0, waiting: FxHashMap::default(), waiting_rows: 0 })
    }

    /// The constraints of a task event, sorted: those of the same time, job and index.
    pub fn of(
        &mut self,
        event: &TaskEvent,
        notes: &mut Notes,
    ) -> Result<Vec<AttributeConstraint>, SourceError> {
        if event.time > self.time {
            self.forget(notes);
            self.time = event.time;
        }
        while self.table.next_time().is_some_and(|time| time <= self.time) {
            let row = self.table.take()?.expect("a row with a time is there");
            if row.time < self.time {
                notes.add(Note::ConstraintWithoutEvent);
                continue;
            }
            let constraint =
                AttributeConstraint { name: row.name, operator: row.operator, value: row.value };
            self.waiting.entry((row.job, row.index)).or_default().push(constraint);
            self.waiting_rows += 1;
        }
        match event.kind {
            TaskEventKind::Submit | TaskEventKind::UpdatePending | TaskEventKind::UpdateRunning => {
            }
            TaskEventKind::Schedule
            | TaskEventKind::Evict
            | TaskEventKind::Fail
            | TaskEventKind::Finish
            | TaskEventKind::Kill
            | TaskEventKind::Lost => return Ok(Vec::new()),
        }
        let mut found = self.waiting.remove(&(event.job, event.index)).unwrap_or_default();
        self.waiting_rows -= found.len() as u64;
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// Counts what no task event asked for.
    fn forget(&mut self, notes: &mut Notes) {
        notes.add_many(Note::ConstraintWithoutEvent, self.waiting_rows);
        self.waiting.clear();
        self.waiting_rows = 0;
    }

    /// Counts what is left where the data end.
    pub fn close(&mut self, notes: &mut Notes) -> Result<(), SourceError> {
        self.forget(notes);
        while self.table.take()?.is_some() {
            notes.add(Note::ConstraintWithoutEvent);
        }
        Ok(())
    }

    /// Adds what was read to `statistics`.
    pub fn add_to(&self, statistics: &mut SourceStatistics) {
        self.table.add_to(statistics);
    }
}
