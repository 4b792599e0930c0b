//! The tree of queues: who has how much, who may have more, and whose turn it is.
//!
//! Dominant Resource Fairness: Ghodsi et al., NSDI 2011, §4 (the share of a user is the largest of
//! its shares of any resource; whoever has the smallest share is next), weighted as in §4.3. In a
//! tree the rule is applied at each level to what the queues below it have together.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cluster::{DIMENSIONS, Dimension, Resources};

/// What a scenario says of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSpec {
    /// Weight among its siblings, in thousandths.
    pub weight_milli: u64,
    /// What it may count on; `None` for a dimension means nothing.
    pub guaranteed: [Option<i64>; DIMENSIONS],
    /// What it may not exceed; `None` for a dimension means the whole cell.
    pub max: [Option<i64>; DIMENSIONS],
}

impl Default for QueueSpec {
    fn default() -> Self {
        Self { weight_milli: 1000, guaranteed: [None; DIMENSIONS], max: [None; DIMENSIONS] }
    }
}

/// Number of a queue in the tree; 0 is the root.
pub type QueueId = usize;

/// A queue.
#[derive(Debug)]
pub struct Queue {
    /// Its whole name.
    pub name: Arc<str>,
    spec: QueueSpec,
    parent: QueueId,
    children: Vec<QueueId>,
    /// What its pods and those of all queues below it hold.
    usage: Resources,
    /// What its own pods hold.
    own: Resources,
    /// Groups of pods, here and below, that may be tried.
    open: usize,
    /// The same of its own.
    own_open: usize,
}

/// All queues.
#[derive(Debug)]
pub struct QueueTree {
    queues: Vec<Queue>,
    by_name: BTreeMap<Arc<str>, QueueId>,
    /// What the cell has.
    pub capacity: Resources,
}

/// A share of the cell in units of 2⁻³² thousandths of weight: whole numbers, so that equal shares
/// are equal.
type Share = u128;

/// How a queue stands among its siblings: within its guarantee before beyond it, then the smaller
/// share, then the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    borrows: bool,
    share: Share,
    position: usize,
}

impl QueueTree {
    /// The queues of a scenario, by name; more are made when pods name them.
    pub fn new(specs: &BTreeMap<String, QueueSpec>) -> Self {
        let root = Queue {
            name: "".into(),
            spec: QueueSpec::default(),
            parent: 0,
            children: Vec::new(),
            usage: Resources::ZERO,
            own: Resources::ZERO,
            open: 0,
            own_open: 0,
        };
        let mut tree =
            Self { queues: vec![root], by_name: BTreeMap::new(), capacity: Resources::ZERO };
        for (name, spec) in specs {
            let id = tree.find(name);
            tree.queues[id].spec = spec.clone();
        }
        tree
    }

    /// The queue called `name`, and those above it, made with weight 1 if they are new. Pods
    /// without a queue are in `default`.
    pub fn find(&mut self, name: &str) -> QueueId {
        let name = if name.is_empty() { "default" } else { name };
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let parent = match name.rsplit_once('/') {
            Some((above, _)) if !above.is_empty() => self.find(above),
            _ => 0,
        };
        let id = self.queues.len();
        let name: Arc<str> = name.into();
        self.queues.push(Queue {
            name: Arc::clone(&name),
            spec: QueueSpec::default(),
            parent,
            children: Vec::new(),
            usage: Resources::ZERO,
            own: Resources::ZERO,
            open: 0,
            own_open: 0,
        });
        self.queues[parent].children.push(id);
        self.by_name.insert(name, id);
        id
    }

    /// The queue `id`.
    pub fn get(&self, id: QueueId) -> &Queue {
        &self.queues[id]
    }

    /// Number of queues, the root included.
    pub fn len(&self) -> usize {
        self.queues.len()
    }

    /// Pods of `id` now hold `amount` more.
    pub fn hold(&mut self, id: QueueId, amount: &Resources) {
        self.queues[id].own += *amount;
        self.up(id, |queue| queue.usage += *amount);
    }

    /// Pods of `id` gave `amount` back.
    pub fn give_back(&mut self, id: QueueId, amount: &Resources) {
        self.queues[id].own -= *amount;
        self.up(id, |queue| queue.usage -= *amount);
    }

