//! The pluggable half: schedulers, queue disciplines, placement policies, preemption.
//!
//! This floor reads the cluster and returns decisions. It must never change the cluster, and
//! never look at what is really up: only at what the control plane believes.

mod allocs;
mod architectures;
pub mod batch;
mod config;
pub mod elastic_quota;
mod explanation;
pub mod fair_share;
pub mod gang;
pub mod kube;
mod kube_scheduler;
pub mod placement;
mod pod_at_a_time;
mod preemption;
mod process;
mod queue;
mod registry;
mod scheduler;

pub use allocs::WithAllocs;
pub use config::{PreemptionRule, QueueOrder, SchedulerConfig};
pub use explanation::{Choice, Explanation};
pub use pod_at_a_time::PodAtATime;
pub use preemption::Preemption;
pub use process::ProcessScheduler;
pub use queue::{PendingQueue, QueueKey};
pub use registry::{ArchitectureEntry, PROCESS, Setting, architectures};
pub use scheduler::{
    BuildScheduler, Decision, Scheduler, SchedulerCounts, Waiting, WaitingClasses,
};
