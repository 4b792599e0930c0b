//! Single plugins of the scheduler: kinds `filter`, `score`, `score_total`, `schedule_pod`.

use std::collections::BTreeMap;

use cellsim::scheduling::kube::args::ResourcesFitArgs;
use cellsim::scheduling::kube::plugins::{ResourcesFit, SchedulingGates};
use cellsim::scheduling::kube::profile::{PluginError, plugin};
use cellsim::scheduling::kube::{
    Cache, Enabled, NodeId, Plugin, PodInfo, Prepared, Profile, Scheduler, State, Status,
};
use serde_json::Value;

use crate::cell::{arguments, cache, items, names, pod, profile, read, same, same_status};
use crate::fakes;
use crate::families::Runner;

/// The runner of a suite that is here.
pub fn runner(suite: &str) -> Option<Runner> {
    Some(match suite {
        "schedule_one.prioritize_nodes" => prioritize_nodes,
        "schedulinggates.preenqueue" => gates,
        _ => return None,
    })
}

/// The plugin of a case.
fn plugin_of(case: &Value) -> Result<Box<dyn Plugin>, PluginError> {
    let input = &case["input"];
    let name = input["plugin"].as_str().unwrap_or_else(|| volume_plugin(case));
    match fakes::by_name(name, input) {
        Some(fake) => Ok(fake),
        None => plugin(name, &arguments(&input["args"])),
    }
}

/// The volume plugin that the name of the suite begins with; empty if it is none.
fn volume_plugin(case: &Value) -> &'static str {
    let suite = case["file"]["suite"].as_str().unwrap_or_default();
    let first = suite.split('.').next().unwrap_or_default();
    let plugins = ["VolumeRestrictions", "NodeVolumeLimits", "VolumeBinding", "VolumeZone"];
    plugins.into_iter().find(|name| name.to_lowercase() == first).unwrap_or_default()
}

fn node_of(cache: &Cache, value: &Value) -> Result<NodeId, String> {
    let name = value.as_str().unwrap_or_default();
    cache.node_id(name).ok_or_else(|| format!("there is no node {name:?}"))
}

/// Kind `filter`: PreFilter, then Filter for each node.
pub fn filter(case: &Value) -> Result<(), String> {
    let (input, expected) = (&case["input"], &case["expected"]);
    let plugin = plugin_of(case).map_err(|error| error.to_string())?;
    let mut cache = cache(input)?;
    let pod = cache.intern(&read(&input["pod"])?);
    let prepared = if input["run_prefilter"].as_bool().unwrap_or(true) {
        plugin.pre_filter(&cache, &pod)
    } else {
        Prepared::State(None)
    };
    let mut only = None;
    let state = match prepared {
        Prepared::State(state) => state,
        Prepared::Only(state, names) => {
            only = Some(names);
            state
        }
        Prepared::Skip => None,
        Prepared::Rejected(status) => {
            return same_status("PreFilter", &status, &expected["prefilter_status"]);
        }
    };
    let rejected = expected["prefilter_status"]["code"].as_str().unwrap_or("Success");
    if !matches!(rejected, "Success" | "Skip") {
        return Err(format!("PreFilter should say {rejected}"));
    }
    if let Some(names) = expected["prefilter_node_names"].as_array() {
        let own: Vec<_> = only.into_iter().flatten().collect();
        let mut names: Vec<_> = names.iter().filter_map(Value::as_str).collect();
        names.sort_unstable();
        same("PreFilter: names", &own, &names.iter().map(ToString::to_string).collect())?;
    }
    for want in items(&expected["node_status"]) {
        let node = node_of(&cache, &want["node"])?;
        let status = plugin.filter(state.as_deref(), &cache, &pod, cache.node(node));
        same_status(&format!("node {}", want["node"]), &status, want)?;
    }
    insufficient(input, expected, &cache, &pod)
}

/// What NodeResourcesFit finds lacking, in any order.
fn insufficient(
    input: &Value,
    expected: &Value,
    cache: &Cache,
    pod: &PodInfo,
) -> Result<(), String> {
    let Some(wanted) = expected["insufficient_resources"].as_array() else { return Ok(()) };
    let args: ResourcesFitArgs = read(&arguments(&input["args"]))?;
    let node = cache.order().first().ok_or("no node")?;
    let node = cache.node(*node);
    let lacking =
        ResourcesFit::new(&args).insufficient(&pod.template.requests, node, cache.symbols());
    let mut own: Vec<_> = lacking
        .into_iter()
        .map(|one| (one.resource, one.reason.into_owned(), one.requested, one.used, one.capacity))
        .collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| value.as_i64().unwrap_or(0);
    let mut wanted: Vec<_> = wanted
        .iter()
        .map(|one| {
            (
                text(&one["resourceName"]),
                text(&one["reason"]),
                number(&one["requested"]),
                number(&one["used"]),
                number(&one["capacity"]),
            )
        })
        .collect();
    own.sort();
    wanted.sort();
    same("insufficient_resources", &own, &wanted)
}

