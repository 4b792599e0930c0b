//! The event loop: pulls what is next from the queue, the source and the scheduler, lets the
//! handler for it act on the cluster, and shows the facts to the observers.
//!
//! Handlers are one file per subject: `arrivals` (records of the source), `pods`, `nodes`,
//! `admission` (quota), `allocs` (what is inside of them), `healing` (controllers), `placing` (the
//! scheduler's decisions), `dependencies` (jobs that wait for others). Nothing outside this folder
//! calls a verb of the cluster.

mod admission;
mod allocs;
mod arrivals;
mod audit;
mod config;
mod dependencies;
mod event;
mod healing;
mod nodes;
mod outcome;
mod placing;
mod pods;
mod services;
mod witness;

use std::sync::Arc;

use crate::cluster::{
    AllocRole, Cluster, DomainError, DomainGraph, Fact, NodeId, NodeSpec, PodRef, ResourceNames,
    Tier,
};
use crate::engine::{EventClass, EventQueue, SimTime, Streams};
use crate::healing::Backoff;
use crate::metrics::{FingerprintObserver, Meter, Observer, RunResult, ScenarioInfo};
use crate::scheduling::{PodAtATime, Scheduler, WithAllocs};
use crate::workload::SourceError;

use admission::Admission;
pub use admission::{Quota, Quotas};
use arrivals::Arrivals;
use audit::Auditor;
pub use config::{ControlPlane, SimulationConfig, TierBehaviour};
use dependencies::Dependencies;
use event::Event;
use healing::Controllers;
use nodes::Faults;
pub use outcome::Progress;
use services::Services;
pub use witness::{Moment, Witness};

/// Events between two reports of progress.
const PROGRESS_EVERY: u64 = 1 << 16;

/// Why a run cannot begin, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// The source of the workload failed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The failure domains make no sense.
    #[error(transparent)]
    Domains(#[from] DomainError),
    /// Jobs wait for each other, so that none of them would ever come.
    #[error("jobs wait for each other in a circle: {0}")]
    Cycle(String),
    /// A policy cannot go on: a program of the user's that it is run by has failed.
    #[error("{0}")]
    Policy(String),
    /// `--check` found the state broken: a bug of cellsim or of a policy.
    #[error("the auditor found at {time} after {events} events: {violation}")]
    Audit {
        /// When.
        time: SimTime,
        /// After how many events.
        events: u64,
        /// What.
        violation: String,
    },
}

/// One run in progress.
pub struct Simulation {
    cluster: Cluster,
    queue: EventQueue<Event>,
    /// Pods that events to come soon are about, until they have been touched.
    near: Vec<PodRef>,
    /// The nodes of these.
    near_nodes: Vec<NodeId>,
    arrivals: Arrivals,
    /// Where there is quota.
    admission: Option<Admission>,
    scheduler: WithAllocs,
    /// The scheduler wants to be told of every fact.
    scheduler_follows: bool,
    controllers: Controllers,
    services: Services,
    dependencies: Dependencies,
    faults: Faults,
    streams: Streams,
    tiers: [TierBehaviour; Tier::COUNT],
    control_plane: ControlPlane,
    crash_backoff: Backoff,
    fingerprint: FingerprintObserver,
    meter: Meter,
    observers: Vec<Box<dyn Observer>>,
    witness: Option<Box<dyn Witness>>,
    end: Option<SimTime>,
    /// With `--check`.
    auditor: Option<Auditor>,
    events: u64,
    /// Why a policy cannot go on.
    policy_failure: Option<String>,
    notices: Vec<String>,
    refused_resizes: u64,
    info: ScenarioInfo,
    resource_names: ResourceNames,
}

/// What comes next.
enum Step {
    Event,
    Record,
    Schedule,
}

