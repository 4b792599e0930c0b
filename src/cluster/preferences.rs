//! Soft constraints: how much of what a pod would like each node has, for one constraint set.

/// The weight that each node has to offer. Empty where nothing is preferred.
#[derive(Clone, Debug, Default)]
pub(super) struct PreferenceColumn {
    /// Weight of all preferences together.
    total: u32,
    /// Weight of those that hold, by node.
    met: Vec<u32>,
    /// Every weight that any node ever had, the largest first.
    levels: Vec<u32>,
}

impl PreferenceColumn {
    /// For preferences that weigh `total` together; no node is known.
    pub fn new(total: u32) -> Self {
        Self { total, met: Vec::new(), levels: vec![0] }
    }

    /// Weight of all preferences together.
    #[inline]
    pub fn total(&self) -> u32 {
        self.total
    }

    /// Weight of the preferences that hold on the node of this index.
    #[inline]
    pub fn met(&self, node: usize) -> u32 {
        self.met.get(node).copied().unwrap_or(0)
    }

    /// Every weight that any node ever had, the largest first; zero is always there.
    pub fn levels(&self) -> &[u32] {
        &self.levels
    }

    /// Preferences of `weight` hold on the node of this index.
    pub fn set(&mut self, node: usize, weight: u32) {
        if self.met.len() <= node {
            self.met.resize(node + 1, 0);
        }
        self.met[node] = weight;
        if let Err(place) = self.levels.binary_search_by(|level| weight.cmp(level)) {
            self.levels.insert(place, weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_go_from_the_largest_to_zero() {
        let mut column = PreferenceColumn::new(9);
        for (node, weight) in [(3, 4), (0, 9), (1, 4), (2, 0), (0, 5)] {
            column.set(node, weight);
        }
        assert_eq!(column.levels(), [9, 5, 4, 0]);
        assert_eq!([0, 1, 2, 3, 4].map(|node| column.met(node)), [5, 4, 0, 4, 0]);
    }
}
