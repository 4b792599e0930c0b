//! A summary of what a source yields: the first look at a trace.
//!
//! It folds over records and keeps counts, quantile sketches and nothing that grows with the
//! trace, but for the nodes.

use std::collections::{BTreeMap, BTreeSet};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::record::{Change, NodeKey, Outcome, PodRecord, Record, Source, Work};
use super::source::{SourceError, SourceStatistics};
use crate::cluster::{DIMENSIONS, Dimension, NodeSpec, PodTemplate, Resources, Tier};
use crate::engine::{SimDuration, SimTime};

/// Significant digits of the quantiles.
const DIGITS: u8 = 3;

/// What a source holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceSummary {
    /// Time of the last record, in microseconds.
    pub span_us: u64,
    /// Records by kind.
    pub records: BTreeMap<String, u64>,
    /// Pods submitted, by tier.
    pub pods_by_tier: BTreeMap<String, u64>,
    /// Pods submitted at time zero.
    pub pods_at_start: u64,
    /// Pods submitted later, per second of the span.
    pub arrivals_per_second: f64,
    /// Different nodes.
    pub nodes: u64,
    /// Nodes added at time zero, by pool.
    pub nodes_at_start: BTreeMap<String, u64>,
    /// What those have together, by dimension.
    pub capacity_at_start: Resources,
    /// Requests of cpu, in the unit of the source.
    pub cpu_request: Quantiles,
    /// Requests of memory, in the unit of the source.
    pub memory_request: Quantiles,
    /// Length of runs whose end is known, in microseconds.
    pub run_us: Quantiles,
    /// Ends of attempts: `finish`, `fail`, `until-stopped`.
    pub ends: BTreeMap<String, u64>,
    /// Cpu × seconds of the runs whose end was known when the pod was submitted.
    pub cpu_seconds: f64,
    /// What the source tells of itself.
    pub statistics: SourceStatistics,
}

/// Quantiles to three significant digits; all zero where there is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Number of values.
    pub count: u64,
    /// Smallest value.
    pub min: u64,
    /// Median.
    pub p50: u64,
    /// 90th percentile.
    pub p90: u64,
    /// 99th percentile.
    pub p99: u64,
    /// Largest value.
    pub max: u64,
}

impl Quantiles {
    fn of(values: &Histogram<u64>) -> Self {
        if values.is_empty() {
            return Self::default();
        }
        Self {
            count: values.len(),
            min: values.min(),
            p50: values.value_at_quantile(0.5),
            p90: values.value_at_quantile(0.9),
            p99: values.value_at_quantile(0.99),
            max: values.max(),
        }
    }
}

/// Reads `source` to its end and sums it up.
///
/// # Errors
/// What the source says.
pub fn inspect(source: &mut dyn Source) -> Result<TraceSummary, SourceError> {
    let mut inspector = Inspector::new();
    while let Some(record) = source.next_record()? {
        inspector.add(&record);
    }
    Ok(inspector.finish(source.statistics()))
}

/// The fold.
struct Inspector {
    summary: TraceSummary,
    /// Tiers of the templates declared so far.
    templates: Vec<Tier>,
    pods_by_tier: [u64; Tier::COUNT],
    kinds: [u64; KINDS.len()],
    ends: [u64; ENDS.len()],
    nodes: BTreeSet<NodeKey>,
    later_pods: u64,
    cpu_request: Histogram<u64>,
    memory_request: Histogram<u64>,
    run_us: Histogram<u64>,
}

/// Kinds of records.
const KINDS: [&str; 9] = [
    "template",
    "job",
    "submit",
    "work",
    "kill",
    "resize",
    "node-add",
    "node-remove",
    "node-update",
];
/// Ends of attempts.
const ENDS: [&str; 3] = ["finish", "fail", "until-stopped"];

impl Inspector {
    fn new() -> Self {
        let sketch = || Histogram::new(DIGITS).expect("three digits are allowed");
        Self {
            summary: TraceSummary::default(),
            templates: Vec::new(),
            pods_by_tier: [0; Tier::COUNT],
            kinds: [0; KINDS.len()],
            ends: [0; ENDS.len()],
            nodes: BTreeSet::new(),
            later_pods: 0,
            cpu_request: sketch(),
            memory_request: sketch(),
            run_us: sketch(),
        }
    }

    fn add(&mut self, record: &Record) {
        self.summary.span_us = record.time.0;
        let kind = match &record.change {
            Change::Template(template) => self.add_template(template),
            Change::Job { .. } => "job",
            Change::Population(_) => return,
            Change::Submit(pod) => self.add_pod(record.time, pod),
            Change::Work { work, .. } => self.add_work(*work, "work"),
            Change::Kill { .. } => "kill",
            Change::Resize { .. } => "resize",
            Change::NodeAdd { key, spec } => self.add_node(record.time, *key, spec),
            Change::NodeRemove { .. } => "node-remove",
            Change::NodeUpdate { .. } => "node-update",
        };
        count(&KINDS, &mut self.kinds, kind);
    }

