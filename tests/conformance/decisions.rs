//! Whole decisions of kube-scheduler v1.35.4: `schedule_sequence`, `sampling_sequence`,
//! `preemption`.

use std::collections::BTreeSet;
use std::sync::Arc;

use cellsim::kubernetes::Time;
use cellsim::scheduling::kube::preemption::{Candidate, Preemption};
use cellsim::scheduling::kube::{
    Cycle, NodeId, PodInfo, Scheduler, Status, feasible_nodes_to_find,
};
use serde_json::Value;

use crate::cell::{items, names, pod, read, same, same_status, scheduler};

/// Runs pods one after another.
pub fn sequence(case: &Value) -> Result<(), String> {
    let (input, expected) = (&case["input"], &case["expected"]);
    let mut scheduler = scheduler(&case["file"]["plugins"], input)?;
    check_order(&scheduler, expected)?;
    if let Some(enough) = expected["num_feasible_nodes_to_find"].as_u64() {
        let percentage = scheduler.profile.percentage_of_nodes_to_score;
        let nodes = scheduler.cache.order().len();
        let found = feasible_nodes_to_find(percentage, nodes);
        same("num_feasible_nodes_to_find", &found, &usize::try_from(enough).unwrap_or(0))?;
    }
    for (incoming, decision) in
        items(&input["incoming_pods"]).iter().zip(items(&expected["decisions"]))
    {
        let name = decision["pod"].as_str().unwrap_or_default();
        step(&mut scheduler, incoming, decision, expected).map_err(|e| format!("{name}: {e}"))?;
    }
    Ok(())
}

fn check_order(scheduler: &Scheduler, expected: &Value) -> Result<(), String> {
    let order = names(&scheduler.cache, scheduler.cache.order());
    same("node_order", &order, &read::<Vec<String>>(&expected["node_order"])?)
}

fn step(
    scheduler: &mut Scheduler,
    incoming: &Value,
    decision: &Value,
    expected: &Value,
) -> Result<(), String> {
    let pod = pod(scheduler, incoming)?;
    let start = |scheduler: &Scheduler| scheduler.next_start as u64;
    if let Some(index) = decision["start_index"].as_u64() {
        same("start_index", &start(scheduler), &index)?;
    }
    let cycle = scheduler.schedule(&pod).map_err(|status| status.message())?;
    if let Some(index) = decision["next_start_index"].as_u64() {
        same("next_start_index", &start(scheduler), &index)?;
    }
    check_cycle(scheduler, &cycle, decision, expected)?;
    if let Some(node) = cycle.first() {
        scheduler.assume(pod, node);
    }
    Ok(())
}

/// Compares a cycle with a decision.
fn check_cycle(
    scheduler: &Scheduler,
    cycle: &Cycle,
    decision: &Value,
    expected: &Value,
) -> Result<(), String> {
    let order = scheduler.cache.order();
    same("filter results", &order.len(), &items(&decision["filter"]).len())?;
    let feasible: BTreeSet<NodeId> = cycle.feasible.iter().copied().collect();
    for (node, index) in order.iter().zip(items(&decision["filter"])) {
        let name = scheduler.cache.node(*node).name();
        let index = index.as_i64().unwrap_or(-1);
        let explicit = cycle.diagnosis.statuses.explicit(*node);
        let absent = cycle.diagnosis.statuses.absent();
        if feasible.contains(node) {
            same(&format!("filter of {name}"), &index, &0)?;
        } else if index < 0 {
            same(&format!("{name} not examined"), &explicit.is_none(), &true)?;
        } else {
            let status = explicit.unwrap_or(absent);
            let want = &expected["statuses"][usize::try_from(index).unwrap_or(0)];
            same_status(&format!("filter of {name}"), status, want)?;
            let plugin = want["plugin"].as_str().unwrap_or_default();
            same(&format!("filter of {name}: plugin"), &status.plugin.as_ref(), &plugin)?;
        }
    }
    check_scores(cycle, decision)?;
    let chosen = cycle.first().map(|node| scheduler.cache.node(node).name());
    same("node", &chosen, &decision["node"].as_str())?;
    check_failure(scheduler, cycle, decision)
}

fn check_scores(cycle: &Cycle, decision: &Value) -> Result<(), String> {
    let Some(scores) = &cycle.scores else {
        return same("scored", &false, &decision.get("total").is_some());
    };
    let wanted = decision["scores"].as_object().ok_or("no scores are expected")?;
    same("plugins that scored", &scores.plugins.len(), &wanted.len())?;
    for (plugin, own) in &scores.plugins {
        let want = wanted.get(plugin).ok_or_else(|| format!("{plugin} should not score"))?;
        same(&format!("scores of {plugin}"), own, &read::<Vec<i64>>(want)?)?;
    }
    same("total", &scores.totals, &read::<Vec<i64>>(&decision["total"])?)?;
    same("ties", &(cycle.best.len() as u64), &decision["ties"].as_u64().unwrap_or(0))
}

fn check_failure(scheduler: &Scheduler, cycle: &Cycle, decision: &Value) -> Result<(), String> {
    let Some(message) = decision["message"].as_str() else { return Ok(()) };
    let nodes = scheduler.cache.order().len();
    same("message", &cycle.diagnosis.message(nodes).as_str(), &message)?;
    let plugins: Vec<_> = cycle.diagnosis.unschedulable_plugins.iter().cloned().collect();
    let wanted: Vec<String> = read(&decision["unschedulable_plugins"])?;
    same("unschedulable_plugins", &plugins, &wanted)?;
    if let Some(message) = decision["prefilter_message"].as_str() {
        same("prefilter_message", &cycle.diagnosis.pre_filter_message.as_str(), &message)?;
    }
    Ok(())
}

