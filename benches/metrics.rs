//! What observers cost per pod life (six facts: submitted, bound, started, stopped, unbound,
//! ended), with 5,000 pods alive on 1,000 nodes and two instants per life. The cluster stands
//! still, so that nothing but the observer is measured; its pods fit into a cache, as those fit
//! that a verb has just touched.

use std::hint::black_box;
use std::sync::Arc;

use cellsim::cluster::{
    ClassId, Cluster, Dimension, DomainGraph, Ending, Fact, GpuRequest, NewPod, NodeId, NodeSpec,
    Overcommit, PodId, PodTemplate, ResourceNames, Resources, StopReason, Tier, WorkEnd,
};
use cellsim::engine::{SimDuration, SimTime};
use cellsim::metrics::{FingerprintObserver, Meter, MeterConfig, MeteredResource, Observer};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const NODES: u32 = 1_000;
const SLOTS: u32 = 10_000;
const ALIVE: u64 = 5_000;
const LIVES: u64 = 10_000;

fn cell() -> Cluster {
    let mut cluster = Cluster::new(DomainGraph::default(), Overcommit::default());
    for i in 0..NODES {
        let (name, pool) = (format!("node-{i}"), format!("pool-{}", i % 4));
        let allocatable = Resources::pod(64_000, 256 << 30);
        cluster.add_node(Arc::new(NodeSpec { name, pool, allocatable, ..NodeSpec::default() }));
    }
    let of_tier = |tier| PodTemplate { tier, ..PodTemplate::default() };
    let templates = Tier::ALL.map(|tier| cluster.declare_template(&of_tier(tier)));
    for i in 0..SLOTS {
        let new = NewPod {
            key: i.into(),
            workload: cluster.workload_of_key((i / 10).into()),
            work: SimDuration::from_secs(60),
            work_end: WorkEnd::Succeeds,
            usage_permille: [500, 700],
        };
        let requests = Resources::pod(i64::from(i % 37 + 1) * 100, i64::from(i % 11 + 1) << 28);
        cluster.submit(new, templates[i as usize % 5], requests, GpuRequest::default());
    }
    cluster
}

/// The facts of `LIVES` lives: pod `n` arrives, pod `n − ALIVE` goes.
struct Lives {
    next: u64,
}

impl Lives {
    fn play(&mut self, cluster: &Cluster, observer: &mut impl Observer, begins: u64, ends: u64) {
        for _ in 0..begins.max(ends) {
            let n = self.next;
            self.next += 1;
            let here = |n: u64| {
                // Neither pods nor nodes come in the order of memory.
                let pod = PodId((n * 7_919 % u64::from(SLOTS)) as u32);
                (pod, NodeId((n * 613 % u64::from(NODES)) as u32), cluster.pod(pod).class)
            };
            let now = SimTime(n * 2);
            begin(now, here(n), cluster, observer);
            if ends > 0 {
                end(SimTime(now.0 + 1), here(n - ALIVE), cluster, observer);
            }
        }
    }
}

type Place = (PodId, NodeId, ClassId);

#[inline]
fn begin(now: SimTime, (pod, node, class): Place, cluster: &Cluster, to: &mut impl Observer) {
    to.observe(now, &Fact::PodSubmitted { pod }, cluster);
    to.observe(now, &Fact::PodBound { pod, node, class }, cluster);
    to.observe(now, &Fact::PodStarted { pod, node }, cluster);
}

#[inline]
fn end(now: SimTime, (pod, node, class): Place, cluster: &Cluster, to: &mut impl Observer) {
    let (ran, reason) = (SimDuration(ALIVE), StopReason::Ended(Ending::Succeeded));
    to.observe(now, &Fact::PodStopped { pod, node, ran, kept: ran, reason }, cluster);
    to.observe(now, &Fact::PodUnbound { pod, node, class }, cluster);
    to.observe(now, &Fact::PodEnded { pod, ending: Ending::Succeeded }, cluster);
}

fn measure(c: &mut Criterion, name: &str, cluster: &Cluster, mut observer: impl Observer) {
    let mut lives = Lives { next: 0 };
    for node in (0..NODES).map(NodeId) {
        observer.observe(SimTime::ZERO, &Fact::NodeAdded { node }, cluster);
    }
    lives.play(cluster, &mut observer, ALIVE, 0);
    let mut group = c.benchmark_group("pod life");
    group.throughput(Throughput::Elements(LIVES));
    group.bench_function(name, |b| {
        b.iter(|| lives.play(cluster, black_box(&mut observer), LIVES, LIVES));
    });
    group.finish();
}

/// Takes in nothing: the cost of the bench itself.
struct Idle;

impl Observer for Idle {
    #[inline]
    fn observe(&mut self, now: SimTime, fact: &Fact, _: &Cluster) {
        black_box((now, fact));
    }
}

fn benches(c: &mut Criterion) {
    let cluster = cell();
    let names = ResourceNames::default();
    let used = [Dimension::CPU, Dimension::MEMORY, Dimension::PODS];
    let config = |usage_known| MeterConfig {
        fragmentation: cellsim::metrics::FragmentationRule::Never,
        warmup: SimTime::ZERO,
        duration: Some(SimDuration::from_secs(30 * 86_400)),
        resources: used.map(|dimension| MeteredResource::usual(dimension, &names)).into(),
        usage_known,
        objectives: Vec::new(),
    };
    measure(c, "nothing", &cluster, Idle);
    measure(c, "fingerprint", &cluster, FingerprintObserver::default());
    measure(c, "meter", &cluster, Meter::new(config(false), &cluster));
    measure(c, "meter with usage", &cluster, Meter::new(config(true), &cluster));
}

criterion_group!(metrics, benches);
criterion_main!(metrics);
