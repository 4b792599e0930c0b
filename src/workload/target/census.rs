//! The census: how many pods of each shape have arrived. Nearly every pod may have a shape of its
//! own, so amounts are rounded, the more the more shapes there are.

use rustc_hash::FxHashMap;

use super::shape::Shape;

/// Most shapes in a target workload.
pub const MOST_SHAPES: usize = 256;
/// At the coarsest rounding: most shapes that are counted, of which the most popular count.
const MOST_COUNTED: usize = 4096;
/// Significant binary digits once amounts have to be rounded; one fewer each time it is not enough.
const FIRST_DIGITS: u32 = 4;
/// The target is renewed when the pods have become more by this part.
const RENEWAL_PART: u64 = 8;

/// Counts arrivals by shape.
///
/// While there are at most [`MOST_SHAPES`] shapes, they are exact. Beyond that, amounts are rounded
/// down to 4 significant binary digits, and to 3, 2 and 1 where that is not enough. What comes out
/// depends on the pods that were counted, not on their order.
#[derive(Clone, Debug, Default)]
pub struct Census {
    counts: Vec<(Shape, u64)>,
    index: FxHashMap<Shape, usize>,
    digits: Option<u32>,
    pods: u64,
    /// `pods` when the target was renewed last.
    renewed_at: u64,
    has_new_shape: bool,
    /// What comes is known; nothing more is counted.
    is_declared: bool,
}

impl Census {
    /// Everything that will come is known: `population` is all that counts from now on.
    pub fn declare(&mut self, population: &[(Shape, u64)]) {
        *self = Self::default();
        population.iter().for_each(|(shape, pods)| self.add(*shape, *pods));
        self.is_declared = true;
    }

    /// Counts `pods` pods of `shape`.
    pub fn add(&mut self, shape: Shape, pods: u64) {
        if self.is_declared {
            return;
        }
        self.pods += pods;
        let shape = self.digits.map_or(shape, |digits| shape.rounded(digits));
        if let Some(position) = self.index.get(&shape) {
            self.counts[*position].1 += pods;
            return;
        }
        if self.digits == Some(1) && self.counts.len() >= MOST_COUNTED {
            return;
        }
        self.has_new_shape = true;
        self.index.insert(shape, self.counts.len());
        self.counts.push((shape, pods));
        while self.counts.len() > MOST_SHAPES && self.digits != Some(1) {
            self.coarsen();
        }
    }

    fn coarsen(&mut self) {
        let digits = self.digits.map_or(FIRST_DIGITS, |digits| digits - 1);
        self.digits = Some(digits);
        self.index.clear();
        for (shape, pods) in std::mem::take(&mut self.counts) {
            let shape = shape.rounded(digits);
            let next = self.counts.len();
            let position = *self.index.entry(shape).or_insert(next);
            if position == next {
                self.counts.push((shape, 0));
            }
            self.counts[position].1 += pods;
        }
    }

    /// True if the target should be renewed: a shape came for the first time, or the pods have
    /// become more by an eighth.
    #[inline]
    pub fn is_due(&self) -> bool {
        let since = self.pods - self.renewed_at;
        self.has_new_shape || since * RENEWAL_PART > self.renewed_at
    }

    /// The shapes by popularity, most popular first and at most [`MOST_SHAPES`], with the number
    /// of pods of each.
    pub fn renew(&mut self) -> Vec<(Shape, u64)> {
        self.renewed_at = self.pods;
        self.has_new_shape = false;
        let mut popular = self.counts.clone();
        popular.sort_unstable_by_key(|(shape, pods)| (std::cmp::Reverse(*pods), shape.key()));
        popular.truncate(MOST_SHAPES);
        popular
    }

    /// Pods counted.
    pub fn pods(&self) -> u64 {
        self.pods
    }

    /// Significant binary digits of amounts; `None` while they are exact.
    pub fn digits(&self) -> Option<u32> {
        self.digits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{ConstraintId, GpuRequest, Resources, Tier};

    fn shape(cpu: i64, memory: i64) -> Shape {
        Shape {
            requests: Resources::pod(cpu, memory),
            gpu: GpuRequest::default(),
            constraints: ConstraintId(0),
            tier: Tier::Mid,
        }
    }

    #[test]
    fn few_shapes_are_exact_and_sorted_by_popularity() {
        let mut census = Census::default();
        for (cpu, pods) in [(777, 2), (333, 5), (111, 2)] {
            census.add(shape(cpu, 10), pods);
        }
        assert!(census.is_due());
        assert_eq!(census.renew(), [(shape(333, 10), 5), (shape(111, 10), 2), (shape(777, 10), 2)]);
        assert_eq!((census.digits(), census.is_due()), (None, false));
        census.add(shape(333, 10), 1);
        assert!(!census.is_due(), "one in nine");
        census.add(shape(333, 10), 1);
        assert!(census.is_due(), "two in nine");
    }

    #[test]
    fn many_shapes_are_rounded_whatever_their_order() {
        let amounts: Vec<i64> = (1..3000).map(|n| n * n % 100_003).collect();
        let mut there = Census::default();
        amounts.iter().for_each(|amount| there.add(shape(*amount, 2 * amount), 1));
        let mut back = Census::default();
        amounts.iter().rev().for_each(|amount| back.add(shape(*amount, 2 * amount), 1));
        let shapes = there.renew();
        assert_eq!(shapes, back.renew());
        assert_eq!(there.digits(), Some(4));
        assert!(shapes.len() <= MOST_SHAPES);
        assert_eq!(shapes.iter().map(|(_, pods)| pods).sum::<u64>(), amounts.len() as u64);
    }
}
