//! The kube-scheduler as the scheduler of a cell: [`kube`](super::kube) decides, this file tells it
//! what happens and carries its decisions over.
//!
//! Decisions take no time and victims of preemption leave at once, so what upstream does in the
//! background (binding, deleting) is over when the next pod is looked at.

mod attributes;
mod book;
mod desk;
mod explain;
mod failing;
mod futile;
mod objects;
mod options;
mod placed;
mod served;
mod sharing;
mod translate;
mod volumes;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use self::book::api_time;
use self::desk::{Desk, Event};
use self::futile::Futile;
use self::sharing::Sharing;
use super::config::SchedulerConfig;
use super::explanation::Explanation;
use super::kube::queue::{Hint, Place, QueuePolicy, QueuedPod, SchedulingQueue};
use super::kube::{NodeId as KubeNode, Placement, PodInfo};
use super::scheduler::{Decision, Scheduler, SchedulerCounts, Waiting, WaitingClasses};
use crate::cluster::{Cluster, Fact, NodeId, PodClass, PodId, PodRef, PodState, ResourceNames};
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
    /// Pods that fit nowhere, by class and by whether Coscheduling rejected them; some may wait no
    /// longer.
    unschedulable: BTreeMap<(u32, bool), BTreeSet<PodRef>>,
    /// Why pods of a class could not be placed, the last time.
    why: BTreeMap<u32, String>,
    futile: Futile,
    counts: SchedulerCounts,
}

impl KubeScheduler {
    /// A scheduler that knows nothing of the cell yet.
    pub fn new(options: KubeOptions, config: &SchedulerConfig, streams: Streams) -> Self {
        let KubeOptions { mut scheduler, served, sharing, queue, ties } = options;
        if let Some(cell) = &config.manifests {
            objects::load(&mut scheduler.cache, cell);
        }
        let sharing = Sharing::new(sharing, config.manifests.as_deref());
        Self {
            desk: Desk { scheduler, book: book::Book::default(), served, sharing },
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
            futile: Futile::default(),
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
        if let Some(slot) = self.nodes.get_mut(node.index()).and_then(Option::take) {
            let held = self.held_on(slot);
            self.give_back(held, "its node is gone");
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
        // Pods that hold room are in flight: they are asked when they come back.
        if !helped.is_empty() || self.desk.sharing.holds_room() {
            self.queue.move_some(&self.desk, event, &helped, self.now);
            self.stir(&helped);
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
        if let Some(rejected) = self.pre_filter_shared(queued.pod, &info) {
            return match rejected {
                Ok(cycle) => self.give_up(cluster, queued, &info, &cycle),
                Err(status) => self.fail(queued, status.message()),
            };
        }
        if let Some(outcome) = self.known_outcome(&info) {
            return self.fail_again(queued, &info, outcome);
        }
        let (ties, lots) = (self.ties, &mut self.lots);
        let mut pick = |equals: usize| ties.draw(equals, lots);
        match self.desk.scheduler.place(&info, &mut pick) {
            Ok(Placement::Node(slot)) => self.permit(cluster, queued, &info, slot),
            Ok(Placement::Nowhere(cycle)) => self.give_up(cluster, queued, &info, &cycle),
            Err(status) => self.fail(queued, status.message()),
        }
    }

    fn bind(&mut self, queued: QueuedPod<PodRef>, slot: KubeNode) {
        let (pod, node) = (queued.pod.pod, self.numbers[slot.index()]);
        self.queue.done(queued.pod);
        self.assumed = Some((pod, slot));
        self.counts.placed += 1;
        self.outbox.push_back(Decision::Bind { pod, node, devices: None });
    }

    fn forget(&mut self, pod: PodId) {
        if let Some(reference) = self.desk.book.get(pod).map(|known| known.reference) {
            self.stop_waiting(reference);
        }
        self.take_off_node(pod);
        if let Some(known) = self.desk.book.forget(pod) {
            self.desk.sharing.forget(&known);
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
        let Desk { scheduler, book, served, sharing } = &mut self.desk;
        let known = book.note(cluster, pod, &self.names, &mut scheduler.cache);
        sharing.note(known);
        if let Some(objection) = served.objection(&known.info) {
            self.why.insert(known.class.0, objection);
            return;
        }
        let (reference, priority) = (known.reference, known.info.priority());
        let in_gang = sharing.is_in_gang(&known.info);
        self.make_claims(pod);
        self.queue.add(&self.desk, reference, priority, self.now);
        if in_gang {
            self.wake(&Event::PodSubmitted);
        }
        self.desk.sharing.hear_news();
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
            | Fact::PodEnteredAlloc { .. }
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
        self.desk.sharing.hear_news();
        self.has_news = true;
    }

    /// At once if there is somebody to try; else when pods that wait are looked through. Where
    /// nothing has happened since, a try would end as the last one did.
    fn wakes_at(&self) -> Option<SimTime> {
        let deadline = self.desk.sharing.next_deadline();
        let next = match self.has_news {
            false => None,
            true if self.queue.counts().active > 0 => Some(SimTime::ZERO),
            true => self.queue.next_flush(self.now),
        };
        deadline.into_iter().chain(next).min()
    }

    fn decide(&mut self, cluster: &Cluster) -> Option<Decision> {
        self.assume();
        if self.now != cluster.now() || self.outbox.is_empty() {
            self.now = cluster.now();
            self.queue.flush_backoff(&self.desk, self.now);
            self.queue.flush_unschedulable(&self.desk, self.now);
            self.time_out();
        }
        loop {
            if let Some(decision) = self.next_decision(cluster) {
                return Some(decision);
            }
            let Some(queued) = self.queue.pop() else {
                self.has_news = self.desk.sharing.is_waiting_with_news();
                return None;
            };
            self.attempt(cluster, queued);
        }
    }

    fn counts(&self) -> SchedulerCounts {
        self.counts
    }

    fn explain(&self, cluster: &Cluster, pod: PodId, names: &ResourceNames) -> Option<Explanation> {
        explain::explain(&self.desk, cluster, &self.numbers, pod, names)
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
