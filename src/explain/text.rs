//! Answers for the terminal, in the style of the summary of a run.

use super::node::NodeAnswer;
use super::part::{PartAnswer, Parting};
use super::placement::PlacementAnswer;
use super::pod::PodAnswer;
use super::question::clock_text;
use super::run::Replayed;
use super::workload::WorkloadAnswer;
use super::{HistoryLine, decisions::NamedDecision};
use crate::engine::SimTime;
use crate::report::align::{Side, columns, flowed, wrapped};
use crate::report::format::exact;

/// Width of the labels at the left.
const LABEL: usize = 14;
/// Fewer columns than this are taken as this many.
const LEAST_WIDTH: usize = 60;
/// Lines of a history that are shown.
const MOST_HISTORY: usize = 40;
/// Pods of a workload or node that are shown.
const MOST_PODS: usize = 60;

/// Sections with labels, of lines of at most about `width` characters.
struct Page {
    lines: Vec<String>,
    width: usize,
}

impl Page {
    fn new(heading: &str, width: usize) -> Self {
        let width = width.max(LEAST_WIDTH);
        let mut lines = wrapped(heading, width);
        lines.push(String::new());
        Self { lines, width }
    }

    fn inner(&self) -> usize {
        self.width - LABEL
    }

    fn section(&mut self, label: &str, body: Vec<String>) {
        for (index, line) in body.into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            self.lines.push(format!("{label:<LABEL$}{line}").trim_end().to_owned());
        }
    }

    fn end(mut self, run: &Replayed) -> String {
        for notice in &run.notices {
            let body = wrapped(&format!("! {notice}"), self.inner());
            self.section("Notice", body);
        }
        self.lines.push(String::new());
        let version = env!("CARGO_PKG_VERSION");
        self.lines.push(format!("fingerprint up to there {}  cellsim {version}", run.fingerprint));
        self.lines.join("\n") + "\n"
    }
}

fn clock(time_us: u64) -> String {
    clock_text(SimTime(time_us))
}

fn of_run(run: &Replayed) -> String {
    let Replayed { scenario, policy, seed, as_of_us, .. } = run;
    format!("{scenario}, {policy}, seed {seed}, at {}", clock(*as_of_us))
}

/// What there is to say of a pod; at most `nodes` of those that would take it are listed.
pub fn pod_text(answer: &PodAnswer, width: usize, nodes: usize) -> String {
    let PodAnswer { pod, serial, tier, priority, run, .. } = answer;
    let mut page = Page::new(&format!("pod {pod} (#{serial}) of {}", of_run(run)), width);
    let inner = page.inner();
    let mut asks = answer.asks.clone();
    asks.push(format!("tier {tier}"));
    asks.push(format!("priority {priority}"));
    page.section("Asks", flowed(&asks, inner));
    let on = answer.node.as_ref().map_or(String::new(), |node| format!(", on {node}"));
    page.section("State", wrapped(&format!("{}{on}", answer.state), inner));
    if let Some(placement) = &answer.placement {
        let mut body = wrapped(&outcome(placement), inner);
        body.extend(placement_lines(placement, inner, nodes));
        page.section("Placement", body);
    }
    page.section("History", history(&answer.history, inner));
    page.end(run)
}

/// When the pod was tried and what came of it.
fn outcome(placement: &PlacementAnswer) -> String {
    let time = clock(placement.time_us);
    let node = placement.chosen.as_deref().unwrap_or("nothing");
    match placement.outcome {
        "bound" => format!("{time}: it was bound to {node}, of these nodes:"),
        "preempts" => {
            format!("{time}: it was bound to {node}, where {} had to go", list(&placement.victims))
        }
        "not-placed" => format!("{time}: it waits"),
        _ => format!("{time}: nobody tried it then; another like it could go to these nodes:"),
    }
}

