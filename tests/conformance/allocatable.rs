//! `scheduler_plugins.node_resources_allocatable`: scores by what nodes have.

use cellsim::kubernetes::Pod;
use cellsim::scheduling::kube::profile::{PluginError, plugin};
use cellsim::scheduling::kube::{Cache, Enabled, Profile, Scheduler};
use serde_json::Value;

use crate::cell::{arguments, items};
use crate::families::Runner;
use crate::support::{read, same};

pub fn runner(suite: &str) -> Option<Runner> {
    (suite == "scheduler_plugins.node_resources_allocatable").then_some(score as Runner)
}

/// Upstream's text for wrong fields: the text of one, or a list of several.
fn aggregate(fields: &[String]) -> String {
    match fields {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

fn score(case: &Value) -> Result<(), String> {
    let mut args = arguments(&case["input"]["args"]);
    if let Some(fields) = args.as_object_mut() {
        fields.remove("typeMeta");
        fields.retain(|_, value| value.as_str() != Some("") && !value.is_null());
    }
    let wrong: String = read(case, "/expected/wantErr")?;
    let plugin = match plugin("NodeResourcesAllocatable", &args) {
        Ok(plugin) => plugin,
        Err(PluginError::Invalid { fields, .. }) => {
            let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
            return same("error", &aggregate(&fields), &wrong);
        }
        Err(_) if !wrong.is_empty() => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    same("error", &"", &wrong.as_str())?;
    let mut cache = Cache::new();
    let mut names = Vec::new();
    for info in items(&case["input"]["nodeInfos"]) {
        let node = read(info, "/node")?;
        names.push(cache.set_node(&node));
    }
    let pod = cache.intern(&read::<Pod>(case, "/input/pod")?);
    for placed in items(&case["input"]["pods"]) {
        crate::cell::place(&mut cache, placed)?;
    }
    let mut scores = Vec::new();
    for id in &names {
        let score = plugin.score(None, &cache, &pod, cache.node(*id));
        scores.push((*id, score.map_err(|status| status.message())?));
    }
    plugin.normalize(None, &mut scores);
    let got: Vec<i64> = scores.iter().map(|(_, score)| *score).collect();
    let wanted: Vec<Value> = read(case, "/expected/expectedList")?;
    let wanted: Vec<i64> =
        wanted.iter().map(|one| read(one, "/Score")).collect::<Result<_, _>>()?;
    same("scores", &got, &wanted)?;
    // The weighted sum of a profile with this plugin alone is the same.
    let profile = Profile {
        plugins: vec![Enabled { plugin, weight: 1 }],
        preemption: None,
        percentage_of_nodes_to_score: 100,
    };
    let mut scheduler = Scheduler::new(cache, profile);
    let cycle = scheduler.schedule(&pod).map_err(|status| status.message())?;
    match cycle.scores {
        Some(scores) if names.len() > 1 => {
            let mut totals = scores.totals;
            totals.sort_unstable();
            let mut wanted = wanted;
            wanted.sort_unstable();
            same("totals", &totals, &wanted)
        }
        _ => Ok(()),
    }
}
