//! The auditor has to notice whatever is broken: at once where an event touches it, else with the
//! next full recount.

use std::sync::Arc;

use super::super::*;
use super::Auditor;
use crate::engine::{SimDuration, SimTime};

const RACK: DomainId = DomainId(0);
/// The node in the rack, which most of the cell is on.
const NEAR: NodeId = NodeId(0);
/// A node that has nothing to do with it.
const FAR: NodeId = NodeId(1);
/// Pods of the cell, in order of their submission.
const PLAIN: PodId = PodId(0);
const ALONE: PodId = PodId(1);
const WITH_GPU: PodId = PodId(2);

/// A cell and its auditor.
struct Audited {
    cluster: Cluster,
    auditor: Auditor,
    templates: Vec<TemplateId>,
    seconds: u64,
}

fn node(name: &str, cpu_milli: i64, domains: &[&str]) -> Arc<NodeSpec> {
    Arc::new(NodeSpec {
        name: name.to_owned(),
        allocatable: Resources([cpu_milli, 1 << 30, 0, 100, 4000, 0, 0, 0]),
        gpu_devices: 4,
        domains: domains.iter().map(|name| (*name).to_owned()).collect(),
        ..NodeSpec::default()
    })
}

fn requests(cpu_milli: i64, gpu: GpuRequest) -> Resources {
    let mut requests = Resources::pod(cpu_milli, 1000);
    requests[Dimension::GPU] = gpu.total_milli();
    requests
}

impl Audited {
    /// Four pods run, three of them on [`NEAR`], under an auditor that recounts cells of at most
    /// `small` rows each time.
    fn new(small: u64) -> Self {
        let rack =
            DomainSpec { name: "rack".to_owned(), kind: "rack".to_owned(), parents: Vec::new() };
        let domains = DomainGraph::new(&[rack]).expect("one domain makes sense");
        let cluster = Cluster::new(domains, Overcommit::default());
        let auditor = Auditor::with_small(small);
        let mut cell = Self { cluster, auditor, templates: Vec::new(), seconds: 0 };
        cell.event(|cluster| {
            cluster.add_node(node("near", 4000, &["rack"]));
            cluster.add_node(node("far", 64_000, &[]));
        });
        let alone = PodTemplate { one_per_node: true, ..PodTemplate::default() };
        cell.templates = [PodTemplate::default(), alone]
            .map(|template| cell.cluster.declare_template(&template))
            .to_vec();
        cell.arrive(NEAR, 0, 1, (1000, GpuRequest::default()));
        cell.arrive(NEAR, 1, 1, (500, GpuRequest::default()));
        cell.arrive(NEAR, 0, 2, (300, GpuRequest { devices: 1, milli: 500 }));
        cell.arrive(FAR, 0, 3, (200, GpuRequest::default()));
        cell
    }

    fn try_event(&mut self, event: impl FnOnce(&mut Cluster)) -> Result<(), Violation> {
        self.seconds += 1;
        self.cluster.advance_to(SimTime::from_secs(self.seconds));
        event(&mut self.cluster);
        let audited = self.auditor.audit(&self.cluster);
        self.cluster.settle();
        audited
    }

    fn event(&mut self, event: impl FnOnce(&mut Cluster)) {
        self.try_event(event).expect("nothing is broken");
    }

    fn try_arrive(
        &mut self,
        node: NodeId,
        template: usize,
        job: u64,
        (cpu_milli, gpu): (i64, GpuRequest),
    ) -> Result<(), Violation> {
        let template = self.templates[template];
        self.try_event(|cluster| {
            let new = NewPod {
                key: 0,
                workload: cluster.workload_of_key(job),
                work: SimDuration::from_secs(1),
                work_end: WorkEnd::Succeeds,
                usage_permille: [1000, 1000],
            };
            let pod = cluster.submit(new, template, requests(cpu_milli, gpu), gpu);
            cluster.bind(pod, node).expect("there is room");
            cluster.start(pod);
        })
    }

    fn arrive(&mut self, node: NodeId, template: usize, job: u64, size: (i64, GpuRequest)) {
        self.try_arrive(node, template, job, size).expect("nothing is broken");
    }

    /// The rack fails, which touches all that is on [`NEAR`].
    fn fail_rack(&mut self) -> Result<(), Violation> {
        self.try_event(|cluster| cluster.begin_domain_fault(RACK, &|_, _| None))
    }

    /// A pod comes to [`FAR`].
    fn arrive_far(&mut self) -> Result<(), Violation> {
        self.try_arrive(FAR, 0, 4, (1, GpuRequest::default()))
    }
}

