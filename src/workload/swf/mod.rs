//! Reader of the Standard Workload Format (SWF, version 2.2) of the Parallel Workloads Archive:
//! logs of parallel machines, one job to a line.
//!
//! The format: Chapin et al., *Benchmarks and Standards for the Evaluation of Parallel Job
//! Schedulers*, JSSPP 1999, and the archive's own page on it. A log is read whole: jobs name
//! earlier jobs that they wait for, and some logs are not in order of time. What is kept of a job
//! is a fraction of its line.
//!
//! Replayed is what the users did: when jobs came, how many processors they asked for, how long
//! they ran and how long their users thought they would. Start times are the old scheduler's.

mod header;
mod line;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::bands::usual_priority;
use super::input::{LineReader, ReadProgress};
use super::record::{
    Change, NodeKey, Outcome, PodKey, PodRecord, Record, Source, TemplateIndex, Work, WorkloadKey,
};
use super::source::{SourceError, SourceStatistics};
use crate::cluster::{
    Dimension, GpuRequest, JobAlloc, JobSpec, NodeSpec, PodTemplate, Resources, Tier,
};
use crate::engine::{SimDuration, SimTime};
pub use header::Header;
use line::{COLUMNS, Line, Status, parse};

/// What a processor is in the units of the simulator: one core.
const MILLI_PER_PROCESSOR: i64 = 1000;

/// Which field of a job says whose queue it is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tenant {
    /// The user (field 12).
    #[default]
    User,
    /// The group (field 13).
    Group,
    /// The queue (field 15).
    Queue,
}

/// What to read, and how.
#[derive(Clone, Debug)]
pub struct SwfConfig {
    /// The log.
    pub log: PathBuf,
    /// Stop at the first broken line instead of counting and skipping it.
    pub strict: bool,
    /// Bring the nodes that the header tells of (`MaxNodes`, `MaxProcs`).
    pub nodes: bool,
    /// Processors to a pod: a job of `n` processors becomes `n / cores_per_pod` pods, rounded up.
    pub cores_per_pod: u32,
    /// All pods of a job have to be bound at once.
    pub gang: bool,
    /// Pods request the memory that their job did (field 10).
    pub memory: bool,
    /// Jobs wait for the job that they follow (fields 17 and 18).
    pub dependencies: bool,
    /// Schedulers are told the true run time in place of the user's estimate.
    pub exact_estimates: bool,
    /// Whose queue a job is in.
    pub tenant: Tenant,
}

impl SwfConfig {
    /// `log` with one pod to a processor, gangs, estimates and dependencies.
    pub fn new(log: impl Into<PathBuf>) -> Self {
        Self {
            log: log.into(),
            strict: false,
            nodes: true,
            cores_per_pod: 1,
            gang: true,
            memory: false,
            dependencies: true,
            exact_estimates: false,
            tenant: Tenant::default(),
        }
    }
}

/// What is kept of a job.
#[derive(Clone, Debug)]
struct Job {
    submit_us: u64,
    run_us: u64,
    estimate_us: Option<u64>,
    think_us: u64,
    memory_bytes: i64,
    number: u64,
    after: Option<u64>,
    tenant: i64,
    processors: u32,
    failed: bool,
    followed: bool,
}

/// A log as a source: its nodes at time zero, then its jobs. Time zero is the first submission.
pub struct Swf {
    config: SwfConfig,
    header: Header,
    jobs: Vec<Job>,
    queues: BTreeMap<i64, Arc<str>>,
    statistics: SourceStatistics,
    progress: ReadProgress,
    nodes_given: u64,
    template_given: bool,
    /// Job at hand, its pods given so far (none before it was declared), and pods of all jobs.
    job: usize,
    pods_given: Option<u32>,
    pods: u64,
}

impl Swf {
    /// Reads a log.
    ///
    /// # Errors
    /// A file that cannot be read; where strict, a broken line; where nodes are wanted, a header
    /// that does not tell of them.
    pub fn open(config: &SwfConfig) -> Result<Self, SourceError> {
        let progress = ReadProgress::default();
        let mut log = Log::default();
        log.read(config, &progress)?;
        log.put_in_order();
        if config.nodes && log.header.processors == 0 {
            let message = "the header tells neither MaxProcs nor MaxNodes, so that the machine is \
                           not known";
            let file = config.log.display().to_string();
            return Err(SourceError::File { file, message: message.into() });
        }
        Ok(Self {
            config: config.clone(),
            queues: log.queues(config.tenant),
            header: log.header,
            jobs: log.jobs,
            statistics: log.statistics,
            progress,
            nodes_given: 0,
            template_given: false,
            job: 0,
            pods_given: None,
            pods: 0,
        })
    }

