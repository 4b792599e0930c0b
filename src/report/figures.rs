//! The key figures of a run: the few numbers by which runs are compared, each with a key, a label
//! and a way to show it. `docs/results.md` lists them.

use super::format;
use crate::cluster::EvictionCause;
use crate::metrics::RunResult;

/// How a figure is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Count,
    Ratio,
    Availability,
    Seconds,
}

impl Kind {
    /// `value` as people read it.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Count => format::mean_count(value),
            Self::Ratio => format::percent(value),
            Self::Availability => format::availability(value),
            Self::Seconds => format::duration(value),
        }
    }

    /// A difference of two such values, or half the width of an interval.
    pub fn show_difference(self, value: f64) -> String {
        match self {
            Self::Count => format::number(value),
            Self::Ratio | Self::Availability if value.is_finite() => {
                format::significant(value * 100.0) + " %"
            }
            Self::Ratio | Self::Availability => format::NOTHING.to_owned(),
            Self::Seconds => format::duration(value),
        }
    }
}

/// One key figure of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Stable name, as in `seeds.csv`.
    pub key: String,
    /// Name for people.
    pub label: String,
    pub kind: Kind,
    /// `None` where the question does not arise in this run.
    pub value: Option<f64>,
}

/// The key figures of `result`, in the order of reports. Two runs of one scenario yield the same
/// keys, though a value may be `None` in one of them.
pub fn of(result: &RunResult) -> Vec<Figure> {
    let mut figures = Vec::new();
    allocation(result, &mut figures);
    allocs(result, &mut figures);
    pods(result, &mut figures);
    evictions(result, &mut figures);
    nodes(result, &mut figures);
    workloads(result, &mut figures);
    figures.iter_mut().for_each(|figure| figure.value = figure.value.filter(|v| v.is_finite()));
    figures
}

fn figure(
    key: impl Into<String>,
    label: impl Into<String>,
    kind: Kind,
    value: Option<f64>,
) -> Figure {
    Figure { key: key.into(), label: label.into(), kind, value }
}

