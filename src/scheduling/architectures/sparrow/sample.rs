//! Samples of nodes: each node that could ever run the pod equally likely.

use rustc_hash::FxHashSet;

use crate::cluster::{Cluster, Devices, NodeId, PodClass};
use crate::engine::Stream;

/// Draws in vain for each node wanted before all candidates are listed.
const PATIENCE: usize = 8;

/// True if `node` could run a pod of `class` were it empty: what a probe may be sent to (Sparrow
/// §4: constraints restrict what is sampled).
pub(super) fn is_candidate(cluster: &Cluster, class: &PodClass, node: NodeId) -> bool {
    let nodes = cluster.nodes();
    let devices = Devices::new(nodes.spec(node).gpu_devices);
    nodes.is_eligible(class.constraints, node)
        && nodes.demand(class, nodes.group(node)).fits_in(nodes.limit(node))
        && devices.fits(class.gpu)
        && !cluster.is_kept_apart(class, node)
}

/// `count` candidates for `class` in random order, without one coming twice before all others came
/// once; empty if there is none.
pub(super) fn sample(
    cluster: &Cluster,
    class: &PodClass,
    count: usize,
    stream: &mut Stream,
) -> Vec<NodeId> {
    let total = cluster.nodes().len();
    if total == 0 {
        return Vec::new();
    }
    // Rejection is fast while few of the nodes are wanted.
    if count * 2 <= total {
        let mut seen = FxHashSet::default();
        let mut sampled = Vec::with_capacity(count);
        for _ in 0..count * PATIENCE + PATIENCE {
            let node = NodeId(stream.below(total as u64) as u32);
            if is_candidate(cluster, class, node) && seen.insert(node) {
                sampled.push(node);
                if sampled.len() == count {
                    return sampled;
                }
            }
        }
    }
    let candidates = cluster.nodes().ids().filter(|node| is_candidate(cluster, class, *node));
    let mut candidates: Vec<NodeId> = candidates.collect();
    // Fisher and Yates, as far as it is wanted.
    for i in 0..candidates.len().min(count) {
        let j = i + stream.below((candidates.len() - i) as u64) as usize;
        candidates.swap(i, j);
    }
    let drawn = candidates.len().min(count);
    candidates.truncate(drawn);
    candidates.iter().copied().cycle().take(if drawn > 0 { count } else { 0 }).collect()
}
