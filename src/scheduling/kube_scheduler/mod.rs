//! The kube-scheduler as the scheduler of a cell: [`kube`](super::kube) decides, this file tells it
//! what happens and carries its decisions over.
//!
//! Decisions take no time and victims of preemption leave at once, so what upstream does in the
//! background (binding, deleting) is over when the next pod is looked at.

mod book;
mod desk;
mod explain;
mod objects;
mod options;
mod placed;
mod translate;
mod volumes;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use self::book::api_time;
use self::desk::{Desk, Event};
use super::config::SchedulerConfig;
use super::explanation::Explanation;
use super::kube::queue::{Hint, Place, PluginSet, QueuePolicy, QueuedPod, SchedulingQueue};
use super::kube::{Cycle, NodeId as KubeNode, Placement, PodInfo};
use super::scheduler::{Decision, Scheduler, SchedulerCounts, Waiting, WaitingClasses};
use crate::cluster::{
    Cluster, EvictionCause, Fact, NodeId, PodClass, PodId, PodRef, PodState, ResourceNames,
};
use crate::engine::{Purpose, SimTime, Stream, Streams};

use options::Ties;
pub use options::{KubeOptions, OPTIONS};

/// The kube-scheduler.
pub struct KubeScheduler {
    desk: Desk,
    queue: SchedulingQueue<Desk>,
    names: ResourceNames,
    ties: Ties,
    /// What upstream draws by lot.
    lots: Stream,
    /// Slots of nodes in the cache, by number in the cell.
    nodes: Vec<Option<KubeNode>>,
    /// Numbers in the cell, by slot in the cache.
    numbers: Vec<NodeId>,
    /// The pod that was bound last, and where, until the cache knows.
    assumed: Option<(PodId, KubeNode)>,
    /// Decisions that belong to the pod looked at last.
    outbox: VecDeque<Decision>,
    /// The present instant.
    now: SimTime,
    /// Something happened since the last pass.
    has_news: bool,
    /// Claims that wait for no pod have got their volumes.
    settled: bool,
    /// Bound pods by priority: nobody is preempted where nobody is lower.
    bound_by_priority: BTreeMap<i32, usize>,
    /// Pods that fit nowhere, by class; some may wait no longer.
    unschedulable: BTreeMap<u32, BTreeSet<PodRef>>,
    /// Why pods of a class could not be placed, the last time.
    why: BTreeMap<u32, String>,
    counts: SchedulerCounts,
}

impl KubeScheduler {
    /// A scheduler that knows nothing of the cell yet.
    pub fn new(options: KubeOptions, config: &SchedulerConfig, streams: Streams) -> Self {
        let KubeOptions { mut scheduler, queue, ties } = options;
        if let Some(cell) = &config.manifests {
            objects::load(&mut scheduler.cache, cell);
        }
        Self {
            desk: Desk { scheduler, book: book::Book::default() },
            queue: SchedulingQueue::new(queue),
            names: ResourceNames::default(),
            ties,
            lots: streams.stream(Purpose::Placement, 0),
            nodes: Vec::new(),
            numbers: Vec::new(),
            assumed: None,
            outbox: VecDeque::new(),
            now: SimTime::ZERO,
            has_news: false,
            settled: false,
            bound_by_priority: BTreeMap::new(),
            unschedulable: BTreeMap::new(),
            why: BTreeMap::new(),
            counts: SchedulerCounts::default(),
        }
    }

    /// A node is there, or is another than before.
    fn node_changed(&mut self, cluster: &Cluster, node: NodeId) {
        let object = translate::node(cluster, node, &self.names);
        let slot = self.desk.scheduler.cache.set_node(&object);
        if self.nodes.len() <= node.index() {
            self.nodes.resize(node.index() + 1, None);
        }
        self.nodes[node.index()] = Some(slot);
        if self.numbers.len() <= slot.index() {
            self.numbers.resize(slot.index() + 1, NodeId::NONE);
        }
        self.numbers[slot.index()] = node;
        self.wake(&Event::Node(slot));
    }

    fn node_gone(&mut self, cluster: &Cluster, node: NodeId) {
        if self.nodes.get_mut(node.index()).and_then(Option::take).is_some() {
            self.desk.scheduler.cache.remove_node(&cluster.nodes().spec(node).name);
            self.wake(&Event::NodeGone);
        }
    }

    /// Something happened: classes of pods that it may help are tried again. Pods of one class are
    /// the same to every plugin, so one of them is asked for all.
    fn wake(&mut self, event: &Event) {
        let (desk, queue) = (&self.desk, &self.queue);
        let mut helped = Vec::new();
        self.unschedulable.retain(|_, pods| {
            while let Some(first) = pods.first().copied() {
                let waits = queue.place(first) == Some(Place::Unschedulable);
                let Some(queued) = queue.get(first).filter(|_| waits) else {
                    pods.remove(&first);
                    continue;
                };
                let mut rejectors = queued.rejectors().iter();
                if rejectors.any(|plugin| desk.hint(plugin, event, first) == Hint::Queue) {
                    helped.extend(std::mem::take(pods));
                }
                break;
            }
            !pods.is_empty()
        });
        if !helped.is_empty() {
            self.queue.move_some(&self.desk, event, &helped, self.now);
        }
    }

