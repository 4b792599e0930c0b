//! The index against the definition, on random cells.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Clearing, ENOUGH, Preemption};
use crate::cluster::{
    Cluster, DomainGraph, Ending, GpuRequest, NewPod, NodeId, NodeSpec, Overcommit, PodClass,
    PodId, PodTemplate, Resources, TemplateId, Tier, WorkEnd,
};
use crate::engine::SimDuration;

const PRIORITIES: [(i32, Tier); 6] = [
    (0, Tier::Free),
    (1, Tier::Free),
    (100, Tier::BestEffortBatch),
    (200, Tier::Production),
    (210, Tier::Production),
    (300, Tier::Monitoring),
];

fn cell(nodes: &[(i64, i64)]) -> Cluster {
    let mut cluster = Cluster::new(DomainGraph::default(), Overcommit::default());
    for (number, (cpu, memory)) in nodes.iter().enumerate() {
        cluster.add_node(Arc::new(NodeSpec {
            name: format!("node-{number}"),
            allocatable: Resources([*cpu, *memory, 0, 6, 0, 0, 0, 0]),
            ..NodeSpec::default()
        }));
    }
    for (priority, tier) in PRIORITIES {
        let one_per_node = priority == 210;
        cluster.declare_template(&PodTemplate {
            priority,
            tier,
            one_per_node,
            ..PodTemplate::default()
        });
    }
    cluster
}

fn submit(cluster: &mut Cluster, template: usize, cpu: i64, memory: i64) -> PodId {
    let new = NewPod {
        key: 0,
        workload: cluster.workload_of_key(template as u64),
        work: SimDuration::ZERO,
        work_end: WorkEnd::Never,
        usage_permille: [1000, 1000],
    };
    let requests = Resources::pod(cpu, memory);
    cluster.submit(new, TemplateId::from_index(template), requests, GpuRequest::default())
}

/// The victims on `node` by the definition: those of priority `highest` at most that may be
/// displaced, lowest first, newest first among equals, until there is room.
fn naive_victims(
    rule: &Preemption,
    cluster: &Cluster,
    class: &PodClass,
    highest: i32,
    node: NodeId,
) -> Option<Vec<PodId>> {
    let mut pods: Vec<PodId> = cluster.pods_on(node).map(|(id, _)| id).collect();
    pods.retain(|id| {
        let other = cluster.class_of(*id);
        let safe = rule.production_is_safe && class.tier.is_prod() && other.tier.is_prod();
        other.priority < class.priority && other.priority <= highest && !safe
    });
    pods.sort_by_key(|id| {
        (cluster.class_of(*id).priority, std::cmp::Reverse(cluster.pod(*id).serial))
    });
    let like = cluster.pods_on(node).any(|(_, pod)| {
        class.apart_from.is_some()
            && cluster.classes().get(pod.class).apart_from == class.apart_from
    });
    let eligible = cluster.nodes().is_eligible(class.constraints, node) && !like;
    (1..=pods.len()).filter(|_| eligible).find_map(|count| {
        let mut clearing = Clearing::of(cluster, class, node);
        pods[..count].iter().for_each(|id| clearing.evict(cluster, *id));
        clearing.has_room(class).then(|| pods[..count].to_vec())
    })
}

fn naive_search(
    rule: &Preemption,
    cluster: &Cluster,
    class: &PodClass,
) -> Option<(NodeId, Vec<PodId>)> {
    let total = cluster.nodes().len();
    PRIORITIES.iter().find_map(|(highest, _)| {
        let nodes = (0..total).map(|step| NodeId::from_index((rule.start + step) % total));
        let found = nodes.filter_map(|node| {
            naive_victims(rule, cluster, class, *highest, node).map(|victims| (node, victims))
        });
        let mut candidates: Vec<(NodeId, Vec<PodId>)> = found.take(ENOUGH).collect();
        if let Some(single) = candidates.iter().position(|(_, victims)| victims.len() == 1) {
            candidates.truncate(single + 1);
        }
        candidates.into_iter().min_by_key(|(node, victims)| (victims.len(), *node))
    })
}

proptest! {
    #[test]
    fn the_index_finds_what_the_definition_says(
        nodes in prop::collection::vec((4i64..12, 4i64..12), 1..9),
        pods in prop::collection::vec((0usize..6, 0i64..6, 0i64..6, any::<bool>()), 1..120),
        production_is_safe in any::<bool>(),
    ) {
        let mut cluster = cell(&nodes);
        let mut rule = Preemption::new(production_is_safe);
        let mut bound: Vec<PodId> = Vec::new();
        for (template, cpu, memory, end_one) in pods {
            if end_one && !bound.is_empty() {
                let pod = bound.remove(bound.len() / 2);
                cluster.end(pod, Ending::Killed);
            }
            let pod = submit(&mut cluster, template, cpu, memory);
            let class = *cluster.class_of(pod);
            let fitting = cluster.nodes().ids().find(|node| cluster.admits(&class, *node));
            if let Some(node) = fitting {
                cluster.bind(pod, node).expect("it was asked whether the node admits it");
                bound.push(pod);
                continue;
            }
            let expected = naive_search(&rule, &cluster, &class);
            for node in cluster.nodes().ids() {
                let helps = naive_victims(&rule, &cluster, &class, i32::MAX, node).is_some();
                prop_assert_eq!(rule.could_help(&cluster, &class, node), helps);
            }
            prop_assert_eq!(rule.search(&cluster, &class), expected.clone());
            let Some((node, victims)) = expected else {
                cluster.end(pod, Ending::Killed);
                continue;
            };
            for victim in &victims {
                cluster.end(*victim, Ending::Killed);
            }
            bound.retain(|other| !victims.contains(other));
            cluster.bind(pod, node).expect("room was made");
            bound.push(pod);
            cluster.settle();
        }
    }
}

#[test]
fn production_never_displaces_production_in_bands() {
    let mut cluster = cell(&[(10, 10)]);
    let low = submit(&mut cluster, 3, 8, 8);
    cluster.bind(low, NodeId(0)).expect("the node is empty");
    let high = submit(&mut cluster, 5, 8, 8);
    let class = *cluster.class_of(high);
    assert_eq!(Preemption::new(true).search(&cluster, &class), None);
    assert_eq!(Preemption::new(false).search(&cluster, &class), Some((NodeId(0), vec![low])));
}
