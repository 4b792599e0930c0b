//! Everything that one run needs, as plain data: what `scenario` assembles and tests build by
//! hand.

use std::sync::Arc;

use crate::cluster::{DomainSpec, NodeSpec, Overcommit, ResourceNames, Tier};
use crate::engine::{Distribution, SimDuration, SimTime};
use crate::failure::{FailureProcess, ScriptedFault};
use crate::healing::{Backoff, Controller, Service};
use crate::scheduling::SchedulerConfig;
use crate::workload::Source;

/// One run.
pub struct SimulationConfig {
    /// Master seed of every random stream.
    pub seed: u64,
    /// Which replication of the experiment this is, from 0; part of every stream's key.
    pub run: u64,
    /// When to stop. `None`: when the source is exhausted and no pod is left that will end.
    pub end: Option<SimTime>,
    /// Metrics count from here on.
    pub warmup: SimTime,
    /// Names of the extended resources.
    pub resources: ResourceNames,
    /// Failure domains.
    pub domains: Vec<DomainSpec>,
    /// Nodes that are there at the start (a trace may add its own).
    pub nodes: Vec<Arc<NodeSpec>>,
    /// How requests are held against capacity.
    pub overcommit: Overcommit,
    /// Pods and node changes, in order of time; `None` where services are the only load.
    pub source: Option<Box<dyn Source>>,
    /// Declared workloads.
    pub services: Vec<Service>,
    /// Delays of the control plane.
    pub control_plane: ControlPlane,
    /// Who decides where pods go.
    pub scheduler: SchedulerConfig,
    /// Failure processes.
    pub failures: Vec<FailureProcess>,
    /// Scripted faults.
    pub faults: Vec<ScriptedFault>,
    /// Behaviour of pods by tier (of those that belong to no service).
    pub tiers: [TierBehaviour; Tier::COUNT],
    /// Delays before crashing pods are started again.
    pub crash_backoff: Backoff,
    /// Controllers, in the order in which they are woken.
    pub controllers: Vec<Box<dyn Controller>>,
    /// Length of a bucket of the time series; `None` picks one.
    pub bucket: Option<SimDuration>,
    /// True where the source tells how much pods use, so that utilization means something.
    pub usage_known: bool,
    /// Audit the whole state after every event.
    pub check: bool,
}

/// Delays between truth, observation and effect.
#[derive(Clone, Debug)]
pub struct ControlPlane {
    /// From a node's failure to its being observed not ready, in seconds. A node that is back
    /// before was never missed.
    pub detection: Distribution,
    /// From a node's repair to its being observed ready, in seconds.
    pub recovery_detection: Distribution,
    /// From a pod's being bound to its running, in seconds.
    pub start_delay: Distribution,
}

/// How pods of a tier behave.
#[derive(Clone, Debug, Default)]
pub struct TierBehaviour {
    /// Time from a start to a crash, in seconds; `None`: they crash only as the trace says.
    pub time_to_crash: Option<Distribution>,
    /// How often their work is saved: after a stop they resume from the last save. `None`: they
    /// begin anew; zero: nothing is ever lost.
    pub checkpoint: Option<SimDuration>,
}
