//! Random scenarios under the auditor: every fault kind, every verb, weighted wildly by the seed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use cellsim::cluster::{
    Cluster, Dimension, DomainSpec, Fact, GpuRequest, NodeSpec, PodTemplate, Resources, Tier,
};
use cellsim::engine::{Distribution, Purpose, SimDuration, SimTime, Stream, Streams};
use cellsim::failure::{FailureProcess, FailureTarget, ScriptedFault};
use cellsim::healing::{NodeLifecycle, ReplicaKeeper, Service};
use cellsim::metrics::Observer;
use cellsim::scheduling::placement::{Index, Techniques, builtin};
use cellsim::scheduling::{PreemptionRule, QueueOrder};
use cellsim::simulation::{ControlPlane, Simulation, SimulationConfig};
use cellsim::workload::{
    Change, NodeKey, Outcome, PodKey, PodRecord, Record, TemplateIndex, Work, WorkloadKey,
};

use crate::support::{ListSource, at, config, run, scheduler};

const HOUR_US: u64 = 3_600_000_000;
const LENGTH_US: u64 = 24 * HOUR_US;

/// Draws of one random scenario.
struct Dice(Stream);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0.below(n)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn time(&mut self) -> SimTime {
        // Coarse, so that many things happen at the same instant.
        SimTime(self.below(LENGTH_US / 60_000_000) * 60_000_000)
    }

    fn exponential(&mut self, mean_h: u64) -> Distribution {
        let mean = (1 + self.below(mean_h)) as f64 * 3600.0;
        Distribution::exponential(mean).expect("a positive mean")
    }
}

fn random_node(dice: &mut Dice, number: u64, racks: u64) -> Arc<NodeSpec> {
    let size = 1 + dice.below(3) as i64;
    let gpus = if dice.chance(20) { 4u8 } else { 0 };
    let gpu_milli = i64::from(gpus) * 1000;
    Arc::new(NodeSpec {
        name: format!("node-{number}"),
        pool: format!("pool-{size}"),
        allocatable: Resources([size * 4000, size * 4000, 0, 12, gpu_milli, 0, 0, 0]),
        gpu_devices: gpus,
        domains: if racks > 0 { vec![format!("rack-{}", number % racks)] } else { Vec::new() },
        ..NodeSpec::default()
    })
}

fn random_domains(dice: &mut Dice, racks: u64) -> Vec<DomainSpec> {
    let domain = |name: String, kind: &str, parents: Vec<String>| DomainSpec {
        name,
        kind: kind.to_owned(),
        parents,
    };
    let mut domains = vec![
        domain("zone".to_owned(), "zone", Vec::new()),
        domain("power-0".to_owned(), "power", vec!["zone".to_owned()]),
        domain("power-1".to_owned(), "power", vec!["zone".to_owned()]),
    ];
    for rack in 0..racks {
        // Some racks hang on both power buses: a graph, not a tree.
        let mut parents = vec![format!("power-{}", rack % 2)];
        if dice.chance(30) {
            parents.push(format!("power-{}", (rack + 1) % 2));
        }
        domains.push(domain(format!("rack-{rack}"), "rack", parents));
    }
    domains
}

fn random_template(dice: &mut Dice) -> Change {
    let tier = Tier::ALL[dice.below(5) as usize];
    Change::Template(Arc::new(PodTemplate {
        priority: tier as i32 * 100 + dice.below(2) as i32,
        tier,
        one_per_node: dice.chance(20),
        ..PodTemplate::default()
    }))
}

fn random_requests(dice: &mut Dice) -> (Resources, GpuRequest) {
    let mut requests = Resources::pod(dice.below(40) as i64 * 100, dice.below(40) as i64 * 100);
    let gpu = match dice.below(12) {
        0 => GpuRequest { devices: 1, milli: 300 },
        1 => GpuRequest { devices: 2, milli: 1000 },
        _ => GpuRequest::default(),
    };
    requests[Dimension::GPU] = gpu.total_milli();
    (requests, gpu)
}

fn random_work(dice: &mut Dice) -> Work {
    let run = SimDuration(dice.below(6 * HOUR_US));
    match dice.below(10) {
        0 => Work::UntilStopped,
        1 => Work::Unknown,
        2 => Work::For { run, outcome: Outcome::Fail },
        _ => Work::For { run, outcome: Outcome::Finish },
    }
}

