//! A scan with Borg's three techniques, each a switch of its own (Verma et al., *Large-scale
//! cluster management at Google with Borg*, EuroSys 2015, §3.4).
//!
//! An *evaluation* is what is known of the nodes for one class of pods. Without techniques each
//! decision makes one of all nodes and the best is taken. *Equivalence classes* let the pods of one
//! class that come one after the other share an evaluation: only nodes that changed in between are
//! looked at again. The *score cache* keeps what was found out of a class and a node beyond the
//! evaluation. *Relaxed randomization* makes evaluations of a sample: nodes in random order, until
//! enough of them are feasible.
//!
//! It must never miss a node that would do: where nothing is found, the scan goes on to the last
//! node, and what was ignored is looked at after all.

mod cache;
mod evaluation;
#[cfg(test)]
mod tests;
mod walk;

use std::num::NonZeroU32;

use self::cache::ScoreCache;
use self::evaluation::{Evaluation, Verdict};
use self::walk::Walk;
use super::{Candidate, Placement, Search, Ties};
use crate::cluster::{Cluster, NodeId, PodClass};
use crate::engine::{Purpose, Streams};

/// Which techniques a scan uses; none by default.
///
/// With a score cache that ignores nothing and with equivalence classes, the node is the one that a
/// plain scan finds. A threshold and relaxed randomization trade some of that for less work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Techniques {
    /// Keep scores until the node changes by this much, in permille of what it has of a resource;
    /// with 0, until it changes at all. `None` keeps no scores.
    pub score_cache: Option<u32>,
    /// Pods of one class that come one after the other share feasibility and scores.
    pub equivalence_classes: bool,
    /// Look at nodes in random order until so many are feasible; the best of those is taken.
    pub relaxed_randomization: Option<NonZeroU32>,
}

/// The work of a scan, over the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanCounts {
    /// Decisions for which nodes were looked at from the first on.
    pub scans: u64,
    /// Decisions that went on with what was found for the pod before, of the same class.
    pub shared: u64,
    /// Times that feasibility and score of a node were worked out.
    pub evaluated: u64,
    /// Times that they were known from the score cache.
    pub cache_hits: u64,
}

/// Scans, and remembers what the techniques let it remember.
pub(super) struct Scanner {
    techniques: Techniques,
    streams: Streams,
    cache: Option<ScoreCache>,
    evaluation: Evaluation,
    walk: Walk,
    /// Capacity groups of the cell: with another one, every score may be another.
    groups: usize,
    counts: ScanCounts,
}

/// What a decision is about.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub cluster: &'a Cluster,
    pub class: &'a PodClass,
    pub policy: &'a dyn Placement,
    /// What random draws are keyed by.
    pub entity: u64,
    pub ties: Ties,
}

impl Scanner {
    pub fn new(techniques: Techniques, streams: Streams) -> Self {
        Self {
            cache: techniques.score_cache.map(ScoreCache::new),
            evaluation: Evaluation::new(techniques.equivalence_classes),
            walk: Walk::default(),
            groups: 0,
            counts: ScanCounts::default(),
            techniques,
            streams,
        }
    }

    pub fn counts(&self) -> ScanCounts {
        self.counts
    }

    /// Forgets all scores: they are others now.
    pub fn clear(&mut self) {
        self.evaluation.forget();
        if let Some(cache) = &mut self.cache {
            cache.clear();
        }
    }

    /// The node for a pod, if any admits it.
    pub fn choose(&mut self, task: Task<'_>) -> Option<NodeId> {
        self.begin(task);
        loop {
            self.look_on(task);
            let Some(best) = self.evaluation.best() else {
                if self.reconsider(task) {
                    continue;
                }
                return None;
            };
            let node = self.one_of_the_best(task, best);
            if self.still_admits(task, node) {
                return Some(node);
            }
        }
    }

