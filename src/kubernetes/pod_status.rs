//! What became of a pod.

use super::object::object;
use super::{Condition, ResourceList, ResourceRequirements, Time};

object! {
    /// `status` of a pod.
    pub struct PodStatus {
        pub phase: String,
        pub reason: String,
        pub message: String,
        pub conditions: Vec<Condition>,
        pub nominated_node_name: String,
        pub start_time: Option<Time>,
        pub container_statuses: Vec<ContainerStatus>,
        pub init_container_statuses: Vec<ContainerStatus>,
        /// `Infeasible`, `Deferred` or nothing (in-place resize, before conditions told it).
        pub resize: String,
        /// Pod-level resources that are in force.
        pub resources: Option<ResourceRequirements>,
        pub allocated_resources: ResourceList,
        pub observed_generation: i64,
    }
}

object! {
    /// What became of a container.
    pub struct ContainerStatus {
        pub name: String,
        pub ready: bool,
        pub started: Option<bool>,
        pub restart_count: i32,
        pub state: ContainerState,
        pub last_state: ContainerState,
        /// Resources that are in force.
        pub resources: Option<ResourceRequirements>,
        /// Resources that the kubelet has granted.
        pub allocated_resources: ResourceList,
    }
}

object! {
    /// Whether a container waits, runs or ended.
    pub struct ContainerState {
        pub waiting: Option<ContainerStateWaiting>,
        pub running: Option<ContainerStateRunning>,
        pub terminated: Option<ContainerStateTerminated>,
    }
}

object! {
    /// A container that does not run yet.
    pub struct ContainerStateWaiting {
        pub reason: String,
    }
}

object! {
    /// A container that runs.
    pub struct ContainerStateRunning {
        pub started_at: Option<Time>,
    }
}

object! {
    /// A container that ended.
    pub struct ContainerStateTerminated {
        pub exit_code: i32,
        pub reason: String,
        pub started_at: Option<Time>,
        pub finished_at: Option<Time>,
    }
}
