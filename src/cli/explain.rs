//! `cellsim explain`: why a pod is where it is, what a node holds, where two runs part.

use super::args::ExplainArguments;
use super::failure::Failure;
use super::output::{print, print_json, width};
use crate::explain::{
    Question, Run, explain_node, explain_pod, explain_workload, find_part, node_text, part_text,
    pod_text, workload_text,
};
use crate::scenario::Registry;

/// Replays the run and prints the answer.
///
/// # Errors
/// A question that makes no sense, a run that cannot be replayed.
pub fn explain(arguments: &ExplainArguments, registry: &Registry) -> Result<(), Failure> {
    if arguments.against.is_some() || !arguments.against_overrides.is_empty() {
        return explain_part(arguments, registry);
    }
    let Some(question) = &arguments.question else {
        return Err(Failure::input(
            "error: ask for pod/WORKLOAD/NUMBER, pod/#SERIAL, workload/NAME or node/NAME, or name \
             another run with --against",
        ));
    };
    // Whatever is wrong with the question is said before the long run.
    let question = Question::parse(question)?;
    let run = open(arguments, false, registry)?;
    let (at, json) = (arguments.at, arguments.json);
    match question {
        Question::Pod(name) => {
            let answer = explain_pod(&run, &name, at)?;
            if json {
                return print_json(&answer);
            }
            print(&pod_text(&answer, width(), arguments.nodes))
        }
        Question::Workload(name) => {
            let answer = explain_workload(&run, &name, at)?;
            if json { print_json(&answer) } else { print(&workload_text(&answer, width())) }
        }
        Question::Node(name) => {
            let answer = explain_node(&run, &name, at)?;
            if json { print_json(&answer) } else { print(&node_text(&answer, width())) }
        }
    }
}

/// Opens the run, or the one that it is held against.
fn open(arguments: &ExplainArguments, other: bool, registry: &Registry) -> Result<Run, Failure> {
    let (path, overrides) = match &arguments.against {
        _ if !other => (&arguments.run, arguments.overrides.clone()),
        Some(path) => (path, arguments.against_overrides.clone()),
        // The same run with a few fields more that differ.
        None => (
            &arguments.run,
            [arguments.overrides.as_slice(), arguments.against_overrides.as_slice()].concat(),
        ),
    };
    Ok(Run::open(path, &overrides, arguments.seed, &arguments.beside, registry)?)
}

fn explain_part(arguments: &ExplainArguments, registry: &Registry) -> Result<(), Failure> {
    if arguments.question.is_some() || arguments.at.is_some() {
        return Err(Failure::input(
            "error: --against finds the first decision that differs; it takes neither a question \
             nor --at",
        ));
    }
    let (first, second) = (open(arguments, false, registry)?, open(arguments, true, registry)?);
    let answer = find_part(&first, &second)?;
    if arguments.json {
        return print_json(&answer);
    }
    print(&part_text(&answer, width(), arguments.nodes))
}
