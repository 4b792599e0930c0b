//! From a scenario to the configuration of a run: names become policies, quantities become
//! numbers, pools become nodes. Whatever does not fit together is found here, all at once.
//!
//! One file per section; `Plan` is what they come to, ready to be run under any number of seeds.

mod admission;
mod behaviour;
mod cluster;
mod distribution;
mod files;
mod index;
mod load;
mod manifests;
mod services;
mod source;
mod topology;
mod trace;

use std::sync::Arc;

use serde_json::Value as Json;

use self::behaviour::{SchedulerPlan, Targets};
use self::files::Files;
use self::load::Load;
use self::topology::Cell;
use self::trace::TracePlan;
use super::document::Path;
use super::error::{ErrorCode, ScenarioErrors};
use super::load::Loaded;
use super::problems::Problems;
use super::registry::Registry;
use super::types::{FragmentationName, Healing, Quantity, Scenario};
use crate::cluster::{Dimension, Overcommit, ResourceNames, Tier};
use crate::engine::{SimDuration, SimTime, Streams};
use crate::failure::{FailureProcess, ScriptedFault};
use crate::healing::{Backoff, Service};
use crate::metrics::{FragmentationRule, MeteredResource, ScenarioInfo};
use crate::protocol::ProcessSpec;
use crate::scheduling::SchedulerConfig;
use crate::simulation::{ControlPlane, Quotas, SimulationConfig, TierBehaviour};
use crate::workload::google2011::UNITS_OF_THE_LARGEST_MACHINE;
use crate::workload::kubernetes::KubernetesCell;
use crate::workload::{ReadProgress, SourceError};

/// A scenario that fits together, ready to be run under any number of seeds.
pub struct Plan {
    /// Its name.
    pub name: String,
    /// Its seed.
    pub seed: u64,
    /// Number of runs that it asks for.
    pub seeds: u32,
    /// When runs end, where the scenario says so.
    pub end: Option<SimTime>,
    title: String,
    resolved: Json,
    warmup: SimTime,
    resources: ResourceNames,
    metered: Vec<MeteredResource>,
    overcommit: Overcommit,
    cell: Cell,
    load: Load,
    services: Vec<Service>,
    quotas: Option<Quotas>,
    control_plane: ControlPlane,
    scheduler: SchedulerPlan,
    manifests: Option<Arc<KubernetesCell>>,
    failures: Vec<FailureProcess>,
    faults: Vec<ScriptedFault>,
    tiers: [TierBehaviour; Tier::COUNT],
    crash_backoff: Backoff,
    healing: Healing,
    controller_processes: Vec<(String, ProcessSpec)>,
    usage_known: bool,
    fragmentation: FragmentationRule,
}

/// One run that is about to begin.
pub struct PreparedRun {
    /// What to simulate.
    pub config: SimulationConfig,
    /// How much of a trace's files has been read.
    pub reading: Option<ReadProgress>,
}

impl Plan {
    /// Assembles a scenario with what `registry` has under the names in it.
    ///
    /// # Errors
    /// Everything in it that does not fit together, and files that are not there.
    pub fn new(loaded: &Loaded, registry: &Registry) -> Result<Self, ScenarioErrors> {
        let mut problems = Problems::new(&loaded.document);
        let scenario = &loaded.scenario;
        let files = Files::beside(loaded.folder.clone());
        check_name(scenario, &mut problems);
        let end = run_end(scenario, &mut problems);
        let warmup = warmup(scenario, end, &mut problems);
        let names = cluster::resource_names(&scenario.cluster, &mut problems);
        let manifests = manifests::read(&scenario.kubernetes, &files, &mut problems);
        let names = match &manifests {
            Some(manifests) => manifests::resource_names(names, manifests, &mut problems),
            None => names,
        };
        let mut pools = cluster::pools(&scenario.cluster, &names, &mut problems);
        let (mut load, brought) = load::load(scenario, &pools, &files, &mut problems);
        pools.extend(brought);
        load::end_with_run(&mut load, end);
        check_end(end, &load, &mut problems);
        if manifests.as_ref().is_none_or(|manifests| manifests.objects.nodes.is_empty()) {
            check_nodes(&pools, &load, &mut problems);
        }
        let names = with_names_of_trace(names, &load, &mut problems);
        let from_trace = load.trace_brings_nodes();
        let mut cell = topology::cell(scenario, pools, from_trace, &mut problems);
        let mut others = Vec::new();
        if let Some(manifests) = &manifests {
            manifests::add_nodes(&mut cell, manifests, &names);
            others = manifests::services(manifests, &names);
        }
        let targets = Targets::new(scenario, &cell, from_trace);
        let scheduler = behaviour::scheduler(&scenario.scheduler, registry, &files, &mut problems);
        let services = services::services(scenario, others, &names, &files, &mut problems);
        let quotas = admission::quotas(&scenario.admission, &mut problems);
        let failures = &scenario.failures;
        let failures_built =
            behaviour::processes(&failures.processes, &targets, &files, &mut problems);
        let faults = behaviour::faults(&failures.faults, &targets, end, &mut problems);
        let control_plane =
            behaviour::control_plane(&scenario.control_plane, &files, &mut problems);
        let tiers = behaviour::tiers(scenario, &files, &mut problems);
        let crash_backoff =
            behaviour::crash_backoff(&scenario.healing.crash_backoff, &mut problems);
        let overcommit = cluster::overcommit(&scenario.cluster.overcommit, &names, &mut problems);
        let controller_processes =
            behaviour::controller_processes(&scenario.healing.processes, &files, &mut problems);
        problems.check()?;
        let usage_known = load.tells_usage()
            || scenario.workload.services.iter().any(|service| service.usage.is_some());
        Ok(Self {
            name: scenario.name.clone().unwrap_or_default(),
            seed: scenario.seed,
            seeds: scenario.experiment.seeds,
            end,
            title: scenario.title.clone(),
            resolved: resolved(scenario),
            warmup,
            metered: metered(&names, &cell, &load, &services),
            resources: names,
            overcommit,
            cell,
            load,
            services,
            quotas,
            control_plane,
            scheduler: scheduler.expect("a scheduler that is missing is a problem"),
            manifests,
            failures: failures_built,
            faults,
            tiers,
            crash_backoff,
            healing: scenario.healing.clone(),
            controller_processes,
            usage_known,
            fragmentation: fragmentation(scenario),
        })
    }

