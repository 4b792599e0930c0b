//! The auditor: recounts everything that the verbs keep up to date, from the pods alone.

use std::fmt;

use super::bits::BitSet;
use super::ids::{ConstraintId, NodeId, PodId};
use super::matching;
use super::pod::{Pod, PodState};
use super::resources::Resources;
use super::{Cluster, Devices, MAX_DEVICES};

/// A broken promise of the cluster state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Violation(String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn broken(sentence: String) -> Result<(), Violation> {
    Err(Violation(sentence))
}

impl Cluster {
    /// Checks that nothing is oversubscribed, that each pod is in one state and one place, that
    /// free resources, devices, counts and eligibility agree with a recount.
    ///
    /// # Errors
    /// The first promise found broken.
    pub fn audit(&self) -> Result<(), Violation> {
        let mut seen = BitSet::default();
        for node in self.nodes.ids() {
            self.audit_node(node, &mut seen)?;
        }
        for (id, pod) in self.pods.iter() {
            self.audit_pod(id, pod, seen.contains(id.index()))?;
        }
        self.audit_counts()
    }

    fn audit_node(&self, node: NodeId, seen: &mut BitSet) -> Result<(), Violation> {
        let mut reserved = Resources::ZERO;
        let mut devices = Devices::new(self.nodes.devices(node).free_milli().len() as u8);
        let mut count = 0;
        for (id, pod) in self.pods_on(node) {
            if seen.contains(id.index()) || pod.node != node {
                return broken(format!("pod {} is listed on a wrong node", pod.serial));
            }
            seen.set(id.index(), true);
            reserved += self.classes.get(pod.class).requests;
            devices.take(pod.devices);
            count += 1;
        }
        let name = &self.nodes.spec(node).name;
        if self.nodes.limit(node).minus(&reserved) != *self.nodes.free(node) {
            return broken(format!("free resources of node {name} disagree with its pods"));
        }
        if !self.nodes.free(node).is_non_negative() && !self.nodes.was_resized(node) {
            return broken(format!("node {name} is oversubscribed beyond policy"));
        }
        if devices != *self.nodes.devices(node) || count != self.nodes.pod_count(node) {
            return broken(format!("devices or pod count of node {name} disagree with its pods"));
        }
        let mut ways = [0; MAX_DEVICES + 1];
        let held = self.pods_on(node).map(|(_, pod)| pod.devices);
        held.filter(|share| share.devices != 0).for_each(|share| ways[share.way()] += 1);
        if ways != self.nodes.gpu_pods[node.index()] {
            return broken(format!("uses of GPUs on node {name} are counted wrongly"));
        }
        self.audit_condition(node, count)
    }

    fn audit_condition(&self, node: NodeId, pods: u32) -> Result<(), Violation> {
        let condition = self.nodes.condition(node);
        let name = &self.nodes.spec(node).name;
        if !condition.present && pods > 0 {
            return broken(format!("node {name} left the cell and holds {pods} pods"));
        }
        let spec = self.nodes.spec(node);
        for id in (0..self.nodes.constraint_count()).map(ConstraintId::from_index) {
            let wanted = matching::satisfies(self.nodes.constraints(id), spec, condition.cordoned);
            if wanted != self.nodes.is_matching(id, node)
                || (wanted && condition.present && condition.ready)
                    != self.nodes.is_eligible(id, node)
            {
                return broken(format!("eligibility of node {name} is out of date"));
            }
        }
        Ok(())
    }

    fn audit_pod(&self, id: PodId, pod: &Pod, listed: bool) -> Result<(), Violation> {
        let serial = pod.serial;
        if pod.state.is_bound() != pod.node.is_some() || pod.state.is_bound() != listed {
            return broken(format!("pod {serial} is {:?} but its place says otherwise", pod.state));
        }
        if !pod.node.is_some() {
            return Ok(());
        }
        let up = self.nodes.condition(pod.node).is_up();
        if up == (pod.state == PodState::Stranded) {
            return broken(format!("pod {serial} is {:?} on a node with up = {up}", pod.state));
        }
        if pod.state == PodState::Running && pod.started_at > self.now {
            return broken(format!("pod {serial} runs from the future"));
        }
        let class = self.classes.get(pod.class);
        if class.apart_from.is_some() && !self.is_kept_apart(class, pod.node) {
            return broken(format!("pod {serial} has to be alone and its node is not marked"));
        }
        let alike = |other: &Pod| self.classes.get(other.class).apart_from == class.apart_from;
        let apart = class.apart_from.is_some()
            && self.pods_on(pod.node).any(|(other, pod)| other != id && alike(pod));
        if apart {
            return broken(format!("pod {serial} shares a node with a pod it is kept apart from"));
        }
        Ok(())
    }

    fn audit_counts(&self) -> Result<(), Violation> {
        let mut of_class = vec![0u32; self.classes.slots()];
        let mut of_workload = vec![(0u32, 0u32); self.workloads.slots()];
        let mut alone = vec![0; self.workloads.slots()];
        for (_, pod) in self.pods.iter() {
            of_class[pod.class.index()] += 1;
            let counts = &mut of_workload[pod.new.workload.index()];
            counts.0 += 1;
            counts.1 += u32::from(pod.state == PodState::Running);
            let keeps_apart = self.classes.get(pod.class).apart_from.is_some();
            alone[pod.new.workload.index()] += usize::from(keeps_apart && pod.node.is_some());
        }
        for (_, pod) in self.pods.iter() {
            let workload = self.workloads.get(pod.new.workload);
            if of_workload[pod.new.workload.index()] != (workload.pods, workload.ready) {
                return broken(format!("pod counts of workload {} are wrong", workload.key));
            }
            if alone[pod.new.workload.index()] != workload.apart_count() {
                return broken(format!("workload {} has marked wrong nodes", workload.key));
            }
            if self.facts.is_empty() && of_class[pod.class.index()] != self.classes.pods(pod.class)
            {
                return broken(format!("class of pod {} is counted wrongly", pod.serial));
            }
        }
        Ok(())
    }
}
