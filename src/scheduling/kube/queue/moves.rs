//! How pods move between the places of the queue: what happens, what is asked for, and what time
//! brings.

use super::backoff::window;
use super::pod::QueuedPod;
use super::{Event, Hint, LEFTOVER_INTERVAL, ORDERING_WINDOW, Place, QueuePolicy};
use super::{SchedulingQueue, Strategy};
use crate::engine::SimTime;

impl<Q: QueuePolicy> SchedulingQueue<Q> {
    /// Something happened in the cluster. Unschedulable pods that it may help are moved on; pods
    /// that are being scheduled will be asked when they come back.
    pub fn move_all(&mut self, policy: &Q, event: &Q::Event, now: SimTime) {
        let waiting: Vec<_> = self.pool.unschedulable().collect();
        self.move_some(policy, event, &waiting, now);
    }

    /// As [`Self::move_all`], for the pods in `waiting` only (upstream looks at fewer pods when a
    /// pod is bound: those with affinity or spread terms).
    pub fn move_some(&mut self, policy: &Q, event: &Q::Event, waiting: &[Q::Pod], now: SimTime) {
        if !policy.is_of_interest(event) {
            return;
        }
        let event = Event::Cluster(event.clone());
        self.move_by(policy, &event, waiting, now);
        self.in_flight.record(event);
    }

    /// Moves those of `waiting` that are unschedulable and that `event` may help.
    fn move_by(
        &mut self,
        policy: &Q,
        event: &Event<Q::Pod, Q::Event>,
        waiting: &[Q::Pod],
        now: SimTime,
    ) {
        for pod in waiting {
            if self.pool.place(*pod) != Some(Place::Unschedulable) {
                continue;
            }
            let Some(queued) = self.pool.get(*pod) else { continue };
            let strategy = worth_requeuing(policy, queued, event);
            if strategy != Strategy::Skip
                && let Some(queued) = self.pool.remove(*pod)
            {
                self.requeue(policy, queued, strategy, now);
            }
        }
    }

    /// Moves pods to the active ones, whatever their back-off. Pods that are being scheduled will
    /// be tried again when they come back.
    pub fn activate(&mut self, policy: &Q, pods: &[Q::Pod], now: SimTime) {
        for pod in pods {
            match self.pool.place(*pod) {
                Some(Place::Backoff | Place::Unschedulable) => {
                    if let Some(queued) = self.pool.remove(*pod) {
                        self.make_active(policy, queued, now);
                    }
                }
                Some(Place::Active) => {}
                None => {
                    if self.in_flight.contains(*pod) {
                        self.in_flight.record(Event::ForceActivate(*pod));
                    }
                }
            }
        }
    }

    /// A pod that waits was changed, in ways that are told by `events`. A pod that is not there
    /// comes new.
    pub fn update(
        &mut self,
        policy: &Q,
        pod: Q::Pod,
        priority: i32,
        events: &[Q::Event],
        now: SimTime,
    ) {
        if self.in_flight.contains(pod) {
            for event in events {
                self.in_flight.record(Event::Cluster(event.clone()));
            }
            return;
        }
        let Some(place) = self.pool.place(pod) else {
            self.add(policy, pod, priority, now);
            return;
        };
        let Some(mut queued) = self.pool.remove(pod) else { return };
        queued.priority = priority;
        match place {
            Place::Active => self.pool.insert_active(policy.sort_key(&queued), queued),
            Place::Backoff => self.insert_backoff(policy, queued),
            Place::Unschedulable => {
                self.pool.insert_unschedulable(queued);
                for event in events {
                    self.move_by(policy, &Event::Cluster(event.clone()), &[pod], now);
                    if self.pool.place(pod) == Some(Place::Active) {
                        break;
                    }
                }
            }
        }
    }

    /// Moves the pods whose back-off is over to the active ones.
    pub fn flush_backoff(&mut self, policy: &Q, now: SimTime) {
        while let Some((pod, expiry)) = self.pool.first_expiry() {
            if !self.config.backoff.is_over(expiry, now) {
                return;
            }
            if let Some(queued) = self.pool.remove(pod) {
                self.make_active(policy, queued, now);
            }
        }
    }

    /// Tries unschedulable pods again that have waited for too long.
    pub fn flush_unschedulable(&mut self, policy: &Q, now: SimTime) {
        let limit = self.config.max_unschedulable;
        let waiting = self.pool.unschedulable_by_age();
        let late: Vec<_> = waiting
            .take_while(|(since, _)| now.since(*since) > limit)
            .map(|(_, pod)| pod)
            .collect();
        if !late.is_empty() {
            self.move_by(policy, &Event::Wildcard, &late, now);
            self.in_flight.record(Event::Wildcard);
        }
    }

    /// The first time after `now` at which a flush would move a pod: back-off is flushed at every
    /// whole second, unschedulable pods are looked through every thirty.
    pub fn next_flush(&self, now: SimTime) -> Option<SimTime> {
        let next_second = window(now).saturating_add(ORDERING_WINDOW);
        let backoff = self
            .pool
            .first_expiry()
            .map(|(_, expiry)| self.config.backoff.flushed_at(expiry).max(next_second));
        let next_tick = next_multiple(now, LEFTOVER_INTERVAL.0);
        let late = self.pool.unschedulable_by_age().next().map(|(since, _)| {
            let limit = since.saturating_add(self.config.max_unschedulable);
            next_multiple(limit, LEFTOVER_INTERVAL.0).max(next_tick)
        });
        backoff.into_iter().chain(late).min()
    }

