//! Probability distributions of what is never negative: durations, sizes, rates.
//!
//! It draws from a stream it is handed and keeps none. Wherever there is a quantile function a
//! draw is that function of one uniform number, over the portable `libm`: the same value on
//! every machine, and two runs that differ in a parameter draw values of the same rank.

mod empirical;
mod error;
mod gamma;
mod normal;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use libm::{exp, log, log1p, pow, sqrt, tgamma};
use rand::Rng;

use self::empirical::Empirical;
pub use self::error::DistributionError;
use self::error::{not_negative, ordered, positive};
use self::gamma::draw_gamma;
use self::normal::normal_quantile;
use super::random::{Stream, open_unit};
use super::time::SimDuration;

/// A distribution whose parameters have been checked. Copies are cheap: they share their data.
///
/// Whatever has a unit is in that of the values drawn; where these are durations, in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution(Family);

#[derive(Clone, Debug, PartialEq)]
enum Family {
    Constant { value: f64 },
    Uniform { low: f64, high: f64 },
    Exponential { mean: f64 },
    Weibull { shape: f64, scale: f64 },
    LogNormal { median: f64, sigma: f64 },
    Pareto { minimum: f64, alpha: f64 },
    Gamma { shape: f64, scale: f64 },
    Empirical(Empirical),
    Clamped { inner: Arc<Family>, low: f64, high: f64 },
    Mixture(Arc<[Component]>),
}

/// A part of a mixture, with the probability of it or an earlier one.
#[derive(Clone, Debug, PartialEq)]
struct Component {
    cumulative: f64,
    share: f64,
    family: Family,
}

type Checked = Result<Distribution, DistributionError>;

/// The constructors. Each fails where a parameter is not finite or outside of the range stated.
impl Distribution {
    /// Always `value`, 0 or more.
    pub fn constant(value: f64) -> Checked {
        let value = not_negative("a constant", value)?;
        Ok(Self(Family::Constant { value }))
    }

    /// Every value between `low`, 0 or more, and `high` alike.
    pub fn uniform(low: f64, high: f64) -> Checked {
        let low = not_negative("the lower end of a uniform distribution", low)?;
        let high = not_negative("the upper end of a uniform distribution", high)?;
        ordered(("the lower end of a uniform distribution", low), ("its upper end", high))?;
        Ok(Self(Family::Uniform { low, high }))
    }

    /// Exponential with a `mean` above 0: what has no memory.
    pub fn exponential(mean: f64) -> Checked {
        let mean = positive("the mean of an exponential distribution", mean)?;
        Ok(Self(Family::Exponential { mean }))
    }

    /// Weibull with `shape` (below 1: early failures; above 1: wear) and `scale`, its 63.2 %
    /// quantile, both above 0.
    pub fn weibull(shape: f64, scale: f64) -> Checked {
        let shape = positive("the shape of a Weibull distribution", shape)?;
        let scale = positive("the scale of a Weibull distribution", scale)?;
        Ok(Self(Family::Weibull { shape, scale }))
    }

    /// Weibull with `shape` and the scale that gives it `mean`, both above 0.
    pub fn weibull_with_mean(shape: f64, mean: f64) -> Checked {
        let shape = positive("the shape of a Weibull distribution", shape)?;
        let mean = positive("the mean of a Weibull distribution", mean)?;
        Self::weibull(shape, mean / tgamma(1.0 + 1.0 / shape))
    }

    /// Lognormal with a `median` above 0 and `sigma`, the standard deviation of the natural
    /// logarithm, 0 or more.
    pub fn log_normal(median: f64, sigma: f64) -> Checked {
        let median = positive("the median of a lognormal distribution", median)?;
        let sigma = not_negative("the sigma of a lognormal distribution", sigma)?;
        Ok(Self(Family::LogNormal { median, sigma }))
    }

