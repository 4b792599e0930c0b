//! Preemption: kinds `preempt_*` and `post_filter`.

use std::collections::BTreeMap;

use cellsim::kubernetes::Time;
use cellsim::scheduling::kube::preemption::Preemption;
use cellsim::scheduling::kube::{Code, Cycle, NodeStatuses, Reason, Scheduler, Status};
use serde_json::Value;

use crate::cell::{items, pod, read, same, same_status, scheduler};
use crate::decisions::candidate;
use crate::fakes;
use crate::families::Runner;

/// The runner of a suite that is here.
pub fn runner(suite: &str) -> Option<Runner> {
    (suite == "preemption.might_help").then_some(might_help)
}

/// Pods without a start time count as started after all others.
const NOW: Time = Time(i64::MAX);

/// A status as cases write it.
fn status(value: &Value) -> Status {
    let codes = [Code::Error, Code::Unschedulable, Code::UnschedulableAndUnresolvable];
    let code = codes.into_iter().find(|code| value["code"] == code.name());
    let reasons = items(&value["reasons"]).iter().filter_map(Value::as_str);
    let reasons = reasons.map(|reason| Reason::Owned(reason.to_owned())).collect();
    Status { code: code.unwrap_or(Code::Success), reasons, ..Status::SUCCESS }
}

/// A cycle that ends before filters: its state is what preemption goes on from.
fn prepared(scheduler: &mut Scheduler, value: &Value) -> Result<Cycle, String> {
    let pod = pod(scheduler, value)?;
    scheduler.schedule(&pod).map_err(|status| status.message())
}

/// Kind `preempt_dry_run`: all candidates of each preemptor.
pub fn dry_run(case: &Value) -> Result<(), String> {
    let (input, expected) = (&case["input"], &case["expected"]);
    let random = items(&case["tags"]).iter().any(|tag| tag == "random_offset");
    let wanted = items(&expected["candidates_per_preemptor"]);
    let calls = items(&expected["filter_calls_per_preemptor"]);
    for (index, preemptor) in items(&input["preemptors"]).iter().enumerate() {
        let mut scheduler = scheduler(&input["plugins"], input)?;
        let cycle = prepared(&mut scheduler, preemptor)?;
        let preemptor = pod(&mut scheduler, preemptor)?;
        let nodes = scheduler.cache.order().to_vec();
        let wanted: Vec<Value> = wanted.get(index).map_or_else(Vec::new, |list| {
            let mut list: Vec<_> = items(list).iter().map(by_name).collect();
            list.sort_by_key(ToString::to_string);
            list
        });
        let calls = calls.get(index).and_then(Value::as_u64);
        // The offset is drawn by lot upstream: any one will do.
        let offsets = if random { nodes.len() } else { 1 };
        let found: Vec<_> = (0..offsets)
            .map(|offset| {
                fakes::FILTER_CALLS.set(0);
                let run = scheduler.dry_run(&preemptor, &cycle.state, &nodes, offset, NOW);
                let mut list: Vec<Value> =
                    run.candidates.iter().map(|one| by_name(&candidate(&scheduler, one))).collect();
                list.sort_by_key(ToString::to_string);
                (list, calls.map(|_| fakes::FILTER_CALLS.get()))
            })
            .collect();
        let wanted = (wanted, calls);
        if !found.contains(&wanted) {
            return same("candidates and calls of filters", &found[0], &wanted);
        }
    }
    Ok(())
}

/// A candidate with its victims by name: upstream's test sorts them so.
fn by_name(value: &Value) -> Value {
    let mut victims: Vec<_> = items(&value["victims"]).iter().filter_map(Value::as_str).collect();
    victims.sort_unstable();
    serde_json::json!({
        "node": value["node"],
        "num_pdb_violations": value["num_pdb_violations"].as_u64().unwrap_or(0),
        "victims": victims,
    })
}

