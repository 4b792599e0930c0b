//! What objects of every kind carry, and the small types they share.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Time;
use super::object::object;

/// Labels or annotations.
pub type Labels = BTreeMap<String, String>;

object! {
    /// `metadata` of any object.
    pub struct ObjectMeta {
        pub name: String,
        pub generate_name: String,
        pub namespace: String,
        pub uid: String,
        pub resource_version: String,
        pub generation: i64,
        pub labels: Labels,
        pub annotations: Labels,
        pub creation_timestamp: Option<Time>,
        pub deletion_timestamp: Option<Time>,
        pub deletion_grace_period_seconds: Option<i64>,
        pub owner_references: Vec<OwnerReference>,
        pub finalizers: Vec<String>,
    }
}

object! {
    /// Who made an object.
    pub struct OwnerReference {
        pub api_version: String,
        pub kind: String,
        pub name: String,
        pub uid: String,
        pub controller: Option<bool>,
        pub block_owner_deletion: Option<bool>,
    }
}

impl ObjectMeta {
    /// The one owner that manages the object.
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller == Some(true))
    }
}

object! {
    /// A selector of labels. Absent, it selects nothing; empty, everything.
    pub struct LabelSelector {
        pub match_labels: Labels,
        pub match_expressions: Vec<LabelSelectorRequirement>,
    }
}

object! {
    /// One condition on labels: `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub struct LabelSelectorRequirement {
        pub key: String,
        pub operator: String,
        pub values: Vec<String>,
    }
}

object! {
    /// A condition of a pod, a node or a workload.
    pub struct Condition {
        #[serde(rename = "type")]
        pub kind: String,
        pub status: String,
        pub reason: String,
        pub message: String,
        pub last_heartbeat_time: Option<Time>,
        pub last_probe_time: Option<Time>,
        pub last_transition_time: Option<Time>,
        pub observed_generation: i64,
    }
}

/// A number, or text such as `25%`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IntOrString {
    Int(i32),
    String(String),
}

impl Default for IntOrString {
    fn default() -> Self {
        Self::Int(0)
    }
}
