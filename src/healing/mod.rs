//! What the cell does about it: controllers, each a reconcile loop that observes, diffs and acts.
//!
//! Controllers read only what the control plane can observe and return actions; they must never
//! change the cluster themselves, nor see whether a node is really up.

mod backoff;
mod controller;
mod node_lifecycle;
mod process;
mod replicas;

pub use backoff::Backoff;
pub use controller::{
    Action, Actions, Controller, Observed, PodTriggers, PodView, Trigger, Triggers,
};
pub use node_lifecycle::NodeLifecycle;
pub use process::ProcessController;
pub use replicas::{ReplicaKeeper, Service};
