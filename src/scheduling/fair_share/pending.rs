//! What waits in each queue: pods alike stand together, so that what finds no room is passed over
//! at once.

use std::collections::BTreeMap;

use super::tree::QueueId;
use crate::cluster::{ClassId, PodId};

/// Units of one class and size: alike to every placement policy.
pub type Key = (ClassId, u32);

/// Place in a queue: higher priority first, then as they came.
pub type Rank = (i64, u64);

/// Pods that are started together.
#[derive(Clone, Debug)]
pub struct Unit {
    pub key: Key,
    pub rank: Rank,
    pub pods: Vec<PodId>,
}

/// Units that are alike.
#[derive(Debug, Default)]
struct Alike {
    units: BTreeMap<Rank, Vec<PodId>>,
    blocked: bool,
}

/// All that waits.
#[derive(Debug, Default)]
pub struct Pending {
    queues: Vec<BTreeMap<Key, Alike>>,
    sequence: u64,
    units: usize,
}

impl Pending {
    /// Puts `pods`, the first of which is of `class`, into `queue`.
    pub fn insert(
        &mut self,
        queue: QueueId,
        class: ClassId,
        priority: i32,
        pods: Vec<PodId>,
    ) -> (Key, Rank) {
        if queue >= self.queues.len() {
            self.queues.resize_with(queue + 1, BTreeMap::new);
        }
        self.sequence += 1;
        self.units += 1;
        let key = (class, pods.len() as u32);
        let rank = (-i64::from(priority), self.sequence);
        self.queues[queue].entry(key).or_default().units.insert(rank, pods);
        (key, rank)
    }

    /// Takes a unit out.
    pub fn remove(&mut self, queue: QueueId, key: Key, rank: Rank) -> Option<Vec<PodId>> {
        let alike = self.queues.get_mut(queue)?.get_mut(&key)?;
        let pods = alike.units.remove(&rank)?;
        self.units -= 1;
        if alike.units.is_empty() {
            self.queues[queue].remove(&key);
        }
        Some(pods)
    }

    /// The first unit of `queue` that is not blocked.
    pub fn first(&self, queue: QueueId) -> Option<Unit> {
        let open = self.queues.get(queue)?.iter().filter(|(_, alike)| !alike.blocked);
        let first = open.filter_map(|(key, alike)| Some((alike.units.first_key_value()?, key)));
        let ((rank, pods), key) = first.min_by_key(|((rank, _), _)| **rank)?;
        Some(Unit { key: *key, rank: *rank, pods: pods.clone() })
    }

    /// Passes over units of this kind until [`Pending::unblock_all`].
    pub fn block(&mut self, queue: QueueId, key: Key) {
        if let Some(alike) = self.queues[queue].get_mut(&key) {
            alike.blocked = true;
        }
    }

    /// Passes over nothing any more.
    pub fn unblock_all(&mut self) {
        let all = self.queues.iter_mut().flat_map(BTreeMap::values_mut);
        all.for_each(|alike| alike.blocked = false);
    }

    /// Kinds of units of `queue` that are not passed over.
    pub fn open(&self, queue: QueueId) -> usize {
        let kinds = self.queues.get(queue).into_iter().flat_map(BTreeMap::values);
        kinds.filter(|alike| !alike.blocked).count()
    }

    /// True if nothing waits.
    pub fn is_empty(&self) -> bool {
        self.units == 0
    }

    /// Pods that wait, by queue and kind.
    pub fn counts(&self) -> Vec<(QueueId, Key, usize)> {
        let kinds = self.queues.iter().enumerate().flat_map(|(queue, kinds)| {
            kinds.iter().map(move |(key, alike)| {
                (queue, *key, alike.units.values().map(Vec::len).sum::<usize>())
            })
        });
        kinds.collect()
    }
}