    fn up(&mut self, id: QueueId, change: impl Fn(&mut Queue)) {
        let mut at = id;
        loop {
            change(&mut self.queues[at]);
            if at == 0 {
                return;
            }
            at = self.queues[at].parent;
        }
    }

    /// Says how many groups of pods of `id` may be tried.
    pub fn set_open(&mut self, id: QueueId, count: usize) {
        let before = std::mem::replace(&mut self.queues[id].own_open, count);
        self.up(id, |queue| queue.open = queue.open + count - before);
    }

    /// The queue whose turn it is; `None` if none has pods that may be tried.
    pub fn next(&self) -> Option<QueueId> {
        let mut at = 0;
        loop {
            let queue = &self.queues[at];
            let children = queue.children.iter().filter(|child| self.queues[**child].open > 0);
            let standing = |position: usize, child: QueueId| {
                let queue = &self.queues[child];
                let (usage, weight) = (&queue.usage, queue.spec.weight_milli);
                Standing {
                    borrows: !self.is_within(child, usage),
                    share: self.share(usage, weight),
                    position,
                }
            };
            let best = children.enumerate().map(|(i, child)| (standing(i, *child), *child)).min();
            // Pods of an inner queue of its own compete with its children as one of weight 1.
            let own = (queue.own_open > 0).then(|| Standing {
                borrows: true,
                share: self.share(&queue.own, 1000),
                position: usize::MAX,
            });
            match (best, own) {
                (None, None) => return None,
                (None, Some(_)) => return Some(at),
                (Some((standing, _)), Some(own)) if own < standing => return Some(at),
                (Some((_, child)), _) => at = child,
            }
        }
    }

    /// The dominant share of `usage`, divided by the weight.
    fn share(&self, usage: &Resources, weight_milli: u64) -> Share {
        let shares = Dimension::all().filter(|d| self.capacity[*d] > 0 && usage[*d] > 0);
        let of = |dimension: Dimension| {
            let used = usage[dimension] as u128 * 1000;
            (used << 32) / (self.capacity[dimension] as u128 * u128::from(weight_milli))
        };
        shares.map(of).max().unwrap_or(0)
    }

    /// The dominant share of all that `id` has, as a ratio.
    #[cfg(test)]
    pub fn dominant_share(&self, id: QueueId) -> f64 {
        self.share(&self.queues[id].usage, 1000) as f64 / (1_u64 << 32) as f64
    }

    /// True if `usage` is no more than what `id` may count on. Where nothing is guaranteed, only
    /// what holds nothing is within.
    fn is_within(&self, id: QueueId, usage: &Resources) -> bool {
        let guaranteed = &self.queues[id].spec.guaranteed;
        if guaranteed.iter().all(Option::is_none) {
            return false;
        }
        guaranteed
            .iter()
            .zip(usage.0)
            .all(|(guaranteed, used)| guaranteed.is_none_or(|g| used <= g))
    }

    /// True if `id`, and all above it, may have `more`.
    pub fn allows(&self, id: QueueId, more: &Resources) -> bool {
        let mut at = id;
        while at != 0 {
            let queue = &self.queues[at];
            let after = queue.usage.plus(more);
            let allowed = queue.spec.max.iter().zip(after.0).zip(more.0);
            let mut over = allowed
                .filter(|((max, after), more)| *more > 0 && max.is_some_and(|max| *after > max));
            if over.next().is_some() {
                return false;
            }
            at = queue.parent;
        }
        true
    }

    /// True if `id` may take `more` back from others: with it, it has no more than what is
    /// guaranteed to it.
    pub fn may_reclaim(&self, id: QueueId, more: &Resources) -> bool {
        self.is_within(id, &self.queues[id].usage.plus(more))
    }

    /// How much `id` has to spare for others: what it has beyond its guarantee, as a share, for
    /// the order of victims; `None` if it has nothing to spare.
    pub fn surplus(&self, id: QueueId) -> Option<u128> {
        let queue = &self.queues[id];
        if self.is_within(id, &queue.usage) {
            return None;
        }
        let beyond = Dimension::all().fold(Resources::ZERO, |mut beyond, d| {
            let guaranteed = queue.spec.guaranteed[usize::from(d.0)].unwrap_or(0);
            beyond[d] = (queue.usage[d] - guaranteed).max(0);
            beyond
        });
        Some(self.share(&beyond, queue.spec.weight_milli)).filter(|share| *share > 0)
    }

