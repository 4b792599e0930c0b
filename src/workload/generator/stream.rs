//! The generator as a source: nodes and templates, what runs at the start, then jobs as they
//! arrive and tasks as their users stop them, merged in order of time.

use std::sync::Arc;

use libm::{log1p, sin};

use super::super::record::{Change, NodeKey, PodKey, PodRecord, Record, Source, WorkloadKey};
use super::super::source::{SourceError, SourceStatistics};
use super::config::{GeneratorConfig, GeneratorError, InitialPopulation};
use super::population::{Draws, Job, Population, populations};
use crate::cluster::{Dimension, GpuRequest, JobSpec, PodTemplate};
use crate::engine::{Event, EventClass, EventQueue, Purpose, SimDuration, SimTime, Streams};

/// A synthetic workload as a source.
pub struct Generator {
    config: GeneratorConfig,
    draws: Draws,
    populations: Vec<Population>,
    templates: std::vec::IntoIter<Arc<PodTemplate>>,
    /// Pool and number in it of the next node.
    next_node: (usize, u64),
    nodes: u64,
    /// The population that is filled at the start, and what is left of its target.
    filling: Option<Filling>,
    /// The job whose tasks are handed out, with what is left of them.
    job: Option<Job>,
    jobs: u64,
    tasks: u64,
    /// Tasks that arrived after the start.
    arrived: u64,
    /// Time of the job that is handed out.
    clock: SimTime,
    /// The same in seconds, so that rounding does not add up.
    clock_seconds: f64,
    /// Time of the next job, once it has been drawn.
    next_arrival: Option<SimTime>,
    jobs_per_second: f64,
    kills: EventQueue<Kill>,
    streams: Streams,
    /// What is declared of the job that has just begun, until it has gone out.
    declaration: Option<Change>,
    /// The first task of that job, which goes out after it.
    held: Option<Record>,
}

/// A user stops a pod.
#[derive(Clone, Copy, Debug)]
struct Kill(PodKey);

impl Event for Kill {
    fn class(&self) -> EventClass {
        EventClass::Truth
    }
}

/// How far the start has come.
struct Filling {
    tier: usize,
    cpu_left: f64,
    tasks_left: u64,
}

impl Generator {
    /// Prepares a workload.
    ///
    /// # Errors
    /// A description that cannot be.
    pub fn new(config: GeneratorConfig, streams: Streams) -> Result<Self, GeneratorError> {
        let (populations, templates) = populations(&config)?;
        let jobs_per_second = populations.iter().map(|tier| tier.jobs_per_second).sum();
        let mut generator = Self {
            config,
            draws: Draws::new(streams),
            populations,
            templates: templates.into_iter(),
            next_node: (0, 0),
            nodes: 0,
            filling: None,
            job: None,
            jobs: 0,
            tasks: 0,
            arrived: 0,
            clock: SimTime::ZERO,
            clock_seconds: 0.0,
            next_arrival: None,
            jobs_per_second,
            kills: EventQueue::new(),
            streams,
            declaration: None,
            held: None,
        };
        generator.filling = match generator.config.initial {
            InitialPopulation::Empty => None,
            InitialPopulation::Allocated | InitialPopulation::Expected => generator.fill(0),
        };
        Ok(generator)
    }

    /// Jobs that arrive per second in the mean, over all tiers.
    pub fn jobs_per_second(&self) -> f64 {
        self.jobs_per_second
    }

    fn fill(&self, tier: usize) -> Option<Filling> {
        let population = self.populations.get(tier)?;
        let tasks = population.target_cpu / population.mean_cpu;
        Some(Filling { tier, cpu_left: population.target_cpu, tasks_left: tasks as u64 })
    }

    fn node(&mut self) -> Option<Change> {
        while let Some(pool) = self.config.pools.get(self.next_node.0) {
            if self.next_node.1 < pool.count {
                let mut spec = pool.spec.clone();
                spec.name = format!("{}-{}", spec.name, self.next_node.1);
                self.next_node.1 += 1;
                self.nodes += 1;
                let key = NodeKey(self.nodes - 1);
                return Some(Change::NodeAdd { key, spec: Arc::new(spec) });
            }
            self.next_node = (self.next_node.0 + 1, 0);
        }
        None
    }

    /// The next pod that runs at the start.
    fn initial_pod(&mut self) -> Option<Change> {
        loop {
            let filling = self.filling.as_mut()?;
            let population = &self.populations[filling.tier];
            let enough = match self.config.initial {
                InitialPopulation::Empty => true,
                InitialPopulation::Allocated => filling.cpu_left <= 0.0,
                InitialPopulation::Expected => filling.tasks_left == 0,
            };
            if enough {
                let next = filling.tier + 1;
                self.job = None;
                self.filling = self.fill(next);
                continue;
            }
            if self.job.is_none() {
                self.job = Some(population.draw_job(&mut self.draws));
                self.jobs += 1;
                self.declare();
            }
            let filling = self.filling.as_mut()?;
            let population = &self.populations[filling.tier];
            let cpu = self.job.as_ref().map_or(0, |job| job.requests[Dimension::CPU]);
            // A job without cpu must not fill for ever.
            filling.cpu_left -= (cpu as f64).max(1e-3);
            filling.tasks_left = filling.tasks_left.saturating_sub(1);
            let run = population.draw_residual(&mut self.draws);
            return self.task(run);
        }
    }

