//! What Borg's three techniques are worth (EuroSys'15 §3.4): packing a cell from scratch with a
//! plain scan, with each technique alone, with all three, and with the exact index.
//!
//!     cargo bench --bench techniques
//!
//! The workload is Borg-like: machines as in the Google 2011 trace, 300 classes of pods, jobs of
//! 1/u tasks (u uniform, at most 1,000: most have one, a few have hundreds), as many as reserve
//! 85 % of the cell's cpu. The table tells the work of one packing and how long it took; criterion
//! times the small cell.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use cellsim::cluster::{
    Cluster, DomainGraph, GpuRequest, NewPod, NodeSpec, Overcommit, PodTemplate, Resources, WorkEnd,
};
use cellsim::engine::{Purpose, SimDuration, Stream, Streams};
use cellsim::scheduling::placement::{BorgHybrid, Index, Strategy, Techniques};
use cellsim::scheduling::{Decision, PodAtATime, Scheduler, SchedulerConfig, SchedulerCounts};
use cellsim::workload::generator::CAPACITY_CLASSES;
use criterion::measurement::{Measurement, WallTime};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

const STREAMS: Streams = Streams { seed: 7, run: 0 };
const CLASSES: usize = 300;
const MOST_TASKS: f64 = 1000.0;

/// The ways that are compared.
fn ways() -> [(&'static str, Index); 7] {
    let none = Techniques::default();
    let enough = NonZeroU32::new(100);
    let all = Techniques {
        score_cache: Some(0),
        equivalence_classes: true,
        relaxed_randomization: enough,
    };
    [
        ("none", Index::Naive),
        ("score cache", Index::Scan(Techniques { score_cache: Some(0), ..none })),
        ("score cache, 5 % ignored", Index::Scan(Techniques { score_cache: Some(50), ..none })),
        ("equivalence classes", Index::Scan(Techniques { equivalence_classes: true, ..none })),
        (
            "relaxed randomization, 100",
            Index::Scan(Techniques { relaxed_randomization: enough, ..none }),
        ),
        ("all three", Index::Scan(all)),
        ("exact index", Index::Auto),
    ]
}

fn draw<T: Copy>(of: &[(T, u64)], draws: &mut Stream) -> T {
    let mut rest = draws.below(of.iter().map(|(_, weight)| weight).sum());
    let found = of.iter().find(|(_, weight)| {
        let found = rest < *weight;
        rest = rest.saturating_sub(*weight);
        found
    });
    found.expect("the weights add up").0
}

fn shape(draws: &mut Stream) -> Resources {
    const CPU: [(i64, u64); 8] =
        [(62, 20), (125, 20), (250, 15), (312, 10), (500, 10), (625, 15), (1250, 6), (2500, 4)];
    let cpu = draw(&CPU, draws);
    // Lognormal of median 180 and sigma 1, by Box and Muller.
    let (u, v) = (draws.uniform(), draws.uniform());
    let normal = (-2.0 * libm::log(u)).sqrt() * libm::cos(std::f64::consts::TAU * v);
    let memory = (180.0 * libm::exp(normal)).clamp(1.0, 2400.0) as i64;
    Resources::pod(cpu, memory)
}

/// An empty cell and the pods that are to be packed into it, job by job.
struct Cell {
    cluster: Cluster,
    pods: usize,
}

impl Cell {
    fn new(nodes: usize) -> Self {
        let domains = DomainGraph::new(&[]).expect("no domains are no cycle");
        let mut cluster = Cluster::new(domains, Overcommit::default());
        let mut draws = STREAMS.stream(Purpose::PodShape, 0);
        let machines = CAPACITY_CLASSES.map(|(cpu, memory, weight)| ((cpu, memory), weight));
        let mut capacity = 0;
        for number in 0..nodes {
            let (cpu, memory) = draw(&machines, &mut draws);
            let mut allocatable = Resources::pod(cpu, memory);
            allocatable.0[3] = 1000;
            capacity += cpu;
            let name = format!("n{number}");
            cluster.add_node(Arc::new(NodeSpec { name, allocatable, ..NodeSpec::default() }));
        }
        let shapes: Vec<Resources> = (0..CLASSES).map(|_| shape(&mut draws)).collect();
        let template = cluster.declare_template(&PodTemplate::default());
        let (mut reserved, mut jobs, mut pods) = (0, 0, 0);
        while reserved * 100 < capacity * 85 {
            let requests = shapes[draws.below(CLASSES as u64) as usize];
            let tasks = (1.0 / draws.uniform()).min(MOST_TASKS) as usize;
            jobs += 1;
            for _ in 0..tasks {
                let workload = cluster.workload_of_key(jobs);
                let new = NewPod {
                    key: pods as u64,
                    workload,
                    work: SimDuration::ZERO,
                    work_end: WorkEnd::Never,
                    usage_permille: [0; 2],
                };
                cluster.submit(new, template, requests, GpuRequest::default());
                reserved += requests.0[0];
                pods += 1;
            }
        }
        cluster.settle();
        Self { cluster, pods }
    }

    /// The same with everybody in the queue of a scheduler.
    fn queued(&self, index: Index) -> (Cluster, PodAtATime) {
        let config = SchedulerConfig {
            placement_name: "borg-hybrid".to_owned(),
            strategy: Strategy::Scored(Box::new(BorgHybrid::default())),
            index,
            ..SchedulerConfig::default()
        };
        let mut scheduler = PodAtATime::new(config, STREAMS);
        let cluster = self.cluster.clone();
        for (pod, _) in cluster.pods().iter() {
            scheduler.enqueue(&cluster, pod);
        }
        (cluster, scheduler)
    }
}

/// Places everybody who can be placed.
fn pack((mut cluster, mut scheduler): (Cluster, PodAtATime)) -> SchedulerCounts {
    while let Some(decision) = scheduler.decide(&cluster) {
        let Decision::Bind { pod, node, devices } = decision else {
            unreachable!("nobody is displaced without preemption");
        };
        cluster.bind_to(pod, node, devices).expect("the scheduler chose a node that admits it");
        cluster.settle();
    }
    scheduler.counts()
}

/// The work of one packing of `nodes` nodes in each way, and how long it took.
fn table(nodes: usize) {
    let cell = Cell::new(nodes);
    println!("\n{nodes} nodes, {} pods of {CLASSES} classes", cell.pods);
    println!(
        "{:<28}{:>10}{:>16}{:>16}{:>12}",
        "technique", "seconds", "evaluated", "from the cache", "placed"
    );
    for (name, index) in ways() {
        let queued = cell.queued(index);
        let start = WallTime.start();
        let counts = pack(queued);
        let took: Duration = WallTime.end(start);
        let evaluated = counts.scan.map_or(counts.examined, |scan| scan.evaluated);
        let hits = counts.scan.map_or(0, |scan| scan.cache_hits);
        let seconds = took.as_secs_f64();
        println!("{name:<28}{seconds:>10.3}{evaluated:>16}{hits:>16}{:>12}", counts.placed);
    }
}

fn techniques(criterion: &mut Criterion) {
    let cell = Cell::new(1000);
    let mut group = criterion.benchmark_group("1000 nodes from scratch");
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for (name, index) in ways() {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(|| cell.queued(index), pack, BatchSize::LargeInput);
        });
    }
    group.finish();
    table(1000);
    table(10_000);
}

criterion_group!(benches, techniques);
criterion_main!(benches);
