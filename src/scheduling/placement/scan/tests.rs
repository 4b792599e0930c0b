//! What the techniques save, and what they must not lose.

use std::num::NonZeroU32;
use std::sync::Arc;

use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};

use super::super::{BestFit, Index, Placer, Strategy, Techniques, Ties, WorstFit};
use super::walk::Walk;
use super::{Placement, ScanCounts};
use crate::cluster::{
    Cluster, Dimension, DomainGraph, Ending, GpuRequest, NewPod, NodeId, NodeSpec, Overcommit,
    PodId, PodTemplate, Resources, TemplateId, WorkEnd,
};
use crate::engine::{Purpose, SimDuration, Streams};

const STREAMS: Streams = Streams { seed: 5, run: 0 };

/// Nodes of 1000 cpu and memory, `taken` of which are reserved.
struct Cell {
    cluster: Cluster,
    template: TemplateId,
}

impl Cell {
    fn new(taken: &[i64]) -> Self {
        let domains = DomainGraph::new(&[]).expect("no domains are no cycle");
        let mut cluster = Cluster::new(domains, Overcommit::default());
        let template = cluster.declare_template(&PodTemplate::default());
        let mut cell = Self { cluster, template };
        for (number, taken) in taken.iter().enumerate() {
            let mut allocatable = Resources::pod(1000, 1000);
            allocatable[Dimension::PODS] = 1000;
            let name = format!("n{number}");
            let spec = NodeSpec { name, allocatable, ..NodeSpec::default() };
            let node = cell.cluster.add_node(Arc::new(spec));
            if *taken > 0 {
                let pod = cell.submit(*taken);
                cell.cluster.bind(pod, node).expect("fits");
            }
        }
        cell.cluster.settle();
        cell
    }

    fn submit(&mut self, amount: i64) -> PodId {
        let new = NewPod {
            key: 0,
            workload: self.cluster.workload_of_key(1),
            work: SimDuration::ZERO,
            work_end: WorkEnd::Never,
            usage_permille: [0; 2],
        };
        let requests = Resources::pod(amount, amount);
        self.cluster.submit(new, self.template, requests, GpuRequest::default())
    }

    /// Places a pod of `amount` with `placer`.
    fn place(&mut self, placer: &mut Placer, amount: i64) -> Option<NodeId> {
        let pod = self.submit(amount);
        let record = self.cluster.pod(pod);
        let node = placer.choose(&self.cluster, record.class, record.serial);
        match node {
            Some(node) => {
                self.cluster.bind(pod, node).expect("the placer checked");
                self.cluster.start(pod);
            }
            None => self.cluster.end(pod, Ending::Killed),
        }
        self.cluster.settle();
        node
    }
}

fn placer(policy: impl Placement + 'static, techniques: Techniques) -> Placer {
    Placer::new(Strategy::Scored(Box::new(policy)), Index::Scan(techniques), STREAMS)
}

fn enough(nodes: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(nodes)
}

/// What a scan of ten pods of one class, then one of another, then one of the first costs.
fn work(techniques: Techniques) -> ScanCounts {
    let mut cell = Cell::new(&[0; 100]);
    let mut placer = placer(WorstFit, techniques);
    [10; 10].iter().chain(&[20, 10]).for_each(|amount| _ = cell.place(&mut placer, *amount));
    let counters = placer.counters();
    let counts = counters.scan.expect("it scans");
    assert_eq!(counters.examined, counts.evaluated + counts.cache_hits);
    counts
}

