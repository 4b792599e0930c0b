//! Sections `controlPlane`, `scheduler`, `healing` and `failures`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use super::distribution::{distribution, lasting};
use super::files::Files;
use super::index::index;
use super::topology::Cell;
use crate::cluster::Tier;
use crate::engine::{SimDuration, SimTime};
use crate::failure::{FailureProcess, FailureTarget, ScriptedFault};
use crate::healing::{Backoff, Controller, NodeLifecycle, ProcessController, ReplicaKeeper};
use crate::protocol::ProcessSpec;
use crate::scenario::document::Path;
use crate::scenario::error::ErrorCode;
use crate::scenario::problems::Problems;
use crate::scenario::registry::{Entry, Registry};
use crate::scenario::types::{self, PreemptionName, Quantity, QueueName, Scenario};
use crate::scheduling::placement::{Index, Strategy, Ties};
use crate::scheduling::{
    BuildScheduler, PROCESS, PreemptionRule, QueueOrder, SchedulerConfig, Setting,
};
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

/// One of several by name, found in the registry, with its options.
struct Chosen<T> {
    entry: Entry<T>,
    options: Value,
    folder: PathBuf,
}

impl<T> Chosen<T> {
    fn build(&self) -> T {
        let built = self.entry.build(&self.options, &self.folder);
        built.expect("the same options have been accepted before")
    }
}

/// A scheduler that can be built anew for each run.
pub struct SchedulerPlan {
    architecture: Chosen<BuildScheduler>,
    placement: Chosen<Strategy>,
    index: Index,
    ties: Ties,
    queue: QueueOrder,
    head_of_line_blocking: bool,
    preemption: PreemptionRule,
}

impl SchedulerPlan {
    /// Placement, queue and preemption for one run.
    pub fn build(&self) -> SchedulerConfig {
        SchedulerConfig {
            placement_name: self.placement.entry.name.clone(),
            strategy: self.placement.build(),
            index: self.index,
            ties: self.ties,
            queue: self.queue,
            head_of_line_blocking: self.head_of_line_blocking,
            preemption: self.preemption,
            manifests: None,
        }
    }

    /// The scheduler for one run.
    pub fn build_architecture(&self) -> BuildScheduler {
        self.architecture.build()
    }

    /// Name of the scheduler.
    pub fn architecture_name(&self) -> &str {
        &self.architecture.entry.name
    }

    /// Name of the placement policy; of the scheduler itself, where it follows none. A program
    /// brings its own.
    pub fn placement_name(&self) -> &str {
        let own = self.architecture.entry.ignores.contains(&Setting::Placement);
        if own || self.architecture_name() == PROCESS {
            return self.architecture_name();
        }
        &self.placement.entry.name
    }

    /// Name of the queue discipline.
    pub fn queue_name(&self) -> &'static str {
        match self.queue {
            _ if self.architecture_name() == PROCESS => PROCESS,
            QueueOrder::Fifo => "fifo",
            QueueOrder::Priority => "priority",
        }
    }
}

