//! Distributed scheduling by sampling (Sparrow, SOSP'13).
//!
//! Nobody knows the state of the cell. For a batch of m pods a scheduler probes d·m random nodes.
//! With *late binding* each probe leaves a reservation in the queue of its node; a node with room
//! for what stands at the head of its queue asks the scheduler for a pod, and the first m to ask
//! get one. Without it, probes report how long the queues are, and the pods are sent to the
//! shortest. Nodes work off their queues first come, first served; a slot is whatever the pod at
//! the head requests.

mod batch;
mod queues;
mod sample;

use std::collections::{BTreeMap, VecDeque};

use self::batch::{Batch, BatchId, Batches};
use self::queues::Worker;
use self::sample::{is_candidate, sample};
use super::crew::spread;
use super::jobs::{Ticket, Tickets, WaitingPods};
use crate::cluster::{ClassId, Cluster, NodeId, PodClass, PodId, ResourceNames};
use crate::engine::{Purpose, SimDuration, SimTime, Stream, Streams};
use crate::metrics::SchedulerActivity;
use crate::scheduling::placement::{Index, Placer, Strategy};
use crate::scheduling::scheduler::{Decision, Scheduler, SchedulerCounts, WaitingClasses};

/// How nodes are sampled and pods are bound.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// Probes for each pod: d.
    pub probe_ratio: f64,
    /// Nodes ask for pods, instead of being sent some.
    pub late_binding: bool,
    /// The pods of a job share their probes, instead of each having its own.
    pub batch_sampling: bool,
    /// A scheduler tells nodes when they need not ask any more.
    pub cancellation: bool,
    /// Schedulers that share the jobs.
    pub schedulers: usize,
    /// From a scheduler to a node or back.
    pub delay: SimDuration,
}

/// Something on its way between a scheduler and a node.
#[derive(Clone, Debug)]
enum Message {
    /// A probe that reserves.
    Reserve { node: NodeId, batch: BatchId },
    /// Probes that ask how long the queues are.
    Measure { pods: Vec<Ticket>, class: PodClass, nodes: Vec<NodeId> },
    /// A pod that was sent.
    Place { node: NodeId, pod: Ticket },
    /// A node asks for a pod.
    Ask { node: NodeId, batch: BatchId },
    /// The answer: a pod, or none.
    Launch { node: NodeId, batch: BatchId, pod: Option<Ticket> },
}

/// The schedulers and the queues of the nodes.
pub(super) struct Sparrow {
    rules: Rules,
    tickets: Tickets,
    batches: Batches,
    workers: Vec<Worker>,
    /// Pods that have become pending, or lost their reservations.
    incoming: Vec<Ticket>,
    /// Pods that no node could ever run, as things are.
    parked: Vec<(Ticket, ClassId)>,
    /// By time of arrival, then in the order in which they were sent.
    messages: BTreeMap<(SimTime, u64), Message>,
    sent: u64,
    /// Nodes whose queue has to be looked at, each once.
    dirty: VecDeque<NodeId>,
    streams: Vec<Stream>,
    decisions: Vec<u64>,
    counts: SchedulerCounts,
    /// For explanations only.
    placer: Placer,
}

impl Sparrow {
    /// Schedulers without jobs.
    pub fn new(rules: Rules, streams: Streams) -> Self {
        let stream = |number| streams.stream(Purpose::Probe, number as u64);
        Self {
            tickets: Tickets::default(),
            batches: Batches::default(),
            workers: Vec::new(),
            incoming: Vec::new(),
            parked: Vec::new(),
            messages: BTreeMap::new(),
            sent: 0,
            dirty: VecDeque::new(),
            streams: (0..rules.schedulers).map(stream).collect(),
            decisions: vec![0; rules.schedulers],
            counts: SchedulerCounts::default(),
            placer: Placer::new(Strategy::Random, Index::Auto, streams),
            rules,
        }
    }

    fn send(&mut self, time: SimTime, message: Message) {
        self.sent += 1;
        self.messages.insert((time, self.sent), message);
    }

    fn after(&self, cluster: &Cluster, trips: u64) -> SimTime {
        let delay = self.rules.delay.0.saturating_mul(trips);
        cluster.now().saturating_add(SimDuration(delay))
    }

    fn worker(&mut self, node: NodeId) -> &mut Worker {
        if node.index() >= self.workers.len() {
            self.workers.resize(node.index() + 1, Worker::default());
        }
        &mut self.workers[node.index()]
    }

    fn mark_dirty(&mut self, node: NodeId) {
        if !std::mem::replace(&mut self.worker(node).is_dirty, true) {
            self.dirty.push_back(node);
        }
    }

    /// Sends probes for the pods that came: one batch for those of one workload and class, or one
    /// for each pod.
    fn probe_for_incoming(&mut self, cluster: &Cluster) {
        let mut batches: BTreeMap<(usize, u64, ClassId), Vec<Ticket>> = BTreeMap::new();
        let mut order = Vec::new();
        for (number, ticket) in std::mem::take(&mut self.incoming).into_iter().enumerate() {
            let Some(pod) = self.tickets.pending(cluster, ticket) else { continue };
            let workload = cluster.workloads().get(pod.new.workload).key;
            let apart = if self.rules.batch_sampling { 0 } else { number };
            let key = (apart, workload, pod.class);
            let batch = batches.entry(key).or_default();
            if batch.is_empty() {
                order.push(key);
            }
            batch.push(ticket);
        }
        for key in order {
            let pods = batches.remove(&key).unwrap_or_default();
            self.probe(cluster, pods, key.1, key.2);
        }
    }

