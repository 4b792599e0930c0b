//! What the queue asks: who goes first, who is held back, and whom an event may help.
//!
//! Hints are exact where upstream's are cautious: a pod that a plugin rejected is moved because of
//! a node only if that plugin would take that node now. Upstream tries such pods in vain; a try in
//! vain changes nothing but the order among equals.

use std::cmp::Reverse;

use super::book::Book;
use crate::cluster::PodRef;
use crate::engine::SimTime;
use crate::scheduling::kube::queue::{Hint, PluginId, QueuePolicy, QueuedPod};
use crate::scheduling::kube::storage::{ClaimKey, claim_names};
use crate::scheduling::kube::{NodeId, PodInfo, Prepared, Scheduler};

/// What can happen in the cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A node was added or changed.
    Node(NodeId),
    /// A node left.
    NodeGone,
    /// A pod was bound to a node.
    PodAdded,
    /// A pod left a node.
    PodLeft(NodeId),
    /// A claim got its volume.
    ClaimBound(ClaimKey),
}

/// The scheduler and its pods.
pub struct Desk {
    /// Cache, plugins and cycle.
    pub scheduler: Scheduler,
    /// The pods.
    pub book: Book,
}

impl Desk {
    /// True if `plugin` would let `pod` on `node` now.
    fn takes(&self, plugin: PluginId, pod: &PodInfo, node: NodeId) -> bool {
        let Scheduler { profile, cache, .. } = &self.scheduler;
        let Some(enabled) = profile.plugins.get(usize::from(plugin.0)) else { return true };
        let state = match enabled.plugin.pre_filter(cache, pod) {
            Prepared::State(state) | Prepared::Only(state, _) => state,
            Prepared::Skip => return true,
            Prepared::Rejected(_) => return false,
        };
        let node = cache.node(node);
        enabled.plugin.filter(state.as_deref(), cache, pod, node).is_success()
    }

    /// True if `plugin` would let `pod` on some node now that a claim of it is bound.
    fn takes_with(&self, plugin: PluginId, pod: &PodInfo, (namespace, name): &ClaimKey) -> bool {
        pod.template.uses_storage
            && pod.template.namespace == *namespace
            && claim_names(pod).any(|claim| claim.name == *name)
            && self.scheduler.cache.order().iter().any(|node| self.takes(plugin, pod, *node))
    }

    /// True if what the plugin says of a node does not depend on the pods there are.
    fn overlooks_pods(&self, plugin: PluginId) -> bool {
        let plugins = &self.scheduler.profile.plugins;
        plugins
            .get(usize::from(plugin.0))
            .is_some_and(|enabled| matches!(enabled.plugin.name(), "VolumeBinding" | "VolumeZone"))
    }

    /// True if the plugin looks at other nodes than the one in question.
    fn looks_around(&self, plugin: PluginId) -> bool {
        let plugins = &self.scheduler.profile.plugins;
        plugins.get(usize::from(plugin.0)).is_some_and(|enabled| {
            matches!(enabled.plugin.name(), "PodTopologySpread" | "InterPodAffinity")
        })
    }
}

impl QueuePolicy for Desk {
    type Pod = PodRef;
    type Key = (Reverse<i32>, SimTime);
    type Event = Event;

    fn sort_key(&self, pod: &QueuedPod<PodRef>) -> Self::Key {
        (Reverse(pod.priority), pod.timestamp)
    }

    fn gate(&self, pod: &QueuedPod<PodRef>) -> Option<PluginId> {
        let known = self.book.get(pod.pod.pod)?;
        let status = self.scheduler.pre_enqueue(&known.info);
        if status.is_success() {
            return None;
        }
        Some(self.plugin(&status.plugin))
    }

    fn hint(&self, plugin: PluginId, event: &Event, pod: PodRef) -> Hint {
        let Some(known) = self.book.get(pod.pod) else { return Hint::Skip };
        let helps = match event {
            // Counts in other domains may have changed with it.
            _ if self.looks_around(plugin) => true,
            Event::PodLeft(_) if self.overlooks_pods(plugin) => false,
            Event::ClaimBound(claim) => self.takes_with(plugin, &known.info, claim),
            Event::Node(node) | Event::PodLeft(node) => self.takes(plugin, &known.info, *node),
            Event::NodeGone | Event::PodAdded => false,
        };
        if helps { Hint::Queue } else { Hint::Skip }
    }
}

