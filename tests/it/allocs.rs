//! Alloc sets in whole runs: what is inside shares the fate of its alloc, whoever schedules, and
//! an alloc is to its pods what a node of its size would be.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use cellsim::cluster::{
    Cluster, Fact, GpuRequest, JobAlloc, JobSpec, PodTemplate, Resources, Tier,
};
use cellsim::engine::{Distribution, Purpose, SimDuration, SimTime, Streams};
use cellsim::failure::ScriptedFault;
use cellsim::healing::NodeLifecycle;
use cellsim::metrics::{Observer, RunResult};
use cellsim::scheduling::{PreemptionRule, architectures};
use cellsim::simulation::{ControlPlane, Simulation, SimulationConfig};
use cellsim::workload::{
    Change, Outcome, PodKey, PodRecord, Record, TemplateIndex, Work, WorkloadKey,
};

use crate::support::{ListSource, architecture, at, config, node, scheduler};

/// Templates of the stories: an alloc's, a plain pod's, and one of higher priority.
const ALLOC: u32 = 0;
const PLAIN: u32 = 1;
const URGENT: u32 = 2;

fn templates() -> Vec<Change> {
    let template = |priority, tier| {
        Change::Template(Arc::new(PodTemplate { priority, tier, ..PodTemplate::default() }))
    };
    vec![template(200, Tier::Production), template(100, Tier::Mid), template(300, Tier::Monitoring)]
}

fn job(key: u64, alloc: JobAlloc) -> Change {
    let spec = JobSpec { alloc, ..JobSpec::default() };
    Change::Job { key: WorkloadKey(key), spec: Arc::new(spec) }
}

/// A pod of job `job` that runs for so many seconds; for ever with 0.
fn pod(key: u64, job: u64, template: u32, cpu: i64, run: u64) -> PodRecord {
    let run = SimDuration::from_secs(run);
    PodRecord {
        key: PodKey(key),
        tracked: true,
        alone: false,
        workload: WorkloadKey(job),
        template: TemplateIndex(template),
        requests: Resources::pod(cpu, cpu),
        gpu: GpuRequest::default(),
        work: match run {
            SimDuration::ZERO => Work::UntilStopped,
            run => Work::For { run, outcome: Outcome::Finish },
        },
        usage_permille: Some([500, 250]),
        alloc_index: None,
    }
}

fn submit(key: u64, job: u64, template: u32, cpu: i64, run: u64) -> Change {
    Change::Submit(pod(key, job, template, cpu, run))
}

fn numbered(key: u64, job: u64, number: u32) -> Change {
    let pod = pod(key, job, PLAIN, 1000, 0);
    Change::Submit(PodRecord { alloc_index: Some(number), ..pod })
}

/// Nodes of 4000 millicores, 40 s to notice a failure, eviction at once; everything is audited.
fn story(nodes: usize, changes: Vec<(u64, Change)>) -> SimulationConfig {
    let mut config = config(1, scheduler("first-fit"));
    config.nodes = (0..nodes).map(|i| node(&format!("n{i}"), 4000, 4000, 10)).collect();
    let first = templates().into_iter().map(|change| at(SimTime::ZERO, change));
    let rest = changes.into_iter().map(|(time, change)| at(SimTime::from_secs(time), change));
    let records: VecDeque<Record> = first.chain(rest).collect();
    config.source = Some(Box::new(ListSource(records)));
    let constant = |seconds| Distribution::constant(seconds).expect("a length of time");
    config.control_plane = ControlPlane {
        detection: constant(40.0),
        recovery_detection: constant(10.0),
        start_delay: None,
    };
    config.controllers = vec![Box::new(NodeLifecycle::new(SimDuration::ZERO))];
    config.end = Some(SimTime::from_secs(1_000));
    config.check = true;
    config
}

/// Notes what happens to pods, by their key.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Observer for Diary {
    fn observe(&mut self, now: SimTime, fact: &Fact, cluster: &Cluster) {
        let (pod, what) = match *fact {
            Fact::PodStarted { pod, node } => {
                (pod, format!("starts on {}", cluster.nodes().spec(node).name))
            }
            Fact::PodEvicted { pod, cause, .. } => (pod, format!("evicted: {}", cause.name())),
            Fact::PodEnded { pod, ending } => (pod, ending.name().to_owned()),
            _ => return,
        };
        let key = cluster.pod(pod).new.key;
        let entry = format!("{} {key} {what}", now.0 / 1_000_000);
        self.0.lock().expect("one thread").push(entry);
    }
}

