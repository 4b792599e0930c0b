//! The fast path against the plain evaluation, in random cells.

mod world;

use std::sync::Arc;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use self::world::World;
use super::Fast;
use crate::scheduling::kube::{PodInfo, Profile, Scheduler};

/// What the comparisons were about.
#[derive(Default)]
struct Seen {
    fast: usize,
    plain: usize,
    ties: usize,
    rejected: usize,
    /// Fast decisions while room was held for others.
    beside_nominated: usize,
}

/// One decision both ways. Places the pod where both say.
fn decide(
    scheduler: &mut Scheduler,
    fast: &mut Fast,
    pod: &Arc<PodInfo>,
    draw: usize,
    seen: &mut Seen,
) {
    let start = scheduler.next_start;
    let percentage = scheduler.profile.percentage_of_nodes_to_score;
    Fast::catch_up(std::iter::once(&mut *fast), &mut scheduler.cache);
    let quick = fast.choose(&scheduler.cache, pod, start, percentage, &mut |ties| draw % ties);
    let cycle = scheduler.schedule(pod).expect("no plugin fails");
    let Some((node, choice)) = quick else {
        seen.plain += 1;
        let simple = scheduler.cache.nominator.is_empty() && pod.node_name.is_empty();
        let tied = crate::scheduling::kube::plugins::node_names(&pod.template.spec).is_some();
        assert!(
            cycle.feasible.is_empty() || !simple || tied || pod.template.uses_storage,
            "the fast path finds no node for {:?}, but {} will do",
            pod.template.spec,
            cycle.feasible.len()
        );
        if let Some(node) = cycle.first() {
            scheduler.assume(Arc::clone(pod), node);
        }
        return;
    };
    seen.fast += 1;
    seen.beside_nominated += usize::from(!scheduler.cache.nominator.is_empty());
    assert_eq!(
        choice.feasible,
        cycle.feasible.len(),
        "nodes that will do for {:?}",
        pod.template.spec
    );
    let order = scheduler.cache.order();
    let next = (start + choice.processed) % order.len();
    assert_eq!(next, scheduler.next_start, "where to go on");
    if let Some(scores) = &cycle.scores {
        let highest = scores.totals.iter().max().copied().unwrap_or(0);
        assert_eq!(choice.total, highest, "total of {:?}\n{scores:?}", pod.template.spec);
    }
    assert_eq!(choice.ties, cycle.best.len(), "ties for {:?}", pod.template.spec);
    assert_eq!(node, cycle.best[draw % choice.ties], "the node");
    seen.ties += usize::from(choice.ties > 1);
    seen.rejected += usize::from(choice.feasible < order.len());
    scheduler.assume(Arc::clone(pod), node);
}

fn run(seed: u64, steps: usize, nodes: usize, seen: &mut Seen) {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let percentage_of_nodes_to_score =
        if rng.random_bool(0.7) { 100 } else { rng.random_range(0..60) };
    let profile = Profile { percentage_of_nodes_to_score, ..Profile::default() };
    let mut world = World::new(rng.random(), nodes);
    let mut scheduler = Scheduler::new(world.cache(), profile);
    let mut fast = Fast::new(&scheduler.profile);
    for _ in 0..steps {
        if rng.random_bool(0.65) {
            let pod = world.pod(&mut scheduler.cache);
            decide(&mut scheduler, &mut fast, &pod, rng.random_range(0..1_000), seen);
        } else {
            world.change(&mut scheduler.cache);
        }
    }
}

proptest! {
    #[test]
    fn the_fast_path_decides_as_the_plain_one(seed: u64, nodes in 1_usize..40) {
        run(seed, 60, nodes, &mut Seen::default());
    }
}

#[test]
fn the_fast_path_is_taken_and_sees_enough() {
    let mut seen = Seen::default();
    for seed in 0..12 {
        run(seed, 120, 120, &mut seen);
    }
    assert!(seen.fast > 500, "{} decisions were fast", seen.fast);
    assert!(seen.beside_nominated > 100, "{} of them beside nominated pods", seen.beside_nominated);
    assert!(seen.plain > 20, "{} decisions were plain", seen.plain);
    assert!(seen.ties > 100, "{} decisions had ties", seen.ties);
    assert!(seen.rejected > 300, "{} decisions had nodes that would not do", seen.rejected);
}
