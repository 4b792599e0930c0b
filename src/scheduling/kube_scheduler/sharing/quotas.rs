//! Namespaces take back what others have borrowed.

use super::super::KubeScheduler;
use super::super::book::api_time;
use super::super::desk::Desk;
use crate::cluster::{Cluster, PodRef};
use crate::scheduling::kube::{Cycle, PodInfo};

impl Desk {
    /// True if the quotas would let a pod be tried now.
    pub fn quota_allows(&self, pod: &PodInfo) -> bool {
        let nominated = self.scheduler.cache.nominator.pods();
        self.sharing.quotas.verdict(pod, nominated).is_success()
    }
}

impl KubeScheduler {
    /// PostFilter of CapacityScheduling: looks for victims among those that have borrowed, or, beyond
    /// its min, in the pod's own namespace. True if the pod was nominated to a node.
    pub(in super::super) fn preempt_by_quota(
        &mut self,
        cluster: &Cluster,
        pod: PodRef,
        info: &PodInfo,
        cycle: &Cycle,
    ) -> bool {
        let Desk { scheduler, sharing, .. } = &self.desk;
        let (state, _) = sharing.quotas.pre_filter(info, scheduler.cache.nominator.pods());
        let (statuses, now) = (&cycle.diagnosis.statuses, api_time(self.now));
        let found = state.preempt(scheduler, info, &cycle.state, statuses, now);
        let Some(candidate) = found.first().cloned() else { return false };
        self.clear(cluster, pod.pod, info, &candidate);
        true
    }
}
