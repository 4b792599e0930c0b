//! Section `workload.trace`: which files to read, and how.

use std::path::PathBuf;

use super::files::Files;
use super::source::HangOnDomains;
use crate::cluster::ResourceNames;
use crate::engine::Streams;
use crate::scenario::document::Path;
use crate::scenario::error::ErrorCode;
use crate::scenario::problems::Problems;
use crate::scenario::types::{
    ArrivalsName, EstimateName, FactorText, Quantity, TenantName, Trace, TraceFormat,
};
use crate::workload::google2011::{DEFAULT_HORIZON, Google2011, Google2011Config};
use crate::workload::native::{Native, NativeConfig};
use crate::workload::openb::{Filling, Openb, OpenbConfig};
use crate::workload::swf::{Swf, SwfConfig, Tenant};
use crate::workload::{ReadAhead, ReadProgress, Source, SourceError};

/// A trace that can be opened anew for each run.
#[derive(Clone, Debug)]
pub enum TracePlan {
    /// Google 2011.
    Google2011(Google2011Config),
    /// Alibaba 2023 GPU.
    Openb(OpenbConfig),
    /// A log of a parallel machine.
    Swf(SwfConfig),
    /// The project's own format.
    Native {
        /// Where it is.
        config: NativeConfig,
        /// What its resources are called.
        names: ResourceNames,
        /// Whether it says anything about GPUs.
        gpus: bool,
    },
}

impl TracePlan {
    /// Opens the trace, which draws from `streams` where it draws at all; its nodes are dealt out
    /// over the domains of each of `levels`.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn open(
        &self,
        streams: Streams,
        levels: &[Vec<String>],
    ) -> Result<(Box<dyn Source>, ReadProgress), SourceError> {
        match self {
            Self::Google2011(config) => {
                let source = Google2011::open(config)?;
                let progress = source.progress();
                Ok((hung(source, levels), progress))
            }
            Self::Openb(config) => {
                let filling = config.filling.map(|filling| Filling { streams, ..filling });
                let source = Openb::open(&OpenbConfig { filling, ..config.clone() })?;
                let progress = source.progress();
                Ok((hung(source, levels), progress))
            }
            Self::Swf(config) => {
                let source = Swf::open(config)?;
                let progress = source.progress();
                Ok((hung(source, levels), progress))
            }
            Self::Native { config, .. } => {
                let source = Native::open(config)?;
                let progress = source.progress();
                Ok((hung(source, levels), progress))
            }
        }
    }

    /// True if the trace brings nodes (or may).
    pub fn brings_nodes(&self) -> bool {
        match self {
            Self::Google2011(config) => config.machine_events.is_some(),
            Self::Openb(config) => config.nodes.is_some(),
            Self::Swf(config) => config.nodes,
            Self::Native { .. } => true,
        }
    }
}

fn hung<S: Source + 'static>(source: S, levels: &[Vec<String>]) -> Box<dyn Source> {
    if levels.is_empty() {
        return Box::new(ReadAhead::new(source));
    }
    Box::new(ReadAhead::new(HangOnDomains::new(source, levels.to_vec())))
}

/// The trace of a scenario, or `None` where it cannot be read. `has_nodes`: the scenario has nodes
/// of its own.
pub fn trace(
    given: &Trace,
    has_nodes: bool,
    files: &Files,
    problems: &mut Problems<'_>,
) -> Option<TracePlan> {
    let path = Path::of(&["workload", "trace"]);
    check_fields(given, &path, problems);
    let mut find = |field: &str, name: &Option<String>| {
        name.as_ref().and_then(|name| files.find(name, &path.key(field), problems))
    };
    match given.format {
        TraceFormat::Google2011 => {
            let folder = find("path", &given.path);
            let tables = Google2011Config {
                task_events: find("tasks", &given.tasks),
                machine_events: find("machines", &given.machines),
                task_constraints: find("constraints", &given.constraints),
                machine_attributes: find("attributes", &given.attributes),
                strict: given.strict,
                disk: given.disk,
                horizon: given.horizon.as_ref().map_or(DEFAULT_HORIZON, Quantity::amount),
            };
            google(given, folder, tables, &path, problems)
        }
        TraceFormat::Openb => Some(TracePlan::Openb(OpenbConfig {
            nodes: find("nodes", &given.nodes),
            pods: find("pods", &given.pods),
            strict: given.strict,
            filling: filling(given, &path, problems),
        })),
        TraceFormat::Swf => {
            let log = find("path", &given.path)?;
            swf(given, log, has_nodes, &path, problems)
        }
        TraceFormat::Native => {
            let folder = find("path", &given.path)?;
            native(folder, given.strict, &path, problems)
        }
    }
}