/// Kind `score`: PreScore, Score for each candidate, NormalizeScore.
pub fn score(case: &Value) -> Result<(), String> {
    let (input, expected) = (&case["input"], &case["expected"]);
    let rejects = expected["config_error"].as_bool().unwrap_or(false);
    let plugin = match plugin_of(case) {
        Ok(_) if rejects => return Err("the arguments should be rejected".to_owned()),
        Err(PluginError::Invalid { fields, .. }) if rejects => {
            let fields: Vec<_> = fields.into_iter().map(|one| one.field).collect();
            return same("fields", &fields, &read(&expected["fields"])?);
        }
        other => other.map_err(|error| error.to_string())?,
    };
    let mut cache = cache(input)?;
    let pod = cache.intern(&read(&input["pod"])?);
    let candidates: Vec<NodeId> = items(&input["nodes"])
        .iter()
        .map(|node| node_of(&cache, &node["metadata"]["name"]))
        .collect::<Result<_, _>>()?;
    let flag = |name: &str, default| input[name].as_bool().unwrap_or(default);
    let prepared = if flag("run_prescore", true) {
        plugin.pre_score(&cache, &pod, &candidates)
    } else {
        Prepared::State(None)
    };
    let wanted = expected["prescore_status"]["code"].as_str();
    let state = match prepared {
        Prepared::Rejected(status) => {
            let code = wanted.unwrap_or("Success");
            return same("PreScore", &status.code.name(), &code);
        }
        Prepared::Skip if wanted.is_some() => {
            return same("PreScore", &"Skip", &wanted.unwrap_or(""));
        }
        Prepared::Skip => return skipped(expected),
        Prepared::State(_) | Prepared::Only(..) if wanted.is_some_and(|code| code != "Success") => {
            return Err(format!("PreScore should say {wanted:?}"));
        }
        Prepared::State(state) | Prepared::Only(state, _) => state,
    };
    let scored =
        scores(&*plugin, state.as_deref(), &cache, &pod, &candidates, flag("normalize", false));
    compare_scores(&cache, scored, expected)
}

/// A plugin that has nothing to say adds nothing.
fn skipped(expected: &Value) -> Result<(), String> {
    let nothing = items(&expected["scores"]).iter().all(|one| one["score"] == 0);
    same("PreScore said Skip, scores are 0", &true, &nothing)
}

type Scored = Result<Vec<(NodeId, i64)>, Status>;

fn scores(
    plugin: &dyn Plugin,
    state: Option<&dyn State>,
    cache: &Cache,
    pod: &PodInfo,
    nodes: &[NodeId],
    normalize: bool,
) -> Scored {
    let mut scores = Vec::new();
    for node in nodes {
        scores.push((*node, plugin.score(state, cache, pod, cache.node(*node))?));
    }
    if normalize {
        plugin.normalize(state, &mut scores);
    }
    Ok(scores)
}

fn compare_scores(cache: &Cache, scored: Scored, expected: &Value) -> Result<(), String> {
    let scores = match scored {
        Err(status) => {
            let code = expected["status_code"].as_str().unwrap_or("Success");
            return same("status_code", &status.code.name(), &code);
        }
        Ok(_) if expected["status_code"].as_str().is_some_and(|code| code != "Success") => {
            return Err(format!("scoring should say {}", expected["status_code"]));
        }
        Ok(scores) => scores,
    };
    let own: Vec<_> =
        scores.iter().map(|(node, score)| (cache.node(*node).name().to_owned(), *score)).collect();
    let wanted: Vec<_> = items(&expected["scores"])
        .iter()
        .map(|one| {
            (one["node"].as_str().unwrap_or("").to_owned(), one["score"].as_i64().unwrap_or(0))
        })
        .collect();
    same("scores", &own, &wanted)
}

/// A cell whose every node is taken as one that will do.
fn totals(case: &Value) -> Result<(Scheduler, Vec<NodeId>, Cached), String> {
    let input = &case["input"];
    let mut scheduler =
        Scheduler::new(cache(input)?, scoring_only(profile(&input["plugins"], input)?));
    let pod = pod(&mut scheduler, &input["pod"])?;
    let cycle = scheduler.schedule(&pod).map_err(|status| status.message())?;
    let nodes = cycle.feasible.clone();
    let scores = cycle.scores.ok_or("nothing was scored")?;
    Ok((scheduler, nodes, scores))
}