    /// Looks for a place for a pod that was taken from the queue.
    fn attempt(&mut self, cluster: &Cluster, queued: QueuedPod<PodRef>) {
        let pod = queued.pod.pod;
        let pending = cluster.pods().resolve(queued.pod);
        let known = self.desk.book.get(pod).filter(|known| known.reference == queued.pod);
        let (Some(_), Some(known)) = (pending.filter(|pod| pod.state == PodState::Pending), known)
        else {
            self.queue.done(queued.pod);
            return;
        };
        self.counts.attempts += 1;
        let info = known.info.clone();
        let (ties, lots) = (self.ties, &mut self.lots);
        let mut pick = |equals: usize| ties.draw(equals, lots);
        match self.desk.scheduler.place(&info, &mut pick) {
            Ok(Placement::Node(slot)) => self.bind(cluster, queued, slot),
            Ok(Placement::Nowhere(cycle)) => self.give_up(cluster, queued, &info, &cycle),
            Err(status) => self.fail(queued, status.message()),
        }
    }

    fn bind(&mut self, cluster: &Cluster, queued: QueuedPod<PodRef>, slot: KubeNode) {
        let (pod, node) = (queued.pod.pod, self.numbers[slot.index()]);
        let class = cluster.classes().get(cluster.pod(pod).class);
        if !cluster.admits(class, node) {
            // The objects say less than the cell knows: of single devices, for example.
            return self.fail(queued, "the cell does not admit it on the node chosen".to_owned());
        }
        self.queue.done(queued.pod);
        self.assumed = Some((pod, slot));
        self.counts.placed += 1;
        self.outbox.push_back(Decision::Bind { pod, node, devices: None });
    }

    /// No node will do: somebody may have to go, and the pod waits.
    fn give_up(
        &mut self,
        cluster: &Cluster,
        mut queued: QueuedPod<PodRef>,
        info: &PodInfo,
        cycle: &Cycle,
    ) {
        self.counts.unschedulable += 1;
        self.counts.examined += cycle.evaluated() as u64;
        let plugins = cycle.diagnosis.unschedulable_plugins.iter();
        queued.unschedulable_plugins = plugins.map(|name| self.desk.plugin(name)).collect();
        let known = self.desk.book.get(queued.pod.pod).expect("a pod that is tried is known");
        let message = cycle.diagnosis.message(self.desk.scheduler.cache.order().len());
        self.why.insert(known.class.0, message);
        let (class, pod) = (known.class, queued.pod);
        self.preempt(cluster, pod.pod, info, cycle);
        self.queue.add_unschedulable(&self.desk, queued, self.now);
        self.unschedulable.entry(class.0).or_default().insert(pod);
    }

    fn fail(&mut self, mut queued: QueuedPod<PodRef>, why: String) {
        self.counts.unschedulable += 1;
        queued.unschedulable_plugins = PluginSet::EMPTY;
        if let Some(known) = self.desk.book.get(queued.pod.pod) {
            self.why.insert(known.class.0, why);
        }
        self.queue.add_unschedulable(&self.desk, queued, self.now);
    }

    /// Clears a node for the pod, where that is allowed and helps, and nominates the pod to it.
    fn preempt(&mut self, cluster: &Cluster, pod: PodId, info: &PodInfo, cycle: &Cycle) {
        let lowest = self.bound_by_priority.first_key_value().map(|(priority, _)| *priority);
        let allowed = self.desk.scheduler.profile.preemption.is_some();
        if !allowed || lowest.is_none_or(|lowest| lowest >= info.priority()) {
            return;
        }
        let nodes = self.desk.scheduler.cache.order().len().max(1);
        let offset = self.ties.draw(nodes, &mut self.lots);
        let found = self.desk.scheduler.preempt(info, cycle, offset, api_time(self.now));
        let Some(candidate) = found.first().cloned() else { return };
        let name = self.desk.scheduler.cache.node(candidate.node).name().to_owned();
        for outranked in self.desk.scheduler.outranked(info, &name) {
            self.desk.scheduler.cache.nominator.remove(&outranked);
        }
        let node = self.numbers[candidate.node.index()];
        for victim in &candidate.victims {
            let victim = cluster.pods_on(node).map(|(id, _)| id).find(|id| {
                self.desk.book.get(*id).is_some_and(|known| known.info.name == victim.name)
            });
            let Some(victim) = victim else { continue };
            self.take_off_node(victim);
            self.counts.preempted += 1;
            let cause = EvictionCause::Preemption;
            self.outbox.push_back(Decision::Evict { pod: victim, cause });
        }
        let Desk { scheduler, book } = &mut self.desk;
        if let Some(known) = book.get_mut(pod) {
            let nominated = PodInfo { nominated_node: name.clone(), ..(*known.info).clone() };
            known.info = nominated.into();
            scheduler.cache.nominator.add(known.info.clone(), &name);
        }
    }

