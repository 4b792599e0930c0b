//! The tables of a run: which columns there are, what they are called, how they are shown. The
//! meaning of every column stands in `docs/results.md`.

use super::format::{self, amount, availability, duration, number, percent};
use super::table::{Cell, Column, Table, Value, numbers, optional, real, text, whole, words};
use crate::metrics::{
    DurationSummary, GroupSummary, NodeReliability, QuotaSummary, RunResult, TimeSeries,
    WorkloadSummary,
};

/// Every CSV file of a report, by name.
pub fn all(result: &RunResult) -> Vec<(&'static str, Table)> {
    let mut all = vec![
        ("timeseries", timeseries(&result.timeseries)),
        ("resources", resources(result)),
        ("tiers", groups(result, &result.tiers)),
        ("pools", groups(result, &result.pools)),
        ("nodes", nodes(&result.reliability.nodes)),
        ("workloads", workloads(&result.workloads)),
        ("evictions", evictions(result)),
        ("outages", outages(result)),
        ("waiting", waiting(result)),
    ];
    if !result.admission.is_empty() {
        all.push(("quota", quota(&result.admission)));
    }
    all
}

fn timeseries(series: &TimeSeries) -> Table {
    let mut columns = vec![numbers("time_s", "Time")];
    columns.extend(
        series.columns.iter().map(|column| {
            numbers(format!("{}.{}", column.group, column.name), column.name.clone())
        }),
    );
    let rows = series.time_s.iter().enumerate().map(|(index, &time_s)| {
        let mut row = vec![real(time_s, format::instant)];
        let values = series.columns.iter().map(|column| column.values.get(index).copied());
        row.extend(values.map(|value| optional(value, number)));
        row
    });
    Table { columns, rows: rows.collect() }
}

/// `resources.csv`.
pub fn resources(result: &RunResult) -> Table {
    let columns = vec![
        words("resource", "Resource"),
        words("unit", "Unit"),
        numbers("installed_mean", "Installed"),
        numbers("up_mean", "Up"),
        numbers("requested_mean", "Requested"),
        numbers("allocation_ratio", "Allocated"),
        numbers("effective_allocation_ratio", "of installed"),
        numbers("peak_allocation_ratio", "Peak"),
        numbers("allocation_at_full_demand", "at full demand"),
        numbers("utilization", "Used"),
        numbers("fragmented_mean", "Free, of no use"),
        numbers("fragmentation", "of what is free"),
    ];
    let rows = result.resources.iter().map(|resource| {
        let in_unit = |value| real(value, |value| amount(value, &resource.unit));
        vec![
            text(&resource.resource),
            text(&resource.unit),
            in_unit(resource.installed_mean),
            in_unit(resource.up_mean),
            in_unit(resource.requested_mean),
            optional(resource.allocation_ratio, percent),
            optional(resource.effective_allocation_ratio, percent),
            optional(resource.peak_allocation_ratio, percent),
            optional(resource.allocation_at_full_demand, percent),
            optional(resource.utilization, percent),
            optional(resource.fragmented_mean, |value| amount(value, &resource.unit)),
            optional(resource.fragmentation, percent),
        ]
    });
    Table { columns, rows: rows.collect() }
}

/// What alloc sets reserve and what runs inside; no rows without any.
pub fn allocs(result: &RunResult) -> Table {
    let columns = vec![
        words("resource", "Resource"),
        numbers("reserved_mean", "Reserved"),
        numbers("share_of_allocation", "of all that is requested"),
        numbers("requested_inside", "Requested inside"),
        numbers("utilization", "Used inside"),
        numbers("utilization_elsewhere", "Used of requests elsewhere"),
    ];
    let resources = result.allocs.iter().flat_map(|allocs| &allocs.resources);
    let rows = resources.map(|alloc| {
        let unit = result.resources.iter().find(|resource| resource.resource == alloc.resource);
        let unit = unit.map_or("", |resource| resource.unit.as_str());
        vec![
            text(&alloc.resource),
            real(alloc.reserved_mean, |value| amount(value, unit)),
            optional(alloc.share_of_allocation, percent),
            optional(alloc.requested_inside, percent),
            optional(alloc.utilization, percent),
            optional(alloc.utilization_elsewhere, percent),
        ]
    });
    Table { columns, rows: rows.collect() }
}

