//! Lets the scheduler decide and carries its decisions out, one at a time.

use super::Simulation;
use super::pods::checkpoint;
use crate::cluster::{DeviceShare, Ending, EvictionCause, NodeId, PodId};
use crate::scheduling::Decision;

impl Simulation {
    /// One pass of the scheduler.
    pub(super) fn schedule(&mut self) {
        while let Some(decision) = self.scheduler.decide(&self.cluster) {
            self.show_decision(&decision);
            match decision {
                Decision::Bind { pod, node, devices } => self.bind(pod, node, devices),
                Decision::Preempt { pod, node, victims } => {
                    for victim in victims {
                        self.evict(victim, EvictionCause::Preemption);
                    }
                    self.bind(pod, node, None);
                }
                Decision::Evict { pod, cause } => self.evict(pod, cause),
                Decision::Reject { pod } => self.cluster.end(pod, Ending::Rejected),
            }
        }
        self.show_end_of_pass();
        self.policy_failure = self.scheduler.failure();
    }

    pub(super) fn evict(&mut self, pod: PodId, cause: EvictionCause) {
        let interval = checkpoint(&self.tiers, &self.cluster, self.cluster.pod(pod));
        self.cluster.evict(pod, cause, interval);
    }

    fn bind(&mut self, pod: PodId, node: NodeId, devices: Option<DeviceShare>) {
        if self.cluster.bind_to(pod, node, devices).is_err() {
            let serial = self.cluster.pod(pod).serial;
            let name = &self.cluster.nodes().spec(node).name;
            let now = self.cluster.now();
            panic!(
                "the scheduler bound pod {serial} to node {name} at {now}, which does not admit it"
            );
        }
        self.begin_start(pod);
    }
}
