//! Durations of many things of one kind: exact count, mean and maximum, quantiles to three digits.

use hdrhistogram::Histogram;

use super::integral::seconds;
use super::results::DurationSummary;
use crate::engine::SimDuration;

/// Quantiles are right to so many significant digits.
const SIGNIFICANT_DIGITS: u8 = 3;
/// Most points of a cumulative distribution.
const DISTRIBUTION_POINTS: u128 = 100;

/// A collection of durations.
#[derive(Clone, Debug)]
pub(super) struct Durations {
    histogram: Histogram<u64>,
    sum_us: u128,
    max_us: u64,
}

impl Default for Durations {
    fn default() -> Self {
        let histogram =
            Histogram::new(SIGNIFICANT_DIGITS).expect("three digits are within what it offers");
        Self { histogram, sum_us: 0, max_us: 0 }
    }
}

impl Durations {
    /// One more.
    #[inline]
    pub(super) fn record(&mut self, duration: SimDuration) {
        self.histogram.record(duration.0).expect("a histogram that grows holds every u64");
        self.sum_us += u128::from(duration.0);
        self.max_us = self.max_us.max(duration.0);
    }

    /// All of `other` too.
    pub(super) fn merge(&mut self, other: &Self) {
        self.histogram.add(&other.histogram).expect("a histogram that grows holds every u64");
        self.sum_us += other.sum_us;
        self.max_us = self.max_us.max(other.max_us);
    }

    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        self.histogram.reset();
        self.sum_us = 0;
        self.max_us = 0;
    }

    /// What is reported; all zero where nothing was recorded.
    pub(super) fn summary(&self) -> DurationSummary {
        let count = self.histogram.len();
        if count == 0 {
            return DurationSummary::default();
        }
        let quantile = |q: f64| self.upper_s(self.histogram.value_at_quantile(q));
        DurationSummary {
            count,
            mean_s: self.sum_us as f64 / count as f64 / 1e6,
            p50_s: quantile(0.5),
            p90_s: quantile(0.9),
            p99_s: quantile(0.99),
            p999_s: quantile(0.999),
            max_s: seconds(i128::from(self.max_us)),
        }
    }

    /// Cumulative distribution: (seconds, share of durations at most so long), both rising, at
    /// most one point per percent.
    pub(super) fn distribution(&self) -> Vec<(f64, f64)> {
        let count = self.histogram.len();
        let (mut points, mut below, mut percent) = (Vec::new(), 0u64, 0u128);
        for step in self.histogram.iter_recorded() {
            below += step.count_at_value();
            let reached = u128::from(below) * DISTRIBUTION_POINTS / u128::from(count);
            if reached > percent {
                percent = reached;
                let value = self.histogram.highest_equivalent(step.value_iterated_to());
                points.push((self.upper_s(value), below as f64 / count as f64));
            }
        }
        points
    }

    fn upper_s(&self, value_us: u64) -> f64 {
        seconds(i128::from(value_us.min(self.max_us)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_to(n: u64) -> Durations {
        let mut durations = Durations::default();
        (1..=n).for_each(|second| durations.record(SimDuration::from_secs(second)));
        durations
    }

    #[test]
    fn mean_and_maximum_are_exact_and_quantiles_close() {
        let summary = one_to(1000).summary();
        assert_eq!((summary.count, summary.mean_s, summary.max_s), (1000, 500.5, 1000.0));
        for (quantile, exact) in [(summary.p50_s, 500.0), (summary.p99_s, 990.0)] {
            assert!((quantile - exact).abs() / exact < 1e-3, "{quantile} is not near {exact}");
        }
        assert!(summary.p999_s <= summary.max_s);
    }

    #[test]
    fn nothing_recorded_is_all_zero() {
        assert_eq!(Durations::default().summary(), DurationSummary::default());
        assert!(Durations::default().distribution().is_empty());
    }

    #[test]
    fn a_distribution_rises_to_one_in_at_most_a_hundred_points() {
        let points = one_to(5000).distribution();
        assert!(points.len() <= 100 && points.len() > 90, "{} points", points.len());
        assert!(points.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
        assert_eq!(points.last(), Some(&(5000.0, 1.0)));
    }

    #[test]
    fn merging_is_recording_in_one_place() {
        let mut both = one_to(10);
        both.merge(&one_to(100));
        assert_eq!(both.summary().count, 110);
        assert_eq!(both.summary().mean_s, (55.0 + 5050.0) / 110.0);
        both.reset();
        assert_eq!(both.summary(), DurationSummary::default());
    }
}
