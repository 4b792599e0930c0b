//! The few events that come next, sorted, so that most pops are the end of an array.
//!
//! It covers the keys below a limit: every queued event with such a key is here, and no other.

use super::Item;

/// The most events that are kept sorted: beyond it, moving them costs more than a bucket.
const CAPACITY: usize = 64;

/// The next events, the very next one last.
#[derive(Clone, Debug)]
pub(super) struct Front<E> {
    items: Vec<Item<E>>,
    limit: u64,
}

impl<E: Copy> Front<E> {
    pub(super) fn new() -> Self {
        Self { items: Vec::with_capacity(CAPACITY), limit: 0 }
    }

    /// Whether an event of this key belongs here.
    #[inline]
    pub(super) fn covers(&self, key: u64) -> bool {
        key < self.limit
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.items.len() >= CAPACITY
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<Item<E>> {
        self.items.pop()
    }

    /// The key of the next event.
    #[inline]
    pub(super) fn least_key(&self) -> Option<u64> {
        self.items.last().map(|item| item.key)
    }

    /// From now on covers the keys below `limit`. Only while it is empty.
    #[inline]
    pub(super) fn cover(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// Puts `item` before what has its key or a lower one, thus to leave after it.
    #[inline]
    pub(super) fn insert(&mut self, item: Item<E>) {
        let mut place = self.items.len();
        self.items.push(item);
        while place > 0 && self.items[place - 1].key <= item.key {
            self.items[place] = self.items[place - 1];
            place -= 1;
        }
        self.items[place] = item;
    }
}