#[test]
fn each_technique_saves_what_it_is_for() {
    let none = Techniques::default();
    // Twelve decisions look at a hundred nodes each.
    let expected = ScanCounts { scans: 12, shared: 0, evaluated: 1200, cache_hits: 0 };
    assert_eq!(work(none), expected);
    // The first of each class looks at all. The next nine at the one that took the pod before;
    // the last at the two that changed since its class was asked for.
    let cached = Techniques { score_cache: Some(0), ..none };
    let expected = ScanCounts { scans: 12, shared: 0, evaluated: 211, cache_hits: 989 };
    assert_eq!(work(cached), expected);
    // Three runs of equal pods; the nine that share look at one node each.
    let classes = Techniques { equivalence_classes: true, ..none };
    let expected = ScanCounts { scans: 3, shared: 9, evaluated: 309, cache_hits: 0 };
    assert_eq!(work(classes), expected);
    // Every node is feasible: seven are enough.
    let relaxed = Techniques { relaxed_randomization: enough(7), ..none };
    let expected = ScanCounts { scans: 12, shared: 0, evaluated: 84, cache_hits: 0 };
    assert_eq!(work(relaxed), expected);
    let both = Techniques { score_cache: Some(0), ..classes };
    let expected = ScanCounts { scans: 3, shared: 9, evaluated: 211, cache_hits: 98 };
    assert_eq!(work(both), expected);
}

#[test]
fn small_changes_are_ignored_until_they_add_up_to_the_threshold() {
    // Best fit fills the second node. It stays the best, so what changes is only how often it is
    // looked at: a change of 10 is below 3 %, the third adds up to 30, which is not.
    let mut cell = Cell::new(&[0, 500, 0]);
    let caching = Techniques { score_cache: Some(30), ..Techniques::default() };
    let mut placer = placer(BestFit, caching);
    for _ in 0..7 {
        assert_eq!(cell.place(&mut placer, 10), Some(NodeId(1)));
    }
    let counts = placer.counters().scan.expect("it scans");
    // Three at first, one after the third and the sixth; and the choice is made sure of four times
    // (of the second, third, fifth and sixth pod) because the node had changed.
    assert_eq!((counts.evaluated, counts.cache_hits), (3 + 2 + 4, 21 - 5));
}

#[test]
fn a_node_that_filled_up_unnoticed_is_not_chosen() {
    // 95 % is ignored: the score of node 1 stays what it was when it had room.
    let caching = Techniques { score_cache: Some(950), ..Techniques::default() };
    for equivalence_classes in [false, true] {
        let mut cell = Cell::new(&[0, 500, 0]);
        let mut placer = placer(BestFit, Techniques { equivalence_classes, ..caching });
        let nodes: Vec<u32> =
            (0..5).map(|_| cell.place(&mut placer, 250).expect("there is room").0).collect();
        assert_eq!(nodes, [1, 1, 0, 0, 0]);
    }
}

#[test]
fn a_node_that_emptied_unnoticed_is_found_where_there_is_no_other() {
    let mut cell = Cell::new(&[900, 900]);
    let caching = Techniques { score_cache: Some(950), ..Techniques::default() };
    let mut placer = placer(BestFit, caching);
    assert_eq!(cell.place(&mut placer, 300), None);
    let on_second = cell.cluster.pods().iter().find(|(_, pod)| pod.node == NodeId(1));
    let leaving = on_second.expect("one was bound there").0;
    cell.cluster.end(leaving, Ending::Succeeded);
    cell.cluster.settle();
    assert_eq!(cell.place(&mut placer, 300), Some(NodeId(1)));
}

#[test]
fn the_only_node_with_room_is_found_in_any_order() {
    let mut taken = [1000; 300];
    taken[217] = 0;
    for equivalence_classes in [false, true] {
        let relaxed_randomization = enough(2);
        let techniques =
            Techniques { score_cache: None, equivalence_classes, relaxed_randomization };
        let mut cell = Cell::new(&taken);
        let mut placer = placer(BestFit, techniques);
        for _ in 0..10 {
            assert_eq!(cell.place(&mut placer, 100), Some(NodeId(217)));
        }
        assert_eq!(cell.place(&mut placer, 100), None);
    }
}

