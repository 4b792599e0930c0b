//! Pods for which room was made on a node, and that are not there yet
//! (`backend/queue/nominator.go` of kube-scheduler v1.35).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pod::PodInfo;

/// Nominated pods by the name of their node, in order of nomination.
#[derive(Debug, Clone, Default)]
pub struct Nominator {
    by_node: BTreeMap<String, Vec<Arc<PodInfo>>>,
    version: u64,
}

/// True for two versions of one pod.
fn same(a: &PodInfo, b: &PodInfo) -> bool {
    a.uid == b.uid && a.name == b.name && a.template.namespace == b.template.namespace
}

impl Nominator {
    /// Nominates a pod to a node, and to no other.
    pub fn add(&mut self, pod: Arc<PodInfo>, node: &str) {
        self.remove(&pod);
        self.version += 1;
        self.by_node.entry(node.to_owned()).or_default().push(pod);
    }

    /// Takes a pod's nomination back, if it has one.
    pub fn remove(&mut self, pod: &PodInfo) {
        if self.by_node.is_empty() {
            return;
        }
        self.version += 1;
        self.by_node.retain(|_, pods| {
            pods.retain(|other| !same(other, pod));
            !pods.is_empty()
        });
    }

    /// How often anything may have changed.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The pods nominated to `node` that `pod` has to leave room for, since its priority is no
    /// higher.
    pub fn ahead_of<'a>(
        &'a self,
        pod: &'a PodInfo,
        node: &str,
    ) -> impl Iterator<Item = &'a Arc<PodInfo>> {
        let goes_first =
            |other: &&Arc<PodInfo>| other.priority() >= pod.priority() && other.uid != pod.uid;
        self.on(node).iter().filter(goes_first)
    }

    /// The nodes to which pods are nominated, by name.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.by_node.keys().map(String::as_str)
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
