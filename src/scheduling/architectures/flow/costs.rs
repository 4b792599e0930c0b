//! Cost models: what it costs to place a pod on a node, and what it costs to leave it waiting.

use crate::cluster::{Cluster, Dimension, NodeId, PodClass};
use crate::engine::{SimDuration, SimTime};

/// The most that a placement costs.
pub const MOST: i64 = 1000;

/// What a placement costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// The more pods a node holds, the more it costs (Firmament's load-spreading policy).
    LoadSpreading,
    /// The more of the node's cpu and memory would be left, the more it costs: nodes are preferred
    /// as by best fit, where Quincy prefers those that hold the data.
    Quincy,
    /// All the same (Firmament's trivial policy).
    Trivial,
}

/// What waiting costs: it rises with time, so that nobody waits for ever (Quincy, SOSP'09 §4.2).
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// At once.
    pub base: i64,
    /// For each second that the job has waited.
    pub per_second: i64,
    /// For each unit of its priority, if that is above zero.
    pub per_priority: i64,
}

impl Model {
    /// What it costs to place a pod of `class` on `node`, which admits it: 0 to [`MOST`].
    pub fn placement(self, cluster: &Cluster, class: &PodClass, node: NodeId) -> i64 {
        let nodes = cluster.nodes();
        match self {
            Self::LoadSpreading => i64::from(nodes.pod_count(node)).min(MOST),
            Self::Quincy => {
                let (scale, free) = (nodes.own_scale(nodes.group(node)), nodes.free(node));
                let left = |d| scale.share(d, (free[d] - class.requests[d]).max(0));
                // Two shares in 2⁻³⁰ths of what the node has.
                let both = left(Dimension::CPU) + left(Dimension::MEMORY);
                ((both * MOST) >> 31).clamp(0, MOST)
            }
            Self::Trivial => 1,
        }
    }

    /// What the next pod on the same node costs more.
    pub fn step(self) -> i64 {
        match self {
            Self::LoadSpreading => 1,
            Self::Quincy | Self::Trivial => 0,
        }
    }
}

impl Waiting {
    /// What it costs at `now` to leave a pod waiting that has waited since `since`.
    pub fn cost(&self, now: SimTime, since: SimTime, priority: i32) -> i64 {
        let SimDuration(waited) = now.since(since);
        let waited = i64::try_from(waited / 1_000_000).unwrap_or(i64::MAX);
        let by_time = self.per_second.saturating_mul(waited);
        let by_priority = self.per_priority * i64::from(priority.max(0));
        // Far below what could overflow when added up along a path.
        self.base.saturating_add(by_time).saturating_add(by_priority).min(1 << 40)
    }
}
