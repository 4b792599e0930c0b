//! What the queue asks: who goes first, who is held back, and whom an event may help.
//!
//! Hints are exact where upstream's are cautious: a pod that a plugin rejected is moved because of
//! a node only if that plugin would take that node now. Upstream tries such pods in vain; a try in
//! vain changes nothing but the order among equals.

use super::book::Book;
use super::served::Served;
use super::sharing::{CAPACITY, COSCHEDULING, Sharing, SortKey};
use crate::cluster::PodRef;
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
    /// A pod of a group came.
    PodSubmitted,
    /// A claim got its volume.
    ClaimBound(ClaimKey),
}

/// The scheduler and its pods.
pub struct Desk {
    /// Cache, plugins and cycle.
    pub scheduler: Scheduler,
    /// The pods.
    pub book: Book,
    /// Which of them are its own.
    pub served: Served,
    /// Gangs and quotas.
    pub sharing: Sharing,
}

impl Desk {
    /// True if `plugin` would let `pod` on `node` now.
    fn takes(&self, plugin: PluginId, pod: &PodInfo, node: NodeId) -> bool {
        let cache = &self.scheduler.cache;
        let Some(enabled) = self.scheduler.profile_of(pod).plugins.get(usize::from(plugin.0))
        else {
            return true;
        };
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
    fn overlooks_pods(&self, plugin: PluginId, pod: &PodInfo) -> bool {
        let plugins = &self.scheduler.profile_of(pod).plugins;
        plugins
            .get(usize::from(plugin.0))
            .is_some_and(|enabled| matches!(enabled.plugin.name(), "VolumeBinding" | "VolumeZone"))
    }

    /// True if the plugin looks at other nodes than the one in question.
    fn looks_around(&self, plugin: PluginId, pod: &PodInfo) -> bool {
        let plugins = &self.scheduler.profile_of(pod).plugins;
        plugins.get(usize::from(plugin.0)).is_some_and(|enabled| {
            matches!(enabled.plugin.name(), "PodTopologySpread" | "InterPodAffinity")
        })
    }
}

impl QueuePolicy for Desk {
    type Pod = PodRef;
    type Key = SortKey;
    type Event = Event;

    fn sort_key(&self, pod: &QueuedPod<PodRef>) -> Self::Key {
        let known = self.book.get(pod.pod.pod).expect("pods in the queue are known");
        self.sharing.sort_key(pod, &known.info)
    }

    fn gate(&self, pod: &QueuedPod<PodRef>) -> Option<PluginId> {
        let known = self.book.get(pod.pod.pod)?;
        let status = self.scheduler.pre_enqueue(&known.info);
        if status.is_success() {
            return None;
        }
        Some(self.plugin(&known.info, &status.plugin))
    }

    /// Pods of groups are not. Decisions take no time here: groups that fail in turn, each because
    /// of the room that another holds for a moment, would go on failing at one instant.
    fn may_be_early(&self, pod: &QueuedPod<PodRef>) -> bool {
        let known = self.book.get(pod.pod.pod);
        !known.is_some_and(|known| self.sharing.is_in_gang(&known.info))
    }

    fn hint(&self, plugin: PluginId, event: &Event, pod: PodRef) -> Hint {
        let Some(known) = self.book.get(pod.pod) else { return Hint::Skip };
        let helps = match event {
            Event::PodSubmitted => plugin == COSCHEDULING,
            // As upstream, pods that come to nodes and leave them.
            Event::PodAdded | Event::PodLeft(_) if plugin == COSCHEDULING => true,
            Event::PodLeft(_) if plugin == CAPACITY => self.quota_allows(&known.info),
            _ if [COSCHEDULING, CAPACITY].contains(&plugin) => false,
            // Counts in other domains may have changed with it.
            _ if self.looks_around(plugin, &known.info) => true,
            Event::PodLeft(_) if self.overlooks_pods(plugin, &known.info) => false,
            Event::ClaimBound(claim) => self.takes_with(plugin, &known.info, claim),
            Event::Node(node) | Event::PodLeft(node) => self.takes(plugin, &known.info, *node),
            Event::NodeGone | Event::PodAdded => false,
        };
        if helps { Hint::Queue } else { Hint::Skip }
    }
}

impl Desk {
    /// The place of a plugin in the profile of `pod`; the first one's if it is not there.
    pub fn plugin(&self, pod: &PodInfo, name: &str) -> PluginId {
        match name {
            "Coscheduling" => return COSCHEDULING,
            "CapacityScheduling" => return CAPACITY,
            _ => {}
        }
        let mut plugins = self.scheduler.profile_of(pod).plugins.iter();
        let place = plugins.position(|enabled| enabled.plugin.name() == name).unwrap_or(0);
        PluginId(u8::try_from(place).expect("a profile has at most 64 plugins"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Desk, PluginId, Served, Sharing};
    use crate::kubernetes::{CsiNode, PersistentVolumeClaim, Pod, StorageClass};
    use crate::scheduling::kube::configuration::Extensions;
    use crate::scheduling::kube::{Cache, Profile, Scheduler};
    use crate::scheduling::kube_scheduler::book::Book;
    use crate::scheduling::kube_scheduler::sharing::SharingOptions;

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
        let profiles = vec![(String::new(), Extensions::default())];
        let sharing = Sharing::new(SharingOptions { profiles, sorts_by_group: false }, None);
        Desk { scheduler, book: Book::default(), served: Served::Everyone, sharing }
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
            let cache = &mut desk.scheduler.cache;
            let node = cache.node_id("n").expect("there");
            let there = cache.intern(&pod("there", "x"));
            let waits = cache.intern(&pod("waits", wanted));
            let plugin = desk.plugin(&waits, plugin);
            let cache = &mut desk.scheduler.cache;
            cache.add_pod(there.clone(), node);
            assert!(!desk.takes(plugin, &waits, node));
            assert!(desk.scheduler.cache.remove_pod(&there, node));
            assert!(desk.takes(plugin, &waits, node));
        }
    }

    #[test]
    fn a_bound_claim_matters_to_pods_that_use_it() {
        let mut desk = desk();
        let uses = desk.scheduler.cache.intern(&pod("uses", "x"));
        let plugin = desk.plugin(&uses, "VolumeBinding");
        let (x, y) =
            (("default".to_owned(), "x".to_owned()), ("default".to_owned(), "y".to_owned()));
        assert!(desk.takes_with(plugin, &uses, &x));
        assert!(!desk.takes_with(plugin, &uses, &y));
        let elsewhere = ("other".to_owned(), "x".to_owned());
        assert!(!desk.takes_with(plugin, &uses, &elsewhere));
        let overlooks = |name| desk.overlooks_pods(desk.plugin(&uses, name), &uses);
        assert!(overlooks("VolumeBinding") && overlooks("VolumeZone"));
        assert!(!overlooks("NodeVolumeLimits") && !overlooks("VolumeRestrictions"));
        assert!(!desk.overlooks_pods(PluginId(63), &uses));
    }
}