    /// True if `id` would still have something to spare without `gone`.
    pub fn has_surplus_without(&self, id: QueueId, gone: &Resources) -> bool {
        !self.is_within(id, &self.queues[id].usage.minus(gone))
    }

    /// The smaller surplus first, for sorting.
    pub fn by_surplus(&self, a: QueueId, b: QueueId) -> Ordering {
        self.surplus(a).cmp(&self.surplus(b)).then(b.cmp(&a))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts(cpu: i64, memory: i64) -> Resources {
        Resources([cpu, memory, 0, 0, 0, 0, 0, 0])
    }

    fn tree(specs: &[(&str, QueueSpec)]) -> QueueTree {
        let specs = specs.iter().map(|(name, spec)| ((*name).to_owned(), spec.clone()));
        let mut tree = QueueTree::new(&specs.collect());
        tree.capacity = amounts(9, 18);
        tree
    }

    /// NSDI 2011, §4.1 and figure 3: nine cpus, 18 GB; A runs tasks of (1, 4), B of (3, 1).
    #[test]
    fn the_example_of_the_paper_is_filled_in_its_order() {
        let mut tree = tree(&[]);
        let tasks = [(tree.find("A"), amounts(1, 4)), (tree.find("B"), amounts(3, 1))];
        let mut free = tree.capacity;
        let mut order = String::new();
        tasks.iter().for_each(|(queue, _)| tree.set_open(*queue, 1));
        while let Some(turn) = tree.next() {
            let (_, task) = tasks.iter().find(|(queue, _)| *queue == turn).unwrap();
            if task.fits_in(&free) {
                free -= *task;
                tree.hold(turn, task);
                order += &tree.get(turn).name;
            } else {
                tree.set_open(turn, 0);
            }
        }
        // Shares: A 4/18, B 3/9, A 8/18, B 6/9, A 12/18. (At zero each the earlier goes first.)
        assert_eq!(order, "ABABA");
        assert_eq!(tree.dominant_share(tasks[0].0), tree.dominant_share(tasks[1].0));
        assert!((tree.dominant_share(tasks[0].0) - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn weights_divide_shares_and_levels_are_filled_from_above() {
        let weighted = |weight_milli| QueueSpec { weight_milli, ..QueueSpec::default() };
        let mut tree =
            tree(&[("a", weighted(2000)), ("b", weighted(1000)), ("a/x", weighted(1000))]);
        tree.capacity = amounts(900, 900);
        let names = ["a/x", "a/y", "b"];
        let ids = names.map(|name| tree.find(name));
        ids.iter().for_each(|id| tree.set_open(*id, 1));
        for _ in 0..900 {
            let turn = tree.next().unwrap();
            tree.hold(turn, &amounts(1, 1));
        }
        let held = ids.map(|id| tree.get(id).usage[Dimension::CPU]);
        assert_eq!(held, [300, 300, 300]);
    }

    #[test]
    fn guarantees_go_first_and_maxima_hold_at_every_level() {
        let mut guaranteed = QueueSpec::default();
        guaranteed.guaranteed[0] = Some(5);
        let mut limited = QueueSpec::default();
        limited.max[0] = Some(4);
        let mut tree = tree(&[("g", guaranteed), ("l", limited)]);
        let (g, x) = (tree.find("g"), tree.find("l/x"));
        assert!(tree.allows(x, &amounts(4, 9)) && !tree.allows(x, &amounts(5, 0)));
        tree.hold(x, &amounts(3, 0));
        assert!(!tree.allows(x, &amounts(2, 0)) && tree.allows(x, &amounts(0, 9)));
        tree.hold(g, &amounts(4, 0));
        tree.set_open(g, 1);
        tree.set_open(x, 1);
        assert_eq!(tree.next(), Some(g), "within its guarantee though its share is larger");
        assert!(tree.may_reclaim(g, &amounts(1, 0)) && !tree.may_reclaim(g, &amounts(2, 0)));
        assert_eq!(tree.surplus(g), None);
        assert!(tree.surplus(x).is_some());
    }
}
