//! Single functions of the scheduler: `schedule_one.*`, `util.*`, `helper.*`, `cache.*` and others.

use std::collections::{BTreeMap, BTreeSet};

use cellsim::kubernetes::{Node, Pod, Time};
use cellsim::scheduling::kube::plugins::broken_linear;
use cellsim::scheduling::kube::preemption::{earliest_start, more_important};
use cellsim::scheduling::kube::{
    Cache, MAX_NODE_SCORE, NodeId, NodeTree, best, default_normalize, feasible_nodes_to_find,
    goes_before, merge_node_names, normalized_image_name, zone_key,
};
use serde_json::Value;

use crate::families::Runner;
use crate::support::{now, read, read_or_default, same};

pub fn runner(suite: &str) -> Option<Runner> {
    Some(match suite {
        "cache.node_tree_list" | "cache.node_tree_ops" | "cache.node_tree_update" => node_tree,
        "framework.prefilter_result_merge" => prefilter_result_merge,
        "helper.default_normalize_score" => normalize,
        "imagelocality.normalized_name" => image_name,
        "noderesources.broken_linear" => linear,
        "queuesort.priority_sort" => priority_sort,
        "schedule_one.num_feasible_nodes_to_find" => nodes_to_find,
        "schedule_one.select_host" => select_host,
        "util.earliest_start_time" => earliest_start_time,
        "util.more_important_pod" => more_important_pod,
        _ => return None,
    })
}

/// A tree of nodes, and the nodes by name.
#[derive(Default)]
struct Tree {
    tree: NodeTree,
    ids: Vec<String>,
    /// The zones they were last put in.
    zones: BTreeMap<String, String>,
    failed: bool,
}

impl Tree {
    fn id(&mut self, name: &str) -> NodeId {
        let known = self.ids.iter().position(|id| id == name);
        let place = known.unwrap_or_else(|| {
            self.ids.push(name.to_owned());
            self.ids.len() - 1
        });
        NodeId(u32::try_from(place).expect("few nodes"))
    }

    fn add(&mut self, node: &Node) {
        let id = self.id(&node.metadata.name);
        self.zones.insert(node.metadata.name.clone(), zone_key(node));
        self.tree.add(zone_key(node), id);
    }

    fn remove(&mut self, node: &Node) {
        let id = self.id(&node.metadata.name);
        self.failed |= !self.tree.remove(&zone_key(node), id);
    }

    fn update(&mut self, node: &Node) {
        let id = self.id(&node.metadata.name);
        let old = self.zones.get(&node.metadata.name).cloned().unwrap_or_default();
        self.tree.update(&old, zone_key(node), id);
    }

    fn name(&self, id: NodeId) -> String {
        self.ids[id.index()].clone()
    }
}

fn node_tree(case: &Value) -> Result<(), String> {
    let nodes = |name: &str| read_or_default::<Vec<Node>>(case, &format!("/input/{name}"));
    let mut tree = Tree::default();
    nodes("nodes")?.iter().chain(&nodes("existing")?).for_each(|node| tree.add(node));
    nodes("add")?.iter().for_each(|node| tree.add(node));
    nodes("remove")?.iter().for_each(|node| tree.remove(node));
    nodes("update")?.iter().for_each(|node| tree.update(node));
    let (to_add, to_remove) = (nodes("nodes_to_add")?, nodes("nodes_to_remove")?);
    let (mut to_add, mut to_remove) = (to_add.iter(), to_remove.iter());
    for operation in read_or_default::<Vec<String>>(case, "/input/operations")? {
        match operation.as_str() {
            "add" => to_add.next().into_iter().for_each(|node| tree.add(node)),
            "remove" => to_remove.next().into_iter().for_each(|node| tree.remove(node)),
            other => return Err(format!("no way to `{other}`")),
        }
    }
    if case.pointer("/expected/order").is_some() {
        let order: Vec<String> = tree.tree.list().iter().map(|id| tree.name(*id)).collect();
        return same("order", &order, &read_or_default(case, "/expected/order")?);
    }
    let zones: BTreeMap<String, Vec<String>> = tree
        .tree
        .zones()
        .map(|(zone, ids)| (zone.to_owned(), ids.iter().map(|id| tree.name(*id)).collect()))
        .collect();
    same("zones", &zones, &read_or_default(case, "/expected/tree")?)?;
    same("failed", &tree.failed, &read_or_default(case, "/expected/error")?)
}

