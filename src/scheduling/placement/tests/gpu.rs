//! Policies for GPUs: choices computed by hand, and the fragmentation of FGD by its definition.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Fgd, Placement, Placer, Resolution, Ties, builtin};
use super::{Index, STREAMS, exact_scans};
use crate::cluster::{
    Cluster, Dimension, DomainGraph, GpuRequest, NewPod, NodeId, NodeSpec, Overcommit, PodId,
    PodTemplate, Resources, WorkEnd,
};
use crate::engine::SimDuration;
use crate::workload::target::{Shape, Target};

/// A cell of nodes with (cores, GPUs).
fn cell(nodes: &[(i64, u8)]) -> Cluster {
    let mut cluster = Cluster::new(DomainGraph::new(&[]).unwrap(), Overcommit::default());
    cluster.declare_template(&PodTemplate::default());
    for (number, (cores, gpu_devices)) in nodes.iter().enumerate() {
        let mut allocatable = Resources::pod(1000 * cores, 1000);
        allocatable[Dimension::PODS] = 100;
        allocatable[Dimension::GPU] = 1000 * i64::from(*gpu_devices);
        let gpu_devices = *gpu_devices;
        let name = format!("n{number}");
        cluster.add_node(Arc::new(NodeSpec {
            name,
            allocatable,
            gpu_devices,
            ..NodeSpec::default()
        }));
    }
    cluster
}

fn submit(cluster: &mut Cluster, cpu: i64, devices: u8, milli: u16) -> PodId {
    let gpu = GpuRequest { devices, milli };
    let mut requests = Resources::pod(cpu, 1);
    requests[Dimension::GPU] = gpu.total_milli();
    let workload = cluster.workload_of_key(1);
    let (work, work_end) = (SimDuration::ZERO, WorkEnd::Never);
    let new = NewPod { key: 0, workload, work, work_end, usage_permille: [0; 2] };
    cluster.submit(new, crate::cluster::TemplateId(0), requests, gpu)
}

fn bind(cluster: &mut Cluster, node: u32, cpu: i64, devices: u8, milli: u16) {
    let pod = submit(cluster, cpu, devices, milli);
    cluster.bind(pod, NodeId(node)).expect("fits");
}

/// Node and devices that `policy` chooses for a pod; what arrived until then is the target.
fn choice(cluster: &mut Cluster, policy: &str, options: &Value, pod: PodId) -> (u32, Option<u16>) {
    let entry = builtin().iter().find(|entry| entry.name == policy).expect("is listed");
    let class = cluster.pod(pod).class;
    let ways = [Index::Naive, Index::Auto, Index::Ranking];
    let found = ways.map(|index| {
        let strategy = (entry.build)(options).expect("the options are right");
        let mut placer = Placer::new(strategy, index, STREAMS);
        for (_, pod) in cluster.pods().iter() {
            placer.note_arrival(cluster, cluster.classes().get(pod.class));
        }
        // Twice: the second time a ranking has been made.
        placer.choose(cluster, class, 0);
        let node = placer.choose(cluster, class, 0).expect("there is room");
        (node.0, placer.devices(cluster, class, node, 0).map(|share| share.devices))
    });
    assert!(found.iter().all(|one| *one == found[0]), "{policy}: {found:?}");
    found[0]
}

#[test]
fn best_fit_over_gpus_keeps_pods_without_away_from_them() {
    // Of at most 100 cores and 8 GPUs: node 0 has 90 + 8, node 1 95 + 0, node 2 90 + 4.
    let mut cluster = cell(&[(90, 8), (95, 0), (90, 4), (100, 8)]);
    let pod = submit(&mut cluster, 1000, 0, 0);
    assert_eq!(choice(&mut cluster, "gpu-best-fit", &Value::Null, pod).0, 1);
    let pod = submit(&mut cluster, 1000, 1, 500);
    assert_eq!(choice(&mut cluster, "gpu-best-fit", &Value::Null, pod), (2, None));
}

