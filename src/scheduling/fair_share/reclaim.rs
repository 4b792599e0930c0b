//! Whom to evict so that a queue gets back what is guaranteed to it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::tree::{QueueId, QueueTree};
use crate::cluster::{Cluster, NodeId, PodId, Resources};

/// A node and its pods to evict for `pod`: the fewest that suffice, on the first of the nodes for
/// which they are fewest. Only pods of queues that `holder` names and that have something to spare
/// are evicted, from the one with the largest surplus first, there the lowest priority and the
/// newest first; no queue falls below its guarantee.
pub fn search(
    cluster: &Cluster,
    tree: &QueueTree,
    pod: PodId,
    holder: impl Fn(PodId) -> Option<QueueId>,
) -> Option<(NodeId, Vec<PodId>)> {
    let mut best: Option<(NodeId, Vec<PodId>)> = None;
    for node in cluster.nodes().ids() {
        let most = best.as_ref().map_or(usize::MAX, |(_, victims)| victims.len() - 1);
        if most == 0 {
            break;
        }
        if let Some(victims) = on_node(cluster, tree, (pod, node), &holder, most) {
            best = Some((node, victims));
        }
    }
    best
}

/// At most `most` pods to evict from `node`.
fn on_node(
    cluster: &Cluster,
    tree: &QueueTree,
    (pod, node): (PodId, NodeId),
    holder: impl Fn(PodId) -> Option<QueueId>,
    most: usize,
) -> Option<Vec<PodId>> {
    let class = cluster.class_of(pod);
    let nodes = cluster.nodes();
    if !nodes.is_eligible(class.constraints, node) || cluster.is_kept_apart(class, node) {
        return None;
    }
    let mut candidates: Vec<(PodId, QueueId)> =
        cluster.pods_on(node).filter_map(|(id, _)| Some((id, holder(id)?))).collect();
    candidates.retain(|(_, queue)| tree.surplus(*queue).is_some());
    candidates.sort_by(|(a, of_a), (b, of_b)| {
        let age = |id: PodId| (cluster.class_of(id).priority, Reverse(cluster.pod(id).serial));
        tree.by_surplus(*of_b, *of_a).then(age(*a).cmp(&age(*b)))
    });
    let demand = nodes.demand(class, nodes.group(node));
    let (mut free, mut devices) = (*nodes.free(node), *nodes.devices(node));
    let mut taken: BTreeMap<QueueId, Resources> = BTreeMap::new();
    let mut victims = Vec::new();
    for (victim, queue) in candidates {
        if demand.fits_in(&free) && devices.fits(class.gpu) {
            break;
        }
        let gone = taken.entry(queue).or_insert(Resources::ZERO);
        if victims.len() == most || !tree.has_surplus_without(queue, gone) {
            continue;
        }
        let requests = cluster.class_of(victim).requests;
        *gone += requests;
        free += requests;
        devices.give(cluster.pod(victim).devices);
        victims.push(victim);
    }
    let enough = demand.fits_in(&free) && devices.fits(class.gpu);
    (enough && !victims.is_empty()).then_some(victims)
}
