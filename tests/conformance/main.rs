//! Cases taken from the test suites of Kubernetes and its sister projects, run on this library.
//!
//! The cases are data of others and are not part of the project: they are read from
//! `$CELLSIM_DATA/conformance/{upstream,decisions}` (default `../shared`). What fails is printed;
//! the test fails if a case fails whose reason is not written down in `docs/conformance.md`, or if
//! a case passes that is written down there.

mod allocatable;
mod cases;
mod cell;
mod counting;
mod decisions;
mod fakes;
mod families;
mod framework;
mod gang;
mod known;
mod labels;
mod node_selector;
mod plugins;
mod preempting;
mod quantity;
mod queue;
mod quotas;
mod resources;
mod scheduler;
mod support;
mod tolerations;

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use cases::Suite;
use families::Family;
use known::Known;

/// A failure as it is printed: one line, not longer than a terminal is wide twice over.
const REASON_CHARACTERS: usize = 240;

fn text_of(panicked: &(dyn Any + Send)) -> &str {
    let text = panicked.downcast_ref::<&str>().copied();
    text.or_else(|| panicked.downcast_ref::<String>().map(String::as_str)).unwrap_or("?")
}

fn shortened(reason: &str) -> String {
    let line = reason.replace('\n', " ");
    if line.chars().count() <= REASON_CHARACTERS {
        return line;
    }
    line.chars().take(REASON_CHARACTERS).chain(['…']).collect()
}

/// What became of the cases.
#[derive(Default)]
struct Tally {
    passed: usize,
    run: usize,
    /// Suites and ids of the cases that failed.
    failed: Vec<(String, String)>,
    /// Suites and ids of the cases that passed.
    fine: Vec<(String, String)>,
}

fn run_suite(suite: &Suite, runner: families::Runner, tally: &mut Tally) {
    let mut passed = 0;
    for case in &suite.cases {
        let id = case["id"].as_str().unwrap_or("a case without id").to_owned();
        let result = panic::catch_unwind(AssertUnwindSafe(|| runner(case)))
            .unwrap_or_else(|panicked| Err(format!("panicked: {}", text_of(&*panicked))));
        match result {
            Ok(()) => {
                passed += 1;
                tally.fine.push((suite.name.clone(), id));
            }
            Err(reason) => {
                println!("  failed: {id}: {}", shortened(&reason));
                tally.failed.push((suite.name.clone(), id));
            }
        }
    }
    println!("conformance {}: {passed} of {} passed", suite.name, suite.cases.len());
    tally.passed += passed;
    tally.run += suite.cases.len();
}

/// Runs every suite that has a runner.
fn run_all(suites: &[Suite]) -> Tally {
    let mut tally = Tally::default();
    let mut later = Vec::new();
    for suite in suites {
        match families::family(&suite.name, &suite.kind) {
            Family::Run(runner) => run_suite(suite, runner, &mut tally),
            Family::Controllers => later.push(format!("{} ({})", suite.name, suite.cases.len())),
            Family::Unknown => {
                run_suite(suite, |_| Err("no runner for this suite".to_owned()), &mut tally);
            }
        }
    }
    if !later.is_empty() {
        println!("conformance not yet run (controllers): {}", later.join(", "));
    }
    println!("conformance total: {} of {} passed", tally.passed, tally.run);
    tally
}

#[test]
fn upstream_cases_pass() {
    let known = Known::of_the_documentation();
    let suites = match cases::all() {
        Ok(suites) if !suites.is_empty() => suites,
        Ok(_) => {
            println!(
                "conformance: skipped, there are no cases below {} (set CELLSIM_DATA)",
                cases::folder().display()
            );
            return;
        }
        Err(problem) => panic!("the cases cannot be read: {problem}"),
    };
    // A panicking runner is a failed case: one line is enough.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let tally = run_all(&suites);
    panic::set_hook(hook);

    let unexpected: Vec<&String> = tally
        .failed
        .iter()
        .filter(|(suite, id)| known.reason(suite, id).is_none())
        .map(|(_, id)| id)
        .collect();
    assert!(
        unexpected.is_empty(),
        "{} cases fail whose reason docs/conformance.md does not tell: {unexpected:?}",
        unexpected.len()
    );
    let stale = known.stale(&tally.fine);
    assert!(stale.is_empty(), "docs/conformance.md tells of failures that are none: {stale:?}");
}
