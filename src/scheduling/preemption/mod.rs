//! Priority preemption: which pods have to go so that one of higher priority fits.
//!
//! As Borg does it (EuroSys'15 §3.2): victims are taken lowest priority first until the pod fits,
//! and go back to pending. The node taken is one whose highest victim has the lowest priority that
//! any node allows; among the first [`ENOUGH`] such nodes, the one with the fewest victims, then
//! the lowest number; one with a single victim is taken at once. The search begins where the last
//! one ended, so that it is spread over the cell (kube-scheduler v1.35 begins at a random node and
//! has enough with max(10 %, 100); Borg examines machines in random order until it has found
//! "enough", §3.4).

mod potential;
#[cfg(test)]
mod tests;

use crate::cluster::{Cluster, Devices, NodeId, Pod, PodClass, PodId, Resources};

use potential::Potential;

/// Number of nodes to choose among.
pub const ENOUGH: usize = 32;

/// The rule, where its search goes on, and its index.
#[derive(Clone, Debug)]
pub struct Preemption {
    production_is_safe: bool,
    start: usize,
    potential: Potential,
}

impl Preemption {
    /// `production_is_safe`: pods of the production band are never displaced by that band.
    pub fn new(production_is_safe: bool) -> Self {
        Self { production_is_safe, start: 0, potential: Potential::default() }
    }

    /// True if `class` must leave pods of the production band alone.
    fn spares_production(&self, class: &PodClass) -> bool {
        self.production_is_safe && class.tier.is_prod()
    }

    /// True if a pod of `class` may displace `victim`, of priority `highest` at most.
    fn may_displace(
        &self,
        cluster: &Cluster,
        class: &PodClass,
        highest: i32,
        victim: &Pod,
    ) -> bool {
        let other = cluster.classes().get(victim.class);
        other.priority <= highest
            && other.priority < class.priority
            && !(self.spares_production(class) && other.tier.is_prod())
    }

    /// What cpu and memory a pod of `priority` could get on any one of `nodes`, whoever had to go:
    /// at most so much.
    pub fn reach(&mut self, cluster: &Cluster, nodes: &[NodeId]) -> Reach {
        self.potential.refresh(cluster);
        let most = |level| self.potential.most(level, nodes);
        let levels = self.potential.levels().iter().enumerate();
        Reach(levels.map(|(level, priority)| (*priority, most(level))).collect())
    }

    /// True if `class` would fit on `node` were all pods gone that it may displace.
    pub fn could_help(&mut self, cluster: &Cluster, class: &PodClass, node: NodeId) -> bool {
        self.potential.refresh(cluster);
        let Some(level) = self.potential.levels_below(class.priority).checked_sub(1) else {
            return false;
        };
        self.potential.admits(self.spares_production(class), level, node, class)
            && self.victims(cluster, class, i32::MAX, node).is_some()
    }

    /// The node to clear for a pod of `class` and whom to evict there, in order.
    pub fn search(&mut self, cluster: &Cluster, class: &PodClass) -> Option<(NodeId, Vec<PodId>)> {
        self.potential.refresh(cluster);
        let levels = self.potential.levels_below(class.priority);
        (0..levels).find_map(|level| self.search_level(cluster, class, level))
    }

    /// The node to clear of pods up to the priority of `level`.
    fn search_level(
        &mut self,
        cluster: &Cluster,
        class: &PodClass,
        level: usize,
    ) -> Option<(NodeId, Vec<PodId>)> {
        let total = cluster.nodes().len();
        let spares = self.spares_production(class);
        let highest = self.potential.levels()[level];
        let mut best: Option<(usize, NodeId)> = None;
        let mut candidates = 0;
        // Once around, from where the last search ended.
        let (mut from, mut to) = (self.start, total);
        while candidates < ENOUGH && best.is_none_or(|(fewest, _)| fewest > 1) {
            let Some(node) = self.potential.next(spares, level, from, to, class) else {
                if to < total || self.start == 0 {
                    break;
                }
                (from, to) = (0, self.start);
                continue;
            };
            from = node.index() + 1;
            if let Some(victims) = self.victims(cluster, class, highest, node) {
                let cost = (victims.len(), node);
                best = Some(best.map_or(cost, |least| least.min(cost)));
                candidates += 1;
            }
        }
        let (_, node) = best?;
        self.start = from % total;
        self.victims(cluster, class, highest, node).map(|victims| (node, victims))
    }

    /// The victims on `node` of priority `highest` at most: lowest priority first, newest first
    /// among equals, as many as are needed. `None` where even all of them do not make room.
    fn victims(
        &self,
        cluster: &Cluster,
        class: &PodClass,
        highest: i32,
        node: NodeId,
    ) -> Option<Vec<PodId>> {
        let nodes = cluster.nodes();
        // A pod never displaces its own like: where one is, another cannot go.
        if !nodes.is_eligible(class.constraints, node) || cluster.is_kept_apart(class, node) {
            return None;
        }
        let mut pods: Vec<(i32, u64, PodId)> = cluster
            .pods_on(node)
            .filter(|(_, pod)| self.may_displace(cluster, class, highest, pod))
            .map(|(id, pod)| (cluster.classes().get(pod.class).priority, u64::MAX - pod.serial, id))
            .collect();
        pods.sort_unstable();
        let mut clearing = Clearing::of(cluster, class, node);
        let mut victims = Vec::new();
        for (_, _, id) in pods {
            clearing.evict(cluster, id);
            victims.push(id);
            if clearing.has_room(class) {
                return Some(victims);
            }
        }
        None
    }
}

/// The most cpu and memory that pods could get by preemption, by level: (priority of the highest
/// victims, (cpu, memory)), priorities ascending.
#[derive(Clone, Debug, Default)]
pub struct Reach(Vec<(i32, (i64, i64))>);

impl Reach {
    /// The most cpu and memory for a pod of `priority`, if it can displace anyone.
    pub fn of(&self, priority: i32) -> Option<(i64, i64)> {
        let levels = self.0.partition_point(|(level, _)| *level < priority);
        levels.checked_sub(1).map(|level| self.0[level].1)
    }
}

/// A node as it would be after some evictions.
struct Clearing {
    demand: Resources,
    free: Resources,
    devices: Devices,
}

impl Clearing {
    fn of(cluster: &Cluster, class: &PodClass, node: NodeId) -> Self {
        let nodes = cluster.nodes();
        Self {
            demand: nodes.demand(class, nodes.group(node)),
            free: *nodes.free(node),
            devices: *nodes.devices(node),
        }
    }

    fn evict(&mut self, cluster: &Cluster, victim: PodId) {
        let pod = cluster.pod(victim);
        self.free += cluster.classes().get(pod.class).requests;
        self.devices.give(pod.devices);
    }

    fn has_room(&self, class: &PodClass) -> bool {
        self.demand.fits_in(&self.free) && self.devices.fits(class.gpu)
    }
}
