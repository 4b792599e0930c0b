//! What is known of the nodes for one class of pods.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::super::Candidate;
use super::super::search::Worth;
use crate::cluster::{NodeId, NodeTable, PodClass, Version};

/// What is known of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It does not admit the pod, or the policy does not want it there.
    Infeasible,
    /// It admits the pod and is worth this much.
    Feasible(Worth),
}

/// Verdicts on the nodes that were looked at, and the best of them.
pub(super) struct Evaluation {
    /// Up to where it follows the change log.
    pub version: Version,
    class: Option<PodClass>,
    verdicts: Vec<Option<Verdict>>,
    /// The nodes with a verdict.
    known: Vec<NodeId>,
    feasible: usize,
    /// Where it is asked for the best more than once: all feasible nodes, and some that were
    /// worth something else. Made when it is first asked.
    order: Option<BinaryHeap<(Worth, Reverse<NodeId>)>>,
    is_kept: bool,
}

impl Evaluation {
    /// Nothing is known. `is_kept` says that the pods of a class share it.
    pub fn new(is_kept: bool) -> Self {
        Self {
            version: Version::default(),
            class: None,
            verdicts: Vec::new(),
            known: Vec::new(),
            feasible: 0,
            order: None,
            is_kept,
        }
    }

    /// It is of no class any more.
    pub fn forget(&mut self) {
        self.class = None;
    }

    /// Begins anew, for `class`, in a cell of `nodes` nodes.
    pub fn begin(&mut self, class: &PodClass, nodes: usize) {
        for node in self.known.drain(..) {
            self.verdicts[node.index()] = None;
        }
        self.verdicts.resize(nodes, None);
        self.feasible = 0;
        self.order = None;
        self.class = Some(*class);
    }

    /// The nodes that changed since, if it is of `class` and can be brought up to date sooner than
    /// made anew.
    pub fn changes_since<'a>(
        &self,
        nodes: &'a NodeTable,
        class: &PodClass,
    ) -> Option<&'a [NodeId]> {
        let is_of = self.class.as_ref() == Some(class) && self.verdicts.len() == nodes.len();
        let changed = if is_of { nodes.changes().since(self.version) } else { None };
        changed.filter(|changed| changed.len() < nodes.len().max(64))
    }

    /// Number of feasible nodes.
    pub fn feasible(&self) -> usize {
        self.feasible
    }

    /// True if `node` was looked at.
    pub fn is_known(&self, node: NodeId) -> bool {
        self.verdicts[node.index()].is_some()
    }

    /// `node` was looked at.
    pub fn set(&mut self, node: NodeId, verdict: Verdict) {
        let before = self.verdicts[node.index()].replace(verdict);
        if before == Some(verdict) {
            return;
        }
        if before.is_none() {
            self.known.push(node);
        }
        self.feasible -= usize::from(matches!(before, Some(Verdict::Feasible(_))));
        if let Verdict::Feasible(worth) = verdict {
            self.feasible += 1;
            if let Some(order) = &mut self.order {
                order.push((worth, Reverse(node)));
            }
        }
    }

    /// The best node, the lowest number among equals.
    pub fn best(&mut self) -> Option<Candidate> {
        if !self.is_kept {
            return self.candidates().reduce(|a, b| if b.beats(a) { b } else { a });
        }
        let outdated = self.order.as_ref().is_none_or(|order| order.len() > 2 * self.known.len());
        if outdated {
            let all = self.candidates().map(|found| (found.worth(), Reverse(found.node)));
            self.order = Some(all.collect());
        }
        let order = self.order.as_mut()?;
        while let Some(((preferred, score), Reverse(node))) = order.peek().copied() {
            if self.verdicts[node.index()] == Some(Verdict::Feasible((preferred, score))) {
                return Some(Candidate { preferred, score, node });
            }
            order.pop();
        }
        None
    }

    /// The feasible nodes that are worth this much, by number.
    pub fn equals(&self, worth: Worth) -> Vec<NodeId> {
        let with = self.candidates().filter(|found| found.worth() == worth);
        let mut equals: Vec<NodeId> = with.map(|found| found.node).collect();
        equals.sort_unstable();
        equals
    }

    fn candidates(&self) -> impl Iterator<Item = Candidate> {
        self.known.iter().filter_map(|node| match self.verdicts[node.index()] {
            Some(Verdict::Feasible((preferred, score))) => {
                Some(Candidate { preferred, score, node: *node })
            }
            Some(Verdict::Infeasible) | None => None,
        })
    }
}