/// The fields that a format needs, and those that it does not know.
fn check_fields(given: &Trace, path: &Path, problems: &mut Problems<'_>) {
    let fields = [
        ("path", given.path.is_some()),
        ("tasks", given.tasks.is_some()),
        ("machines", given.machines.is_some()),
        ("constraints", given.constraints.is_some()),
        ("attributes", given.attributes.is_some()),
        ("nodes", given.nodes.is_some()),
        ("pods", given.pods.is_some()),
        ("arrivals", given.arrivals.is_some()),
        ("inflate", given.inflate.is_some()),
        ("disk", given.disk),
        ("horizon", given.horizon.is_some()),
        ("coresPerPod", given.cores_per_pod.is_some()),
        ("gang", given.gang.is_some()),
        ("memory", given.memory),
        ("dependencies", given.dependencies.is_some()),
        ("estimates", given.estimates.is_some()),
        ("tenant", given.tenant.is_some()),
    ];
    let (format, known, needed): (_, &[&str], &[&str]) = match given.format {
        TraceFormat::Google2011 => (
            "google2011",
            &["path", "tasks", "machines", "constraints", "attributes", "disk", "horizon"],
            &["path", "tasks", "machines"],
        ),
        TraceFormat::Openb => {
            ("openb", &["nodes", "pods", "arrivals", "inflate"], &["nodes", "pods"])
        }
        TraceFormat::Swf => (
            "swf",
            &["path", "coresPerPod", "gang", "memory", "dependencies", "estimates", "tenant"],
            &["path"],
        ),
        TraceFormat::Native => ("native", &["path"], &["path"]),
    };
    for (field, _) in fields.iter().filter(|(field, there)| *there && !known.contains(field)) {
        let message = format!("the format {format} has no \"{field}\"");
        problems.add_with_help(
            ErrorCode::UnknownField,
            &path.key(field),
            message,
            format!("it has {}", known.join(", ")),
        );
    }
    if !fields.iter().any(|(field, there)| *there && needed.contains(field)) {
        let message = format!("the format {format} needs {}", needed.join(" or "));
        problems.add(ErrorCode::MissingField, path, message);
    }
}

/// How a list of pods fills a cell, if that is wanted.
fn filling(given: &Trace, path: &Path, problems: &mut Problems<'_>) -> Option<Filling> {
    let shuffled = given.arrivals == Some(ArrivalsName::Shuffled);
    let needs = [
        (shuffled, "shuffled arrivals", "add arrivals: shuffled"),
        (given.nodes.is_some(), "the nodes of the trace", "add nodes"),
    ];
    for (_, what, help) in needs.iter().filter(|(there, ..)| given.inflate.is_some() && !there) {
        let message = format!("\"inflate\" needs {what}");
        problems.add_with_help(ErrorCode::Contradiction, &path.key("inflate"), message, *help);
    }
    let permille = |factor: &FactorText| (factor.amount() * 1000.0 + 0.5) as u64;
    // The streams are those of the run that the trace is opened for.
    let streams = Streams { seed: 0, run: 0 };
    let inflate_permille = given.inflate.as_ref().map(permille);
    shuffled.then_some(Filling { inflate_permille, streams })
}

/// The tables in the folder, with those that are named one by one in their place.
fn google(
    given: &Trace,
    folder: Option<PathBuf>,
    tables: Google2011Config,
    path: &Path,
    problems: &mut Problems<'_>,
) -> Option<TracePlan> {
    let Some(folder) = folder else {
        let any = tables.task_events.is_some() || tables.machine_events.is_some();
        return any.then_some(TracePlan::Google2011(tables));
    };
    if !folder.is_dir() {
        let name = given.path.as_deref().unwrap_or_default();
        let message = format!("\"{name}\" is a file; path is the folder of all tables");
        problems.add_with_help(
            ErrorCode::File,
            &path.key("path"),
            message,
            "name single tables with tasks and machines",
        );
        return None;
    }
    match Google2011Config::in_folder(&folder) {
        Ok(found) => Some(TracePlan::Google2011(Google2011Config {
            task_events: tables.task_events.or(found.task_events),
            machine_events: tables.machine_events.or(found.machine_events),
            task_constraints: tables.task_constraints.or(found.task_constraints),
            machine_attributes: tables.machine_attributes.or(found.machine_attributes),
            ..tables
        })),
        Err(error) => {
            problems.add(ErrorCode::File, &path.key("path"), error.to_string());
            None
        }
    }
}

/// A log is opened once beforehand: it is small, and what is wrong with it is told at once.
fn swf(
    given: &Trace,
    log: PathBuf,
    has_nodes: bool,
    path: &Path,
    problems: &mut Problems<'_>,
) -> Option<TracePlan> {
    let config = SwfConfig {
        log,
        strict: given.strict,
        nodes: !has_nodes,
        cores_per_pod: given.cores_per_pod.unwrap_or(1),
        gang: given.gang.unwrap_or(true),
        memory: given.memory,
        dependencies: given.dependencies.unwrap_or(true),
        exact_estimates: given.estimates == Some(EstimateName::Exact),
        tenant: match given.tenant {
            None | Some(TenantName::User) => Tenant::User,
            Some(TenantName::Group) => Tenant::Group,
            Some(TenantName::Queue) => Tenant::Queue,
        },
    };
    match Swf::open(&config) {
        Ok(_) => Some(TracePlan::Swf(config)),
        Err(error) => {
            problems.add(ErrorCode::File, &path.key("path"), error.to_string());
            None
        }
    }
}

fn native(
    folder: PathBuf,
    strict: bool,
    path: &Path,
    problems: &mut Problems<'_>,
) -> Option<TracePlan> {
    let config = NativeConfig { folder, strict };
    // Opened once beforehand for the names of its resources.
    match Native::open(&config) {
        Ok(trace) => {
            let (names, gpus) = (trace.resource_names().clone(), trace.tells_of_gpus());
            Some(TracePlan::Native { config, names, gpus })
        }
        Err(error) => {
            problems.add(ErrorCode::File, &path.key("path"), error.to_string());
            None
        }
    }
}