impl Simulation {
    /// Prepares a run.
    ///
    /// # Errors
    /// Failure domains that make no sense, a policy that cannot begin.
    pub fn new(config: SimulationConfig) -> Result<Self, SimulationError> {
        let streams = Streams { seed: config.seed, run: config.run };
        let domains = DomainGraph::new(&config.domains)?;
        let meter_config = outcome::meter_config(&config);
        let cluster = Cluster::new(domains, config.overcommit);
        let rule = config.scheduler.preemption;
        let scheduler: Box<dyn Scheduler> = match config.architecture {
            Some(build) => build(config.scheduler, streams),
            None => Box::new(PodAtATime::new(config.scheduler, streams)),
        };
        let scheduler = WithAllocs::new(scheduler, rule);
        let meter = Meter::new(meter_config, &cluster);
        let mut simulation = Self {
            auditor: config.check.then(|| Auditor::new(&meter)),
            meter,
            cluster,
            queue: EventQueue::new(),
            near: Vec::new(),
            near_nodes: Vec::new(),
            arrivals: Arrivals::new(config.source),
            admission: config.quotas.map(|quotas| Admission::new(quotas, config.warmup)),
            scheduler_follows: scheduler.follows_facts(),
            scheduler,
            controllers: Controllers::new(config.controllers),
            services: Services::new(config.services),
            dependencies: Dependencies::default(),
            faults: Faults::new(config.failures, config.faults),
            streams,
            tiers: config.tiers,
            control_plane: config.control_plane,
            crash_backoff: config.crash_backoff,
            fingerprint: FingerprintObserver::default(),
            observers: Vec::new(),
            witness: None,
            end: config.end,
            events: 0,
            policy_failure: None,
            notices: Vec::new(),
            refused_resizes: 0,
            info: config.info,
            resource_names: config.resources,
        };
        simulation.begin_policies()?;
        simulation.set_up(&config.nodes);
        Ok(simulation)
    }

    /// Adds an observer; it sees every fact from the first one on if added before the run.
    pub fn observe(&mut self, observer: Box<dyn Observer>) {
        self.observers.push(observer);
    }

