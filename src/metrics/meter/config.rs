//! What the meter has to be told: the window, the resources in use, objectives; and what a
//! [`RunResult`](crate::metrics::RunResult) says beside what it measures.

use crate::cluster::{Dimension, ResourceNames};
use crate::engine::{SimDuration, SimTime};
use crate::metrics::{QuotaSummary, ScenarioInfo, SchedulerSummary};
use crate::workload::SourceStatistics;

/// A resource that is measured, and how its amounts are reported.
#[derive(Clone, Debug, PartialEq)]
pub struct MeteredResource {
    /// Its dimension in [`Resources`](crate::cluster::Resources).
    pub dimension: Dimension,
    /// `cpu`, `memory`, …
    pub name: String,
    /// Unit of the amounts reported: `cores`, `bytes`, …
    pub unit: String,
    /// Amount in [`Resources`](crate::cluster::Resources) that makes one such unit: 1000 for cores.
    pub amount_per_unit: f64,
}

impl MeteredResource {
    /// A resource in its usual unit: cores, bytes, pods, GPUs; `units` where it is an extended one.
    pub fn usual(dimension: Dimension, names: &ResourceNames) -> Self {
        let (unit, amount_per_unit) = match dimension {
            Dimension::CPU => ("cores", 1000.0),
            Dimension::MEMORY | Dimension::STORAGE => ("bytes", 1.0),
            Dimension::PODS => ("pods", 1.0),
            Dimension::GPU => ("GPUs", 1000.0),
            _ => ("units", 1.0),
        };
        let (name, unit) = (names.name(dimension).to_owned(), unit.to_owned());
        Self { dimension, name, unit, amount_per_unit }
    }

    /// A resource of a normalised trace: `amount_per_unit` stands for 1.0 of it.
    pub fn normalised(dimension: Dimension, names: &ResourceNames, amount_per_unit: f64) -> Self {
        let (name, unit) = (names.name(dimension).to_owned(), "units".to_owned());
        Self { dimension, name, unit, amount_per_unit }
    }
}

/// Whether fragmentation is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FragmentationRule {
    /// Never.
    Never,
    /// As long as the pods have few enough shapes for all of them to count exactly; with more, not
    /// at all.
    #[default]
    WhereExact,
    /// Always, with rounded shapes where there are too many.
    Always,
}

/// Settings of a [`Meter`](super::Meter).
#[derive(Clone, Debug, PartialEq)]
pub struct MeterConfig {
    /// Where the measurement window begins.
    pub warmup: SimTime,
    /// Length of the run, where it is known beforehand; decides the buckets of the time series.
    pub duration: Option<SimDuration>,
    /// The resources in use, in the order of reports.
    pub resources: Vec<MeteredResource>,
    /// True where the usage of pods is known: without it no utilization is reported.
    pub usage_known: bool,
    /// Whether fragmentation is measured.
    pub fragmentation: FragmentationRule,
    /// Service level objectives (0 to 1) by name of the declared workload.
    pub objectives: Vec<(String, f64)>,
}

impl MeterConfig {
    /// Dimensions of the resources in use, in the order of reports.
    pub(super) fn dimensions(&self) -> impl Iterator<Item = Dimension> {
        self.resources.iter().map(|resource| resource.dimension)
    }
}

/// What a result says of a run beside what the meter measures.
#[derive(Clone, Debug, PartialEq)]
pub struct RunContext {
    /// What was run.
    pub scenario: ScenarioInfo,
    /// What the reader must know; whole sentences.
    pub notices: Vec<String>,
    /// What the source of the workload says of itself.
    pub source: SourceStatistics,
    /// Fingerprint of the run, 32 hexadecimal digits.
    pub fingerprint: String,
    /// What the scheduler counts; the meter fills in what it says of pending pods.
    pub scheduler: SchedulerSummary,
    /// Quota, by user and band; empty without quota.
    pub admission: Vec<QuotaSummary>,
}
