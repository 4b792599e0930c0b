//! NodeResourcesBalancedAllocation: nodes on which resources are used evenly are preferred.

use super::resource_score::ResourceScore;
use crate::scheduling::kube::args::BalancedAllocationArgs;
use crate::scheduling::kube::{
    Cache, NodeId, NodeInfo, Part, Plugin, PodInfo, Prepared, State, Status,
};

/// The plugin.
#[derive(Debug, Clone)]
pub struct BalancedAllocation {
    score: ResourceScore,
}

impl BalancedAllocation {
    /// The plugin with valid arguments.
    pub fn new(args: &BalancedAllocationArgs) -> Self {
        Self { score: ResourceScore::balanced(args.resources.as_deref().unwrap_or_default()) }
    }

    /// How it scores.
    pub fn scoring(&self) -> &ResourceScore {
        &self.score
    }
}

impl Plugin for BalancedAllocation {
    fn name(&self) -> &'static str {
        "NodeResourcesBalancedAllocation"
    }

    fn part(&self) -> Part {
        Part::Balanced(self.clone())
    }

    fn scores(&self) -> bool {
        true
    }

    fn pre_score(&self, cache: &Cache, pod: &PodInfo, _nodes: &[NodeId]) -> Prepared {
        let amounts = self.score.prepare(&pod.template, cache);
        if amounts.is_best_effort() { Prepared::Skip } else { Prepared::with(amounts) }
    }

    fn score(
        &self,
        state: Option<&dyn State>,
        cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Result<i64, Status> {
        if state.is_none() && self.score.prepare(&pod.template, cache).is_best_effort() {
            return Ok(0);
        }
        self.score.score(state, cache, &pod.template, node)
    }
}