    /// Goes on with the last evaluation where that is allowed, or begins a new one.
    fn begin(&mut self, task: Task<'_>) {
        let nodes = task.cluster.nodes();
        if self.groups != nodes.groups().len() {
            self.clear();
            self.groups = nodes.groups().len();
        }
        if let Some(cache) = &mut self.cache {
            cache.turn_to(nodes, task.class);
        }
        let shared = if self.techniques.equivalence_classes {
            self.evaluation.changes_since(nodes, task.class)
        } else {
            None
        };
        if let Some(changed) = shared {
            self.counts.shared += 1;
            for node in changed {
                if self.evaluation.is_known(*node) {
                    self.judge(task, *node);
                }
            }
        } else {
            self.counts.scans += 1;
            self.evaluation.begin(task.class, nodes.len());
            let random = self.techniques.relaxed_randomization.is_some();
            let stream = random.then(|| self.streams.stream(Purpose::ScanOrder, task.entity));
            self.walk.begin(nodes.len(), stream);
        }
        self.evaluation.version = nodes.changes().version();
    }

    /// Looks at further nodes until enough are feasible, or all have been looked at.
    fn look_on(&mut self, task: Task<'_>) {
        let enough = self.techniques.relaxed_randomization.map_or(u32::MAX, NonZeroU32::get);
        while self.evaluation.feasible() < enough as usize {
            let Some(node) = self.walk.next() else { return };
            self.judge(task, node);
        }
    }

    /// Finds out about `node`, from the cache if it knows.
    fn judge(&mut self, task: Task<'_>, node: NodeId) {
        let cached = self.cache.as_ref().and_then(|cache| cache.get(node));
        if let Some(verdict) = cached {
            self.counts.cache_hits += 1;
            self.evaluation.set(node, verdict);
        } else {
            self.judge_anew(task, node);
        }
    }

    fn judge_anew(&mut self, task: Task<'_>, node: NodeId) {
        let verdict = self.evaluate(task, node);
        if let Some(cache) = &mut self.cache {
            cache.put(node, verdict);
        }
        self.evaluation.set(node, verdict);
    }

    fn evaluate(&mut self, task: Task<'_>, node: NodeId) -> Verdict {
        self.counts.evaluated += 1;
        let mut looked_at = 0;
        let search = Search::only(task.cluster, task.class, node, &mut looked_at);
        let found = task.policy.search(search);
        found.map_or(Verdict::Infeasible, |candidate| Verdict::Feasible(candidate.worth()))
    }

    /// `best`, or one of those that are worth as much, if these are drawn from.
    fn one_of_the_best(&self, task: Task<'_>, best: Candidate) -> NodeId {
        match task.ties {
            Ties::Lowest => best.node,
            Ties::Random => {
                let equals = self.evaluation.equals(best.worth());
                let mut stream = self.streams.stream(Purpose::Placement, task.entity);
                equals[stream.below(equals.len() as u64) as usize]
            }
        }
    }

    /// True if `node`, found feasible, is so now: changes that were ignored may have made it too
    /// small, and then this is noted.
    fn still_admits(&mut self, task: Task<'_>, node: NodeId) -> bool {
        let is_fresh = self.cache.as_ref().is_none_or(|cache| cache.is_fresh(node));
        if is_fresh || self.evaluate(task, node) != Verdict::Infeasible {
            return true;
        }
        if let Some(cache) = &mut self.cache {
            cache.put(node, Verdict::Infeasible);
        }
        self.evaluation.set(node, Verdict::Infeasible);
        false
    }

    /// Nothing is feasible: looks again at nodes that changed by too little to be looked at before.
    /// False if there are none.
    fn reconsider(&mut self, task: Task<'_>) -> bool {
        let Some(cache) = &self.cache else { return false };
        let stale: Vec<NodeId> =
            task.cluster.nodes().ids().filter(|node| !cache.is_fresh(*node)).collect();
        stale.iter().for_each(|node| self.judge_anew(task, *node));
        !stale.is_empty()
    }
}
