//! Sections `controlPlane`, `scheduler`, `healing` and `failures`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::distribution::{distribution, lasting};
use super::files::Files;
use super::topology::Cell;
use crate::cluster::Tier;
use crate::engine::{SimDuration, SimTime};
use crate::failure::{FailureProcess, FailureTarget, ScriptedFault};
use crate::healing::{Backoff, Controller, NodeLifecycle, ReplicaKeeper};
use crate::scenario::document::Path;
use crate::scenario::error::ErrorCode;
use crate::scenario::problems::Problems;
use crate::scenario::registry::{PlacementEntry, Registry};
use crate::scenario::types::{self, IndexName, PreemptionName, Quantity, QueueName, Scenario};
use crate::scheduling::placement::{Index, Ties};
use crate::scheduling::{PreemptionRule, QueueOrder, SchedulerConfig};
use crate::simulation::{ControlPlane, TierBehaviour};

/// Delays of the control plane.
pub fn control_plane(
    given: &types::ControlPlane,
    files: &Files,
    problems: &mut Problems<'_>,
) -> ControlPlane {
    let mut control_plane = ControlPlane::instant();
    let types::ControlPlane::Delays(delays) = given else { return control_plane };
    let path = Path::of(&["controlPlane"]);
    if let Some(delay) = &delays.detection {
        control_plane.detection = distribution(delay, &path.key("detection"), files, problems);
    }
    if let Some(delay) = &delays.recovery_detection {
        let path = path.key("recoveryDetection");
        control_plane.recovery_detection = distribution(delay, &path, files, problems);
    }
    if let Some(delay) = &delays.start_delay {
        let delay = distribution(delay, &path.key("startDelay"), files, problems);
        control_plane.start_delay = Some(delay);
    }
    control_plane
}

/// A scheduler that can be built anew for each run.
pub struct SchedulerPlan {
    placement: PlacementEntry,
    options: Value,
    index: Index,
    ties: Ties,
    queue: QueueOrder,
    head_of_line_blocking: bool,
    preemption: PreemptionRule,
}

impl SchedulerPlan {
    /// A scheduler for one run.
    pub fn build(&self) -> SchedulerConfig {
        let strategy = self.placement.build(&self.options);
        SchedulerConfig {
            placement_name: self.placement.name.clone(),
            strategy: strategy.expect("the same options have been accepted before"),
            index: self.index,
            ties: self.ties,
            queue: self.queue,
            head_of_line_blocking: self.head_of_line_blocking,
            preemption: self.preemption,
        }
    }

    /// Name of the placement policy.
    pub fn placement_name(&self) -> &str {
        &self.placement.name
    }

    /// Name of the queue discipline.
    pub fn queue_name(&self) -> &'static str {
        match self.queue {
            QueueOrder::Fifo => "fifo",
            QueueOrder::Priority => "priority",
        }
    }
}

/// The scheduler, or `None` where its policy does not exist or refuses its options.
pub fn scheduler(
    given: &types::Scheduler,
    registry: &Registry,
    problems: &mut Problems<'_>,
) -> Option<SchedulerPlan> {
    let path = Path::of(&["scheduler", "placement"]);
    let name = given.placement.name();
    let Some(entry) = registry.find_placement(name) else {
        let at = match given.placement {
            types::Placement::Name(_) => path,
            types::Placement::WithOptions(_) => path.key("name"),
        };
        let known = registry.placements().iter().map(|entry| entry.name.as_str());
        problems.unknown_name(&at, "policy", name, known);
        return None;
    };
    let options = match &given.placement {
        types::Placement::WithOptions(policy) if !policy.options.is_empty() => {
            Value::Object(policy.options.clone().into_iter().collect())
        }
        types::Placement::Name(_) | types::Placement::WithOptions(_) => Value::Null,
    };
    if let Err(reason) = entry.build(&options) {
        let mentioned =
            options.as_object().into_iter().flatten().find(|(key, _)| reason.contains(*key));
        let at = path.key("options");
        let at = mentioned.map_or(at.clone(), |(key, _)| at.key(key));
        let message = format!("policy \"{name}\": {reason}");
        problems.add(ErrorCode::PolicyOption, &at, message);
        return None;
    }
    Some(SchedulerPlan {
        placement: entry.clone(),
        options,
        index: index(given.index),
        queue: match given.queue {
            QueueName::Fifo => QueueOrder::Fifo,
            QueueName::Priority => QueueOrder::Priority,
        },
        ties: match given.ties {
            types::TiesName::Lowest => Ties::Lowest,
            types::TiesName::Random => Ties::Random,
        },
        head_of_line_blocking: given.head_of_line_blocking,
        preemption: match given.preemption {
            PreemptionName::Never => PreemptionRule::Never,
            PreemptionName::LowerPriority => PreemptionRule::LowerPriority,
            PreemptionName::Borg => PreemptionRule::BorgBands,
        },
    })
}

