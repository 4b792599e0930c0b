//! An object of any kind, and lists of them.

use serde::Deserialize;
use serde_json::Value;

use super::{
    CsiDriver, CsiNode, CsiStorageCapacity, DaemonSet, Deployment, ElasticQuota, Job, Namespace,
    Node, PersistentVolume, PersistentVolumeClaim, Pod, PodDisruptionBudget, PodGroup,
    PriorityClass, ReplicaSet, ReplicationController, Service, StatefulSet, StorageClass,
};

/// Why a document is no object.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// There is no `kind`.
    #[error("an object without `kind`")]
    NoKind,
    /// A field has the wrong form.
    #[error("{kind} `{name}`: {source}")]
    Malformed {
        /// Its `kind`.
        kind: String,
        /// Its `metadata.name`.
        name: String,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// Kinds that several groups of the API have, with the group that is meant.
const AMBIGUOUS: [(&str, &str); 2] =
    [("PodGroup", "scheduling.x-k8s.io/"), ("ElasticQuota", "scheduling.x-k8s.io/")];

/// True for an object whose kind is called like one that is looked at, and that is another. Items
/// of a list may leave out whose they are.
fn is_of_another_group(kind: &str, value: &Value) -> bool {
    let Some(version) = value.get("apiVersion").and_then(Value::as_str) else { return false };
    AMBIGUOUS.iter().any(|(name, group)| *name == kind && !version.starts_with(group))
}

macro_rules! objects {
    ($($kind:literal => $variant:ident($type:ty),)*) => {
        /// An object of any kind that the control plane looks at.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(clippy::large_enum_variant, missing_docs)]
        pub enum Object {
            $($variant($type),)*
            /// An object of another kind, by its kind.
            Other(String),
        }

        impl Object {
            /// Reads an object.
            ///
            /// # Errors
            ///
            /// If there is no `kind`, or a known field has the wrong form.
            pub fn from_value(value: &Value) -> Result<Self, ObjectError> {
                let kind = value.get("kind").and_then(Value::as_str).ok_or(ObjectError::NoKind)?;
                let read = match kind {
                    _ if is_of_another_group(kind, value) => Ok(Self::Other(kind.to_owned())),
                    $($kind => <$type>::deserialize(value).map(Self::$variant),)*
                    _ => Ok(Self::Other(kind.to_owned())),
                };
                read.map_err(|source| {
                    let name = value.pointer("/metadata/name").and_then(Value::as_str);
                    ObjectError::Malformed {
                        kind: kind.to_owned(),
                        name: name.unwrap_or_default().to_owned(),
                        source,
                    }
                })
            }
        }
    };
}

objects! {
    "Pod" => Pod(Pod),
    "Node" => Node(Node),
    "Namespace" => Namespace(Namespace),
    "Service" => Service(Service),
    "ReplicaSet" => ReplicaSet(ReplicaSet),
    "Deployment" => Deployment(Deployment),
    "StatefulSet" => StatefulSet(StatefulSet),
    "DaemonSet" => DaemonSet(DaemonSet),
    "Job" => Job(Job),
    "ReplicationController" => ReplicationController(ReplicationController),
    "PodDisruptionBudget" => PodDisruptionBudget(PodDisruptionBudget),
    "PriorityClass" => PriorityClass(PriorityClass),
    "PersistentVolume" => PersistentVolume(PersistentVolume),
    "PersistentVolumeClaim" => PersistentVolumeClaim(PersistentVolumeClaim),
    "StorageClass" => StorageClass(StorageClass),
    "CSINode" => CsiNode(CsiNode),
    "PodGroup" => PodGroup(PodGroup),
    "ElasticQuota" => ElasticQuota(ElasticQuota),
    "CSIDriver" => CsiDriver(CsiDriver),
    "CSIStorageCapacity" => CsiStorageCapacity(CsiStorageCapacity),
}

/// A list of objects of any kinds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct List {
    /// The objects, in their order.
    pub items: Vec<Object>,
}

impl List {
    /// Reads an object or a list: `List`, or a list of one kind such as `PodList`, whose items may
    /// leave out their `kind`.
    ///
    /// # Errors
    ///
    /// If an object cannot be read.
    pub fn from_value(value: &Value) -> Result<Self, ObjectError> {
        let kind = value.get("kind").and_then(Value::as_str).ok_or(ObjectError::NoKind)?;
        let Some(item_kind) = kind.strip_suffix("List") else {
            return Ok(Self { items: vec![Object::from_value(value)?] });
        };
        let mut items = Vec::new();
        for item in value.get("items").and_then(Value::as_array).into_iter().flatten() {
            if item.get("kind").is_some() || item_kind.is_empty() {
                items.extend(Self::from_value(item)?.items);
            } else {
                let mut item = item.clone();
                item["kind"] = Value::from(item_kind);
                items.push(Object::from_value(&item)?);
            }
        }
        Ok(Self { items })
    }
}
