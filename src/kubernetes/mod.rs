//! The Kubernetes API as data: its objects, and the pure rules that are defined on them alone.
//!
//! Objects keep what the control plane looks at; unknown fields are ignored, `null` is the same as
//! absent, and text that upstream leaves open (operators, effects, policies) stays text, so that a
//! wrong value can be named in an error. Semantics are those of Kubernetes v1.35.

pub mod amounts;
mod apps;
mod batch;
mod core;
pub mod labels;
mod list;
mod meta;
mod node;
pub mod node_selector;
mod object;
mod pod;
mod pod_affinity;
mod pod_status;
mod policy;
pub mod ports;
mod quantity;
pub mod requests;
mod sharing;
mod storage;
pub mod text;
mod time;
pub mod tolerations;

pub use apps::{
    DaemonSet, DaemonSetSpec, Deployment, DeploymentSpec, DeploymentStatus, DeploymentStrategy,
    ReplicaSet, ReplicaSetSpec, ReplicaSetStatus, ReplicationController, ReplicationControllerSpec,
    RollingUpdate, StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy, UpdateStrategy,
};
pub use batch::{
    ExitCodesRequirement, Job, JobSpec, JobStatus, PodConditionPattern, PodFailurePolicy,
    PodFailurePolicyRule, UncountedTerminatedPods,
};
pub use core::{Namespace, Service, ServiceSpec};
pub use list::{List, Object, ObjectError};
pub use meta::{
    Condition, IntOrString, LabelSelector, LabelSelectorRequirement, Labels, ObjectMeta,
    OwnerReference,
};
pub use node::{ContainerImage, Node, NodeSpec, NodeStatus, Taint};
pub use pod::{
    Container, ContainerPort, DEFAULT_SCHEDULER, Pod, PodResourceClaim, PodSchedulingGate, PodSpec,
    PodTemplateSpec, ResourceRequirements, Toleration, TopologySpreadConstraint,
};
pub use pod_affinity::{
    Affinity, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodAffinity,
    PodAffinityTerm, PreferredSchedulingTerm, WeightedPodAffinityTerm,
};
pub use pod_status::{
    ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
    ContainerStatus, PodStatus,
};
pub use policy::{
    PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus, PriorityClass,
};
pub use quantity::{Format, Quantity, QuantityError};
pub use sharing::{ElasticQuota, ElasticQuotaSpec, PodGroup, PodGroupSpec};
pub use storage::{
    AzureDiskVolumeSource, CsiDriver, CsiDriverSpec, CsiNode, CsiNodeDriver, CsiNodeSpec,
    CsiStorageCapacity, CsiVolumeSource, EphemeralVolumeSource, GcePersistentDisk,
    IscsiVolumeSource, ObjectReference, PersistentVolume, PersistentVolumeClaim,
    PersistentVolumeClaimSpec, PersistentVolumeClaimStatus, PersistentVolumeClaimVolumeSource,
    PersistentVolumeSpec, PersistentVolumeStatus, RbdVolumeSource, StorageClass,
    TopologySelectorLabelRequirement, TopologySelectorTerm, Volume, VolumeIdSource,
    VolumeNodeAffinity, VolumeNodeResources,
};
pub use time::{Time, TimeError};

use std::collections::BTreeMap;

/// Amounts by resource name.
pub type ResourceList = BTreeMap<String, Quantity>;
