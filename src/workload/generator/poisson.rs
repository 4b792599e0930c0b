//! A plain queue: pods arrive at random, alone or as jobs of equal size, each takes one of a number of single-slot nodes for a
//! random time. Its answers are known (Erlang C for exponential service), so tests lean on it.

use std::sync::Arc;

use libm::log1p;

use super::super::record::{
    Change, NodeKey, Outcome, PodKey, PodRecord, Record, Source, TemplateIndex, Work, WorkloadKey,
};
use super::super::source::{SourceError, SourceStatistics};
use crate::cluster::{GpuRequest, NodeSpec, PodTemplate, Resources};
use crate::engine::{Distribution, Purpose, SimDuration, SimTime, Stream, Streams};

/// A queue of `servers` servers.
#[derive(Clone, Debug)]
pub struct PoissonConfig {
    /// Number of nodes; each holds exactly one pod. None where nodes come from elsewhere.
    pub servers: u64,
    /// Arrivals per second, above 0.
    pub rate_per_second: f64,
    /// Pods that arrive together, as one job; at least 1.
    pub tasks: u64,
    /// Time of service in seconds.
    pub service: Distribution,
    /// What a pod requests and a node has.
    pub requests: Resources,
    /// Number of pods.
    pub count: u64,
}

/// The queue as a source.
pub struct Poisson {
    config: PoissonConfig,
    arrival: Stream,
    service: Stream,
    nodes: u64,
    declared: bool,
    pods: u64,
    clock_seconds: f64,
}

impl Poisson {
    /// Prepares a queue.
    ///
    /// # Panics
    /// If the rate is not above 0.
    pub fn new(config: PoissonConfig, streams: Streams) -> Self {
        let rate = config.rate_per_second;
        assert!(rate > 0.0 && rate.is_finite(), "{rate} arrivals per second never arrive");
        Self {
            config,
            arrival: streams.stream(Purpose::Arrival, 0),
            service: streams.stream(Purpose::PodDuration, 0),
            nodes: 0,
            declared: false,
            pods: 0,
            clock_seconds: 0.0,
        }
    }

    fn pod(&mut self) -> Record {
        let key = self.pods;
        let tasks = self.config.tasks.max(1);
        if key.is_multiple_of(tasks) {
            self.clock_seconds -= log1p(-self.arrival.uniform()) / self.config.rate_per_second;
        }
        self.pods += 1;
        let run = self.config.service.sample_duration(&mut self.service);
        let pod = PodRecord {
            key: PodKey(key),
            tracked: false,
            workload: WorkloadKey(key / tasks),
            alone: tasks == 1,
            template: TemplateIndex(0),
            requests: self.config.requests,
            gpu: GpuRequest::default(),
            work: Work::For { run, outcome: Outcome::Finish },
            usage_permille: None,
            alloc_index: None,
        };
        let time = SimTime::ZERO + SimDuration::from_secs_f64(self.clock_seconds);
        Record { time, change: Change::Submit(pod) }
    }
}

impl Source for Poisson {
    fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
        let time = SimTime::ZERO;
        if self.nodes < self.config.servers {
            let key = NodeKey(self.nodes);
            self.nodes += 1;
            let spec = NodeSpec {
                name: format!("server-{}", key.0),
                pool: "servers".into(),
                allocatable: self.config.requests,
                ..NodeSpec::default()
            };
            return Ok(Some(Record {
                time,
                change: Change::NodeAdd { key, spec: Arc::new(spec) },
            }));
        }
        if !self.declared {
            self.declared = true;
            let change = Change::Template(Arc::new(PodTemplate::default()));
            return Ok(Some(Record { time, change }));
        }
        Ok((self.pods < self.config.count).then(|| self.pod()))
    }

    fn statistics(&self) -> SourceStatistics {
        let noted = [("tasks generated".to_owned(), self.pods)].into();
        SourceStatistics { noted, ..SourceStatistics::default() }
    }
}
