//! A CSV file with a header, read row by row into one reused record: for formats whose fields may
//! be quoted and whose columns are found by name.
//!
//! It knows columns and counts; what a column means stays in the readers.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::input::{ReadProgress, data_files, file_error, open};
use super::row::{Fault, FieldError};
use super::source::{SourceError, SourceStatistics};

/// The rows of one file.
pub struct CsvTable {
    reader: Reader<Box<dyn Read + Send>>,
    record: ByteRecord,
    header: Vec<String>,
    path: PathBuf,
    table: &'static str,
    strict: bool,
    rows: u64,
    skipped: BTreeMap<&'static str, u64>,
}

impl CsvTable {
    /// Opens a file, called `table` in statistics, and reads its header.
    ///
    /// # Errors
    /// A file that cannot be opened, or that is empty.
    pub fn open(
        path: &Path,
        table: &'static str,
        strict: bool,
        progress: &ReadProgress,
    ) -> Result<Self, SourceError> {
        let input = open(path, progress)?;
        data_files(path, progress)?;
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(input);
        let header = reader.byte_headers().map_err(|error| csv_error(path, error))?;
        let header: Vec<_> =
            header.iter().map(|name| String::from_utf8_lossy(name.trim_ascii()).into()).collect();
        if header.is_empty() {
            let message = "holds no header: the file is empty".into();
            return Err(SourceError::File { file: path.display().to_string(), message });
        }
        Ok(Self {
            reader,
            record: ByteRecord::new(),
            header,
            path: path.into(),
            table,
            strict,
            rows: 0,
            skipped: BTreeMap::new(),
        })
    }

    /// The names of the columns.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Where the column `name` is.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|known| known == name)
    }

    /// Where the column `name` is, which has to be there.
    ///
    /// # Errors
    /// It is not.
    pub fn require(&self, name: &str) -> Result<usize, SourceError> {
        self.column(name).ok_or_else(|| self.header_error(&format!("column {name:?} is missing")))
    }

    /// An error about the header line.
    pub fn header_error(&self, message: &str) -> SourceError {
        let file = self.path.display().to_string();
        SourceError::Row { file, line: 1, column: 0, message: message.into() }
    }

    /// The next row that `parse` accepts; a strict table stops at one that it does not.
    ///
    /// # Errors
    /// A file that cannot be read; a broken row, where strict.
    pub fn next<T>(
        &mut self,
        mut parse: impl FnMut(&ByteRecord) -> Result<T, FieldError>,
    ) -> Result<Option<T>, SourceError> {
        loop {
            let more = self.reader.read_byte_record(&mut self.record);
            if !more.map_err(|error| csv_error(&self.path, error))? {
                return Ok(None);
            }
            self.rows += 1;
            let parsed = match self.record.len() {
                found if found != self.header.len() => {
                    let fault = Fault::Columns { expected: self.header.len(), found };
                    Err(FieldError { column: 0, fault })
                }
                _ => parse(&self.record),
            };
            match parsed {
                Ok(row) => return Ok(Some(row)),
                Err(error) if self.strict => return Err(self.row_error(error)),
                Err(FieldError { fault, .. }) => {
                    *self.skipped.entry(fault.reason()).or_default() += 1;
                }
            }
        }
    }

    fn row_error(&self, error: FieldError) -> SourceError {
        let line = self.record.position().map_or(0, csv::Position::line);
        let index = error.index().unwrap_or(usize::MAX);
        let name = self.header.get(index).map_or("row", String::as_str);
        let found = self.record.get(index).unwrap_or_default();
        error.at_place((self.path.display().to_string(), line), name, found)
    }

    /// Adds the rows read and skipped to `statistics`.
    pub fn add_to(&self, statistics: &mut SourceStatistics) {
        statistics.rows += self.rows;
        for (reason, count) in &self.skipped {
            *statistics.skipped.entry(format!("{}: {reason}", self.table)).or_default() += count;
        }
    }
}

/// What the csv reader says, with the name of the file.
pub(super) fn csv_error(path: &Path, error: csv::Error) -> SourceError {
    let text = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(error) => file_error(path, &error),
        _ => SourceError::File { file: path.display().to_string(), message: text },
    }
}
