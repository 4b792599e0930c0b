//! Draws from the gamma distribution, which has no quantile function in closed form.
//!
//! The sampler of `rand_distr` is not used: it computes through `num_traits`, which takes the
//! logarithm of the platform instead of that of `libm` as soon as any crate of the build enables
//! its `std` feature. Several here do, and then draws differ from one machine to the next.

use libm::{log, pow, sqrt};
use rand::Rng;

use super::normal::normal_quantile;
use crate::engine::random::open_unit;

/// Draws from the gamma distribution with this `shape`, above 0, and scale 1.
///
/// G. Marsaglia and W. W. Tsang, "A Simple Method for Generating Gamma Variables", ACM
/// Transactions on Mathematical Software 26, 2000, 363-372. A shape below 1 is drawn as one
/// above, times a uniform to the power of its inverse, which is taken first. Normal variables
/// are quantiles of one uniform each. A draw takes two uniforms, more where it was rejected.
pub(super) fn draw_gamma<R: Rng + ?Sized>(shape: f64, rng: &mut R) -> f64 {
    if shape < 1.0 {
        let factor = pow(open_unit(rng.next_u64()), 1.0 / shape);
        return factor * draw_gamma(shape + 1.0, rng);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / sqrt(9.0 * d);
    loop {
        let normal = normal_quantile(open_unit(rng.next_u64()));
        let uniform = open_unit(rng.next_u64());
        let root = 1.0 + c * normal;
        if root <= 0.0 {
            continue;
        }
        let cube = root * root * root;
        if log(uniform) < normal * normal / 2.0 + d * (1.0 - cube + log(cube)) {
            return d * cube;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Purpose, Streams};

    /// The largest distance between the share of 100,000 draws at or below a value and what the
    /// distribution function says (the statistic of Kolmogorov and Smirnov).
    fn distance(shape: f64, distribution_function: impl Fn(f64) -> f64) -> f64 {
        let mut stream = Streams { seed: 5, run: 0 }.stream(Purpose::Custom(2), 0);
        let mut draws: Vec<f64> = (0..100_000).map(|_| draw_gamma(shape, &mut stream)).collect();
        draws.sort_unstable_by(f64::total_cmp);
        let n = draws.len() as f64;
        let gaps = draws.iter().enumerate().map(|(i, x)| {
            let expected = distribution_function(*x);
            (expected - i as f64 / n).abs().max((expected - (i + 1) as f64 / n).abs())
        });
        gaps.fold(0.0, f64::max)
    }

    #[test]
    fn the_draws_follow_the_distribution_functions_that_have_a_closed_form() {
        // 1.95 over the root of the number of draws is the 99.9 % point of the statistic.
        let allowed = 1.95 / f64::sqrt(100_000.0);
        let half = distance(0.5, |x| libm::erf(sqrt(x)));
        let one = distance(1.0, |x| -libm::expm1(-x));
        let three = distance(3.0, |x| 1.0 - libm::exp(-x) * (1.0 + x + x * x / 2.0));
        assert!(half < allowed && one < allowed && three < allowed, "{half} {one} {three}");
    }
}
