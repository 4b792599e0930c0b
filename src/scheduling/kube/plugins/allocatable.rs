//! NodeResourcesAllocatable: small nodes first, or large ones, whatever is on them
//! (`pkg/noderesources/allocatable.go` of the scheduler-plugins). Not in the default profile.

use serde::Deserialize;

use crate::kubernetes::ResourceList;
use crate::scheduling::kube::args::ResourceSpec;
use crate::scheduling::kube::{
    Cache, FieldError, MAX_NODE_SCORE, NodeInfo, Plugin, PodInfo, Scores, State, Status,
};

/// Which nodes are first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum AllocatableMode {
    /// Small ones.
    #[default]
    Least,
    /// Large ones.
    Most,
}

/// Arguments of NodeResourcesAllocatable.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AllocatableArgs {
    /// What counts, and how much; nothing is cpu (2²⁰ per thousandth) and memory (1 per byte).
    pub resources: Option<Vec<ResourceSpec>>,
    /// Which nodes are first.
    pub mode: AllocatableMode,
}

impl AllocatableArgs {
    /// Checks the arguments.
    ///
    /// # Errors
    ///
    /// The fields that have no valid value.
    pub fn validate(&self) -> Result<(), Vec<FieldError>> {
        let wrong: Vec<FieldError> = self
            .resources
            .iter()
            .flatten()
            .enumerate()
            .filter(|(_, resource)| resource.weight <= 0)
            .map(|(index, ResourceSpec { name, weight })| FieldError {
                field: format!("resources[{index}].weight"),
                problem: format!(
                    "Invalid value: {weight}: resource weight of {name} should be a positive \
                     value, got :{weight}"
                ),
            })
            .collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

/// The plugin.
#[derive(Debug, Clone)]
pub struct Allocatable {
    resources: Vec<ResourceSpec>,
    mode: AllocatableMode,
}

impl Allocatable {
    /// The plugin with these arguments, which have to be valid.
    pub fn new(args: &AllocatableArgs) -> Self {
        let spec = |name: &str, weight| ResourceSpec { name: name.to_owned(), weight };
        let given = args.resources.clone().filter(|resources| !resources.is_empty());
        let resources = given.unwrap_or_else(|| vec![spec("cpu", 1 << 20), spec("memory", 1)]);
        Self { resources, mode: args.mode }
    }

    /// The weighted mean of what a node has; thousandths of cpu, units of anything else.
    fn size(&self, allocatable: &ResourceList) -> i64 {
        let (mut sum, mut weights) = (0_i128, 0_i128);
        for resource in &self.resources {
            let quantity = allocatable.get(&resource.name).copied().unwrap_or_default();
            let cpu = resource.name == "cpu";
            let amount = if cpu { quantity.milli_value() } else { quantity.value() };
            sum += i128::from(amount) * i128::from(resource.weight);
            weights += i128::from(resource.weight);
        }
        i64::try_from(sum / weights.max(1)).unwrap_or(i64::MAX)
    }
}

impl Plugin for Allocatable {
    fn name(&self) -> &'static str {
        "NodeResourcesAllocatable"
    }

    fn scores(&self) -> bool {
        true
    }

    fn score(
        &self,
        _state: Option<&dyn State>,
        _cache: &Cache,
        _pod: &PodInfo,
        node: &NodeInfo,
    ) -> Result<i64, Status> {
        let size = self.size(&node.node.status.allocatable);
        Ok(match self.mode {
            AllocatableMode::Least => -size,
            AllocatableMode::Most => size,
        })
    }

    /// The lowest score becomes 0, the highest 100; if all are the same, all become 0.
    fn normalize(&self, _state: Option<&dyn State>, scores: Scores<'_>) {
        let values = scores.iter().map(|(_, score)| *score);
        let (Some(lowest), Some(highest)) = (values.clone().min(), values.max()) else { return };
        let range = i128::from(highest) - i128::from(lowest);
        for (_, score) in scores {
            let above = i128::from(*score) - i128::from(lowest);
            let scaled = if range == 0 { 0 } else { above * i128::from(MAX_NODE_SCORE) / range };
            *score = i64::try_from(scaled).unwrap_or(MAX_NODE_SCORE);
        }
    }
}