#[test]
fn a_sample_gives_every_node_the_same_chance() {
    // One feasible node is enough, so each of ten equal nodes is as likely as any.
    let mut cell = Cell::new(&[0; 10]);
    let pod = cell.submit(1);
    let cluster = &cell.cluster;
    let class = cluster.pod(pod).class;
    let relaxed = Techniques { relaxed_randomization: enough(1), ..Techniques::default() };
    let mut placer = placer(BestFit, relaxed);
    let mut counts = [0_u32; 10];
    for entity in 0..10_000 {
        counts[placer.choose(cluster, class, entity).expect("there is room").index()] += 1;
    }
    // Chi-square with 9 degrees of freedom; 27.88 is its 99.9 % quantile.
    let chi: f64 = counts.iter().map(|c| libm::pow(f64::from(*c) - 1e3, 2.0) / 1e3).sum();
    assert!(chi < 27.88, "chi-square {chi}, counts {counts:?}");
}

#[test]
fn a_walk_visits_each_node_once_and_does_not_remember_former_walks() {
    let stream = || Some(STREAMS.stream(Purpose::ScanOrder, 3));
    let all = |walk: &mut Walk| -> Vec<NodeId> { std::iter::from_fn(|| walk.next()).collect() };
    let mut walk = Walk::default();
    walk.begin(50, stream());
    let first = all(&mut walk);
    let mut sorted = first.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..50).map(NodeId).collect::<Vec<_>>());
    assert_ne!(first, sorted);
    walk.begin(50, Some(STREAMS.stream(Purpose::ScanOrder, 4)));
    (0..17).for_each(|_| _ = walk.next());
    walk.begin(50, stream());
    assert_eq!(all(&mut walk), first);
    walk.begin(60, None);
    assert_eq!(all(&mut walk), (0..60).map(NodeId).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is relaxed or ignored: a node is found if and only if one admits the pod, it does
    /// admit it, and the same calls find the same nodes.
    #[test]
    fn no_technique_misses_the_last_node(
        taken in prop::collection::vec(0..1000_i64, 1..30),
        steps in prop::collection::vec((any::<u8>(), any::<u16>()), 1..80),
        threshold in prop::option::of(0..400_u32),
        equivalence_classes: bool,
        sample in 0..6_u32,
        random_ties: bool,
    ) {
        let techniques = Techniques {
            score_cache: threshold,
            equivalence_classes,
            relaxed_randomization: enough(sample),
        };
        let ties = if random_ties { Ties::Random } else { Ties::Lowest };
        let mut placers = [0, 1].map(|_| placer(BestFit, techniques).with_ties(ties));
        let mut cell = Cell::new(&taken);
        for (kind, number) in steps {
            if kind % 3 == 0 {
                let bound = cell.cluster.pods().iter().filter(|(_, pod)| pod.state.is_bound());
                let bound: Vec<PodId> = bound.map(|(id, _)| id).collect();
                if let Some(pod) = bound.get(usize::from(number) % bound.len().max(1)) {
                    cell.cluster.end(*pod, Ending::Succeeded);
                    cell.cluster.settle();
                }
                continue;
            }
            let pod = cell.submit([40, 90, 250, 700][usize::from(number) % 4]);
            let record = cell.cluster.pod(pod);
            let (class, serial) = (record.class, record.serial);
            let cluster = &cell.cluster;
            let content = cluster.classes().get(class);
            let possible = cluster.nodes().ids().any(|node| cluster.admits(content, node));
            let [one, other] = &mut placers;
            let found = one.choose(cluster, class, serial);
            prop_assert_eq!(other.choose(cluster, class, serial), found);
            prop_assert_eq!(found.is_some(), possible);
            match found {
                Some(node) => {
                    prop_assert!(cluster.admits(content, node));
                    cell.cluster.bind(pod, node).expect("it admits the pod");
                    cell.cluster.start(pod);
                }
                None => cell.cluster.end(pod, Ending::Killed),
            }
            cell.cluster.settle();
        }
    }
}
