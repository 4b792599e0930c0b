//! One choice per policy, computed by hand, and what is said when there is none.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::{Index, Placer, Strategy, builtin};
use super::{LabelLover, STREAMS};
use crate::cluster::{
    ClassId, Cluster, Dimension, DomainGraph, GpuRequest, NewPod, NodeId, NodeSpec, Overcommit,
    PodTemplate, ResourceNames, Resources, TemplateId, WorkEnd,
};
use crate::engine::SimDuration;

/// A cell of nodes with (cpu, memory) in all, some of it taken.
fn cell(nodes: &[([i64; 2], [i64; 2])]) -> (Cluster, TemplateId) {
    let domains = DomainGraph::new(&[]).expect("no domains are no cycle");
    let mut cluster = Cluster::new(domains, Overcommit::default());
    let template = cluster.declare_template(&PodTemplate::default());
    for (number, (limit, taken)) in nodes.iter().enumerate() {
        let mut allocatable = Resources::pod(limit[0], limit[1]);
        allocatable[Dimension::PODS] = 10;
        let name = format!("n{number}");
        let spec = NodeSpec { name, allocatable, ..NodeSpec::default() };
        let node = cluster.add_node(Arc::new(spec));
        let class = submit(&mut cluster, template, *taken);
        let pod = cluster.pods().iter().find(|(_, pod)| pod.class == class && !pod.node.is_some());
        let pod = pod.expect("was submitted").0;
        cluster.bind(pod, node).expect("fits");
    }
    (cluster, template)
}

fn submit(cluster: &mut Cluster, template: TemplateId, [cpu, memory]: [i64; 2]) -> ClassId {
    let new = NewPod {
        key: 0,
        workload: cluster.workload_of_key(1),
        work: SimDuration::ZERO,
        work_end: WorkEnd::Never,
        usage_permille: [0; 2],
    };
    let requests = Resources::pod(cpu, memory);
    let pod = cluster.submit(new, template, requests, GpuRequest::default());
    cluster.pod(pod).class
}

/// The node that `policy` chooses for a request, by every index.
fn choice(
    policy: &str,
    options: &Value,
    nodes: &[([i64; 2], [i64; 2])],
    request: [i64; 2],
) -> Option<u32> {
    let entry = builtin().iter().find(|entry| entry.name == policy).expect("is listed");
    let (mut cluster, template) = cell(nodes);
    let class = submit(&mut cluster, template, request);
    let ways = [Index::Naive, Index::Auto, Index::Ranking, Index::Grid];
    let chosen = ways.map(|index| {
        let strategy = (entry.build)(options).expect("the options are right");
        Placer::new(strategy, index, STREAMS).choose(&cluster, class, 0)
    });
    assert!(chosen.iter().all(|node| *node == chosen[0]), "{policy}: {chosen:?}");
    chosen[0].map(|node| node.0)
}

#[test]
fn best_fit_leaves_least_and_worst_fit_leaves_most() {
    // Left of 1000 each: 700 + 400, 200 + 500, 300 + 400 (a tie with the former), 800 + 900.
    let nodes = [
        ([1000, 1000], [200, 500]),
        ([1000, 1000], [700, 400]),
        ([1000, 1000], [600, 500]),
        ([1000, 1000], [100, 0]),
    ];
    assert_eq!(choice("best-fit", &Value::Null, &nodes, [100, 100]), Some(1));
    assert_eq!(choice("worst-fit", &Value::Null, &nodes, [100, 100]), Some(3));
    // The first three have too little memory or cpu left.
    assert_eq!(choice("best-fit", &Value::Null, &nodes, [450, 600]), Some(3));
    assert_eq!(choice("best-fit", &Value::Null, &nodes, [950, 1]), None);
}

#[test]
fn best_fit_weighs_resources_by_the_largest_node() {
    // Left: 100 of 1000 cpu and 2000 of 10000 memory (0.3); 300 and 500 (0.35).
    let nodes = [([1000, 10_000], [800, 7000]), ([500, 10_000], [100, 8500])];
    assert_eq!(choice("best-fit", &Value::Null, &nodes, [100, 1000]), Some(0));
}