/// What happens to a pod after it came.
fn random_sequel(dice: &mut Dice, key: PodKey, templates: u64) -> Change {
    match dice.below(4) {
        0 => Change::Kill { key },
        1 => Change::Resize {
            key,
            template: TemplateIndex(dice.below(templates) as u32),
            requests: random_requests(dice).0,
        },
        2 => Change::Work {
            key,
            work: Work::For { run: SimDuration(dice.below(HOUR_US)), outcome: Outcome::Finish },
        },
        _ => Change::Submit(random_pod(dice, key, templates)),
    }
}

fn random_pod(dice: &mut Dice, key: PodKey, templates: u64) -> PodRecord {
    let (requests, gpu) = random_requests(dice);
    PodRecord {
        key,
        tracked: true,
        workload: WorkloadKey(key.0 / 4),
        alone: false,
        template: TemplateIndex(dice.below(templates) as u32),
        requests,
        gpu,
        work: random_work(dice),
        usage_permille: Some([500, 700]),
        alloc_index: None,
    }
}

fn random_source(dice: &mut Dice, racks: u64) -> ListSource {
    let templates = 1 + dice.below(6);
    let start = SimTime::ZERO;
    let declared = (0..templates).map(|_| at(start, random_template(dice)));
    let mut records: Vec<Record> = declared.collect();
    let mut later = Vec::new();
    for pod in 0..50 + dice.below(200) {
        let key = PodKey(pod);
        let time = dice.time();
        later.push(at(time, Change::Submit(random_pod(dice, key, templates))));
        if dice.chance(40) {
            let delay = SimDuration(dice.below(8 * HOUR_US));
            later.push(at(time + delay, random_sequel(dice, key, templates)));
        }
    }
    for extra in 0..dice.below(4) {
        let key = NodeKey(extra);
        let (joins, stays) = (dice.time(), SimDuration(dice.below(6 * HOUR_US)));
        let spec = random_node(dice, 1000 + extra, racks);
        later.push(at(joins, Change::NodeAdd { key, spec }));
        let spec = random_node(dice, 1000 + extra, racks);
        later.push(at(joins, Change::NodeUpdate { key, spec: Arc::clone(&spec) }));
        later.push(at(joins + stays, Change::NodeRemove { key }));
        later.push(at(joins + stays + stays, Change::NodeAdd { key, spec }));
    }
    later.sort_by_key(|record| record.time);
    records.extend(later);
    ListSource(VecDeque::from(records))
}

fn random_services(dice: &mut Dice) -> Vec<Service> {
    let service = |number: u64, dice: &mut Dice| Service {
        name: Arc::from(format!("service-{number}")),
        replicas: 1 + dice.below(5) as u32,
        minimum_ready: 1,
        template: PodTemplate {
            tier: Tier::Production,
            priority: 300,
            one_per_node: dice.chance(50),
            ..PodTemplate::default()
        },
        requests: Resources::pod(500, 500),
        gpu: GpuRequest::default(),
        usage_permille: [400, 400],
        time_to_crash: dice.chance(50).then(|| dice.exponential(3)),
        start_delay: dice.chance(50).then(|| Distribution::constant(25.0).expect("25 s")),
        objective: Some(0.99),
        run: None,
        job: None,
    };
    (0..dice.below(3)).map(|number| service(number, dice)).collect()
}

fn random_failures(dice: &mut Dice) -> Vec<FailureProcess> {
    let targets = [
        FailureTarget::Nodes { pool: None },
        FailureTarget::Nodes { pool: Some("pool-1".to_owned()) },
        FailureTarget::Domains { kind: "rack".to_owned() },
        FailureTarget::Domains { kind: "power".to_owned() },
    ];
    let mut processes = Vec::new();
    for target in targets {
        if dice.chance(40) {
            processes.push(FailureProcess {
                name: format!("{target:?}"),
                target,
                time_to_failure: dice.exponential(20),
                time_to_repair: dice.exponential(3),
            });
        }
    }
    processes
}