/// Lets one pod preempt others.
pub fn preemption(case: &Value) -> Result<(), String> {
    let (input, expected) = (&case["input"], &case["expected"]);
    let mut scheduler = scheduler(&case["file"]["plugins"], input)?;
    check_order(&scheduler, expected)?;
    let preemptor = pod(&mut scheduler, &input["preemptor"])?;
    let cycle = scheduler.schedule(&preemptor).map_err(|status| status.message())?;
    check_cycle(&scheduler, &cycle, &expected["cycle"], expected)?;
    let preemption = scheduler.preempt(&preemptor, &cycle, 0, Time(i64::MAX));
    check_preemption(&scheduler, &preemption, expected)?;
    let nodes = scheduler.cache.order().len();
    let mut message = cycle.diagnosis.message(nodes);
    if !preemption.status.is_success() {
        message = format!("{message} {}", preemption.status.message());
    }
    same("message", &message.as_str(), &expected["message"].as_str().unwrap_or_default())?;
    check_after(&mut scheduler, &preemptor, &preemption, expected)
}

fn check_preemption(
    scheduler: &Scheduler,
    preemption: &Preemption,
    expected: &Value,
) -> Result<(), String> {
    let eligible = expected["eligible"].as_bool().unwrap_or(false);
    same("eligible", &preemption.not_eligible.is_none(), &eligible)?;
    if let Some(reason) = expected["not_eligible_reason"].as_str() {
        same("not_eligible_reason", &preemption.not_eligible, &Some(reason))?;
    }
    let status = expected["post_filter_status"].as_str().unwrap_or_default();
    same("post_filter_status", &preemption.status.code.name(), &status)?;
    let cache = &scheduler.cache;
    if let Some(potential) = expected["potential_nodes"].as_array() {
        let own: Vec<_> =
            preemption.potential.iter().map(|node| cache.position(*node) as u64).collect();
        let wanted: Vec<_> = potential.iter().filter_map(Value::as_u64).collect();
        same("potential_nodes", &own, &wanted)?;
    }
    let mut candidates: Vec<_> = preemption.dry_run.candidates.iter().collect();
    candidates.sort_by_key(|candidate| cache.position(candidate.node));
    let own: Vec<_> = candidates.iter().map(|one| candidate(scheduler, one)).collect();
    same("candidates", &own, &items(&expected["candidates"]).to_vec())?;
    check_rejections(scheduler, preemption, expected)?;
    let mut picked: Vec<_> =
        preemption.best.iter().map(|place| preemption.dry_run.candidates[*place].node).collect();
    picked.sort_by_key(|node| cache.position(*node));
    let wanted: Vec<String> = if expected["picked_any_of"].is_null() {
        Vec::new()
    } else {
        read(&expected["picked_any_of"])?
    };
    same("picked_any_of", &names(cache, &picked), &wanted)
}

/// A candidate as the cases write it.
pub fn candidate(scheduler: &Scheduler, candidate: &Candidate) -> Value {
    let victims: Vec<&str> = candidate.victims.iter().map(|pod| pod.name.as_str()).collect();
    serde_json::json!({
        "node": scheduler.cache.node(candidate.node).name(),
        "num_pdb_violations": candidate.budget_violations,
        "victims": victims,
    })
}

fn check_rejections(
    scheduler: &Scheduler,
    preemption: &Preemption,
    expected: &Value,
) -> Result<(), String> {
    let Some(wanted) = expected["dry_run_rejections"].as_object() else { return Ok(()) };
    same("dry_run_rejections", &preemption.dry_run.statuses.len(), &wanted.len())?;
    for (name, index) in wanted {
        let node = scheduler.cache.node_id(name).ok_or("an unknown node")?;
        let none = Status::SUCCESS;
        let status = preemption.dry_run.statuses.explicit(node).unwrap_or(&none);
        let index = usize::try_from(index.as_u64().unwrap_or(0)).unwrap_or(0);
        same_status(&format!("dry run of {name}"), status, &expected["statuses"][index])?;
    }
    Ok(())
}

/// The victims of the first of the best go, and the preemptor is tried again.
fn check_after(
    scheduler: &mut Scheduler,
    preemptor: &Arc<PodInfo>,
    preemption: &Preemption,
    expected: &Value,
) -> Result<(), String> {
    let Some(after) = expected.get("after") else { return Ok(()) };
    let cache = &scheduler.cache;
    let picked = preemption.best.iter().map(|place| &preemption.dry_run.candidates[*place]);
    let taken = picked.min_by_key(|one| cache.position(one.node)).ok_or("nothing was picked")?;
    let node = cache.node(taken.node).name().to_owned();
    for victim in &taken.victims {
        scheduler.cache.remove_pod(victim, taken.node);
    }
    for other in scheduler.outranked(preemptor, &node) {
        scheduler.cache.nominator.remove(&other);
    }
    let nominated = Arc::new(PodInfo { nominated_node: node.clone(), ..(**preemptor).clone() });
    scheduler.cache.nominator.add(Arc::clone(&nominated), &node);
    let cycle = scheduler.schedule(&nominated).map_err(|status| status.message())?;
    let chosen = cycle.first().map(|node| scheduler.cache.node(node).name());
    same("after: node", &chosen, &after["node"].as_str())?;
    let on_nominated = after["on_nominated"].as_bool().unwrap_or(false);
    same("after: on_nominated", &(chosen == Some(node.as_str())), &on_nominated)?;
    if let Some(message) = after["message"].as_str() {
        let nodes = scheduler.cache.order().len();
        same("after: message", &cycle.diagnosis.message(nodes).as_str(), &message)?;
    }
    Ok(())
}
