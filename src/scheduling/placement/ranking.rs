//! Rankings: for each class of pods, the scores of all nodes, brought up to date from the change
//! log. They serve policies without a bound, and cells with few classes.
//!
//! A class that is met for the first time is served by a scan; a class that comes again gets a
//! ranking. Rankings are bounded by a memory budget: the one that was used longest ago goes.

use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;

use super::search::Worth;
use super::{Candidate, Placement, Score, Search};
use crate::cluster::{ClassId, Cluster, NodeId, PodClass, Version};

/// Memory for rankings, in bytes, unless stated otherwise.
pub(super) const DEFAULT_BUDGET_BYTES: usize = 64 << 20;

/// Score of a node that does not admit the pod.
const INFEASIBLE: Score = Score::MIN;

/// The rankings that are kept.
pub(super) struct Rankings {
    budget_bytes: usize,
    rankings: Vec<Ranking>,
    /// Per slot of the class table: what was seen there last.
    sightings: Vec<Sighting>,
    /// Number of uses, which stands for time.
    clock: u64,
    groups: usize,
}

/// What is known of a slot of the class table. Slots are reused, so this is a hint only.
#[derive(Clone, Copy, Default)]
struct Sighting {
    /// Hash of the class that was there.
    hash: u64,
    /// Position of its ranking, if it has one.
    ranking: u32,
}

/// The scores of all nodes for one class, as a tree of maxima.
struct Ranking {
    class: PodClass,
    leaves: usize,
    /// Vertex 1 is the root, the leaf of node `n` is vertex `leaves + n`.
    scores: Vec<Score>,
    /// Weight of preferences that hold at the same vertices; empty where the class has none.
    preferred: Vec<u32>,
    version: Version,
    used: u64,
}

impl Rankings {
    /// No rankings yet, and never more than fit in `budget_bytes` (but at least one).
    pub fn new(budget_bytes: usize) -> Self {
        Self { budget_bytes, rankings: Vec::new(), sightings: Vec::new(), clock: 0, groups: 0 }
    }

    /// Forgets all rankings: scores are others now.
    pub fn clear(&mut self) {
        self.rankings.clear();
    }

    /// The best node, or `Err` if `class` is met for the first time and has no ranking.
    pub fn best(
        &mut self,
        cluster: &Cluster,
        id: ClassId,
        class: &PodClass,
        policy: &dyn Placement,
        examined: &mut u64,
    ) -> Result<Option<Candidate>, FirstSight> {
        if self.groups != cluster.nodes().groups().len() {
            // The largest node may be another one now, and with it every score.
            self.rankings.clear();
            self.groups = cluster.nodes().groups().len();
        }
        let Some(index) = self.find(cluster, id, class) else { return Err(FirstSight) };
        self.clock += 1;
        let ranking = &mut self.rankings[index];
        ranking.used = self.clock;
        ranking.refresh(cluster, policy, examined);
        Ok(ranking.best())
    }

    /// All nodes that are worth as much as `best`, the best, in order; `None` if `class` has no
    /// ranking. It must have been asked for the best just before.
    pub fn equals(&self, id: ClassId, class: &PodClass, best: Worth) -> Option<Vec<NodeId>> {
        let sighting = self.sightings.get(id.index())?;
        let ranking = self.rankings.get(sighting.ranking as usize)?;
        (ranking.class == *class && ranking.best()?.worth() == best).then(|| ranking.equals(best))
    }

    /// The ranking of `class`; a new one, yet to be filled, where the class was seen before.
    fn find(&mut self, cluster: &Cluster, id: ClassId, class: &PodClass) -> Option<usize> {
        if id.index() >= self.sightings.len() {
            self.sightings.resize(id.index() + 1, Sighting::default());
        }
        let sighting = self.sightings[id.index()];
        let known = self.rankings.get(sighting.ranking as usize);
        if known.is_some_and(|ranking| ranking.class == *class) {
            return Some(sighting.ranking as usize);
        }
        let hash = FxBuildHasher.hash_one(class).max(1);
        let index = (sighting.hash == hash).then(|| self.make_room(cluster, class));
        let ranking = index.map_or(u32::MAX, |index| index as u32);
        self.sightings[id.index()] = Sighting { hash, ranking };
        index
    }