/// The scheduler, or `None` where it or its policy does not exist or refuses its options.
pub fn scheduler(
    given: &types::Scheduler,
    registry: &Registry,
    files: &Files,
    problems: &mut Problems<'_>,
) -> Option<SchedulerPlan> {
    let path = Path::of(&["scheduler"]);
    let folder = files.folder();
    let at = path.key("architecture");
    let architecture =
        choose(&given.architecture, registry.schedulers(), "scheduler", &at, folder, problems);
    let at = path.key("placement");
    let placement =
        choose(&given.placement, registry.placements(), "policy", &at, folder, problems);
    if let Some(chosen) = &architecture {
        refuse_what_is_ignored(given, &chosen.entry, problems);
    }
    let follows_placement = architecture
        .as_ref()
        .is_none_or(|chosen| !chosen.entry.ignores.contains(&Setting::Placement));
    let scores = |chosen: &Chosen<Strategy>| matches!(chosen.build(), Strategy::Scored(_));
    let compares = follows_placement && placement.as_ref().is_none_or(scores);
    let index = index(&given.index, compares, problems);
    Some(SchedulerPlan {
        architecture: architecture?,
        placement: placement?,
        index,
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

/// What a scheduler would not follow must not stand in the scenario as if it did.
fn refuse_what_is_ignored(
    given: &types::Scheduler,
    chosen: &Entry<BuildScheduler>,
    problems: &mut Problems<'_>,
) {
    let usual = types::Scheduler::default();
    for setting in chosen.ignores {
        let (field, is_usual) = match setting {
            Setting::Placement => ("placement", given.placement == usual.placement),
            Setting::Queue => ("queue", given.queue == usual.queue),
            Setting::HeadOfLineBlocking => {
                ("headOfLineBlocking", given.head_of_line_blocking == usual.head_of_line_blocking)
            }
            Setting::Preemption => ("preemption", given.preemption == usual.preemption),
        };
        if !is_usual {
            let path = Path::of(&["scheduler", field]);
            let message = format!("the scheduler \"{}\" does not follow `{field}`", chosen.name);
            let help = "leave it out, or choose another scheduler.architecture";
            problems.add_with_help(ErrorCode::Contradiction, &path, message, help);
        }
    }
}

/// Finds what `choice` names among `entries`, and sees whether it takes the options.
fn choose<T>(
    choice: &types::Choice,
    entries: &[Entry<T>],
    what: &str,
    path: &Path,
    folder: &std::path::Path,
    problems: &mut Problems<'_>,
) -> Option<Chosen<T>> {
    let name = choice.name();
    let Some(entry) = entries.iter().find(|entry| entry.name == name) else {
        let at = match choice {
            types::Choice::Name(_) => path.clone(),
            types::Choice::WithOptions(_) => path.key("name"),
        };
        problems.unknown_name(&at, what, name, entries.iter().map(|entry| entry.name.as_str()));
        return None;
    };
    let options = choice.options();
    if let Err(reason) = entry.build(&options, folder) {
        let mentioned =
            options.as_object().into_iter().flatten().find(|(key, _)| reason.contains(*key));
        let at = path.key("options");
        let at = mentioned.map_or(at.clone(), |(key, _)| at.key(key));
        problems.add(ErrorCode::PolicyOption, &at, format!("{what} \"{name}\": {reason}"));
        return None;
    }
    Some(Chosen { entry: entry.clone(), options, folder: folder.to_owned() })
}

/// How the controllers that are child processes are started, with their names.
pub fn controller_processes(
    given: &[types::ControllerProcess],
    files: &Files,
    problems: &mut Problems<'_>,
) -> Vec<(String, ProcessSpec)> {
    let mut processes: Vec<(String, ProcessSpec)> = Vec::new();
    for (index, process) in given.iter().enumerate() {
        let path = Path::of(&["healing", "processes"]).index(index);
        if processes.iter().any(|(name, _)| *name == process.name) {
            let message = format!("there are two controllers called \"{}\"", process.name);
            problems.add(ErrorCode::DuplicateName, &path.key("name"), message);
        }
        if process.command.first().is_none_or(String::is_empty) {
            let message = "the command must begin with a program";
            problems.add(ErrorCode::MissingField, &path.key("command"), message);
        }
        let spec = ProcessSpec {
            command: process.command.clone(),
            folder: files.folder().to_owned(),
            reply_within_s: process.reply_within.map_or(ProcessSpec::REPLY_WITHIN_S, u64::from),
            options: Value::Object(process.options.clone().into_iter().collect()),
        };
        processes.push((process.name.clone(), spec));
    }
    processes
}

/// The controllers of one run, in the order in which they are woken.
pub fn controllers(
    healing: &types::Healing,
    processes: &[(String, ProcessSpec)],
) -> Vec<Box<dyn Controller>> {
    let mut controllers: Vec<Box<dyn Controller>> = Vec::new();
    let lifecycle = &healing.node_lifecycle;
    if lifecycle.enabled {
        let toleration = lifecycle.toleration.as_ref().map_or(SimDuration::ZERO, Quantity::amount);
        controllers.push(Box::new(NodeLifecycle::new(toleration)));
    }
    if healing.replicas {
        controllers.push(Box::new(ReplicaKeeper));
    }
    for (name, spec) in processes {
        controllers.push(Box::new(ProcessController::new(name.clone(), spec.clone())));
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
