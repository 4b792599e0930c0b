//! Allocs: the verbs one promise at a time, and an auditor that notices whatever is broken.

use std::sync::Arc;

use super::audit::Auditor;
use super::*;
use crate::engine::{Purpose, SimDuration, SimTime, Streams};

/// Key of the alloc set, and of the job that runs inside of it.
const SET: u64 = 1;
const JOB: u64 = 2;
const NODE: NodeId = NodeId(0);
const OTHER: NodeId = NodeId(1);

fn node(name: &str) -> Arc<NodeSpec> {
    Arc::new(NodeSpec {
        name: name.to_owned(),
        allocatable: Resources([8000, 8000, 0, 3, 4000, 0, 0, 0]),
        gpu_devices: 4,
        ..NodeSpec::default()
    })
}

/// A cell and its auditor, which looks at everything after every event.
struct Cell {
    cluster: Cluster,
    auditor: Auditor,
    template: TemplateId,
    seconds: u64,
}

fn amounts(cpu: i64, gpu: GpuRequest) -> Resources {
    let mut requests = Resources::pod(cpu, cpu);
    requests[Dimension::GPU] = gpu.total_milli();
    requests
}

impl Cell {
    /// Two nodes; an alloc set and a job inside of it are declared.
    fn new(small: u64) -> Self {
        let cluster = Cluster::new(DomainGraph::default(), Overcommit::default());
        let auditor = Auditor::with_small(small);
        let mut cell = Self { cluster, auditor, template: TemplateId(0), seconds: 0 };
        cell.event(|cluster| {
            cluster.add_node(node("a"));
            cluster.add_node(node("b"));
            let job = |alloc| Arc::new(JobSpec { alloc, pods: 1000, ..JobSpec::default() });
            cluster.declare_job(SET, job(JobAlloc::Set));
            cluster.declare_job(JOB, job(JobAlloc::Inside(SET)));
        });
        cell.template = cell.cluster.declare_template(&PodTemplate::default());
        cell
    }

    fn try_event<T>(&mut self, event: impl FnOnce(&mut Cluster) -> T) -> Result<T, Violation> {
        self.seconds += 1;
        self.cluster.advance_to(SimTime::from_secs(self.seconds));
        let done = event(&mut self.cluster);
        let audited = self.auditor.audit(&self.cluster);
        self.cluster.settle();
        audited.map(|()| done)
    }

    fn event<T>(&mut self, event: impl FnOnce(&mut Cluster) -> T) -> T {
        self.try_event(event).expect("nothing is broken")
    }

    fn submit(&mut self, job: u64, cpu: i64, number: Option<u32>, gpu: GpuRequest) -> PodId {
        let template = self.template;
        self.event(|cluster| {
            let new = NewPod {
                key: 0,
                workload: cluster.workload_of_key(job),
                work: SimDuration::from_secs(100),
                work_end: WorkEnd::Succeeds,
                usage_permille: [500, 500],
            };
            let pod = cluster.submit(new, template, amounts(cpu, gpu), gpu);
            cluster.enrol_in_allocs(pod, number);
            pod
        })
    }

    fn task(&mut self, cpu: i64) -> PodId {
        self.submit(JOB, cpu, None, GpuRequest::default())
    }

    /// A running instance of 4000 millicores on `node`.
    fn instance(&mut self, node: NodeId) -> PodId {
        let alloc = self.submit(SET, 4000, None, GpuRequest::default());
        self.event(|cluster| {
            cluster.bind(alloc, node).expect("there is room");
            cluster.start(alloc);
        });
        alloc
    }

    /// A pod that runs inside of `alloc`.
    fn inside(&mut self, alloc: PodId, cpu: i64) -> PodId {
        let pod = self.task(cpu);
        self.event(|cluster| {
            cluster.bind_inside(pod, alloc).expect("there is room");
            cluster.start(pod);
        });
        pod
    }
}

