//! What becomes of pods that fit nowhere.

use super::KubeScheduler;
use super::book::api_time;
use super::desk::Desk;
use super::futile::Outcome;
use super::sharing::COSCHEDULING;
use crate::cluster::{Cluster, EvictionCause, PodId, PodRef};
use crate::scheduling::kube::configuration::Extension;
use crate::scheduling::kube::preemption::Candidate;
use crate::scheduling::kube::queue::{PluginSet, QueuedPod};
use crate::scheduling::kube::{Cycle, PodInfo};
use crate::scheduling::scheduler::Decision;

impl KubeScheduler {
    /// How a try of the pod would end, where one of its kind has failed since anything happened.
    pub(super) fn known_outcome(&self, info: &PodInfo) -> Option<Outcome> {
        let version = self.desk.scheduler.cache.version();
        let outcome = self.futile.get(version, info.template.id)?;
        self.fails_like_its_kind(info).then(|| outcome.clone())
    }

    /// True if nothing but its template decides how a try ends that fails. (Pods of one template may
    /// have claims of their own.)
    fn fails_like_its_kind(&self, info: &PodInfo) -> bool {
        let post_filter = &self.desk.sharing.seat(info).extensions.post_filter;
        info.nominated_node.is_empty()
            && !info.template.uses_storage
            && post_filter.iter().all(|extension| *extension == Extension::Preemption)
    }

    /// Ends a try as one before it.
    pub(super) fn fail_again(
        &mut self,
        queued: QueuedPod<PodRef>,
        info: &PodInfo,
        outcome: Outcome,
    ) {
        debug_assert!(self.would_fail_so(info, &outcome), "{}", outcome.message);
        // What lots were drawn for then is drawn for again.
        self.first_candidate(info);
        self.end_in_vain(queued, info, outcome);
    }

    /// True if a try, were it made, would end as `outcome` says.
    fn would_fail_so(&self, info: &PodInfo, outcome: &Outcome) -> bool {
        let nodes = self.desk.scheduler.cache.order().len();
        self.desk.scheduler.evaluate(info).is_ok_and(|cycle| {
            cycle.feasible.is_empty() && cycle.diagnosis.message(nodes) == outcome.message
        })
    }

    /// No node will do: somebody may have to go, and the pod waits.
    pub(super) fn give_up(
        &mut self,
        cluster: &Cluster,
        queued: QueuedPod<PodRef>,
        info: &PodInfo,
        cycle: &Cycle,
    ) {
        self.counts.examined += cycle.evaluated() as u64;
        let version = self.desk.scheduler.cache.version();
        let plugins = cycle.diagnosis.unschedulable_plugins.iter();
        let mut outcome = Outcome {
            plugins: plugins.map(|name| self.desk.plugin(info, name)).collect(),
            message: cycle.diagnosis.message(self.desk.scheduler.cache.order().len()),
        };
        let nominated = self.post_filter(cluster, queued.pod, info, cycle, &mut outcome.message);
        if !nominated && self.fails_like_its_kind(info) {
            self.futile.note(version, info.template.id, outcome.clone());
        }
        self.end_in_vain(queued, info, outcome);
    }

    /// The pod waits until something happens that may help it.
    fn end_in_vain(&mut self, mut queued: QueuedPod<PodRef>, info: &PodInfo, outcome: Outcome) {
        self.counts.unschedulable += 1;
        queued.unschedulable_plugins = outcome.plugins;
        let known = self.desk.book.get(queued.pod.pod).expect("a pod that is tried is known");
        let class = known.class.0;
        self.why.insert(class, outcome.message);
        self.requeue(queued, class, info);
    }

    /// What can be done for a pod that fits nowhere; true if a node was cleared for it. What there
    /// is to say of it is added to `why`.
    fn post_filter(
        &mut self,
        cluster: &Cluster,
        pod: PodRef,
        info: &PodInfo,
        cycle: &Cycle,
        why: &mut String,
    ) -> bool {
        let extensions = self.desk.sharing.seat(info).extensions.post_filter.clone();
        for extension in extensions {
            let nominated = match extension {
                Extension::Preemption => self.preempt(cluster, pod.pod, info, cycle),
                Extension::Capacity => self.preempt_by_quota(cluster, pod, info, cycle),
                Extension::Coscheduling => {
                    if let Some(text) = self.give_up_group(pod, info) {
                        *why = format!("{why} {text}");
                    }
                    false
                }
            };
            if nominated {
                return true;
            }
        }
        false
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

    /// Where the search for somebody to preempt begins; `None` if there is nobody.
    fn first_candidate(&mut self, info: &PodInfo) -> Option<usize> {
        let lowest = self.bound_by_priority.first_key_value().map(|(priority, _)| *priority);
        let allowed = self.desk.scheduler.profile_of(info).preemption.is_some();
        if !allowed || lowest.is_none_or(|lowest| lowest >= info.priority()) {
            return None;
        }
        let nodes = self.desk.scheduler.cache.order().len().max(1);
        Some(self.ties.draw(nodes, &mut self.lots))
    }

    /// Clears a node for the pod, where that is allowed and helps; true if it did.
    fn preempt(&mut self, cluster: &Cluster, pod: PodId, info: &PodInfo, cycle: &Cycle) -> bool {
        let Some(offset) = self.first_candidate(info) else { return false };
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
