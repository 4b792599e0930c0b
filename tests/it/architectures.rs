//! Schedulers whose decisions take time, under everything that can happen to a cell.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cellsim::cluster::{
    Cluster, DomainGraph, Fact, GpuRequest, NewPod, NodeId, Overcommit, PodState, PodTemplate,
    Resources, WorkEnd,
};
use cellsim::engine::{Purpose, SimDuration, SimTime, Stream, Streams};
use cellsim::metrics::Observer;
use cellsim::scheduling::placement::{Index, Placer, builtin};
use cellsim::scheduling::{ArchitectureEntry, architectures};
use cellsim::simulation::{Simulation, SimulationConfig};
use serde_json::{Value, json};

use crate::auditor::random_scenario;
use crate::support::{architecture, node, run, strategy};

/// A time that is often zero or the same as another, so that many things happen at once.
fn random_time(dice: &mut Stream) -> Value {
    match dice.below(5) {
        0 => json!("0"),
        1 => json!("10ms"),
        2 => json!("1min"),
        3 => json!({"exponential": {"mean": "20s"}}),
        _ => json!({"lognormal": {"median": "5s", "sigma": 1.5}}),
    }
}

/// Groups of schedulers, with or without a division by tier.
fn random_crew(dice: &mut Stream) -> Value {
    let (job, task) = (random_time(dice), random_time(dice));
    if dice.below(2) == 0 {
        return json!([{"name": "all", "count": 1 + dice.below(6), "job": job, "task": task}]);
    }
    json!([
        {"name": "service", "tiers": ["production", "monitoring"], "job": job},
        {"name": "batch", "count": 1 + dice.below(3), "job": random_time(dice), "task": task},
    ])
}

/// Options for the scheduler called `name`.
fn random_options(dice: &mut Stream, name: &str) -> Value {
    let one_of = |dice: &mut Stream, names: &[&str]| {
        names[dice.below(names.len() as u64) as usize].to_owned()
    };
    let ratio = [1.0, 1.5, 2.0, 4.0][dice.below(4) as usize];
    let wait_cost = [0, 900, 2000][dice.below(3) as usize];
    let max_attempts = [2, 20, 1000][dice.below(3) as usize];
    match name {
        "monolithic" => json!({"job": random_time(dice), "task": random_time(dice)}),
        "omega" => json!({
            "schedulers": random_crew(dice),
            "conflicts": one_of(dice, &["resource-fit", "sequence-numbers"]),
            "commit": one_of(dice, &["incremental", "all-or-nothing"]),
            "maxAttempts": max_attempts,
        }),
        "mesos" => json!({
            "schedulers": random_crew(dice),
            "allocator": random_time(dice),
            "maxAttempts": max_attempts,
        }),
        "sparrow" => json!({
            "probeRatio": ratio,
            "lateBinding": dice.below(3) > 0,
            "sampling": one_of(dice, &["batch", "per-task"]),
            "cancellation": dice.below(2) == 0,
            "schedulers": 1 + dice.below(5),
            "networkDelay": one_of(dice, &["0", "500us", "10s"]),
        }),
        "flow" => json!({
            "costs": one_of(dice, &["quincy", "load-spreading", "trivial"]),
            "waitCost": wait_cost,
            "waitCostPerSecond": 1 + dice.below(100),
            "priorityCost": dice.below(20),
            "candidates": 1 + dice.below(12),
            "perNode": 1 + dice.below(4),
            "batch": 1 + dice.below(50),
            "interval": one_of(dice, &["0", "1s", "5min"]),
            "round": random_time(dice),
            "task": random_time(dice),
        }),
        _ => Value::Null,
    }
}

/// The schedulers that this is about; others have tests of their own.
fn literature() -> impl Iterator<Item = &'static ArchitectureEntry> {
    const NAMES: [&str; 5] = ["monolithic", "omega", "mesos", "sparrow", "flow"];
    let found = architectures().iter().filter(|entry| NAMES.contains(&entry.name));
    assert_eq!(found.clone().count(), NAMES.len());
    found
}

fn dice(seed: u64) -> Stream {
    Streams { seed, run: 8 }.stream(Purpose::Custom(2), 0)
}

const PLACEMENTS: [&str; 5] =
    ["best-fit", "random", "first-fit", "balanced-allocation", "round-robin"];

#[test]
fn the_auditor_is_quiet_under_every_architecture() {
    for entry in literature() {
        let (mut bound, mut evicted, mut pending, mut conflicts, mut abandoned) = (0, 0, 0, 0, 0);
        for seed in 0..40 {
            let mut dice = dice(seed);
            let options = random_options(&mut dice, entry.name);
            let mut config = random_scenario(seed, PLACEMENTS[seed as usize % 5]);
            config.architecture = Some(architecture(entry.name, &options));
            config.check = true;
            let simulation = Simulation::new(config).expect("it makes sense");
            let result = simulation.run(&|_| {}).unwrap_or_else(|error| {
                panic!("{} under seed {seed} with {options}: {error}", entry.name)
            });
            let law = result.littles_law.relative_difference;
            assert!(law < 1e-9, "seed {seed}: Little's law is off by {law}");
            bound += result.pods.bound;
            evicted += result.pods.evicted;
            pending += result.pods.pending_at_end;
            for one in &result.scheduler.activity {
                assert!((0.0..=1.0).contains(&one.busy), "seed {seed}: {one:?}");
                assert!(one.busy_first_attempts <= one.busy && one.conflicted <= one.decisions);
                conflicts += one.conflicts;
                abandoned += one.abandoned;
            }
        }
        println!(
            "{}: {bound} bindings, {evicted} evictions, {conflicts} conflicts, {abandoned} jobs \
             given up, {pending} pods pending at the end",
            entry.name
        );
        assert!(bound > 2_000 && evicted > 300, "{}: the scenarios are too tame", entry.name);
        assert!(entry.name != "omega" || (conflicts > 100 && abandoned > 0), "too little conflict");
    }
}

