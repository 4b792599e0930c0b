//! Searches for the best node, each compiled for the policy that it runs with.

use super::grid::Grid;
use super::{Placement, Score};
use crate::cluster::{BitSet, Cluster, NodeId, PodClass};

/// A node and its score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Weight of the pod's preferences that hold on the node: more of it beats any score.
    pub preferred: u32,
    /// How well it suits the pod otherwise.
    pub score: Score,
    /// The node.
    pub node: NodeId,
}

/// What nodes are compared by before their numbers: preferences, then the score.
pub(super) type Worth = (u32, Score);

impl Candidate {
    /// True if a scan prefers `self` to `other`.
    #[inline]
    pub(super) fn beats(self, other: Self) -> bool {
        let (own, others) = (self.worth(), other.worth());
        own > others || (own == others && self.node < other.node)
    }

    /// What it is compared by before its number.
    #[inline]
    pub(super) fn worth(self) -> Worth {
        (self.preferred, self.score)
    }
}

/// A search for the best node for a pod class, over nodes that its maker chose.
pub struct Search<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) class: &'a PodClass,
    /// Counts the nodes whose admission was checked.
    pub(super) examined: &'a mut u64,
    pub(super) method: Method<'a>,
    /// Only nodes on which preferences of this weight hold, if it is given.
    pub(super) level: Option<u32>,
}

/// Where a search looks.
pub(super) enum Method<'a> {
    /// At all nodes.
    Scan,
    /// At the nodes in a set.
    Among(&'a BitSet),
    /// At one node.
    Only(NodeId),
    /// At the nodes that a grid cannot rule out.
    Grid(&'a Grid),
}

impl<'a> Search<'a> {
    /// Looks at one node.
    pub(super) fn only(
        cluster: &'a Cluster,
        class: &'a PodClass,
        node: NodeId,
        examined: &'a mut u64,
    ) -> Self {
        Self { cluster, class, examined, method: Method::Only(node), level: None }
    }

    /// The best node for `policy`, the lowest number among equals.
    pub fn run<P: Placement + ?Sized>(mut self, policy: &P) -> Option<Candidate> {
        let mut best = None;
        match self.method {
            Method::Scan => {
                self.cluster.nodes().ids().for_each(|node| self.consider(policy, node, &mut best));
            }
            Method::Among(members) => {
                members
                    .iter()
                    .map(NodeId::from_index)
                    .for_each(|node| self.consider(policy, node, &mut best));
            }
            Method::Only(node) => self.consider(policy, node, &mut best),
            Method::Grid(grid) => grid.search(&mut self, policy, &mut best),
        }
        best
    }

    /// Makes `node` the best if it admits the pod and beats the best so far.
    #[inline]
    pub(super) fn consider<P: Placement + ?Sized>(
        &mut self,
        policy: &P,
        node: NodeId,
        best: &mut Option<Candidate>,
    ) {
        let nodes = self.cluster.nodes();
        let preferred = || nodes.preferred(self.class.constraints, node);
        if self.level.is_some_and(|level| level != preferred()) {
            return;
        }
        *self.examined += 1;
        if !self.cluster.admits(self.class, node) {
            return;
        }
        let view = self.cluster.node_view(node);
        if policy.feasible(self.class, view).is_err() {
            return;
        }
        let score = policy.score(self.class, view).max(Score::MIN + 1);
        let candidate = Candidate { preferred: preferred(), score, node };
        if best.is_none_or(|best| candidate.beats(best)) {
            *best = Some(candidate);
        }
    }
}
