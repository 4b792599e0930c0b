//! What facts about nodes, domains and workloads mean to the meter.

use crate::cluster::{Cluster, DomainId, NodeId, WorkloadId};

use super::Meter;
use super::allocation::Sign;

impl Meter {
    pub(super) fn node_added(&mut self, node: NodeId, cluster: &Cluster) {
        let nodes = cluster.nodes();
        let (pool, capacity) = (nodes.pool(node), *nodes.allocatable(node));
        self.nodes.add(node, pool, capacity, self.now);
        self.allocation.assign(node, pool);
        self.capacity.install(Sign::Plus, &capacity, pool, self.now);
        self.capacity.raise(Sign::Plus, &capacity, pool, self.now);
        self.domains.register(cluster.domains(), self.now);
        self.fragmentation.change(node);
    }

    pub(super) fn node_removed(&mut self, node: NodeId) {
        let before = self.nodes.remove(node, self.now);
        self.capacity.install(Sign::Minus, &before.capacity, before.pool, self.now);
        if before.up {
            self.capacity.raise(Sign::Minus, &before.capacity, before.pool, self.now);
        }
        self.fragmentation.change(node);
    }

    pub(super) fn node_resizing(&mut self, node: NodeId) {
        self.count_capacity(Sign::Minus, node);
    }

    /// Pods that stay on a node whose pool changes are counted under the new pool from now on.
    pub(super) fn node_resized(&mut self, node: NodeId, cluster: &Cluster) {
        let (pool, capacity) = (cluster.nodes().pool(node), *cluster.nodes().allocatable(node));
        let moved = self.nodes.track(node).pool != pool;
        if moved {
            self.count_pods_on(Sign::Minus, node, cluster);
            self.allocation.assign(node, pool);
        }
        self.nodes.describe(node, pool, capacity);
        if moved {
            self.count_pods_on(Sign::Plus, node, cluster);
        }
        self.count_capacity(Sign::Plus, node);
        self.fragmentation.change(node);
    }

    fn count_capacity(&mut self, sign: Sign, node: NodeId) {
        let track = *self.nodes.track(node);
        self.capacity.install(sign, &track.capacity, track.pool, self.now);
        if track.up {
            self.capacity.raise(sign, &track.capacity, track.pool, self.now);
        }
    }

    pub(super) fn node_down(&mut self, node: NodeId) {
        let track = self.nodes.fail(node, self.now);
        self.capacity.raise(Sign::Minus, &track.capacity, track.pool, self.now);
        self.fragmentation.change(node);
    }

    pub(super) fn node_up(&mut self, node: NodeId) {
        let track = self.nodes.repair(node, self.now);
        self.capacity.raise(Sign::Plus, &track.capacity, track.pool, self.now);
        self.fragmentation.change(node);
    }

    pub(super) fn domain_down(&mut self, domain: DomainId, cluster: &Cluster) {
        self.domains.register(cluster.domains(), self.now);
        self.domains.fail(domain, self.now);
    }

    /// A trace's job that becomes declared has pods already.
    pub(super) fn workload_scaled(&mut self, id: WorkloadId, cluster: &Cluster) {
        let is_new = self.declared.scale(id, cluster.workloads().get(id), self.now);
        if is_new {
            self.adopt_pods(id, cluster);
        }
    }
}