    /// Draws what is declared of the job that begins, from a stream of its own: the tasks are the
    /// same with it and without.
    fn declare(&mut self) {
        let (Some(declared), Some(job)) = (self.config.declared, &self.job) else { return };
        let mut stream = self.streams.stream(Purpose::JobTenant, self.jobs - 1);
        let queue = match declared.tenants {
            0 => String::new(),
            tenants => format!("tenant-{}", stream.below(u64::from(tenants))),
        };
        // What runs at the start may be cut, and so may the last job.
        let together = stream.uniform() < declared.gangs && self.filling.is_none();
        let left = self.config.tasks.map_or(u64::MAX, |tasks| tasks - self.arrived);
        let size = u32::try_from(job.tasks.min(left)).unwrap_or(u32::MAX);
        let gang = if together { size } else { 0 };
        let spec = JobSpec { gang, queue: queue.into(), ..JobSpec::default() };
        let key = WorkloadKey(self.jobs - 1);
        self.declaration = Some(Change::Job { key, spec: Arc::new(spec) });
    }

    /// Hands out the next task of the job.
    fn task(&mut self, run: SimDuration) -> Option<Change> {
        let job = self.job.as_mut()?;
        let (work, stop) = self.populations[job.tier].draw_work(run, &mut self.draws);
        let key = PodKey(self.tasks);
        self.tasks += 1;
        if let Some(stop) = stop {
            self.kills.push(self.clock.saturating_add(stop), Kill(key));
        }
        let pod = PodRecord {
            key,
            tracked: stop.is_some(),
            workload: WorkloadKey(self.jobs - 1),
            alone: job.is_single && self.config.declared.is_none(),
            template: job.template,
            requests: job.requests,
            gpu: GpuRequest::default(),
            work,
            usage_permille: job.usage_permille,
            alloc_index: None,
        };
        job.tasks -= 1;
        if job.tasks == 0 {
            self.job = None;
        }
        Some(Change::Submit(pod))
    }

    /// Draws the time of the next job by thinning: candidates come at the highest rate of the
    /// day and are kept in proportion to the rate of their hour (Lewis and Shedler, 1979).
    fn draw_arrival(&mut self) -> SimTime {
        let swing = self.config.diurnal.amplitude;
        let peak = self.jobs_per_second * (1.0 + swing);
        let period = self.config.diurnal.period.as_secs_f64();
        loop {
            self.clock_seconds -= log1p(-self.draws.arrival.uniform()) / peak;
            if swing == 0.0 {
                break;
            }
            let angle = std::f64::consts::TAU * (self.clock_seconds / period);
            let kept = (1.0 + swing * sin(angle)) / (1.0 + swing);
            if self.draws.arrival.uniform() < kept {
                break;
            }
        }
        SimTime::ZERO + SimDuration::from_secs_f64(self.clock_seconds)
    }

    /// Takes up the next job; which tier it is of follows their rates.
    fn begin_job(&mut self) {
        let mut share = self.draws.tier.uniform() * self.jobs_per_second;
        let tier = self.populations.iter().position(|population| {
            share -= population.jobs_per_second;
            share < 0.0
        });
        let population = &self.populations[tier.unwrap_or(self.populations.len() - 1)];
        self.job = Some(population.draw_job(&mut self.draws));
        self.jobs += 1;
        self.declare();
    }

    /// True once nothing more may arrive.
    fn is_over(&self, time: SimTime) -> bool {
        self.config.tasks.is_some_and(|tasks| self.arrived >= tasks)
            || self.config.duration.is_some_and(|end| time.since(SimTime::ZERO) >= end)
    }

    /// The next arrival or kill.
    fn event(&mut self) -> Option<Record> {
        if self.job.is_none() {
            let time = match self.next_arrival {
                Some(time) => time,
                None => self.draw_arrival(),
            };
            self.next_arrival = Some(time);
            let over = self.is_over(time);
            if self.kills.peek().is_some_and(|(stop, _)| over || stop <= time) {
                let (time, Kill(key)) = self.kills.pop()?;
                return Some(Record { time, change: Change::Kill { key } });
            }
            if over {
                return None;
            }
            self.next_arrival = None;
            self.clock = time;
            self.begin_job();
        }
        let tier = self.job.as_ref().map_or(0, |job| job.tier);
        let run = self.populations[tier].draw_run(&mut self.draws);
        self.arrived += 1;
        let change = self.task(run)?;
        if self.config.tasks.is_some_and(|tasks| self.arrived >= tasks) {
            self.job = None;
        }
        Some(Record { time: self.clock, change })
    }
}

impl Source for Generator {
    fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        let first = self
            .node()
            .or_else(|| self.templates.next().map(Change::Template))
            .or_else(|| self.initial_pod());
        let record = match first {
            Some(change) => Some(Record { time: SimTime::ZERO, change }),
            None => self.event(),
        };
        match (record, self.declaration.take()) {
            (Some(record), Some(change)) => {
                let time = record.time;
                self.held = Some(record);
                Ok(Some(Record { time, change }))
            }
            (record, _) => Ok(record),
        }
    }

    fn statistics(&self) -> SourceStatistics {
        let noted = [("jobs generated", self.jobs), ("tasks generated", self.tasks)];
        let noted = noted.map(|(what, count)| (what.to_owned(), count)).into();
        SourceStatistics { rows: 0, noted, ..SourceStatistics::default() }
    }
}
