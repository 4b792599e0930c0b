//! Pods that come to nodes of the cache and leave them.

use super::desk::{Desk, Event};
use super::{KubeNode, KubeScheduler, PodInfo, api_time};
use crate::cluster::{Cluster, NodeId, PodId};

impl KubeScheduler {
    /// A pod is on a node, by this scheduler's decision or otherwise.
    pub(super) fn pod_bound(&mut self, cluster: &Cluster, pod: PodId, node: NodeId) {
        if self.desk.book.get(pod).is_none_or(|known| known.node.is_none()) {
            let Desk { scheduler, book, sharing, .. } = &mut self.desk;
            if let Some(before) = book.get(pod) {
                sharing.forget(before);
            }
            sharing.note(book.note(cluster, pod, &self.names, &mut scheduler.cache));
            if let Some(slot) = self.nodes.get(node.index()).copied().flatten() {
                self.put_on_node(pod, slot);
            }
        }
        self.wake(&Event::PodAdded);
    }

    /// The decision that was given out last has been carried out: the next one counts it. (Until
    /// then the cache is as the decision found it, so that it can be explained.)
    pub(super) fn assume(&mut self) {
        if let Some((pod, slot)) = self.assumed.take() {
            self.put_on_node(pod, slot);
        }
    }

    /// Puts a pod on a node of the cache.
    pub(super) fn put_on_node(&mut self, pod: PodId, slot: KubeNode) {
        let Desk { scheduler, book, sharing, .. } = &mut self.desk;
        let Some(known) = book.get_mut(pod) else { return };
        let bound = PodInfo {
            node_name: scheduler.cache.node(slot).name().to_owned(),
            start_time: Some(api_time(self.now)),
            ..(*known.info).clone()
        };
        known.info = bound.into();
        known.node = Some(slot);
        let info = known.info.clone();
        scheduler.assume(info.clone(), slot);
        sharing.put(&info);
        *self.bound_by_priority.entry(info.priority()).or_default() += 1;
        self.bind_claims(&info, slot);
    }

    /// Takes a pod off its node of the cache, if it is on one.
    pub(super) fn take_off_node(&mut self, pod: PodId) {
        let Desk { scheduler, book, sharing, .. } = &mut self.desk;
        let Some(known) = book.get_mut(pod) else { return };
        let Some(slot) = known.node.take() else { return };
        scheduler.cache.remove_pod(&known.info, slot);
        sharing.take(&known.info);
        let priority = known.info.priority();
        if let Some(count) = self.bound_by_priority.get_mut(&priority) {
            *count -= 1;
            if *count == 0 {
                self.bound_by_priority.remove(&priority);
            }
        }
    }
}
