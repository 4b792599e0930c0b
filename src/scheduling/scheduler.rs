//! The seam for whole schedulers: who owns the queue of pending pods and decides what is bound,
//! and when.
//!
//! A scheduler reads the cluster and returns decisions; the simulation carries them out one at a
//! time and asks again. Whatever takes time (a decision, a round, a back-off, a time-out) is a
//! matter of [`Scheduler::wakes_at`]: the simulation asks at that instant, after everything else
//! that happens then.

use crate::cluster::{
    Cluster, DeviceShare, EvictionCause, Fact, NodeId, PodId, ResourceNames, Tier,
};
use crate::engine::{SimTime, Streams};
use crate::metrics::SchedulerActivity;
use crate::workload::target::Shape;

use super::config::SchedulerConfig;
use super::explanation::Explanation;
use super::placement::{Counters, ScanCounts};

/// What the scheduler wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Bind the pod to the node.
    Bind {
        /// The pod.
        pod: PodId,
        /// The node.
        node: NodeId,
        /// The GPU devices there, where the scheduler minds which.
        devices: Option<DeviceShare>,
    },
    /// Evict the victims, then bind the pod to their node.
    Preempt {
        /// The pod.
        pod: PodId,
        /// The node.
        node: NodeId,
        /// Pods to evict, in order.
        victims: Vec<PodId>,
    },
    /// Evict the victims, then bind the pod inside of an alloc instance of its set, where they are.
    Enter {
        /// The pod.
        pod: PodId,
        /// The instance.
        alloc: PodId,
        /// Pods to evict, in order; often none.
        victims: Vec<PodId>,
    },
    /// Evict a bound pod without binding another in the same breath.
    Evict {
        /// The pod.
        pod: PodId,
        /// Why.
        cause: EvictionCause,
    },
    /// Turn a pending pod away for good: it was not admitted (over its quota), or is given up.
    Reject {
        /// The pod.
        pod: PodId,
    },
}

/// What a scheduler did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchedulerCounts {
    /// Pods that were tried.
    pub attempts: u64,
    /// Of them, placed.
    pub placed: u64,
    /// Of them, not placed.
    pub unschedulable: u64,
    /// Pods evicted for others.
    pub preempted: u64,
    /// Nodes looked at one by one.
    pub examined: u64,
    /// What Borg's techniques did, where nodes are scanned with them.
    pub scan: Option<ScanCounts>,
}

impl SchedulerCounts {
    /// The same with the work of the placer that it asked.
    #[must_use]
    pub fn with_work(self, counters: Counters) -> Self {
        Self { examined: counters.examined, scan: counters.scan, ..self }
    }
}

/// Pods that wait because no node takes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub pods: usize,
    /// Of which tier.
    pub tier: Tier,
    /// What keeps them from every node, as kube-scheduler words it.
    pub why: String,
}

/// Everybody who waits because no node takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitingClasses {
    /// Number of classes they are of.
    pub classes: usize,
    /// The classes with the most pods, most first.
    pub listed: Vec<Waiting>,
}

/// Owns the pending pods and decides what is bound where, and when.
///
/// The order of calls: `enqueue`, `note_improved` and `follow` tell of what happened at an event;
/// when the time of `wakes_at` has come, `decide` is called until it returns `None`, each decision
/// being carried out (and told about) before the next call.
pub trait Scheduler: Send {
    /// The run begins; `names` is what the cell's resources are called. Called once, before
    /// anything else.
    fn begin(&mut self, _names: &ResourceNames) {}

    /// Why it cannot go on, in a sentence for the user: asked after `begin` and after every pass.
    /// Ends the run with an error.
    fn failure(&mut self) -> Option<String> {
        None
    }

    /// All that will come is known: how many pods of each shape.
    fn declare_population(&mut self, _population: &[(Shape, u64)]) {}

    /// A pod arrives for the first time; told before `enqueue`.
    fn note_arrival(&mut self, _cluster: &Cluster, _pod: PodId) {}

    /// A pod has become pending, or is of another class now.
    fn enqueue(&mut self, cluster: &Cluster, pod: PodId);

    /// `node` may take more than before: a pod left it, it was added, it is ready again. Or it is
    /// believed to be gone.
    fn note_improved(&mut self, node: NodeId);

    /// True if [`Scheduler::follow`] is to be called; asked once.
    fn follows_facts(&self) -> bool {
        false
    }

    /// Something happened to the cell. Told of every fact, after `enqueue` and `note_improved`.
    fn follow(&mut self, _cluster: &Cluster, _fact: &Fact) {}

    /// When it wants to decide next: `None` while there is nothing to do, a time that is not after
    /// now for "at this instant".
    fn wakes_at(&self) -> Option<SimTime>;

    /// The next decision, to be carried out before the next call; `None` ends the pass.
    fn decide(&mut self, cluster: &Cluster) -> Option<Decision>;

    /// Reads what is kept for `node`, which may improve soon: see [`Cluster::touch`].
    fn touch(&self, _node: NodeId) {}

    /// What was done so far.
    fn counts(&self) -> SchedulerCounts;

    /// Who decided for how long, and how often in vain: one entry for each scheduler that works in
    /// parallel; none where decisions take no time.
    fn activity(&self, _now: SimTime) -> Vec<SchedulerActivity> {
        Vec::new()
    }

    /// Where `pod` could go now and why not elsewhere, as this scheduler sees it; `None` where it
    /// does not say more than which nodes admit the pod. For explanations: it may take long, and
    /// must change nothing, not even a count.
    fn explain(
        &self,
        _cluster: &Cluster,
        _pod: PodId,
        _names: &ResourceNames,
    ) -> Option<Explanation> {
        None
    }

    /// Who waits because no node takes them; at most `most` classes are listed, with the reason.
    fn waiting(&self, cluster: &Cluster, names: &ResourceNames, most: usize) -> WaitingClasses;
}

/// Makes a scheduler for one run from what the scenario says of placement, queue and preemption,
/// and the streams that it may draw from.
pub type BuildScheduler = Box<dyn FnOnce(SchedulerConfig, Streams) -> Box<dyn Scheduler> + Send>;
