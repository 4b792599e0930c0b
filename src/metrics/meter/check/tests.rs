//! The meter's auditor has to notice whatever the meter counts wrong.

use std::sync::Arc;

use crate::cluster::{Auditor, Cluster, NodeId, PodId, Tier, Touched};
use crate::engine::SimTime;
use crate::metrics::meter::allocation::Sign;
use crate::metrics::meter::stage::{Stage, config, node_spec, submit};
use crate::metrics::{Disagreement, Meter, Observer};

/// A cell whose auditors never recount on their own.
struct Audited {
    stage: Stage,
    cell: Auditor,
}

const WEB: u64 = 1;

impl Audited {
    /// A declared workload with a running pod of production on node `a` of the pool `old`.
    fn new(warmup_s: u64) -> Self {
        let mut audited =
            Self { stage: Stage::new(config(warmup_s, true)), cell: Auditor::with_small(0) };
        audited.event(0, |cluster| {
            cluster.add_node(node_spec("a", "old", 4000));
            cluster.add_node(node_spec("b", "new", 8000));
            cluster.scale_workload(WEB, &Arc::from("web"), 1, 1);
        });
        audited.arrive(10, Tier::Production, NodeId(0));
        audited
    }

    fn try_event(
        &mut self,
        seconds: u64,
        event: impl FnOnce(&mut Cluster),
    ) -> Result<(), Disagreement> {
        let Stage { cluster, meter, auditor, .. } = &mut self.stage;
        cluster.advance_to(SimTime::from_secs(seconds));
        event(cluster);
        for fact in cluster.facts() {
            meter.observe(cluster.now(), fact, cluster);
        }
        self.cell.audit(cluster).expect("the cell is sound");
        let audited = auditor.audit(meter, self.cell.touched(), cluster);
        cluster.settle();
        audited
    }

    fn event(&mut self, seconds: u64, event: impl FnOnce(&mut Cluster)) {
        self.try_event(seconds, event).expect("nothing is broken");
    }

    fn try_arrive(&mut self, seconds: u64, tier: Tier, node: NodeId) -> Result<(), Disagreement> {
        let template = self.stage.templates[tier as usize];
        self.try_event(seconds, |cluster| {
            let workload = cluster.workload_of_key(if node == NodeId(0) { WEB } else { 2 });
            let pod = submit(cluster, workload, template, 500);
            cluster.bind(pod, node).expect("there is room");
            cluster.start(pod);
        })
    }

    fn arrive(&mut self, seconds: u64, tier: Tier, node: NodeId) {
        self.try_arrive(seconds, tier, node).expect("nothing is broken");
    }

    /// All there is is read anew.
    fn audit_all(&mut self) -> Result<(), Disagreement> {
        let everything = Touched::all(&self.stage.cluster);
        self.stage.auditor.audit(&self.stage.meter, &everything, &self.stage.cluster)
    }

    /// A pod of the same kind comes to the same node, which then fails.
    fn touch_all(&mut self) -> Result<(), Disagreement> {
        self.try_arrive(20, Tier::Production, NodeId(0))?;
        self.try_event(21, |cluster| cluster.begin_node_fault(NodeId(0), &|_, _| None))?;
        self.try_event(22, |cluster| {
            cluster.scale_workload(WEB, &Arc::from("web"), 2, 1);
        })?;
        self.try_event(23, |cluster| {
            let spec = Arc::clone(cluster.nodes().spec(NodeId(0)));
            cluster.update_node(NodeId(0), node_spec("a", "new", 1));
            cluster.update_node(NodeId(0), spec);
        })?;
        let pool = self.stage.cluster.nodes().spec(NodeId(0)).pool.clone();
        assert_eq!(pool, "old");
        self.try_event(24, |cluster| {
            cluster.add_node(node_spec("c", "old", 1));
        })
    }
}

/// A name and what makes the meter count wrong.
type Corruption = (&'static str, fn(&mut Meter, &Cluster));

/// Each changes a value at 15 s.
const CORRUPTIONS: [Corruption; 10] = [
    ("pods", |m, _| m.population.live_now += 1),
    ("pending pods", |m, _| m.population.pending_now += 1),
    ("pods of a tier", |m, _| m.population.live[Tier::Production as usize].add(1, AT)),
    ("bound pods", |m, c| m.allocation.bind(Sign::Plus, c.class_of(PodId(0)), NodeId(0), AT)),
    ("running pods", |m, c| {
        m.allocation.run(Sign::Plus, c.class_of(PodId(0)), [0, 0], NodeId(0), AT);
    }),
    ("nodes", |m, _| m.nodes.present.add(1, AT)),
    ("nodes up", |m, _| m.nodes.up.add(1, AT)),
    ("capacity", |m, c| {
        let nodes = c.nodes();
        let capacity = nodes.allocatable(NodeId(0));
        m.capacity.install(Sign::Plus, capacity, nodes.pool(NodeId(0)), AT);
    }),
    ("ready pods of a workload", |m, _| m.declared.tracks[0].ready.add(1, AT)),
    ("wanted pods of a workload", |m, _| m.declared.tracks[0].wanted.add(1, AT)),
];

const AT: SimTime = SimTime::from_secs(15);

#[test]
fn a_value_that_is_wrong_is_noticed_when_it_is_touched() {
    Audited::new(0).touch_all().expect("nothing is broken");
    for (what, corrupt) in CORRUPTIONS {
        let mut audited = Audited::new(0);
        corrupt(&mut audited.stage.meter, &audited.stage.cluster);
        assert!(audited.touch_all().is_err(), "{what}: not noticed");
    }
}

#[test]
fn a_value_that_nothing_touches_is_found_when_all_is_recounted() {
    for (what, corrupt) in CORRUPTIONS {
        let mut audited = Audited::new(0);
        corrupt(&mut audited.stage.meter, &audited.stage.cluster);
        audited.event(20, |_| {});
        assert!(audited.audit_all().is_err(), "{what}: not noticed");
        let Stage { meter, cluster, .. } = &audited.stage;
        assert!(meter.check(cluster).is_err(), "{what}: not noticed without books");
    }
}

#[test]
fn an_integral_is_noticed_that_is_wrong_though_its_value_is_right() {
    let mut audited = Audited::new(0);
    let nodes_up = &mut audited.stage.meter.nodes.up;
    nodes_up.add(1, AT);
    nodes_up.add(-1, SimTime::from_secs(16));
    assert_eq!(audited.stage.meter.check(&audited.stage.cluster), Ok(()), "the value is right");
    let found = audited.touch_all().expect_err("the integral is wrong").to_string();
    assert!(found.contains("the integral of nodes up"), "{found}");
}

#[test]
fn integrals_begin_anew_after_the_warm_up() {
    let mut audited = Audited::new(18);
    audited.touch_all().expect("nothing is broken");
    audited.audit_all().expect("nothing is broken");
    let mut late = Audited::new(18);
    late.stage.meter.population.live[Tier::Production as usize].restart(AT);
    assert!(late.stage.meter.check(&late.stage.cluster).is_ok(), "the value is right");
    assert!(late.audit_all().is_err(), "an integral that began at the wrong time");
}
