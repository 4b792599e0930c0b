//! How long it takes to find a node, on the cell of the Google 2011 trace: 12,500 nodes of ten
//! capacities, 80 % of the cpu allocated, nearly every pod with a shape of its own.
//!
//! One iteration is one random replacement through the verbs of the cluster: a pod ends, another
//! comes, is placed, bound and started. `verbs` is the same with the new pod, of the shape of the
//! old one, put where that was: what remains when nothing is searched.

use std::hint::black_box;
use std::sync::Arc;

use cellsim::cluster::{
    Cluster, DomainGraph, Ending, GpuRequest, NewPod, NodeId, NodeSpec, Overcommit, PodId,
    PodTemplate, Resources, TemplateId, WorkEnd,
};
use cellsim::engine::{Purpose, SimDuration, Stream, Streams};
use cellsim::scheduling::placement::{Index, Placer, builtin};
use cellsim::workload::generator::CAPACITY_CLASSES;
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::Value;

const STREAMS: Streams = Streams { seed: 7, run: 0 };

/// A cell and the pods that live in it.
struct Cell {
    cluster: Cluster,
    template: TemplateId,
    live: Vec<PodId>,
    draws: Stream,
    placer: Placer,
    /// Requests to choose from; empty where each pod has a shape of its own.
    shapes: Vec<Resources>,
}

fn shape(draws: &mut Stream) -> Resources {
    const CPU: [(i64, f64); 8] = [
        (62, 0.20),
        (125, 0.20),
        (250, 0.15),
        (312, 0.10),
        (500, 0.10),
        (625, 0.15),
        (1250, 0.06),
        (2500, 0.04),
    ];
    let mut rest = draws.uniform();
    let cpu = CPU.iter().find(|(_, weight)| {
        rest -= weight;
        rest <= 0.0
    });
    // Lognormal of median 180 and sigma 1, by Box and Muller.
    let (u, v) = (draws.uniform(), draws.uniform());
    let normal = (-2.0 * libm::log(u)).sqrt() * libm::cos(std::f64::consts::TAU * v);
    let memory = (180.0 * libm::exp(normal)).clamp(1.0, 2400.0) as i64;
    Resources::pod(cpu.map_or(62, |(cpu, _)| *cpu), memory)
}

fn placer(policy: &str, index: Index) -> Placer {
    let entry = builtin().iter().find(|entry| entry.name == policy).expect("is listed");
    Placer::new((entry.build)(&Value::Null).expect("has defaults"), index, STREAMS)
}

impl Cell {
    /// A cell of `nodes` nodes, filled to 80 % of its cpu by `placer`.
    fn new(nodes: usize, shapes: usize, placer: Placer) -> Self {
        let domains = DomainGraph::new(&[]).expect("no domains are no cycle");
        let mut cluster = Cluster::new(domains, Overcommit::default());
        let mut draws = STREAMS.stream(Purpose::PodShape, 0);
        let total: u64 = CAPACITY_CLASSES.iter().map(|(_, _, count)| count).sum();
        let mut capacity = 0;
        for number in 0..nodes {
            let mut rest = draws.below(total);
            let kind = CAPACITY_CLASSES.iter().find(|(_, _, count)| {
                let found = rest < *count;
                rest = rest.saturating_sub(*count);
                found
            });
            let (cpu, memory, _) = *kind.expect("the counts add up");
            let mut allocatable = Resources::pod(cpu, memory);
            allocatable.0[3] = 1000;
            capacity += cpu;
            let name = format!("n{number}");
            cluster.add_node(Arc::new(NodeSpec { name, allocatable, ..NodeSpec::default() }));
        }
        let template = cluster.declare_template(&PodTemplate::default());
        let shapes = (0..shapes).map(|_| shape(&mut draws)).collect();
        let mut cell = Self { cluster, template, live: Vec::new(), draws, placer, shapes };
        let mut reserved = 0;
        while reserved * 10 < capacity * 8 {
            reserved += cell.arrive().map_or(0, |pod| cell.cluster.class_of(pod).requests.0[0]);
        }
        cell
    }

