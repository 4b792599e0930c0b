//! A cell as objects: what comes of the expansion.

use crate::kubernetes::{PersistentVolumeClaim, Pod, ReplicaSet};
use crate::workload::kubernetes::read::Manifests;

/// What owns pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnerKind {
    /// A Deployment, through its ReplicaSets.
    Deployment,
    /// A ReplicaSet of nobody.
    ReplicaSet,
    /// A ReplicationController.
    ReplicationController,
    /// A StatefulSet.
    StatefulSet,
    /// A DaemonSet.
    DaemonSet,
    /// A Job.
    Job,
}

impl OwnerKind {
    /// Its `kind`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::ReplicaSet => "ReplicaSet",
            Self::ReplicationController => "ReplicationController",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
        }
    }

    pub(super) fn api_version(self) -> &'static str {
        match self {
            Self::Deployment | Self::ReplicaSet | Self::StatefulSet | Self::DaemonSet => "apps/v1",
            Self::ReplicationController => "v1",
            Self::Job => "batch/v1",
        }
    }
}

/// A workload that wants pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// What it is.
    pub kind: OwnerKind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// How many pods it wants at a time. Of a DaemonSet: one for each node that takes it.
    pub replicas: u32,
    /// Of a Job: how many pods have to succeed in all; `None` if one is enough.
    pub completions: Option<u32>,
}

/// A pod, or pods that are all the same, and whose they are.
#[derive(Debug, Clone, PartialEq)]
pub struct CellPod {
    /// The pod. Of several, the name is missing: only `metadata.generateName` is there.
    pub pod: Pod,
    /// How many there are: replicas that a controller makes of one template.
    pub copies: u32,
    /// The place of its owner in the list of owners, if it has one there.
    pub owner: Option<usize>,
    /// True if it was made here, false if a file has it.
    pub made: bool,
}

/// Nodes, pods and what is around them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KubernetesCell {
    /// All objects; pods, ReplicaSets and claims that were made here are not among them, see below.
    pub objects: Manifests,
    /// ReplicaSets, of the files and of Deployments.
    pub replica_sets: Vec<ReplicaSet>,
    /// Claims, of the files and of StatefulSets.
    pub claims: Vec<PersistentVolumeClaim>,
    /// Pods that are there or wanted; those of the files first.
    pub pods: Vec<CellPod>,
    /// Workloads.
    pub owners: Vec<Owner>,
    /// How many pods of the files have ended; they are left out.
    pub ended: usize,
}

/// A workload that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {namespace}/{name}: {message}")]
pub struct ExpandError {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What is wrong.
    pub message: String,
}
