//! A growable set of small integers.

/// A set of indices, one bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BitSet {
    words: Vec<u64>,
    members: usize,
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
        let word = &mut self.words[index / 64];
        let bit = 1 << (index % 64);
        self.members -= usize::from(*word & bit != 0);
        self.members += usize::from(member);
        *word = if member { *word | bit } else { *word & !bit };
    }

    /// Members, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(index, word)| {
            let rest = |word: &u64| Some(*word & (*word - 1)).filter(|word| *word != 0);
            let words = std::iter::successors(Some(*word).filter(|word| *word != 0), rest);
            words.map(move |word| index * 64 + word.trailing_zeros() as usize)
        })
    }

    /// Number of members.
    pub fn count(&self) -> usize {
        self.members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_tells_its_members_in_order_and_counts_each_once() {
        let mut set = BitSet::default();
        for index in [200, 3, 64, 3, 63] {
            set.set(index, true);
        }
        set.set(64, false);
        set.set(64, false);
        set.set(9000, false);
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 63, 200]);
        assert_eq!(set.count(), 3);
    }
}
