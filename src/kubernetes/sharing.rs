//! How a cluster is shared (`scheduling.x-k8s.io/v1alpha1` of the scheduler-plugins).

use super::object::object;
use super::{ObjectMeta, ResourceList};

object! {
    /// A PodGroup: pods that are of use together only.
    pub struct PodGroup {
        pub metadata: ObjectMeta,
        pub spec: PodGroupSpec,
    }
}

object! {
    /// `spec` of a PodGroup.
    pub struct PodGroupSpec {
        /// So many pods have to have a node before any is bound.
        pub min_member: i32,
        /// What they need together.
        pub min_resources: Option<ResourceList>,
        /// How long a pod waits for the others, in seconds.
        pub schedule_timeout_seconds: Option<i32>,
    }
}

object! {
    /// An ElasticQuota: what a namespace is sure of, and what it may use at most.
    pub struct ElasticQuota {
        pub metadata: ObjectMeta,
        pub spec: ElasticQuotaSpec,
    }
}

object! {
    /// `spec` of an ElasticQuota.
    pub struct ElasticQuotaSpec {
        pub min: Option<ResourceList>,
        pub max: Option<ResourceList>,
    }
}