type Cached = cellsim::scheduling::kube::NodeScores;

/// A plugin whose filter is left out: such cases are about scores alone.
struct ScoreOnly(Box<dyn Plugin>);

impl Plugin for ScoreOnly {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn scores(&self) -> bool {
        self.0.scores()
    }

    fn pre_score(&self, cache: &Cache, pod: &PodInfo, nodes: &[NodeId]) -> Prepared {
        self.0.pre_score(cache, pod, nodes)
    }

    fn score(
        &self,
        state: Option<&dyn State>,
        cache: &Cache,
        pod: &PodInfo,
        node: &cellsim::scheduling::kube::NodeInfo,
    ) -> Result<i64, Status> {
        self.0.score(state, cache, pod, node)
    }

    fn normalize(&self, state: Option<&dyn State>, scores: cellsim::scheduling::kube::Scores<'_>) {
        self.0.normalize(state, scores);
    }
}

fn scoring_only(profile: Profile) -> Profile {
    let plugins = profile.plugins.into_iter().map(|enabled| Enabled {
        plugin: Box::new(ScoreOnly(enabled.plugin)),
        weight: enabled.weight,
    });
    Profile { plugins: plugins.collect(), ..profile }
}

/// Kind `score_total`: the weighted sum over plugins.
pub fn score_total(case: &Value) -> Result<(), String> {
    let expected = &case["expected"];
    let (scheduler, nodes, scores) = totals(case)?;
    let own: BTreeMap<String, i64> =
        names(&scheduler.cache, &nodes).into_iter().zip(scores.totals).collect();
    if !expected["total_by_node"].is_null() {
        return same("total_by_node", &own, &read(&expected["total_by_node"])?);
    }
    let wanted = expected["total_without_selector_spread"].as_i64().ok_or("no total")?;
    own.iter().try_for_each(|(node, total)| same(node, total, &wanted))
}

/// The scores of every plugin for every node.
pub fn prioritize_nodes(case: &Value) -> Result<(), String> {
    let (scheduler, nodes, scores) = totals(case)?;
    let own = names(&scheduler.cache, &nodes);
    let wanted = items(&case["expected"]["scores"]);
    same("nodes", &own.len(), &wanted.len())?;
    for want in wanted {
        let name = want["Name"].as_str().unwrap_or_default();
        let place = own.iter().position(|own| own == name).ok_or("an unknown node")?;
        same(name, &scores.totals[place], &want["TotalScore"].as_i64().unwrap_or(-1))?;
        let of_plugins: BTreeMap<&str, i64> =
            scores.plugins.iter().map(|(plugin, own)| (plugin.as_str(), own[place])).collect();
        let wanted: BTreeMap<&str, i64> = items(&want["Scores"])
            .iter()
            .map(|one| (one["Name"].as_str().unwrap_or(""), one["Score"].as_i64().unwrap_or(-1)))
            .collect();
        // A plugin that skipped is not listed here and counts 0 upstream, or is not listed there.
        for (plugin, score) in &wanted {
            same(plugin, of_plugins.get(plugin).unwrap_or(&0), score)?;
        }
    }
    Ok(())
}

/// Kind `schedule_pod`: a whole cycle.
pub fn schedule_pod(case: &Value) -> Result<(), String> {
    let (input, expected) = (&case["input"], &case["expected"]);
    let mut scheduler = Scheduler::new(cache(input)?, profile(&input["plugins"], input)?);
    let pod = pod(&mut scheduler, &input["pod"])?;
    let cycle = scheduler.schedule(&pod).map_err(|status| status.message())?;
    if expected["unschedulable"].as_bool().unwrap_or(false) {
        same("nodes that will do", &cycle.feasible.len(), &0)?;
        let message = cycle.diagnosis.message(scheduler.cache.order().len());
        let Some(error) = expected["error"].as_str() else { return Ok(()) };
        return same("error", &message.as_str(), &error);
    }
    let wanted: Vec<String> = read(&expected["nodes_any_of"])?;
    let own = names(&scheduler.cache, &cycle.best);
    if own.is_empty() || !own.iter().all(|name| wanted.contains(name)) {
        return Err(format!("nodes: got {own:?}, expected any of {wanted:?}"));
    }
    if let Some(evaluated) = expected["evaluated_nodes"].as_u64() {
        same("evaluated_nodes", &(cycle.evaluated() as u64), &evaluated)?;
    }
    Ok(())
}

/// `schedulinggates.preenqueue`. Gates cannot be switched off since v1.30.
pub fn gates(case: &Value) -> Result<(), String> {
    let pod = Cache::new().intern(&read(&case["input"]["pod"])?);
    same_status("status", &SchedulingGates.pre_enqueue(&pod), &case["expected"]["status"])
}