#[test]
fn a_pod_inside_takes_from_the_alloc_and_not_from_the_node() {
    let mut cell = Cell::new(1_000);
    let alloc = cell.instance(NODE);
    assert_eq!(cell.cluster.nodes().free(NODE).0[..4], [4000, 4000, 0, 2]);
    assert_eq!(cell.cluster.pod(alloc).new.usage_permille, [0, 0], "a reservation uses nothing");
    // Five pods: more than the node has slots, which are not counted inside.
    let pods: Vec<PodId> = (0..5).map(|_| cell.inside(alloc, 700)).collect();
    assert_eq!(cell.cluster.nodes().free(NODE).0[..4], [4000, 4000, 0, 2]);
    assert_eq!(cell.cluster.pods_on(NODE).count(), 1);
    assert_eq!(cell.cluster.all_pods_on(NODE).len(), 6);
    assert_eq!(cell.cluster.room_inside(alloc).expect("it is bound").0[..2], [500, 500]);
    let one_more = cell.task(600);
    let refused = cell.event(|cluster| cluster.bind_inside(one_more, alloc));
    assert_eq!(refused, Err(NotAdmitted));
    cell.event(|cluster| cluster.end(pods[2], Ending::Killed));
    cell.event(|cluster| cluster.bind_inside(one_more, alloc)).expect("there is room now");
    assert_eq!(cell.cluster.pod(one_more).node, NODE);
}

#[test]
fn only_pods_of_a_job_in_the_set_go_inside_and_they_go_nowhere_else() {
    let mut cell = Cell::new(1_000);
    let alloc = cell.instance(NODE);
    let stranger = cell.submit(9, 1, None, GpuRequest::default());
    assert_eq!(cell.event(|cluster| cluster.bind_inside(stranger, alloc)), Err(NotAdmitted));
    let task = cell.task(1);
    assert_eq!(cell.event(|cluster| cluster.bind(task, NODE)), Err(NotAdmitted));
    let second = cell.instance(OTHER);
    let picky = cell.submit(JOB, 1, Some(1), GpuRequest::default());
    assert_eq!(cell.event(|cluster| cluster.bind_inside(picky, alloc)), Err(NotAdmitted));
    cell.event(|cluster| cluster.bind_inside(picky, second)).expect("it is number 1");
    let numbers: Vec<(u32, PodId)> = cell.cluster.allocs().of_set(SET).collect();
    assert_eq!(numbers, [(0, alloc), (1, second)]);
}

#[test]
fn devices_inside_are_those_that_the_alloc_holds() {
    let mut cell = Cell::new(1_000);
    let two = GpuRequest { devices: 2, milli: 1000 };
    let alloc = cell.submit(SET, 4000, None, two);
    cell.event(|cluster| cluster.bind(alloc, NODE)).expect("there is room");
    let held = cell.cluster.pod(alloc).devices.devices;
    let half = GpuRequest { devices: 1, milli: 600 };
    let halves: Vec<PodId> = (0..2).map(|_| cell.submit(JOB, 100, None, half)).collect();
    for pod in &halves {
        cell.event(|cluster| cluster.bind_inside(*pod, alloc)).expect("a device each");
    }
    let given = halves.iter().map(|pod| cell.cluster.pod(*pod).devices.devices);
    assert_eq!(given.fold(0, |all, one| all | one), held);
    let third = cell.submit(JOB, 100, None, half);
    assert_eq!(cell.event(|cluster| cluster.bind_inside(third, alloc)), Err(NotAdmitted));
}

#[test]
fn what_is_inside_shares_the_fate_of_the_alloc() {
    let mut cell = Cell::new(1_000);
    let alloc = cell.instance(NODE);
    let pod = cell.inside(alloc, 1000);
    let never = |_: &Cluster, _: &Pod| None;
    cell.event(|cluster| cluster.begin_node_fault(NODE, &never));
    assert_eq!(cell.cluster.pod(pod).state, PodState::Stranded);
    let back = cell.event(|cluster| cluster.end_node_fault(NODE, &never));
    assert_eq!(back, [alloc, pod]);
    cell.event(|cluster| {
        back.iter().for_each(|pod| {
            cluster.start(*pod);
        })
    });
    cell.event(|cluster| cluster.evict_all(NODE, EvictionCause::MachineShutdown, &never));
    for id in [alloc, pod] {
        let pod = cell.cluster.pod(id);
        assert_eq!((pod.state, pod.node, pod.evictions), (PodState::Pending, NodeId::NONE, 1));
    }
    assert_eq!(cell.cluster.allocs().of_set(SET).count(), 0);
}

