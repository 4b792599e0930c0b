//! How fast the kube-scheduler's cycle is: 5,000 nodes, 200 Deployments, all nodes scored, pods of
//! all Deployments mixed. Every step places one pod and takes the oldest one away, in a cell that
//! holds 20,000.

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;

use cellsim::kubernetes::{Node, Pod};
use cellsim::scheduling::kube::{Cache, NodeId, Placement, PodInfo, Profile, Scheduler};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::{Value, json};

const NODES: usize = 5_000;
const DEPLOYMENTS: usize = 200;
const PODS: usize = 20_000;

fn node(number: usize) -> Node {
    let (cpu, memory) = [("16", "64Gi"), ("32", "128Gi"), ("64", "256Gi")][number % 3];
    let name = format!("node-{number:04}");
    let value = json!({
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "topology.kubernetes.io/zone": format!("zone-{}", number % 3),
                "topology.kubernetes.io/region": "region",
            },
        },
        "status": { "allocatable": { "cpu": cpu, "memory": memory, "pods": "110" } },
    });
    serde_json::from_value(value).expect("a valid node")
}

/// The pods of one Deployment. With terms: hard spreading over zones, soft spreading over hosts,
/// and required anti-affinity to its own kind on one host.
fn deployment(number: usize, terms: bool) -> Pod {
    let app = format!("app-{number}");
    let selector = json!({ "matchLabels": { "app": app } });
    let mut spec = json!({
        "containers": [{
            "name": "main",
            "image": "registry.example/app:1",
            "resources": { "requests": {
                "cpu": format!("{}m", 100 + 50 * (number % 17)),
                "memory": format!("{}Mi", 128 + 64 * (number % 23)),
            } },
        }],
    });
    if terms {
        let constraint = |key: &str, what: &str, skew: i32| {
            json!({
                "maxSkew": skew, "topologyKey": key, "whenUnsatisfiable": what,
                "labelSelector": selector,
            })
        };
        spec["topologySpreadConstraints"] = Value::from(vec![
            constraint("topology.kubernetes.io/zone", "DoNotSchedule", 5),
            constraint("kubernetes.io/hostname", "ScheduleAnyway", 1),
        ]);
        let term = json!({ "topologyKey": "kubernetes.io/hostname", "labelSelector": selector });
        spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] =
            Value::from(vec![term]);
    }
    let value = json!({
        "metadata": { "namespace": "default", "name": app, "uid": app, "labels": { "app": app } },
        "spec": spec,
    });
    serde_json::from_value(value).expect("a valid pod")
}

/// A cell in which pods come and go.
struct Cell {
    scheduler: Scheduler,
    deployments: Vec<Arc<PodInfo>>,
    placed: VecDeque<(Arc<PodInfo>, NodeId)>,
    rng: Pcg64Mcg,
}

impl Cell {
    fn new(terms: bool, pods: usize) -> Self {
        let mut cache = Cache::new();
        for number in 0..NODES {
            cache.set_node(&node(number));
        }
        let deployments =
            (0..DEPLOYMENTS).map(|number| cache.intern(&deployment(number, terms))).collect();
        let profile = Profile { percentage_of_nodes_to_score: 100, ..Profile::default() };
        let mut cell = Self {
            scheduler: Scheduler::new(cache, profile),
            deployments,
            placed: VecDeque::new(),
            rng: Pcg64Mcg::seed_from_u64(1),
        };
        for _ in 0..pods {
            cell.place();
        }
        cell
    }

    fn place(&mut self) {
        let kind = self.rng.random_range(0..DEPLOYMENTS);
        let draw = self.rng.random_range(0..usize::MAX);
        let pod = Arc::new(PodInfo::clone(&self.deployments[kind]));
        let placed = self.scheduler.place(&pod, &mut |ties| draw % ties);
        if let Ok(Placement::Node(node)) = placed {
            self.scheduler.assume(Arc::clone(&pod), node);
            self.placed.push_back((pod, node));
        }
    }

    fn step(&mut self) {
        if let Some((pod, node)) = self.placed.pop_front() {
            self.scheduler.cache.remove_pod(&pod, node);
        }
        self.place();
    }

    /// The plain evaluation of one pod.
    fn plain(&mut self) -> usize {
        let kind = self.rng.random_range(0..DEPLOYMENTS);
        let pod = Arc::clone(&self.deployments[kind]);
        self.scheduler.schedule(&pod).map_or(0, |cycle| cycle.feasible.len())
    }
}

fn kube(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("kube");
    group.throughput(Throughput::Elements(1));
    for (name, terms) in [("resources", false), ("terms", true)] {
        let mut cell = Cell::new(terms, PODS);
        group.bench_function(format!("place, {name}"), |bencher| bencher.iter(|| cell.step()));
        group.sample_size(10);
        group.bench_function(format!("plain, {name}"), |bencher| {
            bencher.iter(|| black_box(cell.plain()));
        });
        group.sample_size(100);
    }
    group.finish();
}

criterion_group!(benches, kube);
criterion_main!(benches);
