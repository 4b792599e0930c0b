//! Why a distribution cannot be: one sentence each, for the author of a scenario.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a distribution could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DistributionError {
    /// A parameter is outside of what the family allows, or is no number.
    #[error("{parameter} must be {requirement}, not {value}")]
    Parameter {
        /// Which parameter of which family, with its article.
        parameter: &'static str,
        /// What it must be.
        requirement: &'static str,
        /// What it is.
        value: f64,
    },
    /// Two parameters are in the wrong order.
    #[error("{lower} ({low}) must not be above {upper} ({high})")]
    Order {
        /// The parameter that must be the lower one.
        lower: &'static str,
        /// Its value.
        low: f64,
        /// The parameter that must be the upper one.
        upper: &'static str,
        /// Its value.
        high: f64,
    },
    /// Nothing was given to draw from.
    #[error("{what} needs at least one {item}")]
    Empty {
        /// What is empty.
        what: &'static str,
        /// What it needs.
        item: &'static str,
    },
    /// No lognormal distribution has this mean and this 90th percentile.
    #[error("no lognormal distribution with the mean {mean} has its 90th percentile at {p90}")]
    NoSuchLogNormal {
        /// The mean asked for.
        mean: f64,
        /// The 90th percentile asked for.
        p90: f64,
    },
    /// A table of quantiles does not run from the probability 0 to the probability 1.
    #[error(
        "a table of quantiles must begin at the probability 0 and end at 1, not {from} to {to}"
    )]
    Span {
        /// The first probability.
        from: f64,
        /// The last one.
        to: f64,
    },
    /// A file of values could not be read.
    #[error("cannot read the values in {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line of a file of values is no number that can be drawn.
    #[error(
        "{}:{line}: a value must be a finite number, 0 or more, not \"{text}\"",
        path.display()
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What it says.
        text: String,
    },
    /// A file of values has none.
    #[error("{} holds no values: it needs at least one number, each on a line", path.display())]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
}

/// `value`, if it is finite and above zero.
pub(super) fn positive(parameter: &'static str, value: f64) -> Result<f64, DistributionError> {
    let requirement = "a finite number above 0";
    if value.is_finite() && value > 0.0 {
        return Ok(value);
    }
    Err(DistributionError::Parameter { parameter, requirement, value })
}

/// `value`, if it is finite and not below zero. A negative zero becomes zero.
pub(super) fn not_negative(parameter: &'static str, value: f64) -> Result<f64, DistributionError> {
    let requirement = "a finite number, 0 or more";
    if value.is_finite() && value >= 0.0 {
        return Ok(value.abs());
    }
    Err(DistributionError::Parameter { parameter, requirement, value })
}

/// Checks that two parameters are in order.
pub(super) fn ordered(
    (lower, low): (&'static str, f64),
    (upper, high): (&'static str, f64),
) -> Result<(), DistributionError> {
    if low <= high {
        return Ok(());
    }
    Err(DistributionError::Order { lower, low, upper, high })
}
