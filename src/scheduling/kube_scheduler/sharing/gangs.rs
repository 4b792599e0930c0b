//! Pods of a group wait on their nodes until there are enough of them: then all are bound at once.
//! Until then they count on their nodes for everybody, and the cell knows nothing of them.

use std::sync::Arc;

use super::super::KubeScheduler;
use super::super::desk::{Desk, Event};
use super::{COSCHEDULING, Held, Sharing};
use crate::cluster::{Cluster, PodRef};
use crate::engine::SimTime;
use crate::scheduling::gang::{GroupName, Permit, PostFilter};
use crate::scheduling::kube::queue::{Place, QueuedPod};
use crate::scheduling::kube::{Cycle, NodeId as KubeNode, PodInfo, Status};
use crate::scheduling::scheduler::Decision;

const REFUSED: &str = "the cell does not admit it on the node chosen";

/// Pods of a group: all, those that no gate holds back, those with a node.
#[derive(Clone, Copy, Default)]
struct Census {
    all: u32,
    free: u32,
    assigned: u32,
}

impl Desk {
    /// The pods of the group of a pod; it does not count itself among those with a node.
    fn census(&self, pod: PodRef, group: &GroupName) -> Census {
        let mut census = Census::default();
        for member in self.sharing.members.get(group).into_iter().flatten() {
            let known = self.book.get(member.pod).filter(|known| known.reference == *member);
            let Some(known) = known else { continue };
            census.all += 1;
            census.free += u32::from(known.info.template.spec.scheduling_gates.is_empty());
            census.assigned += u32::from(known.node.is_some() && *member != pod);
        }
        census
    }

    fn members(&self, pod: PodRef, info: &PodInfo) -> u32 {
        GroupName::of_pod(info).map_or(0, |group| self.census(pod, &group).free)
    }

    /// Why groups or quotas keep a pending pod from being tried, or what it waits for.
    pub fn kept_by_sharing(&self, pod: PodRef, now: SimTime) -> Option<String> {
        let known = self.book.get(pod.pod)?;
        let info = &*known.info;
        if let Some(held) = self.sharing.held.get(&pod) {
            let node = self.scheduler.cache.node(held.slot).name();
            return Some(format!("the pod holds room on {node}: {}", self.waits(pod, info)));
        }
        if known.node.is_some() {
            return None;
        }
        let members = self.members(pod, info);
        let rejected = self.sharing.would_reject(info, members, &self.scheduler.cache, now);
        let before = GroupName::of_pod(info).and_then(|name| self.sharing.why.get(&name));
        match (rejected, before) {
            (Some(status), Some(before)) => Some(format!("{} ({before})", status.message())),
            (Some(status), None) => Some(status.message()),
            (None, before) => before.cloned(),
        }
    }

    /// What a pod that holds room waits for.
    fn waits(&self, pod: PodRef, info: &PodInfo) -> String {
        let Some(name) = GroupName::of_pod(info) else { return String::new() };
        let needed = self.sharing.seat(info).gangs.group(&name).map_or(0, |one| one.min_member);
        let assigned = self.census(pod, &name).assigned + 1;
        let GroupName { namespace, name } = name;
        format!(
            "{assigned} of the {needed} pods that PodGroup {namespace}/{name} needs have a node"
        )
    }
}

impl Sharing {
    /// The cycle of a pod of `group` failed; who held room then may have been in its way.
    fn note_failure(&mut self, group: Option<&GroupName>) {
        let own = group.and_then(|group| self.members.get(group));
        let is_own = |pod: &PodRef| own.is_some_and(|members| members.contains(pod));
        self.failed_beside |= self.held.keys().any(|pod| !is_own(pod));
    }
}

impl KubeScheduler {
    /// PreFilter of groups and quotas: the failed cycle, if they reject the pod.
    pub(in super::super) fn pre_filter_shared(
        &mut self,
        pod: PodRef,
        info: &PodInfo,
    ) -> Option<Result<Cycle, Status>> {
        self.desk.sharing.resting.remove(pod);
        if self.desk.sharing.seat(info).extensions.pre_filter.is_empty() {
            return None;
        }
        let members = self.desk.members(pod, info);
        let Desk { scheduler, sharing, .. } = &mut self.desk;
        let status = sharing.pre_filter(info, members, &scheduler.cache, self.now);
        status.map(|status| scheduler.rejected(info, status))
    }

