//! Fair sharing: whoever has the smallest share of the cell is next.
//!
//! Queues form a tree with weights, guarantees and limits (`tree`); progressive filling gives the
//! next task to the queue with the smallest weighted dominant share (Ghodsi et al., NSDI 2011,
//! §4.1), those within their guarantee first. What a queue does not use others may borrow up to
//! their limits; where the scenario wants it, a queue below its guarantee gets it back by
//! preemption. A pod's queue is that of its job. Gangs count as one task.

mod options;
mod pending;
mod reclaim;
mod tree;

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use self::pending::{Key, Pending, Unit};
use self::tree::{QueueId, QueueTree};
use super::batch::slots::{by_pod, count_now, free_now, groups_of, trial};
use super::config::SchedulerConfig;
use super::placement::Placer;
use super::scheduler::{Decision, Scheduler, SchedulerCounts, Waiting, WaitingClasses};
use crate::cluster::{
    Cluster, Dimension, Fact, NodeId, PodId, ResourceNames, Resources, WorkloadId,
};
use crate::engine::{SimTime, Streams};

pub use options::{FairShareOptions, OPTIONS};
pub use tree::QueueSpec;

/// Where a pod is.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Siblings of its gang are still to come.
    Forming(WorkloadId),
    Pending(QueueId, Key, pending::Rank),
    /// Bound: what it holds, on whose account.
    Bound(QueueId, Resources),
}

/// The fair-share scheduler.
pub struct FairShare {
    tree: QueueTree,
    reclaim: bool,
    placer: Placer,
    pending: Pending,
    forming: FxHashMap<WorkloadId, Vec<PodId>>,
    places: FxHashMap<PodId, Place>,
    /// Pods of the unit that is being started, and their nodes where these are fixed.
    starting: VecDeque<(PodId, Option<NodeId>)>,
    starting_for: QueueId,
    /// What found no room in this pass, whoever asks.
    unfit: FxHashSet<Key>,
    in_pass: bool,
    has_news: bool,
    capacity_changed: bool,
    counts: SchedulerCounts,
}

impl FairShare {
    /// A scheduler with nothing pending.
    pub fn new(options: &FairShareOptions, config: SchedulerConfig, streams: Streams) -> Self {
        Self {
            tree: QueueTree::new(&options.queues),
            reclaim: options.reclaim,
            placer: Placer::new(config.strategy, config.index, streams).with_ties(config.ties),
            pending: Pending::default(),
            forming: FxHashMap::default(),
            places: FxHashMap::default(),
            starting: VecDeque::new(),
            starting_for: 0,
            unfit: FxHashSet::default(),
            in_pass: false,
            has_news: false,
            capacity_changed: true,
            counts: SchedulerCounts::default(),
        }
    }

    fn begin_pass(&mut self, cluster: &Cluster) {
        self.in_pass = true;
        self.unfit.clear();
        if std::mem::take(&mut self.capacity_changed) {
            let nodes = cluster.nodes();
            let open = nodes.ids().filter(|node| nodes.is_open(*node));
            self.tree.capacity = open.fold(Resources::ZERO, |sum, node| {
                Dimension::all().fold(sum, |mut sum, dimension| {
                    sum[dimension] = sum[dimension].saturating_add(nodes.limit(node)[dimension]);
                    sum
                })
            });
        }
        self.pending.unblock_all();
        for queue in 0..self.tree.len() {
            self.tree.set_open(queue, self.pending.open(queue));
        }
    }

    /// Puts pods that are to be started together into their queue.
    fn wait(&mut self, cluster: &Cluster, pods: Vec<PodId>) {
        let first = cluster.pod(pods[0]);
        let job = cluster.workloads().job(first.new.workload);
        let queue = self.tree.find(job.map_or("", |job| &*job.spec.queue));
        let priority = cluster.class_of(pods[0]).priority;
        let (key, rank) = self.pending.insert(queue, first.class, priority, pods.clone());
        for pod in pods {
            self.places.insert(pod, Place::Pending(queue, key, rank));
        }
    }

    /// Takes the unit that `pod` is part of out of its queue; its pods but for `pod` wait anew.
    fn take_out(&mut self, cluster: &Cluster, pod: PodId) {
        let Some(Place::Pending(queue, key, rank)) = self.places.remove(&pod) else { return };
        let mut rest = self.pending.remove(queue, key, rank).unwrap_or_default();
        rest.retain(|other| *other != pod);
        if !rest.is_empty() {
            self.wait(cluster, rest);
        }
    }

