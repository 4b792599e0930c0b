//! The claims of the cell's pods. What the volume controller, the provisioners of drivers and the
//! garbage collector do upstream in the background is done here with the event that causes it, and
//! takes no time.

use super::KubeScheduler;
use super::desk::Event;
use crate::cluster::PodId;
use crate::scheduling::kube::{NodeId, PodInfo};

/// The plugin that binds claims.
const BINDING: &str = "VolumeBinding";

impl KubeScheduler {
    /// A pod is new: its generic ephemeral volumes get their claims. Claims of the files that wait
    /// for no pod are bound before the first pod that has any is looked at.
    pub(super) fn make_claims(&mut self, pod: PodId) {
        let Some(known) = self.desk.book.get(pod) else { return };
        if !known.info.template.uses_storage {
            return;
        }
        let cache = &mut self.desk.scheduler.cache;
        if !self.settled {
            cache.settle_volumes();
            self.settled = true;
        }
        cache.add_ephemeral_claims(&known.info);
    }

    /// A pod goes to a node of the cache: claims that waited for that are bound, unless nobody in
    /// the profile sees to it. One that cannot be bound there stays as it is: the pod was put there
    /// by somebody who did not ask.
    pub(super) fn bind_claims(&mut self, info: &PodInfo, slot: NodeId) {
        let scheduler = &mut self.desk.scheduler;
        let plugins = &scheduler.profile_of(info).plugins;
        if !info.template.uses_storage || plugins.iter().all(|one| one.plugin.name() != BINDING) {
            return;
        }
        for claim in scheduler.cache.bind_volumes(info, slot).unwrap_or_default() {
            self.wake(&Event::ClaimBound(claim));
        }
    }

    /// A pod is gone: what was claimed for it alone goes with it.
    pub(super) fn delete_claims(&mut self, info: &PodInfo) {
        if info.template.uses_storage {
            self.desk.scheduler.cache.storage_mut().delete_ephemeral_claims(info);
        }
    }
}
