//! Pods that are being scheduled, and what happens meanwhile
//! (`backend/queue/active_queue.go` of kube-scheduler v1.35).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What is told to the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<P, E> {
    /// Something changed in the cluster.
    Cluster(E),
    /// Every pod is to be tried again.
    Wildcard,
    /// One pod is to be tried again.
    ForceActivate(P),
}

/// Pods between being taken and coming back, and the events since the first of them was taken.
#[derive(Debug, Clone)]
pub struct InFlight<P, E> {
    /// Pods with the number of the first event after they were taken.
    pods: BTreeMap<P, u64>,
    /// The same by number, to know which events nobody needs any more.
    by_number: BTreeSet<(u64, P)>,
    events: VecDeque<Event<P, E>>,
    /// The number of the first event that is kept.
    first: u64,
}

impl<P, E> Default for InFlight<P, E> {
    fn default() -> Self {
        Self {
            pods: BTreeMap::new(),
            by_number: BTreeSet::new(),
            events: VecDeque::new(),
            first: 0,
        }
    }
}

impl<P: Copy + Ord, E> InFlight<P, E> {
    fn next(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    /// A pod is taken.
    pub fn take(&mut self, pod: P) {
        self.done(pod);
        let number = self.next();
        self.pods.insert(pod, number);
        self.by_number.insert((number, pod));
    }

    /// A pod is being scheduled.
    pub fn contains(&self, pod: P) -> bool {
        self.pods.contains_key(&pod)
    }

    /// How many pods are being scheduled.
    pub fn len(&self) -> usize {
        self.pods.len()
    }

    /// How many events are kept for them.
    pub fn events_kept(&self) -> usize {
        self.events.len()
    }

    /// Keeps an event, if anyone may need it.
    pub fn record(&mut self, event: Event<P, E>) {
        if !self.pods.is_empty() {
            self.events.push_back(event);
        }
    }

    /// The events since `pod` was taken; none if it is not being scheduled.
    pub fn since(&self, pod: P) -> impl Iterator<Item = &Event<P, E>> {
        let number = self.pods.get(&pod).copied().unwrap_or_else(|| self.next());
        let skipped = usize::try_from(number - self.first).unwrap_or(usize::MAX);
        self.events.iter().skip(skipped)
    }

    /// A pod is no longer being scheduled; events that nobody needs any more are dropped.
    pub fn done(&mut self, pod: P) {
        let Some(number) = self.pods.remove(&pod) else { return };
        self.by_number.remove(&(number, pod));
        let needed = self.by_number.first().map_or_else(|| self.next(), |(number, _)| *number);
        while self.first < needed {
            self.events.pop_front();
            self.first += 1;
        }
    }
}
