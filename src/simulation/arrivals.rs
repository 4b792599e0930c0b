//! Records of the source: pods come, are stopped or changed by their users, nodes come and go.
//!
//! A pod that its source may name again is remembered by its key for as long as it lives. An
//! attempt that comes while the former one of the same key has not ended waits for that end: in
//! the simulation a pod may take longer than it did in the trace.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Event, Simulation, SimulationError};
use crate::cluster::{
    Ending, EvictionCause, NewPod, NodeId, NodeSpec, PodId, PodState, PodTemplate, TemplateId,
    WorkEnd,
};
use crate::engine::{SimDuration, SimTime};
use crate::scheduling::Scheduler as _;
use crate::workload::target::Shape;
use crate::workload::{
    Change, NodeKey, Outcome, PodKey, PodRecord, PopularShape, Record, Source, SourceStatistics,
    TemplateIndex, Work, WorkloadKey,
};

/// Usage is taken to be the whole request where the source does not tell.
const USAGE_UNKNOWN: [u16; 2] = [1000, 1000];

/// The source and what has to be remembered of it.
pub struct Arrivals {
    source: Option<Box<dyn Source>>,
    next: Option<Record>,
    templates: Vec<TemplateId>,
    nodes: FxHashMap<NodeKey, NodeId>,
    pods: FxHashMap<PodKey, PodId>,
    /// Attempts that wait for the end of the former one, by key.
    later_attempts: FxHashMap<PodKey, VecDeque<PodRecord>>,
    unknown_names: u64,
}

impl Arrivals {
    /// Nothing is read yet.
    pub fn new(source: Option<Box<dyn Source>>) -> Self {
        Self {
            source,
            next: None,
            templates: Vec::new(),
            nodes: FxHashMap::default(),
            pods: FxHashMap::default(),
            later_attempts: FxHashMap::default(),
            unknown_names: 0,
        }
    }

    /// Reads the next record.
    pub fn advance(&mut self) -> Result<(), SimulationError> {
        self.next = match &mut self.source {
            Some(source) => source.next_record()?,
            None => None,
        };
        Ok(())
    }

    /// When the next record is due.
    #[inline]
    pub fn next_time(&self) -> Option<SimTime> {
        self.next.as_ref().map(|record| record.time)
    }

    /// Takes the next record if it is due at `time` and a pod of `job` or a template.
    pub fn take_next(
        &mut self,
        time: SimTime,
        job: WorkloadKey,
    ) -> Result<Option<Change>, SimulationError> {
        let follows = |record: &mut Record| match &record.change {
            Change::Template(_) => record.time == time,
            Change::Submit(pod) => record.time == time && pod.workload == job && !pod.alone,
            _ => false,
        };
        let Some(record) = self.next.take_if(follows) else { return Ok(None) };
        self.advance()?;
        Ok(Some(record.change))
    }

    /// Number of attempts that wait for the end of the former one.
    pub fn waiting_attempts(&self) -> usize {
        self.later_attempts.values().map(VecDeque::len).sum()
    }

    /// Records that named a pod or node that is not there (any more).
    pub fn unknown_names(&self) -> u64 {
        self.unknown_names
    }

    /// What the source says of itself.
    pub fn statistics(&self) -> SourceStatistics {
        self.source.as_ref().map(|source| source.statistics()).unwrap_or_default()
    }

    /// A pod of the source left the cell; returns the attempt that has waited for that.
    pub fn pod_is_gone(&mut self, key: u64, pod: PodId) -> Option<PodRecord> {
        let key = PodKey(key);
        if self.pods.get(&key) != Some(&pod) {
            return None;
        }
        self.pods.remove(&key);
        let attempts = self.later_attempts.get_mut(&key)?;
        let next = attempts.pop_front();
        if attempts.is_empty() {
            self.later_attempts.remove(&key);
        }
        next
    }
}

/// How long the work of a pod is and how it ends.
fn work_of(work: Work) -> (SimDuration, WorkEnd) {
    match work {
        Work::For { run, outcome: Outcome::Finish } => (run, WorkEnd::Succeeds),
        Work::For { run, outcome: Outcome::Fail } => (run, WorkEnd::Fails),
        Work::UntilStopped | Work::Unknown => (SimDuration::ZERO, WorkEnd::Never),
    }
}

impl Simulation {
    /// Carries out the record at hand and reads the next.
    pub(super) fn handle_record(&mut self) -> Result<(), SimulationError> {
        let Some(record) = self.arrivals.next.take() else { return Ok(()) };
        match record.change {
            Change::Template(template) => self.declare_template(&template),
            Change::Job { key, spec } => self.declare_job(key, spec)?,
            Change::Population(shapes) => self.expect_population(&shapes),
            Change::Submit(pod) if self.admission.is_some() => {
                return self.job_arrives(pod, record.time);
            }
            Change::Submit(pod) => self.arrive(pod),
            Change::Work { key, work } => self.work_known(key, work),
            Change::Kill { key } => self.kill(key),
            Change::Resize { key, template, requests } => self.resize(key, template, requests),
            Change::NodeAdd { key, spec } => self.node_joins(key, spec),
            Change::NodeRemove { key } => self.node_leaves(key),
            Change::NodeUpdate { key, spec } => self.node_changes(key, spec),
        }
        self.arrivals.advance()
    }

