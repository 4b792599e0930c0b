//! What becomes of pods inside of an alloc when it is moved or ends.

use super::Simulation;
use super::pods::checkpoint;
use crate::cluster::{AllocRole, Ending, EvictionCause, JobAlloc, PodId, WorkloadId};

impl Simulation {
    /// Evicts a bound pod. If it is an alloc instance, what is inside is evicted with it, for the
    /// same cause, and goes inside again once the instance (or another) is bound (EuroSys'15 §2.4).
    pub(super) fn evict(&mut self, pod: PodId, cause: EvictionCause) {
        if self.cluster.allocs().envelope(pod).is_some() {
            let tiers = &self.tiers;
            let save = |cluster: &_, pod: &_| checkpoint(tiers, cluster, pod);
            self.cluster.clear_alloc(pod, cause, &save);
        }
        let interval = checkpoint(&self.tiers, &self.cluster, self.cluster.pod(pod));
        self.cluster.evict(pod, cause, interval);
    }

    /// A pod leaves the cell. If it is an alloc instance, pods inside that asked for this very
    /// instance end with it, and all of them if it is the last of its set; the others are evicted
    /// and may find room in the rest of the set. (What Borg does then is not published.)
    pub(super) fn end(&mut self, pod: PodId, ending: Ending) {
        if self.cluster.allocs().envelope(pod).is_some() {
            let set = self.cluster.pod(pod).new.workload;
            let is_last = self.cluster.workloads().get(set).pods == 1
                && self.cluster.workloads().job(set).is_none_or(|job| job.to_end <= 1);
            for inside in self.cluster.ids_inside(pod) {
                if is_last || self.cluster.pod(inside).alloc_number.is_some() {
                    self.cluster.end(inside, Ending::Killed);
                } else {
                    self.evict(inside, EvictionCause::Other);
                }
            }
        }
        self.cluster.end(pod, ending);
    }

    /// A pod left the cell for good: if it was an alloc instance, those that wait for it do so in
    /// vain.
    pub(super) fn instance_is_gone(&mut self, pod: PodId) {
        let (number, class) = (self.cluster.pod(pod).alloc_number, self.cluster.class_of(pod));
        if class.alloc == AllocRole::Instance && number.is_some() {
            self.give_up(self.cluster.pod(pod).new.workload, number);
        }
    }

    /// The last pod of a workload ended: if it was an alloc set, so do the jobs that wait for it.
    pub(super) fn set_is_over(&mut self, workload: WorkloadId) {
        let key = self.cluster.workloads().get(workload).key;
        if self.cluster.allocs().role_of(key) == JobAlloc::Set {
            self.give_up(workload, None);
        }
    }

    fn give_up(&mut self, set: WorkloadId, number: Option<u32>) {
        let key = self.cluster.workloads().get(set).key;
        for pod in self.scheduler.give_up(&self.cluster, key, number) {
            self.cluster.end(pod, Ending::Killed);
        }
    }
}
