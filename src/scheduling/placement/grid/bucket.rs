//! The nodes of one cell of a grid: a short list, or an ordered set where many nodes crowd, so
//! that nodes with the same amounts free are passed over together.

use std::collections::BTreeSet;

use crate::cluster::NodeId;

/// A list longer than this becomes a set.
const CROWDED: usize = 48;
/// A set smaller than this becomes a list again.
const SPARSE: usize = 16;

/// A node and what is free of cpu and memory on it. Ordered by amounts, then by node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub free: [i64; 2],
    pub node: NodeId,
}

/// The nodes of one cell. At most one of the two holds any.
#[derive(Clone, Debug, Default)]
pub(super) struct Bucket {
    pub few: Vec<Entry>,
    pub many: BTreeSet<Entry>,
}

impl Bucket {
    /// True without nodes.
    pub fn is_empty(&self) -> bool {
        self.few.is_empty() && self.many.is_empty()
    }

    /// Adds a node that is not there.
    pub fn insert(&mut self, entry: Entry) {
        if self.many.is_empty() {
            self.few.push(entry);
            if self.few.len() > CROWDED {
                self.many.extend(self.few.drain(..));
            }
        } else {
            self.many.insert(entry);
        }
    }

    /// Removes a node that is there.
    pub fn remove(&mut self, entry: Entry) {
        if self.many.is_empty() {
            let position = self.few.iter().position(|known| known.node == entry.node);
            self.few.swap_remove(position.expect("the grid knows the cell of each node"));
            return;
        }
        self.many.remove(&entry);
        if self.many.len() < SPARSE {
            self.few.extend(std::mem::take(&mut self.many));
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
        (0..100).for_each(|i| bucket.insert(entry(i)));
        assert!(bucket.few.is_empty() && bucket.many.len() == 100);
        (0..90).for_each(|i| bucket.remove(entry(i)));
        assert!(bucket.many.is_empty());
        let mut left: Vec<u32> = bucket.few.iter().map(|entry| entry.node.0).collect();
        left.sort_unstable();
        assert_eq!(left, (90..100).collect::<Vec<_>>());
        (90..100).for_each(|i| bucket.remove(entry(i)));
        assert!(bucket.is_empty());
    }
}