#[test]
fn the_smallest_dot_product_wins() {
    // A whole GPU of 8: 1/8 · 8/8 on node 0, 1/8 · 2/8 on node 1; both 10 of 100 cores.
    let mut cluster = cell(&[(100, 8), (100, 2)]);
    let pod = submit(&mut cluster, 10_000, 1, 1000);
    assert_eq!(choice(&mut cluster, "gpu-dot-product", &Value::Null, pod).0, 1);
    assert_eq!(choice(&mut cluster, "dot-product", &Value::Null, pod).0, 0);
}

#[test]
fn packing_uses_gpus_in_use_then_nodes_in_use_then_idle_nodes() {
    let mut cluster = cell(&[(100, 2), (100, 4), (100, 4), (100, 4)]);
    bind(&mut cluster, 1, 1, 1, 700);
    bind(&mut cluster, 2, 1, 1, 400);
    let chosen = |cluster: &mut Cluster, devices, milli| {
        let pod = submit(cluster, 1, devices, milli);
        choice(cluster, "gpu-packing", &Value::Null, pod).0
    };
    // 30 % and 60 % are free of the devices in use: 97 and 94 points.
    assert_eq!(chosen(&mut cluster, 1, 300), 1);
    assert_eq!(chosen(&mut cluster, 1, 500), 2);
    // An idle device of node 1 or 2 gives 49 points, of idle nodes 33 - 2 and 33 - 4.
    assert_eq!(chosen(&mut cluster, 1, 900), 1);
    // Four idle devices are only on node 3.
    assert_eq!(chosen(&mut cluster, 4, 1000), 3);
}

#[test]
fn clustering_puts_like_to_like() {
    let mut cluster = cell(&[(100, 4), (100, 4), (100, 4)]);
    bind(&mut cluster, 1, 1, 1, 700);
    bind(&mut cluster, 2, 1, 2, 1000);
    let chosen = |cluster: &mut Cluster, devices, milli| {
        let pod = submit(cluster, 1, devices, milli);
        choice(cluster, "gpu-clustering", &Value::Null, pod).0
    };
    assert_eq!(chosen(&mut cluster, 1, 200), 1);
    assert_eq!(chosen(&mut cluster, 2, 1000), 2);
    // Nobody has one whole GPU yet: the idle node before those with others.
    assert_eq!(chosen(&mut cluster, 1, 1000), 0);
}

#[test]
fn fgd_leaves_whole_devices_to_those_who_want_them() {
    // Half of the pods want 600 milli, half a whole device. 400 milli are of use to nobody, so a
    // pod of 600 spoils most on an idle device, nothing beside another of 400.
    let mut cluster = cell(&[(100, 2), (100, 2)]);
    bind(&mut cluster, 1, 1, 1, 400);
    submit(&mut cluster, 1, 1, 1000);
    submit(&mut cluster, 1, 1, 1000);
    submit(&mut cluster, 1, 1, 600);
    let pod = submit(&mut cluster, 1, 1, 600);
    for options in [json!({}), json!({"resolution": "exact"})] {
        assert_eq!(choice(&mut cluster, "fgd", &options, pod), (1, Some(0b01)));
    }
}

#[test]
fn random_draws_any_device_that_will_do() {
    let mut cluster = cell(&[(100, 4)]);
    bind(&mut cluster, 0, 1, 1, 900);
    let pod = submit(&mut cluster, 1, 1, 200);
    let class = cluster.pod(pod).class;
    let random = builtin().iter().find(|entry| entry.name == "random").unwrap();
    let placer = Placer::new((random.build)(&Value::Null).unwrap(), Index::Auto, STREAMS);
    let mut drawn = [0; 4];
    for entity in 0..3000 {
        let share = placer.devices(&cluster, class, NodeId(0), entity).unwrap();
        drawn[share.devices.trailing_zeros() as usize] += 1;
    }
    assert_eq!(drawn[0], 0, "it has 100 milli left");
    assert!(drawn[1..].iter().all(|count| (900..1100).contains(count)), "{drawn:?}");
}