    /// How much of the file has been read.
    pub fn progress(&self) -> ReadProgress {
        self.progress.clone()
    }

    /// What the header says.
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn next_node(&mut self) -> Option<Change> {
        let nodes = if self.config.nodes { self.header.node_count() } else { 0 };
        if self.nodes_given == nodes {
            return None;
        }
        let number = self.nodes_given;
        self.nodes_given += 1;
        let mut allocatable = Resources::ZERO;
        let processors = self.header.processors_of(number) as i64;
        allocatable[Dimension::CPU] = MILLI_PER_PROCESSOR * processors;
        allocatable[Dimension::PODS] = processors;
        allocatable[Dimension::MEMORY] = self.header.memory_bytes as i64;
        let spec = NodeSpec {
            name: format!("node-{number}"),
            pool: "machine".into(),
            allocatable,
            ..NodeSpec::default()
        };
        Some(Change::NodeAdd { key: NodeKey(number), spec: Arc::new(spec) })
    }

    /// The next thing that happens to the job at hand.
    fn next_of_job(&mut self) -> Option<Record> {
        let job = self.jobs.get(self.job)?;
        let time = SimTime(job.submit_us);
        let count = job.processors.div_ceil(self.config.cores_per_pod);
        let Some(given) = self.pods_given else {
            self.pods_given = Some(0);
            let key = WorkloadKey(job.number);
            let spec = Arc::new(self.spec(job, count));
            return Some(Record { time, change: Change::Job { key, spec } });
        };
        let pod = self.pod(job, given);
        self.pods += 1;
        self.pods_given = Some(given + 1);
        if given + 1 == count {
            self.job += 1;
            self.pods_given = None;
        }
        Some(Record { time, change: Change::Submit(pod) })
    }

    fn spec(&self, job: &Job, pods: u32) -> JobSpec {
        let estimate = if self.config.exact_estimates { None } else { job.estimate_us };
        JobSpec {
            pods,
            gang: if self.config.gang { pods } else { 1 },
            queue: Arc::clone(&self.queues[&job.tenant]),
            estimate: Some(SimDuration(estimate.unwrap_or(job.run_us))),
            after: job.after.into_iter().collect(),
            delay: SimDuration(job.think_us),
            followed: job.followed,
            alloc: JobAlloc::None,
        }
    }

    /// The pod with this number of `job`; the last one may be smaller than the others.
    fn pod(&self, job: &Job, number: u32) -> PodRecord {
        let before = number * self.config.cores_per_pod;
        let processors = i64::from((job.processors - before).min(self.config.cores_per_pod));
        let mut requests = Resources::pod(MILLI_PER_PROCESSOR * processors, 0);
        requests[Dimension::MEMORY] = job.memory_bytes * processors;
        let outcome = if job.failed { Outcome::Fail } else { Outcome::Finish };
        PodRecord {
            key: PodKey(self.pods),
            tracked: false,
            workload: WorkloadKey(job.number),
            alone: false,
            template: TemplateIndex(0),
            requests,
            gpu: GpuRequest::default(),
            work: Work::For { run: SimDuration(job.run_us), outcome },
            usage_permille: None,
            alloc_index: None,
        }
    }
}

impl Source for Swf {
    fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
        if let Some(change) = self.next_node() {
            return Ok(Some(Record { time: SimTime::ZERO, change }));
        }
        if !self.template_given {
            self.template_given = true;
            let tier = Tier::BestEffortBatch;
            let template =
                PodTemplate { priority: usual_priority(tier), tier, ..PodTemplate::default() };
            let change = Change::Template(Arc::new(template));
            return Ok(Some(Record { time: SimTime::ZERO, change }));
        }
        Ok(self.next_of_job())
    }

    fn statistics(&self) -> SourceStatistics {
        self.statistics.clone()
    }
}

/// A log as it is read.
#[derive(Default)]
struct Log {
    header: Header,
    jobs: Vec<Job>,
    statistics: SourceStatistics,
}

