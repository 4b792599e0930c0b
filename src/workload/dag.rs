//! What jobs wait for: a graph that must not lead back to where it came from.

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use rustc_hash::FxHashMap;

/// A circle in which jobs wait for each other, or `None`. `waits` are pairs of a job and one that
/// it waits for. The circle begins with the smallest key of those found first; each waits for the
/// next, and the last for the first.
pub fn find_cycle(waits: impl IntoIterator<Item = (u64, u64)>) -> Option<Vec<u64>> {
    let mut graph: DiGraphMap<u64, ()> = DiGraphMap::new();
    for (job, before) in waits {
        graph.add_edge(job, before, ());
    }
    let in_circle = |component: &Vec<u64>| {
        component.len() > 1 || component.first().is_some_and(|job| graph.contains_edge(*job, *job))
    };
    let component = tarjan_scc(&graph).into_iter().find(in_circle)?;
    let inside: FxHashMap<u64, ()> = component.iter().map(|job| (*job, ())).collect();
    let start = *component.iter().min().expect("a component has members");
    // Inside a strongly connected component every walk that does not stop comes back to itself.
    let mut walk = vec![start];
    loop {
        let last = *walk.last().expect("the walk has begun");
        let next = graph.neighbors(last).filter(|job| inside.contains_key(job)).min();
        let next = next.expect("each member of a component leads to another");
        if let Some(position) = walk.iter().position(|job| *job == next) {
            return Some(walk.split_off(position));
        }
        walk.push(next);
    }
}

/// A circle in words: `3 → 5 → 3`.
pub fn describe_cycle(cycle: &[u64]) -> String {
    let names: Vec<String> = cycle.iter().chain(cycle.first()).map(u64::to_string).collect();
    names.join(" → ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_found_and_named_and_nothing_else_is() {
        assert_eq!(find_cycle([]), None);
        assert_eq!(find_cycle([(2, 1), (3, 1), (4, 2), (4, 3)]), None, "a diamond");
        assert_eq!(find_cycle([(7, 7)]), Some(vec![7]));
        assert_eq!(find_cycle([(1, 2), (2, 3), (3, 1), (4, 1)]), Some(vec![1, 2, 3]));
        // The walk from 1 gets into a circle that 1 is not in.
        assert_eq!(find_cycle([(1, 2), (2, 3), (3, 2), (3, 1)]), Some(vec![1, 2, 3]));
        assert_eq!(find_cycle([(5, 2), (2, 3), (3, 2), (9, 5)]), Some(vec![2, 3]));
        assert_eq!(describe_cycle(&[2, 3]), "2 → 3 → 2");
    }
}
