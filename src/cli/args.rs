//! What can be typed. The comments are the help texts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Simulates a cluster of machines: its scheduler, its failures and its self-healing.
#[derive(Debug, Parser)]
#[command(name = "cellsim", version, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a scenario and write a report.
    Run(RunArguments),
    /// Replay a run and say why: why a pod is where it is, what a node holds, where two runs part.
    Explain(ExplainArguments),
    /// Check scenarios without running them.
    Validate(ValidateArguments),
    /// Print the JSON Schema of scenario files, for editors.
    Schema(SchemaArguments),
    /// List the placement policies and their options.
    Policies(PoliciesArguments),
    /// Look into traces, convert and generate them.
    #[command(subcommand)]
    Trace(TraceCommand),
}

#[derive(Debug, Args)]
pub struct RunArguments {
    /// The scenario file.
    #[arg(value_name = "SCENARIO")]
    pub scenario: PathBuf,
    /// Folder for the report [default: reports/NAME-SEED].
    #[arg(short, long, value_name = "DIR", conflicts_with = "no_report")]
    pub output: Option<PathBuf>,
    /// Seed, in place of the scenario's.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Number of runs, under consecutive seeds: gives means with 95 % intervals.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub seeds: Option<u32>,
    /// Change a field of the scenario: --set scheduler.placement=worst-fit.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub overrides: Vec<String>,
    /// Audit the state after every event (takes a few times as long).
    #[arg(long)]
    pub check: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    pub json: bool,
    /// Write no report.
    #[arg(long)]
    pub no_report: bool,
    /// Write every fact of the run to a CSV file.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// Threads for several runs [default: one for each core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Exit with 1 if an objective of the scenario was missed.
    #[arg(long)]
    pub fail_on_slo: bool,
    /// No progress and no remarks.
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// The scenario file, or the folder of a report.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// What is asked about: pod/WORKLOAD/NUMBER, pod/#SERIAL, workload/NAME or node/NAME.
    #[arg(value_name = "QUESTION")]
    pub question: Option<String>,
    /// The moment that is asked about: 3h 12min, 03:12:00, 1 d 03:12:00 [default: the last time
    /// that a pod was tried; the end of the run].
    #[arg(long, value_name = "TIME", value_parser = crate::explain::parse_time)]
    pub at: Option<crate::engine::SimTime>,
    /// Another scenario file or report: says where the two runs part.
    #[arg(long, value_name = "RUN")]
    pub against: Option<PathBuf>,
    /// Change a field of the run that this one is held against (without --against: of the same
    /// run).
    #[arg(long = "against-set", value_name = "PATH=VALUE")]
    pub against_overrides: Vec<String>,
    /// Seed, in place of the scenario's.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Change a field of the scenario, as it was changed for the run.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub overrides: Vec<String>,
    /// Folder in which relative paths of a report's scenario begin.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub beside: PathBuf,
    /// Nodes that are listed at most.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub nodes: usize,
    /// Print the answer as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ValidateArguments {
    /// The scenario files.
    #[arg(value_name = "SCENARIO", required = true)]
    pub scenarios: Vec<PathBuf>,
    /// Change a field of every scenario before the check.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub overrides: Vec<String>,
}

#[derive(Debug, Args)]
pub struct SchemaArguments {
    /// Print a manual in Markdown instead.
    #[arg(long)]
    pub markdown: bool,
}

#[derive(Debug, Args)]
pub struct PoliciesArguments {
    /// Print them as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum TraceCommand {
    /// Say what is in a trace.
    Inspect(InspectArguments),
    /// Convert a trace to the CSV of this project.
    Convert(ConvertArguments),
    /// Generate a Borg-like trace in the CSV of this project.
    Generate(GenerateArguments),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// Google's cluster trace of 2011.
    #[value(name = "google2011")]
    Google2011,
    /// Alibaba's GPU trace of 2023.
    Openb,
    /// Standard Workload Format: logs of parallel machines.
    Swf,
    /// The CSV of this project.
    Native,
}

#[derive(Debug, Args)]
pub struct TraceInput {
    /// The folder of the trace, or its file of tasks or pods.
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// File of nodes or machine events, where PATH is a file.
    #[arg(long, value_name = "FILE")]
    pub nodes: Option<PathBuf>,
    /// Stop at the first broken row.
    #[arg(long)]
    pub strict: bool,
}

#[derive(Debug, Args)]
pub struct InspectArguments {
    #[command(flatten)]
    pub input: TraceInput,
    /// Its format.
    #[arg(long, value_enum)]
    pub format: Format,
    /// Print the figures as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ConvertArguments {
    #[command(flatten)]
    pub input: TraceInput,
    /// Its format.
    #[arg(long, value_enum)]
    pub from: Format,
    #[command(flatten)]
    pub target: TraceTarget,
}

#[derive(Debug, Args)]
pub struct TraceTarget {
    /// Folder to write to.
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// How to pack the files.
    #[arg(long, value_enum, default_value_t = Packing::Plain)]
    pub pack: Packing,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// gzip.
    Gz,
    /// zstd.
    Zst,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("length").required(true).multiple(true)))]
pub struct GenerateArguments {
    /// Number of nodes.
    #[arg(long, value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub nodes: u32,
    /// Ends after so many tasks.
    #[arg(long, value_name = "N", group = "length",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub tasks: Option<u64>,
    /// Ends after this time: 12h, 30d.
    #[arg(long, value_name = "TIME", group = "length", value_parser = duration)]
    pub duration: Option<crate::engine::SimDuration>,
    /// Cpu that is requested in the mean, as a share of the cell's.
    #[arg(long, value_name = "SHARE", default_value_t = 0.8)]
    pub allocation: f64,
    /// Seed of the random streams.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    pub target: TraceTarget,
}

fn duration(text: &str) -> Result<crate::engine::SimDuration, String> {
    let duration = crate::scenario::types::DurationText::parse(text)
        .map_err(|reason| format!("it {reason}"))?
        .amount();
    if duration == crate::engine::SimDuration::ZERO {
        return Err("it must be longer than zero".to_owned());
    }
    Ok(duration)
}