/// `tiers.csv` and `pools.csv`.
pub fn groups(result: &RunResult, groups: &[GroupSummary]) -> Table {
    let mut columns = vec![
        words("name", "Name"),
        numbers("pods", "Pods"),
        numbers("running_mean", "Running, mean"),
        numbers("running_share", "Time running"),
    ];
    columns.extend(result.resources.iter().map(|resource| {
        let name = &resource.resource;
        numbers(format!("allocation_ratio_{name}"), format!("{name} allocated"))
    }));
    let rows =
        groups.iter().map(|group| {
            let mut row = vec![
                text(&group.name),
                whole(group.pods),
                real(group.running_mean, number),
                optional(group.running_share, availability),
            ];
            row.extend((0..result.resources.len()).map(|index| {
                optional(group.allocation_ratio.get(index).copied().flatten(), percent)
            }));
            row
        });
    Table { columns, rows: rows.collect() }
}

/// `quota.csv`: one row per user and band.
pub fn quota(quotas: &[QuotaSummary]) -> Table {
    let columns = vec![
        words("user", "User"),
        words("band", "Band"),
        numbers("cpu", "Quota of cpu"),
        numbers("memory", "of memory"),
        numbers("storage", "of storage"),
        numbers("cpu_used_peak", "Most cpu in use"),
        numbers("memory_used_peak", "Most memory"),
        numbers("jobs_admitted", "Jobs admitted"),
        numbers("jobs_rejected", "Jobs rejected"),
        numbers("pods_admitted", "Pods admitted"),
        numbers("pods_rejected", "Pods rejected"),
        numbers("cpu_rejected", "Cpu rejected"),
        numbers("memory_rejected", "Memory rejected"),
    ];
    let cores = |value| amount(value, "cores");
    let bytes = |value| amount(value, "bytes");
    let rows = quotas.iter().map(|quota| {
        vec![
            text(&quota.user),
            text(&quota.band),
            optional(quota.cpu, cores),
            optional(quota.memory, bytes),
            optional(quota.storage, bytes),
            real(quota.cpu_used_peak, cores),
            real(quota.memory_used_peak, bytes),
            whole(quota.jobs_admitted),
            whole(quota.jobs_rejected),
            whole(quota.pods_admitted),
            whole(quota.pods_rejected),
            real(quota.cpu_rejected, cores),
            real(quota.memory_rejected, bytes),
        ]
    });
    Table { columns, rows: rows.collect() }
}

/// `nodes.csv`: one row per node that failed.
pub fn nodes(nodes: &[NodeReliability]) -> Table {
    let columns = vec![
        words("node", "Node"),
        words("pool", "Pool"),
        numbers("failures", "Failures"),
        numbers("repairs", "Repairs"),
        numbers("up_s", "Time up"),
        numbers("down_s", "Time down"),
        numbers("availability", "Availability"),
        numbers("mttf_s", "MTTF"),
        numbers("mttr_s", "MTTR"),
        numbers("mtbf_s", "MTBF"),
    ];
    let rows = nodes.iter().map(|node| {
        vec![
            text(&node.node),
            text(&node.pool),
            whole(node.failures),
            whole(node.repairs),
            real(node.up_s, duration),
            real(node.down_s, duration),
            optional(node.availability, availability),
            optional(node.mttf_s, duration),
            optional(node.mttr_s, duration),
            optional(node.mtbf_s, duration),
        ]
    });
    Table { columns, rows: rows.collect() }
}

/// `workloads.csv`: one row per declared workload.
pub fn workloads(workloads: &[WorkloadSummary]) -> Table {
    let stages = recovery_stages(workloads);
    let mut columns = vec![
        words("name", "Workload"),
        numbers("wanted", "Wanted"),
        numbers("minimum_ready", "Minimum"),
        numbers("service_availability", "Service availability"),
        numbers("nines", "Nines"),
        numbers("objective", "Objective"),
        numbers("budget_burned", "Budget burned"),
        numbers("pod_availability", "Pod availability"),
        numbers("outages", "Outages"),
        numbers("outage_s", "Time in outage"),
        numbers("longest_outage_s", "Longest"),
        numbers("mttr_s", "MTTR"),
        numbers("mtbf_s", "MTBF"),
        numbers("crashes", "Crashes"),
        numbers("evictions", "Evictions"),
    ];
    columns.extend(stages.iter().map(|&stage| recovery_column(stage)));
    let rows = workloads.iter().map(|workload| workload_row(workload, &stages));
    Table { columns, rows: rows.collect() }
}

fn recovery_column(stage: &str) -> Column {
    numbers(format!("recovery_{stage}_s"), format!("Time to {stage}"))
}

/// The stages of recovery that any workload names, in order of first appearance.
fn recovery_stages(workloads: &[WorkloadSummary]) -> Vec<&str> {
    let mut stages: Vec<&str> = Vec::new();
    for (stage, _) in workloads.iter().flat_map(|workload| &workload.recovery) {
        if !stages.contains(&stage.as_str()) {
            stages.push(stage);
        }
    }
    stages
}