    /// Lognormal with this mean and this 90th percentile, both above 0.
    ///
    /// With z the 90th percentile of the standard normal, sigma solves
    /// `z sigma - sigma² / 2 = ln(p90 / mean)`. Where both solutions are positive it is the
    /// smaller one; there is none where `p90` is more than exp(z²/2), some 2.27 times, the mean.
    pub fn log_normal_with_mean_and_p90(mean: f64, p90: f64) -> Checked {
        let mean = positive("the mean of a lognormal distribution", mean)?;
        let p90 = positive("the 90th percentile of a lognormal distribution", p90)?;
        let z = normal_quantile(0.9);
        let ratio = log(p90 / mean);
        let square = z * z - 2.0 * ratio;
        if square < 0.0 {
            return Err(DistributionError::NoSuchLogNormal { mean, p90 });
        }
        let sigma = if ratio >= 0.0 { z - sqrt(square) } else { z + sqrt(square) };
        Self::log_normal(mean * exp(-sigma * sigma / 2.0), sigma)
    }

    /// Pareto: nothing below `minimum`, and `P(X > x) = (minimum / x)^alpha`; both above 0.
    pub fn pareto(minimum: f64, alpha: f64) -> Checked {
        let minimum = positive("the minimum of a Pareto distribution", minimum)?;
        let alpha = positive("the alpha of a Pareto distribution", alpha)?;
        Ok(Self(Family::Pareto { minimum, alpha }))
    }

    /// Gamma with `shape` and `scale`, both above 0; the mean is their product.
    pub fn gamma(shape: f64, scale: f64) -> Checked {
        let shape = positive("the shape of a gamma distribution", shape)?;
        let scale = positive("the scale of a gamma distribution", scale)?;
        Ok(Self(Family::Gamma { shape, scale }))
    }

    /// What was measured, in any order: the n values stand at the probabilities 0, 1/(n-1), …, 1
    /// with straight lines between neighbours (type 7 of Hyndman and Fan, 1996).
    pub fn empirical(values: Vec<f64>) -> Checked {
        Empirical::values(values).map(|data| Self(Family::Empirical(data)))
    }

    /// One of `(value, weight)`, as likely as its share of all weight; nothing between.
    pub fn weighted(pairs: Vec<(f64, f64)>) -> Checked {
        Empirical::weighted(pairs).map(|data| Self(Family::Empirical(data)))
    }

    /// From `(probability, value)`, both ascending, the first at probability 0 and the last at
    /// 1, with straight lines between them.
    pub fn quantile_table(points: Vec<(f64, f64)>) -> Checked {
        Empirical::table(points).map(|data| Self(Family::Empirical(data)))
    }

    /// As [`empirical`](Self::empirical), from a text file with one number a line. Empty lines
    /// and what follows a `#` count for nothing. The error names the file and the line.
    pub fn empirical_from_file(path: &Path) -> Checked {
        Empirical::file(path).map(|data| Self(Family::Empirical(data)))
    }

    /// This one, with what is below `low` moved up to it and what is above `high` down to it.
    pub fn clamped(self, low: f64, high: f64) -> Checked {
        let low = not_negative("the lower bound of a distribution", low)?;
        let high = not_negative("the upper bound of a distribution", high)?;
        ordered(("the lower bound of a distribution", low), ("its upper bound", high))?;
        Ok(Self(Family::Clamped { inner: Arc::new(self.0), low, high }))
    }

    /// One of `(weight, distribution)`, as likely as its share of all weight.
    pub fn mixture(parts: Vec<(f64, Self)>) -> Checked {
        let mut total = 0.0;
        for (weight, _) in &parts {
            total += not_negative("a weight of a mixture", *weight)?;
        }
        if total == 0.0 {
            let item = "distribution with a weight above 0";
            return Err(DistributionError::Empty { what: "a mixture", item });
        }
        positive("the sum of the weights of a mixture", total)?;
        let mut sum = 0.0;
        let parts = parts.into_iter().filter(|(weight, _)| *weight > 0.0);
        let components = parts.map(|(weight, part)| {
            sum += weight;
            Component { cumulative: sum / total, share: weight / total, family: part.0 }
        });
        Ok(Self(Family::Mixture(components.collect())))
    }
}

/// The longest duration that is ever drawn, some 36,500 years: twice as much still fits in an
/// event queue, so that heavy tails overflow nothing.
const LONGEST: SimDuration = SimDuration(1 << 60);

