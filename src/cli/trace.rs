//! `cellsim trace`: looks into traces, converts and generates them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::args::{
    ConvertArguments, Format, GenerateArguments, InspectArguments, Packing, TraceCommand,
    TraceInput, TraceTarget,
};
use super::failure::Failure;
use super::output::{check_writable, print, print_json};
use crate::cluster::{ResourceNames, Tier};
use crate::engine::{SimTime, Streams};
use crate::workload::generator::{Generator, borg_like};
use crate::workload::google2011::{Google2011, Google2011Config};
use crate::workload::native::{Compression, Native, NativeConfig, write_trace};
use crate::workload::openb::{Openb, OpenbConfig};
use crate::workload::swf::{Swf, SwfConfig};
use crate::workload::{Change, Source, SourceError, SourceStatistics};

/// Carries out a `trace` command.
///
/// # Errors
/// A trace that cannot be read, or a folder that cannot be written.
pub fn trace(command: &TraceCommand) -> Result<(), Failure> {
    match command {
        TraceCommand::Inspect(arguments) => inspect(arguments),
        TraceCommand::Convert(arguments) => convert(arguments),
        TraceCommand::Generate(arguments) => generate(arguments),
    }
}

/// A trace and what its resources are called.
type Opened = (Box<dyn Source>, ResourceNames);

fn open(input: &TraceInput, format: Format) -> Result<Opened, SourceError> {
    let TraceInput { path, nodes, strict } = input;
    let usual = ResourceNames::default();
    Ok(match format {
        Format::Google2011 => {
            let config = if path.is_dir() && nodes.is_none() {
                Google2011Config { strict: *strict, ..Google2011Config::in_folder(path)? }
            } else {
                Google2011Config {
                    task_events: Some(path.clone()),
                    machine_events: nodes.clone(),
                    strict: *strict,
                    ..Google2011Config::new("", "")
                }
            };
            (Box::new(Google2011::open(&config)?), usual)
        }
        Format::Openb => {
            let config = OpenbConfig {
                nodes: nodes.clone(),
                pods: Some(path.clone()),
                strict: *strict,
                filling: None,
            };
            (Box::new(Openb::open(&config)?), usual)
        }
        Format::Swf => {
            let header = SwfConfig { strict: *strict, ..SwfConfig::new(path) };
            // A log without a machine in its header still has its jobs.
            let bare = SwfConfig { nodes: false, ..header.clone() };
            let machine = Swf::open(&bare)?.header().processors > 0;
            (Box::new(Swf::open(if machine { &header } else { &bare })?), usual)
        }
        Format::Native => {
            let config = NativeConfig { folder: path.clone(), strict: *strict };
            let trace = Native::open(&config)?;
            let names = trace.resource_names().clone();
            (Box::new(trace), names)
        }
    })
}

/// What is in a trace.
#[derive(Debug, Default, Serialize)]
struct Inventory {
    first_time_s: f64,
    last_time_s: f64,
    templates: u64,
    jobs: u64,
    submits: u64,
    submits_by_tier: BTreeMap<&'static str, u64>,
    late_work: u64,
    kills: u64,
    resizes: u64,
    nodes_added: u64,
    nodes_removed: u64,
    nodes_updated: u64,
    statistics: SourceStatistics,
}

fn inspect(arguments: &InspectArguments) -> Result<(), Failure> {
    let (mut source, _) = open(&arguments.input, arguments.format)?;
    let inventory = take_stock(source.as_mut())?;
    if arguments.json { print_json(&inventory) } else { print(&inventory.text()) }
}

