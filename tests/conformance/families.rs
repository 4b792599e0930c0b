//! Which file runs which suite.

use serde_json::Value;

use crate::{
    allocatable, counting, decisions, framework, gang, labels, node_selector, plugins, preempting,
    quantity, queue, quotas, resources, scheduler, tolerations,
};

/// Runs one case; the error says what is different from what is expected.
pub type Runner = fn(&Value) -> Result<(), String>;

/// What is to be done with a suite.
pub enum Family {
    /// Run its cases.
    Run(Runner),
    /// It is about controllers, which are not there yet.
    Controllers,
    /// Nobody knows it: its cases fail.
    Unknown,
}

/// Suites about controllers, by the first word of their name.
const CONTROLLERS: [&str; 13] = [
    "autoscaler",
    "controller",
    "daemonset",
    "deployment",
    "descheduler",
    "disruption",
    "hpa",
    "job",
    "nodelifecycle",
    "podgc",
    "replicaset",
    "statefulset",
    "tainteviction",
];

/// What to do with the suite `name`, whose cases are of `kind`.
pub fn family(name: &str, kind: &str) -> Family {
    let first = name.split('.').next().unwrap_or(name);
    if CONTROLLERS.contains(&first) {
        return Family::Controllers;
    }
    by_name(name).or_else(|| by_kind(kind)).map_or(Family::Unknown, Family::Run)
}

/// Runners of suites that are known by name.
fn by_name(name: &str) -> Option<Runner> {
    let files = [
        allocatable::runner,
        framework::runner,
        gang::runner,
        labels::runner,
        node_selector::runner,
        plugins::runner,
        preempting::runner,
        quantity::runner,
        queue::runner,
        quotas::runner,
        resources::runner,
        scheduler::runner,
        tolerations::runner,
    ];
    files.iter().find_map(|runner_of| runner_of(name))
}

/// Runners of suites of the scheduler, by the kind of their cases.
fn by_kind(kind: &str) -> Option<Runner> {
    Some(match kind {
        "schedule_sequence" | "sampling_sequence" => decisions::sequence,
        "preemption" => decisions::preemption,
        "filter" => plugins::filter,
        "score" => plugins::score,
        "score_total" => plugins::score_total,
        "schedule_pod" => plugins::schedule_pod,
        "preempt_dry_run" => preempting::dry_run,
        "preempt_select" => preempting::select,
        "preempt_eligible" => preempting::eligible,
        "preempt_full" | "post_filter" => preempting::post_filter,
        "pts_state" => counting::spread_state,
        "pts_prescore_state" => counting::prescore_state,
        "ipa_counts" => counting::affinity_counts,
        "ipa_add_remove" => counting::affinity_add_remove,
        _ => return None,
    })
}
