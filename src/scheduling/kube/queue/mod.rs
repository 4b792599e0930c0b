//! The queue of pods that are to be scheduled, in virtual time
//! (`pkg/scheduler/backend/queue/scheduling_queue.go` of kube-scheduler v1.35).
//!
//! A pod waits in one of three places: it is *active* and will be tried in its turn; it *backs
//! off* for a while after a failure; or it is *unschedulable* (or held back by a gate) until
//! something happens that may help. What the queue has to know of the world it asks a
//! [`QueuePolicy`]; the caller says what time it is.

mod backoff;
mod in_flight;
mod moves;
mod pod;
mod pool;

use std::fmt::Debug;
use std::hash::Hash;

use crate::engine::{SimDuration, SimTime};

pub use backoff::{Backoff, ORDERING_WINDOW, backoff_duration};
pub use in_flight::Event;
use in_flight::InFlight;
pub use pod::{PluginId, PluginSet, QueuedPod};
use pool::Pool;

/// How often unschedulable pods are looked through for those that have waited for too long.
pub const LEFTOVER_INTERVAL: SimDuration = SimDuration::from_secs(30);

/// Whether an event may help a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// It may, or nobody can tell.
    Queue,
    /// It cannot.
    Skip,
}

/// What a queue has to know of the plugins of a profile.
pub trait QueuePolicy {
    /// How pods are named.
    type Pod: Copy + Ord + Hash + Debug;
    /// What decides who is first (QueueSort): the smallest is.
    type Key: Ord + Clone + Debug;
    /// What can happen in the cluster.
    type Event: Clone + Debug;

    /// The key of a pod.
    fn sort_key(&self, pod: &QueuedPod<Self::Pod>) -> Self::Key;

    /// The first plugin that holds the pod back (PreEnqueue).
    fn gate(&self, pod: &QueuedPod<Self::Pod>) -> Option<PluginId>;

    /// True if any plugin has asked to be told of such events.
    fn is_of_interest(&self, _event: &Self::Event) -> bool {
        true
    }

    /// Whether the pod may be taken out of its back-off before its time when there is nothing else
    /// to do.
    fn may_be_early(&self, _pod: &QueuedPod<Self::Pod>) -> bool {
        true
    }

    /// Whether `event` may change what `plugin` says of `pod`. A plugin that has not asked to be
    /// told of the event says no.
    fn hint(&self, plugin: PluginId, event: &Self::Event, pod: Self::Pod) -> Hint;
}

/// How long pods wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueConfig {
    /// After a failure.
    pub backoff: Backoff,
    /// At most, before an unschedulable pod is tried again although nothing has happened
    /// (`podMaxInUnschedulablePodsDuration`).
    pub max_unschedulable: SimDuration,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self { backoff: Backoff::default(), max_unschedulable: SimDuration::from_secs(300) }
    }
}

/// Where a pod waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It will be tried in its turn.
    Active,
    /// It backs off.
    Backoff,
    /// Something has to happen first, or a gate to be taken off.
    Unschedulable,
}

/// How many pods wait where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueCounts {
    /// Will be tried in their turn.
    pub active: usize,
    /// Back off.
    pub backoff: usize,
    /// Wait for something to happen.
    pub unschedulable: usize,
    /// Are held back by a plugin.
    pub gated: usize,
    /// Are being scheduled.
    pub in_flight: usize,
}

/// What is to become of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strategy {
    Skip,
    AfterBackoff,
    Immediately,
}

/// The queue.
pub struct SchedulingQueue<Q: QueuePolicy> {
    config: QueueConfig,
    pool: Pool<Q::Pod, Q::Key>,
    in_flight: InFlight<Q::Pod, Q::Event>,
    cycle: u64,
}

impl<Q: QueuePolicy> SchedulingQueue<Q> {
    /// An empty queue.
    pub fn new(config: QueueConfig) -> Self {
        Self { config, pool: Pool::default(), in_flight: InFlight::default(), cycle: 0 }
    }

    /// A new pod comes. A pod that is there already stays as it is.
    pub fn add(&mut self, policy: &Q, pod: Q::Pod, priority: i32, now: SimTime) {
        if self.pool.place(pod).is_none() && !self.in_flight.contains(pod) {
            self.make_active(policy, QueuedPod::new(pod, priority, now), now);
        }
    }

    /// Takes the first pod; `None` if there is none. It has to come back through
    /// [`Self::add_unschedulable`] or be reported [`Self::done`].
    ///
    /// If no pod is active, the first one that backs off is taken although its time has not come;
    /// those that failed for another reason than a rejection are not.
    pub fn pop(&mut self) -> Option<QueuedPod<Q::Pod>> {
        let mut pod = self
            .pool
            .take_first_active()
            .or_else(|| self.config.backoff.pop_early.then(|| self.pool.take_first_backoff())?)?;
        pod.attempts += 1;
        pod.backoff_expiry = None;
        pod.unschedulable_plugins = PluginSet::EMPTY;
        pod.pending_plugins = PluginSet::EMPTY;
        pod.gating_plugin = None;
        self.cycle += 1;
        self.in_flight.take(pod.pod);
        Some(pod)
    }

    /// A pod that was taken will not come back: it is bound, or gone.
    pub fn done(&mut self, pod: Q::Pod) {
        self.in_flight.done(pod);
    }

    /// A pod that was taken comes back. The plugins that rejected it, or that wait, are noted in
    /// it; without any it failed for another reason. What has happened since it was taken counts.
    /// Returns where it waits now; a pod that is there already is not added again (`None`).
    pub fn add_unschedulable(
        &mut self,
        policy: &Q,
        mut pod: QueuedPod<Q::Pod>,
        now: SimTime,
    ) -> Option<Place> {
        if self.pool.place(pod.pod).is_some() {
            self.in_flight.done(pod.pod);
            return None;
        }
        if pod.rejectors().is_empty() {
            pod.consecutive_errors += 1;
        } else {
            pod.unschedulable_count += 1;
            pod.consecutive_errors = 0;
        }
        pod.timestamp = now;
        pod.backoff_expiry = None;
        let strategy = self.strategy_in_flight(policy, &pod);
        self.in_flight.done(pod.pod);
        Some(self.requeue(policy, pod, strategy, now))
    }

    /// A pod is deleted.
    pub fn delete(&mut self, pod: Q::Pod) {
        self.pool.remove(pod);
    }

    /// Where a pod waits; `None` if it does not (it may be being scheduled).
    pub fn place(&self, pod: Q::Pod) -> Option<Place> {
        self.pool.place(pod)
    }

    /// A pod that waits.
    pub fn get(&self, pod: Q::Pod) -> Option<&QueuedPod<Q::Pod>> {
        self.pool.get(pod)
    }

    /// True if a pod is being scheduled.
    pub fn is_in_flight(&self, pod: Q::Pod) -> bool {
        self.in_flight.contains(pod)
    }

    /// How many events are kept for the pods that are being scheduled.
    pub fn events_kept(&self) -> usize {
        self.in_flight.events_kept()
    }

    /// How many pods were taken so far.
    pub fn scheduling_cycle(&self) -> u64 {
        self.cycle
    }

    /// How many pods wait where.
    pub fn counts(&self) -> QueueCounts {
        QueueCounts { in_flight: self.in_flight.len(), ..self.pool.counts() }
    }

    /// The active pods, first to last.
    pub fn active(&self) -> impl Iterator<Item = Q::Pod> {
        self.pool.active()
    }
}

#[cfg(test)]
mod tests;
