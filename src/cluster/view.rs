//! What a placement policy may see of one node.

use std::collections::BTreeMap;

use super::class::PodClass;
use super::gpu::{Devices, MAX_DEVICES};
use super::ids::{ConstraintId, NodeId, PoolId};
use super::node::NodeTable;
use super::resources::{Dimension, Resources};
use super::scale::Scale;

/// One node, seen by a placement policy. Capacities are those of the widest overcommit of any
/// tier; without overcommit they are what the node has for pods.
#[derive(Clone, Copy, Debug)]
pub struct NodeView<'a> {
    nodes: &'a NodeTable,
    node: NodeId,
}

impl<'a> NodeView<'a> {
    #[inline]
    pub(super) fn new(nodes: &'a NodeTable, node: NodeId) -> Self {
        Self { nodes, node }
    }

    /// Its number.
    #[inline]
    pub fn id(self) -> NodeId {
        self.node
    }

    /// What is not reserved.
    #[inline]
    pub fn free(self) -> &'a Resources {
        self.nodes.free(self.node)
    }

    /// What can be reserved in all.
    #[inline]
    pub fn limit(self) -> &'a Resources {
        self.nodes.limit(self.node)
    }

    /// Weights relative to the largest node of the cell, per dimension.
    #[inline]
    pub fn scale(self) -> &'a Scale {
        self.nodes.scale()
    }

    /// Weights relative to what this node can reserve in all.
    #[inline]
    pub fn own_scale(self) -> &'a Scale {
        self.nodes.own_scale(self.nodes.group(self.node))
    }

    /// What is reserved of `dimension`.
    pub fn reserved(self, dimension: Dimension) -> i64 {
        self.limit()[dimension] - self.free()[dimension]
    }

    /// What is free of each GPU device, in milli-GPU.
    pub fn gpu_free_milli(self) -> &'a [u16] {
        self.nodes.devices(self.node).free_milli()
    }

    /// Its GPU devices.
    #[inline]
    pub fn devices(self) -> &'a Devices {
        self.nodes.devices(self.node)
    }

    /// How many pods on it ask for GPUs in which way: a share of one device at 0, `n` whole
    /// devices at `n`.
    pub fn gpu_pods(self) -> &'a [u16; MAX_DEVICES + 1] {
        &self.nodes.gpu_pods[self.node.index()]
    }

    /// The largest that any node of the cell ever had, per dimension.
    #[inline]
    pub fn largest_limit(self) -> &'a Resources {
        self.nodes.largest_limit()
    }

    /// What a pod of `class` needs to find free here: its requests, and what its tier must leave
    /// to tiers with a wider overcommit.
    #[inline]
    pub fn demand(self, class: &PodClass) -> Resources {
        self.nodes.demand(class, self.nodes.group(self.node))
    }

    /// True if pods with `constraints` may come here at all.
    #[inline]
    pub fn is_eligible(self, constraints: ConstraintId) -> bool {
        self.nodes.is_eligible(constraints, self.node)
    }

    /// Number of pods bound to it.
    pub fn pod_count(self) -> u32 {
        self.nodes.pod_count(self.node)
    }

    /// Its pool.
    pub fn pool(self) -> PoolId {
        self.nodes.pool(self.node)
    }

    /// Its name.
    pub fn name(self) -> &'a str {
        &self.nodes.spec(self.node).name
    }

    /// Its labels.
    pub fn labels(self) -> &'a BTreeMap<String, String> {
        &self.nodes.spec(self.node).labels
    }
}