fn tell(config: SimulationConfig) -> (Vec<String>, RunResult) {
    let diary = Diary::default();
    let mut simulation = Simulation::new(config).expect("the story makes sense");
    simulation.observe(Box::new(diary.clone()));
    let result = simulation.run(&|_| {}).expect("the story goes through");
    let entries = diary.0.lock().expect("the run is over").clone();
    (entries, result)
}

fn fault(at: u64, lasts: u64) -> ScriptedFault {
    ScriptedFault {
        at: SimTime::from_secs(at),
        lasts: SimDuration::from_secs(lasts),
        domains: Vec::new(),
        nodes: vec!["n0".to_owned()],
    }
}

/// An alloc set 1 with one instance (pod 10) and a job 2 inside of it.
fn set_of_one() -> Vec<(u64, Change)> {
    vec![
        (0, job(1, JobAlloc::Set)),
        (0, job(2, JobAlloc::Inside(1))),
        (0, submit(10, 1, ALLOC, 3000, 0)),
        (0, submit(20, 2, PLAIN, 1000, 0)),
    ]
}

#[test]
fn when_the_node_is_lost_the_alloc_moves_and_its_pods_with_it() {
    let mut config = story(2, set_of_one());
    config.faults = vec![fault(100, 500)];
    let (diary, result) = tell(config);
    assert_eq!(
        diary,
        [
            "0 10 starts on n0",
            "0 20 starts on n0",
            "140 20 evicted: machine-failure",
            "140 10 evicted: machine-failure",
            "140 10 starts on n1",
            "140 20 starts on n1",
        ]
    );
    let lost: f64 = result.work.lost_core_s;
    assert!((lost - 100.0).abs() < 1e-9, "only the pod inside works: {lost} core-seconds lost");
}

#[test]
fn a_failure_that_nobody_notices_restarts_everything_in_place() {
    let mut config = story(2, set_of_one());
    config.faults = vec![fault(100, 20)];
    let (diary, _) = tell(config);
    let again = ["120 10 starts on n0", "120 20 starts on n0"];
    assert_eq!(diary[2..], again);
}

#[test]
fn an_alloc_that_is_preempted_takes_its_pods_with_it() {
    let mut changes = set_of_one();
    changes.push((100, submit(30, 30, URGENT, 4000, 50)));
    let mut config = story(1, changes);
    config.scheduler.preemption = PreemptionRule::LowerPriority;
    let (diary, result) = tell(config);
    assert_eq!(
        diary[2..],
        [
            "100 20 evicted: preemption",
            "100 10 evicted: preemption",
            "100 30 starts on n0",
            "150 30 succeeded",
            "150 10 starts on n0",
            "150 20 starts on n0",
        ]
    );
    assert_eq!(result.scheduler.preempted, 1, "the scheduler displaced one pod of the node");
}

#[test]
fn inside_of_an_alloc_higher_priorities_go_first_and_displace_lower_ones() {
    let mut changes = set_of_one();
    changes.extend([
        (10, submit(21, 2, PLAIN, 2000, 0)),
        // No room: this waits, and is overtaken by what is more urgent.
        (20, submit(22, 2, PLAIN, 500, 0)),
        (30, submit(23, 2, URGENT, 2500, 100)),
    ]);
    let mut config = story(1, changes.clone());
    config.scheduler.preemption = PreemptionRule::LowerPriority;
    let (diary, result) = tell(config);
    // Newest first among equals: 21 makes too little room, so 20 has to go as well.
    assert_eq!(
        diary[2..],
        [
            "10 21 starts on n0",
            "30 21 evicted: preemption",
            "30 20 evicted: preemption",
            "30 23 starts on n0",
            "30 22 starts on n0",
            "130 23 succeeded",
            "130 20 starts on n0",
        ]
    );
    assert_eq!(result.scheduler.preempted, 2);
    let (diary, _) = tell(story(1, changes));
    assert!(!diary.iter().any(|entry| entry.contains("evicted")), "{diary:?}");
}

#[test]
fn the_room_of_a_pod_that_stopped_is_kept_for_its_successor() {
    let inside = |alloc: bool| {
        let role = if alloc { JobAlloc::Inside(1) } else { JobAlloc::None };
        let mut changes = vec![(0, job(1, JobAlloc::Set)), (0, job(2, role))];
        changes.extend(alloc.then(|| (0, submit(10, 1, ALLOC, 3000, 0))));
        changes.extend([
            (0, submit(20, 2, PLAIN, 3000, 0)),
            // Others would take all the room that they find.
            (50, submit(30, 30, PLAIN, 3000, 400)),
            (100, Change::Kill { key: PodKey(20) }),
            (200, submit(21, 2, PLAIN, 3000, 0)),
        ]);
        tell(story(1, changes)).0
    };
    assert!(inside(true).contains(&"200 21 starts on n0".to_owned()), "{:?}", inside(true));
    assert!(inside(false).contains(&"500 21 starts on n0".to_owned()), "{:?}", inside(false));
}

