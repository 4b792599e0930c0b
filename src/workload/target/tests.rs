//! What pods could use of a node, against a recount shape by shape.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Census, Shape, Target, Usable, WHOLE};
use crate::cluster::{
    Cluster, ConstraintId, Dimension, DomainGraph, GpuRequest, NewPod, NodeConstraints, NodeId,
    NodeSpec, Overcommit, PodTemplate, Resources, Tier, WorkEnd,
};
use crate::engine::SimDuration;

/// A cell of three nodes: one without GPUs, one with two of each of two models.
fn cell(overcommitted: bool) -> Cluster {
    let mut overcommit = Overcommit::default();
    if overcommitted {
        overcommit.set(Tier::Free, Dimension::CPU, 1500);
    }
    let mut cluster = Cluster::new(DomainGraph::new(&[]).unwrap(), overcommit);
    for (name, model, devices) in [("a", "", 0), ("b", "T4", 2), ("c", "V100", 4)] {
        let mut allocatable = Resources([8000, 8000, 100, 10, 0, 0, 0, 0]);
        allocatable[Dimension::GPU] = i64::from(devices) * 1000;
        cluster.add_node(Arc::new(NodeSpec {
            name: name.to_owned(),
            allocatable,
            gpu_devices: devices,
            gpu_model: model.to_owned(),
            ..NodeSpec::default()
        }));
    }
    cluster
}

fn naive(cluster: &Cluster, target: &Target, node: NodeId) -> Usable {
    let mut usable = Usable::default();
    for (shape, popularity) in target.shapes() {
        if !cluster.admits(&shape.class(), node) {
            continue;
        }
        // GPUs that are asked for as devices are counted by device.
        let by_device = |d: &Dimension| *d == Dimension::GPU && shape.gpu.devices > 0;
        let amounts = Dimension::all().filter(|d| shape.requests[*d] > 0 && !by_device(d));
        for dimension in amounts {
            usable.amounts[usize::from(dimension.0)] += popularity;
        }
        let devices = cluster.nodes().devices(node).free_milli().iter();
        for (device, _) in devices.enumerate().filter(|(_, free)| **free >= shape.gpu.milli) {
            usable.devices[device] += if shape.gpu.devices > 0 { *popularity } else { 0 };
        }
    }
    usable
}

fn shape(of: (u16, u16, u8, u16, u8, bool)) -> Shape {
    let (cpu, memory, devices, milli, constraints, free) = of;
    let milli = if devices > 1 { 1000 } else { 1 + milli % 1000 };
    let gpu = if devices == 0 { GpuRequest::default() } else { GpuRequest { devices, milli } };
    let mut requests = Resources::pod(i64::from(cpu % 9000), i64::from(memory % 9000));
    requests[Dimension::GPU] = gpu.total_milli();
    requests[Dimension::STORAGE] = i64::from(memory % 3) * 30;
    let tier = if free { Tier::Free } else { Tier::Mid };
    Shape { requests, gpu, constraints: ConstraintId(constraints.into()), tier }
}

#[test]
fn popularities_add_up_to_the_whole() {
    let counted = [(shape((1, 1, 0, 0, 0, true)), 1), (shape((2, 1, 0, 0, 0, true)), 2)];
    let target = Target::new(&counted);
    assert_eq!(target.shapes().iter().map(|(_, share)| share).sum::<u64>(), WHOLE);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn tables_agree_with_a_recount_shape_by_shape(
        shapes in prop::collection::vec(
            ((any::<u16>(), any::<u16>(), 0u8..4, any::<u16>(), 0u8..2, any::<bool>()), 1u64..50),
            1..60,
        ),
        pods in prop::collection::vec((0usize..60, 0u32..3), 0..20),
        overcommitted in any::<bool>(),
        cordoned in any::<bool>(),
    ) {
        let mut cluster = cell(overcommitted);
        let only_t4 = NodeConstraints { gpu_models: vec!["T4".into()], ..Default::default() };
        cluster.declare_template(&PodTemplate { constraints: only_t4, ..PodTemplate::default() });
        let template = cluster.declare_template(&PodTemplate::default());
        let mut census = Census::default();
        let shapes: Vec<_> = shapes.into_iter().map(|(of, pods)| (shape(of), pods)).collect();
        shapes.iter().for_each(|(shape, pods)| census.add(*shape, *pods));
        let target = Target::new(&census.renew());
        for (which, node) in pods {
            let shape = shapes[which % shapes.len()].0;
            let workload = cluster.workload_of_one(1);
            let (work, work_end) = (SimDuration::from_secs(1), WorkEnd::Succeeds);
            let new = NewPod { key: 0, workload, work, work_end, usage_permille: [0, 0] };
            let pod = cluster.submit(new, template, shape.requests, shape.gpu);
            let _ = cluster.bind(pod, NodeId(node));
        }
        if cordoned {
            cluster.cordon(NodeId(1), true);
        }
        for node in cluster.nodes().ids() {
            prop_assert_eq!(target.usable(cluster.node_view(node)), naive(&cluster, &target, node));
        }
    }
}