fn workload_row(workload: &WorkloadSummary, stages: &[&str]) -> Vec<Cell> {
    let outage = |seconds| {
        if workload.outages == 0 && seconds == 0.0 {
            return Cell { value: Value::Real(0.0), shown: format::NOTHING.to_owned() };
        }
        real(seconds, duration)
    };
    let mut row = vec![
        text(&workload.name),
        whole(u64::from(workload.wanted)),
        whole(u64::from(workload.minimum_ready)),
        optional(workload.service_availability, availability),
        optional(workload.nines, |nines| format!("{nines:.2}")),
        optional(workload.objective, format::stated),
        optional(workload.budget_burned, percent),
        optional(workload.pod_availability, availability),
        whole(workload.outages),
        outage(workload.outage_s),
        outage(workload.longest_outage_s),
        optional(workload.mttr_s, duration),
        optional(workload.mtbf_s, duration),
        whole(workload.crashes),
        whole(workload.evictions),
    ];
    row.extend(stages.iter().map(|&stage| {
        let found = workload.recovery.iter().find(|(name, _)| name == stage);
        optional(found.map(|&(_, seconds)| seconds), duration)
    }));
    row
}

/// `evictions.csv`.
pub fn evictions(result: &RunResult) -> Table {
    let columns = vec![
        words("tier", "Tier"),
        words("cause", "Cause"),
        numbers("count", "Evictions"),
        numbers("per_task_week", "per task-week"),
    ];
    let rows = result.evictions.iter().map(|eviction| {
        vec![
            text(&eviction.tier),
            text(&eviction.cause),
            whole(eviction.count),
            optional(eviction.per_task_week, number),
        ]
    });
    Table { columns, rows: rows.collect() }
}

/// `outages.csv`.
pub fn outages(result: &RunResult) -> Table {
    let columns = vec![
        words("workload", "Workload"),
        numbers("start_s", "Began"),
        numbers("end_s", "Ended"),
        numbers("length_s", "Length"),
        numbers("ready_min", "Fewest ready"),
    ];
    let rows = result.outages.iter().map(|outage| {
        vec![
            text(&outage.workload),
            real(outage.start_s, format::instant),
            real(outage.end_s, format::instant),
            real(outage.end_s - outage.start_s, duration),
            whole(u64::from(outage.ready_min)),
        ]
    });
    Table { columns, rows: rows.collect() }
}

/// `waiting.csv`: for all pods and for each tier, from submission and from eviction.
pub fn waiting(result: &RunResult) -> Table {
    let mut columns = vec![words("name", "Pods"), words("from", "Waiting from")];
    columns.extend(duration_columns());
    columns.push(numbers("slowdown_mean", "Slowdown"));
    let mut rows = Vec::new();
    for summary in &result.waiting {
        let both = [
            ("submission", &summary.from_submit, summary.slowdown_mean),
            ("eviction", &summary.from_eviction, None),
        ];
        for (from, durations, slowdown) in both {
            if durations.count == 0 {
                continue;
            }
            let mut row = vec![text(&summary.name), text(from)];
            row.extend(duration_cells(durations));
            row.push(optional(slowdown, number));
            rows.push(row);
        }
    }
    Table { columns, rows }
}

/// The columns of a [`DurationSummary`].
pub fn duration_columns() -> [Column; 7] {
    [
        numbers("count", "Count"),
        numbers("mean_s", "Mean"),
        numbers("p50_s", "p50"),
        numbers("p90_s", "p90"),
        numbers("p99_s", "p99"),
        numbers("p999_s", "p99.9"),
        numbers("max_s", "Max"),
    ]
}

/// The cells under [`duration_columns`].
pub fn duration_cells(durations: &DurationSummary) -> [Cell; 7] {
    [
        whole(durations.count),
        real(durations.mean_s, duration),
        real(durations.p50_s, duration),
        real(durations.p90_s, duration),
        real(durations.p99_s, duration),
        real(durations.p999_s, duration),
        real(durations.max_s, duration),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn every_row_has_a_cell_for_every_column() {
        for result in [sample::borg_day(), sample::nothing(), sample::one_bucket()] {
            for (name, table) in all(&result) {
                for row in &table.rows {
                    assert_eq!(row.len(), table.columns.len(), "{name}");
                }
            }
        }
    }

    #[test]
    fn the_csv_files_are_these() {
        for (name, table) in all(&sample::borg_day()) {
            let csv = String::from_utf8(table.csv().unwrap()).unwrap();
            let head: Vec<&str> = csv.lines().take(12).collect();
            insta::assert_snapshot!(name, head.join("\n"));
        }
    }
}
