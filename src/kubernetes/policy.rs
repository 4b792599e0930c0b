//! Disruption budgets and priorities.

use std::collections::BTreeMap;

use super::object::object;
use super::{Condition, IntOrString, LabelSelector, ObjectMeta, Time};

object! {
    /// A PodDisruptionBudget.
    pub struct PodDisruptionBudget {
        pub metadata: ObjectMeta,
        pub spec: PodDisruptionBudgetSpec,
        pub status: PodDisruptionBudgetStatus,
    }
}

object! {
    /// `spec` of a PodDisruptionBudget.
    pub struct PodDisruptionBudgetSpec {
        pub min_available: Option<IntOrString>,
        pub max_unavailable: Option<IntOrString>,
        pub selector: Option<LabelSelector>,
        pub unhealthy_pod_eviction_policy: Option<String>,
    }
}

object! {
    /// `status` of a PodDisruptionBudget.
    pub struct PodDisruptionBudgetStatus {
        pub observed_generation: i64,
        /// Pods whose disruption is under way, by name.
        pub disrupted_pods: BTreeMap<String, Time>,
        pub disruptions_allowed: i32,
        pub current_healthy: i32,
        pub desired_healthy: i32,
        pub expected_pods: i32,
        pub conditions: Vec<Condition>,
    }
}

object! {
    /// A PriorityClass.
    pub struct PriorityClass {
        pub metadata: ObjectMeta,
        pub value: i32,
        pub global_default: bool,
        pub preemption_policy: Option<String>,
        pub description: String,
    }
}