    /// The state of the cell.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    fn begin_policies(&mut self) -> Result<(), SimulationError> {
        self.scheduler.begin(&self.resource_names);
        self.scheduler.failure().map_or(Ok(()), Err).map_err(SimulationError::Policy)?;
        let begun = self.controllers.begin(&self.resource_names, self.streams);
        begun.map_err(SimulationError::Policy)
    }

    fn set_up(&mut self, nodes: &[Arc<NodeSpec>]) {
        for spec in nodes {
            self.cluster.add_node(Arc::clone(spec));
        }
        self.start_domain_clocks();
        self.schedule_faults();
        self.declare_services();
        self.wake_all_controllers();
    }

    /// Runs to the end; `progress` is called every now and then.
    ///
    /// # Errors
    /// A source or a policy that fails, or a state that the auditor finds broken.
    pub fn run(mut self, progress: &dyn Fn(Progress)) -> Result<RunResult, SimulationError> {
        self.begin()?;
        while self.step()? {
            if self.events.is_multiple_of(PROGRESS_EVERY) {
                progress(self.progress());
            }
        }
        self.audit_end()?;
        let info = self.info.clone();
        Ok(self.finish(info))
    }

    /// Shows what there is at the start; called once, before the first [`Simulation::step`].
    ///
    /// # Errors
    /// As [`Simulation::run`].
    pub fn begin(&mut self) -> Result<(), SimulationError> {
        self.arrivals.advance()?;
        self.settle()
    }

    /// Handles what comes next; false at the end of the run.
    ///
    /// # Errors
    /// As [`Simulation::run`].
    pub fn step(&mut self) -> Result<bool, SimulationError> {
        let Some((time, step)) = self.next_step() else { return Ok(false) };
        if self.end.is_some_and(|end| time >= end) {
            return Ok(false);
        }
        if time > self.cluster.now() {
            self.meter.end_instant(&self.cluster);
        }
        self.cluster.advance_to(time);
        match step {
            Step::Event => self.handle_event(),
            Step::Record => self.handle_record()?,
            Step::Schedule => self.schedule(),
        }
        if let Some(failure) = self.policy_failure.take() {
            return Err(SimulationError::Policy(failure));
        }
        self.settle()?;
        self.events += 1;
        Ok(true)
    }

    /// When the next thing happens; `None` at the end of the run.
    pub fn next_time(&mut self) -> Option<SimTime> {
        let (time, _) = self.next_step()?;
        self.end.is_none_or(|end| time < end).then_some(time)
    }

    /// The fingerprint of everything so far.
    pub fn fingerprint(&self) -> String {
        self.fingerprint.fingerprint().to_string()
    }

    /// The next thing in the total order (time, class, sequence).
    #[inline]
    fn next_step(&mut self) -> Option<(SimTime, Step)> {
        let mut next = self.queue.peek().map(|(time, class)| ((time, class), Step::Event));
        if let Some(time) = self.arrivals.next_time() {
            let key = (time, EventClass::Arrival);
            if next.as_ref().is_none_or(|(earliest, _)| key < *earliest) {
                next = Some((key, Step::Record));
            }
        }
        if let Some(time) = self.scheduler.wakes_at() {
            let key = (time.max(self.cluster.now()), EventClass::Scheduling);
            if next.as_ref().is_none_or(|(earliest, _)| key < *earliest) {
                next = Some((key, Step::Schedule));
            }
        }
        next.map(|((time, _), step)| (time, step))
    }

    fn handle_event(&mut self) {
        let near = &mut self.near;
        let next = self.queue.pop_showing(|event| near.extend(event.pod()));
        let Some((_, event)) = next else { return };
        if !self.near.is_empty() {
            self.touch_near();
        }
        match event {
            Event::PodStarted(pod) => self.pod_started(pod),
            Event::PodWorkDone(pod) => self.pod_work_done(pod),
            Event::PodCrashed(pod) => self.pod_crashed(pod),
            Event::PodRestarts(pod) => self.pod_restarts(pod),
            Event::ClockFails(clock) => self.clock_fails(clock),
            Event::ClockRepairs(clock) => self.clock_repairs(clock),
            Event::FaultBegins(fault) => self.fault_begins(fault),
            Event::FaultEnds(fault) => self.fault_ends(fault),
            Event::NodeNoticed { node, incarnation, ready } => {
                self.node_noticed(node, incarnation, ready);
            }
            Event::Reconcile(controller) => self.reconcile(controller),
            Event::JobEligible(slot) => self.job_is_eligible(slot),
        }
    }

    /// Reads what events about the pods in `near` will need, each round all of what the round
    /// before found the way to.
    fn touch_near(&mut self) {
        for PodRef { pod, .. } in &self.near {
            self.cluster.touch(*pod);
            self.meter.touch(*pod);
        }
        self.near_nodes.clear();
        for PodRef { pod, .. } in self.near.drain(..) {
            self.near_nodes.push(self.cluster.touch_around(pod));
        }
        for node in &self.near_nodes {
            self.scheduler.touch(*node);
        }
    }

    /// Shows the facts of the last event to everyone who follows them.
    fn settle(&mut self) -> Result<(), SimulationError> {
        let now = self.cluster.now();
        let mut position = 0;
        // Following a fact may lead to further facts.
        while let Some(fact) = self.cluster.facts().get(position).copied() {
            position += 1;
            self.fingerprint.observe(now, &fact, &self.cluster);
            self.meter.observe(now, &fact, &self.cluster);
            for observer in &mut self.observers {
                observer.observe(now, &fact, &self.cluster);
            }
            self.follow(&fact);
            if self.scheduler_follows || self.cluster.allocs().is_used() {
                self.scheduler.follow(&self.cluster, &fact);
            }
        }
        self.audit()?;
        self.cluster.settle();
        Ok(())
    }

    /// What a fact sets in motion.
    #[inline]
    fn follow(&mut self, fact: &Fact) {
        if self.controllers.follow_pods
            && let Some(pod) = fact.changed_pod()
        {
            self.tell_of_pod(pod);
        }
        match *fact {
            Fact::PodSubmitted { pod } => {
                if self.admission.is_some() {
                    self.charge(pod);
                }
                self.scheduler.note_arrival(&self.cluster, pod);
                self.scheduler.enqueue(&self.cluster, pod);
            }
            Fact::PodEvicted { pod, .. } => self.scheduler.enqueue(&self.cluster, pod),
            // What was inside of an alloc leaves its room to the alloc.
            Fact::PodUnbound { node, class, .. } => {
                if self.cluster.classes().get(class).alloc != AllocRole::Inside {
                    self.scheduler.note_improved(node);
                }
            }
            Fact::PodResized { pod } => {
                self.recharge(pod);
                self.requeue_resized(pod);
            }
            Fact::PodEnded { pod, ending } => {
                if let Some(admission) = &mut self.admission {
                    admission.give_back(pod.index());
                }
                self.pod_is_gone(pod, ending);
            }
            Fact::NodeAdded { node } => {
                self.start_node_clocks(node);
                self.node_changed(node);
            }
            Fact::NodeRemoved { node }
            | Fact::NodeResized { node }
            | Fact::NodeNotReady { node }
            | Fact::NodeReady { node }
            | Fact::NodeCordoned { node, .. } => self.node_changed(node),
            Fact::NodeDown { node } => self.expect_notice(node, false),
            Fact::NodeUp { node } => self.expect_notice(node, true),
            Fact::WorkloadScaled { workload } => self.trigger_workload(workload),
            Fact::WorkloadEnded { workload } => self.workload_is_over(workload),
            Fact::PodBound { .. }
            | Fact::PodEnteredAlloc { .. }
            | Fact::PodStarted { .. }
            | Fact::PodStopped { .. }
            | Fact::NodeResizing { .. }
            | Fact::DomainDown { .. }
            | Fact::DomainUp { .. } => {}
        }
    }

    /// The control plane sees a node differently now.
    fn node_changed(&mut self, node: NodeId) {
        self.scheduler.note_improved(node);
        self.trigger_node(node);
    }
}