/// What can be asked of a distribution.
impl Distribution {
    /// The value that a draw does not exceed with `probability`; none for gamma and mixtures,
    /// whose quantile function has no closed form. A heavy tail may reach infinity.
    ///
    /// # Panics
    ///
    /// If `probability` is not between 0 and 1, both excluded.
    pub fn quantile(&self, probability: f64) -> Option<f64> {
        assert!(
            probability > 0.0 && probability < 1.0,
            "a quantile was asked for at {probability}, not between 0 and 1"
        );
        self.0.quantile(probability)
    }

    /// Draws a value.
    pub fn sample(&self, stream: &mut Stream) -> f64 {
        self.0.draw(stream)
    }

    /// Draws a duration, the parameters being in seconds; no longer than 2^60 µs.
    pub fn sample_duration(&self, stream: &mut Stream) -> SimDuration {
        SimDuration::from_secs_f64(self.sample(stream)).min(LONGEST)
    }

    /// The mean of what is drawn. None where there is no finite one (a Pareto tail with an alpha
    /// of 1 or less) and where there is no closed form for it (a clamped distribution).
    pub fn mean(&self) -> Option<f64> {
        self.0.mean().filter(|mean| mean.is_finite())
    }
}

impl rand_distr::Distribution<f64> for Distribution {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.0.draw(rng)
    }
}

impl Family {
    fn quantile(&self, u: f64) -> Option<f64> {
        Some(match self {
            Self::Constant { value } => *value,
            Self::Uniform { low, high } => low + (high - low) * u,
            Self::Exponential { mean } => -mean * log1p(-u),
            Self::Weibull { shape, scale } => scale * pow(-log1p(-u), 1.0 / shape),
            Self::LogNormal { median, sigma } => median * exp(sigma * normal_quantile(u)),
            Self::Pareto { minimum, alpha } => minimum * exp(-log1p(-u) / alpha),
            Self::Empirical(data) => data.quantile(u),
            Self::Clamped { inner, low, high } => inner.quantile(u)?.clamp(*low, *high),
            Self::Gamma { .. } | Self::Mixture(_) => return None,
        })
    }

    /// One uniform a draw; but gamma takes more, and a mixture one to choose its part.
    fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        match self {
            Self::Gamma { shape, scale } => scale * draw_gamma(*shape, rng),
            Self::Clamped { inner, low, high } => inner.draw(rng).clamp(*low, *high),
            Self::Mixture(components) => draw_mixture(components, rng),
            Self::Constant { .. }
            | Self::Uniform { .. }
            | Self::Exponential { .. }
            | Self::Weibull { .. }
            | Self::LogNormal { .. }
            | Self::Pareto { .. }
            | Self::Empirical(_) => self
                .quantile(open_unit(rng.next_u64()))
                .expect("only gamma and what contains it is without a quantile function"),
        }
    }

    fn mean(&self) -> Option<f64> {
        match self {
            Self::Constant { value } => Some(*value),
            Self::Uniform { low, high } => Some(low + (high - low) / 2.0),
            Self::Exponential { mean } => Some(*mean),
            Self::Weibull { shape, scale } => Some(scale * tgamma(1.0 + 1.0 / shape)),
            Self::LogNormal { median, sigma } => Some(median * exp(sigma * sigma / 2.0)),
            Self::Pareto { minimum, alpha } => {
                (*alpha > 1.0).then(|| minimum * alpha / (alpha - 1.0))
            }
            Self::Gamma { shape, scale } => Some(shape * scale),
            Self::Empirical(data) => Some(data.mean()),
            Self::Clamped { .. } => None,
            Self::Mixture(components) => components
                .iter()
                .map(|component| Some(component.share * component.family.mean()?))
                .sum(),
        }
    }
}

/// Draws from the component that a first uniform falls on; the component takes its own.
fn draw_mixture<R: Rng + ?Sized>(components: &[Component], rng: &mut R) -> f64 {
    let u = open_unit(rng.next_u64());
    let at = components.partition_point(|component| component.cumulative < u);
    components[at.min(components.len() - 1)].family.draw(rng)
}