fn allocation(result: &RunResult, figures: &mut Vec<Figure>) {
    for resource in &result.resources {
        let name = &resource.resource;
        let ratios = [
            ("allocation_ratio", "allocated", resource.allocation_ratio),
            (
                "allocation_at_full_demand",
                "allocated at full demand",
                resource.allocation_at_full_demand,
            ),
            ("utilization", "used", resource.utilization),
            ("fragmentation", "fragmented", resource.fragmentation),
        ];
        figures.extend(ratios.map(|(key, label, value)| {
            figure(format!("{key}_{name}"), format!("{name} {label}"), Kind::Ratio, value)
        }));
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^53")]
fn pods(result: &RunResult, figures: &mut Vec<Figure>) {
    let pods = &result.pods;
    let counts = [
        ("pods_submitted", "Pods submitted", pods.submitted),
        ("pods_started", "Pods started", pods.started),
        ("pods_succeeded", "Pods succeeded", pods.succeeded),
        ("pods_pending_at_end", "Pods pending at the end", pods.pending_at_end),
    ];
    figures.extend(
        counts.map(|(key, label, count)| figure(key, label, Kind::Count, Some(count as f64))),
    );
    let all = result.waiting.iter().find(|summary| summary.name == "all");
    let waits = all.map(|summary| summary.from_submit).filter(|durations| durations.count > 0);
    figures.extend([
        figure("waiting_mean_s", "Waiting, mean", Kind::Seconds, waits.map(|w| w.mean_s)),
        figure("waiting_p50_s", "Waiting, p50", Kind::Seconds, waits.map(|w| w.p50_s)),
        figure("waiting_p99_s", "Waiting, p99", Kind::Seconds, waits.map(|w| w.p99_s)),
        figure(
            "pending_mean",
            "Pending pods, mean",
            Kind::Count,
            Some(result.scheduler.pending_mean),
        ),
        figure("goodput", "Goodput", Kind::Availability, result.work.goodput),
    ]);
    let completion = Some(result.jobs.completion).filter(|durations| durations.count > 0);
    figures.push(figure(
        "job_completion_mean_s",
        "Job completion, mean",
        Kind::Seconds,
        completion.map(|durations| durations.mean_s),
    ));
    if let Some(batch) = result.batch {
        let mean = Some(batch.waiting.mean_s);
        figures.push(figure("job_waiting_mean_s", "Job waiting, mean", Kind::Seconds, mean));
        figures.push(figure(
            "bounded_slowdown_mean",
            "Bounded slowdown of jobs, mean",
            Kind::Count,
            batch.bounded_slowdown_mean,
        ));
    }
}

/// What alloc sets reserve of a resource, and what is requested inside of them.
fn allocs(result: &RunResult, figures: &mut Vec<Figure>) {
    for alloc in result.allocs.iter().flat_map(|allocs| &allocs.resources) {
        let name = &alloc.resource;
        let share = alloc.share_of_allocation;
        let mut ratio = |key: &str, label: String, value| {
            figures.push(figure(format!("alloc_{key}_{name}"), label, Kind::Ratio, value));
        };
        ratio("share", format!("Allocs' share of requests, {name}"), share);
        ratio("requested", format!("Requested inside of allocs, {name}"), alloc.requested_inside);
        ratio("utilization", format!("Used inside of allocs, {name}"), alloc.utilization);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^53")]
fn evictions(result: &RunResult, figures: &mut Vec<Figure>) {
    figures.push(figure("evictions", "Evictions", Kind::Count, Some(result.pods.evicted as f64)));
    for cause in EvictionCause::ALL {
        let cells = result.evictions.iter().filter(|cell| cell.cause == cause.name());
        let count: u64 = cells.map(|cell| cell.count).sum();
        figures.push(figure(
            format!("evictions_{}", cause.name()),
            format!("Evictions: {}", cause.name()),
            Kind::Count,
            Some(count as f64),
        ));
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^53")]
fn nodes(result: &RunResult, figures: &mut Vec<Figure>) {
    let nodes = &result.nodes;
    figures.extend([
        figure("node_availability", "Node availability", Kind::Availability, nodes.availability),
        figure("node_failures", "Node failures", Kind::Count, Some(nodes.failures as f64)),
        figure("node_mttf_s", "Node MTTF", Kind::Seconds, nodes.mttf_s),
        figure("node_mttr_s", "Node MTTR", Kind::Seconds, nodes.mttr_s),
    ]);
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^53")]
fn workloads(result: &RunResult, figures: &mut Vec<Figure>) {
    for workload in &result.workloads {
        let name = &workload.name;
        figures.extend([
            figure(
                format!("service_availability_{name}"),
                format!("{name}: service availability"),
                Kind::Availability,
                workload.service_availability,
            ),
            figure(
                format!("outages_{name}"),
                format!("{name}: outages"),
                Kind::Count,
                Some(workload.outages as f64),
            ),
        ]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn keys_are_unique_and_the_same_for_every_seed() {
        let keys = |seed| -> Vec<String> {
            of(&sample::borg_day_with_seed(seed)).into_iter().map(|figure| figure.key).collect()
        };
        let mut first = keys(1);
        assert_eq!(first, keys(2));
        first.sort();
        first.dedup();
        assert_eq!(first.len(), keys(1).len());
    }

    #[test]
    fn evictions_by_cause_add_up_over_tiers() {
        let figures = of(&sample::borg_day());
        let of_cause = |key: &str| figures.iter().find(|f| f.key == key).unwrap().value.unwrap();
        assert_eq!(of_cause("evictions_preemption"), 2_904.0);
        assert_eq!(of_cause("evictions_machine-failure"), 458.0);
        assert_eq!(of_cause("evictions_other"), 0.0);
    }

    #[test]
    fn differences_are_shown_without_false_certainty() {
        assert_eq!(Kind::Ratio.show_difference(0.001_23), "0.123 %");
        assert_eq!(Kind::Seconds.show_difference(0.02), "20 ms");
        assert_eq!(Kind::Availability.show_difference(f64::NAN), format::NOTHING);
    }
}