fn prefilter_result_merge(case: &Value) -> Result<(), String> {
    let names = |pointer: &str| read::<Option<BTreeSet<String>>>(case, pointer);
    let merged = merge_node_names(names("/input/receiver")?, names("/input/input")?);
    same("nodes", &merged, &names("/expected/want")?)
}

fn normalize(case: &Value) -> Result<(), String> {
    same("highest score", &MAX_NODE_SCORE, &read(case, "/input/max")?)?;
    let scores: Vec<i64> = read(case, "/input/scores")?;
    let mut scores: Vec<(NodeId, i64)> =
        scores.into_iter().zip(0..).map(|(score, id)| (NodeId(id), score)).collect();
    default_normalize(&mut scores, read(case, "/input/reverse")?);
    let scores: Vec<i64> = scores.into_iter().map(|(_, score)| score).collect();
    same("scores", &scores, &read(case, "/expected/scores")?)
}

fn image_name(case: &Value) -> Result<(), String> {
    let image: String = read(case, "/input/image")?;
    same("name", &normalized_image_name(&image), &read(case, "/expected/value")?)
}

fn linear(case: &Value) -> Result<(), String> {
    let points: Vec<Value> = read(case, "/input/points")?;
    let point = |value: &Value| -> Result<(i64, i64), String> {
        Ok((read(value, "/utilization")?, read(value, "/score")?))
    };
    let points = points.iter().map(point).collect::<Result<Vec<_>, _>>()?;
    let at: Vec<i64> = read(case, "/input/at")?;
    let values: Vec<i64> = at.into_iter().map(|x| broken_linear(&points, x)).collect();
    same("values", &values, &read(case, "/expected/values")?)
}

fn priority_sort(case: &Value) -> Result<(), String> {
    let key = |name: &str| -> Result<(i32, Option<Time>), String> {
        let priority = read_or_default(case, &format!("/input/{name}/priority"))?;
        Ok((priority, read(case, &format!("/input/{name}/timestamp"))?))
    };
    same("first", &goes_before(key("p1")?, key("p2")?), &read(case, "/expected/less")?)
}

fn nodes_to_find(case: &Value) -> Result<(), String> {
    let of_profile: Option<i32> = read(case, "/input/profile_percentage")?;
    let global: i32 = read_or_default(case, "/input/global_percentage")?;
    let nodes: usize = read(case, "/input/num_all_nodes")?;
    let found = feasible_nodes_to_find(of_profile.unwrap_or(global), nodes);
    same("nodes", &found, &read(case, "/expected/value")?)
}

fn select_host(case: &Value) -> Result<(), String> {
    let scores: Vec<Value> = read(case, "/input/scores")?;
    let totals: Vec<i64> =
        scores.iter().map(|score| read(score, "/score")).collect::<Result<_, _>>()?;
    let tied = best(&totals);
    if read_or_default(case, "/expected/error")? {
        return same("none", &tied.is_empty(), &true);
    }
    let names: BTreeSet<String> =
        tied.iter().map(|place| read(&scores[*place], "/node")).collect::<Result<_, _>>()?;
    same("nodes", &names, &read(case, "/expected/any_of")?)
}

fn earliest_start_time(case: &Value) -> Result<(), String> {
    let mut cache = Cache::new();
    let pods: Vec<Pod> = read(case, "/input/pods")?;
    let pods: Vec<_> = pods.iter().map(|pod| cache.intern(pod)).collect();
    // A pod without a start time counts as started now; upstream's now is a moment after the
    // start times of the case.
    let started = pods.iter().filter_map(|pod| pod.start_time).max();
    let now = started.map_or_else(now, |latest| Time(latest.0 + 1));
    let earliest = earliest_start(pods.iter().map(AsRef::as_ref), now);
    let expected: Option<Time> = read(case, "/expected/time")?;
    // Upstream writes whole seconds.
    same("time", &earliest.map(Time::seconds), &expected.map(Time::seconds))
}

fn more_important_pod(case: &Value) -> Result<(), String> {
    let mut cache = Cache::new();
    let first = cache.intern(&read::<Pod>(case, "/input/p1")?);
    let second = cache.intern(&read::<Pod>(case, "/input/p2")?);
    same("first", &more_important(&first, &second, now()), &read(case, "/expected/value")?)
}
