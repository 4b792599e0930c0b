//! Everything that one run needs, as plain data: what `scenario` assembles and tests build by
//! hand.

use std::sync::Arc;

use super::admission::Quotas;
use crate::cluster::{Dimension, DomainSpec, NodeSpec, Overcommit, ResourceNames, Tier};
use crate::engine::{Distribution, SimDuration, SimTime};
use crate::failure::{FailureProcess, ScriptedFault};
use crate::healing::{Backoff, Controller, Service};
use crate::metrics::{FragmentationRule, MeteredResource, ScenarioInfo};
use crate::scheduling::{BuildScheduler, SchedulerConfig};
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
    /// Names of the resources.
    pub resources: ResourceNames,
    /// The resources that are measured, and the units in which they are reported.
    pub metered: Vec<MeteredResource>,
    /// What the result says of the scenario.
    pub info: ScenarioInfo,
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
    /// Who may bring how much; `None` lets everybody in.
    pub quotas: Option<Quotas>,
    /// Delays of the control plane.
    pub control_plane: ControlPlane,
    /// Placement, queue and preemption.
    pub scheduler: SchedulerConfig,
    /// Another scheduler than [`PodAtATime`](crate::scheduling::PodAtATime).
    pub architecture: Option<BuildScheduler>,
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
    /// True where the source tells how much pods use, so that utilization means something.
    pub usage_known: bool,
    /// Whether fragmentation is measured.
    pub fragmentation: FragmentationRule,
    /// Audit the state after every event, and all of it now and then.
    pub check: bool,
}

impl SimulationConfig {
    /// A run of an empty cell under `scheduler`, without any load, failure or delay, in which
    /// cpu and memory are measured: what tests and programs fill in.
    pub fn new(info: ScenarioInfo, scheduler: SchedulerConfig) -> Self {
        let resources = ResourceNames::default();
        let measured = [Dimension::CPU, Dimension::MEMORY];
        Self {
            seed: info.seed,
            run: 0,
            end: None,
            warmup: SimTime::ZERO,
            metered: measured.map(|d| MeteredResource::usual(d, &resources)).to_vec(),
            resources,
            info,
            domains: Vec::new(),
            nodes: Vec::new(),
            overcommit: Overcommit::default(),
            source: None,
            services: Vec::new(),
            quotas: None,
            control_plane: ControlPlane::instant(),
            scheduler,
            architecture: None,
            failures: Vec::new(),
            faults: Vec::new(),
            tiers: Default::default(),
            crash_backoff: Backoff::default(),
            controllers: Vec::new(),
            usage_known: false,
            fragmentation: FragmentationRule::default(),
            check: false,
        }
    }
}

/// Delays between truth, observation and effect.
#[derive(Clone, Debug)]
pub struct ControlPlane {
    /// From a node's failure to its being observed not ready, in seconds. A node that is back
    /// before was never missed.
    pub detection: Distribution,
    /// From a node's repair to its being observed ready, in seconds.
    pub recovery_detection: Distribution,
    /// From a pod's being bound to its running, in seconds; `None` means at once.
    pub start_delay: Option<Distribution>,
}

impl ControlPlane {
    /// Everything is noticed and takes effect at once.
    pub fn instant() -> Self {
        let at_once = Distribution::constant(0.0).expect("zero seconds is a duration");
        Self { detection: at_once.clone(), recovery_detection: at_once, start_delay: None }
    }
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