#[test]
fn every_architecture_gives_the_same_run_again() {
    for entry in literature() {
        for seed in 0..20 {
            let once = || {
                let options = random_options(&mut dice(seed), entry.name);
                let mut config = random_scenario(seed, "random");
                config.architecture = Some(architecture(entry.name, &options));
                run(config)
            };
            assert_eq!(once(), once(), "{} under seed {seed}", entry.name);
        }
    }
}

/// Counts facts, and looks after the last of them for pods that wait although a node takes them.
#[derive(Clone, Default)]
struct LastLook {
    facts: Arc<AtomicU64>,
    last: Option<u64>,
    overlooked: Arc<AtomicU64>,
}

impl Observer for LastLook {
    fn observe(&mut self, _: SimTime, _: &Fact, cluster: &Cluster) {
        let number = self.facts.fetch_add(1, Ordering::Relaxed) + 1;
        if self.last != Some(number) {
            return;
        }
        let pending = cluster.pods().iter().filter(|(_, pod)| pod.state == PodState::Pending);
        let overlooked = pending.filter(|(id, _)| {
            let class = cluster.class_of(*id);
            cluster.nodes().ids().any(|node| cluster.admits(class, node))
        });
        self.overlooked.store(overlooked.count() as u64, Ordering::Relaxed);
    }
}

/// A random scenario that ends when nothing can happen any more.
fn until_nothing_happens(seed: u64, name: &str, options: &Value) -> SimulationConfig {
    let mut config = random_scenario(seed, "best-fit");
    config.architecture = Some(architecture(name, options));
    config.end = None;
    config.scheduler.head_of_line_blocking = false;
    config.failures.clear();
    config.services.clear();
    config.faults.clear();
    for tier in &mut config.tiers {
        tier.time_to_crash = None;
    }
    config
}

#[test]
fn nothing_is_left_pending_that_has_room() {
    for entry in literature() {
        let mut bound = 0;
        for seed in 0..40 {
            let options = random_options(&mut dice(seed), entry.name);
            // There may be room for a part of a gang, or where a pod does not queue.
            if options["commit"] == "all-or-nothing" || entry.name == "sparrow" {
                continue;
            }
            let look = |look: LastLook| {
                let config = until_nothing_happens(seed, entry.name, &options);
                let mut simulation = Simulation::new(config).expect("it makes sense");
                simulation.observe(Box::new(look));
                simulation.run(&|_| {}).expect("it goes through")
            };
            let first = LastLook::default();
            look(first.clone());
            let facts = first.facts.load(Ordering::Relaxed);
            let second = LastLook { last: Some(facts), ..LastLook::default() };
            let result = look(second.clone());
            bound += result.pods.bound;
            assert_eq!(second.facts.load(Ordering::Relaxed), facts);
            let overlooked = second.overlooked.load(Ordering::Relaxed);
            assert_eq!(overlooked, 0, "{} under seed {seed} with {options}", entry.name);
        }
        assert!(
            bound > 1_000 || entry.name == "sparrow",
            "{}: only {bound} pods were bound",
            entry.name
        );
    }
}

#[test]
fn a_choice_among_all_nodes_is_the_choice() {
    let domains = DomainGraph::new(&[]).expect("none make sense");
    let mut cluster = Cluster::new(domains, Overcommit::default());
    let template = cluster.declare_template(&PodTemplate::default());
    let mut dice = dice(5);
    for i in 0..60 {
        let (cpu, memory) = (500 + dice.below(4000) as i64, 500 + dice.below(4000) as i64);
        cluster.add_node(node(&format!("n{i}"), cpu, memory, 20));
    }
    let nodes: Vec<NodeId> = cluster.nodes().ids().collect();
    let placer = |name: &str| Placer::new(strategy(name), Index::Auto, Streams { seed: 1, run: 0 });
    for policy in builtin().iter().filter(|policy| policy.name != "random") {
        let (mut whole, mut part) = (placer(policy.name), placer(policy.name));
        for key in 0..40 {
            let new = NewPod {
                key,
                workload: cluster.workload_of_key(key),
                work: SimDuration::ZERO,
                work_end: WorkEnd::Never,
                usage_permille: [0, 0],
            };
            let requests = Resources::pod(dice.below(900) as i64, dice.below(900) as i64);
            let pod = cluster.submit(new, template, requests, GpuRequest::default());
            let class = cluster.pod(pod).class;
            let found = whole.choose(&cluster, class, key);
            assert_eq!(found, part.choose_among(&cluster, class, key, &nodes), "{}", policy.name);
            if let Some(node) = found {
                cluster.bind(pod, node).expect("it was found");
            }
            cluster.settle();
        }
    }
}
