//! Random cells under random changes: every way to find a node finds the one that a scan finds.

mod choices;
mod gpu;

use std::sync::Arc;

use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};
use proptest::test_runner::TestCaseError;
use serde_json::Value;

use super::{
    BorgHybrid, Index, Placement, Placer, Reason, Rejection, Score, Strategy, Techniques, builtin,
};
use crate::cluster::{
    Cluster, Dimension, DomainGraph, Ending, EvictionCause, GpuRequest, LabelExpression, NewPod,
    NodeConstraints, NodeId, NodeSpec, NodeView, Overcommit, PodClass, PodId, PodState,
    PodTemplate, Preference, ResourceNames, Resources, SelectorOperator, Taint, TaintEffect,
    TemplateId, Tier, Toleration, TolerationOperator, WorkEnd,
};
use crate::engine::{SimDuration, Streams};

/// A step of a random history: what happens, and to what.
type Step = (u8, u32, u32, u32);

const STREAMS: Streams = Streams { seed: 11, run: 0 };

/// A policy of a user: it reads a label and has a constraint and no bound.
struct LabelLover;

impl Placement for LabelLover {
    fn feasible(&self, _class: &PodClass, node: NodeView<'_>) -> Result<(), Reason> {
        let odd = node.labels().get("odd").is_some();
        if odd && node.pod_count() > 1 { Err(Reason("node(s) were odd".into())) } else { Ok(()) }
    }

    fn score(&self, _class: &PodClass, node: NodeView<'_>) -> Score {
        let zone = i64::from(node.labels().get("zone").is_some_and(|zone| zone == "b"));
        zone * 3 - i64::from(node.pod_count() % 5)
    }
}

