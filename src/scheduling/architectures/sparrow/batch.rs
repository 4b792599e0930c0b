//! Batches: pods of one workload and class that came together and are probed for together.

use std::collections::VecDeque;

use super::super::jobs::Ticket;
use crate::cluster::PodClass;
use crate::engine::SimTime;

/// Number of a batch; reused once it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BatchId(u32);

/// Pods that are probed for together.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    /// Their class. Its slot in the table may be another's before the batch is over.
    pub class: PodClass,
    /// Those that no node has got yet, in the order in which they came.
    pub waiting: VecDeque<Ticket>,
    /// Reservations of it, in queues or on their way, each of which may take one pod.
    pub reservations: usize,
    /// When its last pod was given to a node, if that was.
    pub done_at: Option<SimTime>,
}

/// All batches that are not over.
#[derive(Debug, Default)]
pub(super) struct Batches {
    slots: Vec<Option<Batch>>,
    vacant: Vec<BatchId>,
}

impl Batches {
    /// Adds a batch.
    pub fn insert(&mut self, batch: Batch) -> BatchId {
        let id = self.vacant.pop().unwrap_or_else(|| {
            self.slots.push(None);
            BatchId(u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 batches at once"))
        });
        self.slots[id.0 as usize] = Some(batch);
        id
    }

    /// The batch `id`: reservations keep it.
    pub fn get_mut(&mut self, id: BatchId) -> &mut Batch {
        self.slots[id.0 as usize].as_mut().expect("a batch is kept while it has reservations")
    }

    /// Gives up one reservation of `id`. Pods for which no reservation is left are handed back;
    /// with its last reservation the batch is over.
    pub fn drop_reservation(&mut self, id: BatchId) -> Vec<Ticket> {
        let batch = self.get_mut(id);
        batch.reservations -= 1;
        let kept = batch.waiting.len().min(batch.reservations);
        let orphans = batch.waiting.split_off(kept).into();
        if batch.reservations == 0 {
            self.slots[id.0 as usize] = None;
            self.vacant.push(id);
        }
        orphans
    }
}
