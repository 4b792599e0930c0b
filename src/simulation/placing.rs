//! Lets the scheduler decide and carries its decisions out, one at a time.

use super::Simulation;
use crate::cluster::{DeviceShare, Ending, EvictionCause, NodeId, PodId};
use crate::scheduling::{Decision, Scheduler as _};

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
                Decision::Enter { pod, alloc, victims } => {
                    for victim in victims {
                        self.evict(victim, EvictionCause::Preemption);
                    }
                    self.bind_inside(pod, alloc);
                }
                Decision::Evict { pod, cause } => self.evict(pod, cause),
                Decision::Reject { pod } => self.end(pod, Ending::Rejected),
            }
        }
        self.show_end_of_pass();
        self.policy_failure = self.scheduler.failure();
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

    fn bind_inside(&mut self, pod: PodId, alloc: PodId) {
        if self.cluster.bind_inside(pod, alloc).is_err() {
            let [serial, host] = [pod, alloc].map(|id| self.cluster.pod(id).serial);
            let now = self.cluster.now();
            panic!(
                "the scheduler bound pod {serial} inside of {host} at {now}, which is no place for it"
            );
        }
        self.begin_start(pod);
    }
}