    /// Permit: a pod that found a node is bound, or waits there for the others of its group.
    pub(in super::super) fn permit(
        &mut self,
        cluster: &Cluster,
        queued: QueuedPod<PodRef>,
        info: &PodInfo,
        slot: KubeNode,
    ) {
        let class = cluster.pod(queued.pod.pod).class;
        if !cluster.admits(cluster.classes().get(class), self.numbers[slot.index()]) {
            // The objects say less than the cell knows: of single devices, for example.
            return self.fail(queued, REFUSED.to_owned());
        }
        let group = GroupName::of_pod(info);
        let Some(name) =
            group.filter(|_| !self.desk.sharing.seat(info).extensions.permit.is_empty())
        else {
            return self.bind(queued, slot);
        };
        let (pod, now) = (queued.pod, self.now);
        let assigned = self.desk.census(pod, &name).assigned;
        match self.desk.sharing.gangs_of(info).permit(pod, info, assigned, now) {
            Permit::NotSpecified => self.bind(queued, slot),
            Permit::NotFound => self.reject(queued, "PodGroup not found".to_owned()),
            Permit::Success { allowed } => {
                self.desk.sharing.why.remove(&name);
                self.bind(queued, slot);
                for waited in allowed {
                    self.grant(waited);
                }
            }
            Permit::Wait { activate_siblings, .. } => {
                let Some(known) = self.desk.book.get(pod.pod) else { return };
                let held = Held { queued, slot, info: known.info.clone() };
                self.put_on_node(pod.pod, slot);
                self.desk.sharing.held.insert(pod, held);
                let waits = self.desk.waits(pod, info);
                self.why.insert(class.0, waits);
                if activate_siblings {
                    let members = self.desk.sharing.members.get(&name);
                    let siblings: Vec<PodRef> = members.into_iter().flatten().copied().collect();
                    self.queue.activate(&self.desk, &siblings, now);
                }
            }
        }
    }

    /// A pod that waited is bound.
    fn grant(&mut self, pod: PodRef) {
        let Some(held) = self.desk.sharing.held.get(&pod) else { return };
        let node = self.numbers[held.slot.index()];
        self.counts.placed += 1;
        self.outbox.push_back(Decision::Bind { pod: pod.pod, node, devices: None });
    }

    /// The decision to be given out next: a pod that waited is only bound if the cell still takes it
    /// (it knew nothing of the room that the pod held).
    pub(in super::super) fn next_decision(&mut self, cluster: &Cluster) -> Option<Decision> {
        loop {
            let decision = self.outbox.pop_front()?;
            let Decision::Bind { pod, node, .. } = decision else { return Some(decision) };
            let reference = cluster.pods().reference(pod);
            let Some(held) = self.desk.sharing.held.remove(&reference) else {
                return Some(decision);
            };
            if cluster.admits(cluster.classes().get(cluster.pod(pod).class), node) {
                self.queue.done(reference);
                return Some(decision);
            }
            self.counts.placed -= 1;
            self.lift(&held);
            self.wake(&Event::PodLeft(held.slot));
            self.fail(held.queued, REFUSED.to_owned());
        }
    }

    /// A pod gives its room back.
    fn lift(&mut self, held: &Held) {
        let pod = held.queued.pod.pod;
        self.take_off_node(pod);
        if let Some(known) = self.desk.book.get_mut(pod) {
            known.info = Arc::clone(&held.info);
        }
    }

    /// A pod comes back to the queue, rejected by Coscheduling.
    fn reject(&mut self, mut queued: QueuedPod<PodRef>, why: String) {
        self.counts.unschedulable += 1;
        queued.unschedulable_plugins = [COSCHEDULING].into_iter().collect();
        let Some(known) = self.desk.book.get(queued.pod.pod) else { return };
        let (class, info) = (known.class, known.info.clone());
        self.why.insert(class.0, why);
        self.requeue(queued, class.0, &info);
    }

    /// PostFilter of Coscheduling: the pod found no node, so its group is given up, unless there
    /// are nearly enough. Returns what is said of it.
    pub(in super::super) fn give_up_group(
        &mut self,
        pod: PodRef,
        info: &PodInfo,
    ) -> Option<String> {
        let name = GroupName::of_pod(info)?;
        let census = self.desk.census(pod, &name);
        let now = self.now;
        let gangs = self.desk.sharing.gangs_of(info);
        let (result, text) = gangs.post_filter(info, census.assigned, census.all, now);
        match result {
            PostFilter::NoGroup | PostFilter::Kept => None,
            PostFilter::Rejected { rejected } => {
                self.desk.sharing.why.insert(name, text.clone());
                self.give_back(rejected, &text);
                Some(text)
            }
        }
    }

