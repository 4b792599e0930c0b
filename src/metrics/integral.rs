//! The exact time integral of a step function, in constant space and without looking at the clock
//! between changes. It knows nothing of what it counts.

use crate::engine::SimTime;

/// A value that changes in steps, and what is needed to integrate it over time.
///
/// With changes Δᵢ at times tᵢ, ∫₀ᵀ v dt = v(T)·T − Σ Δᵢ·tᵢ: a change costs one multiplication and
/// two additions, whatever the time since the last one. Everything is exact: the sum over a cell of
/// a few exbibytes counted in thousandths of a byte (2⁷⁰), over a century in µs (2⁵²), stays below
/// 2¹²⁷.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Integral {
    value: i128,
    moment: i128,
}

impl Integral {
    /// The value changes by `delta` at `now`.
    #[inline]
    pub(super) fn add(&mut self, delta: i64, now: SimTime) {
        self.value += i128::from(delta);
        // A product of two 64-bit integers fits; a checked multiplication of 128 bits would cost
        // ten times as much.
        self.moment += i128::from(delta).wrapping_mul(i128::from(now.0 as i64));
    }

    /// The present value.
    #[inline]
    pub(super) fn value(&self) -> i128 {
        self.value
    }

    /// Integral from the (last re-)start to `now`, in units × µs; `now` is not before the last
    /// change.
    pub(super) fn until(&self, now: SimTime) -> i128 {
        self.value * i128::from(now.0) - self.moment
    }

    /// Integrates from `now` on and forgets what was before.
    pub(super) fn restart(&mut self, now: SimTime) {
        self.moment = self.value * i128::from(now.0);
    }
}

/// `numerator / denominator`, or `None` where the denominator is zero.
pub(super) fn ratio(numerator: i128, denominator: i128) -> Option<f64> {
    (denominator != 0).then(|| numerator as f64 / denominator as f64)
}

/// Mean over `length_us` of what was integrated to `integral`; zero over no time at all.
pub(super) fn mean(integral: i128, length_us: i128) -> f64 {
    ratio(integral, length_us).unwrap_or(0.0)
}

/// Microseconds as seconds.
pub(super) fn seconds(us: i128) -> f64 {
    us as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_integral_of_a_staircase_is_the_area_below_it() {
        let mut steps = Integral::default();
        steps.add(3, SimTime(10));
        steps.add(-1, SimTime(20));
        steps.add(5, SimTime(20));
        assert_eq!(steps.value(), 7);
        assert_eq!(steps.until(SimTime(20)), 30);
        assert_eq!(steps.until(SimTime(25)), 30 + 35);
    }

    #[test]
    fn a_restart_forgets_the_area_but_not_the_value() {
        let mut steps = Integral::default();
        steps.add(4, SimTime(5));
        steps.restart(SimTime(100));
        assert_eq!(steps.until(SimTime(100)), 0);
        steps.add(-3, SimTime(110));
        assert_eq!(steps.until(SimTime(120)), 40 + 10);
    }

    #[test]
    fn amounts_beyond_64_bits_are_exact() {
        let mut bytes = Integral::default();
        for _ in 0..1000 {
            bytes.add(i64::MAX, SimTime(1));
        }
        let century = 100 * 366 * 86_400_000_000;
        let expected = 1000 * i128::from(i64::MAX) * i128::from(century - 1);
        assert_eq!(bytes.until(SimTime(century)), expected);
    }
}
