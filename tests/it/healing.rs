//! What the cell does about faults, told as short stories with times worked out by hand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use cellsim::cluster::{Cluster, DomainSpec, Fact, GpuRequest, NodeSpec, PodTemplate, Resources};
use cellsim::engine::{Distribution, SimDuration, SimTime};
use cellsim::failure::ScriptedFault;
use cellsim::healing::{NodeLifecycle, ReplicaKeeper, Service};
use cellsim::metrics::{Observer, RunResult};
use cellsim::simulation::{ControlPlane, Simulation, SimulationConfig};
use cellsim::workload::{
    Change, NodeKey, Outcome, PodKey, PodRecord, Record, TemplateIndex, Work, WorkloadKey,
};

use crate::support::{ListSource, TIER, at, config, node, run, scheduler};

fn seconds(seconds: u64) -> SimTime {
    SimTime::from_secs(seconds)
}

fn constant(seconds: f64) -> Distribution {
    Distribution::constant(seconds).expect("a length of time")
}

fn pod(key: u64, work: Work) -> PodRecord {
    PodRecord {
        key: PodKey(key),
        tracked: true,
        alone: false,
        workload: WorkloadKey(key),
        template: TemplateIndex(0),
        requests: Resources::pod(1000, 1),
        gpu: GpuRequest::default(),
        work,
        usage_permille: None,
        alloc_index: None,
    }
}

fn for_seconds(seconds: u64) -> Work {
    Work::For { run: SimDuration::from_secs(seconds), outcome: Outcome::Finish }
}

fn source(changes: Vec<(u64, Change)>) -> Option<Box<dyn cellsim::workload::Source>> {
    let template = PodTemplate { tier: TIER, ..PodTemplate::default() };
    let first = at(SimTime::ZERO, Change::Template(Arc::new(template)));
    let rest = changes.into_iter().map(|(time, change)| at(seconds(time), change));
    let records: VecDeque<Record> = std::iter::once(first).chain(rest).collect();
    Some(Box::new(ListSource(records)))
}

/// Two nodes with room for one pod each, 40 s to notice a failure, eviction at once.
fn two_nodes(changes: Vec<(u64, Change)>, faults: Vec<ScriptedFault>) -> SimulationConfig {
    let mut config = config(1, scheduler("first-fit"));
    config.nodes = vec![node("a", 1000, 10, 10), node("b", 1000, 10, 10)];
    config.source = source(changes);
    config.faults = faults;
    config.control_plane = ControlPlane {
        detection: constant(40.0),
        recovery_detection: constant(10.0),
        start_delay: None,
    };
    config.controllers =
        vec![Box::new(NodeLifecycle::new(SimDuration::ZERO)), Box::new(ReplicaKeeper)];
    config.check = true;
    config
}