    fn submit(&mut self, requests: Resources) -> PodId {
        let workload = self.cluster.workload_of_key(1);
        let new = NewPod {
            key: 0,
            workload,
            work: SimDuration::ZERO,
            work_end: WorkEnd::Never,
            usage_permille: [0; 2],
        };
        self.cluster.submit(new, self.template, requests, GpuRequest::default())
    }

    fn request(&mut self) -> Resources {
        if self.shapes.is_empty() {
            return shape(&mut self.draws);
        }
        self.shapes[self.draws.below(self.shapes.len() as u64) as usize]
    }

    /// A pod comes; if it finds no node, it goes again.
    fn arrive(&mut self) -> Option<PodId> {
        let requests = self.request();
        let pod = self.submit(requests);
        let record = self.cluster.pod(pod);
        let node = self.placer.choose(&self.cluster, record.class, record.serial);
        self.settle(pod, node)
    }

    fn settle(&mut self, pod: PodId, node: Option<NodeId>) -> Option<PodId> {
        if let Some(node) = node {
            self.cluster.bind(pod, node).expect("the placer checked");
            self.cluster.start(pod);
            self.live.push(pod);
        } else {
            self.cluster.end(pod, Ending::Killed);
        }
        self.cluster.settle();
        node.map(|_| pod)
    }

    fn leave(&mut self) -> (Resources, NodeId) {
        let index = self.draws.below(self.live.len() as u64) as usize;
        let pod = self.live.swap_remove(index);
        let was = (self.cluster.class_of(pod).requests, self.cluster.pod(pod).node);
        self.cluster.end(pod, Ending::Succeeded);
        was
    }

    fn replace(&mut self) {
        self.leave();
        black_box(self.arrive());
    }

    fn replace_in_place(&mut self) {
        let (requests, node) = self.leave();
        black_box(self.request());
        let pod = self.submit(requests);
        black_box(self.settle(pod, Some(node)));
    }
}

fn yardstick(c: &mut Criterion) {
    let mut group = c.benchmark_group("yardstick");
    let mut cell = Cell::new(12_500, 0, placer("best-fit", Index::Auto));
    eprintln!("{} pods live", cell.live.len());
    group.bench_function("verbs", |b| b.iter(|| cell.replace_in_place()));
    drop(cell);
    for entry in builtin() {
        let mut cell = Cell::new(12_500, 0, placer(entry.name, Index::Auto));
        let before = cell.placer.counters();
        group.bench_function(entry.name, |b| b.iter(|| cell.replace()));
        let after = cell.placer.counters();
        let decisions = (after.decisions - before.decisions).max(1);
        let examined = (after.examined - before.examined) as f64 / decisions as f64;
        let unplaced = after.unplaced - before.unplaced;
        eprintln!("{}: {examined:.1} nodes examined each, {unplaced} unplaced", entry.name);
    }
    let mut cell = Cell::new(12_500, 0, placer("best-fit", Index::Auto));
    cell.placer = placer("best-fit", Index::Naive);
    group.sample_size(20).bench_function("best-fit naive", |b| b.iter(|| cell.replace()));
}

fn few_classes(c: &mut Criterion) {
    let mut group = c.benchmark_group("200 classes, 5000 nodes");
    for (policy, index) in [
        ("least-allocated", Index::Ranking),
        ("least-allocated", Index::Auto),
        ("best-fit", Index::Ranking),
        ("best-fit", Index::Auto),
    ] {
        let mut cell = Cell::new(5_000, 200, placer(policy, index));
        let name = format!("{policy} {index:?}");
        group.bench_function(name, |b| b.iter(|| cell.replace()));
    }
}

criterion_group!(benches, yardstick, few_classes);
criterion_main!(benches);
