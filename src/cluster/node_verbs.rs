//! The verbs that change nodes and failure domains.

use std::sync::Arc;

use super::fact::{EvictionCause, Fact};
use super::ids::{DomainId, NodeId, PodId};
use super::node::NodeCondition;
use super::pod::PodState;
use super::spec::NodeSpec;
use super::{Cluster, Pod};
use crate::engine::SimDuration;

/// Tells how often the work of a pod is saved; `None` where it never is.
pub type Checkpoint<'a> = &'a dyn Fn(&Cluster, &Pod) -> Option<SimDuration>;

impl Cluster {
    /// A node joins the cell, believed ready at once.
    pub fn add_node(&mut self, spec: Arc<NodeSpec>) -> NodeId {
        let node = self.nodes.add(Arc::clone(&spec));
        let faults = self.domains.attach(node, &spec.domains);
        self.facts.push(Fact::NodeAdded { node });
        if faults > 0 {
            let condition = self.nodes.condition(node);
            self.nodes.set_condition(node, NodeCondition { faults, ..condition });
            self.facts.push(Fact::NodeDown { node });
        }
        node
    }

    /// A node that left the cell comes back, as `spec` says, believed ready at once.
    pub fn return_node(&mut self, node: NodeId, spec: Arc<NodeSpec>) {
        let condition = self.nodes.condition(node);
        assert!(!condition.present, "node {} is there and cannot come back", node.0);
        self.nodes.describe(node, spec);
        let incarnation = condition.incarnation.wrapping_add(1);
        let back = NodeCondition { present: true, ready: true, incarnation, ..condition };
        self.nodes.set_condition(node, back);
        self.facts.push(Fact::NodeAdded { node });
        if !back.is_up() {
            self.facts.push(Fact::NodeDown { node });
        }
    }

    /// A node leaves the cell: its pods are evicted.
    pub fn remove_node(&mut self, node: NodeId, cause: EvictionCause, checkpoint: Checkpoint<'_>) {
        let condition = self.nodes.condition(node);
        assert!(condition.present, "node {} is gone and cannot leave", node.0);
        self.evict_all(node, cause, checkpoint);
        let incarnation = condition.incarnation.wrapping_add(1);
        let gone = NodeCondition { present: false, ready: false, incarnation, ..condition };
        self.nodes.set_condition(node, gone);
        self.facts.push(Fact::NodeRemoved { node });
    }

    /// Capacity, labels or taints of a node change; what is bound to it stays.
    pub fn update_node(&mut self, node: NodeId, spec: Arc<NodeSpec>) {
        let counted = self.nodes.condition(node).present;
        if counted {
            self.facts.push(Fact::NodeResizing { node });
        }
        self.nodes.describe(node, spec);
        if counted {
            self.facts.push(Fact::NodeResized { node });
        }
    }

    /// Evicts every pod of a node.
    pub fn evict_all(&mut self, node: NodeId, cause: EvictionCause, checkpoint: Checkpoint<'_>) {
        for pod in self.all_pods_on(node) {
            let interval = checkpoint(self, self.pod(pod));
            self.evict(pod, cause, interval);
        }
    }

    /// Truth: one fault more holds a node down.
    pub fn begin_node_fault(&mut self, node: NodeId, checkpoint: Checkpoint<'_>) {
        self.change_faults(node, true, checkpoint);
    }

    /// Truth: one fault of a node is over. Returns the pods that can be started there again, if
    /// the node is up now.
    pub fn end_node_fault(&mut self, node: NodeId, checkpoint: Checkpoint<'_>) -> Vec<PodId> {
        self.change_faults(node, false, checkpoint)
    }

    /// Truth: a domain fails; all nodes below it go down.
    pub fn begin_domain_fault(&mut self, domain: DomainId, checkpoint: Checkpoint<'_>) {
        self.domains.count_fault(domain, true);
        self.facts.push(Fact::DomainDown { domain });
        for node in self.domains.nodes_below(domain) {
            self.change_faults(node, true, checkpoint);
        }
    }

    /// Truth: a domain is repaired. Returns the pods that can be started again.
    pub fn end_domain_fault(&mut self, domain: DomainId, checkpoint: Checkpoint<'_>) -> Vec<PodId> {
        self.domains.count_fault(domain, false);
        self.facts.push(Fact::DomainUp { domain });
        let below = self.domains.nodes_below(domain);
        below.into_iter().flat_map(|node| self.change_faults(node, false, checkpoint)).collect()
    }

    fn change_faults(
        &mut self,
        node: NodeId,
        begins: bool,
        checkpoint: Checkpoint<'_>,
    ) -> Vec<PodId> {
        let before = self.nodes.condition(node);
        let faults = if begins { before.faults + 1 } else { before.faults - 1 };
        let mut after = NodeCondition { faults, ..before };
        let (was_up, is_up) = (before.is_up(), after.is_up());
        if was_up != is_up {
            after.incarnation = before.incarnation.wrapping_add(1);
        }
        self.nodes.condition[node.index()] = after;
        match (was_up, is_up) {
            (true, false) => {
                self.facts.push(Fact::NodeDown { node });
                self.strand_all(node, checkpoint);
                Vec::new()
            }
            (false, true) => {
                self.facts.push(Fact::NodeUp { node });
                self.unstrand_all(node)
            }
            (true, true) | (false, false) => Vec::new(),
        }
    }

    fn strand_all(&mut self, node: NodeId, checkpoint: Checkpoint<'_>) {
        for pod in self.all_pods_on(node) {
            let interval = checkpoint(self, self.pod(pod));
            self.strand(pod, interval);
        }
    }

    fn unstrand_all(&mut self, node: NodeId) -> Vec<PodId> {
        let mut stranded = self.all_pods_on(node);
        stranded.retain(|pod| self.pod(*pod).state == PodState::Stranded);
        stranded.sort_unstable_by_key(|pod| self.pod(*pod).serial);
        for pod in &stranded {
            self.unstrand(*pod);
        }
        stranded
    }

    /// Observed: the control plane believes that a node is (not) ready. True if that is news.
    pub fn observe_readiness(&mut self, node: NodeId, ready: bool) -> bool {
        let condition = self.nodes.condition(node);
        if !condition.present || condition.ready == ready {
            return false;
        }
        self.nodes.set_condition(node, NodeCondition { ready, ..condition });
        let fact = if ready { Fact::NodeReady { node } } else { Fact::NodeNotReady { node } };
        self.facts.push(fact);
        true
    }

    /// A node takes no new pods, or takes them again. True if that is news.
    pub fn cordon(&mut self, node: NodeId, cordoned: bool) -> bool {
        let condition = self.nodes.condition(node);
        if condition.cordoned == cordoned {
            return false;
        }
        self.nodes.set_condition(node, NodeCondition { cordoned, ..condition });
        self.facts.push(Fact::NodeCordoned { node, cordoned });
        true
    }

    /// Pods bound to `node` in the order in which they were submitted, without those inside of
    /// alloc instances.
    pub fn pod_ids_on(&self, node: NodeId) -> Vec<PodId> {
        let mut pods: Vec<PodId> = self.pods_on(node).map(|(id, _)| id).collect();
        pods.sort_unstable_by_key(|id| self.pod(*id).serial);
        pods
    }
}
