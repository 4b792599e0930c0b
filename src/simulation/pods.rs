//! Pods start, do their work, crash and come back.

use super::{Event, Simulation};
use crate::cluster::{AllocRole, Cluster, Ending, Pod, PodId, PodRef, PodState, Tier, WorkEnd};
use crate::engine::{Distribution, EventQueue, Purpose, SimDuration, SimTime};
use crate::scheduling::Scheduler as _;

use super::config::TierBehaviour;

/// How often the work of `pod` is saved.
pub fn checkpoint(
    tiers: &[TierBehaviour; Tier::COUNT],
    cluster: &Cluster,
    pod: &Pod,
) -> Option<SimDuration> {
    tiers[cluster.classes().get(pod.class).tier as usize].checkpoint
}

/// Number of a pod that does not depend on any policy, for its random streams: every start of it
/// gets a stream of its own.
fn stream_entity(cluster: &Cluster, pod: &Pod) -> u64 {
    let workload = cluster.workloads().get(pod.new.workload).key;
    let mixed = workload.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31) ^ pod.new.key;
    mixed.wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(29) ^ u64::from(pod.starts)
}

impl Simulation {
    /// A pod that has been bound (or whose node is back) begins to start.
    pub(super) fn begin_start(&mut self, pod: PodId) {
        if self.cluster.pod(pod).state != PodState::Starting {
            return;
        }
        let delay = self.start_delay(pod);
        if delay == SimDuration::ZERO {
            self.start_now(pod);
            return;
        }
        let reference = self.cluster.pods().reference(pod);
        self.push_after(delay, Event::PodStarted(reference));
    }

    fn start_delay(&self, pod: PodId) -> SimDuration {
        if self.cluster.class_of(pod).alloc == AllocRole::Instance {
            // A reservation has nothing to install.
            return SimDuration::ZERO;
        }
        let record = self.cluster.pod(pod);
        let own = self.services.of(record.new.workload).and_then(|s| s.start_delay.as_ref());
        let delay = own.or(self.control_plane.start_delay.as_ref());
        delay.map_or(SimDuration::ZERO, |delay| self.sample(delay, Purpose::StartDelay, pod))
    }

    fn sample(&self, distribution: &Distribution, purpose: Purpose, pod: PodId) -> SimDuration {
        let entity = stream_entity(&self.cluster, self.cluster.pod(pod));
        distribution.sample_duration(&mut self.streams.stream(purpose, entity))
    }

    pub(super) fn pod_started(&mut self, reference: PodRef) {
        let pod = self.cluster.pods().resolve(reference);
        if pod.is_some_and(|pod| pod.state == PodState::Starting) {
            self.start_now(reference.pod);
        }
    }

    fn start_now(&mut self, pod: PodId) {
        let incarnation = self.cluster.start(pod);
        self.expect_end(PodRef { pod, incarnation });
    }

    /// Schedules what will end the run that has just begun: a crash or the end of the work.
    pub(super) fn expect_end(&mut self, reference: PodRef) {
        let pod = self.cluster.pod(reference.pod);
        let done_after = match pod.new.work_end {
            WorkEnd::Never => None,
            WorkEnd::Succeeds | WorkEnd::Fails => Some(pod.remaining_work()),
        };
        let crash_after = self.time_to_crash(reference.pod);
        match (crash_after, done_after) {
            (Some(crash), Some(done)) if crash < done => {
                self.push_after(crash, Event::PodCrashed(reference));
            }
            (_, Some(done)) => self.push_after(done, Event::PodWorkDone(reference)),
            (Some(crash), None) => self.push_after(crash, Event::PodCrashed(reference)),
            (None, None) => {}
        }
    }

    fn time_to_crash(&self, pod: PodId) -> Option<SimDuration> {
        if self.cluster.class_of(pod).alloc == AllocRole::Instance {
            // A reservation has no process that could crash.
            return None;
        }
        let record = self.cluster.pod(pod);
        let distribution = match self.services.of(record.new.workload) {
            Some(service) => service.time_to_crash.as_ref()?,
            None => {
                let tier = self.cluster.classes().get(record.class).tier;
                self.tiers[tier as usize].time_to_crash.as_ref()?
            }
        };
        Some(self.sample(distribution, Purpose::PodCrash, pod))
    }

    pub(super) fn pod_work_done(&mut self, reference: PodRef) {
        let Some(pod) = self.cluster.pods().resolve(reference) else { return };
        if self.cluster.now() - pod.started_at < pod.remaining_work() {
            // The source has since said that there is more to do; that end is queued as well.
            return;
        }
        let ending = match pod.new.work_end {
            WorkEnd::Succeeds => Ending::Succeeded,
            WorkEnd::Fails => Ending::Failed,
            WorkEnd::Never => return,
        };
        self.end(reference.pod, ending);
    }

    pub(super) fn pod_crashed(&mut self, reference: PodRef) {
        let Some(pod) = self.cluster.pods().resolve(reference) else { return };
        let ran = self.cluster.now() - pod.started_at;
        let interval = checkpoint(&self.tiers, &self.cluster, pod);
        let forgotten = ran >= self.crash_backoff.reset_after;
        self.cluster.crash(reference.pod, interval, forgotten);
        let delay = self.crash_backoff.delay(self.cluster.pod(reference.pod).crash_streak);
        let again = self.cluster.pods().reference(reference.pod);
        self.push_after(delay, Event::PodRestarts(again));
    }

    pub(super) fn pod_restarts(&mut self, reference: PodRef) {
        let pod = self.cluster.pods().resolve(reference);
        if pod.is_some_and(|pod| pod.state == PodState::BackingOff) {
            self.start_now(reference.pod);
        }
    }

    /// The requests of a pod changed: a pending one is in the queue under its old class.
    pub(super) fn requeue_resized(&mut self, pod: PodId) {
        if self.cluster.pod(pod).state == PodState::Pending {
            self.scheduler.enqueue(&self.cluster, pod);
        }
    }

    /// A pod left the cell: its next attempt may come in, its workload may want another.
    pub(super) fn pod_is_gone(&mut self, pod: PodId, ending: Ending) {
        if self.cluster.allocs().is_used() {
            self.instance_is_gone(pod);
        }
        let new = self.cluster.pod(pod).new;
        if self.cluster.workloads().get(new.workload).is_declared() {
            self.replica_is_gone(new.workload, ending);
        } else if let Some(next) = self.arrivals.pod_is_gone(new.key, pod) {
            self.submit(&next);
        }
    }

    /// Queues `event` for `delay` from now, unless that is after the end of the run.
    pub(super) fn push_after(&mut self, delay: SimDuration, event: Event) {
        let time = self.cluster.now().saturating_add(delay);
        let last = self.end.unwrap_or(EventQueue::<Event>::LATEST);
        if time < last {
            self.queue.push(time, event);
        }
    }

    /// True if `time` is within the run.
    pub(super) fn is_in_run(&self, time: SimTime) -> bool {
        time < self.end.unwrap_or(EventQueue::<Event>::LATEST)
    }
}
