//! A growable set of small integers.

/// A set of indices, one bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BitSet {
    words: Vec<u64>,
}

impl BitSet {
    /// True if `index` is in the set.
    #[inline]
    pub fn contains(&self, index: usize) -> bool {
        self.words.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// Puts `index` in or takes it out.
    pub fn set(&mut self, index: usize, member: bool) {
        if index / 64 >= self.words.len() {
            if !member {
                return;
            }
            self.words.resize(index / 64 + 1, 0);
        }
        let bit = 1 << (index % 64);
        if member {
            self.words[index / 64] |= bit;
        } else {
            self.words[index / 64] &= !bit;
        }
    }

    /// Number of members.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }
}