#[test]
fn when_instances_end_pods_without_a_number_move_on_and_the_others_end() {
    let mut changes = vec![(0, job(1, JobAlloc::Set)), (0, job(2, JobAlloc::Inside(1)))];
    changes.extend([
        (0, submit(10, 1, ALLOC, 3000, 0)),
        (0, submit(11, 1, ALLOC, 3000, 0)),
        (1, submit(20, 2, PLAIN, 1000, 0)),
        (2, numbered(21, 2, 0)),
        (3, numbered(22, 2, 1)),
        // These ask for more than any instance has: they wait in vain until the end of the set.
        (4, submit(23, 2, PLAIN, 3500, 0)),
        (100, Change::Kill { key: PodKey(10) }),
        (200, Change::Kill { key: PodKey(11) }),
    ]);
    let (diary, result) = tell(story(2, changes));
    assert_eq!(
        diary,
        [
            "0 10 starts on n0",
            "0 11 starts on n1",
            "1 20 starts on n0",
            "2 21 starts on n0",
            "3 22 starts on n1",
            "100 20 evicted: other",
            "100 21 killed",
            "100 10 killed",
            "100 20 starts on n1",
            "200 20 killed",
            "200 22 killed",
            "200 11 killed",
            "200 23 killed",
        ]
    );
    assert_eq!(result.pods.pending_at_end, 0);
}

#[test]
fn what_is_reserved_counts_once_and_what_is_used_inside_counts() {
    let (_, result) = tell(story(1, set_of_one()));
    let cpu = &result.resources[0];
    assert!((cpu.allocation_ratio.expect("there is cpu") - 0.75).abs() < 1e-9);
    let allocs = result.allocs.expect("there are allocs");
    assert!((allocs.instances_mean - 1.0).abs() < 1e-9);
    let inside = &allocs.resources[0];
    assert!((inside.requested_inside.expect("something is reserved") - 1.0 / 3.0).abs() < 1e-9);
    assert_eq!(inside.share_of_allocation, Some(1.0));
}

#[test]
fn who_waits_for_allocs_is_told_why() {
    let changes = vec![
        (0, job(1, JobAlloc::Set)),
        (0, job(2, JobAlloc::Inside(1))),
        (0, job(4, JobAlloc::Inside(3))),
        (0, submit(10, 1, ALLOC, 3000, 0)),
        (1, submit(20, 2, PLAIN, 3500, 0)),
        (1, numbered(21, 2, 7)),
        (1, submit(40, 4, PLAIN, 1, 0)),
    ];
    let (_, result) = tell(story(1, changes));
    let told = result.notices.join("\n");
    for reason in [
        "No alloc of set 1 has room, of 1: 1 Insufficient cpu.",
        "Alloc 7 of set 1 is not running.",
        "Alloc set 3 has no running alloc.",
    ] {
        assert!(told.contains(reason), "{reason}\n{told}");
    }
}

/// Poisson arrivals and exponential service for a cell that serves five at a time.
fn queue(alloc: bool) -> Vec<(u64, Change)> {
    let streams = Streams { seed: 7, run: 0 };
    let gap = Distribution::exponential(24.0).expect("a positive mean");
    let service = Distribution::exponential(100.0).expect("a positive mean");
    let mut arrivals = streams.stream(Purpose::Arrival, 0);
    let mut services = streams.stream(Purpose::PodDuration, 0);
    let role = if alloc { JobAlloc::Inside(1) } else { JobAlloc::None };
    let mut changes = vec![(0, job(1, JobAlloc::Set)), (0, job(2, role))];
    changes.extend(alloc.then(|| (0, submit(1, 1, ALLOC, 5000, 0))));
    let mut now = SimTime::ZERO;
    for key in 0..4_000 {
        now += gap.sample_duration(&mut arrivals);
        let run = 1 + service.sample_duration(&mut services).0 / 1_000_000;
        changes.push((now.0 / 1_000_000, submit(100 + key, 2, PLAIN, 1000, run)));
    }
    changes
}