#[test]
#[should_panic(expected = "leaves with 1 pods inside")]
fn an_alloc_cannot_leave_from_around_its_pods() {
    let mut cell = Cell::new(1_000);
    let alloc = cell.instance(NODE);
    cell.inside(alloc, 1000);
    cell.event(|cluster| cluster.end(alloc, Ending::Killed));
}

#[test]
fn an_alloc_and_its_pods_can_be_resized_as_far_as_there_is_room() {
    let mut cell = Cell::new(1_000);
    let alloc = cell.instance(NODE);
    let pod = cell.inside(alloc, 1000);
    let template = cell.template;
    let mut resize = |id, cpu| cell.event(|c| c.resize(id, template, Resources::pod(cpu, cpu)));
    assert!(resize(pod, 4000), "the alloc has as much");
    assert!(!resize(pod, 4001), "the alloc has no more, whatever the node has");
    assert!(!resize(alloc, 3999), "the pod inside needs it");
    assert!(resize(alloc, 8000), "the node has as much");
    assert!(!resize(alloc, 8001));
    assert!(resize(pod, 5000));
    assert_eq!(cell.cluster.room_inside(alloc).expect("it is bound").0[..2], [3000, 3000]);
    assert_eq!(cell.cluster.pod(pod).alloc, alloc);
}

#[test]
fn the_books_hold_through_anything() {
    let mut dice = Streams { seed: 11, run: 0 }.stream(Purpose::Custom(1), 0);
    let mut cell = Cell::new(1_000_000);
    let never = |_: &Cluster, _: &Pod| None;
    let (mut allocs, mut tasks) = (Vec::new(), Vec::new());
    let mut entered = 0;
    for _ in 0..1_500 {
        let pick =
            |from: &Vec<PodId>, draw: u64| from.get(draw as usize % from.len().max(1)).copied();
        let draw = dice.below(1 << 20);
        match dice.below(10) {
            0 if allocs.len() < 6 => {
                let alloc =
                    cell.submit(SET, 1000 + draw as i64 % 3000, None, GpuRequest::default());
                allocs.push(alloc);
            }
            1 | 2 => {
                let Some(alloc) = pick(&allocs, draw) else { continue };
                if cell.cluster.pod(alloc).state == PodState::Pending {
                    let at = NodeId(draw as u32 & 1);
                    let _ = cell.event(|cluster| cluster.bind(alloc, at));
                } else {
                    cell.event(|cluster| {
                        cluster.clear_alloc(alloc, EvictionCause::Preemption, &never);
                        cluster.evict(alloc, EvictionCause::Preemption, None);
                    });
                }
            }
            3 if tasks.len() < 30 => tasks.push(cell.task(1 + draw as i64 % 900)),
            4..=6 => {
                let (Some(task), Some(alloc)) = (pick(&tasks, draw), pick(&allocs, draw >> 8))
                else {
                    continue;
                };
                if cell.cluster.pod(task).state == PodState::Pending {
                    let bound = cell.event(|cluster| cluster.bind_inside(task, alloc));
                    entered += u32::from(bound.is_ok());
                }
            }
            7 => {
                let Some(task) = pick(&tasks, draw) else { continue };
                tasks.retain(|other| *other != task);
                cell.event(|cluster| cluster.end(task, Ending::Killed));
            }
            8 => {
                let Some(pod) = pick(if draw & 1 == 0 { &tasks } else { &allocs }, draw >> 1)
                else {
                    continue;
                };
                let (template, cpu) = (cell.template, 1 + (draw >> 4) as i64 % 1500);
                cell.event(|c| c.resize(pod, template, Resources::pod(cpu, cpu)));
            }
            _ => {
                let at = NodeId(draw as u32 & 1);
                let is_up = cell.cluster.nodes().condition(at).is_up();
                cell.event(|cluster| match is_up {
                    true => cluster.begin_node_fault(at, &never),
                    false => drop(cluster.end_node_fault(at, &never)),
                });
            }
        }
    }
    assert!(entered > 50, "only {entered} pods went inside");
}

