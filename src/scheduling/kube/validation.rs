//! Whether arguments of plugins make sense
//! (`apis/config/validation/validation_pluginargs.go` of kube-scheduler v1.35).

use std::collections::BTreeSet;
use std::fmt;

use super::args::{
    BalancedAllocationArgs, CoschedulingArgs, Defaulting, InterPodAffinityArgs, NodeAffinityArgs,
    PreemptionArgs, ResourceSpec, ResourcesFitArgs, TopologySpreadArgs, UtilizationShapePoint,
    VolumeBindingArgs,
};
use crate::kubernetes::TopologySpreadConstraint;
use crate::kubernetes::labels::check_key;
use crate::kubernetes::node_selector::{NodeMatcher, PreferredNodes};

/// A field that has no valid value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Such as `scoringStrategy.resources[0].weight`.
    pub field: String,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.problem)
    }
}

/// Collects what is wrong.
#[derive(Default)]
struct Problems(Vec<FieldError>);

impl Problems {
    fn add(&mut self, field: impl Into<String>, problem: impl Into<String>) {
        self.0.push(FieldError { field: field.into(), problem: problem.into() });
    }

    fn range(&mut self, field: impl Into<String>, value: i32, low: i32, high: i32) {
        if !(low..=high).contains(&value) {
            self.add(field, format!("{value} is not in the valid range [{low}, {high}]"));
        }
    }

    fn label_name(&mut self, field: &str, name: &str) {
        if let Err(error) = check_key(name) {
            self.add(field, error);
        }
    }

    fn done(self) -> Result<(), Vec<FieldError>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}

impl CoschedulingArgs {
    /// Checks them.
    ///
    /// # Errors
    ///
    /// Every field that has no valid value.
    pub fn validate(&self) -> Result<(), Vec<FieldError>> {
        let mut problems = Problems::default();
        for (field, seconds) in [
            ("permitWaitingTimeSeconds", self.permit_waiting_time_seconds),
            ("podGroupBackoffSeconds", self.pod_group_backoff_seconds),
        ] {
            if seconds < 0 {
                problems.add(field, format!("{seconds} is negative; expected 0 or more"));
            }
        }
        problems.range("podGroupRejectPercentage", self.pod_group_reject_percentage, 0, 100);
        problems.done()
    }
}

impl PreemptionArgs {
    /// Checks the arguments.
    ///
    /// # Errors
    ///
    /// The fields that have no valid value; the same for all that follow.
    pub fn validate(&self) -> Result<(), Vec<FieldError>> {
        let (percentage, absolute) = ("minCandidateNodesPercentage", "minCandidateNodesAbsolute");
        let mut problems = Problems::default();
        problems.range(percentage, self.min_candidate_nodes_percentage, 0, 100);
        problems.range(absolute, self.min_candidate_nodes_absolute, 0, i32::MAX);
        if self.min_candidate_nodes_percentage == 0 && self.min_candidate_nodes_absolute == 0 {
            problems.add(percentage, format!("cannot be zero at the same time as {absolute}"));
            problems.add(absolute, format!("cannot be zero at the same time as {percentage}"));
        }
        problems.done()
    }
}

impl InterPodAffinityArgs {
    /// Checks the arguments.
    ///
    /// # Errors
    ///
    /// See [`PreemptionArgs::validate`].
    pub fn validate(&self) -> Result<(), Vec<FieldError>> {
        let mut problems = Problems::default();
        problems.range("hardPodAffinityWeight", self.hard_pod_affinity_weight, 0, 100);
        problems.done()
    }
}

impl TopologySpreadArgs {
    /// Checks the arguments.
    ///
    /// # Errors
    ///
    /// See [`PreemptionArgs::validate`].
    pub fn validate(&self) -> Result<(), Vec<FieldError>> {
        let constraints = self.default_constraints.as_deref().unwrap_or_default();
        let mut problems = Problems::default();
        if self.defaulting_type == Defaulting::System && !constraints.is_empty() {
            problems.add("defaultingType", "System, when .defaultConstraints are not empty");
        }
        for (index, constraint) in constraints.iter().enumerate() {
            let path = format!("defaultConstraints[{index}]");
            check_constraint(&mut problems, &path, constraint);
            let same = |other: &TopologySpreadConstraint| {
                other.topology_key == constraint.topology_key
                    && other.when_unsatisfiable == constraint.when_unsatisfiable
            };
            if constraints[..index].iter().any(same) {
                problems.add(path, "repeats an earlier constraint");
            }
        }
        problems.done()
    }
}

