//! Random lengths of time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DurationText;

/// A length of time: a constant (`40s`), or a random one (`{exponential: {mean: 30d}}`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Distribution {
    /// Always the same.
    Constant(DurationText),
    /// Drawn anew each time.
    Random(Shape),
}

/// A family of distributions with its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Shape {
    /// Memoryless.
    Exponential {
        /// Its mean.
        mean: DurationText,
    },
    /// Wear-out (shape above 1) or infant mortality (shape below 1).
    Weibull {
        /// Shape k.
        #[schemars(range(min = 0.01, max = 1000.0))]
        shape: f64,
        /// Scale λ: 63.2 % are shorter.
        scale: DurationText,
    },
    /// Its logarithm is normal: durations of tasks and repairs.
    Lognormal {
        /// Half are shorter.
        median: DurationText,
        /// Standard deviation of the natural logarithm.
        #[schemars(range(min = 0.0, max = 20.0))]
        sigma: f64,
    },
    /// A power law: a few that are very long.
    Pareto {
        /// The shortest.
        minimum: DurationText,
        /// Tail index α: the smaller, the heavier the tail.
        #[schemars(range(min = 0.01, max = 1000.0))]
        alpha: f64,
    },
    /// Each length between two equally likely.
    Uniform {
        /// The shortest.
        from: DurationText,
        /// The longest.
        to: DurationText,
    },
    /// A sum of exponential stages.
    Gamma {
        /// Shape k.
        #[schemars(range(min = 0.01, max = 100_000.0))]
        shape: f64,
        /// Its mean: shape × scale.
        mean: DurationText,
    },
    /// As measured: the lengths stand at equal steps of probability, with straight lines between.
    Empirical {
        /// The lengths.
        #[serde(default)]
        values: Vec<DurationText>,
        /// A text file with one number of seconds in each line, in place of `values`.
        file: Option<String>,
    },
}
