//! Random histories of a cell: numbers become verbs that the cell allows at that moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::stage::{Stage, node_spec, submit};
use crate::cluster::{
    Cluster, Ending, EvictionCause, NodeId, NodeSpec, Pod, PodId, PodState, Resources, Tier,
};
use crate::engine::SimDuration;

/// A verb and two numbers that choose what it is done to.
pub(super) type Deed = (u8, u16, u16);

/// What the outside world remembers of the faults that it began.
#[derive(Default)]
pub(super) struct World {
    node_faults: BTreeMap<NodeId, u32>,
    rack_faults: u32,
}

fn pick(cluster: &Cluster, n: u16, wanted: impl Fn(PodState) -> bool) -> Option<PodId> {
    let fitting: Vec<PodId> =
        cluster.pods().iter().filter(|(_, pod)| wanted(pod.state)).map(|(id, _)| id).collect();
    (!fitting.is_empty()).then(|| fitting[usize::from(n) % fitting.len()])
}

fn spec_for(a: u16) -> Arc<NodeSpec> {
    node_spec("x", ["old", "new", "third"][usize::from(a) % 3], 2000 + i64::from(a % 5) * 1000)
}

pub(super) fn act(stage: &mut Stage, world: &mut World, (verb, a, b): Deed) {
    let tier = usize::from(b) % Tier::COUNT;
    let template = stage.templates[tier];
    let cluster = &mut stage.cluster;
    let node = NodeId(u32::from(b) % cluster.nodes().len() as u32);
    let checkpoint = (a % 3 > 0).then(|| SimDuration(u64::from(a % 3) * 400_000));
    let keep = |_: &Cluster, _: &Pod| checkpoint;
    let cause = EvictionCause::ALL[usize::from(b) % EvictionCause::COUNT];
    let bound = |state: PodState| state.is_bound();
    match verb {
        0..4 => {
            let workload = cluster.workload_of_key(u64::from(a) % 4);
            submit(cluster, workload, template, 500 + i64::from(b % 4) * 500);
        }
        4..8 => {
            if let Some(pod) = pick(cluster, a, |state| state == PodState::Pending) {
                let _ = cluster.bind(pod, node);
            }
        }
        8..12 => {
            let startable = |state| matches!(state, PodState::Starting | PodState::BackingOff);
            pick(cluster, a, startable).map(|pod| cluster.start(pod));
        }
        12 => {
            _ = pick(cluster, a, |s| s == PodState::Running)
                .map(|p| cluster.crash(p, checkpoint, false))
        }
        13 => _ = pick(cluster, a, bound).map(|pod| cluster.evict(pod, cause, checkpoint)),
        14 => {
            let ending = Ending::ALL[usize::from(b) % Ending::COUNT];
            if let Some(pod) = pick(cluster, a, |_| true) {
                cluster.end(pod, ending);
            }
        }
        15 => {
            let requests = Resources::pod(300 + i64::from(b % 7) * 400, 1 << 30);
            pick(cluster, a, |_| true).map(|pod| cluster.resize(pod, template, requests));
        }
        16 => {
            *world.node_faults.entry(node).or_default() += 1;
            cluster.begin_node_fault(node, &keep);
        }
        17 => {
            if let Some(faults) = world.node_faults.get_mut(&node).filter(|faults| **faults > 0) {
                *faults -= 1;
                cluster.end_node_fault(node, &keep);
            }
        }
        18 => {
            let rack = cluster.domains().find("rack").unwrap();
            if world.rack_faults > 0 {
                world.rack_faults -= 1;
                cluster.end_domain_fault(rack, &keep);
            } else {
                world.rack_faults += 1;
                cluster.begin_domain_fault(rack, &keep);
            }
        }
        19 if cluster.nodes().condition(node).present => cluster.remove_node(node, cause, &keep),
        19 => cluster.return_node(node, spec_for(a)),
        20 => cluster.update_node(node, spec_for(a)),
        21 => _ = cluster.add_node(spec_for(a)),
        22 => _ = cluster.observe_readiness(node, a % 2 == 0),
        _ => {
            let (key, wanted) = (u64::from(a) % 4, u32::from(b % 4));
            let name = Arc::from(format!("service {key}"));
            cluster.scale_workload(key, &name, wanted, wanted.saturating_sub(1));
        }
    }
}