    /// Tries the first unit of `queue`.
    fn attempt(&mut self, cluster: &Cluster, queue: QueueId) -> Option<Decision> {
        let Unit { key, rank, pods } = self.pending.first(queue).expect("an open queue has units");
        let need = pods.iter().fold(Resources::ZERO, |mut need, pod| {
            need += cluster.class_of(*pod).requests;
            need
        });
        self.counts.attempts += pods.len() as u64;
        let allowed = self.tree.allows(queue, &need);
        if allowed && !self.unfit.contains(&key) {
            if let Some(places) = self.places_for(cluster, &pods) {
                self.starting = places;
                self.starting_for = queue;
                self.leave(queue, key, rank);
                return self.bind_next(cluster);
            }
            self.unfit.insert(key);
        }
        if allowed && self.reclaim && pods.len() == 1 && self.tree.may_reclaim(queue, &need) {
            let holder = |pod: PodId| match self.places.get(&pod) {
                Some(Place::Bound(of, _)) if *of != queue => Some(*of),
                _ => None,
            };
            if let Some((node, victims)) = reclaim::search(cluster, &self.tree, pods[0], holder) {
                self.leave(queue, key, rank);
                return Some(self.preempt(cluster, queue, (pods[0], node), victims));
            }
        }
        self.counts.unschedulable += pods.len() as u64;
        self.pending.block(queue, key);
        self.tree.set_open(queue, self.pending.open(queue));
        None
    }

    fn leave(&mut self, queue: QueueId, key: Key, rank: pending::Rank) {
        self.pending.remove(queue, key, rank);
        self.tree.set_open(queue, self.pending.open(queue));
    }

    /// Nodes for all of `pods`; fixed ones only where it matters which pod goes where.
    fn places_for(
        &mut self,
        cluster: &Cluster,
        pods: &[PodId],
    ) -> Option<VecDeque<(PodId, Option<NodeId>)>> {
        if let [pod] = pods {
            let record = cluster.pod(*pod);
            let node = self.placer.choose(cluster, record.class, record.serial)?;
            return Some(VecDeque::from([(*pod, Some(node))]));
        }
        let groups = groups_of(cluster, pods);
        if let [(class, count)] = groups[..] {
            let wanted = u64::from(count);
            let fits = count_now(cluster, class, wanted) >= wanted;
            return fits.then(|| pods.iter().map(|pod| (*pod, None)).collect());
        }
        let places = trial(cluster, &groups, &mut free_now(cluster))?;
        let places = by_pod(cluster, pods, places).into_iter();
        Some(places.map(|(pod, node)| (pod, Some(node))).collect())
    }

    fn bind_next(&mut self, cluster: &Cluster) -> Option<Decision> {
        let (pod, place) = self.starting.pop_front()?;
        let record = cluster.pod(pod);
        let node = place.or_else(|| self.placer.choose(cluster, record.class, record.serial));
        let node = node.expect("room was counted for every pod of the gang");
        self.hold(cluster, pod, self.starting_for);
        Some(Decision::Bind { pod, node, devices: None })
    }

    fn preempt(
        &mut self,
        cluster: &Cluster,
        queue: QueueId,
        (pod, node): (PodId, NodeId),
        victims: Vec<PodId>,
    ) -> Decision {
        for victim in &victims {
            self.release(*victim);
        }
        // What was freed beyond what the pod takes may be enough for others.
        self.unfit.clear();
        self.counts.preempted += victims.len() as u64;
        self.hold(cluster, pod, queue);
        Decision::Preempt { pod, node, victims }
    }

    /// The pod is bound, on the account of `queue`.
    fn hold(&mut self, cluster: &Cluster, pod: PodId, queue: QueueId) {
        let requests = cluster.class_of(pod).requests;
        self.counts.placed += 1;
        self.tree.hold(queue, &requests);
        self.places.insert(pod, Place::Bound(queue, requests));
    }

    /// The pod is bound no longer; nothing happens if that is known.
    fn release(&mut self, pod: PodId) {
        if let Some(Place::Bound(queue, requests)) = self.places.get(&pod).copied() {
            self.places.remove(&pod);
            self.tree.give_back(queue, &requests);
        }
    }
}

