//! Everything that will happen, as one closed list.

use crate::cluster::{NodeId, PodRef};
use crate::engine::{Event as Queued, EventClass};

/// An entry of the event queue. Stale ones carry an incarnation that is no longer current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A pod's start is over: it runs from now on.
    PodStarted(PodRef),
    /// A running pod has done its work.
    PodWorkDone(PodRef),
    /// A running pod crashes.
    PodCrashed(PodRef),
    /// The back-off of a crashed pod is over.
    PodRestarts(PodRef),
    /// The clock with this number lets its node or domain fail.
    ClockFails(u32),
    /// The clock with this number has its node or domain repaired.
    ClockRepairs(u32),
    /// The scripted fault with this number begins.
    FaultBegins(u32),
    /// The scripted fault with this number is over.
    FaultEnds(u32),
    /// The control plane notices that a node is (not) ready, if truth is still of `incarnation`.
    NodeNoticed {
        /// The node.
        node: NodeId,
        /// Incarnation of its truth that is noticed.
        incarnation: u32,
        /// What is noticed.
        ready: bool,
    },
    /// The controller with this number is to look at the cell.
    Reconcile(u32),
    /// Nothing holds back the job in this slot of those that wait for others.
    JobEligible(u32),
}

impl Event {
    /// The pod that it is about, if it is about one.
    pub fn pod(&self) -> Option<PodRef> {
        match self {
            Self::PodStarted(pod)
            | Self::PodWorkDone(pod)
            | Self::PodCrashed(pod)
            | Self::PodRestarts(pod) => Some(*pod),
            Self::ClockFails(_)
            | Self::ClockRepairs(_)
            | Self::FaultBegins(_)
            | Self::FaultEnds(_)
            | Self::NodeNoticed { .. }
            | Self::Reconcile(_)
            | Self::JobEligible(_) => None,
        }
    }
}

impl Queued for Event {
    fn class(&self) -> EventClass {
        match self {
            Self::PodStarted(_)
            | Self::PodWorkDone(_)
            | Self::PodCrashed(_)
            | Self::PodRestarts(_)
            | Self::ClockFails(_)
            | Self::ClockRepairs(_)
            | Self::FaultBegins(_)
            | Self::FaultEnds(_) => EventClass::Truth,
            Self::NodeNoticed { .. } | Self::Reconcile(_) => EventClass::Observation,
            Self::JobEligible(_) => EventClass::Arrival,
        }
    }
}