    /// Position of an empty ranking for `class`.
    fn make_room(&mut self, cluster: &Cluster, class: &PodClass) -> usize {
        let fresh = Ranking {
            class: *class,
            leaves: 0,
            scores: Vec::new(),
            preferred: Vec::new(),
            version: Version::default(),
            used: self.clock,
        };
        let leaves = cluster.nodes().len().next_power_of_two();
        let most = self.budget_bytes / (2 * leaves * size_of::<Score>());
        if self.rankings.len() < most.max(1) {
            self.rankings.push(fresh);
            return self.rankings.len() - 1;
        }
        let oldest = (0..self.rankings.len()).min_by_key(|index| self.rankings[*index].used);
        let oldest = oldest.expect("there is at least one ranking");
        let gone = &mut self.rankings[oldest];
        let (scores, preferred) =
            (std::mem::take(&mut gone.scores), std::mem::take(&mut gone.preferred));
        self.rankings[oldest] = Ranking { scores, preferred, ..fresh };
        oldest
    }
}

/// A class that no ranking was made for, because it was not met before.
pub(super) struct FirstSight;

impl Ranking {
    fn refresh(&mut self, cluster: &Cluster, policy: &dyn Placement, examined: &mut u64) {
        let nodes = cluster.nodes();
        let changes = nodes.changes();
        let known = if nodes.len() <= self.leaves { changes.since(self.version) } else { None };
        // A ranking far behind is sooner built than caught up.
        match known.filter(|changed| changed.len() < nodes.len().max(64)) {
            Some(changed) => {
                for node in changed {
                    let worth = self.judge(cluster, policy, *node, examined);
                    self.set(*node, worth);
                }
            }
            None => self.rebuild(cluster, policy, examined),
        }
        self.version = changes.version();
    }

    fn rebuild(&mut self, cluster: &Cluster, policy: &dyn Placement, examined: &mut u64) {
        self.leaves = cluster.nodes().len().next_power_of_two();
        self.scores.clear();
        self.scores.resize(2 * self.leaves, INFEASIBLE);
        self.preferred.clear();
        if cluster.nodes().preference_weight(self.class.constraints) > 0 {
            self.preferred.resize(2 * self.leaves, 0);
        }
        for node in cluster.nodes().ids() {
            let worth = self.judge(cluster, policy, node, examined);
            self.put(self.leaves + node.index(), worth);
        }
        for vertex in (1..self.leaves).rev() {
            self.put(vertex, self.largest_below(vertex));
        }
    }

    #[inline]
    fn worth(&self, vertex: usize) -> Worth {
        (self.preferred.get(vertex).copied().unwrap_or(0), self.scores[vertex])
    }

    #[inline]
    fn put(&mut self, vertex: usize, (preferred, score): Worth) {
        self.scores[vertex] = score;
        if let Some(known) = self.preferred.get_mut(vertex) {
            *known = preferred;
        }
    }

    #[inline]
    fn largest_below(&self, vertex: usize) -> Worth {
        self.worth(2 * vertex).max(self.worth(2 * vertex + 1))
    }

    fn judge(
        &self,
        cluster: &Cluster,
        policy: &dyn Placement,
        node: NodeId,
        examined: &mut u64,
    ) -> Worth {
        let found = policy.search(Search::only(cluster, &self.class, node, examined));
        found.map_or((0, INFEASIBLE), Candidate::worth)
    }

    fn set(&mut self, node: NodeId, worth: Worth) {
        let mut vertex = self.leaves + node.index();
        self.put(vertex, worth);
        while vertex > 1 {
            vertex /= 2;
            let largest = self.largest_below(vertex);
            if self.worth(vertex) == largest {
                return;
            }
            self.put(vertex, largest);
        }
    }

    /// All leaves that are worth as much as the best, from left to right.
    fn equals(&self, best: Worth) -> Vec<NodeId> {
        let (mut found, mut open) = (Vec::new(), vec![1]);
        while let Some(vertex) = open.pop() {
            if self.worth(vertex) != best {
                continue;
            }
            if vertex >= self.leaves {
                found.push(NodeId::from_index(vertex - self.leaves));
            } else {
                open.extend([2 * vertex + 1, 2 * vertex]);
            }
        }
        found
    }

    /// The leftmost leaf that is worth most.
    fn best(&self) -> Option<Candidate> {
        if *self.scores.get(1)? == INFEASIBLE {
            return None;
        }
        let (preferred, score) = self.worth(1);
        let mut vertex = 1;
        while vertex < self.leaves {
            vertex *= 2;
            vertex += usize::from(self.worth(vertex) != (preferred, score));
        }
        Some(Candidate { preferred, score, node: NodeId::from_index(vertex - self.leaves) })
    }
}