fn index(name: IndexName) -> Index {
    match name {
        IndexName::Auto => Index::Auto,
        IndexName::Naive => Index::Naive,
        IndexName::Grid => Index::Grid,
        IndexName::Ranking => Index::Ranking,
    }
}

/// The controllers of one run, in the order in which they are woken.
pub fn controllers(healing: &types::Healing) -> Vec<Box<dyn Controller>> {
    let mut controllers: Vec<Box<dyn Controller>> = Vec::new();
    let lifecycle = &healing.node_lifecycle;
    if lifecycle.enabled {
        let toleration = lifecycle.toleration.as_ref().map_or(SimDuration::ZERO, Quantity::amount);
        controllers.push(Box::new(NodeLifecycle::new(toleration)));
    }
    if healing.replicas {
        controllers.push(Box::new(ReplicaKeeper));
    }
    controllers
}

/// Delays before crashing pods are started again.
pub fn crash_backoff(given: &types::CrashBackoff, problems: &mut Problems<'_>) -> Backoff {
    let path = Path::of(&["healing", "crashBackoff"]);
    let default = Backoff::default();
    let or = |given: &Option<types::DurationText>, default| {
        given.as_ref().map_or(default, Quantity::amount)
    };
    let backoff = Backoff {
        initial: or(&given.initial, default.initial),
        maximum: or(&given.maximum, default.maximum),
        reset_after: or(&given.reset_after, default.reset_after),
    };
    if backoff.initial == SimDuration::ZERO {
        let message = "healing.crashBackoff.initial must be longer than zero";
        problems.add(ErrorCode::OutOfRange, &path.key("initial"), message);
    }
    if backoff.maximum < backoff.initial {
        let message = format!(
            "the longest delay ({}) is shorter than the initial one ({})",
            backoff.maximum, backoff.initial
        );
        problems.add(ErrorCode::Contradiction, &path.key("maximum"), message);
    }
    backoff
}

/// What pods of each tier do.
pub fn tiers(
    scenario: &Scenario,
    files: &Files,
    problems: &mut Problems<'_>,
) -> [TierBehaviour; Tier::COUNT] {
    let mut tiers: [TierBehaviour; Tier::COUNT] = Default::default();
    for (tier, interval) in scenario.healing.checkpoint.iter() {
        tiers[Tier::from(tier) as usize].checkpoint = Some(interval.amount());
    }
    for (tier, time) in scenario.failures.crashes.iter() {
        let tier = Tier::from(tier);
        let path = Path::of(&["failures", "crashes"]).key(tier.name());
        tiers[tier as usize].time_to_crash = Some(lasting(time, &path, files, problems));
    }
    tiers
}

/// What failure processes and faults can name.
pub struct Targets<'a> {
    cell: &'a Cell,
    pools: Vec<&'a str>,
    kinds: BTreeSet<&'a str>,
    trace_brings_nodes: bool,
}

impl<'a> Targets<'a> {
    /// Everything in `cell`; nodes of a trace are not known before it is read.
    pub fn new(scenario: &'a Scenario, cell: &'a Cell, trace_brings_nodes: bool) -> Self {
        let pools = scenario.cluster.pools.iter().map(|pool| pool.name.as_str()).collect();
        let kinds = cell.domains.iter().map(|domain| domain.kind.as_str()).collect();
        Self { cell, pools, kinds, trace_brings_nodes }
    }
}

