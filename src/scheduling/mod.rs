//! The pluggable half: queue disciplines, placement policies, preemption.
//!
//! This floor reads the cluster and returns decisions. It must never change the cluster, and
//! never look at what is really up: only at what the control plane believes.

mod config;
pub mod elastic_quota;
pub mod gang;
pub mod kube;
pub mod placement;
mod preemption;
mod queue;
mod scheduler;

pub use config::{PreemptionRule, QueueOrder, SchedulerConfig};
pub use preemption::Preemption;
pub use queue::{PendingQueue, QueueKey};
pub use scheduler::{Decision, Scheduler, SchedulerCounts};
