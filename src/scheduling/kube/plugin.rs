//! What a plugin is (`framework` of kube-scheduler v1.35).

use std::any::Any;
use std::collections::BTreeSet;

use super::cache::{Cache, NodeId};
use super::node::NodeInfo;
use super::plugins::{
    BalancedAllocation, InterPodAffinity, NodeAffinity, ResourcesFit, TopologySpread,
};
use super::pod::PodInfo;
use super::status::Status;

/// The highest score of a plugin for a node.
pub const MAX_NODE_SCORE: i64 = 100;

/// What a plugin keeps for the length of a cycle.
pub trait State: Any {
    /// A copy, for trying something out.
    fn clone_box(&self) -> Box<dyn State>;
    /// As any type.
    fn as_any(&self) -> &dyn Any;
    /// As any type, to change.
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<T: Any + Clone> State for T {
    fn clone_box(&self) -> Box<dyn State> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// The state as the plugin's own type.
pub fn state_of<T: Any>(state: Option<&dyn State>) -> Option<&T> {
    state?.as_any().downcast_ref()
}

/// What came of a plugin's preparation.
pub enum Prepared {
    /// Go on; the plugin keeps a state, if it needs one.
    State(Option<Box<dyn State>>),
    /// As `State`, and only the nodes with these names can do.
    Only(Option<Box<dyn State>>, BTreeSet<String>),
    /// The plugin has nothing to say about this pod: leave it out.
    Skip,
    /// The pod cannot be placed at all.
    Rejected(Status),
}

impl Prepared {
    /// Go on with `state`.
    pub fn with(state: impl State) -> Self {
        Self::State(Some(Box::new(state)))
    }
}

/// The nodes that a score is about, with the score of each.
pub type Scores<'a> = &'a mut [(NodeId, i64)];

/// What the fast path knows a plugin by.
#[derive(Debug, Clone)]
pub enum Part {
    /// It does nothing to a pod that is in the queue.
    Nothing,
    /// NodeUnschedulable.
    Unschedulable,
    /// NodeName.
    Name,
    /// TaintToleration.
    Taints,
    /// NodeAffinity.
    Affinity(NodeAffinity),
    /// NodePorts.
    Ports,
    /// One that is about volumes: pods that have some are left to the plain path.
    Volumes,
    /// NodeResourcesFit.
    Fit(ResourcesFit),
    /// PodTopologySpread.
    Spread(TopologySpread),
    /// InterPodAffinity.
    Pods(InterPodAffinity),
    /// NodeResourcesBalancedAllocation.
    Balanced(BalancedAllocation),
    /// ImageLocality.
    Images,
    /// One that the fast path does not know.
    Other,
}

/// A plugin: it may filter, score, both, or hold pods back.
pub trait Plugin: Send + Sync {
    /// Its name.
    fn name(&self) -> &str;

    /// What the fast path is to know it by.
    fn part(&self) -> Part {
        Part::Other
    }

    /// True if it filters.
    fn filters(&self) -> bool {
        false
    }

    /// True if it scores.
    fn scores(&self) -> bool {
        false
    }

    /// Whether a pod may enter the queue.
    fn pre_enqueue(&self, _pod: &PodInfo) -> Status {
        Status::SUCCESS
    }

    /// Prepares for the filter.
    fn pre_filter(&self, _cache: &Cache, _pod: &PodInfo) -> Prepared {
        Prepared::State(None)
    }

    /// Whether the node will do.
    fn filter(
        &self,
        _state: Option<&dyn State>,
        _cache: &Cache,
        _pod: &PodInfo,
        _node: &NodeInfo,
    ) -> Status {
        Status::SUCCESS
    }

    /// Takes into account that `other` was put on `node`.
    fn add_pod(
        &self,
        _state: &mut dyn State,
        _cache: &Cache,
        _pod: &PodInfo,
        _other: &PodInfo,
        _node: &NodeInfo,
    ) {
    }

    /// Takes into account that `other` was taken off `node`.
    fn remove_pod(
        &self,
        _state: &mut dyn State,
        _cache: &Cache,
        _pod: &PodInfo,
        _other: &PodInfo,
        _node: &NodeInfo,
    ) {
    }

    /// Prepares for the scores of `nodes`.
    fn pre_score(&self, _cache: &Cache, _pod: &PodInfo, _nodes: &[NodeId]) -> Prepared {
        Prepared::State(None)
    }

    /// The score of a node.
    ///
    /// # Errors
    ///
    /// If it cannot be told.
    fn score(
        &self,
        _state: Option<&dyn State>,
        _cache: &Cache,
        _pod: &PodInfo,
        _node: &NodeInfo,
    ) -> Result<i64, Status> {
        Ok(0)
    }

    /// Brings scores into the range from 0 to 100.
    fn normalize(&self, _state: Option<&dyn State>, _scores: Scores<'_>) {}
}

/// The nodes that both allow, by name; `None` allows all of them (`PreFilterResult.Merge`).
pub fn merge_node_names(
    first: Option<BTreeSet<String>>,
    second: Option<BTreeSet<String>>,
) -> Option<BTreeSet<String>> {
    match (first, second) {
        (None, only) | (only, None) => only,
        (Some(first), Some(second)) => Some(first.intersection(&second).cloned().collect()),
    }
}

/// Scales scores so that the highest is 100; reversed, so that the highest becomes 0.
pub fn default_normalize(scores: Scores<'_>, reverse: bool) {
    let highest = scores.iter().map(|(_, score)| *score).max().unwrap_or(0).max(0);
    for (_, score) in scores {
        if highest != 0 {
            *score = MAX_NODE_SCORE * *score / highest;
        }
        if reverse {
            *score = MAX_NODE_SCORE - *score;
        }
    }
}