    fn forget(&mut self, pod: PodId) {
        self.take_off_node(pod);
        if let Some(known) = self.desk.book.forget(pod) {
            self.desk.scheduler.cache.nominator.remove(&known.info);
            self.queue.delete(known.reference);
            self.delete_claims(&known.info);
        }
    }
}

impl Scheduler for KubeScheduler {
    fn begin(&mut self, names: &ResourceNames) {
        self.names = names.clone();
    }

    fn enqueue(&mut self, cluster: &Cluster, pod: PodId) {
        self.assume();
        self.now = cluster.now();
        self.forget(pod);
        let Desk { scheduler, book } = &mut self.desk;
        let known = book.note(cluster, pod, &self.names, &mut scheduler.cache);
        let (reference, priority) = (known.reference, known.info.priority());
        self.make_claims(pod);
        self.queue.add(&self.desk, reference, priority, self.now);
        self.has_news = true;
    }

    /// Nodes are followed by facts.
    fn note_improved(&mut self, _node: NodeId) {}

    fn follows_facts(&self) -> bool {
        true
    }

    fn follow(&mut self, cluster: &Cluster, fact: &Fact) {
        self.assume();
        self.now = cluster.now();
        match *fact {
            Fact::PodBound { pod, node, .. } => self.pod_bound(cluster, pod, node),
            Fact::PodUnbound { pod, node, .. } => {
                self.take_off_node(pod);
                if let Some(slot) = self.nodes.get(node.index()).copied().flatten() {
                    self.wake(&Event::PodLeft(slot));
                }
            }
            Fact::PodEnded { pod, .. } => self.forget(pod),
            Fact::NodeAdded { node }
            | Fact::NodeResized { node }
            | Fact::NodeReady { node }
            | Fact::NodeNotReady { node }
            | Fact::NodeCordoned { node, .. } => self.node_changed(cluster, node),
            Fact::NodeRemoved { node } => self.node_gone(cluster, node),
            Fact::PodSubmitted { .. }
            | Fact::PodStarted { .. }
            | Fact::PodStopped { .. }
            | Fact::PodEvicted { .. }
            | Fact::PodResized { .. }
            | Fact::NodeResizing { .. }
            | Fact::NodeDown { .. }
            | Fact::NodeUp { .. }
            | Fact::DomainDown { .. }
            | Fact::DomainUp { .. }
            | Fact::WorkloadScaled { .. }
            | Fact::WorkloadEnded { .. } => return,
        }
        self.has_news = true;
    }

    /// At once if there is somebody to try; else when pods that wait are looked through. Where
    /// nothing has happened since, a try would end as the last one did.
    fn wakes_at(&self) -> Option<SimTime> {
        if !self.has_news {
            return None;
        }
        let counts = self.queue.counts();
        if counts.active > 0 {
            return Some(SimTime::ZERO);
        }
        self.queue.next_flush(self.now)
    }

    fn decide(&mut self, cluster: &Cluster) -> Option<Decision> {
        self.assume();
        if self.now != cluster.now() || self.outbox.is_empty() {
            self.now = cluster.now();
            self.queue.flush_backoff(&self.desk, self.now);
            self.queue.flush_unschedulable(&self.desk, self.now);
        }
        loop {
            if let Some(decision) = self.outbox.pop_front() {
                return Some(decision);
            }
            let Some(queued) = self.queue.pop() else {
                self.has_news = false;
                return None;
            };
            self.attempt(cluster, queued);
        }
    }

    fn counts(&self) -> SchedulerCounts {
        self.counts
    }

    fn explain(
        &self,
        _cluster: &Cluster,
        pod: PodId,
        names: &ResourceNames,
    ) -> Option<Explanation> {
        explain::explain(&self.desk, &self.numbers, pod, names)
    }

    fn waiting(&self, cluster: &Cluster, _names: &ResourceNames, most: usize) -> WaitingClasses {
        let mut classes: BTreeMap<u32, (PodClass, usize)> = BTreeMap::new();
        for (id, pod) in cluster.pods().iter() {
            if pod.state == PodState::Pending && self.desk.book.get(id).is_some() {
                let class = || (*cluster.classes().get(pod.class), 0);
                classes.entry(pod.class.0).or_insert_with(class).1 += 1;
            }
        }
        let mut list: Vec<_> = classes.into_iter().collect();
        list.sort_by_key(|(id, (class, pods))| {
            (std::cmp::Reverse(*pods), class.template, class.requests.0, *id)
        });
        let listed = list.iter().take(most).map(|(id, (class, pods))| Waiting {
            pods: *pods,
            tier: class.tier,
            why: self.why.get(id).cloned().unwrap_or_default(),
        });
        WaitingClasses { listed: listed.collect(), classes: list.len() }
    }
}
