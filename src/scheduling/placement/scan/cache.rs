//! The score cache: what was found out of a class and a node, until the node changes.

use rustc_hash::FxHashMap;
use std::sync::Arc;

use super::evaluation::Verdict;
use crate::cluster::{Devices, NodeId, NodeSpec, NodeTable, PodClass, Resources, Version};

/// Memory for scores, in bytes: those of the class that was asked for longest ago go.
const BUDGET_BYTES: usize = 256 << 20;

/// Scores by class and node.
pub(super) struct ScoreCache {
    ignore_below_permille: u32,
    columns: Vec<Column>,
    by_class: FxHashMap<PodClass, usize>,
    /// The column of the class that is asked for.
    current: usize,
    version: Version,
    /// Number of times it was asked to turn to a class, which stands for time; never zero when
    /// something is kept.
    clock: u64,
    /// Per node, when it changed last, and when it last changed by enough.
    stamps: Vec<Stamp>,
    /// Per node, where small changes are ignored: what it was when it last changed by enough.
    was: Vec<Seen>,
}

#[derive(Clone, Copy, Default)]
struct Stamp {
    changed: u64,
    changed_enough: u64,
}

/// All scores of a class.
struct Column {
    class: PodClass,
    used: u64,
    /// Per node, when it was judged (zero for never) and what came of it.
    entries: Vec<(u64, Verdict)>,
}

/// What is known of a node apart from its number.
struct Seen {
    free: Resources,
    devices: Devices,
    is_open: bool,
    is_cordoned: bool,
    spec: Arc<NodeSpec>,
}

impl ScoreCache {
    /// A cache that ignores changes of free amounts below so many permille of what a node has.
    pub fn new(ignore_below_permille: u32) -> Self {
        Self {
            ignore_below_permille,
            columns: Vec::new(),
            by_class: FxHashMap::default(),
            current: 0,
            version: Version::default(),
            clock: 0,
            stamps: Vec::new(),
            was: Vec::new(),
        }
    }

    /// Forgets all scores.
    pub fn clear(&mut self) {
        self.columns.clear();
        self.by_class.clear();
    }

    /// Brings itself up to date with `nodes` and turns to the scores of `class`.
    pub fn turn_to(&mut self, nodes: &NodeTable, class: &PodClass) {
        self.clock += 1;
        self.follow(nodes);
        self.current = match self.by_class.get(class) {
            Some(column) => *column,
            None => self.make_room(nodes.len(), class),
        };
        let column = &mut self.columns[self.current];
        column.used = self.clock;
        column.entries.resize(nodes.len(), NEVER);
    }

    /// What is known of `node`, if it did not change (by enough) since.
    #[inline]
    pub fn get(&self, node: NodeId) -> Option<Verdict> {
        let (judged, verdict) = self.columns[self.current].entries[node.index()];
        let is_valid = judged != 0 && judged >= self.stamps[node.index()].changed_enough;
        is_valid.then_some(verdict)
    }

    /// True if `node` did not change at all since it was judged.
    pub fn is_fresh(&self, node: NodeId) -> bool {
        let (judged, _) = self.columns[self.current].entries[node.index()];
        judged != 0 && judged >= self.stamps[node.index()].changed
    }

    /// `node` was judged just now.
    #[inline]
    pub fn put(&mut self, node: NodeId, verdict: Verdict) {
        self.columns[self.current].entries[node.index()] = (self.clock, verdict);
    }

    fn follow(&mut self, nodes: &NodeTable) {
        let log = nodes.changes();
        self.stamps.resize(nodes.len(), Stamp::default());
        match log.since(self.version) {
            Some(changed) => changed.iter().for_each(|node| self.note(nodes, *node)),
            None => nodes.ids().for_each(|node| self.note(nodes, node)),
        }
        self.version = log.version();
    }

    fn note(&mut self, nodes: &NodeTable, node: NodeId) {
        let stamp = &mut self.stamps[node.index()];
        stamp.changed = self.clock;
        if self.ignore_below_permille == 0 {
            stamp.changed_enough = self.clock;
            return;
        }
        // Nodes are logged when they are added, in order of their numbers.
        match self.was.get_mut(node.index()) {
            Some(was) if was.is_near(nodes, node, self.ignore_below_permille) => return,
            Some(was) => *was = Seen::of(nodes, node),
            None => self.was.push(Seen::of(nodes, node)),
        }
        stamp.changed_enough = self.clock;
    }

    /// Number of an empty column for `class`.
    fn make_room(&mut self, nodes: usize, class: &PodClass) -> usize {
        let most = BUDGET_BYTES / (nodes.max(1) * size_of::<(u64, Verdict)>());
        let fresh = Column { class: *class, used: self.clock, entries: Vec::new() };
        let number = if self.columns.len() < most.max(1) {
            self.columns.push(fresh);
            self.columns.len() - 1
        } else {
            let oldest = (0..self.columns.len()).min_by_key(|number| self.columns[*number].used);
            let oldest = oldest.expect("there is at least one column");
            let mut gone = std::mem::replace(&mut self.columns[oldest], fresh);
            self.by_class.remove(&gone.class);
            gone.entries.fill(NEVER);
            self.columns[oldest].entries = gone.entries;
            oldest
        };
        self.by_class.insert(*class, number);
        number
    }
}

/// What is kept of a node that was not judged.
const NEVER: (u64, Verdict) = (0, Verdict::Infeasible);

impl Seen {
    fn of(nodes: &NodeTable, node: NodeId) -> Self {
        Self {
            free: *nodes.free(node),
            devices: *nodes.devices(node),
            is_open: nodes.is_open(node),
            is_cordoned: nodes.condition(node).cordoned,
            spec: Arc::clone(nodes.spec(node)),
        }
    }

    /// True if nothing of `node` is other than it was but free amounts, by less than `permille` of
    /// what it has of each. GPU devices are never near: a share too few of one device is one too
    /// few.
    fn is_near(&self, nodes: &NodeTable, node: NodeId, permille: u32) -> bool {
        let limit = nodes.limit(node);
        let free = nodes.free(node);
        let mut amounts = self.free.0.iter().zip(&free.0).zip(&limit.0);
        self.is_open == nodes.is_open(node)
            && self.is_cordoned == nodes.condition(node).cordoned
            && self.devices == *nodes.devices(node)
            && Arc::ptr_eq(&self.spec, nodes.spec(node))
            && amounts.all(|((was, is), limit)| {
                was == is
                    || i128::from(was.abs_diff(*is)) * 1000
                        < i128::from(*limit) * i128::from(permille)
            })
    }
}
