//! Strategies without scores: first fit, round robin, any node. Of the nodes that admit a pod, those
//! that meet the most of its preferences are chosen among.

use super::{Index, Placer};
use crate::cluster::{ClassId, Cluster, NodeId, PodClass};
use crate::engine::{Purpose, Stream};

/// Random draws before all nodes that admit the pod are listed and drawn from.
const DRAWS: u32 = 32;

/// Nodes on which preferences of one weight hold; `None` for a class that has none.
type Level = Option<u32>;

/// The levels of `class`, the most preferred first.
fn levels<'a>(cluster: &'a Cluster, class: &PodClass) -> impl Iterator<Item = Level> + use<'a> {
    let levels = cluster.nodes().preference_levels(class.constraints);
    levels.iter().map(|level| (levels.len() > 1).then_some(*level))
}

/// True if `node` is of `level`.
#[inline]
fn is_of(cluster: &Cluster, class: &PodClass, level: Level, node: NodeId) -> bool {
    level.is_none_or(|level| cluster.nodes().preferred(class.constraints, node) == level)
}

impl Placer {
    /// The lowest number.
    pub(super) fn first(&mut self, cluster: &Cluster, id: ClassId) -> Option<NodeId> {
        let class = cluster.classes().get(id);
        levels(cluster, class).find_map(|level| self.first_from(cluster, class, level, NodeId(0)))
    }

    /// The lowest number after the node that was chosen last, or else the lowest.
    pub(super) fn next_in_turn(&mut self, cluster: &Cluster, id: ClassId) -> Option<NodeId> {
        let class = cluster.classes().get(id);
        let node = levels(cluster, class).find_map(|level| {
            let later = self.first_from(cluster, class, level, self.cursor);
            // What is found from the start on is before the cursor: there was nothing after it.
            later.or_else(|| self.first_from(cluster, class, level, NodeId(0)))
        })?;
        self.cursor = NodeId(node.0 + 1);
        Some(node)
    }

    /// Any, each equally likely.
    pub(super) fn any(&mut self, cluster: &Cluster, id: ClassId, entity: u64) -> Option<NodeId> {
        if cluster.nodes().is_empty() {
            return None;
        }
        let class = cluster.classes().get(id);
        let mut stream = self.streams.stream(Purpose::Placement, entity);
        levels(cluster, class).find_map(|level| self.any_of(cluster, class, level, &mut stream))
    }

    fn first_from(
        &mut self,
        cluster: &Cluster,
        class: &PodClass,
        level: Level,
        start: NodeId,
    ) -> Option<NodeId> {
        let examined = &mut self.counters.examined;
        let accept = |node: NodeId| {
            *examined += 1;
            is_of(cluster, class, level, node) && cluster.admits(class, node)
        };
        match self.index {
            Index::Naive | Index::Scan(_) => cluster.nodes().ids().skip(start.index()).find({
                let mut accept = accept;
                move |node| accept(*node)
            }),
            Index::Auto | Index::Ranking | Index::Grid => {
                self.fit_tree.refresh(cluster);
                self.fit_tree.first_from(class, start, accept)
            }
        }
    }

    /// Draws nodes until one of `level` admits the pod; after some draws in vain, draws once from
    /// all that do. Either way each of these is equally likely.
    fn any_of(
        &mut self,
        cluster: &Cluster,
        class: &PodClass,
        level: Level,
        stream: &mut Stream,
    ) -> Option<NodeId> {
        let nodes = cluster.nodes();
        let admits =
            |node: &NodeId| is_of(cluster, class, level, *node) && cluster.admits(class, *node);
        for _ in 0..DRAWS {
            let node = NodeId(stream.below(nodes.len() as u64) as u32);
            self.counters.examined += 1;
            if admits(&node) {
                return Some(node);
            }
        }
        self.counters.examined += nodes.len() as u64;
        let count = nodes.ids().filter(admits).count();
        let drawn = if count > 0 { stream.below(count as u64) as usize } else { 0 };
        nodes.ids().filter(admits).nth(drawn)
    }
}
