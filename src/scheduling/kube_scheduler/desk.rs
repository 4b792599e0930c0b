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