#[test]
fn first_fit_takes_the_lowest_number_with_room() {
    let nodes = [([1000, 1000], [950, 0]), ([1000, 1000], [0, 950]), ([1000, 1000], [0, 0])];
    assert_eq!(choice("first-fit", &Value::Null, &nodes, [40, 40]), Some(0));
    assert_eq!(choice("first-fit", &Value::Null, &nodes, [60, 40]), Some(1));
    assert_eq!(choice("first-fit", &Value::Null, &nodes, [60, 60]), Some(2));
}

#[test]
fn round_robin_goes_on_after_the_last_node_and_starts_again() {
    let nodes = [([1000, 1000], [0, 0]), ([1000, 1000], [900, 0]), ([1000, 1000], [0, 0])];
    let (mut cluster, template) = cell(&nodes);
    let class = submit(&mut cluster, template, [200, 200]);
    let mut placer = Placer::new(Strategy::RoundRobin, Index::Auto, STREAMS);
    let turns: Vec<u32> =
        (0..4).map(|_| placer.choose(&cluster, class, 0).expect("there is room").0).collect();
    assert_eq!(turns, [0, 2, 0, 2]);
}

#[test]
fn random_is_uniform_even_where_few_nodes_have_room() {
    // Two of 400 nodes have room: most pods are decided by the list, not by draws.
    let mut nodes = vec![([100, 100], [100, 0]); 400];
    nodes[17].1 = [0, 0];
    nodes[301].1 = [0, 0];
    let (mut cluster, template) = cell(&nodes);
    let class = submit(&mut cluster, template, [50, 50]);
    let mut placer = Placer::new(Strategy::Random, Index::Auto, STREAMS);
    let chosen = |entity| placer.choose(&cluster, class, entity).expect("there is room").0;
    let counts = (0..1000).map(chosen).fold([0, 0, 0], |mut counts, node| {
        counts[match node {
            17 => 0,
            301 => 1,
            _ => 2,
        }] += 1;
        counts
    });
    // Five standard deviations of a fair coin thrown a thousand times.
    assert!(counts[0] > 420 && counts[1] > 420 && counts[2] == 0, "{counts:?}");
}

#[test]
fn borg_hybrid_prefers_what_it_leaves_to_be_even() {
    // Left: 100 + 500 (0.6, uneven by 0.4) and 350 + 350 (0.7, even).
    let nodes = [([1000, 1000], [800, 400]), ([1000, 1000], [550, 550])];
    assert_eq!(choice("borg-hybrid", &Value::Null, &nodes, [100, 100]), Some(1));
    let best_fit = json!({ "strandedPermille": 0 });
    assert_eq!(choice("borg-hybrid", &best_fit, &nodes, [100, 100]), Some(0));
}

#[test]
fn e_pvm_goes_where_the_cost_rises_least() {
    // 10^0.6 − 10^0.5 + 10^0.4 − 10^0.3 = 1.335; 2 (10^0.55 − 10^0.45) = 1.459;
    // on the node of twice the size 2 (10^0.75 − 10^0.70) = 1.223.
    let nodes =
        [([1000, 1000], [500, 300]), ([1000, 1000], [450, 450]), ([2000, 2000], [1400, 1400])];
    assert_eq!(choice("e-pvm", &Value::Null, &nodes[..2], [100, 100]), Some(0));
    assert_eq!(choice("e-pvm", &Value::Null, &nodes, [100, 100]), Some(2));
    // To base 1000 a share of 0.75 costs more: 2 (1000^0.75 − 1000^0.70) = 104; the first rises
    // by 38.7.
    let steep = json!({ "base": 1000 });
    assert_eq!(choice("e-pvm", &steep, &nodes, [100, 100]), Some(0));
}

#[test]
fn dot_product_follows_the_request() {
    // Free (800, 200) and (300, 600): for (200, 50) 0.17 against 0.09; for (50, 200) 0.08
    // against 0.135.
    let nodes = [([1000, 1000], [200, 800]), ([1000, 1000], [700, 400])];
    assert_eq!(choice("dot-product", &Value::Null, &nodes, [200, 50]), Some(0));
    assert_eq!(choice("dot-product", &Value::Null, &nodes, [50, 200]), Some(1));
}

