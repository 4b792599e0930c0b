//! One axis of a grid: free amounts cut into steps that are finer at the low end.

/// Steps of an axis; a bitmap of them is one `u128`.
pub(super) const STEPS: usize = 128;
/// Steps per doubling of the free amount, as a power of two: 2³ means steps of at most 12.5 %.
const MANTISSA_BITS: u32 = 3;
/// Binary digits that the largest scaled amount has, so that its step is the last at most.
const DIGITS: u32 = 18;

/// Free amounts of one dimension, cut into steps like a floating-point number: the exponent and
/// the upper bits of the mantissa.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    shift: u32,
    /// Smallest amount of each step.
    low: Box<[i64; STEPS]>,
    /// Largest amount of each step, cut at the limit.
    high: Box<[i64; STEPS]>,
}

impl Axis {
    /// An axis for amounts up to `limit`.
    pub fn new(limit: i64) -> Self {
        let digits = i64::BITS - limit.max(0).leading_zeros();
        let shift = digits.saturating_sub(DIGITS);
        let start = |step| smallest(step).checked_mul(1 << shift).unwrap_or(i64::MAX);
        let low = Box::new(std::array::from_fn(start));
        let high = Box::new(std::array::from_fn(|step| (start(step + 1) - 1).min(limit)));
        Self { shift, low, high }
    }

    /// The step that `free` is in; negative amounts are in the first.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "a step is less than 128")]
    pub fn step(&self, free: i64) -> usize {
        let scaled = (free.max(0) as u64) >> self.shift;
        let exponent = (u64::BITS - (scaled >> MANTISSA_BITS).leading_zeros()).saturating_sub(1);
        let mantissa = scaled >> exponent;
        ((u64::from(exponent) << MANTISSA_BITS) + mantissa).min(STEPS as u64 - 1) as usize
    }

    /// Smallest amount in `step`, apart from negative ones.
    #[inline]
    pub fn low(&self, step: usize) -> i64 {
        self.low[step % STEPS]
    }

    /// Largest amount in `step` up to the limit.
    #[inline]
    pub fn high(&self, step: usize) -> i64 {
        self.high[step % STEPS]
    }
}

/// The smallest scaled amount of `step`: the inverse of the step of an amount.
fn smallest(step: usize) -> i64 {
    let block = 1 << MANTISSA_BITS;
    if step < 2 * block {
        return step as i64;
    }
    let exponent = step / block - 1;
    ((step % block + block) as i64) << exponent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_amount_lies_within_its_step() {
        for limit in [0, 1, 7, 10_000, 64_000, 1 << 17, (1 << 18) - 1, 1 << 18, 1 << 40, 1 << 62] {
            let axis = Axis::new(limit);
            let probes =
                (0..2000).map(|i| limit / 2000 * i).chain(0..limit.min(300)).chain([limit]);
            for free in probes {
                let step = axis.step(free);
                let inside = axis.low(step) <= free && free <= axis.high(step);
                assert!(inside, "{free} of {limit} in step {step}");
            }
            assert_eq!(axis.step(-5), 0);
        }
    }

    #[test]
    fn steps_are_fine_at_the_low_end_and_an_eighth_wide_above() {
        let axis = Axis::new(10_000);
        assert_eq!((axis.step(0), axis.step(7), axis.step(15)), (0, 7, 15));
        for step in 16..axis.step(10_000) {
            let width = axis.high(step) - axis.low(step) + 1;
            assert!(width * 8 <= axis.low(step), "step {step} is {width} wide");
        }
    }
}