/// The failure processes.
pub fn processes(
    given: &[types::FailureProcess],
    targets: &Targets<'_>,
    files: &Files,
    problems: &mut Problems<'_>,
) -> Vec<FailureProcess> {
    let mut processes: Vec<FailureProcess> = Vec::new();
    for (index, process) in given.iter().enumerate() {
        let path = Path::of(&["failures", "processes"]).index(index);
        if processes.iter().any(|earlier| earlier.name == process.name) {
            let message = format!("there are two failure processes called \"{}\"", process.name);
            problems.add(ErrorCode::DuplicateName, &path.key("name"), message);
        }
        let to_failure = path.key("timeToFailure");
        let to_repair = path.key("timeToRepair");
        processes.push(FailureProcess {
            name: process.name.clone(),
            target: target(process, targets, &path, problems),
            time_to_failure: lasting(&process.time_to_failure, &to_failure, files, problems),
            time_to_repair: distribution(&process.time_to_repair, &to_repair, files, problems),
        });
    }
    processes
}

fn target(
    process: &types::FailureProcess,
    targets: &Targets<'_>,
    path: &Path,
    problems: &mut Problems<'_>,
) -> FailureTarget {
    if let (Some(_), Some(_)) = (&process.domains, &process.pool) {
        let message = "a failure process has either domains or a pool, not both";
        problems.add(ErrorCode::Contradiction, &path.key("pool"), message);
    }
    if let Some(pool) = &process.pool
        && !targets.pools.contains(&pool.as_str())
        && !targets.trace_brings_nodes
    {
        problems.unknown_name(&path.key("pool"), "pool", pool, targets.pools.iter().copied());
    }
    match &process.domains {
        None => FailureTarget::Nodes { pool: process.pool.clone() },
        Some(kind) => {
            if !targets.kinds.contains(kind.as_str()) {
                let known = targets.kinds.iter().copied();
                problems.unknown_name(&path.key("domains"), "kind of failure domain", kind, known);
            }
            FailureTarget::Domains { kind: kind.clone() }
        }
    }
}

/// The scripted faults.
pub fn faults(
    given: &[types::Fault],
    targets: &Targets<'_>,
    end: Option<SimTime>,
    problems: &mut Problems<'_>,
) -> Vec<ScriptedFault> {
    let domains: BTreeSet<&str> =
        targets.cell.domains.iter().map(|domain| domain.name.as_str()).collect();
    let nodes: BTreeSet<&str> = targets.cell.nodes.iter().map(|node| node.name.as_str()).collect();
    let mut faults = Vec::new();
    for (index, fault) in given.iter().enumerate() {
        let path = Path::of(&["failures", "faults"]).index(index);
        let at = SimTime::ZERO + fault.at.amount();
        if end.is_some_and(|end| at >= end) {
            let message = format!("the fault at {} begins after the end of the run", fault.at);
            problems.add(ErrorCode::Contradiction, &path.key("at"), message);
        }
        if fault.domains.is_empty() && fault.nodes.is_empty() {
            let message = "a fault needs domains or nodes";
            problems.add(ErrorCode::MissingField, &path, message);
        }
        for (position, name) in fault.domains.iter().enumerate() {
            if !domains.contains(name.as_str()) {
                let at = path.key("domains").index(position);
                problems.unknown_name(&at, "failure domain", name, domains.iter().copied());
            }
        }
        for (position, name) in fault.nodes.iter().enumerate() {
            if !nodes.contains(name.as_str()) && !targets.trace_brings_nodes {
                let at = path.key("nodes").index(position);
                problems.unknown_name(&at, "node", name, nodes.iter().copied());
            }
        }
        faults.push(ScriptedFault {
            at,
            lasts: fault.lasts.as_ref().map_or(SimDuration::MAX, Quantity::amount),
            domains: fault.domains.clone(),
            nodes: fault.nodes.clone(),
        });
    }
    faults
}