/// A cell of a few nodes and a day of everything that can happen to it.
pub fn random_scenario(seed: u64, placement: &str) -> SimulationConfig {
    let mut dice = Dice(Streams { seed, run: 7 }.stream(Purpose::Custom(1), 0));
    let racks = dice.below(5);
    let mut config = config(seed, scheduler(placement));
    config.nodes = (0..1 + dice.below(12)).map(|i| random_node(&mut dice, i, racks)).collect();
    config.domains = random_domains(&mut dice, racks);
    config.source = Some(Box::new(random_source(&mut dice, racks)));
    config.services = random_services(&mut dice);
    config.failures = random_failures(&mut dice);
    if dice.chance(30) {
        config.faults = vec![ScriptedFault {
            at: dice.time(),
            lasts: SimDuration(dice.below(5 * HOUR_US)),
            domains: vec!["zone".to_owned()],
            nodes: vec!["node-0".to_owned(), "nowhere".to_owned()],
        }];
    }
    config.end = Some(SimTime(LENGTH_US + dice.below(2) * 12 * HOUR_US));
    config.warmup = SimTime(dice.below(3) * HOUR_US);
    config.control_plane = ControlPlane {
        detection: Distribution::constant(dice.below(3) as f64 * 40.0).expect("seconds"),
        recovery_detection: Distribution::constant(dice.below(2) as f64 * 10.0).expect("seconds"),
        start_delay: dice.chance(50).then(|| Distribution::log_normal(25.0, 1.0).expect("seconds")),
    };
    config.controllers = vec![Box::new(ReplicaKeeper)];
    if dice.chance(80) {
        let toleration = SimDuration(dice.below(2) * 300_000_000);
        config.controllers.push(Box::new(NodeLifecycle::new(toleration)));
    }
    for tier in &mut config.tiers {
        tier.checkpoint = dice.chance(30).then(|| SimDuration(dice.below(2) * HOUR_US));
        tier.time_to_crash = dice.chance(20).then(|| dice.exponential(5));
    }
    if dice.chance(40) {
        config.overcommit.set(Tier::Free, Dimension::CPU, 1500);
        config.overcommit.set(Tier::Mid, Dimension::CPU, 1200);
    }
    config.scheduler.queue = if dice.chance(30) { QueueOrder::Fifo } else { QueueOrder::Priority };
    config.scheduler.head_of_line_blocking = dice.chance(15);
    config.scheduler.preemption = match dice.below(3) {
        0 => PreemptionRule::Never,
        1 => PreemptionRule::LowerPriority,
        _ => PreemptionRule::BorgBands,
    };
    config
}

#[test]
fn the_auditor_is_quiet_on_a_thousand_random_scenarios() {
    let policies = builtin();
    let (mut bound, mut evicted, mut crashed) = (0, 0, 0);
    for seed in 0..1_000 {
        let policy = &policies[seed as usize % policies.len()];
        let mut config = random_scenario(seed, policy.name);
        config.check = true;
        let result = run(config);
        let law = result.littles_law.relative_difference;
        assert!(law < 1e-9, "seed {seed}: Little's law is off by {law}");
        bound += result.pods.bound;
        evicted += result.pods.evicted;
        crashed += result.pods.crashed;
    }
    println!("1,000 random scenarios: {bound} bindings, {evicted} evictions, {crashed} crashes");
    assert!(bound > 50_000 && evicted > 5_000 && crashed > 1_000, "the scenarios are too tame");
}

#[test]
fn every_index_leads_to_the_same_run() {
    for seed in 0..60 {
        for policy in builtin() {
            let with = |index: Index| {
                let mut config = random_scenario(seed, policy.name);
                config.scheduler.index = index;
                run(config).fingerprint
            };
            let expected = with(Index::Naive);
            assert_eq!(with(Index::Auto), expected, "{} under seed {seed}", policy.name);
            let remembering = Index::Scan(Techniques {
                score_cache: Some(0),
                equivalence_classes: true,
                relaxed_randomization: None,
            });
            assert_eq!(with(remembering), expected, "{} under seed {seed}", policy.name);
        }
    }
}

/// Remembers when nodes and domains really failed and came back.
#[derive(Clone, Default)]
struct Weather(Arc<Mutex<Vec<(SimTime, String)>>>);

impl Observer for Weather {
    fn observe(&mut self, now: SimTime, fact: &Fact, _: &Cluster) {
        let is_weather = matches!(
            fact,
            Fact::NodeDown { .. }
                | Fact::NodeUp { .. }
                | Fact::DomainDown { .. }
                | Fact::DomainUp { .. }
        );
        if is_weather {
            self.0.lock().expect("one thread").push((now, format!("{fact:?}")));
        }
    }
}

#[test]
fn two_policies_meet_the_same_failures() {
    for seed in 0..40 {
        let weather = |policy: &str, preemption: PreemptionRule| {
            let mut config = random_scenario(seed, policy);
            config.scheduler.preemption = preemption;
            let mut simulation = Simulation::new(config).expect("the scenario makes sense");
            let weather = Weather::default();
            simulation.observe(Box::new(weather.clone()));
            simulation.run(&|_| {}).expect("the run goes through");
            weather.0.lock().expect("the run is over").clone()
        };
        let one = weather("best-fit", PreemptionRule::Never);
        let other = weather("worst-fit", PreemptionRule::LowerPriority);
        assert_eq!(one, other, "seed {seed}");
    }
}