/// A name and what breaks the books so. Pods by their slots: 0 the instance, 1 and 2 inside.
type Corruption = (&'static str, fn(&mut Cluster));

const CORRUPTIONS: [Corruption; 8] = [
    ("list of pods", |c| c.allocs.corrupt(PodId(0), |envelope| envelope.first = PodId::NONE)),
    ("links of pods", |c| c.pods.links_mut(PodId(1)).previous = PodId(1)),
    ("what is used", |c| {
        c.allocs.corrupt(PodId(0), |envelope| envelope.use_more(&Resources::pod(1, 0)));
    }),
    ("devices", |c| {
        c.allocs.corrupt(PodId(0), |envelope| {
            envelope.take_devices(DeviceShare { devices: 1, milli: 100 });
        });
    }),
    ("alloc of a pod", |c| c.pods.get_mut(PodId(1)).alloc = PodId::NONE),
    ("another alloc", |c| c.pods.get_mut(PodId(1)).alloc = PodId(2)),
    ("place of a pod", |c| c.pods.get_mut(PodId(1)).node = OTHER),
    ("devices of a pod", |c| c.pods.get_mut(PodId(2)).devices.milli = 500),
];

#[test]
fn whatever_is_broken_inside_is_noticed() {
    for (what, corrupt) in CORRUPTIONS {
        // A small cell is recounted at once; in a large one, the event itself touches the alloc.
        for small in [1_000, 0] {
            let mut cell = Cell::new(small);
            let one = GpuRequest { devices: 1, milli: 1000 };
            let alloc = cell.submit(SET, 4000, None, one);
            cell.event(|cluster| cluster.bind(alloc, NODE)).expect("there is room");
            for gpu in [GpuRequest::default(), GpuRequest { devices: 1, milli: 300 }] {
                let pod = cell.submit(JOB, 100, None, gpu);
                cell.event(|cluster| cluster.bind_inside(pod, alloc)).expect("there is room");
            }
            let late = cell.task(100);
            corrupt(&mut cell.cluster);
            let noticed = cell.try_event(|cluster| cluster.bind_inside(late, alloc));
            let at_end = cell.auditor.finish(&cell.cluster);
            assert!(noticed.is_err() || at_end.is_err(), "{what}: not noticed");
            assert!(small == 0 || noticed.is_err(), "{what}: not noticed in a small cell");
        }
    }
}

#[test]
fn facts_about_allocs_that_cannot_be_true_are_noticed() {
    let lies: [(&str, Fact); 3] = [
        ("inside twice", Fact::PodEnteredAlloc { pod: PodId(1), alloc: PodId(0) }),
        ("inside of itself", Fact::PodEnteredAlloc { pod: PodId(0), alloc: PodId(0) }),
        ("inside of a pod", Fact::PodEnteredAlloc { pod: PodId(0), alloc: PodId(1) }),
    ];
    for (what, lie) in lies {
        let mut cell = Cell::new(0);
        let alloc = cell.instance(NODE);
        cell.inside(alloc, 100);
        let noticed = cell.try_event(|cluster| cluster.facts.push(lie));
        assert!(noticed.is_err(), "{what}: not noticed");
    }
}

#[test]
fn going_inside_beyond_what_is_reserved_is_noticed() {
    let mut cell = Cell::new(0);
    let alloc = cell.instance(NODE);
    // The verb believes in room that is not there.
    cell.cluster.allocs.corrupt(alloc, |envelope| envelope.use_more(&Resources::pod(-9000, -9000)));
    let pod = cell.task(9000);
    let noticed = cell.try_event(|cluster| cluster.bind_inside(pod, alloc));
    let sentence = noticed.expect_err("the alloc is overfull").to_string();
    assert!(sentence.contains("has no room for it"), "{sentence}");
}
