//! Pods for which room was made on a node, and that are not there yet
//! (`backend/queue/nominator.go` of kube-scheduler v1.35).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pod::PodInfo;

/// Nominated pods by the name of their node, in order of nomination.
#[derive(Debug, Clone, Default)]
pub struct Nominator {
    by_node: BTreeMap<String, Vec<Arc<PodInfo>>>,
}

/// True for two versions of one pod.
fn same(a: &PodInfo, b: &PodInfo) -> bool {
    a.uid == b.uid && a.name == b.name && a.template.namespace == b.template.namespace
}

impl Nominator {
    /// Nominates a pod to a node, and to no other.
    pub fn add(&mut self, pod: Arc<PodInfo>, node: &str) {
        self.remove(&pod);
        self.by_node.entry(node.to_owned()).or_default().push(pod);
    }

    /// Takes a pod's nomination back, if it has one.
    pub fn remove(&mut self, pod: &PodInfo) {
        self.by_node.retain(|_, pods| {
            pods.retain(|other| !same(other, pod));
            !pods.is_empty()
        });
    }

    /// The pods nominated to a node.
    pub fn on(&self, node: &str) -> &[Arc<PodInfo>] {
        self.by_node.get(node).map_or(&[], Vec::as_slice)
    }

    /// All nominated pods, by the name of their node.
    pub fn pods(&self) -> impl Iterator<Item = &PodInfo> {
        self.by_node.values().flatten().map(|pod| &**pod)
    }

    /// True if no pod is nominated.
    pub fn is_empty(&self) -> bool {
        self.by_node.is_empty()
    }
}