fn fault(at: u64, lasts: u64, nodes: &[&str]) -> ScriptedFault {
    ScriptedFault {
        at: seconds(at),
        lasts: SimDuration::from_secs(lasts),
        domains: Vec::new(),
        nodes: nodes.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// Notes when pods start and end, in seconds.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Observer for Diary {
    fn observe(&mut self, now: SimTime, fact: &Fact, cluster: &Cluster) {
        let name = |node| cluster.nodes().spec(node).name.clone();
        let entry = match *fact {
            Fact::PodStarted { node, .. } => format!("starts on {}", name(node)),
            Fact::PodEvicted { node, .. } => format!("evicted from {}", name(node)),
            Fact::PodStopped { kept, ran, .. } => {
                format!("stops after {} s, keeps {}", ran.0 / 1_000_000, kept.0 / 1_000_000)
            }
            Fact::PodEnded { ending, .. } => ending.name().to_owned(),
            _ => return,
        };
        self.0.lock().expect("one thread").push(format!("{} {entry}", now.0 / 1_000_000));
    }
}

fn diary(config: SimulationConfig) -> (Vec<String>, RunResult) {
    let diary = Diary::default();
    let mut simulation = Simulation::new(config).expect("the story makes sense");
    simulation.observe(Box::new(diary.clone()));
    let result = simulation.run(&|_| {}).expect("the story goes through");
    let entries = diary.0.lock().expect("the run is over").clone();
    (entries, result)
}

#[test]
fn a_lost_node_is_noticed_and_its_pod_starts_anew_elsewhere() {
    let submit = Change::Submit(pod(1, for_seconds(1000)));
    let (diary, result) = diary(two_nodes(vec![(100, submit)], vec![fault(300, 5000, &["a"])]));
    assert_eq!(
        diary,
        [
            "100 starts on a",
            "300 stops after 200 s, keeps 0",
            "340 evicted from a",
            "340 starts on b",
            "1340 stops after 1000 s, keeps 1000",
            "1340 succeeded",
        ]
    );
    assert_eq!(result.nodes.detection.mean_s, 40.0);
    assert_eq!(result.work.lost_core_s, 200.0);
}

#[test]
fn a_node_that_is_back_before_it_is_missed_restarts_its_pod_in_place() {
    let submit = Change::Submit(pod(1, for_seconds(1000)));
    let (diary, _) = diary(two_nodes(vec![(100, submit)], vec![fault(300, 39, &["a"])]));
    assert_eq!(
        diary,
        [
            "100 starts on a",
            "300 stops after 200 s, keeps 0",
            "339 starts on a",
            "1339 stops after 1000 s, keeps 1000",
            "1339 succeeded",
        ]
    );
}

#[test]
fn a_pod_resumes_from_its_last_checkpoint() {
    let submit = Change::Submit(pod(1, for_seconds(1000)));
    let mut config = two_nodes(vec![(100, submit)], vec![fault(300, 5000, &["a"])]);
    for tier in &mut config.tiers {
        tier.checkpoint = Some(SimDuration::from_secs(90));
    }
    let (diary, result) = diary(config);
    assert_eq!(diary[1], "300 stops after 200 s, keeps 180");
    assert_eq!(diary.last().expect("it ended"), "1160 succeeded");
    assert_eq!(result.work.lost_core_s, 20.0);
}

#[test]
fn a_pod_bound_to_a_node_that_nobody_knows_is_down_waits_there_until_it_is_noticed() {
    let submit = Change::Submit(pod(1, for_seconds(100)));
    let (diary, result) = diary(two_nodes(vec![(310, submit)], vec![fault(300, 5000, &["a"])]));
    assert_eq!(diary[..2], ["340 evicted from a", "340 starts on b"]);
    assert_eq!(result.waiting[0].from_submit.max_s, 30.0);
}

#[test]
fn faults_overlap_and_the_node_is_up_when_the_last_is_over() {
    let faults = vec![fault(100, 200, &["a", "b"]), fault(200, 300, &["a"])];
    let (_, result) = diary(two_nodes(Vec::new(), faults));
    // a: 100 to 500, b: 100 to 300.
    assert_eq!((result.nodes.failures, result.nodes.repairs), (2, 2));
    assert_eq!(result.nodes.mttr_s, Some(300.0));
}

#[test]
fn a_domain_takes_down_all_below_it_once_however_it_hangs_together() {
    let domain = |name: &str, parents: &[&str]| DomainSpec {
        name: name.to_owned(),
        kind: "domain".to_owned(),
        parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
    };
    let mut config = two_nodes(Vec::new(), Vec::new());
    config.domains = vec![
        domain("zone", &[]),
        domain("left", &["zone"]),
        domain("right", &["zone"]),
        domain("rack", &["left", "right"]),
    ];
    let spec = |name: &str| {
        let plain = node(name, 1000, 10, 10);
        Arc::new(NodeSpec { domains: vec!["rack".to_owned()], ..(*plain).clone() })
    };
    config.nodes = vec![spec("a"), node("b", 1000, 10, 10)];
    let zone = |at_s: u64, lasts: u64, name: &str| ScriptedFault {
        domains: vec![name.to_owned()],
        ..fault(at_s, lasts, &[])
    };
    config.faults = vec![zone(100, 100, "zone"), zone(150, 100, "left")];
    let (_, result) = diary(config);
    assert_eq!((result.nodes.failures, result.nodes.mttr_s), (1, Some(150.0)));
}

#[test]
fn a_crash_loop_backs_off_as_the_kubelet_does() {
    let mut config = two_nodes(Vec::new(), Vec::new());
    config.services = vec![Service {
        name: Arc::from("flaky"),
        replicas: 1,
        minimum_ready: 1,
        template: PodTemplate { tier: TIER, ..PodTemplate::default() },
        requests: Resources::pod(1000, 1),
        gpu: GpuRequest::default(),
        usage_permille: [1000, 1000],
        time_to_crash: Some(constant(5.0)),
        start_delay: None,
        objective: None,
        run: None,
        job: None,
    }];
    config.end = Some(seconds(400));
    let (diary, result) = diary(config);
    let starts: Vec<&str> =
        diary.iter().filter_map(|entry| entry.strip_suffix(" starts on a")).collect();
    // Runs of 5 s, then pauses of 0, 10, 20, 40, 80, 160 s.
    assert_eq!(starts, ["0", "5", "20", "45", "90", "175", "340"]);
    assert_eq!(result.pods.crashed, 7);
}

#[test]
fn a_node_that_leaves_shuts_its_pods_down_and_a_kill_makes_room() {
    let spec = node("late", 1000, 10, 10);
    let changes = vec![
        (10, Change::NodeAdd { key: NodeKey(7), spec }),
        (20, Change::Submit(pod(1, for_seconds(500)))),
        (30, Change::Submit(pod(2, for_seconds(500)))),
        (40, Change::Submit(pod(3, for_seconds(500)))),
        (100, Change::NodeRemove { key: NodeKey(7) }),
        (150, Change::Kill { key: PodKey(2) }),
    ];
    let (diary, result) = diary(two_nodes(changes, Vec::new()));
    assert_eq!(diary[3..5], ["100 stops after 60 s, keeps 0", "100 evicted from late"]);
    assert_eq!(diary[5..8], ["150 stops after 120 s, keeps 120", "150 killed", "150 starts on b"]);
    assert_eq!((result.nodes.removed, result.pods.killed, result.pods.succeeded), (1, 1, 2));
}

#[test]
fn a_later_attempt_waits_for_the_end_of_the_former() {
    let fails = Work::For { run: SimDuration::from_secs(300), outcome: Outcome::Fail };
    let changes = vec![
        (0, Change::Submit(pod(9, for_seconds(50)))),
        (0, Change::Submit(pod(8, for_seconds(50)))),
        // Both nodes are taken, so this one starts at 50 and fails at 350, not at 310.
        (10, Change::Submit(pod(1, fails))),
        (310, Change::Submit(pod(1, for_seconds(100)))),
    ];
    let (diary, _) = diary(two_nodes(changes, Vec::new()));
    assert_eq!(
        diary[diary.len() - 4..],
        ["350 failed", "350 starts on a", "450 stops after 100 s, keeps 100", "450 succeeded",]
    );
}

#[test]
fn a_run_length_told_late_ends_the_pod_when_it_should_have_ended() {
    let told = |time, run| (time, Change::Work { key: PodKey(1), work: for_seconds(run) });
    let early = vec![(0, Change::Submit(pod(1, Work::Unknown))), told(50, 200)];
    let (entries, _) = diary(two_nodes(early, Vec::new()));
    assert_eq!(entries.last().expect("it ended"), "200 succeeded");
    let late = vec![(0, Change::Submit(pod(1, Work::Unknown))), told(250, 200)];
    let (entries, _) = diary(two_nodes(late, Vec::new()));
    assert_eq!(entries.last().expect("it ended"), "250 succeeded");
}

#[test]
fn three_replicas_outlive_what_takes_one_server_down() {
    let service = |name: &str, replicas: u32| Service {
        name: Arc::from(name),
        replicas,
        minimum_ready: 1,
        template: PodTemplate { tier: TIER, one_per_node: true, ..PodTemplate::default() },
        requests: Resources::pod(100, 1),
        gpu: GpuRequest::default(),
        usage_permille: [1000, 1000],
        time_to_crash: None,
        start_delay: None,
        objective: Some(0.999),
        run: None,
        job: None,
    };
    let mut config = two_nodes(Vec::new(), vec![fault(100, 200, &["a"])]);
    config.services = vec![service("alone", 1), service("replicated", 2)];
    config.end = Some(seconds(1000));
    let result = run(config);
    assert_eq!(result.workloads[0].service_availability, Some(0.96));
    assert_eq!(result.workloads[1].service_availability, Some(1.0));
    assert_eq!((result.workloads[0].outages, result.workloads[0].longest_outage_s), (1, 40.0));
}
