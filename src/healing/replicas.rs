//! Keeps N pods of every declared workload (what a Deployment's ReplicaSet does): creates what is
//! missing, deletes what is too much.

use std::sync::Arc;

use super::controller::{Action, Actions, Controller, Observed, Trigger, Triggers};
use crate::cluster::{GpuRequest, JobSpec, PodTemplate, Resources, WorkloadId};
use crate::engine::{Distribution, SimDuration};

/// A workload that wants a number of identical pods.
#[derive(Clone, Debug)]
pub struct Service {
    /// Unique name.
    pub name: Arc<str>,
    /// Pods wanted.
    pub replicas: u32,
    /// Fewest ready pods with which it counts as available.
    pub minimum_ready: u32,
    /// Priority, tier, constraints.
    pub template: PodTemplate,
    /// What each pod requests.
    pub requests: Resources,
    /// What each pod asks of GPU devices.
    pub gpu: GpuRequest,
    /// Mean usage of cpu and memory in permille of the request.
    pub usage_permille: [u16; 2],
    /// Time from a start to a crash, in seconds; `None` means that pods do not crash.
    pub time_to_crash: Option<Distribution>,
    /// Time from being bound to running, in seconds; `None` means the cell's.
    pub start_delay: Option<Distribution>,
    /// Service level objective for its availability, e.g. 0.999.
    pub objective: Option<f64>,
    /// How long each pod runs before it succeeds (a Job's pods); `None` for a service.
    pub run: Option<SimDuration>,
    /// Its queue, and how many of its pods are of use together.
    pub job: Option<Arc<JobSpec>>,
}

/// Keeps the wanted number of pods of every declared workload.
#[derive(Clone, Debug, Default)]
pub struct ReplicaKeeper;

impl ReplicaKeeper {
    fn keep(observed: &Observed<'_>, id: WorkloadId, actions: &mut Actions) {
        let workload = observed.workload(id);
        for _ in workload.pods..workload.wanted {
            actions.push(Action::CreateReplica { workload: id });
        }
        let excess = workload.pods.saturating_sub(workload.wanted) as usize;
        if excess == 0 {
            return;
        }
        // Pending pods go first, then the newest (kube's `ActivePodsWithRanks`, rules 1 and 8).
        let mut pods = observed.pods_of(id);
        pods.sort_by_key(|pod| !pod.is_pending());
        for pod in pods.iter().take(excess) {
            actions.push(Action::Delete { pod: pod.id });
        }
    }
}

impl Controller for ReplicaKeeper {
    fn name(&self) -> &'static str {
        "replica-keeper"
    }

    fn triggers(&self) -> Triggers {
        Triggers { nodes: false, workloads: true }
    }

    fn reconcile(&mut self, observed: &Observed<'_>, woken_by: &[Trigger], actions: &mut Actions) {
        for trigger in woken_by {
            match trigger {
                Trigger::Workload(id) => Self::keep(observed, *id, actions),
                Trigger::Node(_) => {}
            }
        }
    }
}
