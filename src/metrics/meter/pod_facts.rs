//! What facts about pods mean to the meter. This is the hot path: six facts in the life of a plain
//! pod, no allocation, one line of memory per pod beside what the cluster has just touched.

use crate::cluster::{
    AllocRole, ClassId, Cluster, Ending, EvictionCause, NodeId, PodId, StopReason, Tier, WorkloadId,
};
use crate::engine::{SimDuration, SimTime};

use super::Meter;
use super::allocation::{Sign, working_cpu};
use super::declared::{NOT_DECLARED, RecoveryPart};
use super::disruption::Stop;

/// What a pod waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// To run for the first time.
    First,
    /// To run again after an eviction.
    Again,
    /// Nothing: it has run since.
    Over,
}

/// Where a displaced pod of a declared workload is on its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recovery {
    /// Not displaced.
    Whole,
    /// Its node failed under it.
    Undetected,
    /// Evicted.
    Unplaced,
    /// Bound again.
    Unstarted,
}

/// What was counted for a pod as far as its facts were seen: the cluster may already be further.
#[derive(Clone, Copy, Debug)]
pub(super) struct PodTrack {
    /// Since when it waits, if it does.
    waits_since: SimTime,
    /// Since when it is where `recovery` says.
    recovery_since: SimTime,
    /// Class it was bound with last.
    pub(super) class: ClassId,
    /// Node that it is bound to.
    pub(super) node: NodeId,
    /// Position of its workload among the declared ones.
    declared: u32,
    pub(super) tier: Tier,
    wait: Wait,
    recovery: Recovery,
    pub(super) is_running: bool,
    /// Unbound only to be bound again with other requests.
    is_resizing: bool,
    pub(super) is_live: bool,
}

impl PodTrack {
    /// Something from both ends of it, which may lie on two cache lines.
    #[inline]
    pub(super) fn ends(&self) -> (SimTime, bool) {
        (self.waits_since, self.is_live)
    }
}

impl Meter {
    #[inline]
    pub(super) fn pod_submitted(&mut self, pod: PodId, cluster: &Cluster) {
        let tier = cluster.class_of(pod).tier;
        let track = PodTrack {
            waits_since: self.now,
            recovery_since: SimTime::MAX,
            class: ClassId::NONE,
            node: NodeId::NONE,
            declared: self.declared.position(cluster.pod(pod).new.workload),
            tier,
            wait: Wait::First,
            recovery: Recovery::Whole,
            is_running: false,
            is_resizing: false,
            is_live: true,
        };
        if pod.index() < self.tracks.len() {
            self.tracks[pod.index()] = track;
        } else {
            let vacant = PodTrack { is_live: false, ..track };
            self.tracks.resize(pod.index() + 1, vacant);
            self.tracks[pod.index()] = track;
        }
        self.population.submit(tier, self.now);
        let class = cluster.class_of(pod);
        // What runs inside of an alloc asks no node for room.
        if class.alloc != AllocRole::Inside {
            self.fragmentation.arrive(class, cluster);
            self.filling.arrive(class);
        }
    }

    #[inline]
    pub(super) fn pod_bound(
        &mut self,
        pod: PodId,
        node: NodeId,
        class_id: ClassId,
        cluster: &Cluster,
    ) {
        let class = cluster.classes().get(class_id);
        let track = &mut self.tracks[pod.index()];
        (track.class, track.node) = (class_id, node);
        self.allocation.bind(Sign::Plus, class, node, self.now);
        self.allocs.bind(Sign::Plus, class, self.now);
        self.fragmentation.change(node);
        self.population.pending_now -= 1;
        if track.is_resizing {
            track.is_resizing = false;
            if track.is_running {
                let usage = cluster.pod(pod).new.usage_permille;
                self.allocation.run(Sign::Plus, class, usage, node, self.now);
                self.allocs.run(Sign::Plus, class, usage, self.now);
            }
            return;
        }
        self.population.counts.bound += 1;
        self.preferences.bind(class, node, cluster);
        self.allocation.count_placement(class, node);
        if track.recovery == Recovery::Unplaced {
            let waited = self.now - track.recovery_since;
            (track.recovery, track.recovery_since) = (Recovery::Unstarted, self.now);
            self.declared.note_recovery(track.declared, RecoveryPart::Place, waited);
        }
    }

    #[inline]
    pub(super) fn pod_started(&mut self, pod: PodId, node: NodeId, cluster: &Cluster) {
        let track = &mut self.tracks[pod.index()];
        track.is_running = true;
        let class = cluster.classes().get(track.class);
        let usage = cluster.pod(pod).new.usage_permille;
        self.allocation.run(Sign::Plus, class, usage, node, self.now);
        self.allocs.run(Sign::Plus, class, usage, self.now);
        self.population.counts.started += 1;
        let waiting = &mut self.population.waiting[track.tier as usize];
        match std::mem::replace(&mut track.wait, Wait::Over) {
            Wait::First => waiting.from_submit.record(self.now - track.waits_since),
            Wait::Again => waiting.from_eviction.record(self.now - track.waits_since),
            Wait::Over => {}
        }
        if track.declared != NOT_DECLARED {
            self.declared.count_ready(Sign::Plus, track.declared, self.now);
            if track.recovery == Recovery::Unstarted {
                let waited = self.now - track.recovery_since;
                self.declared.note_recovery(track.declared, RecoveryPart::Start, waited);
            }
            track.recovery = Recovery::Whole;
        }
    }

