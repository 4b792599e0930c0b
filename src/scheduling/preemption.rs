//! Priority preemption: which pods have to go so that one of higher priority fits.
//!
//! As Borg does it (EuroSys'15 §3.2): victims are taken lowest priority first until the pod fits,
//! and go back to pending. Among nodes the one whose highest victim has the lowest priority is
//! taken, then the one with the fewest victims, then the lowest number. As kube-scheduler does
//! (v1.35 `DefaultPreemption`), the search ends once it has max(10 % of the nodes, 100)
//! candidates, and begins where the last one ended.

use crate::cluster::{Cluster, NodeId, Pod, PodClass, PodId, Resources};

/// Share of the nodes that are enough candidates, in percent, and the least number of them.
const ENOUGH_PERCENT: usize = 10;
const ENOUGH_AT_LEAST: usize = 100;

/// The rule, and where its search goes on.
#[derive(Clone, Copy, Debug)]
pub struct Preemption {
    production_is_safe: bool,
    start: usize,
}

/// What it costs to clear a node: (priority of the highest victim, number of victims).
type Cost = (i32, usize);

impl Preemption {
    /// `production_is_safe`: pods of the production band are never displaced by that band.
    pub fn new(production_is_safe: bool) -> Self {
        Self { production_is_safe, start: 0 }
    }

    fn may_displace(self, class: &PodClass, cluster: &Cluster, victim: &Pod) -> bool {
        let other = cluster.classes().get(victim.class);
        let both_prod = class.tier.is_prod() && other.tier.is_prod();
        other.priority < class.priority && !(self.production_is_safe && both_prod)
    }

    /// True if `class` would fit on `node` were all pods gone that it may displace.
    pub fn could_help(self, cluster: &Cluster, class: &PodClass, node: NodeId) -> bool {
        let nodes = cluster.nodes();
        if !nodes.is_eligible(class.constraints, node)
            || !nodes.demand(class, nodes.group(node)).fits_in(nodes.limit(node))
        {
            return false;
        }
        let mut free = *nodes.free(node);
        for (_, pod) in cluster.pods_on(node) {
            if self.may_displace(class, cluster, pod) {
                free += cluster.classes().get(pod.class).requests;
            }
        }
        nodes.demand(class, nodes.group(node)).fits_in(&free)
    }

    /// The node to clear for a pod of `class` and whom to evict there, in order.
    pub fn search(&mut self, cluster: &Cluster, class: &PodClass) -> Option<(NodeId, Vec<PodId>)> {
        let total = cluster.nodes().len();
        let enough = (total * ENOUGH_PERCENT / 100).max(ENOUGH_AT_LEAST);
        let mut best: Option<(Cost, NodeId, Vec<PodId>)> = None;
        let mut candidates = 0;
        for step in 0..total {
            let node = NodeId::from_index((self.start + step) % total);
            if !self.could_help(cluster, class, node) {
                continue;
            }
            let Some((cost, victims)) = self.victims(cluster, class, node) else { continue };
            if best.as_ref().is_none_or(|(least, known, _)| (cost, node) < (*least, *known)) {
                best = Some((cost, node, victims));
            }
            candidates += 1;
            if candidates == enough {
                self.start = (self.start + step + 1) % total;
                break;
            }
        }
        best.map(|(_, node, victims)| (node, victims))
    }

    /// The victims on `node`, lowest priority first, newest first among equals.
    fn victims(
        self,
        cluster: &Cluster,
        class: &PodClass,
        node: NodeId,
    ) -> Option<(Cost, Vec<PodId>)> {
        let mut pods: Vec<(i32, u64, PodId)> = cluster
            .pods_on(node)
            .filter(|(_, pod)| self.may_displace(class, cluster, pod))
            .map(|(id, pod)| (cluster.classes().get(pod.class).priority, u64::MAX - pod.serial, id))
            .collect();
        pods.sort_unstable();
        let nodes = cluster.nodes();
        let demand = nodes.demand(class, nodes.group(node));
        let mut clearing = Clearing {
            free: *nodes.free(node),
            devices: *nodes.devices(node),
            others: others_to_keep_apart(cluster, class, node),
        };
        let mut victims = Vec::new();
        for (priority, _, id) in pods {
            let pod = cluster.pod(id);
            clearing.free += cluster.classes().get(pod.class).requests;
            clearing.devices.give(pod.devices);
            clearing.others -= usize::from(pod.new.workload == class.apart_from);
            victims.push(id);
            if clearing.has_room(&demand, class) {
                return Some(((priority, victims.len()), victims));
            }
        }
        None
    }
}

/// A node as it would be after some evictions.
struct Clearing {
    free: Resources,
    devices: crate::cluster::Devices,
    others: usize,
}

impl Clearing {
    fn has_room(&self, demand: &Resources, class: &PodClass) -> bool {
        self.others == 0 && demand.fits_in(&self.free) && self.devices.fits(class.gpu)
    }
}

fn others_to_keep_apart(cluster: &Cluster, class: &PodClass, node: NodeId) -> usize {
    if !class.apart_from.is_some() {
        return 0;
    }
    cluster.pods_on(node).filter(|(_, pod)| pod.new.workload == class.apart_from).count()
}