#[test]
fn ties_are_drawn_alike_by_every_index() {
    // Eight nodes, of which the even ones are best and equal.
    let cells: Vec<(i64, u8)> = (0..8).map(|n| (if n % 2 == 0 { 50 } else { 100 }, 2)).collect();
    let mut cluster = cell(&cells);
    let pod = submit(&mut cluster, 1000, 1, 1000);
    let class = cluster.pod(pod).class;
    let ways = [Index::Naive, Index::Auto, Index::Ranking, Index::Grid];
    let placers = ways.into_iter().chain(exact_scans()).map(|index| {
        let strategy = builtin().iter().find(|entry| entry.name == "gpu-best-fit").unwrap();
        let strategy = (strategy.build)(&Value::Null).unwrap();
        Placer::new(strategy, index, STREAMS).with_ties(Ties::Random)
    });
    let mut placers: Vec<Placer> = placers.collect();
    let mut drawn = [0; 8];
    for entity in 0..2000 {
        let choose = |placer: &mut Placer| placer.choose(&cluster, class, entity);
        let found: Vec<Option<NodeId>> = placers.iter_mut().map(choose).collect();
        assert!(found.iter().all(|node| *node == found[0]), "{found:?}");
        drawn[found[0].unwrap().index()] += 1;
    }
    let (even, odd) = ([0, 2, 4, 6].map(|n| drawn[n]), [1, 3, 5, 7].map(|n| drawn[n]));
    assert!(even.iter().all(|count| (400..600).contains(count)) && odd == [0; 4], "{drawn:?}");
}

/// Σ p_m F_n(m) in milli-GPU times popularity, as the paper defines it.
fn fragmentation(shapes: &[(Shape, u64)], free: &Resources, devices: &[u16]) -> u64 {
    let of = |shape: &Shape| -> u64 {
        let GpuRequest { devices: wanted, milli } = shape.gpu;
        let fits = shape.requests.fits_in(free)
            && devices.iter().filter(|free| **free >= milli).count() >= usize::from(wanted);
        let unusable = |free: &&u16| !fits || wanted == 0 || **free < milli;
        devices.iter().filter(unusable).map(|free| u64::from(*free)).sum()
    };
    shapes.iter().map(|(shape, popularity)| popularity * of(shape)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_score_of_fgd_is_how_much_less_is_fragmented(
        pods in prop::collection::vec((1i64..30, 0u8..4, 1u16..11, 1u64..9), 1..30),
        placed in 0usize..20,
    ) {
        let mut cluster = cell(&[(100, 4)]);
        let mut counted: Vec<(Shape, u64)> = Vec::new();
        for (number, (cores, devices, tenths, count)) in pods.iter().enumerate() {
            let milli = if *devices == 1 { tenths * 100 } else { 1000 };
            let milli = if *devices == 0 { 0 } else { milli };
            let pod = submit(&mut cluster, cores * 1000, *devices, milli);
            let shape = Shape::of(cluster.class_of(pod), true);
            match counted.iter_mut().find(|(known, _)| *known == shape) {
                Some((_, known)) => *known += count,
                None => counted.push((shape, *count)),
            }
            if number < placed {
                let _ = cluster.bind(pod, NodeId(0));
            }
        }
        let target = Arc::new(Target::new(&counted));
        let mut policy = Fgd::new(Resolution::Exact);
        policy.set_target(&target);
        let view = cluster.node_view(NodeId(0));
        for (shape, _) in &counted {
            let class = shape.class();
            if !cluster.admits(&class, NodeId(0)) {
                continue;
            }
            let of = |free: &Resources, devices: &[u16]| {
                fragmentation(target.shapes(), free, devices) as i64
            };
            let before = of(view.free(), view.gpu_free_milli());
            let free = view.free().minus(&class.requests);
            let after = |share| {
                let mut devices = *view.devices();
                devices.take(share);
                before - of(&free, devices.free_milli())
            };
            let chosen = policy.devices(&class, view).expect("it has an opinion");
            prop_assert_eq!(policy.score(&class, view), after(chosen));
            let singles = (0..4).map(|i| crate::cluster::DeviceShare {
                devices: 1 << i,
                milli: class.gpu.milli,
            });
            let possible = singles.filter(|share| view.devices().can_give(class.gpu, *share));
            let best = possible.map(after).max();
            prop_assert!(best.is_none_or(|best| best <= after(chosen)));
        }
    }
}
