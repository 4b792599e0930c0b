//! The tables that only the page has: rows of a name and a number on pods, nodes, work, the
//! scheduler and the source. What is zero or unknown is left out.

use super::format::{self, duration, percent};
use super::table::{Cell, Table, numbers, real, text, whole, words};
use crate::metrics::{PreferenceSummary, RunResult, ScanSummary, SchedulerActivity};

/// Rows of a name and a number, those that are zero or unknown left out.
fn facts(rows: Vec<(&str, Option<Cell>)>) -> Table {
    let rows = rows.into_iter().filter_map(|(name, cell)| Some(vec![text(name), cell?]));
    Table { columns: vec![words("name", ""), numbers("value", "")], rows: rows.collect() }
}

fn some(value: u64) -> Option<Cell> {
    (value > 0).then(|| whole(value))
}

fn seconds(value: Option<f64>) -> Option<Cell> {
    value.filter(|value| value.is_finite()).map(|value| real(value, duration))
}

/// What became of pods.
pub fn pods(result: &RunResult) -> Table {
    let pods = &result.pods;
    let prefer = |of: fn(&PreferenceSummary) -> Cell| result.preferences.as_ref().map(of);
    facts(vec![
        ("Submitted", some(pods.submitted)),
        ("Placed on a node", some(pods.bound)),
        ("Of these, of pods that prefer some nodes", prefer(|p| whole(p.placements))),
        ("Of these, with all preferences met", prefer(|p| real(p.all_met, percent))),
        ("Weight of preferences met, mean", prefer(|p| real(p.weight_met_mean, percent))),
        ("Began to run", some(pods.started)),
        ("Succeeded", some(pods.succeeded)),
        ("Failed", some(pods.failed)),
        ("Killed by their user", some(pods.killed)),
        ("Deleted by their controller", some(pods.deleted)),
        ("Turned away by their scheduler", some(pods.rejected)),
        ("Evicted", some(pods.evicted)),
        ("Crashed and restarted in place", some(pods.crashed)),
        ("Running at the end", some(pods.running_at_end)),
        ("Pending at the end", some(pods.pending_at_end)),
        ("Placed but not running at the end", some(pods.waiting_on_node_at_end)),
        ("Most alive at once", some(pods.live_peak)),
    ])
}

/// Nodes, their failures and repairs; nothing for a cell without nodes.
pub fn nodes(result: &RunResult) -> Table {
    let nodes = &result.nodes;
    if nodes.present_mean == 0.0 && nodes.present_at_end == 0 {
        return Table::default();
    }
    let detection = (nodes.detection.count > 0).then_some(nodes.detection.mean_s);
    facts(vec![
        ("In the cell, mean", Some(real(nodes.present_mean, format::number))),
        ("Up, mean", Some(real(nodes.up_mean, format::number))),
        ("Up, fewest", Some(whole(nodes.up_min))),
        ("In the cell at the end", Some(whole(nodes.present_at_end))),
        ("Availability", nodes.availability.map(|share| real(share, format::availability))),
        ("Failures", some(nodes.failures)),
        ("Nodes that failed", some(result.reliability.nodes_failed)),
        ("Most failures of one node", some(result.reliability.failures_max)),
        ("Repairs", some(nodes.repairs)),
        ("Added", some(nodes.added)),
        ("Removed", some(nodes.removed)),
        ("Mean time to failure", seconds(nodes.mttf_s)),
        ("Mean time to repair", seconds(nodes.mttr_s)),
        ("Mean time between failures", seconds(nodes.mtbf_s)),
        ("Mean time to detect a failure", seconds(detection)),
    ])
}

/// Failure domains by kind.
pub fn domains(result: &RunResult) -> Table {
    let columns = vec![
        words("kind", "Kind"),
        numbers("count", "Number"),
        numbers("failures", "Failures"),
        numbers("mttf_s", "MTTF"),
        numbers("mttr_s", "MTTR"),
        numbers("mtbf_s", "MTBF"),
    ];
    let rows = result.domains.iter().map(|domain| {
        let time = |value| seconds(value).unwrap_or_else(|| real(f64::NAN, duration));
        vec![
            text(&domain.kind),
            whole(domain.count),
            whole(domain.failures),
            time(domain.mttf_s),
            time(domain.mttr_s),
            time(domain.mtbf_s),
        ]
    });
    Table { columns, rows: rows.collect() }
}

