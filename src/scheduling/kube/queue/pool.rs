//! The places of the queue, each in its order; every pod is in one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::pod::QueuedPod;
use super::{Place, QueueCounts};
use crate::engine::SimTime;

/// Where a pod is, with what finds it there.
#[derive(Debug, Clone)]
enum Slot<K> {
    Active(K),
    Backoff(SimTime, K),
    /// Of pods that are not taken before their time: those that failed without being rejected, and
    /// those that the policy names.
    ErrorBackoff(SimTime),
    Unschedulable,
}

#[derive(Debug, Clone)]
struct Entry<P, K> {
    pod: QueuedPod<P>,
    /// Order of arrival, for pods that are otherwise the same.
    sequence: u64,
    slot: Slot<K>,
}

/// All pods that wait.
#[derive(Debug, Clone)]
pub struct Pool<P, K> {
    entries: FxHashMap<P, Entry<P, K>>,
    active: BTreeMap<(K, u64), P>,
    /// By the end of back-off, and in one second like the active ones.
    backoff: BTreeMap<(SimTime, K, u64), P>,
    error_backoff: BTreeMap<(SimTime, u64), P>,
    /// By the time since when.
    unschedulable: BTreeSet<(SimTime, P)>,
    gated: usize,
    sequence: u64,
}

impl<P, K> Default for Pool<P, K> {
    fn default() -> Self {
        Self {
            entries: FxHashMap::default(),
            active: BTreeMap::new(),
            backoff: BTreeMap::new(),
            error_backoff: BTreeMap::new(),
            unschedulable: BTreeSet::new(),
            gated: 0,
            sequence: 0,
        }
    }
}

impl<P: Copy + Ord + Hash + Debug, K: Ord + Clone + Debug> Pool<P, K> {
    fn insert(&mut self, pod: QueuedPod<P>, slot: Slot<K>) {
        let (name, timestamp, sequence) = (pod.pod, pod.timestamp, self.sequence);
        self.sequence += 1;
        self.remove(name);
        match &slot {
            Slot::Active(key) => {
                self.active.insert((key.clone(), sequence), name);
            }
            Slot::Backoff(expiry, key) => {
                self.backoff.insert((*expiry, key.clone(), sequence), name);
            }
            Slot::ErrorBackoff(expiry) => {
                self.error_backoff.insert((*expiry, sequence), name);
            }
            Slot::Unschedulable => {
                self.unschedulable.insert((timestamp, name));
                self.gated += usize::from(pod.gating_plugin.is_some());
            }
        }
        self.entries.insert(name, Entry { pod, sequence, slot });
    }

    /// Puts a pod to the active ones.
    pub fn insert_active(&mut self, key: K, pod: QueuedPod<P>) {
        self.insert(pod, Slot::Active(key));
    }

    /// Lets a pod back off until `expiry`; it may be taken before, if it `may_be_early`.
    pub fn insert_backoff(
        &mut self,
        expiry: SimTime,
        key: K,
        pod: QueuedPod<P>,
        may_be_early: bool,
    ) {
        let slot =
            if may_be_early { Slot::Backoff(expiry, key) } else { Slot::ErrorBackoff(expiry) };
        self.insert(pod, slot);
    }

    /// Puts a pod to the unschedulable ones.
    pub fn insert_unschedulable(&mut self, pod: QueuedPod<P>) {
        self.insert(pod, Slot::Unschedulable);
    }

    /// Takes a pod out, wherever it is.
    pub fn remove(&mut self, pod: P) -> Option<QueuedPod<P>> {
        let entry = self.entries.remove(&pod)?;
        match entry.slot {
            Slot::Active(key) => {
                self.active.remove(&(key, entry.sequence));
            }
            Slot::Backoff(expiry, key) => {
                self.backoff.remove(&(expiry, key, entry.sequence));
            }
            Slot::ErrorBackoff(expiry) => {
                self.error_backoff.remove(&(expiry, entry.sequence));
            }
            Slot::Unschedulable => {
                self.unschedulable.remove(&(entry.pod.timestamp, pod));
                self.gated -= usize::from(entry.pod.gating_plugin.is_some());
            }
        }
        Some(entry.pod)
    }

    /// Takes the first active pod.
    pub fn take_first_active(&mut self) -> Option<QueuedPod<P>> {
        let (_, pod) = self.active.first_key_value()?;
        self.remove(*pod)
    }

    /// Takes the pod whose back-off ends first, of those that were rejected.
    pub fn take_first_backoff(&mut self) -> Option<QueuedPod<P>> {
        let (_, pod) = self.backoff.first_key_value()?;
        self.remove(*pod)
    }

    /// The pod whose back-off ends first, and when; rejected ones first.
    pub fn first_expiry(&self) -> Option<(P, SimTime)> {
        let rejected = self.backoff.first_key_value().map(|(key, pod)| (*pod, key.0));
        let failed = self.error_backoff.first_key_value().map(|(key, pod)| (*pod, key.0));
        rejected.into_iter().chain(failed).min_by_key(|(_, expiry)| *expiry)
    }

    /// The active pods, first to last.
    pub fn active(&self) -> impl Iterator<Item = P> {
        self.active.values().copied()
    }

    /// The unschedulable pods, in the order in which they came.
    pub fn unschedulable(&self) -> impl Iterator<Item = P> {
        self.unschedulable.iter().map(|(_, pod)| *pod)
    }

    /// The same, with the time since when.
    pub fn unschedulable_by_age(&self) -> impl Iterator<Item = (SimTime, P)> {
        self.unschedulable.iter().copied()
    }

    /// Where a pod waits.
    pub fn place(&self, pod: P) -> Option<Place> {
        Some(match self.entries.get(&pod)?.slot {
            Slot::Active(_) => Place::Active,
            Slot::Backoff(..) | Slot::ErrorBackoff(_) => Place::Backoff,
            Slot::Unschedulable => Place::Unschedulable,
        })
    }

    /// A pod that waits.
    pub fn get(&self, pod: P) -> Option<&QueuedPod<P>> {
        self.entries.get(&pod).map(|entry| &entry.pod)
    }

    /// How many pods wait where.
    pub fn counts(&self) -> QueueCounts {
        QueueCounts {
            active: self.active.len(),
            backoff: self.backoff.len() + self.error_backoff.len(),
            unschedulable: self.unschedulable.len() - self.gated,
            gated: self.gated,
            in_flight: 0,
        }
    }
}
