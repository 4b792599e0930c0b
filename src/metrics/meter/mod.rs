//! The meter: folds facts into a [`RunResult`](crate::metrics::RunResult).
//!
//! All integrals are exact: updated at every change, never sampled. Counts are of the measurement
//! window: when it opens, counts begin at zero and integrals restart. What depends on the state
//! *between* facts (peaks, outages) is read when an instant is over, that is when time moves on;
//! a state that lasts no time is never seen. The meter never looks at anything but facts and what
//! they name, and never influences a run.

mod allocation;
mod allocs;
mod capacity;
mod check;
mod config;
mod declared;
mod disruption;
mod domains;
mod filling;
mod finish;
mod fragmentation;
mod jobs;
mod node_facts;
mod nodes;
mod pod_facts;
mod population;
mod preferences;
mod reliability;
mod report;
mod series;

#[cfg(test)]
mod history;
#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod story_tests;

pub use check::{Disagreement, MeterAuditor};
pub use config::{FragmentationRule, MeterConfig, MeteredResource, RunContext};

use crate::cluster::{Cluster, Fact, PodId};
use crate::engine::SimTime;
use crate::metrics::Observer;
use crate::workload::target::Shape;

use allocation::Allocation;
use allocs::Allocs;
use capacity::Capacity;
use declared::Declared;
use disruption::Disruption;
use domains::Domains;
use filling::Filling;
use fragmentation::Fragmentation;
use jobs::Jobs;
use nodes::Nodes;
use pod_facts::PodTrack;
use population::Population;
use preferences::Preferences;
use series::Series;

/// Measures a run.
#[derive(Clone, Debug)]
pub struct Meter {
    config: MeterConfig,
    /// Instant of the last fact.
    now: SimTime,
    /// When something is due that has nothing to do with facts.
    next_cut: SimTime,
    /// Start of the window; zero until the warm-up is over.
    window_start: SimTime,
    is_warm: bool,
    tracks: Vec<PodTrack>,
    /// The pod of the last `PodUnbound`, until it is known what that was for.
    unbound: PodId,
    allocation: Allocation,
    allocs: Allocs,
    capacity: Capacity,
    fragmentation: Fragmentation,
    filling: Filling,
    population: Population,
    preferences: Preferences,
    disruption: Disruption,
    nodes: Nodes,
    domains: Domains,
    declared: Declared,
    jobs: Jobs,
    series: Series,
}

impl Meter {
    /// A meter for a run of `cluster`, whose facts it has to see from the first one on.
    pub fn new(config: MeterConfig, cluster: &Cluster) -> Self {
        let dimensions: Vec<_> = config.dimensions().collect();
        let mut domains = Domains::default();
        domains.register(cluster.domains(), SimTime::ZERO);
        let mut meter = Self {
            now: SimTime::ZERO,
            next_cut: SimTime::ZERO,
            window_start: SimTime::ZERO,
            is_warm: config.warmup == SimTime::ZERO,
            tracks: Vec::new(),
            unbound: PodId::NONE,
            allocation: Allocation::new(dimensions.clone(), config.usage_known),
            allocs: Allocs::new(dimensions.clone(), config.usage_known),
            capacity: Capacity::new(dimensions.clone()),
            fragmentation: Fragmentation::new(dimensions, config.fragmentation),
            filling: Filling::new(&config),
            population: Population::default(),
            preferences: Preferences::default(),
            disruption: Disruption::default(),
            nodes: Nodes::new(),
            domains,
            declared: Declared::default(),
            jobs: Jobs::default(),
            series: Series::new(config.duration),
            config,
        };
        meter.set_next_cut();
        meter
    }

    /// Reads what is kept for `pod`, about which facts are to come soon: see [`Cluster::touch`].
    #[inline]
    pub fn touch(&self, pod: PodId) {
        std::hint::black_box(self.tracks.get(pod.index()).map(PodTrack::ends));
    }

    /// All pods that will come are known, by shape: fragmentation is measured against them.
    pub fn declare_population(&mut self, population: &[(Shape, u64)]) {
        self.fragmentation.declare_population(population);
    }

    /// The instant of the last facts is over and time is about to move on; `cluster` is as they
    /// left it. To be called before that, and before [`Meter::finish`]: what depends on whole
    /// nodes is looked at now. (What is looked at by [`Observer::observe`] may not be later than
    /// the fact that it is told.)
    #[inline]
    pub fn end_instant(&mut self, cluster: &Cluster) {
        self.fragmentation.end_instant(self.now, cluster);
    }