/// Work done and lost, and the jobs it belongs to.
pub fn work(result: &RunResult) -> Table {
    let (work, jobs) = (&result.work, &result.jobs);
    // Hours: core-seconds are too small a unit to picture. A normalised trace has no cores.
    let cpu = result.resources.iter().find(|resource| resource.resource == "cpu");
    let unit = match cpu {
        Some(cpu) if cpu.unit != "cores" => "unit-hours of cpu",
        Some(_) | None => "core-hours",
    };
    let amount = |core_s: f64| (core_s > 0.0).then(|| real(core_s / 3_600.0, format::number));
    let (total_name, lost_name) = (format!("Work, {unit}"), format!("Lost, {unit}"));
    let lost: Vec<(String, f64)> = work
        .lost_by_cause
        .iter()
        .map(|(cause, lost)| (format!("Lost to {cause}, {unit}"), *lost))
        .collect();
    let mut rows = vec![
        (total_name.as_str(), amount(work.total_core_s)),
        ("Goodput", work.goodput.map(|share| real(share, format::availability))),
        (lost_name.as_str(), amount(work.lost_core_s)),
    ];
    rows.extend(lost.iter().map(|(name, lost)| (name.as_str(), amount(*lost))));
    let slowdown = |mean: Option<f64>| mean.map(|mean| real(mean, format::number));
    let completed = jobs.completion.count > 0;
    rows.extend([
        ("Jobs ended", some(jobs.ended)),
        ("Job completion, mean", seconds(completed.then_some(jobs.completion.mean_s))),
        ("Job completion, median", seconds(completed.then_some(jobs.completion.p50_s))),
        ("Job completion, p99", seconds(completed.then_some(jobs.completion.p99_s))),
        ("Job waiting, mean", seconds(result.batch.map(|batch| batch.waiting.mean_s))),
        ("Job waiting, p99", seconds(result.batch.map(|batch| batch.waiting.p99_s))),
        ("Slowdown of jobs, mean", slowdown(result.batch.and_then(|b| b.slowdown_mean))),
        (
            "Bounded slowdown of jobs, mean",
            slowdown(result.batch.and_then(|batch| batch.bounded_slowdown_mean)),
        ),
        ("Makespan", seconds((jobs.makespan_s > 0.0).then_some(jobs.makespan_s))),
    ]);
    facts(rows)
}

/// The scheduler at work.
pub fn scheduler(result: &RunResult) -> Table {
    let (scheduler, law) = (&result.scheduler, &result.littles_law);
    let target = result.target_workload.as_ref();
    let shapes = target.and_then(|target| some(target.shapes));
    let bits = target.and_then(|target| target.significant_bits).and_then(|bits| some(bits.into()));
    let law_row = (law.pods_mean > 0.0).then(|| real(law.relative_difference, percent));
    let pending = (scheduler.attempts > 0).then(|| real(scheduler.pending_mean, format::number));
    let of_scan = |of: fn(&ScanSummary) -> u64| scheduler.scan.as_ref().and_then(|s| some(of(s)));
    let mut rows = vec![
        ("Attempts to place a pod", some(scheduler.attempts)),
        ("Successful", some(scheduler.placed)),
        ("Without a node that fits", some(scheduler.unschedulable)),
        ("Pods preempted", some(scheduler.preempted)),
        ("Nodes looked at one by one", some(scheduler.nodes_examined)),
        ("Scans of the nodes", of_scan(|scan| scan.scans)),
        ("Decisions that shared a scan", of_scan(|scan| scan.shared)),
        ("Feasibility and score worked out", of_scan(|scan| scan.evaluated)),
        ("Known from the score cache", of_scan(|scan| scan.cache_hits)),
        ("Pending pods, mean", pending),
        ("Pending pods, most", some(scheduler.pending_peak)),
        ("Shapes of pods (for fragmentation)", shapes),
        ("Significant bits of shapes", bits),
        ("Little's law, relative difference", law_row),
    ];
    let named: Vec<_> = scheduler.activity.iter().flat_map(activity).collect();
    rows.extend(named.iter().map(|(name, value)| (name.as_str(), value.clone())));
    facts(rows)
}

/// The figures of one of several schedulers, or of one whose decisions take time.
fn activity(one: &SchedulerActivity) -> Vec<(String, Option<Cell>)> {
    let name = &one.name;
    let met_conflicts = one.conflicted > 0;
    let fraction = met_conflicts.then(|| real(one.conflict_fraction, format::number));
    let first = met_conflicts.then(|| real(one.busy_first_attempts, percent));
    vec![
        (format!("Busyness of {name}"), Some(real(one.busy, percent))),
        (format!("Busyness of {name}, first attempts"), first),
        (format!("Decisions of {name}"), some(one.decisions)),
        (format!("Conflicts of {name}"), some(one.conflicts)),
        (format!("Conflict fraction of {name}"), fraction),
        (format!("Jobs given up by {name}"), some(one.abandoned)),
        (format!("Job wait at {name}, mean"), seconds(one.wait_mean_s)),
    ]
}

/// What the source of the workload says of itself.
pub fn source(result: &RunResult) -> Table {
    let source = &result.source;
    let skipped = source.skipped.iter().map(|(why, &count)| (format!("Skipped: {why}"), count));
    let noted = source.noted.iter().map(|(what, &count)| (format!("Noted: {what}"), count));
    let named: Vec<(String, u64)> = skipped.chain(noted).collect();
    let mut rows = vec![("Rows read", some(source.rows))];
    rows.extend(named.iter().map(|(name, count)| (name.as_str(), some(*count))));
    facts(rows)
}