    /// What becomes of a pod that comes back, by what has happened since it was taken.
    pub(super) fn strategy_in_flight(&self, policy: &Q, pod: &QueuedPod<Q::Pod>) -> Strategy {
        if pod.rejectors().is_empty() {
            return Strategy::AfterBackoff;
        }
        let mut strategy = Strategy::Skip;
        for event in self.in_flight.since(pod.pod) {
            match worth_requeuing(policy, pod, event) {
                Strategy::Skip => {}
                Strategy::Immediately => return Strategy::Immediately,
                Strategy::AfterBackoff => {
                    strategy = Strategy::AfterBackoff;
                    // Only a plugin that waits could do better.
                    if pod.pending_plugins.is_empty() {
                        return strategy;
                    }
                }
            }
        }
        strategy
    }

    /// Puts a pod where `strategy` wants it.
    pub(super) fn requeue(
        &mut self,
        policy: &Q,
        mut pod: QueuedPod<Q::Pod>,
        strategy: Strategy,
        now: SimTime,
    ) -> Place {
        let backs_off = |queue: &Self, pod: &mut QueuedPod<Q::Pod>| {
            let backoff = queue.config.backoff;
            queue.expiry(pod).is_some_and(|expiry| !backoff.is_over(expiry, now))
        };
        match strategy {
            Strategy::Skip => {
                self.pool.insert_unschedulable(pod);
                Place::Unschedulable
            }
            Strategy::AfterBackoff if backs_off(self, &mut pod) => self.let_back_off(policy, pod),
            Strategy::AfterBackoff | Strategy::Immediately => self.make_active(policy, pod, now),
        }
    }

    /// The end of a pod's back-off, worked out once per failure.
    fn expiry(&self, pod: &mut QueuedPod<Q::Pod>) -> Option<SimTime> {
        if pod.backoff_expiry.is_none() {
            pod.backoff_expiry = self.config.backoff.expiry(pod.timestamp, pod.failures());
        }
        pod.backoff_expiry
    }

    /// Asks the gates. A pod that is held back goes to the unschedulable ones.
    fn passes_gates(
        &mut self,
        policy: &Q,
        mut pod: QueuedPod<Q::Pod>,
    ) -> Option<QueuedPod<Q::Pod>> {
        pod.gating_plugin = policy.gate(&pod);
        let Some(plugin) = pod.gating_plugin else { return Some(pod) };
        pod.unschedulable_plugins.insert(plugin);
        self.pool.insert_unschedulable(pod);
        None
    }

    /// Puts a pod to the active ones, unless a plugin holds it back.
    pub(super) fn make_active(
        &mut self,
        policy: &Q,
        pod: QueuedPod<Q::Pod>,
        now: SimTime,
    ) -> Place {
        let Some(mut pod) = self.passes_gates(policy, pod) else { return Place::Unschedulable };
        pod.initial_attempt.get_or_insert(now);
        self.pool.insert_active(policy.sort_key(&pod), pod);
        Place::Active
    }

    /// Lets a pod back off. Since it may be taken before its time, the gates are asked here too.
    fn let_back_off(&mut self, policy: &Q, pod: QueuedPod<Q::Pod>) -> Place {
        let pod = if self.config.backoff.pop_early {
            let Some(pod) = self.passes_gates(policy, pod) else { return Place::Unschedulable };
            pod
        } else {
            pod
        };
        self.insert_backoff(policy, pod);
        Place::Backoff
    }

    fn insert_backoff(&mut self, policy: &Q, mut pod: QueuedPod<Q::Pod>) {
        let expiry = self.expiry(&mut pod).unwrap_or(SimTime::ZERO);
        let early = !pod.rejectors().is_empty() && policy.may_be_early(&pod);
        self.pool.insert_backoff(expiry, policy.sort_key(&pod), pod, early);
    }
}

/// The first multiple of `interval` after `time`.
fn next_multiple(time: SimTime, interval: u64) -> SimTime {
    SimTime((time.0 / interval).saturating_add(1).saturating_mul(interval))
}

/// Whether, and how, a pod is to be tried again because of `event`: when a plugin that waits says
/// so, at once; when a plugin that rejected it says so, after its back-off.
fn worth_requeuing<Q: QueuePolicy>(
    policy: &Q,
    pod: &QueuedPod<Q::Pod>,
    event: &Event<Q::Pod, Q::Event>,
) -> Strategy {
    let rejectors = pod.rejectors();
    if rejectors.is_empty() {
        return Strategy::AfterBackoff;
    }
    let event = match event {
        Event::Wildcard => return Strategy::AfterBackoff,
        Event::ForceActivate(meant) if *meant == pod.pod => return Strategy::AfterBackoff,
        Event::ForceActivate(_) => return Strategy::Skip,
        Event::Cluster(event) => event,
    };
    let helps = |plugin| policy.hint(plugin, event, pod.pod) == Hint::Queue;
    if pod.pending_plugins.iter().any(helps) {
        Strategy::Immediately
    } else if pod.unschedulable_plugins.iter().any(helps) {
        Strategy::AfterBackoff
    } else {
        Strategy::Skip
    }
}
