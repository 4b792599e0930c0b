//! Pods.

use super::object::object;
use super::{
    Affinity, LabelSelector, Labels, ObjectMeta, PersistentVolumeClaim, PodStatus, ResourceList,
    Volume,
};

/// The scheduler of pods that name none, and the name of the only profile of a configuration that
/// has none (`k8s.io/api/core/v1` v0.35, `DefaultSchedulerName`).
pub const DEFAULT_SCHEDULER: &str = "default-scheduler";

object! {
    /// A pod.
    pub struct Pod {
        pub metadata: ObjectMeta,
        pub spec: PodSpec,
        pub status: PodStatus,
    }
}

object! {
    /// What a pod asks for.
    pub struct PodSpec {
        pub node_name: String,
        pub scheduler_name: String,
        pub containers: Vec<Container>,
        pub init_containers: Vec<Container>,
        pub overhead: ResourceList,
        /// Pod-level resources.
        pub resources: Option<ResourceRequirements>,
        pub node_selector: Labels,
        pub affinity: Option<Affinity>,
        pub tolerations: Vec<Toleration>,
        pub topology_spread_constraints: Vec<TopologySpreadConstraint>,
        pub priority: Option<i32>,
        pub priority_class_name: String,
        pub preemption_policy: Option<String>,
        pub scheduling_gates: Vec<PodSchedulingGate>,
        pub volumes: Vec<Volume>,
        pub resource_claims: Vec<PodResourceClaim>,
        pub host_network: bool,
        pub restart_policy: String,
        pub termination_grace_period_seconds: Option<i64>,
        pub active_deadline_seconds: Option<i64>,
        pub service_account_name: String,
    }
}

object! {
    /// A container, an init container, or (restart policy `Always`) a sidecar.
    pub struct Container {
        pub name: String,
        pub image: String,
        pub resources: ResourceRequirements,
        pub ports: Vec<ContainerPort>,
        /// Of init containers only.
        pub restart_policy: Option<String>,
    }
}

impl Container {
    /// True for an init container that runs on beside the containers.
    pub fn is_sidecar(&self) -> bool {
        self.restart_policy.as_deref() == Some("Always")
    }
}

object! {
    /// Requests and limits.
    pub struct ResourceRequirements {
        pub requests: ResourceList,
        pub limits: ResourceList,
    }
}

object! {
    /// A port of a container; one with a host port occupies it on the node.
    pub struct ContainerPort {
        pub name: String,
        pub container_port: i32,
        pub host_port: i32,
        #[serde(rename = "hostIP")]
        pub host_ip: String,
        pub protocol: String,
    }
}

object! {
    /// What taint a pod puts up with.
    pub struct Toleration {
        pub key: String,
        pub operator: String,
        pub value: String,
        pub effect: String,
        pub toleration_seconds: Option<i64>,
    }
}

object! {
    /// How pods are to be spread over the domains of a topology.
    pub struct TopologySpreadConstraint {
        pub max_skew: i32,
        pub topology_key: String,
        pub when_unsatisfiable: String,
        pub label_selector: Option<LabelSelector>,
        pub min_domains: Option<i32>,
        pub node_affinity_policy: Option<String>,
        pub node_taints_policy: Option<String>,
        pub match_label_keys: Vec<String>,
    }
}

object! {
    /// Holds a pod back from scheduling until it is taken off.
    pub struct PodSchedulingGate {
        pub name: String,
    }
}

object! {
    /// A claim of dynamic resources (only named: such claims are not modelled).
    pub struct PodResourceClaim {
        pub name: String,
        pub resource_claim_name: Option<String>,
        pub resource_claim_template_name: Option<String>,
    }
}

object! {
    /// What a controller makes pods of.
    pub struct PodTemplateSpec {
        pub metadata: ObjectMeta,
        pub spec: PodSpec,
    }
}

/// The claims that a StatefulSet makes for each of its pods.
pub(super) type ClaimTemplates = Vec<PersistentVolumeClaim>;
