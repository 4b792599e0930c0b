//! The pod-at-a-time scheduler: takes pending pods in the order of the queue, asks the placement
//! policy for a node, preempts where that is allowed, and leaves alone what cannot have changed.
//!
//! It reads the cluster and returns decisions; the simulation carries them out.

use super::config::{PreemptionRule, SchedulerConfig};
use super::explanation::Explanation;
use super::placement::Placer;
use super::preemption::{Preemption, Reach};
use super::queue::{PendingQueue, QueueKey};
use super::scheduler::{Decision, Scheduler, SchedulerCounts, Waiting, WaitingClasses};
use crate::cluster::{ClassId, Cluster, Dimension, NodeId, PodClass, PodId, ResourceNames};
use crate::engine::{SimTime, Streams};
use crate::workload::target::Shape;

/// The default scheduler.
pub struct PodAtATime {
    queue: PendingQueue,
    placer: Placer,
    preemption: Option<Preemption>,
    head_of_line_blocking: bool,
    /// Nodes that may take more than when the blocked classes were tried last.
    improved: Vec<NodeId>,
    /// Position among the blocked classes up to which this pass has come.
    cursor: usize,
    /// Most cpu and memory free on any improved node.
    widest: (i64, i64),
    /// The same for those who may displace others.
    reach: Reach,
    in_pass: bool,
    has_news: bool,
    counts: SchedulerCounts,
}

/// Who is next in a pass.
enum Next {
    Active,
    Blocked(usize),
}

impl PodAtATime {
    /// A scheduler with an empty queue.
    pub fn new(config: SchedulerConfig, streams: Streams) -> Self {
        let preemption = match config.preemption {
            PreemptionRule::Never => None,
            PreemptionRule::LowerPriority => Some(Preemption::new(false)),
            PreemptionRule::BorgBands => Some(Preemption::new(true)),
        };
        Self {
            queue: PendingQueue::new(config.queue),
            placer: Placer::new(config.strategy, config.index, streams).with_ties(config.ties),
            preemption,
            head_of_line_blocking: config.head_of_line_blocking,
            improved: Vec::new(),
            cursor: 0,
            widest: (i64::MIN, i64::MIN),
            reach: Reach::default(),
            in_pass: false,
            has_news: false,
            counts: SchedulerCounts::default(),
        }
    }

    fn begin_pass(&mut self, cluster: &Cluster) {
        self.in_pass = true;
        self.improved.sort_unstable();
        self.improved.dedup();
        self.cursor = 0;
        self.widest = (i64::MIN, i64::MIN);
        for node in &self.improved {
            let free = cluster.nodes().free(*node);
            self.widest.0 = self.widest.0.max(free[Dimension::CPU]);
            self.widest.1 = self.widest.1.max(free[Dimension::MEMORY]);
        }
        if let Some(rule) = self.preemption.as_mut().filter(|_| !self.improved.is_empty()) {
            self.reach = rule.reach(cluster, &self.improved);
        }
    }

    fn next(&mut self, cluster: &Cluster) -> Option<Next> {
        let blocked = self.next_blocked(cluster);
        let active = self.queue.first_active();
        match (active, blocked) {
            (None, None) => None,
            (Some(_), None) => Some(Next::Active),
            (None, Some((_, position))) => Some(Next::Blocked(position)),
            (Some(first), Some((key, _))) if first < key => Some(Next::Active),
            (Some(_), Some((_, position))) => Some(Next::Blocked(position)),
        }
    }

    /// The next blocked class that an improved node can take.
    fn next_blocked(&mut self, cluster: &Cluster) -> Option<(QueueKey, usize)> {
        if self.improved.is_empty() {
            return None;
        }
        let widest = self.widest;
        loop {
            // Without preemption nothing is within reach but what is free.
            let reach = &self.reach;
            let most = |priority| match reach.of(priority) {
                Some((cpu, memory)) => (cpu.max(widest.0), memory.max(widest.1)),
                None => widest,
            };
            let Some(position) = self.queue.next_blocked(self.cursor, most) else { break };
            self.cursor = position;
            let (key, id) = self.queue.blocked_at(position);
            // Its pods may all be gone and its slot be another class's: asked last, because it
            // is the dearest question.
            if !self.could_take(cluster, cluster.classes().get(id)) {
                self.cursor = position + 1;
            } else if self.queue.blocked_head(cluster, position).is_some() {
                return Some((key, position));
            }
        }
        self.cursor = self.queue.blocked_len();
        None
    }

    /// True if some improved node has, or could be made to have, room for a pod of `class`.
    fn could_take(&mut self, cluster: &Cluster, class: &PodClass) -> bool {
        let preemption = &mut self.preemption;
        self.improved.iter().any(|node| {
            cluster.admits(class, *node)
                || preemption.as_mut().is_some_and(|rule| rule.could_help(cluster, class, *node))
        })
    }

