//! Reschedules pods of nodes that stay not ready: each is evicted once its node has been observed
//! not ready for the toleration period.

use std::collections::BTreeMap;

use super::controller::{Action, Actions, Controller, Observed, Trigger, Triggers};
use crate::cluster::{EvictionCause, NodeId};
use crate::engine::{SimDuration, SimTime};

/// Evicts the pods of lost nodes.
#[derive(Clone, Debug)]
pub struct NodeLifecycle {
    /// How long pods stay bound to a node after it was observed not ready. Borg reschedules at
    /// once (EuroSys'15 §3.3); Kubernetes waits for `tolerationSeconds`, 300 s by default.
    toleration: SimDuration,
    /// Nodes observed not ready, and when their pods are due.
    due: BTreeMap<NodeId, SimTime>,
}

impl NodeLifecycle {
    /// Pods stay for `toleration` on a node that is not ready.
    pub fn new(toleration: SimDuration) -> Self {
        Self { toleration, due: BTreeMap::new() }
    }

    fn note(&mut self, node: NodeId, observed: &Observed<'_>) {
        if observed.is_ready(node) || !observed.is_present(node) {
            self.due.remove(&node);
        } else {
            self.due.entry(node).or_insert_with(|| observed.after(self.toleration));
        }
    }
}

impl Controller for NodeLifecycle {
    fn name(&self) -> &'static str {
        "node-lifecycle"
    }

    fn triggers(&self) -> Triggers {
        Triggers { nodes: true, workloads: false }
    }

    fn reconcile(&mut self, observed: &Observed<'_>, woken_by: &[Trigger], actions: &mut Actions) {
        for trigger in woken_by {
            match trigger {
                Trigger::Node(node) => self.note(*node, observed),
                Trigger::Workload(_) => {}
            }
        }
        for (node, due) in &self.due {
            if *due > observed.now() {
                actions.wake_at(*due);
                continue;
            }
            for pod in observed.pods_on(*node) {
                actions.push(Action::Evict { pod: pod.id, cause: EvictionCause::MachineFailure });
            }
        }
    }
}
