//! Facts: what did happen to the cell, in order. Observers fold over them; nothing else does.

use serde::{Deserialize, Serialize};

use super::ids::{ClassId, DomainId, NodeId, PodId, WorkloadId};
use crate::engine::SimDuration;

/// Why a running pod was stopped from outside (EuroSys'15 Figure 3 names the first five).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum EvictionCause {
    /// For a pod of higher priority.
    Preemption = 0,
    /// Its node failed.
    MachineFailure = 1,
    /// Its node was taken out of service: maintenance, or a removal in the trace.
    MachineShutdown = 2,
    /// The node ran short of a resource.
    OutOfResources = 3,
    /// Anything else (a NoExecute taint, a rebalancing controller …).
    Other = 4,
}

impl EvictionCause {
    /// Number of causes.
    pub const COUNT: usize = 5;
    /// All causes, in the order of reports.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Preemption,
        Self::MachineFailure,
        Self::MachineShutdown,
        Self::OutOfResources,
        Self::Other,
    ];

    /// The name used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preemption => "preemption",
            Self::MachineFailure => "machine-failure",
            Self::MachineShutdown => "machine-shutdown",
            Self::OutOfResources => "out-of-resources",
            Self::Other => "other",
        }
    }
}

/// How a pod leaves the cell for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Ending {
    /// Its work is done.
    Succeeded = 0,
    /// It failed of its own accord.
    Failed = 1,
    /// Its user stopped it.
    Killed = 2,
    /// Its controller deleted it (scaled down).
    Deleted = 3,
    /// Its scheduler turned it away: it was over its quota, or was given up.
    Rejected = 4,
}

impl Ending {
    /// Number of endings.
    pub const COUNT: usize = 5;
    /// All endings, in the order of reports.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Succeeded, Self::Failed, Self::Killed, Self::Deleted, Self::Rejected];

    /// The name used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Killed => "killed",
            Self::Deleted => "deleted",
            Self::Rejected => "rejected",
        }
    }
}

/// Why a pod no longer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StopReason {
    /// It leaves the cell.
    Ended(Ending),
    /// It crashed; its kubelet will start it again on the same node.
    Crashed,
    /// Its node went down under it. (The eviction comes when that is noticed, if it is.)
    NodeDown,
    /// It was evicted.
    Evicted(EvictionCause),
}

/// One transition of the state of the cell. Pods named here can be looked up in the cluster until
/// the facts of the event have been observed, those that ended included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A pod arrived and is pending.
    PodSubmitted {
        /// The pod.
        pod: PodId,
    },
    /// A pending pod was bound to a node: its requests are reserved there from now on, unless
    /// `PodEnteredAlloc` follows.
    PodBound {
        /// The pod.
        pod: PodId,
        /// The node.
        node: NodeId,
        /// Its class now.
        class: ClassId,
    },
    /// The pod of the last `PodBound` is inside of an alloc instance: its requests are charged to
    /// the instance and not to the node.
    PodEnteredAlloc {
        /// The pod.
        pod: PodId,
        /// The instance.
        alloc: PodId,
    },
    /// A bound pod runs (and is ready) from now on.
    PodStarted {
        /// The pod.
        pod: PodId,
        /// The node.
        node: NodeId,
    },
    /// A running pod runs no longer.
    PodStopped {
        /// The pod.
        pod: PodId,
        /// The node.
        node: NodeId,
        /// For how long it had run since it was started.
        ran: SimDuration,
        /// How much of `ran` counts for its work; the rest is lost.
        kept: SimDuration,
        /// Why.
        reason: StopReason,
    },
    /// A bound pod gave back what it had reserved on the node.
    PodUnbound {
        /// The pod.
        pod: PodId,
        /// The node.
        node: NodeId,
        /// The class it had while bound.
        class: ClassId,
    },
    /// A pod was evicted (after `PodUnbound`) and is pending again.
    PodEvicted {
        /// The pod.
        pod: PodId,
        /// Where it was.
        node: NodeId,
        /// Why.
        cause: EvictionCause,
    },
    /// A pod left the cell.
    PodEnded {
        /// The pod.
        pod: PodId,
        /// How.
        ending: Ending,
    },
    /// A pod is of another class now. Emitted after `PodUnbound` and before `PodBound` where it
    /// was bound.
    PodResized {
        /// The pod.
        pod: PodId,
    },
    /// A node joined, or came back to, the cell.
    NodeAdded {
        /// The node.
        node: NodeId,
    },
    /// A node left the cell.
    NodeRemoved {
        /// The node.
        node: NodeId,
    },
    /// The capacity of a node is about to change: observers take out the old one.
    NodeResizing {
        /// The node.
        node: NodeId,
    },
    /// The capacity of a node has changed.
    NodeResized {
        /// The node.
        node: NodeId,
    },
    /// Truth: a node stopped working.
    NodeDown {
        /// The node.
        node: NodeId,
    },
    /// Truth: a node works again.
    NodeUp {
        /// The node.
        node: NodeId,
    },
    /// Observed: the control plane noticed that a node is not ready.
    NodeNotReady {
        /// The node.
        node: NodeId,
    },
    /// Observed: the control plane noticed that a node is ready again.
    NodeReady {
        /// The node.
        node: NodeId,
    },
    /// A node takes no new pods (`cordoned`), or takes them again.
    NodeCordoned {
        /// The node.
        node: NodeId,
        /// True for "no new pods".
        cordoned: bool,
    },
    /// Truth: a failure domain failed as one.
    DomainDown {
        /// The domain.
        domain: DomainId,
    },
    /// Truth: a failure domain was repaired.
    DomainUp {
        /// The domain.
        domain: DomainId,
    },
    /// A workload was declared, or wants another number of pods.
    WorkloadScaled {
        /// The workload.
        workload: WorkloadId,
    },
    /// The last pod of a workload without a declared size ended.
    WorkloadEnded {
        /// The workload.
        workload: WorkloadId,
    },
}

impl Fact {
    /// The pod that is somewhere else, or another, after this fact, as the control plane sees it.
    pub fn changed_pod(&self) -> Option<PodId> {
        match self {
            Self::PodSubmitted { pod }
            | Self::PodBound { pod, .. }
            | Self::PodEvicted { pod, .. }
            | Self::PodEnded { pod, .. }
            | Self::PodResized { pod } => Some(*pod),
            Self::PodEnteredAlloc { .. }
            | Self::PodStarted { .. }
            | Self::PodStopped { .. }
            | Self::PodUnbound { .. }
            | Self::NodeAdded { .. }
            | Self::NodeRemoved { .. }
            | Self::NodeResizing { .. }
            | Self::NodeResized { .. }
            | Self::NodeDown { .. }
            | Self::NodeUp { .. }
            | Self::NodeNotReady { .. }
            | Self::NodeReady { .. }
            | Self::NodeCordoned { .. }
            | Self::DomainDown { .. }
            | Self::DomainUp { .. }
            | Self::WorkloadScaled { .. }
            | Self::WorkloadEnded { .. } => None,
        }
    }
}
