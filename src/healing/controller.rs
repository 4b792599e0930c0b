//! The controller seam: what one sees, what wakes it, what it may ask for.

use std::fmt;

use crate::cluster::{
    Cluster, EvictionCause, NodeId, Pod, PodId, PodState, ResourceNames, Workload, WorkloadId,
};
use crate::engine::{SimDuration, SimTime, Streams};

/// What a controller asks for. The simulation carries it out, in order, if it still makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Stop a pod and let it be placed anew.
    Evict {
        /// The pod.
        pod: PodId,
        /// Why.
        cause: EvictionCause,
    },
    /// Create one more pod of a declared workload.
    CreateReplica {
        /// The workload.
        workload: WorkloadId,
    },
    /// Delete a pod for good.
    Delete {
        /// The pod.
        pod: PodId,
    },
    /// Let no new pods onto a node, or let them again.
    Cordon {
        /// The node.
        node: NodeId,
        /// True for "no new pods".
        cordoned: bool,
    },
}

/// The actions of one reconciliation, in order, and when to wake the controller next.
#[derive(Clone, Debug, Default)]
pub struct Actions {
    list: Vec<Action>,
    wake_at: Option<SimTime>,
}

impl Actions {
    /// Asks for `action`.
    pub fn push(&mut self, action: Action) {
        self.list.push(action);
    }

    /// Asks to be woken at `time`, or earlier if asked for already.
    pub fn wake_at(&mut self, time: SimTime) {
        self.wake_at = Some(self.wake_at.map_or(time, |earlier| earlier.min(time)));
    }

    /// What was asked for: the actions and the time of the next wake-up.
    pub fn take(&mut self) -> (Vec<Action>, Option<SimTime>) {
        (std::mem::take(&mut self.list), self.wake_at.take())
    }
}

/// What woke a controller: the names of things to look at, not what happened to them, so that a
/// controller decides from what is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// The readiness, presence or schedulability of a node, as observed.
    Node(NodeId),
    /// The number or size of a declared workload's pods.
    Workload(WorkloadId),
}

/// What a controller is told of pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PodTriggers {
    /// Nothing.
    #[default]
    None,
    /// What becomes of them, but it is not woken for it.
    Told,
    /// What becomes of them, and it is woken.
    Woken,
}

/// Which kinds of [`Trigger`] wake a controller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Triggers {
    /// Wake it for nodes.
    pub nodes: bool,
    /// Wake it for declared workloads.
    pub workloads: bool,
}

/// A reconcile loop. Level-triggered: calling it again without a change asks for nothing.
pub trait Controller: Send + fmt::Debug {
    /// The name used in reports and error messages.
    fn name(&self) -> &'static str;

    /// The run begins; `names` is what the cell's resources are called, `streams` what it may draw
    /// from. Called once, before anything else.
    fn begin(&mut self, _names: &ResourceNames, _streams: Streams) {}

    /// Why it cannot go on, in a sentence for the user: asked after `begin` and after every
    /// reconciliation. Ends the run with an error.
    fn failure(&mut self) -> Option<String> {
        None
    }

    /// What it is to be told of pods; asked once, after `begin`.
    fn follows_pods(&self) -> PodTriggers {
        PodTriggers::None
    }

    /// A pod came, went, was bound, evicted or resized; told where `follows_pods` asks for it.
    fn note_pod(&mut self, _observed: &Observed<'_>, _pod: PodId) {}

    /// What wakes it, besides its own timer.
    fn triggers(&self) -> Triggers;

    /// Looks at what woke it (nothing, at the start of the run and when its timer rings), compares
    /// with what is wanted, and asks for what is missing.
    fn reconcile(&mut self, observed: &Observed<'_>, woken_by: &[Trigger], actions: &mut Actions);
}

/// What the control plane knows of a pod.
#[derive(Clone, Copy, Debug)]
pub struct PodView<'a> {
    /// Its id.
    pub id: PodId,
    pod: &'a Pod,
}

impl PodView<'_> {
    /// It has not been placed yet.
    pub fn is_pending(&self) -> bool {
        self.pod.state == PodState::Pending
    }

    /// The node it is bound to.
    pub fn node(&self) -> Option<NodeId> {
        self.pod.node.is_some().then_some(self.pod.node)
    }

    /// The workload that owns it.
    pub fn workload(&self) -> WorkloadId {
        self.pod.new.workload
    }

    /// Since when it exists.
    pub fn submitted_at(&self) -> SimTime {
        self.pod.submitted_at
    }
}

/// The observed side of the cell.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    cluster: &'a Cluster,
}

impl<'a> Observed<'a> {
    /// The observed side of `cluster`.
    pub fn new(cluster: &'a Cluster) -> Self {
        Self { cluster }
    }

    /// The time.
    pub fn now(&self) -> SimTime {
        self.cluster.now()
    }

    /// True if the node belongs to the cell and is believed ready.
    pub fn is_ready(&self, node: NodeId) -> bool {
        let condition = self.cluster.nodes().condition(node);
        condition.present && condition.ready
    }

    /// True if the node belongs to the cell.
    pub fn is_present(&self, node: NodeId) -> bool {
        self.cluster.nodes().condition(node).present
    }

    /// All nodes that ever belonged to the cell.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        self.cluster.nodes().ids()
    }

    /// Pods bound to a node, in the order in which they were submitted.
    pub fn pods_on(&self, node: NodeId) -> Vec<PodView<'a>> {
        let ids = self.cluster.pod_ids_on(node);
        ids.into_iter().map(|id| PodView { id, pod: self.cluster.pod(id) }).collect()
    }

    /// Declared workloads.
    pub fn workloads(&self) -> impl Iterator<Item = (WorkloadId, &'a Workload)> {
        self.cluster.workloads().declared()
    }

    /// The workload `id`.
    pub fn workload(&self, id: WorkloadId) -> &'a Workload {
        self.cluster.workloads().get(id)
    }

    /// Pods of a workload, newest first. Looks at every pod: not for every event.
    pub fn pods_of(&self, workload: WorkloadId) -> Vec<PodView<'a>> {
        let all = self.cluster.pods().iter();
        let mut pods: Vec<PodView<'a>> = all
            .filter(|(_, pod)| pod.new.workload == workload)
            .map(|(id, pod)| PodView { id, pod })
            .collect();
        pods.sort_unstable_by_key(|view| std::cmp::Reverse(view.pod.serial));
        pods
    }

    /// The cell, for what is told of it in another language.
    pub(super) fn cluster(&self) -> &'a Cluster {
        self.cluster
    }

    /// `now + delay`.
    pub fn after(&self, delay: SimDuration) -> SimTime {
        self.now().saturating_add(delay)
    }
}
