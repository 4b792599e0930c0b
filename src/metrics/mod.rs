//! Observers: folds over facts. They never influence a run.
//!
//! After each event the simulation shows every fact of it, in order, to every observer; the
//! cluster that an observer may look at is then already what the **whole** event made of it. So an
//! observer takes from the cluster only what no later fact of the same event can have changed (a
//! pod's serial, the content of the class that a fact names), and remembers the rest by itself.
//! This floor must never import from `scheduling` or above.

mod durations;
mod event_log;
mod fingerprint;
mod integral;
mod meter;
mod reliability;
mod results;

use crate::cluster::{Cluster, Fact};
use crate::engine::SimTime;

pub use event_log::EventLog;
pub use fingerprint::FingerprintObserver;
pub use meter::{
    Disagreement, FragmentationRule, Meter, MeterAuditor, MeterConfig, MeteredResource, RunContext,
};
pub use reliability::{NodeReliability, ReliabilitySummary, WORST_NODES};
pub use results::*;

/// A fold over facts.
pub trait Observer {
    /// Takes in one fact. `cluster` is what the whole event that the fact is part of led to; pods
    /// that ended in it and classes that pods left in it are still readable.
    fn observe(&mut self, now: SimTime, fact: &Fact, cluster: &Cluster);
}