/// A name and what breaks the books so.
type Corruption = (&'static str, fn(&mut Cluster));

/// One of each kind of state, all of it on or about [`NEAR`].
const CORRUPTIONS: [Corruption; 22] = [
    ("free resources", |c| c.nodes.free[0].0 -= Resources([1, 0, 0, 0, 0, 0, 0, 0])),
    ("devices", |c| c.nodes.devices[0].take(DeviceShare { devices: 8, milli: 100 })),
    ("number of pods", |c| c.nodes.pod_count[0] += 1),
    ("list of pods", |c| c.nodes.first_pod[0] = PodId::NONE),
    ("links of pods", |c| c.pods.links_mut(PLAIN).previous = PLAIN),
    ("capacity group", |c| c.nodes.group[0] = c.nodes.group[1]),
    ("readiness", |c| c.nodes.condition[0].ready = false),
    ("cordon", |c| c.nodes.condition[0].cordoned = true),
    ("truth", |c| c.nodes.condition[0].faults += 1),
    ("open nodes", |c| c.nodes.open_mut().set(0, false)),
    ("eligible nodes", |c| c.nodes.matching_mut(ConstraintId(0)).set(0, false)),
    ("state of a pod", |c| c.pods.get_mut(PLAIN).state = PodState::BackingOff),
    ("place of a pod", |c| c.pods.get_mut(PLAIN).node = FAR),
    ("start of a pod", |c| c.pods.get_mut(PLAIN).started_at = SimTime::from_secs(3)),
    ("work of a pod", |c| c.pods.get_mut(PLAIN).done = SimDuration::from_secs(1)),
    ("devices of a pod", |c| c.pods.get_mut(WITH_GPU).devices = DeviceShare::default()),
    ("class of a pod", |c| c.pods.get_mut(PLAIN).class = c.pods.get(WITH_GPU).class),
    ("number of a pod", |c| c.pods.get_mut(PLAIN).serial = 77),
    ("pods of a workload", |c| workload_of(c, PLAIN).pods += 1),
    ("ready pods of a workload", |c| workload_of(c, PLAIN).ready += 1),
    ("nodes kept apart", |c| workload_of(c, ALONE).mark_apart(FAR, true)),
    ("faults of a domain", |c| c.domains.count_fault(RACK, true)),
];

fn workload_of(cluster: &mut Cluster, pod: PodId) -> &mut Workload {
    let workload = cluster.pods.get(pod).new.workload;
    cluster.workloads.get_mut(workload)
}

#[test]
fn what_an_event_touches_is_audited_after_it() {
    let mut sound = Audited::new(0);
    let before = sound.auditor.recounts();
    sound.fail_rack().expect("nothing is broken");
    assert_eq!(sound.auditor.recounts(), before, "the cell was recounted as a whole");
    for (what, corrupt) in CORRUPTIONS {
        let mut cell = Audited::new(0);
        corrupt(&mut cell.cluster);
        assert!(cell.fail_rack().is_err(), "{what}: not noticed");
    }
}

#[test]
fn what_no_event_touches_is_found_by_the_next_recount() {
    for (what, corrupt) in CORRUPTIONS {
        let mut cell = Audited::new(0);
        let before = cell.auditor.recounts();
        corrupt(&mut cell.cluster);
        let mut quiet = 0;
        while cell.arrive_far().is_ok() {
            assert_eq!(cell.auditor.recounts(), before, "{what}: a recount saw nothing");
            quiet += 1;
            assert!(quiet < 10_000, "{what}: there is no recount");
        }
        assert_eq!(cell.auditor.recounts(), before + 1, "{what}: found by the events far away");
        assert!(quiet > 3, "{what}: recounted after {quiet} events");
    }
}

#[test]
fn small_cells_and_ends_of_runs_are_recounted_at_once() {
    for (what, corrupt) in CORRUPTIONS {
        let mut small = Audited::new(1_000);
        corrupt(&mut small.cluster);
        assert!(small.try_event(|_| {}).is_err(), "{what}: not noticed in a small cell");
        let mut large = Audited::new(0);
        corrupt(&mut large.cluster);
        large.event(|_| {});
        assert!(large.auditor.finish(&large.cluster).is_err(), "{what}: not noticed at the end");
    }
}

#[test]
fn a_list_that_runs_in_a_circle_is_noticed() {
    let mut cell = Audited::new(0);
    cell.cluster.pods.links_mut(PLAIN).next = WITH_GPU;
    assert!(cell.auditor.finish(&cell.cluster).is_err());
}

#[test]
fn totals_are_audited_after_every_event() {
    let mut cell = Audited::new(0);
    let class = *cell.cluster.class_of(PLAIN);
    cell.cluster.classes.acquire(&class);
    cell.arrive_far().expect("another class");
    let another = (1000, GpuRequest::default());
    assert!(cell.try_arrive(FAR, 0, 5, another).is_err(), "a class counts a pod too many");
    let mut cell = Audited::new(0);
    cell.cluster.pods.retire(PLAIN);
    assert!(cell.try_event(|_| {}).is_err(), "a pod vanished");
}

#[test]
fn a_node_that_no_fact_names_is_audited_when_the_log_does() {
    let mut cell = Audited::new(0);
    cell.cluster.nodes.open_mut().set(0, false);
    cell.event(|_| {});
    assert!(cell.try_event(|cluster| cluster.nodes.changes.push(NEAR)).is_err());
}

#[test]
fn more_changes_than_the_log_holds_lead_to_a_recount() {
    let mut cell = Audited::new(0);
    let before = cell.auditor.recounts();
    cell.event(|cluster| (0..200_000).for_each(|_| cluster.nodes.changes.push(FAR)));
    assert_eq!(cell.auditor.recounts(), before + 1);
}

/// A name and what is told that did not happen.
type Lie = (&'static str, fn(&Cluster) -> Fact);

#[test]
fn facts_that_cannot_be_true_are_noticed() {
    let lies: [Lie; 10] = [
        ("started twice", |_| Fact::PodStarted { pod: PLAIN, node: NEAR }),
        ("bound twice", |c| Fact::PodBound { pod: PLAIN, node: NEAR, class: c.pod(PLAIN).class }),
        ("unbound elsewhere", |c| Fact::PodUnbound {
            pod: PLAIN,
            node: FAR,
            class: c.pod(PLAIN).class,
        }),
        ("unbound for no reason", |c| Fact::PodUnbound {
            pod: PLAIN,
            node: NEAR,
            class: c.pod(PLAIN).class,
        }),
        ("evicted and not unbound", |_| Fact::PodEvicted {
            pod: PLAIN,
            node: NEAR,
            cause: EvictionCause::Preemption,
        }),
        ("ended on its node", |_| Fact::PodEnded { pod: PLAIN, ending: Ending::Killed }),
        ("work out of nothing", |_| Fact::PodStopped {
            pod: PLAIN,
            node: NEAR,
            ran: SimDuration::from_secs(500),
            kept: SimDuration::ZERO,
            reason: StopReason::Crashed,
        }),
        ("removed with its pods", |_| Fact::NodeRemoved { node: NEAR }),
        ("repaired and up", |_| Fact::NodeUp { node: NEAR }),
        ("repaired without a failure", |_| Fact::DomainUp { domain: RACK }),
    ];
    for (what, lie) in lies {
        let mut cell = Audited::new(0);
        let fact = lie(&cell.cluster);
        let noticed = cell.try_event(|cluster| cluster.facts.push(fact));
        assert!(noticed.is_err(), "{what}: not noticed");
    }
    let mut cell = Audited::new(0);
    let ended = Fact::WorkloadEnded { workload: workload_id(&cell.cluster) };
    assert!(cell.try_event(|cluster| cluster.facts.push(ended)).is_err(), "a job with pods ended");
}

fn workload_id(cluster: &Cluster) -> WorkloadId {
    cluster.pod(PLAIN).new.workload
}

#[test]
fn a_binding_beyond_the_room_of_a_node_is_noticed() {
    let mut cell = Audited::new(0);
    // The verb believes in room that is not there.
    cell.cluster.nodes.free[0].0 += Resources([10_000, 0, 0, 0, 0, 0, 0, 0]);
    let noticed = cell.try_arrive(NEAR, 0, 7, (9_000, GpuRequest::default()));
    let sentence = noticed.expect_err("the node is overfull").to_string();
    assert!(sentence.contains("beyond what its tier may fill"), "{sentence}");
}

#[test]
fn a_binding_to_a_node_that_takes_none_is_noticed() {
    let mut cell = Audited::new(0);
    cell.event(|cluster| assert!(cluster.observe_readiness(NEAR, false)));
    cell.cluster.nodes.open_mut().set(0, true);
    let noticed = cell.try_arrive(NEAR, 0, 7, (1, GpuRequest::default()));
    let sentence = noticed.expect_err("it is not ready").to_string();
    assert!(sentence.contains("which takes none"), "{sentence}");
}