    /// The resources that are measured, with their units.
    pub fn metered(&self) -> &[MeteredResource] {
        &self.metered
    }

    /// Scheduler and placement policy in a few words.
    pub fn policy_name(&self) -> String {
        let (architecture, placement) =
            (self.scheduler.architecture_name(), self.scheduler.placement_name());
        if architecture == placement {
            architecture.to_owned()
        } else {
            format!("{architecture} with {placement}")
        }
    }

    /// What the scenario says of placement, queue and preemption, made anew.
    pub fn scheduler_config(&self) -> SchedulerConfig {
        self.scheduler.build()
    }

    /// Prepares the `run`-th run under `seed`; the state is audited after every event if `check`.
    ///
    /// # Errors
    /// A file of a trace that cannot be read.
    pub fn prepare(&self, seed: u64, run: u64, check: bool) -> Result<PreparedRun, SourceError> {
        let streams = Streams { seed, run };
        let (source, reading) = self.load.open(streams, &self.cell.for_trace_nodes)?;
        let info = ScenarioInfo {
            name: self.name.clone(),
            title: self.title.clone(),
            seed,
            architecture: self.scheduler.architecture_name().to_owned(),
            placement: self.scheduler.placement_name().to_owned(),
            queue: self.scheduler.queue_name().to_owned(),
            resolved: self.resolved.clone(),
        };
        let config = SimulationConfig {
            seed,
            run,
            end: self.end,
            warmup: self.warmup,
            resources: self.resources.clone(),
            metered: self.metered.clone(),
            info,
            domains: self.cell.domains.clone(),
            nodes: self.cell.nodes.clone(),
            overcommit: self.overcommit.clone(),
            source,
            services: self.services.clone(),
            quotas: self.quotas.clone(),
            control_plane: self.control_plane.clone(),
            scheduler: SchedulerConfig {
                manifests: self.manifests.clone(),
                ..self.scheduler.build()
            },
            architecture: Some(self.scheduler.build_architecture()),
            failures: self.failures.clone(),
            faults: self.faults.clone(),
            tiers: self.tiers.clone(),
            crash_backoff: self.crash_backoff,
            controllers: behaviour::controllers(&self.healing, &self.controller_processes),
            usage_known: self.usage_known,
            fragmentation: self.fragmentation,
            check,
        };
        Ok(PreparedRun { config, reading })
    }
}

fn check_name(scenario: &Scenario, problems: &mut Problems<'_>) {
    let name = scenario.name.as_deref().unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(fits) {
        let message = format!(
            "the name \"{name}\" must be letters, digits, dots and dashes: it names a folder"
        );
        problems.add(ErrorCode::OutOfRange, &Path::of(&["name"]), message);
    }
}

fn run_end(scenario: &Scenario, problems: &mut Problems<'_>) -> Option<SimTime> {
    let length = scenario.duration.as_ref()?.amount();
    if length == SimDuration::ZERO {
        let message = "the duration must be longer than zero";
        problems.add(ErrorCode::OutOfRange, &Path::of(&["duration"]), message);
    }
    Some(SimTime::ZERO + length)
}