#[test]
fn an_alloc_is_to_its_pods_what_a_node_of_its_size_is() {
    let waits = |alloc: bool| {
        let mut config = story(1, queue(alloc));
        config.nodes = vec![node("n0", 5000, 5000, 10)];
        config.end = None;
        config.check = false;
        let (diary, result) = tell(config);
        let of_tier = result.waiting.iter().find(|waiting| waiting.name == Tier::Mid.name());
        let of_pods = diary.into_iter().filter(|entry| !entry.contains(" 1 starts"));
        (of_pods.collect::<Vec<_>>(), of_tier.expect("there are such pods").from_submit)
    };
    let (plain, inside) = (waits(false), waits(true));
    assert!(plain.1.mean_s > 1.0, "nobody waits: {:?}", plain.1);
    assert_eq!(inside.1, plain.1);
    assert_eq!(inside.0, plain.0, "every pod starts and ends when it did");
}

/// A cell with whatever can happen to allocs and what is inside of them.
fn anything(seed: u64) -> Vec<(u64, Change)> {
    let mut dice = Streams { seed, run: 0 }.stream(Purpose::Custom(9), 0);
    let mut changes = Vec::new();
    for set in 0..4 {
        changes.push((0, job(1 + set, JobAlloc::Set)));
        changes.push((0, job(11 + set, JobAlloc::Inside(1 + set))));
        changes.push((0, job(21 + set, JobAlloc::Inside(1 + set))));
        for instance in 0..3 {
            let size = 1000 + dice.below(2) as i64 * 1000;
            changes.push((0, submit(100 + set * 10 + instance, 1 + set, ALLOC, size, 0)));
        }
    }
    for step in 0..250 {
        let (time, key, set) = (1 + step * 3, 1000 + step, dice.below(4));
        let cpu = 100 + dice.below(8) as i64 * 100;
        let run = 20 + dice.below(200);
        let template = [PLAIN, URGENT][dice.below(2) as usize];
        changes.push((
            time,
            match dice.below(16) {
                0 => Change::Kill { key: PodKey(100 + set * 10 + dice.below(3)) },
                1 => Change::Resize {
                    key: PodKey(100 + set * 10 + dice.below(3)),
                    template: TemplateIndex(ALLOC),
                    requests: Resources::pod(cpu * 3, cpu * 3),
                },
                2 => Change::Resize {
                    key: PodKey(1000 + dice.below(step + 1)),
                    template: TemplateIndex(template),
                    requests: Resources::pod(cpu, cpu),
                },
                3 => Change::Kill { key: PodKey(1000 + dice.below(step + 1)) },
                4 => {
                    let alloc_index = Some(dice.below(3) as u32);
                    let pod = pod(key, 11 + set, template, cpu, run);
                    Change::Submit(PodRecord { alloc_index, ..pod })
                }
                5 => submit(key, 1 + set, ALLOC, 1500, 300),
                6..=8 => submit(key, 100 + key, template, cpu * 3, run),
                9..=11 => submit(key, 21 + set, template, cpu, run),
                _ => submit(key, 11 + set, template, cpu, run),
            },
        ));
    }
    changes
}

/// Counts pods that went inside of allocs.
#[derive(Clone, Default)]
struct Entries(Arc<Mutex<u64>>);

impl Observer for Entries {
    fn observe(&mut self, _: SimTime, fact: &Fact, _: &Cluster) {
        *self.0.lock().expect("one thread") +=
            u64::from(matches!(fact, Fact::PodEnteredAlloc { .. }));
    }
}

#[test]
fn every_scheduler_leaves_pods_inside_of_allocs_to_the_desk() {
    let known = architectures().iter().map(|entry| entry.name);
    for name in known.filter(|name| *name != cellsim::scheduling::PROCESS) {
        let mut config = story(5, anything(3));
        config.scheduler.preemption = PreemptionRule::LowerPriority;
        config.architecture = Some(architecture(name, &serde_json::Value::Null));
        config.faults = vec![fault(150, 100), fault(400, 20), fault(600, 300)];
        let entries = Entries::default();
        let mut simulation = Simulation::new(config).expect("the story makes sense");
        simulation.observe(Box::new(entries.clone()));
        simulation.begin().expect("nothing is broken");
        let mut steps = 0;
        while simulation.step().unwrap_or_else(|error| panic!("{name}: {error}")) {
            steps += 1;
            let now = simulation.cluster().now();
            assert!(steps < 5_000, "{name}: time stands still at {now}");
        }
        let entered = *entries.0.lock().expect("the run is over");
        assert!(entered > 50, "{name}: {entered} pods went inside");
    }
}
