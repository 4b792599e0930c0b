//! The fit tree: the first node, in order of numbers, that has room. It serves first fit and
//! round robin, is brought up to date from the change log, and knows no scores.

use crate::cluster::{Cluster, Dimension, NodeId, NodeTable, PodClass, Resources, Tier, Version};

/// The dimensions in the tree; the others are checked on the nodes that it proposes.
const DIMENSIONS: [Dimension; 4] =
    [Dimension::CPU, Dimension::MEMORY, Dimension::PODS, Dimension::GPU];

/// What is free, per dimension of the tree; the largest amounts below an inner vertex.
type Free = [i64; DIMENSIONS.len()];

/// What no pod fits in.
const NOTHING: Free = [i64::MIN; DIMENSIONS.len()];

/// A segment tree over the nodes: each vertex has the largest free amounts below it.
#[derive(Default)]
pub(super) struct FitTree {
    /// Number of leaves, a power of two; the leaf of node `n` is vertex `leaves + n`.
    leaves: usize,
    vertices: Vec<Free>,
    /// Per tier: the least of what must be left alone on any node.
    reserve: [Resources; Tier::COUNT],
    groups: usize,
    version: Version,
}

impl FitTree {
    /// Brings the tree up to date with `cluster`.
    pub fn refresh(&mut self, cluster: &Cluster) {
        let nodes = cluster.nodes();
        let fits = nodes.len() <= self.leaves && nodes.groups().len() == self.groups;
        let known = if fits { nodes.changes().since(self.version) } else { None };
        // A tree far behind is sooner built than caught up.
        match known.filter(|changed| changed.len() < nodes.len().max(64)) {
            Some(changed) => changed.iter().for_each(|node| self.update(nodes, *node)),
            None => self.rebuild(nodes),
        }
        self.version = nodes.changes().version();
    }

    fn rebuild(&mut self, nodes: &NodeTable) {
        self.leaves = nodes.len().next_power_of_two();
        self.vertices.clear();
        self.vertices.resize(2 * self.leaves, NOTHING);
        for node in nodes.ids() {
            self.vertices[self.leaves + node.index()] = free_for_new(nodes, node);
        }
        for vertex in (1..self.leaves).rev() {
            self.vertices[vertex] = self.largest_below(vertex);
        }
        self.groups = nodes.groups().len();
        self.reserve = std::array::from_fn(|tier| {
            let all = nodes.groups().iter().map(|group| group.reserve[tier]);
            all.reduce(|a, b| Resources(std::array::from_fn(|d| a.0[d].min(b.0[d]))))
                .unwrap_or_default()
        });
    }

    fn update(&mut self, nodes: &NodeTable, node: NodeId) {
        let mut vertex = self.leaves + node.index();
        self.vertices[vertex] = free_for_new(nodes, node);
        while vertex > 1 {
            vertex /= 2;
            let largest = self.largest_below(vertex);
            if self.vertices[vertex] == largest {
                return;
            }
            self.vertices[vertex] = largest;
        }
    }

    fn largest_below(&self, vertex: usize) -> Free {
        let [left, right] = [self.vertices[2 * vertex], self.vertices[2 * vertex + 1]];
        std::array::from_fn(|dimension| left[dimension].max(right[dimension]))
    }

    /// The first node, from number `start` on, that `accept`s; only nodes with room are proposed.
    pub fn first_from(
        &self,
        class: &PodClass,
        start: NodeId,
        mut accept: impl FnMut(NodeId) -> bool,
    ) -> Option<NodeId> {
        let demand = class.requests.plus(&self.reserve[class.tier as usize]);
        let demand = DIMENSIONS.map(|dimension| demand[dimension]);
        if start.index() >= self.leaves {
            return None;
        }
        let mut vertex = self.leaves + start.index();
        loop {
            let has_room = demand.iter().zip(&self.vertices[vertex]).all(|(ask, free)| ask <= free);
            if has_room && vertex < self.leaves {
                vertex *= 2;
                continue;
            }
            if has_room {
                let node = NodeId::from_index(vertex - self.leaves);
                if accept(node) {
                    return Some(node);
                }
            }
            // On to the next subtree on the right: up while on a right branch, then across.
            while vertex % 2 == 1 {
                vertex /= 2;
            }
            if vertex == 0 {
                return None;
            }
            vertex += 1;
        }
    }
}

/// What a new pod can find free on `node`: nothing while it is not open.
fn free_for_new(nodes: &NodeTable, node: NodeId) -> Free {
    if nodes.is_open(node) {
        DIMENSIONS.map(|dimension| nodes.free(node)[dimension])
    } else {
        NOTHING
    }
}