impl Desk {
    /// The place of a plugin in the profile; the first one's if it is not there.
    pub fn plugin(&self, name: &str) -> PluginId {
        let mut plugins = self.scheduler.profile.plugins.iter();
        let place = plugins.position(|enabled| enabled.plugin.name() == name).unwrap_or(0);
        PluginId(u8::try_from(place).expect("a profile has at most 64 plugins"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Desk, PluginId};
    use crate::kubernetes::{CsiNode, PersistentVolumeClaim, Pod, StorageClass};
    use crate::scheduling::kube::{Cache, Profile, Scheduler};
    use crate::scheduling::kube_scheduler::book::Book;

    fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).expect("an object")
    }

    /// A node that holds one volume, claims `x` (for one pod) and `y`, and a class that makes
    /// volumes.
    fn desk() -> Desk {
        let mut cache = Cache::new();
        cache.set_node(&read(json!({ "metadata": { "name": "n" } })));
        let storage = cache.storage_mut();
        let node = json!({
            "metadata": { "name": "n" },
            "spec": { "drivers": [{ "name": "disk", "allocatable": { "count": 1 } }] },
        });
        storage.csi_nodes.insert("n".to_owned(), read::<CsiNode>(node));
        let class = json!({ "provisioner": "disk", "volumeBindingMode": "WaitForFirstConsumer" });
        storage.classes.insert("c".to_owned(), read::<StorageClass>(class));
        for (name, mode) in [("x", "ReadWriteOncePod"), ("y", "ReadWriteOnce")] {
            let claim = json!({
                "metadata": { "name": name, "namespace": "default" },
                "spec": { "accessModes": [mode], "storageClassName": "c" },
            });
            let key = ("default".to_owned(), name.to_owned());
            storage.claims.insert(key, read::<PersistentVolumeClaim>(claim));
        }
        let scheduler = Scheduler::new(cache, Profile::default());
        Desk { scheduler, book: Book::default() }
    }

    fn pod(name: &str, claim: &str) -> Pod {
        read(json!({
            "metadata": { "name": name, "namespace": "default" },
            "spec": { "volumes": [{ "persistentVolumeClaim": { "claimName": claim } }] },
        }))
    }

    #[test]
    fn a_pod_that_leaves_frees_its_claim_and_its_slot() {
        for (plugin, wanted) in [("VolumeRestrictions", "x"), ("NodeVolumeLimits", "y")] {
            let mut desk = desk();
            let plugin = desk.plugin(plugin);
            let cache = &mut desk.scheduler.cache;
            let node = cache.node_id("n").expect("there");
            let there = cache.intern(&pod("there", "x"));
            let waits = cache.intern(&pod("waits", wanted));
            cache.add_pod(there.clone(), node);
            assert!(!desk.takes(plugin, &waits, node));
            assert!(desk.scheduler.cache.remove_pod(&there, node));
            assert!(desk.takes(plugin, &waits, node));
        }
    }

    #[test]
    fn a_bound_claim_matters_to_pods_that_use_it() {
        let mut desk = desk();
        let plugin = desk.plugin("VolumeBinding");
        let uses = desk.scheduler.cache.intern(&pod("uses", "x"));
        let (x, y) =
            (("default".to_owned(), "x".to_owned()), ("default".to_owned(), "y".to_owned()));
        assert!(desk.takes_with(plugin, &uses, &x));
        assert!(!desk.takes_with(plugin, &uses, &y));
        let elsewhere = ("other".to_owned(), "x".to_owned());
        assert!(!desk.takes_with(plugin, &uses, &elsewhere));
        let overlooks = |name| desk.overlooks_pods(desk.plugin(name));
        assert!(overlooks("VolumeBinding") && overlooks("VolumeZone"));
        assert!(!overlooks("NodeVolumeLimits") && !overlooks("VolumeRestrictions"));
        assert!(!desk.overlooks_pods(PluginId(63)));
    }
}