fn check_constraint(problems: &mut Problems, path: &str, constraint: &TopologySpreadConstraint) {
    if constraint.max_skew <= 0 {
        problems.add(format!("{path}.maxSkew"), "not in the valid range (0, inf)");
    }
    let key = format!("{path}.topologyKey");
    if constraint.topology_key.is_empty() {
        problems.add(key, "can not be empty");
    } else {
        problems.label_name(&key, &constraint.topology_key);
    }
    match constraint.when_unsatisfiable.as_str() {
        "DoNotSchedule" | "ScheduleAnyway" => {}
        "" => problems.add(format!("{path}.whenUnsatisfiable"), "can not be empty"),
        other => problems.add(
            format!("{path}.whenUnsatisfiable"),
            format!("`{other}`: expected `DoNotSchedule` or `ScheduleAnyway`"),
        ),
    }
    if constraint.label_selector.is_some() {
        problems.add(
            format!("{path}.labelSelector"),
            "constraint must not define a selector, as they deduced for each pod",
        );
    }
}

impl NodeAffinityArgs {
    /// Checks the arguments.
    ///
    /// # Errors
    ///
    /// See [`PreemptionArgs::validate`].
    pub fn validate(&self) -> Result<(), Vec<FieldError>> {
        let mut problems = Problems::default();
        let Some(affinity) = &self.added_affinity else { return Ok(()) };
        if let Some(required) = &affinity.required {
            for error in NodeMatcher::new(required).errors() {
                let field = "addedAffinity.requiredDuringSchedulingIgnoredDuringExecution";
                problems.add(field, error);
            }
        }
        if let Err(error) = PreferredNodes::new(&affinity.preferred) {
            problems.add("addedAffinity.preferredDuringSchedulingIgnoredDuringExecution", error);
        }
        problems.done()
    }
}

impl VolumeBindingArgs {
    /// Checks the arguments.
    ///
    /// # Errors
    ///
    /// See [`PreemptionArgs::validate`].
    pub fn validate(&self) -> Result<(), Vec<FieldError>> {
        let mut problems = Problems::default();
        if self.bind_timeout_seconds < 0 {
            problems.add(
                "bindTimeoutSeconds",
                "invalid BindTimeoutSeconds, should not be a negative value",
            );
        }
        if self.shape.is_some() {
            problems.add(
                "shape",
                "unexpected field `shape`, feature StorageCapacityScoring is not enabled",
            );
        }
        problems.done()
    }
}

impl ResourcesFitArgs {
    /// Checks the arguments.
    ///
    /// # Errors
    ///
    /// See [`PreemptionArgs::validate`].
    pub fn validate(&self) -> Result<(), Vec<FieldError>> {
        let mut problems = Problems::default();
        for (index, name) in self.ignored_resources.iter().enumerate() {
            problems.label_name(&format!("ignoredResources[{index}]"), name);
        }
        for (index, group) in self.ignored_resource_groups.iter().enumerate() {
            let path = format!("ignoredResourceGroups[{index}]");
            if group.contains('/') {
                problems.add(&path, "resource group name can't contain '/'");
            }
            problems.label_name(&path, group);
        }
        if let Some(strategy) = &self.scoring_strategy {
            let resources = strategy.resources.as_deref().unwrap_or_default();
            check_weights(&mut problems, resources);
            if let Some(line) = &strategy.requested_to_capacity_ratio {
                check_shape(&mut problems, &line.shape);
            }
        }
        problems.done()
    }
}

fn check_weights(problems: &mut Problems, resources: &[ResourceSpec]) {
    for (index, resource) in resources.iter().enumerate() {
        if !(1..=100).contains(&resource.weight) {
            problems.add(
                format!("scoringStrategy.resources[{index}].weight"),
                format!("resource weight of {} not in valid range (0, 100]", resource.name),
            );
        }
    }
}

fn check_shape(problems: &mut Problems, shape: &[UtilizationShapePoint]) {
    if shape.is_empty() {
        problems.add("scoringStrategy.shape", "at least one point must be specified");
    }
    if let Some(step) = shape.windows(2).position(|pair| pair[0].utilization >= pair[1].utilization)
    {
        problems.add(
            format!("scoringStrategy.shape[{}].utilization", step + 1),
            "values must be sorted in increasing order",
        );
    }
    for (index, point) in shape.iter().enumerate() {
        let path = format!("scoringStrategy.shape[{index}]");
        problems.range(format!("{path}.utilization"), point.utilization, 0, 100);
        problems.range(format!("{path}.score"), point.score, 0, 10);
    }
}

impl BalancedAllocationArgs {
    /// Checks the arguments.
    ///
    /// # Errors
    ///
    /// See [`PreemptionArgs::validate`].
    pub fn validate(&self) -> Result<(), Vec<FieldError>> {
        let mut problems = Problems::default();
        let mut seen = BTreeSet::new();
        for (index, resource) in self.resources.iter().flatten().enumerate() {
            if !seen.insert(&resource.name) {
                problems.add(format!("resources[{index}].name"), "is there already");
            }
            if resource.weight != 1 {
                problems.add(format!("resources[{index}].weight"), "must be 1");
            }
        }
        problems.done()
    }
}
