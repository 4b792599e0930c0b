//! The whole simulation on the yardstick: 12,500 nodes, 124,566 pods at the start, nearly every
//! pod its own shape, best fit over all nodes, with metrics, facts and fingerprint on.
//!
//! The workload is drawn before the clock starts, except in `generated`, which has all of it.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

use cellsim::engine::Streams;
use cellsim::metrics::{RunResult, ScenarioInfo};
use cellsim::scheduling::placement::{Index, builtin};
use cellsim::scheduling::{PreemptionRule, QueueOrder, SchedulerConfig};
use cellsim::simulation::{Simulation, SimulationConfig};
use cellsim::workload::generator::{Generator, yardstick};
use cellsim::workload::{Record, Source, SourceError, SourceStatistics};

const ARRIVALS: u64 = 200_000;

struct Drawn(std::vec::IntoIter<Record>);

impl Source for Drawn {
    fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
        Ok(self.0.next())
    }

    fn statistics(&self) -> SourceStatistics {
        SourceStatistics::default()
    }
}

fn generator() -> Generator {
    let streams = Streams { seed: 1, run: 0 };
    Generator::new(yardstick(ARRIVALS), streams).expect("the yardstick is sound")
}

fn drawn() -> Vec<Record> {
    let mut source = generator();
    let next = || source.next_record().expect("a generator does not fail");
    std::iter::from_fn(next).collect()
}

fn config(source: Box<dyn Source>) -> SimulationConfig {
    let entry = builtin().iter().find(|entry| entry.name == "best-fit").expect("it is built in");
    let scheduler = SchedulerConfig {
        placement_name: entry.name.to_owned(),
        strategy: (entry.build)(&serde_json::Value::Null).expect("it needs no options"),
        index: Index::Auto,
        queue: QueueOrder::Fifo,
        ties: cellsim::scheduling::placement::Ties::default(),
        head_of_line_blocking: false,
        preemption: PreemptionRule::Never,
        manifests: None,
    };
    let info = ScenarioInfo {
        name: "yardstick".to_owned(),
        title: String::new(),
        seed: 1,
        architecture: "pod-at-a-time".to_owned(),
        placement: entry.name.to_owned(),
        queue: "fifo".to_owned(),
        resolved: serde_json::Value::Null,
    };
    let mut config = SimulationConfig::new(info, scheduler);
    config.source = Some(source);
    config
}

fn run(config: SimulationConfig) -> RunResult {
    let simulation = Simulation::new(config).expect("the yardstick makes sense");
    simulation.run(&|_| {}).expect("the yardstick goes through")
}

fn replay(criterion: &mut Criterion) {
    let records = drawn();
    let placements = run(config(Box::new(Drawn(records.clone().into_iter())))).pods.bound;
    let mut group = criterion.benchmark_group("yardstick");
    group.sample_size(10).throughput(Throughput::Elements(placements));
    group.bench_function("drawn before", |bencher| {
        bencher.iter_batched(
            || config(Box::new(Drawn(records.clone().into_iter()))),
            run,
            BatchSize::PerIteration,
        );
    });
    group.bench_function("generated", |bencher| {
        bencher.iter_batched(|| config(Box::new(generator())), run, BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, replay);
criterion_main!(benches);