    /// What will come is known: it is the target workload from the start.
    fn expect_population(&mut self, shapes: &[PopularShape]) {
        let uniform = self.cluster.nodes().overcommit().is_uniform();
        let counted = shapes.iter().map(|popular| {
            let template = self.template(popular.template);
            let class = self.cluster.class_like(template, popular.requests, popular.gpu);
            (Shape::of(&class, uniform), popular.pods)
        });
        let counted: Vec<(Shape, u64)> = counted.collect();
        self.meter.declare_population(&counted);
        self.scheduler.declare_population(&counted);
    }

    pub(super) fn declare_template(&mut self, template: &PodTemplate) {
        let id = self.cluster.declare_template(template);
        self.arrivals.templates.push(id);
    }

    /// A pod arrives where nobody has to be asked.
    fn arrive(&mut self, record: PodRecord) {
        if let Some(record) = self.dependencies.hold(record) {
            self.submit_in_turn(record);
        }
    }

    /// A pod comes into the cell, after the attempt before it.
    pub(super) fn submit_in_turn(&mut self, record: PodRecord) {
        let waits = record.tracked && self.arrivals.pods.contains_key(&record.key);
        if waits {
            self.arrivals.later_attempts.entry(record.key).or_default().push_back(record);
        } else {
            self.submit(&record);
        }
    }

    pub(super) fn submit(&mut self, record: &PodRecord) {
        let (work, work_end) = work_of(record.work);
        let job = record.workload.0;
        let new = NewPod {
            key: record.key.0,
            workload: if record.alone {
                self.cluster.workload_of_one(job)
            } else {
                self.cluster.workload_of_key(job)
            },
            work,
            work_end,
            usage_permille: record.usage_permille.unwrap_or(USAGE_UNKNOWN),
        };
        let template = self.template(record.template);
        let pod = self.cluster.submit(new, template, record.requests, record.gpu);
        self.cluster.enrol_in_allocs(pod, record.alloc_index);
        if record.tracked {
            self.arrivals.pods.insert(record.key, pod);
        }
    }

    pub(super) fn template(&self, index: TemplateIndex) -> TemplateId {
        let known = self.arrivals.templates.get(index.0 as usize);
        *known.expect("a source declares a template before it uses it")
    }

    fn work_known(&mut self, key: PodKey, work: Work) {
        if self.dependencies.set_work(key, work) || self.was_turned_away(key) {
            return;
        }
        if let Some(attempts) = self.arrivals.later_attempts.get_mut(&key) {
            if let Some(last) = attempts.back_mut() {
                last.work = work;
            }
            return;
        }
        let Some(pod) = self.arrivals.pods.get(&key).copied() else {
            self.arrivals.unknown_names += 1;
            return;
        };
        let (work, work_end) = work_of(work);
        self.cluster.set_work(pod, work, work_end);
        if self.cluster.pod(pod).state == PodState::Running && work_end != WorkEnd::Never {
            self.expect_known_end(pod);
        }
    }

    /// A pod that runs already now has an end, which may have passed: then it is at once.
    fn expect_known_end(&mut self, pod: PodId) {
        let record = self.cluster.pod(pod);
        let end = record.started_at.saturating_add(record.remaining_work());
        let reference = self.cluster.pods().reference(pod);
        let time = end.max(self.cluster.now());
        if self.is_in_run(time) {
            self.queue.push(time, Event::PodWorkDone(reference));
        }
    }

    /// The user stops a pod and all further attempts made by then.
    fn kill(&mut self, key: PodKey) {
        self.arrivals.later_attempts.remove(&key);
        let waited = self.dependencies.kill(key) || self.forget_turned_away(key);
        match self.arrivals.pods.get(&key).copied() {
            Some(pod) => self.end(pod, Ending::Killed),
            None => self.arrivals.unknown_names += u64::from(!waited),
        }
    }

    fn resize(
        &mut self,
        key: PodKey,
        template: TemplateIndex,
        requests: crate::cluster::Resources,
    ) {
        if self.dependencies.resize(key, template, requests) || self.was_turned_away(key) {
            return;
        }
        if let Some(last) = self.arrivals.later_attempts.get_mut(&key).and_then(VecDeque::back_mut)
        {
            last.template = template;
            last.requests = requests;
            return;
        }
        let Some(pod) = self.arrivals.pods.get(&key).copied() else {
            self.arrivals.unknown_names += 1;
            return;
        };
        let template = self.template(template);
        if !self.cluster.resize(pod, template, requests) {
            self.refused_resizes += 1;
        }
    }

    fn node_joins(&mut self, key: NodeKey, spec: Arc<NodeSpec>) {
        match self.arrivals.nodes.get(&key).copied() {
            None => {
                let node = self.cluster.add_node(spec);
                self.arrivals.nodes.insert(key, node);
            }
            Some(node) if self.cluster.nodes().condition(node).present => {
                self.cluster.update_node(node, spec);
            }
            Some(node) => self.cluster.return_node(node, spec),
        }
    }

    fn node_leaves(&mut self, key: NodeKey) {
        let known = self.arrivals.nodes.get(&key).copied();
        let present = known.filter(|node| self.cluster.nodes().condition(*node).present);
        let Some(node) = present else {
            self.arrivals.unknown_names += 1;
            return;
        };
        let tiers = &self.tiers;
        let cause = EvictionCause::MachineShutdown;
        self.cluster
            .remove_node(node, cause, &|cluster, pod| super::pods::checkpoint(tiers, cluster, pod));
    }

    fn node_changes(&mut self, key: NodeKey, spec: Arc<NodeSpec>) {
        match self.arrivals.nodes.get(&key).copied() {
            Some(node) => self.cluster.update_node(node, spec),
            None => self.arrivals.unknown_names += 1,
        }
    }
}