    fn try_active(&mut self, cluster: &Cluster) -> Attempt {
        let Some((class, pod)) = self.queue.pop_active(cluster) else { return Attempt::GoOn };
        if let Some(decision) = self.attempt(cluster, class, pod) {
            self.queue.take_head(class);
            self.queue.reactivate(cluster, class);
            return Attempt::Decided(decision);
        }
        if self.head_of_line_blocking {
            self.queue.reactivate(cluster, class);
            return Attempt::HeldUp;
        }
        let position = self.queue.block(class);
        if position <= self.cursor && !self.improved.is_empty() {
            self.cursor += 1;
        }
        Attempt::GoOn
    }

    fn try_blocked(&mut self, cluster: &Cluster, position: usize) -> Attempt {
        let Some(pod) = self.queue.blocked_head(cluster, position) else { return Attempt::GoOn };
        let (_, class) = self.queue.blocked_at(position);
        let Some(decision) = self.attempt(cluster, class, pod) else {
            self.cursor = position + 1;
            return Attempt::GoOn;
        };
        // Its next pod goes behind those that have waited longer.
        self.queue.unblock(position);
        self.queue.take_head(class);
        self.queue.reactivate(cluster, class);
        Attempt::Decided(decision)
    }

    /// Looks for a place for the first pod of a class.
    fn attempt(&mut self, cluster: &Cluster, id: ClassId, pod: PodId) -> Option<Decision> {
        self.counts.attempts += 1;
        let serial = cluster.pod(pod).serial;
        if let Some(node) = self.placer.choose(cluster, id, serial) {
            self.counts.placed += 1;
            let devices = self.placer.devices(cluster, id, node, serial);
            return Some(Decision::Bind { pod, node, devices });
        }
        let class = cluster.classes().get(id);
        let found = self.preemption.as_mut().and_then(|rule| rule.search(cluster, class));
        let Some((node, victims)) = found else {
            self.counts.unschedulable += 1;
            return None;
        };
        self.counts.placed += 1;
        self.counts.preempted += victims.len() as u64;
        Some(Decision::Preempt { pod, node, victims })
    }
}

impl Scheduler for PodAtATime {
    fn declare_population(&mut self, population: &[(Shape, u64)]) {
        self.placer.declare_population(population);
    }

    #[inline]
    fn note_arrival(&mut self, cluster: &Cluster, pod: PodId) {
        self.placer.note_arrival(cluster, cluster.class_of(pod));
    }

    fn enqueue(&mut self, cluster: &Cluster, pod: PodId) {
        self.queue.push(cluster, pod);
        self.has_news = true;
    }

    /// Costs nothing while nothing waits.
    #[inline]
    fn note_improved(&mut self, node: NodeId) {
        if self.queue.blocked_len() > 0 {
            self.improved.push(node);
            self.has_news = true;
        } else if self.head_of_line_blocking {
            self.has_news = true;
        }
    }

    /// At once if something happened since the last pass that could let it place a pod.
    #[inline]
    fn wakes_at(&self) -> Option<SimTime> {
        self.has_news.then_some(SimTime::ZERO)
    }

    fn decide(&mut self, cluster: &Cluster) -> Option<Decision> {
        if !self.in_pass {
            self.begin_pass(cluster);
        }
        while let Some(next) = self.next(cluster) {
            let decision = match next {
                Next::Active => self.try_active(cluster),
                Next::Blocked(position) => self.try_blocked(cluster, position),
            };
            match decision {
                Attempt::Decided(decision) => return Some(decision),
                Attempt::GoOn => {}
                Attempt::HeldUp => break,
            }
        }
        self.in_pass = false;
        self.has_news = false;
        self.improved.clear();
        None
    }

    #[inline]
    fn touch(&self, node: NodeId) {
        self.placer.touch(node);
    }

    fn counts(&self) -> SchedulerCounts {
        self.counts.with_work(self.placer.counters())
    }

    fn explain(&self, cluster: &Cluster, pod: PodId, names: &ResourceNames) -> Option<Explanation> {
        Some(self.placer.explain(cluster, cluster.class_of(pod), names))
    }

    fn waiting(&self, cluster: &Cluster, names: &ResourceNames, most: usize) -> WaitingClasses {
        let mut classes = self.queue.blocked_classes(cluster);
        classes.sort_by_key(|(class, pods)| {
            (std::cmp::Reverse(*pods), class.template, class.requests.0)
        });
        let listed = classes.iter().take(most).map(|(class, pods)| Waiting {
            pods: *pods,
            tier: class.tier,
            why: self.placer.rejections(cluster, class, names).to_string(),
        });
        WaitingClasses { listed: listed.collect(), classes: classes.len() }
    }
}

/// How an attempt went.
enum Attempt {
    Decided(Decision),
    GoOn,
    HeldUp,
}