    fn probe(&mut self, cluster: &Cluster, pods: Vec<Ticket>, workload: u64, class: ClassId) {
        let scheduler = spread(workload, self.rules.schedulers);
        let probes = libm::ceil(self.rules.probe_ratio * pods.len() as f64) as usize;
        let probes = probes.max(pods.len());
        let content = *cluster.classes().get(class);
        let nodes = sample(cluster, &content, probes, &mut self.streams[scheduler]);
        self.decisions[scheduler] += 1;
        self.counts.attempts += pods.len() as u64;
        self.counts.examined += nodes.len() as u64;
        if nodes.is_empty() {
            self.counts.unschedulable += pods.len() as u64;
            self.parked.extend(pods.into_iter().map(|ticket| (ticket, class)));
            return;
        }
        let arrival = self.after(cluster, 1);
        if !self.rules.late_binding {
            return self.send(arrival, Message::Measure { pods, class: content, nodes });
        }
        let batch = self.batches.insert(Batch {
            class: content,
            waiting: pods.into(),
            reservations: nodes.len(),
            done_at: None,
        });
        for node in nodes {
            self.send(arrival, Message::Reserve { node, batch });
        }
    }

    fn deliver(&mut self, cluster: &Cluster, message: Message) -> Option<Decision> {
        match message {
            Message::Reserve { node, batch } => {
                self.worker(node).push_reservation(batch);
                self.mark_dirty(node);
            }
            Message::Measure { pods, class, nodes } => self.measure(cluster, &pods, &class, &nodes),
            Message::Place { node, pod } => {
                self.worker(node).push_pod(pod);
                self.mark_dirty(node);
            }
            Message::Ask { node, batch } => {
                let pod = self.next_pod(cluster, batch);
                let answer = self.after(cluster, 1);
                self.send(answer, Message::Launch { node, batch, pod });
            }
            Message::Launch { node, batch, pod } => return self.launch(cluster, node, batch, pod),
        }
        None
    }
}

impl Scheduler for Sparrow {
    fn enqueue(&mut self, cluster: &Cluster, pod: PodId) {
        let ticket = self.tickets.issue(cluster, pod);
        self.incoming.push(ticket);
    }

    fn note_improved(&mut self, node: NodeId) {
        if !self.parked.is_empty() || self.worker(node).has_queue() {
            self.mark_dirty(node);
        }
    }

    fn wakes_at(&self) -> Option<SimTime> {
        if !self.incoming.is_empty() || !self.dirty.is_empty() {
            return Some(SimTime::ZERO);
        }
        self.messages.first_key_value().map(|((time, _), _)| *time)
    }

    fn decide(&mut self, cluster: &Cluster) -> Option<Decision> {
        loop {
            if let Some(node) = self.dirty.front().copied() {
                self.call_back_parked(cluster, node);
                if let Some(decision) = self.work_off(cluster, node) {
                    return Some(decision);
                }
                self.dirty.pop_front();
                self.worker(node).is_dirty = false;
            } else if !self.incoming.is_empty() {
                self.probe_for_incoming(cluster);
            } else {
                let next = self.messages.first_entry()?;
                if next.key().0 > cluster.now() {
                    return None;
                }
                let message = next.remove();
                if let Some(decision) = self.deliver(cluster, message) {
                    return Some(decision);
                }
            }
        }
    }

    fn counts(&self) -> SchedulerCounts {
        self.counts
    }

    fn activity(&self, _: SimTime) -> Vec<SchedulerActivity> {
        let named = |(number, decisions): (usize, &u64)| SchedulerActivity {
            name: format!("scheduler-{number}"),
            decisions: *decisions,
            ..SchedulerActivity::default()
        };
        self.decisions.iter().enumerate().map(named).collect()
    }

    fn waiting(&self, cluster: &Cluster, names: &ResourceNames, most: usize) -> WaitingClasses {
        let mut pods = WaitingPods::default();
        for (ticket, _) in &self.parked {
            if let Some(pod) = self.tickets.pending(cluster, *ticket) {
                pods.add(pod.class);
            }
        }
        let why = |class: &PodClass| self.placer.rejections(cluster, class, names).to_string();
        pods.summary(cluster, most, why)
    }
}

impl Sparrow {
    /// Probes again for parked pods that `node` could run now.
    fn call_back_parked(&mut self, cluster: &Cluster, node: NodeId) {
        if self.parked.is_empty() {
            return;
        }
        let (tickets, incoming) = (&self.tickets, &mut self.incoming);
        self.parked.retain(|(ticket, _)| {
            let Some(pod) = tickets.pending(cluster, *ticket) else { return false };
            let possible = is_candidate(cluster, cluster.classes().get(pod.class), node);
            if possible {
                incoming.push(*ticket);
            }
            !possible
        });
    }
}
