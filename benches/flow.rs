//! How long a round of the flow scheduler takes: 12,500 nodes, two thirds full, and 1,000 pending
//! pods of 200 jobs, each job with a shape of its own. The target is a second.
//!
//! One iteration is a whole round, from the pods' coming to the last decision: the network is made,
//! its cheapest flow found, and every placement checked.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use cellsim::cluster::{
    Cluster, DomainGraph, GpuRequest, NewPod, NodeId, NodeSpec, Overcommit, PodId, PodTemplate,
    Resources, TemplateId, WorkEnd,
};
use cellsim::engine::{Purpose, SimDuration, Stream, Streams};
use cellsim::scheduling::{Decision, Scheduler, SchedulerConfig, architectures};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};

const STREAMS: Streams = Streams { seed: 7, run: 0 };
const NODES: usize = 12_500;
const JOBS: u64 = 200;
const TASKS: u64 = 5;

/// Cpu in millicores and memory in MiB, both at random.
fn shape(draws: &mut Stream) -> Resources {
    Resources::pod(100 + draws.below(4000) as i64, 100 + draws.below(16_000) as i64)
}

fn submit(cluster: &mut Cluster, key: u64, job: u64, requests: Resources) -> PodId {
    let new = NewPod {
        key,
        workload: cluster.workload_of_key(job),
        work: SimDuration::from_secs(100),
        work_end: WorkEnd::Succeeds,
        usage_permille: [1000, 1000],
    };
    cluster.submit(new, TemplateId(0), requests, GpuRequest::default())
}

/// A cell that is two thirds full, and what is pending in it.
fn cell() -> (Cluster, Vec<PodId>) {
    let domains = DomainGraph::new(&[]).expect("no domains are no cycle");
    let mut cluster = Cluster::new(domains, Overcommit::default());
    cluster.declare_template(&PodTemplate::default());
    let mut draws = STREAMS.stream(Purpose::Custom(1), 0);
    for number in 0..NODES {
        let size = 1 + number as i64 % 3;
        let allocatable = Resources([size * 16_000, size * 64_000, 0, 110, 0, 0, 0, 0]);
        let name = format!("node-{number}");
        cluster.add_node(Arc::new(NodeSpec { name, allocatable, ..NodeSpec::default() }));
    }
    let mut key = 0;
    for number in 0..NODES {
        let node = NodeId(number as u32);
        let full = cluster.nodes().limit(node).0[0] / 3;
        while cluster.nodes().free(node).0[0] > full {
            key += 1;
            let pod = submit(&mut cluster, key, key, shape(&mut draws));
            if cluster.bind(pod, node).is_err() {
                break;
            }
        }
    }
    cluster.settle();
    let mut pending = Vec::new();
    for job in 0..JOBS {
        let requests = shape(&mut draws);
        for task in 0..TASKS {
            pending.push(submit(&mut cluster, job * TASKS + task, u64::MAX - job, requests));
        }
    }
    cluster.settle();
    (cluster, pending)
}

/// The flow scheduler with the pods of `pending` in its queue.
fn scheduler(cluster: &Cluster, pending: &[PodId], options: &Value) -> Box<dyn Scheduler> {
    let entry = architectures().iter().find(|entry| entry.name == "flow").expect("is listed");
    let build = (entry.build)(options, Path::new(".")).expect("the options are right");
    let mut scheduler = build(SchedulerConfig::default(), STREAMS);
    pending.iter().for_each(|pod| scheduler.enqueue(cluster, *pod));
    scheduler
}

fn round(cluster: &mut Cluster, scheduler: &mut dyn Scheduler) -> usize {
    let mut bound = 0;
    while let Some(decision) = scheduler.decide(cluster) {
        let Decision::Bind { pod, node, .. } = decision else { panic!("it only binds") };
        cluster.bind(pod, node).expect("what is decided is possible");
        bound += 1;
    }
    bound
}

fn rounds(criterion: &mut Criterion) {
    let (cluster, pending) = cell();
    let mut group = criterion.benchmark_group("flow round of 1,000 pods on 12,500 nodes");
    group.sample_size(10);
    for costs in ["quincy", "load-spreading", "trivial"] {
        let options = json!({"costs": costs});
        group.bench_function(costs, |bencher| {
            bencher.iter_batched(
                || (cluster.clone(), scheduler(&cluster, &pending, &options)),
                |(mut cluster, mut scheduler)| {
                    let bound = round(&mut cluster, scheduler.as_mut());
                    assert_eq!(bound, pending.len());
                    black_box(cluster)
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, rounds);
criterion_main!(benches);