struct World {
    cluster: Cluster,
    templates: Vec<TemplateId>,
    /// Per strategy: the naive placer, then the others.
    placers: Vec<(&'static str, Vec<Placer>)>,
}

fn spec(name: u32, kind: u32) -> NodeSpec {
    const SHAPES: [(i64, i64, i64, u8); 6] = [
        (4000, 4096, 10, 0),
        (4000, 2048, 10, 0),
        (8000, 8191, 20, 0),
        (1000, 333, 3, 0),
        (8000, 16_000, 8, 4),
        (2000, 0, 4, 0),
    ];
    let (cpu, memory, slots, gpus) = SHAPES[kind as usize % SHAPES.len()];
    let mut allocatable = Resources::pod(cpu, memory);
    allocatable[Dimension::PODS] = slots;
    allocatable[Dimension::GPU] = i64::from(gpus) * 1000;
    allocatable[Dimension::STORAGE] = if kind % 4 == 1 { 50 } else { 100 };
    let mut spec = NodeSpec { name: format!("n{name}"), allocatable, ..NodeSpec::default() };
    spec.gpu_devices = gpus;
    let zone = if (kind / 6).is_multiple_of(2) { "a" } else { "b" };
    spec.labels.insert("zone".to_owned(), zone.to_owned());
    if kind / 12 % 5 == 4 {
        spec.labels.insert("odd".to_owned(), String::new());
    }
    if kind / 60 % 4 == 3 {
        let (key, value) = ("kept".to_owned(), String::new());
        spec.taints.push(Taint { key, value, effect: TaintEffect::NoSchedule });
    }
    spec
}

fn templates() -> Vec<PodTemplate> {
    let plain = PodTemplate::default();
    let constrained = |constraints: NodeConstraints| PodTemplate { constraints, ..plain.clone() };
    let tolerant = constrained(NodeConstraints {
        tolerations: vec![Toleration {
            key: "kept".to_owned(),
            operator: TolerationOperator::Exists,
            value: String::new(),
            effect: None,
        }],
        ..NodeConstraints::default()
    });
    let zoned = constrained(NodeConstraints {
        affinity: vec![vec![LabelExpression {
            key: "zone".to_owned(),
            operator: SelectorOperator::In,
            values: vec!["b".to_owned()],
        }]],
        ..NodeConstraints::default()
    });
    let labelled = |weight, key: &str, values: &[&str]| Preference {
        weight,
        labels: vec![LabelExpression {
            key: key.to_owned(),
            operator: if values.is_empty() {
                SelectorOperator::Exists
            } else {
                SelectorOperator::In
            },
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        }],
        attributes: Vec::new(),
    };
    // Two ways to weigh three; what is tolerated is for a hard constraint beside them.
    let choosy = constrained(NodeConstraints {
        preferences: vec![
            labelled(3, "zone", &["b"]),
            labelled(2, "odd", &[]),
            labelled(1, "zone", &["a"]),
        ],
        ..tolerant.constraints.clone()
    });
    vec![
        choosy,
        PodTemplate { tier: Tier::Free, ..plain.clone() },
        PodTemplate { tier: Tier::Production, ..plain.clone() },
        tolerant,
        PodTemplate { tier: Tier::Production, ..zoned },
        PodTemplate { one_per_node: true, ..plain.clone() },
        plain,
    ]
}

fn overcommit(kind: u8) -> Overcommit {
    let mut overcommit = Overcommit::default();
    if kind == 1 {
        Tier::ALL.iter().for_each(|tier| overcommit.set(*tier, Dimension::CPU, 1300));
    }
    if kind == 2 {
        overcommit.set(Tier::Free, Dimension::CPU, 1500);
        overcommit.set(Tier::Free, Dimension::MEMORY, 1250);
        overcommit.set(Tier::Production, Dimension::MEMORY, 900);
    }
    overcommit
}

/// Every scan with techniques that has to find what a plain one finds.
fn exact_scans() -> impl Iterator<Item = Index> {
    let techniques = |number: u32| Techniques {
        score_cache: (number & 1 > 0).then_some(0),
        equivalence_classes: number & 2 > 0,
        relaxed_randomization: None,
    };
    (0..4).map(techniques).map(Index::Scan)
}

/// A name and how to make what it names.
type Named = (&'static str, Box<dyn Fn() -> Strategy>);

fn strategies() -> Vec<Named> {
    let mut all: Vec<Named> = Vec::new();
    for entry in builtin() {
        let build = || (entry.build)(&Value::Null).expect("has defaults");
        all.push((entry.name, Box::new(build)));
    }
    let strict = || Strategy::Scored(Box::new(BorgHybrid::new(3000).expect("is in range")));
    all.push(("borg-hybrid 3000", Box::new(strict)));
    all.push(("label lover", Box::new(|| Strategy::Scored(Box::new(LabelLover)))));
    all
}

impl World {
    fn new(nodes: &[u32], overcommitted: u8) -> Self {
        let domains = DomainGraph::new(&[]).expect("no domains are no cycle");
        let mut cluster = Cluster::new(domains, overcommit(overcommitted));
        for (name, kind) in nodes.iter().enumerate() {
            cluster.add_node(Arc::new(spec(name as u32, *kind)));
        }
        let templates = templates().iter().map(|t| cluster.declare_template(t)).collect();
        let placers = strategies().into_iter().map(|(name, build)| {
            let ways = [Index::Naive, Index::Auto, Index::Grid, Index::Ranking];
            let ways = ways.into_iter().chain(exact_scans());
            let placer = |way| Placer::new(build(), way, STREAMS).with_ranking_budget(8 << 10);
            (name, ways.map(placer).collect())
        });
        Self { cluster, templates, placers: placers.collect() }
    }

    fn pending(&self) -> Vec<PodId> {
        let all = self.cluster.pods().iter();
        all.filter(|(_, pod)| pod.state == PodState::Pending).map(|(id, _)| id).collect()
    }

    fn bound(&self) -> Vec<PodId> {
        let all = self.cluster.pods().iter();
        all.filter(|(_, pod)| pod.state.is_bound()).map(|(id, _)| id).collect()
    }

    fn submit(&mut self, a: u32, b: u32, c: u32) -> PodId {
        const CPU: [i64; 6] = [0, 100, 250, 500, 1000, 3000];
        const MEMORY: [i64; 6] = [0, 64, 100, 333, 1024, 3000];
        let kind = (a / 6) as usize % self.templates.len();
        let workload = self.cluster.workload_of_key(u64::from(c % 3) * 8 + kind as u64);
        let mut requests = Resources::pod(CPU[a as usize % 6], MEMORY[b as usize % 6]);
        requests[Dimension::STORAGE] = i64::from(c / 3 % 4) * 5;
        let gpu = match c / 12 % 5 {
            0 => GpuRequest { devices: 1, milli: 400 },
            1 => GpuRequest { devices: 2, milli: 1000 },
            _ => GpuRequest::default(),
        };
        requests[Dimension::GPU] = gpu.total_milli();
        let template = self.templates[kind];
        let new = NewPod {
            key: 0,
            workload,
            work: SimDuration::ZERO,
            work_end: WorkEnd::Never,
            usage_permille: [0; 2],
        };
        let pod = self.cluster.submit(new, template, requests, gpu);
        for placer in self.placers.iter_mut().flat_map(|(_, placers)| placers) {
            placer.note_arrival(&self.cluster, self.cluster.class_of(pod));
        }
        pod
    }

    /// Something changes other than by a binding.
    fn disturb(&mut self, (kind, a, b, c): Step) {
        let none = |_: &Cluster, _: &crate::cluster::Pod| None;
        let cluster = &mut self.cluster;
        let node = NodeId(a % cluster.nodes().len() as u32);
        let condition = cluster.nodes().condition(node);
        match kind % 10 {
            0 => cluster.begin_node_fault(node, &none),
            1 if condition.faults > 0 => _ = cluster.end_node_fault(node, &none),
            2 | 1 => _ = cluster.observe_readiness(node, b % 3 > 0),
            3 => _ = cluster.cordon(node, b % 2 == 0),
            4 if condition.present => cluster.remove_node(node, EvictionCause::Other, &none),
            4 => cluster.return_node(node, Arc::new(spec(a, b))),
            5 => cluster.update_node(node, Arc::new(spec(a, b))),
            6 => _ = cluster.add_node(Arc::new(spec(c, b))),
            7 => {
                let bound = self.bound();
                if let Some(pod) = bound.get(b as usize % bound.len().max(1)) {
                    self.cluster.evict(*pod, EvictionCause::Other, None);
                }
            }
            _ => {
                let bound = self.bound();
                if let Some(pod) = bound.get(b as usize % bound.len().max(1)) {
                    self.cluster.end(*pod, Ending::Succeeded);
                }
            }
        }
    }

    /// Asks every placer for the pod and binds it where the one of number `decider` says.
    fn place(&mut self, pod: PodId, decider: usize) -> Result<(), TestCaseError> {
        let (class, serial) = (self.cluster.pod(pod).class, self.cluster.pod(pod).serial);
        let cluster = &self.cluster;
        let mut decided = None;
        for (number, (name, placers)) in self.placers.iter_mut().enumerate() {
            let expected = placers[0].choose(cluster, class, serial);
            for placer in &mut placers[1..] {
                let found = placer.choose(cluster, class, serial);
                prop_assert_eq!(found, expected, "{} by {:?}", name, placer.index());
            }
            if let Some(node) = expected {
                let class = cluster.classes().get(class);
                prop_assert!(cluster.admits(class, node), "{}", name);
                let preferred = |node| cluster.nodes().preferred(class.constraints, node);
                let mut others = cluster
                    .nodes()
                    .ids()
                    .filter(|other| placers[0].rejection(cluster, class, *other).is_none());
                let better = others.find(|other| preferred(*other) > preferred(node));
                prop_assert_eq!(better, None, "{} leaves out what is preferred", name);
            }
            if number == decider {
                decided = expected;
            }
        }
        self.explain(pod, decider)?;
        if let Some(node) = decided {
            let devices = self.placers[decider].1[0].devices(&self.cluster, class, node, serial);
            self.cluster.bind_to(pod, node, devices).expect("the placer checked");
            if self.cluster.pod(pod).state == PodState::Starting {
                self.cluster.start(pod);
            }
        }
        Ok(())
    }

    /// What is said of a pod agrees with what admits it.
    fn explain(&self, pod: PodId, decider: usize) -> Result<(), TestCaseError> {
        let class = self.cluster.class_of(pod);
        let placer = &self.placers[decider].1[0];
        let rejections = placer.rejections(&self.cluster, class, &ResourceNames::default());
        let rejected: usize = rejections.counts.values().sum();
        prop_assert_eq!(rejections.nodes, rejections.available + rejected);
        for node in self.cluster.nodes().ids() {
            let admits = self.cluster.admits(class, node);
            match placer.rejection(&self.cluster, class, node) {
                None => prop_assert!(admits),
                Some(Rejection::Policy(_)) => prop_assert!(admits),
                Some(_) => prop_assert!(!admits),
            }
        }
        Ok(())
    }
}

fn history(length: usize) -> impl proptest::strategy::Strategy<Value = Vec<Step>> {
    prop::collection::vec((any::<u8>(), any::<u32>(), any::<u32>(), any::<u32>()), 1..length)
}

fn play(nodes: &[u32], overcommitted: u8, history: &[Step]) -> Result<(), TestCaseError> {
    let mut world = World::new(nodes, overcommitted);
    for (number, step) in history.iter().enumerate() {
        let (kind, a, b, c) = *step;
        if kind < 80 {
            world.disturb((kind / 8, a, b, c));
        }
        let waiting = world.pending();
        let pod = match waiting.first() {
            Some(pod) if kind % 3 == 0 => *pod,
            _ => world.submit(a, b, c),
        };
        world.place(pod, number % world.placers.len())?;
        prop_assert_eq!(world.cluster.audit(), Ok(()));
        world.cluster.settle();
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_index_finds_the_node_that_a_scan_finds(
        nodes in prop::collection::vec(any::<u32>(), 1..40),
        overcommitted in 0..3_u8,
        history in history(120),
    ) {
        play(&nodes, overcommitted, &history)?;
    }

    #[test]
    fn crowds_of_equal_nodes_are_told_apart_by_number_alone(
        kind in 0..6_u32,
        count in 100..300_usize,
        overcommitted in 0..3_u8,
        history in history(40),
    ) {
        play(&vec![kind; count], overcommitted, &history)?;
    }
}