#[test]
fn tetris_measures_by_each_node_where_dot_product_measures_by_the_largest() {
    // All free. Relative to each node the request is twice as large on the smaller one:
    // 0.2 + 0.2 against 0.1 + 0.1. Relative to the largest it is 0.05 + 0.05 against 0.1 + 0.1.
    let nodes = [([1000, 1000], [0, 0]), ([500, 500], [0, 0])];
    assert_eq!(choice("tetris", &Value::Null, &nodes, [100, 100]), Some(1));
    assert_eq!(choice("dot-product", &Value::Null, &nodes, [100, 100]), Some(0));
}

#[test]
fn least_and_most_allocated_round_down_as_kube_scheduler_does() {
    // With the pod 10 % and 50 % are free on the first (mean 30), 39.9 % and 20 % on the second
    // (39 and 20, mean 29), 40 % and 20 % on the third (mean 30, a tie).
    let nodes =
        [([1000, 1000], [800, 400]), ([1000, 1000], [501, 700]), ([1000, 1000], [500, 700])];
    assert_eq!(choice("least-allocated", &Value::Null, &nodes, [100, 100]), Some(0));
    assert_eq!(choice("least-allocated", &Value::Null, &nodes[1..], [100, 100]), Some(1));
    // Requested: (90 + 50) / 2 = 70, (60.1 → 60 + 80) / 2 = 70, (60 + 80) / 2 = 70: all tie.
    assert_eq!(choice("most-allocated", &Value::Null, &nodes, [100, 100]), Some(0));
    assert_eq!(choice("most-allocated", &Value::Null, &nodes, [100, 0]), Some(0));
    let fuller = [([1000, 1000], [0, 0]), ([1000, 1000], [10, 20])];
    assert_eq!(choice("most-allocated", &Value::Null, &fuller, [100, 100]), Some(1));
}

#[test]
fn balanced_allocation_evens_out_the_shares() {
    // With the pod: 0.6 and 0.3 (85), 0.5 and 0.4 (95), 0.9 and 0.8 (95).
    let nodes =
        [([1000, 1000], [400, 200]), ([1000, 1000], [300, 300]), ([1000, 1000], [700, 700])];
    assert_eq!(choice("balanced-allocation", &Value::Null, &nodes, [200, 100]), Some(1));
    assert_eq!(choice("balanced-allocation", &Value::Null, &nodes, [0, 0]), Some(0));
}

#[test]
fn every_policy_takes_the_only_node_with_room_and_none_where_there_is_none() {
    let nodes = [([1000, 1000], [950, 0]), ([1000, 1000], [0, 0]), ([1000, 1000], [0, 950])];
    for entry in builtin() {
        assert_eq!(choice(entry.name, &Value::Null, &nodes, [100, 100]), Some(1), "{}", entry.name);
        assert_eq!(choice(entry.name, &Value::Null, &nodes, [1001, 1]), None, "{}", entry.name);
        assert_eq!(choice(entry.name, &Value::Null, &[], [1, 1]), None, "{}", entry.name);
    }
}

#[test]
fn rejections_are_counted_and_said_as_kube_scheduler_says_them() {
    let mut nodes = vec![([1000, 1000], [950, 950]); 31];
    nodes.extend([([1000, 1000], [0, 0]); 9]);
    nodes.extend([([1000, 1000], [0, 950]); 2]);
    let (mut cluster, template) = cell(&nodes);
    for node in 31..40 {
        cluster.observe_readiness(NodeId(node), false);
    }
    cluster.cordon(NodeId(41), true);
    let class = submit(&mut cluster, template, [100, 100]);
    let class = *cluster.classes().get(class);
    let placer = Placer::new(Strategy::Scored(Box::new(LabelLover)), Index::Auto, STREAMS);
    let said = placer.rejections(&cluster, &class, &ResourceNames::default()).to_string();
    assert_eq!(
        said,
        "0/42 nodes are available: 1 Insufficient memory, 1 node(s) were unschedulable, \
         31 Insufficient cpu, 9 node(s) were not ready."
    );
}