fn take_stock(source: &mut dyn Source) -> Result<Inventory, SourceError> {
    let mut inventory = Inventory::default();
    let mut tiers: Vec<Tier> = Vec::new();
    let mut span: Option<(SimTime, SimTime)> = None;
    while let Some(record) = source.next_record()? {
        span = Some((span.map_or(record.time, |(first, _)| first), record.time));
        match record.change {
            Change::Template(template) => {
                inventory.templates += 1;
                tiers.push(template.tier);
            }
            Change::Job { .. } => inventory.jobs += 1,
            Change::Population(_) => {}
            Change::Submit(pod) => {
                inventory.submits += 1;
                let tier = tiers[pod.template.0 as usize].name();
                *inventory.submits_by_tier.entry(tier).or_default() += 1;
            }
            Change::Work { .. } => inventory.late_work += 1,
            Change::Kill { .. } => inventory.kills += 1,
            Change::Resize { .. } => inventory.resizes += 1,
            Change::NodeAdd { .. } => inventory.nodes_added += 1,
            Change::NodeRemove { .. } => inventory.nodes_removed += 1,
            Change::NodeUpdate { .. } => inventory.nodes_updated += 1,
        }
    }
    if let Some((first, last)) = span {
        (inventory.first_time_s, inventory.last_time_s) = (first.as_secs_f64(), last.as_secs_f64());
    }
    inventory.statistics = source.statistics();
    Ok(inventory)
}

impl Inventory {
    fn text(&self) -> String {
        let time = |seconds| crate::engine::SimDuration::from_secs_f64(seconds).to_string();
        let mut lines = vec![
            ("from".to_owned(), time(self.first_time_s)),
            ("to".to_owned(), time(self.last_time_s)),
            ("rows read".to_owned(), self.statistics.rows.to_string()),
            ("pods submitted".to_owned(), self.submits.to_string()),
        ];
        let tiers = self.submits_by_tier.iter();
        lines.extend(tiers.map(|(tier, count)| (format!("  {tier}"), count.to_string())));
        let counts = [
            ("jobs declared", self.jobs),
            ("pod templates", self.templates),
            ("ends told late", self.late_work),
            ("kills", self.kills),
            ("resizes", self.resizes),
            ("nodes added", self.nodes_added),
            ("nodes removed", self.nodes_removed),
            ("nodes updated", self.nodes_updated),
        ];
        lines.extend(counts.map(|(name, count)| (name.to_owned(), count.to_string())));
        let of = |name: &str, counts: &BTreeMap<String, u64>| -> Vec<(String, String)> {
            let line =
                |(reason, count): (&String, &u64)| (format!("{name}: {reason}"), count.to_string());
            counts.iter().map(line).collect()
        };
        lines.extend(of("skipped", &self.statistics.skipped));
        lines.extend(of("note", &self.statistics.noted));
        let widest = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        lines.iter().map(|(name, value)| format!("{name:widest$}  {value:>12}\n")).collect()
    }
}

fn convert(arguments: &ConvertArguments) -> Result<(), Failure> {
    let (mut source, names) = open(&arguments.input, arguments.from)?;
    write(source.as_mut(), &names, &arguments.target)
}

fn generate(arguments: &GenerateArguments) -> Result<(), Failure> {
    let mut config = borg_like(u64::from(arguments.nodes));
    config.allocation = arguments.allocation;
    config.tasks = arguments.tasks;
    config.duration = arguments.duration;
    let streams = Streams { seed: arguments.seed, run: 0 };
    let generator = Generator::new(config, streams);
    let mut generator = generator.map_err(|error| Failure::input(format!("error: {error}")))?;
    write(&mut generator, &ResourceNames::default(), &arguments.target)
}

fn write(
    source: &mut dyn Source,
    names: &ResourceNames,
    target: &TraceTarget,
) -> Result<(), Failure> {
    check_writable(&target.to)?;
    let packing = match target.pack {
        Packing::Plain => Compression::Plain,
        Packing::Gz => Compression::Gz,
        Packing::Zst => Compression::Zst,
    };
    let written = write_trace(source, &target.to, names, packing)?;
    let skipped: u64 = source.statistics().skipped.values().sum();
    let mut text = format!("{} rows in {}\n", written.rows, target.to.display());
    if skipped > 0 {
        text += &format!("{skipped} broken rows were skipped (trace inspect tells why)\n");
    }
    print(&text)
}
