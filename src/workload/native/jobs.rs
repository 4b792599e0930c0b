//! What `pods.csv` says of jobs as a whole: gangs, queues, estimates, and what waits for what.
//!
//! A trace with a column `after` is read twice: a circle has to be found before anything runs, and
//! the end of a job is known only from the number of its pods.

use std::path::Path;
use std::sync::Arc;

use csv::ByteRecord;
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::csv_table::CsvTable;
use super::super::dag::{describe_cycle, find_cycle};
use super::super::input::ReadProgress;
use super::super::row::{Fault, FieldError, at_most, unsigned};
use super::super::source::SourceError;
use super::columns::{Column, flag, text};
use crate::cluster::{JobAlloc, JobSpec};
use crate::engine::SimDuration;

/// The columns that describe a job.
#[derive(Clone, Copy)]
pub struct JobColumns {
    pods: Column,
    gang: Column,
    queue: Column,
    estimate: Column,
    after: Column,
    delay: Column,
    followed: Column,
    alloc_set: Column,
    in_alloc_set: Column,
}

impl JobColumns {
    pub fn find(table: &CsvTable) -> Self {
        let column = |name| Column::optional(table, name);
        Self {
            pods: column("job_pods"),
            gang: column("gang"),
            queue: column("queue"),
            estimate: column("estimate_us"),
            after: column("after"),
            delay: column("delay_us"),
            followed: column("followed"),
            alloc_set: column("alloc_set"),
            in_alloc_set: column("in_alloc_set"),
        }
    }

    /// True if the row says anything of its job.
    pub fn any(&self, row: &ByteRecord) -> bool {
        let all = [self.pods, self.gang, self.queue, self.estimate, self.after, self.delay];
        let more = [&self.followed, &self.alloc_set, &self.in_alloc_set];
        all.iter().chain(more).any(|column| !column.field(row).is_empty())
    }

    pub fn parse(&self, row: &ByteRecord) -> Result<JobSpec, FieldError> {
        let count = |field: &[u8]| at_most(field, u64::from(u32::MAX)).map(|count| count as u32);
        let estimate = |field: &[u8]| unsigned(field).map(|us| Some(SimDuration(us)));
        Ok(JobSpec {
            pods: self.pods.parse_or(row, 0, count)?,
            gang: self.gang.parse_or(row, 0, count)?,
            queue: Arc::from(self.queue.parse(row, text)?),
            estimate: self.estimate.parse_or(row, None, estimate)?,
            after: self.after.parse(row, keys)?,
            delay: SimDuration(self.delay.parse_or(row, 0, unsigned)?),
            followed: self.followed.parse_or(row, false, flag)?,
            alloc: self.alloc(row)?,
        })
    }
}

impl JobColumns {
    fn alloc(&self, row: &ByteRecord) -> Result<JobAlloc, FieldError> {
        let is_set = self.alloc_set.parse_or(row, false, flag)?;
        match self.in_alloc_set.field(row) {
            b"" => Ok(if is_set { JobAlloc::Set } else { JobAlloc::None }),
            // Allocs do not nest.
            _ if is_set => self.in_alloc_set.parse(row, |_| Err(Fault::NestedAllocs)),
            _ => self.in_alloc_set.parse(row, unsigned).map(JobAlloc::Inside),
        }
    }
}

/// Keys that are parted by blanks or semicolons.
fn keys(field: &[u8]) -> Result<Vec<u64>, Fault> {
    let parts = field.split(|byte| matches!(byte, b' ' | b';'));
    parts.filter(|part| !part.is_empty()).map(unsigned).collect()
}

/// What has to be known of all jobs before the first row is used.
#[derive(Default)]
pub struct JobIndex {
    /// Pods by job; empty for a trace in which nothing waits for anything.
    pods: FxHashMap<u64, u32>,
    followed: FxHashSet<u64>,
    /// Jobs of which a row has told already.
    declared: FxHashSet<u64>,
}

impl JobIndex {
    /// Reads the pods of `path` for what waits for what, if they tell.
    ///
    /// # Errors
    /// A file that cannot be read; jobs that wait for each other in a circle.
    pub fn read(path: &Path) -> Result<Self, SourceError> {
        let mut table = CsvTable::open(path, "pods", false, &ReadProgress::default())?;
        let mut index = Self::default();
        if table.column("after").is_none() {
            return Ok(index);
        }
        let columns = JobColumns::find(&table);
        let pod = Column::optional(&table, "pod");
        let (event, workload) =
            (Column::optional(&table, "event"), Column::optional(&table, "workload"));
        let mut waits = Vec::new();
        let mut explicit = false;
        let read = |row: &ByteRecord| -> Result<_, FieldError> {
            let is_job = event.field(row) == b"job";
            let submits = matches!(event.field(row), b"" | b"submit");
            let key = if is_job { 0 } else { pod.parse(row, unsigned)? };
            let job = workload.parse_or(row, key, unsigned)?;
            Ok((job, submits, is_job, columns.after.parse(row, keys)?))
        };
        while let Some((job, submits, is_job, after)) = table.next(read)? {
            explicit |= is_job;
            if submits {
                *index.pods.entry(job).or_default() += 1;
            }
            index.followed.extend(&after);
            waits.extend(after.into_iter().map(|before| (job, before)));
        }
        match find_cycle(waits) {
            // Rows of jobs say themselves all that there is to say.
            None if explicit => Ok(Self::default()),
            None => Ok(index),
            Some(cycle) => Err(SourceError::File {
                file: path.display().to_string(),
                message: format!(
                    "jobs wait for each other in a circle: {}",
                    describe_cycle(&cycle)
                ),
            }),
        }
    }

    /// Notes that the job has been declared; false if it had been before.
    pub fn declare(&mut self, job: u64) -> bool {
        self.declared.insert(job)
    }

    /// What the first pod of a job says of it, completed by what the other rows say.
    pub fn complete(&self, job: u64, mut spec: JobSpec) -> JobSpec {
        if spec.pods == 0 {
            spec.pods = self.pods.get(&job).copied().unwrap_or_default();
        }
        spec.followed |= self.followed.contains(&job);
        spec
    }

    /// True if another job waits for `job`.
    pub fn is_followed(&self, job: u64) -> bool {
        self.followed.contains(&job)
    }
}