    #[inline]
    pub(super) fn pod_stopped(
        &mut self,
        pod: PodId,
        node: NodeId,
        (ran, kept): (SimDuration, SimDuration),
        reason: StopReason,
        cluster: &Cluster,
    ) {
        let track = &mut self.tracks[pod.index()];
        track.is_running = false;
        let class = cluster.classes().get(track.class);
        let usage = cluster.pod(pod).new.usage_permille;
        self.allocation.run(Sign::Minus, class, usage, node, self.now);
        self.allocs.run(Sign::Minus, class, usage, self.now);
        let cpu_milli = working_cpu(class);
        let stop = Stop { pod, cpu_milli, lost: ran - kept, reason };
        self.disruption.stop(stop, self.now, self.window_start);
        self.population.counts.crashed += u64::from(reason == StopReason::Crashed);
        if track.declared != NOT_DECLARED {
            self.declared.count_ready(Sign::Minus, track.declared, self.now);
            let workload = &mut self.declared.tracks[track.declared as usize];
            workload.crashes += u64::from(reason == StopReason::Crashed);
            if reason == StopReason::NodeDown {
                (track.recovery, track.recovery_since) = (Recovery::Undetected, self.now);
            }
        }
    }

    #[inline]
    pub(super) fn pod_unbound(
        &mut self,
        pod: PodId,
        node: NodeId,
        class_id: ClassId,
        cluster: &Cluster,
    ) {
        let class = cluster.classes().get(class_id);
        let track = &mut self.tracks[pod.index()];
        track.node = NodeId::NONE;
        self.unbound = pod;
        self.allocation.bind(Sign::Minus, class, node, self.now);
        self.allocs.bind(Sign::Minus, class, self.now);
        self.fragmentation.change(node);
        self.population.pending_now += 1;
        if track.is_running {
            // It runs on with other requests.
            let usage = cluster.pod(pod).new.usage_permille;
            self.allocation.run(Sign::Minus, class, usage, node, self.now);
            self.allocs.run(Sign::Minus, class, usage, self.now);
            self.disruption.resize(pod, working_cpu(class), self.now);
        }
    }

    pub(super) fn pod_evicted(&mut self, pod: PodId, cause: EvictionCause) {
        self.unbound = PodId::NONE;
        let track = &mut self.tracks[pod.index()];
        self.population.counts.evicted += 1;
        self.disruption.evict(track.tier, cause);
        if track.wait == Wait::Over {
            (track.wait, track.waits_since) = (Wait::Again, self.now);
        }
        if track.declared != NOT_DECLARED {
            self.declared.tracks[track.declared as usize].evictions += 1;
            if track.recovery == Recovery::Undetected {
                let unnoticed = self.now - track.recovery_since;
                self.declared.note_recovery(track.declared, RecoveryPart::Detect, unnoticed);
            }
            (track.recovery, track.recovery_since) = (Recovery::Unplaced, self.now);
        }
    }

    #[inline]
    pub(super) fn pod_ended(&mut self, pod: PodId, ending: Ending, cluster: &Cluster) {
        self.unbound = PodId::NONE;
        let track = &mut self.tracks[pod.index()];
        track.is_live = false;
        let record = cluster.pod(pod);
        let sojourn = self.now - record.submitted_at.max(self.window_start);
        self.population.end(track.tier, ending, sojourn, self.now);
        self.filling.end();
        if ending == Ending::Succeeded {
            let response = self.now - record.submitted_at;
            self.population.note_slowdown(track.tier, response, record.done);
        }
    }

    pub(super) fn pod_resized(&mut self, pod: PodId, cluster: &Cluster) {
        let track = &mut self.tracks[pod.index()];
        track.is_resizing = self.unbound == pod;
        self.unbound = PodId::NONE;
        let tier = cluster.class_of(pod).tier;
        self.population.change_tier(track.tier, tier, self.now);
        track.tier = tier;
    }

    /// Counts all pods on `node`, as far as facts were seen, in or out.
    pub(super) fn count_pods_on(&mut self, sign: Sign, node: NodeId, cluster: &Cluster) {
        for (slot, track) in self.tracks.iter().enumerate() {
            if !track.is_live || track.node != node {
                continue;
            }
            let class = cluster.classes().get(track.class);
            self.allocation.bind(sign, class, node, self.now);
            if track.is_running {
                let usage = cluster.pod(PodId::from_index(slot)).new.usage_permille;
                self.allocation.run(sign, class, usage, node, self.now);
            }
        }
    }

    /// Pods of `workload`, which has just been declared, are counted under it.
    pub(super) fn adopt_pods(&mut self, workload: WorkloadId, cluster: &Cluster) {
        let position = self.declared.position(workload);
        for (slot, track) in self.tracks.iter_mut().enumerate() {
            let owner = cluster.pod(PodId::from_index(slot)).new.workload;
            if track.is_live && owner == workload {
                track.declared = position;
                if track.is_running {
                    self.declared.count_ready(Sign::Plus, position, self.now);
                }
            }
        }
    }
}
