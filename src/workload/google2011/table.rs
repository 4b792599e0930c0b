//! One table of the trace, row after row: order of time, broken rows, counts.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::input::{LineReader, ReadProgress};
use super::super::row::{Fault, FieldError};
use super::super::source::{SourceError, SourceStatistics};
use super::rows::TableRow;

/// The sound rows of a table, in order of time, with one row of look-ahead.
pub struct Table<R> {
    lines: LineReader,
    strict: bool,
    next: Option<R>,
    last_time: u64,
    rows: u64,
    skipped: BTreeMap<&'static str, u64>,
}

impl<R: TableRow> Table<R> {
    /// Opens the table and reads its first row.
    pub fn open(path: &Path, strict: bool, progress: &ReadProgress) -> Result<Self, SourceError> {
        let mut table = Self {
            lines: LineReader::open(path, progress)?,
            strict,
            next: None,
            last_time: 0,
            rows: 0,
            skipped: BTreeMap::new(),
        };
        table.advance()?;
        Ok(table)
    }

    /// The time of the next row.
    pub fn next_time(&self) -> Option<u64> {
        self.next.as_ref().map(R::time)
    }

    /// Takes the next row.
    pub fn take(&mut self) -> Result<Option<R>, SourceError> {
        let row = self.next.take();
        if row.is_some() {
            self.advance()?;
        }
        Ok(row)
    }

    /// Reads on to the next sound row.
    fn advance(&mut self) -> Result<(), SourceError> {
        while let Some(line) = self.lines.next_line()? {
            self.rows += 1;
            let parsed = R::parse(line).and_then(|row| {
                let backwards = row.time() < self.last_time;
                if backwards { Err(Fault::TimeBackwards.at(0)) } else { Ok(row) }
            });
            match parsed {
                Ok(row) => {
                    self.last_time = row.time();
                    self.next = Some(row);
                    return Ok(());
                }
                Err(error) if self.strict => {
                    let index = error.index().unwrap_or(usize::MAX);
                    let found = line.split(|byte| *byte == b',').nth(index).unwrap_or_default();
                    let found = found.to_vec();
                    let name = R::COLUMNS.get(index).unwrap_or(&"row");
                    return Err(error.at_place(self.lines.place(), name, &found));
                }
                Err(FieldError { fault, .. }) => {
                    *self.skipped.entry(fault.reason()).or_default() += 1;
                }
            }
        }
        Ok(())
    }

    /// Adds the rows read and skipped to `statistics`.
    pub fn add_to(&self, statistics: &mut SourceStatistics) {
        statistics.rows += self.rows;
        for (reason, count) in &self.skipped {
            *statistics.skipped.entry(format!("{}: {reason}", R::TABLE)).or_default() += count;
        }
    }
}
