//! The summary that the terminal gets: what matters first, at most about 45 lines. Pure text, no
//! colour, since it is as often piped as read.

use super::align::{Side, columns, flowed, length, wrapped};
use super::format::{
    amount, availability, count, duration, exact, mean_count, optional, percent, shortened,
    significant,
};
use crate::metrics::{RunResult, WorkloadSummary};

/// Fewer columns than this are taken as this many.
const LEAST_WIDTH: usize = 60;
/// Width of the labels at the left.
const LABEL: usize = 14;
const MOST_RESOURCES: usize = 4;
const MOST_WORKLOADS: usize = 5;
const MOST_NOTICE_LINES: usize = 5;

/// The summary of `result` in lines of at most about `width` characters.
pub fn text(result: &RunResult, width: usize) -> String {
    let width = width.max(LEAST_WIDTH);
    let inner = width - LABEL;
    let mut lines = heading(result, width);
    let mut section = |label: &str, body: Vec<String>| {
        for (index, line) in body.into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            lines.push(format!("{label:<LABEL$}{line}").trim_end().to_owned());
        }
    };
    section("", vec![String::new()]);
    section("Pods", flowed(&pods(result), inner));
    section("Waiting", waiting(result));
    section("Resources", resources(result));
    section("Allocs", allocs(result));
    section("Evictions", evictions(result, inner));
    section("Nodes", flowed(&nodes(result), inner));
    section("Services", workloads(result, inner));
    section("Little's law", littles_law(result));
    section("Notices", notices(result, inner));
    lines.push(String::new());
    lines.push(format!("fingerprint {}  cellsim {}", result.fingerprint, result.cellsim_version));
    lines.join("\n") + "\n"
}

fn heading(result: &RunResult, width: usize) -> Vec<String> {
    let scenario = &result.scenario;
    let title = if scenario.title.is_empty() {
        scenario.name.clone()
    } else {
        format!("{} · {}", scenario.name, scenario.title)
    };
    let window = &result.window;
    let policy = format!(
        "{} placement, {} queue, seed {}; measured from {} to {} ({})",
        scenario.placement,
        scenario.queue,
        scenario.seed,
        duration(window.start_s),
        duration(window.end_s),
        duration(window.length_s),
    );
    let mut lines = vec![shortened(&title, width)];
    lines.extend(wrapped(&policy, width));
    lines
}

/// `12 failed`, or nothing for none.
fn some(number: u64, what: &str) -> Option<String> {
    (number > 0).then(|| format!("{} {what}", count(number)))
}

fn pods(result: &RunResult) -> Vec<String> {
    let pods = &result.pods;
    let over_quota = result.admission.iter().map(|quota| quota.pods_rejected).sum();
    let always = [
        format!("{} submitted", count(pods.submitted)),
        format!("{} started", count(pods.started)),
        format!("{} succeeded", count(pods.succeeded)),
    ];
    let sometimes = [
        some(pods.failed, "failed"),
        some(pods.killed, "killed"),
        some(pods.deleted, "deleted"),
        some(pods.rejected, "rejected"),
        some(over_quota, "over quota"),
        some(pods.evicted, "evicted"),
        some(pods.crashed, "crashed"),
        some(pods.running_at_end, "running at the end"),
        some(pods.pending_at_end, "pending at the end"),
        some(pods.waiting_on_node_at_end, "not yet running at the end"),
    ];
    always.into_iter().chain(sometimes.into_iter().flatten()).collect()
}

fn waiting(result: &RunResult) -> Vec<String> {
    let Some(all) = result.waiting.iter().find(|summary| summary.name == "all") else {
        return Vec::new();
    };
    let mut rows =
        vec![["", "mean", "p50", "p90", "p99", "p99.9", "max"].map(str::to_owned).to_vec()];
    let jobs = result.batch.map(|batch| batch.waiting).unwrap_or_default();
    for (from, d) in
        [("submitted", &all.from_submit), ("evicted", &all.from_eviction), ("whole jobs", &jobs)]
    {
        if d.count == 0 {
            continue;
        }
        let mut row = vec![from.to_owned()];
        row.extend([d.mean_s, d.p50_s, d.p90_s, d.p99_s, d.p999_s, d.max_s].map(duration));
        rows.push(row);
    }
    table(&rows)
}