/// Names with commas, "and" before the last.
fn list(names: &[String]) -> String {
    match names {
        [] => "nobody".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn placement_lines(placement: &PlacementAnswer, width: usize, most: usize) -> Vec<String> {
    let mut lines = wrapped(&placement.rejections, width);
    if placement.nodes.is_empty() {
        return lines;
    }
    let scored = placement.nodes.iter().any(|node| node.score.is_some());
    let mut rows = Vec::new();
    if scored {
        let mut head = vec!["  node".to_owned(), "score".to_owned()];
        head.extend(placement.parts.iter().cloned());
        rows.push(head);
    }
    let chosen = |name: &str| placement.chosen.as_deref() == Some(name);
    let shown = placement.nodes.iter().enumerate();
    for (_, node) in shown.filter(|(index, node)| *index < most || chosen(&node.node)) {
        let mark = if chosen(&node.node) { "→" } else { " " };
        let mut row = vec![format!("{mark} {}", node.node)];
        row.extend(node.score.map(|score| score.to_string()));
        row.extend(node.parts.iter().map(i64::to_string));
        rows.push(row);
    }
    let hidden = placement.nodes.len() + usize::from(scored) - rows.len();
    let mut sides = vec![Side::Right; 2 + placement.parts.len()];
    sides[0] = Side::Left;
    lines.extend(columns(&rows, &sides));
    if hidden > 0 {
        lines.push(format!("  … and {hidden} more (--nodes {})", placement.nodes.len()));
    }
    lines.extend(wrapped(&placement.rule, width));
    lines
}

fn history(history: &[HistoryLine], width: usize) -> Vec<String> {
    let hidden = history.len().saturating_sub(MOST_HISTORY);
    let clocks: Vec<String> = history.iter().map(|line| clock(line.time_us)).collect();
    let widest = clocks[hidden..].iter().map(String::len).max().unwrap_or_default();
    let mut lines = Vec::new();
    if hidden > 0 {
        lines.push(format!("… {} earlier ones (--json has them)", exact(hidden as u64)));
    }
    for (line, clock) in history.iter().zip(&clocks).skip(hidden) {
        let body = wrapped(&line.detail, width.saturating_sub(widest + 2).max(20));
        for (index, part) in body.into_iter().enumerate() {
            let clock = if index == 0 { clock.as_str() } else { "" };
            lines.push(format!("{clock:<widest$}  {part}"));
        }
    }
    lines
}

/// What there is to say of a node.
pub fn node_text(answer: &NodeAnswer, width: usize) -> String {
    let NodeAnswer { node, pool, run, .. } = answer;
    let mut page = Page::new(&format!("node {node} of pool {pool} of {}", of_run(run)), width);
    let inner = page.inner();
    page.section("Condition", flowed(&answer.conditions, inner));
    let domains = answer.domains.iter().map(|domain| {
        let down = if domain.faults > 0 { ", down" } else { "" };
        format!("{} ({}{down})", domain.domain, domain.kind)
    });
    page.section("Domains", flowed(&domains.collect::<Vec<_>>(), inner));
    let mut rows = vec![["", "has", "limit", "reserved", "free"].map(str::to_owned).to_vec()];
    rows.extend(answer.resources.iter().map(|r| {
        vec![
            r.resource.clone(),
            r.allocatable.clone(),
            r.limit.clone(),
            r.reserved.clone(),
            r.free.clone(),
        ]
    }));
    let right = [Side::Left, Side::Right, Side::Right, Side::Right, Side::Right];
    page.section("Resources", columns(&rows, &right));
    let mut rows: Vec<Vec<String>> = Vec::new();
    for pod in answer.pods.iter().take(MOST_PODS) {
        let since = format!("since {}", clock(pod.bound_us));
        rows.push(vec![
            pod.pod.clone(),
            pod.tier.clone(),
            pod.state.to_owned(),
            since,
            pod.asks.join(", "),
        ]);
    }
    let mut pods = columns(&rows, &[Side::Left; 5]);
    pods.extend(more(answer.pods.len()));
    page.section("Pods", if pods.is_empty() { vec!["none".to_owned()] } else { pods });
    page.section("History", history(&answer.history, inner));
    page.end(run)
}

fn more(all: usize) -> Option<String> {
    (all > MOST_PODS).then(|| format!("… and {} more (--json has them)", all - MOST_PODS))
}

/// The pods of a workload.
pub fn workload_text(answer: &WorkloadAnswer, width: usize) -> String {
    let WorkloadAnswer { workload, pods, run } = answer;
    let mut page = Page::new(&format!("workload {workload} of {}", of_run(run)), width);
    let mut rows = vec![
        ["pod", "state", "node", "submitted", "ended", "evictions"].map(str::to_owned).to_vec(),
    ];
    for pod in pods.iter().take(MOST_PODS) {
        rows.push(vec![
            format!("{} (#{})", pod.pod, pod.serial),
            pod.state.clone(),
            pod.node.clone().unwrap_or_default(),
            clock(pod.submitted_us),
            pod.ended_us.map(clock).unwrap_or_default(),
            pod.evictions.to_string(),
        ]);
    }
    let sides = [Side::Left, Side::Left, Side::Left, Side::Left, Side::Left, Side::Right];
    let mut lines = columns(&rows, &sides);
    lines.extend(more(pods.len()));
    page.section("Pods", lines);
    page.end(run)
}

/// Where two runs part; at most `nodes` nodes are listed for each.
pub fn part_text(answer: &PartAnswer, width: usize, nodes: usize) -> String {
    let [first, second] = &answer.runs;
    let mut page = Page::new(&format!("{first}, against {second}"), width);
    let inner = page.inner();
    let same = match answer.same {
        1 => "1 decision that is".to_owned(),
        several => format!("{} decisions that are", exact(several)),
    };
    let Some(parting) = &answer.parting else {
        let all = exact(answer.same);
        page.section("Parting", vec![format!("none: all {all} decisions are the same")]);
        return page.lines.join("\n") + "\n";
    };
    let Parting { time_us, pod, decisions, placements } = parting;
    let head = format!("{}, after {same} the same: pod {pod}", clock(*time_us));
    page.section("Parting", wrapped(&head, inner));
    for (index, run) in answer.runs.iter().enumerate() {
        page.lines.push(String::new());
        let mut body = wrapped(run, inner);
        body.extend(wrapped(&sentence(decisions[index].as_ref()), inner));
        match &placements[index] {
            Some(placement) => body.extend(placement_lines(placement, inner, nodes)),
            None => body.push(format!("pod {pod} is not in this run then")),
        }
        page.section(if index == 0 { "First run" } else { "Second run" }, body);
    }
    page.lines.join("\n") + "\n"
}

fn sentence(decision: Option<&NamedDecision>) -> String {
    let Some(NamedDecision { time_us, kind, pod, node, victims }) = decision else {
        return "decides nothing more".to_owned();
    };
    let node = node.as_deref().unwrap_or_default();
    let what = match *kind {
        "bind" => format!("binds {pod} to {node}"),
        "preempt" => format!("binds {pod} to {node}, where {} have to go", list(victims)),
        "evict" => format!("evicts {pod}"),
        _ => format!("turns {pod} away"),
    };
    format!("{} {what}", clock(*time_us))
}
