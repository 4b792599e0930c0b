//! Arguments of plugins (`kubescheduler.config.k8s.io/v1`).

use serde::Deserialize;

use crate::kubernetes::{NodeAffinity, TopologySpreadConstraint};

/// Arguments of DefaultPreemption.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PreemptionArgs {
    /// Look for victims on at least this share of the nodes.
    pub min_candidate_nodes_percentage: i32,
    /// Look for victims on at least so many nodes.
    pub min_candidate_nodes_absolute: i32,
}

impl Default for PreemptionArgs {
    fn default() -> Self {
        Self { min_candidate_nodes_percentage: 10, min_candidate_nodes_absolute: 100 }
    }
}

/// Arguments of Coscheduling (`CoschedulingArgs` of the scheduler-plugins).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct CoschedulingArgs {
    /// How long a pod waits for the others of its group.
    pub permit_waiting_time_seconds: i64,
    /// How long a group is left alone after it was rejected.
    pub pod_group_backoff_seconds: i64,
    /// A group that lacks no more than this share of its members is not rejected.
    pub pod_group_reject_percentage: i32,
}

impl Default for CoschedulingArgs {
    fn default() -> Self {
        Self {
            permit_waiting_time_seconds: 60,
            pod_group_backoff_seconds: 0,
            pod_group_reject_percentage: 10,
        }
    }
}

/// Arguments of InterPodAffinity.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct InterPodAffinityArgs {
    /// What a required term of another pod that means this one is worth.
    pub hard_pod_affinity_weight: i32,
    /// Whether pods without preferences leave those of others out.
    pub ignore_preferred_terms_of_existing_pods: bool,
}

impl Default for InterPodAffinityArgs {
    fn default() -> Self {
        Self { hard_pod_affinity_weight: 1, ignore_preferred_terms_of_existing_pods: false }
    }
}

/// Where the constraints of pods without any come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Defaulting {
    /// From the system: hosts and zones.
    #[default]
    System,
    /// From the list in the arguments.
    List,
}

/// Arguments of PodTopologySpread.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct TopologySpreadArgs {
    /// Constraints of pods without any, where they come from here.
    pub default_constraints: Option<Vec<TopologySpreadConstraint>>,
    /// Where those come from.
    pub defaulting_type: Defaulting,
}

/// Arguments of NodeAffinity.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NodeAffinityArgs {
    /// Node affinity that every pod has beside its own.
    pub added_affinity: Option<NodeAffinity>,
}

/// Arguments of VolumeBinding.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct VolumeBindingArgs {
    /// How long binding may take, in seconds. It takes no time here.
    pub bind_timeout_seconds: i64,
    /// How capacity is scored, which upstream does only behind a gate that is off by default.
    pub shape: Option<Vec<UtilizationShapePoint>>,
}

impl Default for VolumeBindingArgs {
    fn default() -> Self {
        Self { bind_timeout_seconds: 600, shape: None }
    }
}

/// A resource and its weight.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ResourceSpec {
    /// Its name.
    pub name: String,
    /// Its weight.
    pub weight: i64,
}

/// Cpu and memory, with equal weight.
pub fn default_resources() -> Vec<ResourceSpec> {
    ["cpu", "memory"].map(|name| ResourceSpec { name: name.to_owned(), weight: 1 }).into()
}

/// How NodeResourcesFit scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum ScoringStrategyType {
    /// Empty nodes first.
    #[default]
    LeastAllocated,
    /// Full nodes first.
    MostAllocated,
    /// By a line through given points.
    RequestedToCapacityRatio,
}

/// A point of that line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct UtilizationShapePoint {
    /// From 0 to 100.
    pub utilization: i32,
    /// From 0 to 10.
    pub score: i32,
}

/// That line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RequestedToCapacityRatioParam {
    /// Its points, by utilization.
    pub shape: Vec<UtilizationShapePoint>,
}

/// How NodeResourcesFit scores, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ScoringStrategy {
    /// How.
    #[serde(rename = "type")]
    pub kind: ScoringStrategyType,
    /// By which resources.
    pub resources: Option<Vec<ResourceSpec>>,
    /// The line, where it is scored by one.
    pub requested_to_capacity_ratio: Option<RequestedToCapacityRatioParam>,
}

/// Arguments of NodeResourcesFit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ResourcesFitArgs {
    /// Extended resources that are not looked at.
    #[serde(deserialize_with = "null_is_empty")]
    pub ignored_resources: Vec<String>,
    /// Groups (what is before the slash) of extended resources that are not looked at.
    #[serde(deserialize_with = "null_is_empty")]
    pub ignored_resource_groups: Vec<String>,
    /// How it scores; `None` for the default.
    pub scoring_strategy: Option<ScoringStrategy>,
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

impl ResourcesFitArgs {
    /// How it scores.
    pub fn scoring_strategy(&self) -> ScoringStrategy {
        self.scoring_strategy.clone().unwrap_or_else(|| ScoringStrategy {
            resources: Some(default_resources()),
            ..ScoringStrategy::default()
        })
    }

    /// Fills in what was left out: resources, and weights of 0.
    #[must_use]
    pub fn defaulted(mut self) -> Self {
        let mut strategy = self.scoring_strategy();
        strategy.resources = Some(defaulted(strategy.resources));
        self.scoring_strategy = Some(strategy);
        self
    }
}

/// Arguments of NodeResourcesBalancedAllocation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct BalancedAllocationArgs {
    /// The resources that are to be used evenly.
    pub resources: Option<Vec<ResourceSpec>>,
}

impl BalancedAllocationArgs {
    /// Fills in what was left out.
    #[must_use]
    pub fn defaulted(mut self) -> Self {
        self.resources = Some(defaulted(self.resources));
        self
    }
}

fn defaulted(resources: Option<Vec<ResourceSpec>>) -> Vec<ResourceSpec> {
    let mut resources = resources.filter(|list| !list.is_empty()).unwrap_or_else(default_resources);
    for resource in &mut resources {
        if resource.weight == 0 {
            resource.weight = 1;
        }
    }
    resources
}
