//! Pods that run inside of alloc sets (EuroSys'15 §2.4), under any scheduler.
//!
//! [`WithAllocs`] stands before a scheduler. Alloc instances are pods like any other: that scheduler
//! places and displaces them. Pods that run inside never reach it, nor does what happens to them;
//! they wait at a [`Desk`], which puts them into the bound instances of their set.

mod choice;
mod desk;

use super::config::PreemptionRule;
use super::explanation::Explanation;
use super::scheduler::{Decision, Scheduler, SchedulerCounts, WaitingClasses};
use crate::cluster::{AllocRole, Cluster, Fact, NodeId, PodId, ResourceNames};
use crate::engine::SimTime;
use crate::metrics::SchedulerActivity;
use crate::workload::target::Shape;

use desk::Desk;

/// A scheduler, and the desk for pods that run inside of allocs.
pub struct WithAllocs {
    inner: Box<dyn Scheduler>,
    inner_follows: bool,
    desk: Desk,
    turn: Turn,
}

/// Who decides in the present pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// There is no pass.
    Nobody,
    Inner,
    Desk,
}

impl WithAllocs {
    /// `inner` with a desk that displaces pods inside of allocs by `rule`.
    pub fn new(inner: Box<dyn Scheduler>, rule: PreemptionRule) -> Self {
        let inner_follows = inner.follows_facts();
        Self { inner, inner_follows, desk: Desk::new(rule), turn: Turn::Nobody }
    }
}

impl WithAllocs {
    /// Gives up the pods that wait to go inside of the alloc set with key `set`: all of them, or
    /// those that ask for the instance with this number. In order of their submission.
    pub fn give_up(&mut self, cluster: &Cluster, set: u64, number: Option<u32>) -> Vec<PodId> {
        self.desk.give_up(cluster, set, number)
    }
}

/// True if `pod` runs inside of allocs. Costs nothing where there are none.
#[inline]
fn is_for_desk(cluster: &Cluster, pod: PodId) -> bool {
    cluster.allocs().is_used() && cluster.class_of(pod).alloc == AllocRole::Inside
}

impl Scheduler for WithAllocs {
    fn begin(&mut self, names: &ResourceNames) {
        self.inner.begin(names);
    }

    fn failure(&mut self) -> Option<String> {
        self.inner.failure()
    }

    fn declare_population(&mut self, population: &[(Shape, u64)]) {
        self.inner.declare_population(population);
    }

    #[inline]
    fn note_arrival(&mut self, cluster: &Cluster, pod: PodId) {
        if !is_for_desk(cluster, pod) {
            self.inner.note_arrival(cluster, pod);
        }
    }

    #[inline]
    fn enqueue(&mut self, cluster: &Cluster, pod: PodId) {
        if is_for_desk(cluster, pod) {
            self.desk.enqueue(cluster, pod);
        } else {
            self.inner.enqueue(cluster, pod);
        }
    }

    #[inline]
    fn note_improved(&mut self, node: NodeId) {
        self.inner.note_improved(node);
    }

    fn follows_facts(&self) -> bool {
        self.inner_follows
    }

    #[inline]
    fn follow(&mut self, cluster: &Cluster, fact: &Fact) {
        if cluster.allocs().is_used() {
            self.desk.follow(cluster, fact);
            if pod_of(fact).is_some_and(|pod| is_for_desk(cluster, pod)) {
                return;
            }
        }
        if self.inner_follows {
            self.inner.follow(cluster, fact);
        }
    }

    #[inline]
    fn wakes_at(&self) -> Option<SimTime> {
        if self.desk.has_news() { Some(SimTime::ZERO) } else { self.inner.wakes_at() }
    }

    /// The inner scheduler is asked only when its own time has come.
    fn decide(&mut self, cluster: &Cluster) -> Option<Decision> {
        if self.turn == Turn::Nobody {
            let due = self.inner.wakes_at().is_some_and(|time| time <= cluster.now());
            self.turn = if due { Turn::Inner } else { Turn::Desk };
        }
        if self.turn == Turn::Inner {
            if let Some(decision) = self.inner.decide(cluster) {
                return Some(decision);
            }
            self.turn = Turn::Desk;
        }
        let decision = self.desk.decide(cluster);
        if decision.is_none() {
            self.turn = Turn::Nobody;
        }
        decision
    }

    #[inline]
    fn touch(&self, node: NodeId) {
        self.inner.touch(node);
    }

    fn counts(&self) -> SchedulerCounts {
        let (inner, desk) = (self.inner.counts(), self.desk.counts());
        SchedulerCounts {
            attempts: inner.attempts + desk.attempts,
            placed: inner.placed + desk.placed,
            unschedulable: inner.unschedulable + desk.unschedulable,
            preempted: inner.preempted + desk.preempted,
            examined: inner.examined + desk.examined,
            scan: inner.scan,
        }
    }

    fn activity(&self, now: SimTime) -> Vec<SchedulerActivity> {
        self.inner.activity(now)
    }

    fn explain(&self, cluster: &Cluster, pod: PodId, names: &ResourceNames) -> Option<Explanation> {
        if is_for_desk(cluster, pod) {
            return Some(choice::explain(cluster, pod, names));
        }
        self.inner.explain(cluster, pod, names)
    }

    fn waiting(&self, cluster: &Cluster, names: &ResourceNames, most: usize) -> WaitingClasses {
        let mut all = self.inner.waiting(cluster, names, most);
        let at_desk = self.desk.waiting(cluster, names);
        if !at_desk.is_empty() {
            all.classes += at_desk.len();
            all.listed.extend(at_desk);
            all.listed.sort_by_key(|waiting| std::cmp::Reverse(waiting.pods));
            all.listed.truncate(most);
        }
        all
    }
}

/// The pod that a fact is about, if it is about one.
fn pod_of(fact: &Fact) -> Option<PodId> {
    match fact {
        Fact::PodStarted { pod, .. }
        | Fact::PodStopped { pod, .. }
        | Fact::PodUnbound { pod, .. }
        | Fact::PodEnteredAlloc { pod, .. } => Some(*pod),
        other => other.changed_pod(),
    }
}
