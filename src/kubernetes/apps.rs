//! Workloads that run on.

use super::object::object;
use super::pod::ClaimTemplates;
use super::{Condition, IntOrString, LabelSelector, Labels, ObjectMeta, PodTemplateSpec};

object! {
    /// A Deployment.
    pub struct Deployment {
        pub metadata: ObjectMeta,
        pub spec: DeploymentSpec,
        pub status: DeploymentStatus,
    }
}

object! {
    /// `spec` of a Deployment.
    pub struct DeploymentSpec {
        pub replicas: Option<i32>,
        pub selector: Option<LabelSelector>,
        pub template: PodTemplateSpec,
        pub strategy: DeploymentStrategy,
        pub min_ready_seconds: i32,
        pub revision_history_limit: Option<i32>,
        pub paused: bool,
        pub progress_deadline_seconds: Option<i32>,
    }
}

object! {
    /// How a Deployment replaces its pods: `RollingUpdate` or `Recreate`.
    pub struct DeploymentStrategy {
        #[serde(rename = "type")]
        pub kind: String,
        pub rolling_update: Option<RollingUpdate>,
    }
}

object! {
    /// How far a rolling update may go beyond and below the number of replicas.
    pub struct RollingUpdate {
        pub max_unavailable: Option<IntOrString>,
        pub max_surge: Option<IntOrString>,
        /// Of StatefulSets only.
        pub partition: Option<i32>,
    }
}

object! {
    /// `status` of a Deployment.
    pub struct DeploymentStatus {
        pub observed_generation: i64,
        pub replicas: i32,
        pub updated_replicas: i32,
        pub ready_replicas: i32,
        pub available_replicas: i32,
        pub unavailable_replicas: i32,
        pub conditions: Vec<Condition>,
    }
}

object! {
    /// A ReplicaSet.
    pub struct ReplicaSet {
        pub metadata: ObjectMeta,
        pub spec: ReplicaSetSpec,
        pub status: ReplicaSetStatus,
    }
}

object! {
    /// `spec` of a ReplicaSet.
    pub struct ReplicaSetSpec {
        pub replicas: Option<i32>,
        pub min_ready_seconds: i32,
        pub selector: Option<LabelSelector>,
        pub template: PodTemplateSpec,
    }
}

object! {
    /// `status` of a ReplicaSet.
    pub struct ReplicaSetStatus {
        pub replicas: i32,
        pub fully_labeled_replicas: i32,
        pub ready_replicas: i32,
        pub available_replicas: i32,
        pub observed_generation: i64,
        pub conditions: Vec<Condition>,
    }
}

object! {
    /// A ReplicationController.
    pub struct ReplicationController {
        pub metadata: ObjectMeta,
        pub spec: ReplicationControllerSpec,
        pub status: ReplicaSetStatus,
    }
}

object! {
    /// `spec` of a ReplicationController.
    pub struct ReplicationControllerSpec {
        pub replicas: Option<i32>,
        pub min_ready_seconds: i32,
        pub selector: Labels,
        pub template: Option<PodTemplateSpec>,
    }
}

object! {
    /// A StatefulSet.
    pub struct StatefulSet {
        pub metadata: ObjectMeta,
        pub spec: StatefulSetSpec,
    }
}

object! {
    /// `spec` of a StatefulSet.
    pub struct StatefulSetSpec {
        pub replicas: Option<i32>,
        pub selector: Option<LabelSelector>,
        pub template: PodTemplateSpec,
        pub volume_claim_templates: ClaimTemplates,
        pub service_name: String,
        pub pod_management_policy: String,
        pub update_strategy: StatefulSetUpdateStrategy,
        pub min_ready_seconds: i32,
    }
}

/// How a StatefulSet replaces its pods: `RollingUpdate` or `OnDelete`.
pub type StatefulSetUpdateStrategy = UpdateStrategy;

object! {
    /// How a StatefulSet or DaemonSet replaces its pods: `RollingUpdate` or `OnDelete`.
    pub struct UpdateStrategy {
        #[serde(rename = "type")]
        pub kind: String,
        pub rolling_update: Option<RollingUpdate>,
    }
}

object! {
    /// A DaemonSet.
    pub struct DaemonSet {
        pub metadata: ObjectMeta,
        pub spec: DaemonSetSpec,
    }
}

object! {
    /// `spec` of a DaemonSet.
    pub struct DaemonSetSpec {
        pub selector: Option<LabelSelector>,
        pub template: PodTemplateSpec,
        pub update_strategy: UpdateStrategy,
        pub min_ready_seconds: i32,
    }
}