/// Rows under a heading row, the first column left and the rest right; nothing without rows.
fn table(rows: &[Vec<String>]) -> Vec<String> {
    if rows.len() < 2 {
        return Vec::new();
    }
    let mut sides = vec![Side::Right; rows[0].len()];
    sides[0] = Side::Left;
    columns(rows, &sides)
}

fn resources(result: &RunResult) -> Vec<String> {
    let head = ["", "allocated", "peak", "used", "of mean capacity up"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for resource in result.resources.iter().take(MOST_RESOURCES) {
        rows.push(vec![
            resource.resource.clone(),
            optional(resource.allocation_ratio, percent),
            optional(resource.peak_allocation_ratio, percent),
            optional(resource.utilization, percent),
            amount(resource.up_mean, &resource.unit),
        ]);
    }
    let mut lines = table(&rows);
    lines.extend(more(result.resources.len(), MOST_RESOURCES, "resources"));
    lines
}

/// What alloc instances reserve, and what becomes of it.
fn allocs(result: &RunResult) -> Vec<String> {
    let Some(allocs) = &result.allocs else { return Vec::new() };
    let head = ["", "of requests", "requested inside", "used", "used elsewhere"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(allocs.resources.iter().take(MOST_RESOURCES).map(|alloc| {
        vec![
            alloc.resource.clone(),
            optional(alloc.share_of_allocation, percent),
            optional(alloc.requested_inside, percent),
            optional(alloc.utilization, percent),
            optional(alloc.utilization_elsewhere, percent),
        ]
    }));
    let mut lines = table(&rows);
    lines.push(format!(
        "{} instances with {} pods inside, in the mean",
        mean_count(allocs.instances_mean),
        mean_count(allocs.pods_inside_mean)
    ));
    lines
}

fn more(all: usize, shown: usize, what: &str) -> Option<String> {
    (all > shown).then(|| format!("… and {} more (see {what}.csv)", all - shown))
}

/// Tiers down, causes across, in the order in which they come. The rate goes where the lines would
/// grow too long.
fn evictions(result: &RunResult, width: usize) -> Vec<String> {
    if result.evictions.is_empty() {
        return if result.pods.started > 0 { vec!["none".to_owned()] } else { Vec::new() };
    }
    let with_rate = evictions_table(result, true);
    if with_rate.iter().all(|line| length(line) <= width) {
        return with_rate;
    }
    evictions_table(result, false)
}

fn evictions_table(result: &RunResult, with_rate: bool) -> Vec<String> {
    let (mut tiers, mut causes): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for cell in &result.evictions {
        push_new(&mut tiers, &cell.tier);
        push_new(&mut causes, &cell.cause);
    }
    let mut heads = vec![("", "")];
    heads.extend(causes.iter().map(|cause| cause.rsplit_once('-').unwrap_or(("", cause))));
    heads.extend(with_rate.then_some(("per", "task-week")));
    let mut rows = vec![
        heads.iter().map(|(above, _)| (*above).to_owned()).collect(),
        heads.iter().map(|(_, below)| (*below).to_owned()).collect(),
    ];
    rows.extend(tiers.into_iter().map(|tier| {
        let cells = || result.evictions.iter().filter(move |cell| cell.tier == tier);
        let mut row = vec![tier.to_owned()];
        row.extend(causes.iter().map(|&cause| {
            let number: u64 =
                cells().filter(|cell| cell.cause == cause).map(|cell| cell.count).sum();
            if number == 0 { "·".to_owned() } else { count(number) }
        }));
        let rate: Option<f64> = cells().map(|cell| cell.per_task_week).sum();
        row.extend(with_rate.then(|| optional(rate, significant)));
        row
    }));
    table(&rows)
}

fn push_new<'a>(names: &mut Vec<&'a str>, name: &'a str) {
    if !names.contains(&name) {
        names.push(name);
    }
}

fn nodes(result: &RunResult) -> Vec<String> {
    let nodes = &result.nodes;
    if nodes.present_mean == 0.0 && nodes.present_at_end == 0 {
        return Vec::new();
    }
    let mut items = vec![
        format!("{} up of {}", mean_count(nodes.up_mean), mean_count(nodes.present_mean)),
        format!("fewest {}", exact(nodes.up_min)),
    ];
    items.extend(nodes.availability.map(|ratio| format!("available {}", availability(ratio))));
    items.extend(some(nodes.failures, "failures"));
    items.extend(nodes.mttf_s.map(|seconds| format!("MTTF {}", duration(seconds))));
    items.extend(nodes.mttr_s.map(|seconds| format!("MTTR {}", duration(seconds))));
    items.extend(some(nodes.added, "added"));
    items.extend(some(nodes.removed, "removed"));
    items
}

/// The workloads with the least service availability first.
fn workloads(result: &RunResult, width: usize) -> Vec<String> {
    let mut sorted: Vec<&WorkloadSummary> = result.workloads.iter().collect();
    let share = |workload: &WorkloadSummary| workload.service_availability.unwrap_or(2.0);
    sorted.sort_by(|a, b| share(a).total_cmp(&share(b)));
    let head = ["", "available", "nines", "outages", "longest", "budget"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for workload in sorted.iter().take(MOST_WORKLOADS) {
        let burned = optional(workload.budget_burned, percent);
        let longest = if workload.outages > 0 { workload.longest_outage_s } else { f64::NAN };
        rows.push(vec![
            shortened(&workload.name, width.saturating_sub(46).max(12)),
            optional(workload.service_availability, availability),
            optional(workload.nines, |nines| format!("{nines:.1}")),
            count(workload.outages),
            duration(longest),
            burned,
        ]);
    }
    let mut lines = table(&rows);
    lines.extend(more(result.workloads.len(), MOST_WORKLOADS, "workloads"));
    lines
}

fn littles_law(result: &RunResult) -> Vec<String> {
    let law = &result.littles_law;
    if law.pods_mean == 0.0 {
        return Vec::new();
    }
    vec![format!(
        "L = {:.2}, λW = {:.2} pods; they differ by {}",
        law.pods_mean,
        law.pods_from_sojourn,
        percent(law.relative_difference),
    )]
}

fn notices(result: &RunResult, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for notice in &result.notices {
        let wrapped = wrapped(notice, width.saturating_sub(2));
        let marked = wrapped.iter().enumerate().map(|(index, line)| {
            if index == 0 { format!("! {line}") } else { format!("  {line}") }
        });
        lines.extend(marked);
    }
    if lines.len() > MOST_NOTICE_LINES {
        lines.truncate(MOST_NOTICE_LINES - 1);
        lines.push("… (all of them in report.html)".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    const MOST_LINES: usize = 45;

    #[test]
    fn the_summary_of_a_day_reads_like_this() {
        insta::assert_snapshot!(text(&sample::borg_day(), 80));
    }

    #[test]
    fn the_summary_of_nothing_is_short_and_whole() {
        insta::assert_snapshot!(text(&sample::nothing(), 80));
    }

    #[test]
    fn no_summary_is_longer_or_wider_than_it_may_be() {
        let mut crowded = sample::borg_day();
        crowded.notices = vec!["A notice that goes on and on. ".repeat(20); 9];
        for copy in 0..40 {
            let mut workload = crowded.workloads[copy % 5].clone();
            workload.name = format!("a-workload-of-quite-some-length-in-its-name-{copy}");
            crowded.workloads.push(workload);
            crowded.resources.push(crowded.resources[copy % 3].clone());
        }
        for width in [60, 80, 120] {
            let text = text(&crowded, width);
            assert!(text.lines().count() <= MOST_LINES, "{text}");
            if width >= 80 {
                let widest = text.lines().map(length).max().unwrap();
                assert!(widest <= width, "{widest} columns of {width}\n{text}");
            }
        }
    }

    #[test]
    fn no_summary_says_nan() {
        for result in [sample::borg_day(), sample::nothing(), sample::one_bucket()] {
            assert!(!text(&result, 100).contains("NaN"));
        }
    }
}
