//! How many pods of a class there is room for, node by node. Exact: pods of one class are alike,
//! so that in whatever order nodes are filled, as many find room.

use std::collections::BTreeMap;

use crate::cluster::{ClassId, Cluster, Dimension, NodeId, PodClass, PodId, Resources};

/// Pods of one class.
pub type Group = (ClassId, u32);

/// Pods of `class` that `node` would take with `free` left on it, GPU devices apart.
pub fn slots(cluster: &Cluster, class: &PodClass, node: NodeId, free: &Resources) -> u32 {
    let nodes = cluster.nodes();
    if !nodes.is_eligible(class.constraints, node) || cluster.is_kept_apart(class, node) {
        return 0;
    }
    // What its tier has to leave to others is left once, not once for each pod.
    let left = nodes.demand(class, nodes.group(node)).minus(&class.requests);
    let free = free.minus(&left);
    let most = if class.apart_from.is_some() { 1 } else { u32::MAX };
    if !free.is_non_negative() {
        return 0;
    }
    Dimension::all().filter(|dimension| class.requests[*dimension] > 0).fold(most, |least, d| {
        let fit = free[d] / class.requests[d];
        least.min(u32::try_from(fit).unwrap_or(u32::MAX))
    })
}

/// Pods of `class` that `node` takes now.
fn slots_now(cluster: &Cluster, class: &PodClass, node: NodeId) -> u32 {
    let count = slots(cluster, class, node, cluster.nodes().free(node));
    if count == 0 || class.gpu.devices == 0 {
        return count;
    }
    let mut devices = *cluster.nodes().devices(node);
    let mut fit = 0;
    while fit < count
        && let Some(share) = devices.choose(class.gpu)
    {
        devices.take(share);
        fit += 1;
    }
    fit
}

/// Pods of `class` that the cell takes now; at most `enough` are counted.
pub fn count_now(cluster: &Cluster, class: ClassId, enough: u64) -> u64 {
    let class = cluster.classes().get(class);
    let mut count = 0;
    for node in cluster.nodes().ids() {
        count += u64::from(slots_now(cluster, class, node));
        if count >= enough {
            break;
        }
    }
    count
}

/// Where pods of several classes could go together on nodes with `free` left: the largest first,
/// each to the first node that takes it. It may find no way where there is one: packing unlike
/// things best is hard.
pub fn trial(
    cluster: &Cluster,
    groups: &[Group],
    free: &mut [Resources],
) -> Option<Vec<(ClassId, NodeId)>> {
    let mut sorted = groups.to_vec();
    sorted.sort_by_key(|(class, _)| {
        let [cpu, memory, ..] = cluster.classes().get(*class).requests.0;
        (std::cmp::Reverse((cpu, memory)), *class)
    });
    let mut places = Vec::new();
    for (id, count) in sorted {
        let class = cluster.classes().get(id);
        let mut left = count;
        for node in cluster.nodes().ids() {
            let here = slots(cluster, class, node, &free[node.index()]).min(left);
            for _ in 0..here {
                free[node.index()] -= class.requests;
                places.push((id, node));
            }
            left -= here;
            if left == 0 {
                break;
            }
        }
        if left > 0 {
            return None;
        }
    }
    Some(places)
}

/// What is free on each node now.
pub fn free_now(cluster: &Cluster) -> Vec<Resources> {
    let nodes = cluster.nodes();
    nodes.ids().map(|node| *nodes.free(node)).collect()
}

/// What is free on all nodes that are open, together.
pub fn total_free(cluster: &Cluster) -> Resources {
    let nodes = cluster.nodes();
    let open = nodes.ids().filter(|node| nodes.is_open(*node));
    open.fold(Resources::ZERO, |sum, node| {
        Dimension::all().fold(sum, |mut sum, dimension| {
            sum[dimension] = sum[dimension].saturating_add(nodes.free(node)[dimension].max(0));
            sum
        })
    })
}

/// Pods by class.
pub fn groups_of(cluster: &Cluster, pods: &[PodId]) -> Vec<Group> {
    let mut counts: BTreeMap<ClassId, u32> = BTreeMap::new();
    for pod in pods {
        *counts.entry(cluster.pod(*pod).class).or_default() += 1;
    }
    counts.into_iter().collect()
}

/// Gives the places of classes to pods.
pub fn by_pod(
    cluster: &Cluster,
    pods: &[PodId],
    mut places: Vec<(ClassId, NodeId)>,
) -> Vec<(PodId, NodeId)> {
    let mut pods = pods.to_vec();
    pods.sort_by_key(|pod| cluster.pod(*pod).class);
    places.sort_by_key(|(class, _)| *class);
    pods.into_iter().zip(places).map(|(pod, (_, node))| (pod, node)).collect()
}