impl Scheduler for FairShare {
    fn enqueue(&mut self, cluster: &Cluster, pod: PodId) {
        self.has_news = true;
        if matches!(self.places.get(&pod), Some(Place::Forming(_))) {
            return;
        }
        self.take_out(cluster, pod);
        let workload = cluster.pod(pod).new.workload;
        let job = cluster.workloads().job(workload);
        let Some(job) = job.filter(|job| job.spec.gang_size() > 1) else {
            return self.wait(cluster, vec![pod]);
        };
        let wanted = job.spec.gang_size();
        let wanted = if job.to_end > 0 { wanted.min(job.to_end) } else { wanted };
        // All that have come count: a member that was lost comes back alone.
        let there = cluster.workloads().get(workload).pods;
        let forming = self.forming.entry(workload).or_default();
        forming.push(pod);
        self.places.insert(pod, Place::Forming(workload));
        if there >= wanted {
            let pods = self.forming.remove(&workload).expect("it is there");
            self.wait(cluster, pods);
        }
    }

    fn note_improved(&mut self, _node: NodeId) {
        self.has_news |= !self.pending.is_empty();
    }

    fn follows_facts(&self) -> bool {
        true
    }

    fn follow(&mut self, cluster: &Cluster, fact: &Fact) {
        match *fact {
            Fact::PodUnbound { pod, .. } => self.release(pod),
            // A bound pod whose requests changed holds something else now.
            Fact::PodBound { pod, .. } if !self.places.contains_key(&pod) => {
                let workload = cluster.pod(pod).new.workload;
                let job = cluster.workloads().job(workload);
                let queue = self.tree.find(job.map_or("", |job| &*job.spec.queue));
                self.hold(cluster, pod, queue);
                self.counts.placed -= 1;
            }
            Fact::PodEnded { pod, .. } => {
                self.has_news |= !self.pending.is_empty();
                match self.places.get(&pod).copied() {
                    Some(Place::Pending(..)) => self.take_out(cluster, pod),
                    Some(Place::Forming(workload)) => {
                        self.places.remove(&pod);
                        if let Some(forming) = self.forming.get_mut(&workload) {
                            forming.retain(|other| *other != pod);
                        }
                    }
                    Some(Place::Bound(..)) => self.release(pod),
                    None => {}
                }
            }
            Fact::NodeAdded { .. }
            | Fact::NodeRemoved { .. }
            | Fact::NodeResized { .. }
            | Fact::NodeReady { .. }
            | Fact::NodeNotReady { .. } => self.capacity_changed = true,
            _ => {}
        }
    }

    fn wakes_at(&self) -> Option<SimTime> {
        self.has_news.then_some(SimTime::ZERO)
    }

    fn decide(&mut self, cluster: &Cluster) -> Option<Decision> {
        if let Some(decision) = self.bind_next(cluster) {
            return Some(decision);
        }
        if !self.in_pass {
            self.begin_pass(cluster);
        }
        while let Some(queue) = self.tree.next() {
            if let Some(decision) = self.attempt(cluster, queue) {
                return Some(decision);
            }
        }
        self.in_pass = false;
        self.has_news = false;
        None
    }

    fn touch(&self, node: NodeId) {
        self.placer.touch(node);
    }

    fn counts(&self) -> SchedulerCounts {
        self.counts.with_work(self.placer.counters())
    }

    fn waiting(&self, cluster: &Cluster, names: &ResourceNames, most: usize) -> WaitingClasses {
        let mut keys: Vec<(QueueId, Key, usize)> = self.pending.counts();
        keys.sort_by_key(|(queue, key, pods)| (std::cmp::Reverse(*pods), *queue, *key));
        let listed = keys.iter().take(most).map(|(queue, (id, size), pods)| {
            let class = cluster.classes().get(*id);
            let need = (0..*size).fold(Resources::ZERO, |sum, _| sum.plus(&class.requests));
            let queue_name = &self.tree.get(*queue).name;
            let why = if self.tree.allows(*queue, &need) {
                format!("queue {queue_name}: {}", self.placer.rejections(cluster, class, names))
            } else {
                format!("queue {queue_name} is at its limit")
            };
            Waiting { pods: *pods, tier: class.tier, why }
        });
        WaitingClasses { listed: listed.collect(), classes: keys.len() }
    }
}