    /// Time moves on to `now`: the state since the last fact lasted until here.
    #[inline]
    fn advance(&mut self, now: SimTime) {
        debug_assert!(now > self.now, "time goes back from {} to {now}", self.now);
        self.close_instant();
        if now >= self.next_cut {
            self.cut(now);
        }
        self.now = now;
    }

    /// The state reached at `self.now` lasts for some time.
    #[inline]
    fn close_instant(&mut self) {
        self.population.note_peaks();
        self.nodes.note_minimum();
        self.capacity.note_requested(self.allocation.total());
        self.filling.close_instant(&self.capacity, self.allocation.total());
        self.declared.close_instant(self.now);
    }

    /// Does what is due at bucket boundaries and at the end of the warm-up, up to `now`. It does
    /// not matter that facts of `now` come later: they add nothing to integrals up to `now`.
    #[cold]
    fn cut(&mut self, now: SimTime) {
        while self.next_cut <= now {
            if self.series.next_boundary() == self.next_cut {
                let integrals = self.integrals(self.next_cut);
                self.series.sample(&integrals);
            }
            if !self.is_warm && self.config.warmup == self.next_cut {
                self.open_window(self.next_cut);
                if now > self.now {
                    self.close_instant();
                }
            }
            self.set_next_cut();
        }
    }

    fn set_next_cut(&mut self) {
        let warm = if self.is_warm { SimTime::MAX } else { self.config.warmup };
        self.next_cut = self.series.next_boundary().min(warm);
    }

    /// The window begins at `start`: everything counts from here.
    fn open_window(&mut self, start: SimTime) {
        let integrals = self.integrals(start);
        self.series.restart(&integrals);
        self.allocation.restart(start);
        self.allocs.restart(start);
        self.capacity.restart(start);
        self.fragmentation.restart(start);
        self.population.restart(start);
        self.preferences.restart();
        self.disruption.restart();
        self.nodes.restart(start);
        self.domains.restart(start);
        self.declared.restart(start);
        self.jobs.restart();
        self.now = start;
        self.window_start = start;
        self.is_warm = true;
    }
}

impl Observer for Meter {
    #[inline]
    fn observe(&mut self, now: SimTime, fact: &Fact, cluster: &Cluster) {
        if now != self.now {
            self.advance(now);
        }
        match *fact {
            Fact::PodSubmitted { pod } => self.pod_submitted(pod, cluster),
            Fact::PodBound { pod, node, class } => self.pod_bound(pod, node, class, cluster),
            // That it is inside of an alloc was known from its class when it was bound.
            Fact::PodEnteredAlloc { .. } => {}
            Fact::PodStarted { pod, node } => self.pod_started(pod, node, cluster),
            Fact::PodStopped { pod, node, ran, kept, reason } => {
                self.pod_stopped(pod, node, (ran, kept), reason, cluster);
            }
            Fact::PodUnbound { pod, node, class } => self.pod_unbound(pod, node, class, cluster),
            Fact::PodEvicted { pod, node: _, cause } => self.pod_evicted(pod, cause),
            Fact::PodEnded { pod, ending } => self.pod_ended(pod, ending, cluster),
            Fact::PodResized { pod } => self.pod_resized(pod, cluster),
            Fact::NodeAdded { node } => self.node_added(node, cluster),
            Fact::NodeRemoved { node } => self.node_removed(node),
            Fact::NodeResizing { node } => self.node_resizing(node),
            Fact::NodeResized { node } => self.node_resized(node, cluster),
            Fact::NodeDown { node } => self.node_down(node),
            Fact::NodeUp { node } => self.node_up(node),
            Fact::NodeNotReady { node } => {
                self.nodes.notice(node, now);
                self.fragmentation.change(node);
            }
            Fact::NodeReady { node } | Fact::NodeCordoned { node, cordoned: _ } => {
                self.fragmentation.change(node);
            }
            Fact::DomainDown { domain } => self.domain_down(domain, cluster),
            Fact::DomainUp { domain } => self.domains.repair(domain, now),
            Fact::WorkloadScaled { workload } => self.workload_scaled(workload, cluster),
            Fact::WorkloadEnded { workload } => {
                self.jobs.end(cluster.workloads().get(workload).since, now);
                if let Some(job) = cluster.workloads().job(workload) {
                    let since = cluster.workloads().get(workload).since;
                    self.jobs.end_declared(since, job.started_at, now);
                }
            }
        }
    }
}
