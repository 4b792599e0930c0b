//! What becomes of pods that fit nowhere.

use super::KubeScheduler;
use super::book::api_time;
use super::desk::Desk;
use super::sharing::COSCHEDULING;
use crate::cluster::{Cluster, EvictionCause, PodId, PodRef};
use crate::scheduling::kube::configuration::Extension;
use crate::scheduling::kube::preemption::Candidate;
use crate::scheduling::kube::queue::{PluginSet, QueuedPod};
use crate::scheduling::kube::{Cycle, PodInfo};
use crate::scheduling::scheduler::Decision;

impl KubeScheduler {
    /// No node will do: somebody may have to go, and the pod waits.
    pub(super) fn give_up(
        &mut self,
        cluster: &Cluster,
        mut queued: QueuedPod<PodRef>,
        info: &PodInfo,
        cycle: &Cycle,
    ) {
        self.counts.unschedulable += 1;
        self.counts.examined += cycle.evaluated() as u64;
        let plugins = cycle.diagnosis.unschedulable_plugins.iter();
        queued.unschedulable_plugins = plugins.map(|name| self.desk.plugin(info, name)).collect();
        let known = self.desk.book.get(queued.pod.pod).expect("a pod that is tried is known");
        let message = cycle.diagnosis.message(self.desk.scheduler.cache.order().len());
        self.why.insert(known.class.0, message);
        let class = known.class.0;
        self.post_filter(cluster, queued.pod, class, info, cycle);
        self.requeue(queued, class, info);
    }

    /// What can be done for a pod that fits nowhere.
    fn post_filter(
        &mut self,
        cluster: &Cluster,
        pod: PodRef,
        class: u32,
        info: &PodInfo,
        cycle: &Cycle,
    ) {
        let extensions = self.desk.sharing.seat(info).extensions.post_filter.clone();
        for extension in extensions {
            let nominated = match extension {
                Extension::Preemption => self.preempt(cluster, pod.pod, info, cycle),
                Extension::Capacity => self.preempt_by_quota(cluster, pod, info, cycle),
                Extension::Coscheduling => {
                    if let Some(text) = self.give_up_group(pod, info) {
                        let why = self.why.entry(class).or_default();
                        *why = format!("{why} {text}");
                    }
                    false
                }
            };
            if nominated {
                return;
            }
        }
    }

    /// A pod that plugins rejected comes back to the queue.
    pub(super) fn requeue(&mut self, queued: QueuedPod<PodRef>, class: u32, info: &PodInfo) {
        let (pod, by_group) = (queued.pod, queued.rejectors().contains(COSCHEDULING));
        let place = self.queue.add_unschedulable(&self.desk, queued, self.now);
        self.unschedulable.entry((class, by_group)).or_default().insert(pod);
        self.rest(pod, info, place);
    }

    pub(super) fn fail(&mut self, mut queued: QueuedPod<PodRef>, why: String) {
        self.counts.unschedulable += 1;
        queued.unschedulable_plugins = PluginSet::EMPTY;
        let pod = queued.pod;
        let place = self.queue.add_unschedulable(&self.desk, queued, self.now);
        if let Some(known) = self.desk.book.get(pod.pod) {
            let info = known.info.clone();
            self.why.insert(known.class.0, why);
            self.rest(pod, &info, place);
        }
    }

    /// Clears a node for the pod, where that is allowed and helps; true if it did.
    fn preempt(&mut self, cluster: &Cluster, pod: PodId, info: &PodInfo, cycle: &Cycle) -> bool {
        let lowest = self.bound_by_priority.first_key_value().map(|(priority, _)| *priority);
        let allowed = self.desk.scheduler.profile_of(info).preemption.is_some();
        if !allowed || lowest.is_none_or(|lowest| lowest >= info.priority()) {
            return false;
        }
        let nodes = self.desk.scheduler.cache.order().len().max(1);
        let offset = self.ties.draw(nodes, &mut self.lots);
        let found = self.desk.scheduler.preempt(info, cycle, offset, api_time(self.now));
        let Some(candidate) = found.first().cloned() else { return false };
        self.clear(cluster, pod, info, &candidate);
        true
    }

    /// Clears a node for the pod, and nominates the pod to it.
    pub(super) fn clear(
        &mut self,
        cluster: &Cluster,
        pod: PodId,
        info: &PodInfo,
        candidate: &Candidate,
    ) {
        let name = self.desk.scheduler.cache.node(candidate.node).name().to_owned();
        for outranked in self.desk.scheduler.outranked(info, &name) {
            self.desk.scheduler.cache.nominator.remove(&outranked);
        }
        let node = self.numbers[candidate.node.index()];
        for victim in &candidate.victims {
            let is_it = |id: PodId| {
                self.desk.book.get(id).is_some_and(|known| known.info.uid == victim.uid)
            };
            let Some(victim) = cluster.pods_on(node).map(|(id, _)| id).find(|id| is_it(*id)) else {
                let held = self.held_on(candidate.node);
                let held = held.into_iter().filter(|one| is_it(one.pod)).collect();
                self.give_back(held, "preempted");
                continue;
            };
            self.take_off_node(victim);
            self.counts.preempted += 1;
            let cause = EvictionCause::Preemption;
            self.outbox.push_back(Decision::Evict { pod: victim, cause });
        }
        let Desk { scheduler, book, .. } = &mut self.desk;
        if let Some(known) = book.get_mut(pod) {
            let nominated = PodInfo { nominated_node: name.clone(), ..(*known.info).clone() };
            known.info = nominated.into();
            scheduler.cache.nominator.add(known.info.clone(), &name);
        }
    }
}