impl Log {
    fn read(&mut self, config: &SwfConfig, progress: &ReadProgress) -> Result<(), SourceError> {
        let mut reader = LineReader::open(&config.log, progress)?;
        loop {
            let Some(text) = reader.next_line()? else { return Ok(()) };
            let text = text.trim_ascii();
            if let Some(comment) = text.strip_prefix(b";") {
                self.header.read(comment);
                continue;
            }
            if text.is_empty() {
                continue;
            }
            self.statistics.rows += 1;
            match parse(text) {
                Ok(line) => self.add(&line, config),
                Err(error) if config.strict => {
                    let column = error.index().unwrap_or(usize::MAX);
                    let found = line::fields(text).nth(column).unwrap_or_default().to_vec();
                    let name = COLUMNS.get(column).copied().unwrap_or("line");
                    return Err(error.at_place(reader.place(), name, &found));
                }
                Err(error) => {
                    let reason = format!("jobs: {}", error.fault.reason());
                    *self.statistics.skipped.entry(reason).or_default() += 1;
                }
            }
        }
    }

    fn note(&mut self, what: &str) {
        *self.statistics.noted.entry(what.to_owned()).or_default() += 1;
    }

    fn add(&mut self, line: &Line, config: &SwfConfig) {
        if line.extra_columns {
            self.note("lines with more than 18 columns; the others are ignored");
        }
        let (Some(run_us), Some(processors)) = (line.run_us, line.processors()) else {
            return match line.status {
                Status::Cancelled => self.note("jobs cancelled before they ran; left out"),
                Status::Failed | Status::Completed | Status::Partial | Status::Unknown => {
                    self.note("jobs without a run time or processors; left out");
                }
            };
        };
        if line.status == Status::Partial {
            // The line of the whole job stands for them (fields 11 and 17 of the format).
            return self.note("lines of parts of jobs that were swapped out; left out");
        }
        if line.estimate_us.is_none() {
            self.note("jobs without an estimate; their true run time is taken for it");
        }
        self.jobs.push(Job {
            submit_us: line.submit_us,
            run_us,
            estimate_us: line.estimate_us,
            think_us: line.think_us,
            memory_bytes: if config.memory { line.memory_bytes } else { 0 },
            number: line.number,
            after: line.after.filter(|_| config.dependencies),
            tenant: match config.tenant {
                Tenant::User => line.user,
                Tenant::Group => line.group,
                Tenant::Queue => line.queue,
            },
            processors,
            failed: line.status == Status::Failed,
            followed: false,
        });
    }

    /// Sorts by time, lets time begin with the first job, and sees that dependencies lead to
    /// earlier jobs that are there.
    fn put_in_order(&mut self) {
        if !self.jobs.is_sorted_by_key(|job| job.submit_us) {
            self.note("the log is not in order of time; it was sorted");
        }
        self.jobs.sort_by_key(|job| job.submit_us);
        let first = self.jobs.first().map_or(0, |job| job.submit_us);
        let mut positions: FxHashMap<u64, usize> = FxHashMap::default();
        let (mut unknown, mut repeated) = (0, 0);
        for position in 0..self.jobs.len() {
            let job = &mut self.jobs[position];
            job.submit_us -= first;
            if positions.contains_key(&job.number) {
                // Two jobs of one number would be one workload: the later one gets a free number.
                job.number = (1 << 62) + position as u64;
                repeated += 1;
            }
            let before = job.after.and_then(|before| positions.get(&before).copied());
            if job.after.is_some() && before.is_none() {
                job.after = None;
                unknown += 1;
            }
            positions.insert(job.number, position);
            if let Some(before) = before {
                self.jobs[before].followed = true;
            }
        }
        let notes = [
            ("jobs that follow a job that is not there; they wait for nothing", unknown),
            ("jobs whose number another has; they got one of their own", repeated),
        ];
        for (what, count) in notes.into_iter().filter(|(_, count)| *count > 0) {
            self.statistics.noted.insert(what.into(), count);
        }
    }

    fn queues(&self, tenant: Tenant) -> BTreeMap<i64, Arc<str>> {
        let word = match tenant {
            Tenant::User => "user",
            Tenant::Group => "group",
            Tenant::Queue => "queue",
        };
        let name = |number: i64| match number {
            0.. => format!("{word}-{number}"),
            _ => format!("{word}-unknown"),
        };
        self.jobs.iter().map(|job| (job.tenant, name(job.tenant).into())).collect()
    }
}
