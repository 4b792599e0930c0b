//! What PodTopologySpread and InterPodAffinity count: kinds `pts_*` and `ipa_*`.

use cellsim::scheduling::kube::args::TopologySpreadArgs;
use cellsim::scheduling::kube::plugins::{
    AffinityCounts, SpreadCounts, SpreadScores, TermCounts, TopologySpread,
};
use cellsim::scheduling::kube::{Action, Cache, Constraint, NodeId, NodeInfo, PodInfo, Symbol};
use serde_json::{Value, json};

use crate::cell::{Counts, arguments, cache, counts, items, read, same};

fn spread_of(input: &Value) -> Result<TopologySpread, String> {
    let args: TopologySpreadArgs = read(&arguments(&input["args"]))?;
    args.validate().map_err(|fields| format!("{fields:?}"))?;
    Ok(TopologySpread::new(&args))
}

fn topology(cache: &Cache, key: Option<Symbol>) -> String {
    key.map_or_else(String::new, |key| cache.symbols().text(key).to_owned())
}

/// A constraint as the cases write it.
fn constraint(cache: &Cache, constraint: &Constraint) -> Value {
    let policy = |honors: bool| if honors { "Honor" } else { "Ignore" };
    json!({
        "maxSkew": constraint.max_skew,
        "topologyKey": topology(cache, constraint.topology_key),
        "selector": constraint.selector.to_string(),
        "minDomains": constraint.min_domains,
        "nodeAffinityPolicy": policy(constraint.honors_affinity),
        "nodeTaintsPolicy": policy(constraint.honors_taints),
    })
}

/// The node on which a pod comes or goes: given by name, or the one the pod is on.
fn moved<'a>(cache: &'a Cache, change: &'a Value) -> Result<(&'a Value, NodeId), String> {
    let pod = if change["pod"].is_null() { change } else { &change["pod"] };
    let name = change["node"].as_str().or(pod["spec"]["nodeName"].as_str()).unwrap_or_default();
    let node = cache.node_id(name).ok_or_else(|| format!("there is no node {name:?}"))?;
    Ok((pod, node))
}

/// Kind `pts_state`.
pub fn spread_state(case: &Value) -> Result<(), String> {
    let (input, expected) = (&case["input"], &case["expected"]);
    let plugin = spread_of(input)?;
    let mut cache = cache(input)?;
    let pod = cache.intern(&read(&input["pod"])?);
    let hard = plugin.constraints(&cache, &pod.template, Action::DoNotSchedule)?;
    let mut state = SpreadCounts::new(hard, &cache, &pod.template);
    for (change, times) in [("then_add", 1), ("then_remove", -1)] {
        if input[change].is_null() {
            continue;
        }
        let (other, node) = moved(&cache, &input[change])?;
        let other = cache.intern(&read(other)?);
        state.update(&pod.template, &other, cache.node(node), times);
    }
    let own: Vec<_> = state.constraints().iter().map(|one| constraint(&cache, one)).collect();
    same("constraints", &own, &items(&expected["constraints"]).to_vec())?;
    let mut found = Counts::new();
    for (constraint, counts) in state.constraints().iter().zip(state.counts()) {
        for (domain, count) in counts {
            let value = cache.symbols().text(*domain).to_owned();
            found.insert((topology(&cache, constraint.topology_key), value), *count);
        }
    }
    same("match_counts", &found, &counts(&expected["match_counts"]))?;
    check_paths(&cache, &state, expected)
}

/// The counts of the emptiest domains. Which of equals is named is not said.
fn check_paths(cache: &Cache, state: &SpreadCounts, expected: &Value) -> Result<(), String> {
    for (constraint, paths) in state.constraints().iter().zip(state.paths()) {
        let key = topology(cache, constraint.topology_key);
        let own: Vec<i64> = paths.paths().iter().map(|(_, count)| *count).collect();
        if let Some(least) = expected["min"][&key].as_i64() {
            same("min", &own[0], &least)?;
        }
        if let Some(wanted) = expected["critical_paths"][&key].as_array() {
            let wanted: Vec<_> = wanted.iter().filter_map(|one| one["count"].as_i64()).collect();
            same("critical_paths", &own, &wanted)?;
        }
    }
    Ok(())
}

