//! Distributions given by data: measured values, weighted values, a table of quantiles.
//!
//! It never keeps the path or the order of what it was made from.

use std::path::Path;
use std::sync::Arc;

use super::error::{DistributionError, not_negative, positive};

/// What was measured, ready to be drawn from. Copies share the data.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Empirical {
    /// Values in ascending order; straight lines between neighbours.
    Values(Arc<[f64]>),
    /// Values in ascending order with the probability of each or a lower one; nothing between.
    Weighted(Arc<[Point]>),
    /// Points of the quantile function from probability 0 to 1; straight lines between them.
    Table(Arc<[Point]>),
}

/// A probability and the value at it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    probability: f64,
    value: f64,
}

impl Empirical {
    pub(super) fn values(mut values: Vec<f64>) -> Result<Self, DistributionError> {
        if values.is_empty() {
            return Err(empty("value"));
        }
        for value in &mut values {
            *value = not_negative("a value of an empirical distribution", *value)?;
        }
        values.sort_unstable_by(f64::total_cmp);
        Ok(Self::Values(values.into()))
    }

    pub(super) fn weighted(mut pairs: Vec<(f64, f64)>) -> Result<Self, DistributionError> {
        for (value, weight) in &mut pairs {
            *value = not_negative("a value of an empirical distribution", *value)?;
            *weight = not_negative("a weight of an empirical distribution", *weight)?;
        }
        pairs.retain(|(_, weight)| *weight > 0.0);
        if pairs.is_empty() {
            return Err(empty("value with a weight above 0"));
        }
        // By weight as well, so that the sums do not depend on the order of the pairs.
        pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let total: f64 = pairs.iter().map(|(_, weight)| weight).sum();
        positive("the sum of the weights of an empirical distribution", total)?;
        let mut sum = 0.0;
        let points = pairs.iter().map(|(value, weight)| {
            sum += weight;
            Point { probability: sum / total, value: *value }
        });
        Ok(Self::Weighted(points.collect()))
    }

    pub(super) fn table(points: Vec<(f64, f64)>) -> Result<Self, DistributionError> {
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Err(empty("point of the table"));
        };
        let (from, to) = (first.0, last.0);
        if from != 0.0 || to != 1.0 {
            return Err(DistributionError::Span { from, to });
        }
        for (probability, value) in &points {
            not_negative("a probability of a table of quantiles", *probability)?;
            not_negative("a value of a table of quantiles", *value)?;
        }
        for pair in points.windows(2) {
            let ((p, v), (next_p, next_v)) = (pair[0], pair[1]);
            super::error::ordered(("a probability", p), ("the next one of the table", next_p))?;
            super::error::ordered(("a value", v), ("the next one of the table", next_v))?;
        }
        let points = points
            .iter()
            .map(|(probability, value)| Point { probability: *probability, value: *value });
        Ok(Self::Table(points.collect()))
    }

    /// Reads one value from each line; empty lines and what follows a `#` count for nothing.
    pub(super) fn file(path: &Path) -> Result<Self, DistributionError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| DistributionError::Unreadable { path: path.to_owned(), source })?;
        let mut values = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let number = line.split('#').next().unwrap_or_default().trim();
            if number.is_empty() {
                continue;
            }
            let value = number.parse().ok().filter(|v: &f64| v.is_finite() && *v >= 0.0);
            values.push(value.ok_or_else(|| DistributionError::Line {
                path: path.to_owned(),
                line: index + 1,
                text: number.to_owned(),
            })?);
        }
        if values.is_empty() {
            return Err(DistributionError::EmptyFile { path: path.to_owned() });
        }
        Self::values(values)
    }

    pub(super) fn quantile(&self, probability: f64) -> f64 {
        match self {
            Self::Values(values) => order_statistic(values, probability),
            Self::Weighted(points) => {
                let at = points.partition_point(|point| point.probability < probability);
                points[at.min(points.len() - 1)].value
            }
            Self::Table(points) => {
                // The first is at 0 and the last at 1, so there is one on either side.
                let above = points.partition_point(|point| point.probability < probability);
                let (low, high) = (points[above - 1], points[above]);
                let part = (probability - low.probability) / (high.probability - low.probability);
                low.value + part * (high.value - low.value)
            }
        }
    }

    /// The mean of what is drawn, which for [`Empirical::Values`] is that of the straight lines.
    pub(super) fn mean(&self) -> f64 {
        match self {
            Self::Values(values) if values.len() == 1 => values[0],
            Self::Values(values) => {
                let lines = values.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0);
                lines.sum::<f64>() / intervals(values)
            }
            Self::Weighted(points) => {
                let mut before = 0.0;
                let parts = points.iter().map(|point| {
                    let share = point.probability - before;
                    before = point.probability;
                    share * point.value
                });
                parts.sum()
            }
            Self::Table(points) => {
                let parts = points.windows(2).map(|pair| {
                    let share = pair[1].probability - pair[0].probability;
                    share * (pair[0].value + pair[1].value) / 2.0
                });
                parts.sum()
            }
        }
    }
}

/// Type 7 of Hyndman and Fan (1996): the order statistics stand at 0, 1/(n-1), 2/(n-1), …, 1,
/// with straight lines between them.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the position lies between 0 and the number of values"
)]
fn order_statistic(values: &[f64], probability: f64) -> f64 {
    let position = probability * intervals(values);
    let below = position as usize;
    let low = values[below];
    match values.get(below + 1) {
        Some(high) => low + (position - libm::floor(position)) * (high - low),
        None => low,
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^53 values")]
fn intervals(values: &[f64]) -> f64 {
    (values.len() - 1) as f64
}

fn empty(item: &'static str) -> DistributionError {
    DistributionError::Empty { what: "an empirical distribution", item }
}
