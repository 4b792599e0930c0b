//! Nodes.

use super::object::object;
use super::{Condition, ObjectMeta, ResourceList, Time};

object! {
    /// A node.
    pub struct Node {
        pub metadata: ObjectMeta,
        pub spec: NodeSpec,
        pub status: NodeStatus,
    }
}

object! {
    /// `spec` of a node.
    pub struct NodeSpec {
        pub unschedulable: bool,
        pub taints: Vec<Taint>,
        #[serde(rename = "providerID")]
        pub provider_id: String,
    }
}

object! {
    /// Keeps pods away that do not tolerate it.
    pub struct Taint {
        pub key: String,
        pub value: String,
        pub effect: String,
        pub time_added: Option<Time>,
    }
}

object! {
    /// `status` of a node.
    pub struct NodeStatus {
        pub capacity: ResourceList,
        pub allocatable: ResourceList,
        pub conditions: Vec<Condition>,
        pub images: Vec<ContainerImage>,
    }
}

object! {
    /// An image that is on a node.
    pub struct ContainerImage {
        pub names: Vec<String>,
        pub size_bytes: i64,
    }
}
