//! Names that nobody has, and those that are near.

use super::ExplainError;
use super::question::{PodName, clock_text};
use super::run::Run;
use crate::cluster::{Cluster, Fact};
use crate::engine::SimTime;
use crate::metrics::Observer;
use crate::scenario::{did_you_mean, likeness};
use crate::scheduling::Decision;
use crate::simulation::{Moment, Witness};

/// Names that are proposed.
const MOST: usize = 5;
/// How alike they must be.
const ALIKE: f64 = 0.6;

/// What to say of a node that is not there; `known` are those that are.
pub fn unknown_node(name: &str, known: &[String]) -> ExplainError {
    let proposal = did_you_mean(name, known.iter().map(String::as_str));
    let mut message = format!("there is no node \"{name}\" in this run{proposal}");
    if proposal.is_empty()
        && let (Some(first), Some(last)) = (known.first(), known.last())
    {
        message += &format!("; it has {} nodes, from {first} to {last}", known.len());
    }
    ExplainError::Question(message)
}

/// What to say of a pod that did not come up to `at`.
///
/// # Errors
/// The replay that looks for names failed.
pub fn unknown_pod(
    run: &Run,
    name: &PodName,
    at: Option<SimTime>,
) -> Result<ExplainError, ExplainError> {
    let text = name.to_string();
    let workload = match name {
        PodName::Key(workload, _) => workload.clone(),
        PodName::Serial(_) | PodName::Other(_) => text.clone(),
    };
    let search = Search { wanted: text.clone(), workload, ..Search::default() };
    let (found, _) = run.replay(at, search, |search, _| std::mem::take(search))?;
    let until = at.map_or(String::new(), |at| format!(" up to {}", clock_text(at)));
    let mut message = format!("there is no pod \"{text}\" in this run{until}");
    if let PodName::Serial(_) = name {
        message += &format!("; it has {} pods, counted from #0", found.pods);
    } else if found.of_workload > 0 {
        let example = found.example.unwrap_or_default();
        message += &format!(
            "; workload \"{}\" has {} pods, such as {example}: ask for workload/{}",
            found.workload, found.of_workload, found.workload
        );
    } else {
        message += &proposal(&found.nearest);
    }
    Ok(ExplainError::Question(message))
}

/// What to say of a workload that had no pods up to `at`.
///
/// # Errors
/// The replay that looks for names failed.
pub fn unknown_workload(
    run: &Run,
    name: &str,
    at: Option<SimTime>,
) -> Result<ExplainError, ExplainError> {
    let search = Search { wanted: name.to_owned(), by_workload: true, ..Search::default() };
    let (found, _) = run.replay(at, search, |search, _| std::mem::take(search))?;
    let message = format!("there is no workload \"{name}\" with pods in this run");
    Ok(ExplainError::Question(message + &proposal(&found.nearest)))
}

fn proposal(nearest: &[(f64, String)]) -> String {
    let names: Vec<String> = nearest.iter().map(|(_, name)| format!("\"{name}\"")).collect();
    match &names[..] {
        [] => String::new(),
        [only] => format!("; did you mean {only}?"),
        [several @ .., last] => format!("; did you mean {} or {last}?", several.join(", ")),
    }
}

/// Looks for names that are like one.
#[derive(Default)]
struct Search {
    wanted: String,
    /// Names of workloads are looked for, not of pods.
    by_workload: bool,
    /// The workload whose pods are counted.
    workload: String,
    of_workload: u64,
    example: Option<String>,
    pods: u64,
    /// The nearest names, nearest first.
    nearest: Vec<(f64, String)>,
}

impl Search {
    fn consider(&mut self, name: String) {
        let score = likeness(&self.wanted, &name);
        let worst = self.nearest.last().map_or(0.0, |(score, _)| *score);
        let full = self.nearest.len() == MOST;
        if score < ALIKE || full && score <= worst || self.nearest.iter().any(|n| n.1 == name) {
            return;
        }
        let position = self.nearest.partition_point(|(better, _)| *better >= score);
        self.nearest.insert(position, (score, name));
        self.nearest.truncate(MOST);
    }
}

impl Observer for Search {
    fn observe(&mut self, _now: SimTime, fact: &Fact, cluster: &Cluster) {
        let Fact::PodSubmitted { pod } = *fact else { return };
        let record = cluster.pod(pod);
        let workload = cluster.workload_name(record.new.workload);
        self.pods += 1;
        if workload == self.workload {
            self.of_workload += 1;
            self.example.get_or_insert_with(|| cluster.pod_name(record));
        }
        let name = if self.by_workload { workload } else { cluster.pod_name(record) };
        self.consider(name);
    }
}

impl Witness for Search {
    fn decides(&mut self, _moment: Moment<'_>, _decision: &Decision) {}
}