    /// Pods that waited give their rooms back and return to the queue, and with them the others of
    /// their groups that wait.
    pub(in super::super) fn give_back(&mut self, mut pods: Vec<PodRef>, why: &str) {
        let mut given = Vec::new();
        while let Some(pod) = pods.pop() {
            let Some(held) = self.desk.sharing.held.remove(&pod) else { continue };
            let Some(known) = self.desk.book.get(pod.pod) else { continue };
            let info = known.info.clone();
            let unreserves = !self.desk.sharing.seat(&info).extensions.reserve.is_empty();
            self.lift(&held);
            if unreserves {
                pods.extend(self.desk.sharing.gangs_of(&info).unreserve(pod, &info));
            } else {
                self.desk.sharing.gangs_of(&info).stop_waiting(pod);
            }
            given.push(held);
        }
        if given.is_empty() {
            return;
        }
        if std::mem::take(&mut self.desk.sharing.failed_beside) {
            self.desk.sharing.hear_news();
        }
        // In the order in which they were taken.
        given.sort_by_key(|held| held.queued.pod);
        let slots: Vec<KubeNode> = given.iter().map(|held| held.slot).collect();
        slots.into_iter().for_each(|slot| self.wake(&Event::PodLeft(slot)));
        for held in given {
            self.reject(held.queued, why.to_owned());
        }
    }

    /// Rejects the pods that waited for too long, and their groups with them.
    pub(in super::super) fn time_out(&mut self) {
        if self.desk.sharing.next_deadline().is_none_or(|deadline| deadline > self.now) {
            return;
        }
        let now = self.now;
        let mut late = Vec::new();
        for (_, seat) in &mut self.desk.sharing.seats {
            late.extend(seat.gangs.timed_out(now));
        }
        let why = "rejected due to timeout at plugin Coscheduling";
        for pod in &late {
            let Some(known) = self.desk.book.get(pod.pod) else { continue };
            let Some(name) = GroupName::of_pod(&known.info) else { continue };
            // Upstream, others come before those who return; here the group would be back at this
            // very instant.
            self.desk.sharing.gangs_of(&known.info).back_off(&name, now);
            self.desk.sharing.why.insert(name, why.to_owned());
        }
        self.give_back(late, why);
    }

    /// A pod that waits is deleted, or its node is gone: its group gives its rooms back.
    pub(in super::super) fn stop_waiting(&mut self, pod: PodRef) {
        let Some(held) = self.desk.sharing.held.remove(&pod) else { return };
        let Some(known) = self.desk.book.get(pod.pod) else { return };
        let info = known.info.clone();
        self.queue.done(pod);
        self.lift(&held);
        let others = self.desk.sharing.gangs_of(&info).unreserve(pod, &info);
        self.give_back(others, "rejection in Unreserve");
        self.wake(&Event::PodLeft(held.slot));
    }

    /// The pods that hold room on a node.
    pub(in super::super) fn held_on(&self, slot: KubeNode) -> Vec<PodRef> {
        let held = self.desk.sharing.held.iter().filter(|(_, held)| held.slot == slot);
        held.map(|(pod, _)| *pod).collect()
    }

    /// Notes that a pod failed, and where it waits now.
    pub(in super::super) fn rest(&mut self, pod: PodRef, info: &PodInfo, place: Option<Place>) {
        let group = GroupName::of_pod(info);
        self.desk.sharing.note_failure(group.as_ref());
        if !self.desk.sharing.is_in_gang(info) {
            return;
        }
        let sharing = &mut self.desk.sharing;
        match place {
            Some(Place::Backoff) => sharing.resting.insert(pod, sharing.news),
            // A group that backs off is rejected because of the time: that passes by itself.
            Some(Place::Unschedulable) => sharing.resting.insert(pod, 0),
            Some(Place::Active) | None => sharing.resting.remove(pod),
        }
    }

    /// Notes that pods were moved because of something that happened.
    pub(in super::super) fn stir(&mut self, pods: &[PodRef]) {
        for pod in pods {
            let Some(known) = self.desk.book.get(pod.pod) else { continue };
            let backs_off = self.queue.place(*pod) == Some(Place::Backoff);
            if backs_off && self.desk.sharing.is_in_gang(&known.info) {
                self.desk.sharing.resting.insert(*pod, 0);
            }
        }
    }
}