/// Kind `preempt_select`: the candidate that is taken.
pub fn select(case: &Value) -> Result<(), String> {
    let (input, expected) = (&case["input"], &case["expected"]);
    let mut scheduler = scheduler(&input["plugins"], input)?;
    let cycle = prepared(&mut scheduler, &input["preemptor"])?;
    let preemptor = pod(&mut scheduler, &input["preemptor"])?;
    let preemption = scheduler.preempt(&preemptor, &cycle, 0, NOW);
    let wanted: Vec<String> = read(&expected["any_of"])?;
    let own = picked(&scheduler, &preemption);
    if own.is_empty() || !own.iter().all(|name| wanted.contains(name)) {
        return Err(format!("picked any of {own:?}, expected any of {wanted:?}"));
    }
    Ok(())
}

fn picked(scheduler: &Scheduler, preemption: &Preemption) -> Vec<String> {
    let best = preemption.best.iter().map(|place| &preemption.dry_run.candidates[*place]);
    best.map(|one| scheduler.cache.node(one.node).name().to_owned()).collect()
}

/// Kind `preempt_eligible`.
pub fn eligible(case: &Value) -> Result<(), String> {
    let input = &case["input"];
    let mut scheduler = scheduler(&Value::Null, input)?;
    let pod = pod(&mut scheduler, &input["pod"])?;
    let reason = scheduler.not_eligible(&pod, &status(&input["nominated_node_status"]));
    let wanted = case["expected"]["eligible"].as_bool().unwrap_or(false);
    same("eligible", &reason.is_none(), &wanted)
}

/// Kinds `post_filter` and `preempt_full`: preemption after filters said what the case says.
pub fn post_filter(case: &Value) -> Result<(), String> {
    let (input, expected) = (&case["input"], &case["expected"]);
    let mut scheduler = scheduler(&input["plugins"], input)?;
    let cycle = prepared(&mut scheduler, &input["pod"])?;
    let pod = pod(&mut scheduler, &input["pod"])?;
    let mut statuses = NodeStatuses::default();
    match input["filtered_nodes_status"].as_object() {
        Some(given) => {
            for (name, value) in given {
                let node = scheduler.cache.node_id(name).ok_or("an unknown node")?;
                statuses.set(node, status(value));
            }
        }
        None => {
            for node in scheduler.cache.order() {
                statuses.set(*node, Status::unschedulable(""));
            }
        }
    }
    let preemption = scheduler.preempt_from(&pod, &cycle.state, &statuses, 0, NOW);
    if !expected["status"].is_null() {
        same_status("status", &preemption.status, &expected["status"])?;
    }
    let nominated = expected["nominated_node"].as_str().unwrap_or_default();
    let own = picked(&scheduler, &preemption);
    let taken = own.first().map_or("", String::as_str);
    same("nominated_node", &taken, &nominated)?;
    if let Some(wanted) = expected["victims"].as_array() {
        let mut wanted: Vec<_> = wanted.iter().filter_map(Value::as_str).collect();
        let victims = preemption.first().map_or(&[][..], |one| &one.victims);
        let mut own: Vec<_> = victims.iter().map(|victim| victim.name.as_str()).collect();
        own.sort_unstable();
        wanted.sort_unstable();
        same("victims", &own, &wanted)?;
    }
    Ok(())
}

/// The nodes that preemption looks at. Upstream's case is of v1.26, where a node without a status
/// was one; the cases say so (`preemption.might_help`), hence the status that absent nodes get.
pub fn might_help(case: &Value) -> Result<(), String> {
    let input = &case["input"];
    let nodes: Vec<Value> = items(&input["nodes"])
        .iter()
        .map(|name| serde_json::json!({ "metadata": { "name": name } }))
        .collect();
    let scheduler = scheduler(&Value::Null, &serde_json::json!({ "nodes": nodes }))?;
    let mut statuses = NodeStatuses::default();
    statuses.set_absent(Status::unschedulable(""));
    let given: BTreeMap<String, Value> = read(&input["node_status"])?;
    for (name, value) in &given {
        let node = scheduler.cache.node_id(name).ok_or("an unknown node")?;
        statuses.set(node, status(value));
    }
    let own = crate::cell::names(&scheduler.cache, &scheduler.potential_nodes(&statuses));
    same("nodes", &own, &read(&case["expected"]["nodes"])?)
}