    fn add_template(&mut self, template: &PodTemplate) -> &'static str {
        self.templates.push(template.tier);
        "template"
    }

    fn add_pod(&mut self, time: SimTime, pod: &PodRecord) -> &'static str {
        if let Some(tier) = self.templates.get(pod.template.0 as usize) {
            self.pods_by_tier[*tier as usize] += 1;
        }
        if time == SimTime::ZERO {
            self.summary.pods_at_start += 1;
        } else {
            self.later_pods += 1;
        }
        let cpu = pod.requests[Dimension::CPU];
        add_to(&mut self.cpu_request, cpu as u64);
        add_to(&mut self.memory_request, pod.requests[Dimension::MEMORY] as u64);
        if let Work::For { run, .. } = pod.work {
            self.summary.cpu_seconds += cpu as f64 * run.as_secs_f64();
        }
        self.add_work(pod.work, "submit")
    }

    fn add_work(&mut self, work: Work, kind: &'static str) -> &'static str {
        let end = match work {
            Work::For { run: SimDuration(run), outcome } => {
                add_to(&mut self.run_us, run);
                match outcome {
                    Outcome::Finish => "finish",
                    Outcome::Fail => "fail",
                }
            }
            Work::UntilStopped => "until-stopped",
            Work::Unknown => return kind,
        };
        count(&ENDS, &mut self.ends, end);
        kind
    }

    fn add_node(&mut self, time: SimTime, key: NodeKey, spec: &NodeSpec) -> &'static str {
        self.nodes.insert(key);
        if time == SimTime::ZERO {
            let pools = &mut self.summary.nodes_at_start;
            match pools.get_mut(&spec.pool) {
                Some(count) => *count += 1,
                None => _ = pools.insert(spec.pool.clone(), 1),
            }
            for dimension in 0..DIMENSIONS {
                let sum = &mut self.summary.capacity_at_start.0[dimension];
                *sum = sum.saturating_add(spec.allocatable.0[dimension]);
            }
        }
        "node-add"
    }

    fn finish(self, statistics: SourceStatistics) -> TraceSummary {
        let span = SimTime(self.summary.span_us).as_secs_f64();
        let tiers = Tier::ALL.map(Tier::name);
        TraceSummary {
            records: named(&KINDS, &self.kinds),
            pods_by_tier: named(&tiers, &self.pods_by_tier),
            arrivals_per_second: if span > 0.0 { self.later_pods as f64 / span } else { 0.0 },
            nodes: self.nodes.len() as u64,
            cpu_request: Quantiles::of(&self.cpu_request),
            memory_request: Quantiles::of(&self.memory_request),
            run_us: Quantiles::of(&self.run_us),
            ends: named(&ENDS, &self.ends),
            statistics,
            ..self.summary
        }
    }
}

fn add_to(values: &mut Histogram<u64>, value: u64) {
    values.record(value).expect("the histogram resizes itself");
}

fn count(names: &[&str], counts: &mut [u64], name: &str) {
    let known = names.iter().position(|known| *known == name);
    counts[known.expect("every name is in its list")] += 1;
}

/// The counts that are not zero, by name.
fn named(names: &[&str], counts: &[u64]) -> BTreeMap<String, u64> {
    let pairs = names.iter().zip(counts).filter(|(_, count)| **count > 0);
    pairs.map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::generator::{Generator, GeneratorConfig, borg_like, yardstick};
    use super::super::google2011::{Google2011, Google2011Config};
    use super::super::{ReadAhead, data_folder};
    use super::*;
    use crate::engine::Streams;

    const STREAMS: Streams = Streams { seed: 1, run: 0 };

    #[test]
    fn a_summary_counts_everything_once() {
        let config = GeneratorConfig { tasks: Some(3000), ..borg_like(100) };
        let mut source = Generator::new(config, STREAMS).unwrap();
        let summary = inspect(&mut source).unwrap();
        assert_eq!(summary.nodes, 100);
        assert_eq!(summary.nodes_at_start.values().sum::<u64>(), 100);
        let submits = summary.records["submit"];
        assert_eq!(submits, summary.pods_at_start + 3000);
        assert_eq!(summary.pods_by_tier.values().sum::<u64>(), submits);
        assert_eq!(summary.ends.values().sum::<u64>(), submits);
        assert_eq!(summary.records["kill"], summary.ends["until-stopped"]);
        assert_eq!(summary.run_us.count, summary.ends["finish"] + summary.ends["fail"]);
        assert_eq!(summary.cpu_request.count, submits);
    }

    #[test]
    fn quantiles_are_those_of_the_workload() {
        let summary = inspect(&mut Generator::new(yardstick(20_000), STREAMS).unwrap()).unwrap();
        assert_eq!(summary.cpu_request.min, 62);
        assert_eq!(summary.cpu_request.max, 2501, "to three digits");
        assert!((175..185).contains(&summary.memory_request.p50));
        assert_eq!(summary.pods_at_start, 124_566);
        assert!((80.0..84.0).contains(&summary.arrivals_per_second));
    }

    #[test]
    fn an_empty_source_has_an_empty_summary() {
        struct Nothing;
        impl Source for Nothing {
            fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
                Ok(None)
            }
            fn statistics(&self) -> SourceStatistics {
                SourceStatistics::default()
            }
        }
        assert_eq!(inspect(&mut Nothing).unwrap(), TraceSummary::default());
    }

    #[test]
    fn the_real_sample_reads_the_same_ahead_and_in_place() {
        let folder = data_folder().map(|folder| folder.join("traces/google2011"));
        let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
            eprintln!("SKIPPED: no traces/google2011 under CELLSIM_DATA or ../shared");
            return;
        };
        let open = || Google2011::open(&Google2011Config::in_folder(&folder).unwrap()).unwrap();
        let ahead = inspect(&mut ReadAhead::new(open())).unwrap();
        assert_eq!(ahead, inspect(&mut open()).unwrap());
        // 0.025 and 0.0202 of the largest machine are the medians of the notes.
        assert!(ahead.cpu_request.p50.abs_diff(250_000) < 1000, "{:?}", ahead.cpu_request);
        assert!(ahead.memory_request.p50.abs_diff(202_000) < 10_000, "{:?}", ahead.memory_request);
        assert_eq!(ahead.nodes, 12_583);
    }
}