fn warmup(scenario: &Scenario, end: Option<SimTime>, problems: &mut Problems<'_>) -> SimTime {
    let warmup = scenario.measure.warmup.as_ref().map_or(SimDuration::ZERO, Quantity::amount);
    let warmup = SimTime::ZERO + warmup;
    if let Some(end) = end
        && warmup >= end
        && warmup > SimTime::ZERO
    {
        let message = format!(
            "the warm-up ({warmup}) is not shorter than the run ({end}): nothing would be measured"
        );
        problems.add(ErrorCode::Contradiction, &Path::of(&["measure", "warmup"]), message);
    }
    warmup
}

fn fragmentation(scenario: &Scenario) -> FragmentationRule {
    match scenario.measure.fragmentation {
        None => FragmentationRule::default(),
        Some(FragmentationName::WhereExact) => FragmentationRule::WhereExact,
        Some(FragmentationName::Always) => FragmentationRule::Always,
        Some(FragmentationName::Never) => FragmentationRule::Never,
    }
}

fn check_end(end: Option<SimTime>, load: &Load, problems: &mut Problems<'_>) {
    if end.is_none() && !load.ends() {
        problems.add_with_help(
            ErrorCode::MissingField,
            &Path::root(),
            "this scenario would run for ever: it lacks \"duration\"",
            "add for example duration: 30d",
        );
    }
}

fn check_nodes(pools: &[cluster::PoolNodes], load: &Load, problems: &mut Problems<'_>) {
    if pools.is_empty() && !load.trace_brings_nodes() {
        problems.add_with_help(
            ErrorCode::MissingField,
            &Path::of(&["cluster"]),
            "the cell has no nodes",
            "add cluster.pools, or a workload that brings nodes",
        );
    }
}

/// The names of a native trace's extended resources, where the scenario names none itself.
fn with_names_of_trace(
    names: ResourceNames,
    load: &Load,
    problems: &mut Problems<'_>,
) -> ResourceNames {
    let Load::Trace(TracePlan::Native { names: of_trace, .. }) = load else { return names };
    let given = names != ResourceNames::default();
    if given && names != *of_trace {
        let message = "the trace has other extended resources than cluster.resources";
        problems.add_with_help(
            ErrorCode::Contradiction,
            &Path::of(&["cluster", "resources"]),
            message,
            "leave them out: the trace names them",
        );
    }
    of_trace.clone()
}

/// The resources to measure: cpu and memory, and others where somebody has or wants them.
fn metered(
    names: &ResourceNames,
    cell: &Cell,
    load: &Load,
    services: &[Service],
) -> Vec<MeteredResource> {
    let in_use = |dimension: Dimension| {
        cell.nodes.iter().any(|node| node.allocatable[dimension] > 0)
            || services.iter().any(|service| service.requests[dimension] > 0)
    };
    let of_trace = |dimension: Dimension| match load {
        Load::Trace(TracePlan::Google2011(config)) => {
            config.disk && dimension == Dimension::STORAGE
        }
        Load::Trace(TracePlan::Openb(_)) => dimension == Dimension::GPU,
        Load::Trace(TracePlan::Swf(_)) => false,
        Load::Trace(TracePlan::Native { gpus, .. }) => {
            (*gpus && dimension == Dimension::GPU) || dimension >= Dimension::FIRST_EXTENDED
        }
        Load::Services | Load::Generated(_) | Load::Poisson(_) | Load::Unreadable => false,
    };
    let always = [Dimension::CPU, Dimension::MEMORY];
    let metered = names.iter().map(|(dimension, _)| dimension).filter(|dimension| {
        let unlimited = *dimension == Dimension::PODS;
        always.contains(dimension) || !unlimited && (in_use(*dimension) || of_trace(*dimension))
    });
    let normalised = matches!(load, Load::Trace(TracePlan::Google2011(_)));
    metered
        .map(|dimension| {
            if normalised {
                let per_unit = UNITS_OF_THE_LARGEST_MACHINE as f64;
                MeteredResource::normalised(dimension, names, per_unit)
            } else {
                MeteredResource::usual(dimension, names)
            }
        })
        .collect()
}

/// The scenario with all defaults, for the report; fields without a value are left out.
fn resolved(scenario: &Scenario) -> Json {
    fn without_nothing(value: Json) -> Json {
        match value {
            Json::Object(fields) => {
                let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
                fields.map(|(key, value)| (key, without_nothing(value))).collect()
            }
            Json::Array(items) => items.into_iter().map(without_nothing).collect(),
            scalar @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) => scalar,
        }
    }
    without_nothing(serde_json::to_value(scenario).expect("a scenario is plain data"))
}
