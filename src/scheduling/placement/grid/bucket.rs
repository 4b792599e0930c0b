//! The nodes of one cell of a grid: a short list, or an ordered set where many nodes crowd, so
//! that nodes with the same amounts free are passed over together.

use std::collections::BTreeSet;

use crate::cluster::NodeId;

/// A list longer than this becomes a set.
const CROWDED: usize = 128;
/// A set smaller than this becomes a list again.
const SPARSE: usize = 32;

/// A node and what is free of cpu and memory on it. Ordered by amounts, then by node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub free: [i64; 2],
    pub node: NodeId,
}

/// The nodes of one cell. At most one of the two holds any. It is on one cache line.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Bucket {
    lowest: NodeId,
    pub few: Vec<Entry>,
    pub many: BTreeSet<Entry>,
}

impl Default for Bucket {
    fn default() -> Self {
        Self { lowest: NodeId::NONE, few: Vec::new(), many: BTreeSet::new() }
    }
}

impl Bucket {
    /// At most the lowest number of any node in it.
    #[inline]
    pub fn lowest(&self) -> NodeId {
        self.lowest
    }

    /// True without nodes.
    pub fn is_empty(&self) -> bool {
        self.few.is_empty() && self.many.is_empty()
    }

    /// Adds a node that is not there; `positions` tells where in a list each node is.
    #[inline]
    pub fn insert(&mut self, entry: Entry, positions: &mut [u32]) {
        // A bucket that was emptied forgets the lowest number that it had.
        self.lowest = if self.is_empty() { entry.node } else { self.lowest.min(entry.node) };
        if !self.many.is_empty() {
            self.many.insert(entry);
            return;
        }
        positions[entry.node.index()] = self.few.len() as u32;
        self.few.push(entry);
        if self.few.len() > CROWDED {
            self.many.extend(self.few.drain(..));
        }
    }

    /// Removes a node that is there.
    #[inline]
    pub fn remove(&mut self, entry: Entry, positions: &mut [u32]) {
        if !self.many.is_empty() {
            self.many.remove(&entry);
            if self.many.len() < SPARSE {
                std::mem::take(&mut self.many).into_iter().for_each(|e| self.insert(e, positions));
            }
            return;
        }
        let position = positions[entry.node.index()] as usize;
        debug_assert_eq!(self.few[position], entry, "the grid knows where each node is");
        self.few.swap_remove(position);
        if let Some(moved) = self.few.get(position) {
            positions[moved.node.index()] = position as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_was_put_in_however_many() {
        let entry = |i: u32| Entry { free: [i64::from(i % 3), 7], node: NodeId(i) };
        let mut bucket = Bucket::default();
        let mut positions = [0; 300];
        (0..300).for_each(|i| bucket.insert(entry(i), &mut positions));
        assert!(bucket.few.is_empty() && bucket.many.len() == 300);
        (0..290).for_each(|i| bucket.remove(entry(i), &mut positions));
        assert!(bucket.many.is_empty());
        let mut left: Vec<u32> = bucket.few.iter().map(|entry| entry.node.0).collect();
        left.sort_unstable();
        assert_eq!(left, (290..300).collect::<Vec<_>>());
        (290..300).for_each(|i| bucket.remove(entry(i), &mut positions));
        assert!(bucket.is_empty());
    }
}
