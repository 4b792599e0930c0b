//! Scales: weights that make amounts of different resources comparable, so that they can be added.

use super::resources::{DIMENSIONS, Dimension, Resources};

/// Binary digits of the fraction that a weighted amount is: all of a capacity weighs 2⁶⁰.
const DIGITS: u32 = 60;
/// Binary digits of what [`Scale::share`] returns.
const SHARE_DIGITS: u32 = 30;

/// For every dimension, the weight of one unit, such that a whole capacity weighs 2⁶⁰.
///
/// The weight is rounded down, so a capacity of `c` units weighs between 2⁶⁰ − c and 2⁶⁰. Nothing
/// is lost beyond that: amounts of one dimension keep their order, equal capacities get equal
/// weights, and up to seven weighted amounts, each at most the capacity, can be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale([i64; DIMENSIONS]);

impl Scale {
    /// Weights under which all of `capacity` counts the same in every dimension; a dimension
    /// without capacity weighs nothing.
    pub fn of(capacity: &Resources) -> Self {
        Self(capacity.0.map(|amount| if amount > 0 { (1 << DIGITS) / amount } else { 0 }))
    }

    /// `amount` of `dimension` in 2⁻⁶⁰ths of the capacity. `amount` lies between plus and minus
    /// the capacity.
    #[inline]
    pub fn weighted(&self, dimension: Dimension, amount: i64) -> i64 {
        self.0[usize::from(dimension.0)] * amount
    }

    /// `amount` of `dimension` in 2⁻³⁰ths of the capacity, rounded down: products of two such
    /// shares can be added. `amount` lies between plus and minus the capacity.
    #[inline]
    pub fn share(&self, dimension: Dimension, amount: i64) -> i64 {
        self.weighted(dimension, amount) >> (DIGITS - SHARE_DIGITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_capacity_counts_the_same_in_every_dimension() {
        let capacity = Resources::pod(64_000, 256 << 30);
        let scale = Scale::of(&capacity);
        let half_cpu = scale.share(Dimension::CPU, 32_000);
        let half_memory = scale.share(Dimension::MEMORY, 128 << 30);
        assert!((half_cpu - (1 << 29)).abs() <= 1 && half_memory == 1 << 29);
        assert_eq!(scale.weighted(Dimension::GPU, 5), 0);
    }
}