/// Kind `pts_prescore_state`.
pub fn prescore_state(case: &Value) -> Result<(), String> {
    let (input, expected) = (&case["input"], &case["expected"]);
    let plugin = spread_of(input)?;
    let mut cache = cache(input)?;
    let pod = cache.intern(&read(&input["pod"])?);
    let soft = plugin.constraints(&cache, &pod.template, Action::ScheduleAnyway)?;
    let nodes: Vec<NodeId> = items(&input["nodes"])
        .iter()
        .filter_map(|node| cache.node_id(node["metadata"]["name"].as_str()?))
        .collect();
    let all_keys = plugin.requires_all_keys(&pod.template);
    let state = SpreadScores::new(soft, &cache, &pod.template, &nodes, all_keys);
    let wanted = expected["num_constraints"].as_u64().unwrap_or(0);
    same("num_constraints", &(state.constraints().len() as u64), &wanted)?;
    let mut ignored = crate::cell::names(&cache, state.ignored());
    ignored.sort();
    let mut wanted: Vec<String> = read(&expected["ignored_nodes"])?;
    wanted.sort();
    same("ignored_nodes", &ignored, &wanted)?;
    let mut found = Counts::new();
    for (constraint, counts) in state.constraints().iter().zip(state.counts()) {
        for (domain, count) in counts {
            let value = topology(&cache, *domain);
            found.insert((topology(&cache, constraint.topology_key), value), *count);
        }
    }
    same("counts", &found, &counts(&expected["counts"]))?;
    let weights: Vec<f64> = read(&expected["topology_normalizing_weight"])?;
    // The cases are read by `serde_json`, which may miss the last bit of a float.
    let near = |(own, want): (&f64, &f64)| own.to_bits().abs_diff(want.to_bits()) <= 1;
    let all = weights.len() == state.weights().len();
    if all && state.weights().iter().zip(&weights).all(near) {
        return Ok(());
    }
    same("topology_normalizing_weight", &state.weights().to_vec(), &weights)
}

fn affinity(cache: &Cache, counts: &TermCounts) -> Counts {
    let text = |symbol| cache.symbols().text(symbol).to_owned();
    counts.iter().map(|((key, value), count)| ((text(*key), text(*value)), *count)).collect()
}

fn check_affinity(cache: &Cache, own: &AffinityCounts, expected: &Value) -> Result<(), String> {
    for (name, counted) in [
        ("affinity_counts", &own.affinity),
        ("anti_affinity_counts", &own.anti_affinity),
        ("existing_anti_affinity_counts", &own.existing_anti_affinity),
    ] {
        if !expected[name].is_null() {
            same(name, &affinity(cache, counted), &counts(&expected[name]))?;
        }
    }
    Ok(())
}

/// Kind `ipa_counts`.
pub fn affinity_counts(case: &Value) -> Result<(), String> {
    let input = &case["input"];
    let mut cache = cache(input)?;
    let pod = cache.intern(&read(&input["pod"])?);
    check_affinity(&cache, &AffinityCounts::new(&cache, &pod.template), &case["expected"])
}

/// Kind `ipa_add_remove`: a pod comes; the counts are what they would be had it been there. When
/// it goes, they are as before.
pub fn affinity_add_remove(case: &Value) -> Result<(), String> {
    let input = &case["input"];
    let mut cache = cache(input)?;
    let pod = cache.intern(&read(&input["pod"])?);
    let template = &pod.template;
    let before = AffinityCounts::new(&cache, template);
    let (other, node) = moved(&cache, &input["then_add"])?;
    let other = cache.intern(&read(other)?);
    let mut changed = before.clone();
    changed.update(&cache, template, &other, cache.node(node), 1);
    check_affinity(&cache, &changed, &case["expected"])?;
    let mut with = cache.clone();
    with.add_pod(other.clone(), node);
    equal("as if it had been there", &changed, &AffinityCounts::new(&with, template))?;
    withdraw(&mut changed, &cache, &pod, &other, cache.node(node));
    equal("as before", &changed, &before)
}

fn withdraw(
    counts: &mut AffinityCounts,
    cache: &Cache,
    pod: &PodInfo,
    other: &PodInfo,
    node: &NodeInfo,
) {
    counts.update(cache, &pod.template, other, node, -1);
}

fn equal(what: &str, a: &AffinityCounts, b: &AffinityCounts) -> Result<(), String> {
    same(what, &a.affinity, &b.affinity)?;
    same(what, &a.anti_affinity, &b.anti_affinity)?;
    same(what, &a.existing_anti_affinity, &b.existing_anti_affinity)
}
