//! Soft constraints on spreading (`podtopologyspread/scoring.go` of kube-scheduler v1.35).

use std::collections::BTreeMap;

use super::logarithm::logarithm;
use crate::scheduling::kube::constraints::{count_matching, has_all_keys};
use crate::scheduling::kube::{
    Cache, Constraint, MAX_NODE_SCORE, NodeId, NodeInfo, Scores, Symbol, Template,
};

/// The label for which every node is a domain of its own.
const HOSTNAME: &str = "kubernetes.io/hostname";

/// How many matching pods there are in each domain, per constraint, and what they weigh.
#[derive(Debug, Clone)]
pub struct SpreadScores {
    constraints: Vec<Constraint>,
    /// Per constraint: whether it is about single nodes.
    per_node: Vec<bool>,
    /// Per constraint: pods by domain; nodes without the label form a domain, too.
    counts: Vec<BTreeMap<Option<Symbol>, i64>>,
    weights: Vec<f64>,
    /// Candidates that lack a label. Sorted.
    ignored: Vec<NodeId>,
}

impl SpreadScores {
    /// Counts for a pod of `template` over the domains of `candidates`.
    pub fn new(
        constraints: Vec<Constraint>,
        cache: &Cache,
        template: &Template,
        candidates: &[NodeId],
        all_keys: bool,
    ) -> Self {
        let hostname = cache.symbols().find(HOSTNAME);
        let per_node: Vec<bool> = constraints
            .iter()
            .map(|one| one.topology_key.is_some() && one.topology_key == hostname)
            .collect();
        let mut scores = Self {
            counts: vec![BTreeMap::new(); constraints.len()],
            constraints,
            per_node,
            weights: Vec::new(),
            ignored: Vec::new(),
        };
        scores.find_domains(cache, candidates, all_keys);
        scores.count(cache, template, all_keys);
        scores
    }

    fn find_domains(&mut self, cache: &Cache, candidates: &[NodeId], all_keys: bool) {
        for id in candidates {
            let node = cache.node(*id);
            if all_keys && !has_all_keys(&self.constraints, node) {
                self.ignored.push(*id);
                continue;
            }
            for (index, constraint) in self.constraints.iter().enumerate() {
                if !self.per_node[index] {
                    self.counts[index].insert(constraint.domain(node), 0);
                }
            }
        }
        self.ignored.sort_unstable();
        let nodes = candidates.len() - self.ignored.len();
        let sizes = self.counts.iter().zip(&self.per_node);
        self.weights = sizes
            .map(|(counts, per_node)| weight(if *per_node { nodes } else { counts.len() }))
            .collect();
    }

    fn count(&mut self, cache: &Cache, template: &Template, all_keys: bool) {
        for (_, node) in cache.nodes() {
            if all_keys && !has_all_keys(&self.constraints, node) {
                continue;
            }
            for (constraint, counts) in self.constraints.iter().zip(&mut self.counts) {
                // Single nodes are counted when they are scored.
                if let Some(count) = counts.get_mut(&constraint.domain(node))
                    && constraint.includes(template, node)
                {
                    *count += count_matching(node, &constraint.selector, &template.namespace);
                }
            }
        }
    }

    /// What a node is worth before it is set off against others: higher where there are more pods.
    pub fn score(&self, cache: &Cache, template: &Template, node: &NodeInfo) -> i64 {
        let id = cache.node_id(node.name());
        if id.is_some_and(|id| self.ignored.binary_search(&id).is_ok()) {
            return 0;
        }
        let mut score = 0.0;
        for (index, constraint) in self.constraints.iter().enumerate() {
            let Some(domain) = constraint.domain(node) else { continue };
            let count = if self.per_node[index] {
                count_matching(node, &constraint.selector, &template.namespace)
            } else {
                self.counts[index].get(&Some(domain)).copied().unwrap_or(0)
            };
            score += raw(count, constraint.max_skew, self.weights[index]);
        }
        libm::round(score) as i64
    }

    /// Turns the scores round, so that fuller domains score lower.
    pub fn normalize(&self, scores: Scores<'_>) {
        let counted = |(id, _): &&mut (NodeId, i64)| self.ignored.binary_search(id).is_err();
        let (least, most) = scores
            .iter_mut()
            .filter(counted)
            .fold((i64::MAX, i64::MIN), |(least, most), (_, score)| {
                (least.min(*score), most.max(*score))
            });
        for (id, score) in scores {
            *score = if self.ignored.binary_search(id).is_ok() {
                0
            } else {
                reversed(*score, least, most)
            };
        }
    }

    /// The constraints.
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// Per constraint: pods by domain; nothing for constraints about single nodes.
    pub fn counts(&self) -> &[BTreeMap<Option<Symbol>, i64>] {
        &self.counts
    }

    /// Per constraint: what a pod weighs.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Candidates that lack a label.
    pub fn ignored(&self) -> &[NodeId] {
        &self.ignored
    }
}

/// What a constraint adds to the score of a node in a domain with `count` pods.
pub fn raw(count: i64, max_skew: i64, weight: f64) -> f64 {
    count as f64 * weight + (max_skew - 1) as f64
}

/// A raw score turned round, between the least and the most of all.
pub fn reversed(score: i64, least: i64, most: i64) -> i64 {
    if most == 0 { MAX_NODE_SCORE } else { MAX_NODE_SCORE * (most + least - score) / most }
}

/// What a pod weighs where there are `size` domains: the logarithm, so that the many domains of a
/// topology of nodes do not drown the few of a topology of zones.
pub fn weight(size: usize) -> f64 {
    logarithm((size + 2) as f64)
}
