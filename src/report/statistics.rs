//! The little statistics that results over several seeds need: mean, standard deviation and a
//! confidence interval by Student's t. Knows numbers, nothing of runs.

use serde::Serialize;

/// What a sample says of the mean it was drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Number of observations.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Standard deviation of the sample (divisor `count − 1`); `None` for one observation.
    pub standard_deviation: Option<f64>,
    /// Half the width of the 95 % confidence interval of the mean; `None` for one observation.
    pub half_width: Option<f64>,
}

impl Estimate {
    /// The 95 % confidence interval `(low, high)` of the mean.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.half_width.map(|half| (self.mean - half, self.mean + half))
    }
}

/// Mean and 95 % confidence interval of `values`, taken as independent draws from one normal
/// distribution; `None` where there are none. Sums run in the given order.
#[expect(clippy::cast_precision_loss, reason = "samples are far smaller than 2^53")]
pub fn estimate(values: &[f64]) -> Option<Estimate> {
    let count = values.len();
    if count == 0 {
        return None;
    }
    // Counted from the first, so that equal observations have no deviation at all.
    let first = values[0];
    let mean = first + values.iter().map(|value| value - first).sum::<f64>() / count as f64;
    if count == 1 {
        return Some(Estimate { count, mean, standard_deviation: None, half_width: None });
    }
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let deviation = (squares / (count - 1) as f64).sqrt();
    let freedom = u32::try_from(count - 1).unwrap_or(u32::MAX);
    let half = student_t_two_sided(0.95, freedom) * deviation / (count as f64).sqrt();
    Some(Estimate { count, mean, standard_deviation: Some(deviation), half_width: Some(half) })
}

/// The `t` for which a Student variable of `freedom` ≥ 1 degrees of freedom lies in `[−t, t]` with
/// probability `level` (0 < `level` < 1): 12.706 for 0.95 and 1, 2.228 for 0.95 and 10.
///
/// Found by bisection on the finite sums of Abramowitz & Stegun 26.7.3 and 26.7.4, which are
/// exact for whole degrees of freedom. Beyond 20,000 that of 20,000 is
/// given, which differs from the normal quantile by less than 2e-4.
pub fn student_t_two_sided(level: f64, freedom: u32) -> f64 {
    assert!(level > 0.0 && level < 1.0, "a confidence level lies between 0 and 1, not {level}");
    assert!(freedom > 0, "a t distribution needs at least one degree of freedom");
    let freedom = freedom.min(LARGEST_FREEDOM);
    let (mut low, mut high) = (0.0, 1.0);
    while coverage(high, freedom) < level {
        low = high;
        high *= 2.0;
    }
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(low, high);
        if coverage(middle, freedom) < level {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Degrees of freedom beyond which the distribution is taken as no different.
pub const LARGEST_FREEDOM: u32 = 20_000;
/// Enough to halve any starting interval to the last bit of an `f64`.
const BISECTIONS: u32 = 64;

/// P(|T| ≤ t): A(t|ν) of Abramowitz & Stegun 26.7.3 (ν odd) and 26.7.4 (ν even), with
/// θ = atan(t / √ν).
fn coverage(t: f64, freedom: u32) -> f64 {
    let angle = libm::atan(t / f64::from(freedom).sqrt());
    let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
    let square = cosine * cosine;
    if freedom.is_multiple_of(2) {
        // sin θ · (1 + ½ cos²θ + (1·3)/(2·4) cos⁴θ + … up to cos^(ν−2) θ)
        return sine * ascending(1, freedom - 2, square);
    }
    if freedom == 1 {
        return angle * std::f64::consts::FRAC_2_PI;
    }
    // 2/π · (θ + sin θ · cos θ · (1 + ⅔ cos²θ + (2·4)/(3·5) cos⁴θ + … up to cos^(ν−3) θ))
    let sum = ascending(2, freedom - 3, square);
    std::f64::consts::FRAC_2_PI * (angle + sine * cosine * sum)
}

/// `1 + n/(n+1)·x + n(n+2)/((n+1)(n+3))·x² + …`, `last_power / 2` terms after the first.
fn ascending(numerator: u32, last_power: u32, x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for step in 0..last_power / 2 {
        let above = f64::from(numerator + 2 * step);
        term *= above / (above + 1.0) * x;
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published two-sided 95 % points (NIST/SEMATECH e-Handbook, table 1.3.6.7.2).
    #[test]
    fn t_quantiles_agree_with_published_tables() {
        for (freedom, t) in [
            (1, 12.706),
            (2, 4.303),
            (3, 3.182),
            (4, 2.776),
            (5, 2.571),
            (9, 2.262),
            (10, 2.228),
            (19, 2.093),
            (29, 2.045),
            (30, 2.042),
            (60, 2.000),
            (100, 1.984),
        ] {
            let found = student_t_two_sided(0.95, freedom);
            assert!((found - t).abs() < 6e-4, "{freedom}: {found} against {t}");
        }
        for (freedom, t) in [(1, 63.657), (5, 4.032), (10, 3.169), (30, 2.750)] {
            let found = student_t_two_sided(0.99, freedom);
            assert!((found - t).abs() < 6e-4, "{freedom}: {found} against {t}");
        }
    }

    #[test]
    fn t_tends_to_the_normal_quantile() {
        assert!((student_t_two_sided(0.95, u32::MAX) - 1.959_964).abs() < 2e-4);
    }

    /// Mean 5, s² = 32/7, t(7) = 2.3646: worked by hand.
    #[test]
    fn the_interval_of_a_small_sample_is_the_textbook_one() {
        let sample = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        let found = estimate(&sample).unwrap();
        assert_eq!((found.count, found.mean), (8, 5.0));
        assert!((found.standard_deviation.unwrap() - 2.138_089_9).abs() < 1e-6);
        assert!((found.half_width.unwrap() - 1.787_5).abs() < 1e-3);
        let (low, high) = found.interval().unwrap();
        assert!((low - 3.2125).abs() < 1e-3 && (high - 6.7875).abs() < 1e-3);
    }

    #[test]
    fn one_observation_has_no_interval_and_none_has_no_mean() {
        let one = estimate(&[3.0]).unwrap();
        assert_eq!((one.mean, one.half_width, one.interval()), (3.0, None, None));
        assert_eq!(estimate(&[]), None);
    }

    #[test]
    fn equal_observations_have_an_interval_of_no_width() {
        assert_eq!(estimate(&[31.4; 8]).unwrap().half_width, Some(0.0));
    }
}
