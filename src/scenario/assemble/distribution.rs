//! Distributions of a scenario to those of the engine, in seconds.

use std::path::Path as FilePath;

use super::files::Files;
use crate::engine::{Distribution as Drawn, SimDuration};
use crate::scenario::document::Path;
use crate::scenario::error::ErrorCode;
use crate::scenario::problems::Problems;
use crate::scenario::types::{Distribution, DurationText, Shape};

/// What `distribution`, which stands at `path`, means. Where it means nothing, that is a problem
/// and the result a placeholder.
pub fn distribution(
    distribution: &Distribution,
    path: &Path,
    files: &Files,
    problems: &mut Problems<'_>,
) -> Drawn {
    let drawn = match distribution {
        Distribution::Constant(value) => Drawn::constant(seconds(value)),
        Distribution::Random(shape) => match shape {
            Shape::Empirical { values, file } => {
                return empirical(values, file.as_deref(), path, files, problems);
            }
            Shape::Exponential { mean } => Drawn::exponential(seconds(mean)),
            Shape::Weibull { shape, scale } => Drawn::weibull(*shape, seconds(scale)),
            Shape::Lognormal { median, sigma } => Drawn::log_normal(seconds(median), *sigma),
            Shape::Pareto { minimum, alpha } => Drawn::pareto(seconds(minimum), *alpha),
            Shape::Uniform { from, to } => Drawn::uniform(seconds(from), seconds(to)),
            Shape::Gamma { shape, mean } => Drawn::gamma(*shape, seconds(mean) / shape),
        },
    };
    drawn.unwrap_or_else(|error| {
        problems.add(ErrorCode::OutOfRange, path, format!("{path}: {error}"));
        placeholder()
    })
}

/// The same for something that must take time, such as the time to a failure: without end at one
/// instant otherwise.
pub fn lasting(
    given: &Distribution,
    path: &Path,
    files: &Files,
    problems: &mut Problems<'_>,
) -> Drawn {
    let zero = |value: &DurationText| value.amount() == SimDuration::ZERO;
    let never = match given {
        Distribution::Constant(value) => zero(value),
        Distribution::Random(Shape::Uniform { to, .. }) => zero(to),
        Distribution::Random(Shape::Empirical { values, .. }) => {
            !values.is_empty() && values.iter().all(zero)
        }
        Distribution::Random(
            Shape::Exponential { .. }
            | Shape::Weibull { .. }
            | Shape::Lognormal { .. }
            | Shape::Pareto { .. }
            | Shape::Gamma { .. },
        ) => false,
    };
    if never {
        problems.add(ErrorCode::OutOfRange, path, format!("{path} must be longer than zero"));
    }
    distribution(given, path, files, problems)
}

fn empirical(
    values: &[DurationText],
    file: Option<&str>,
    path: &Path,
    files: &Files,
    problems: &mut Problems<'_>,
) -> Drawn {
    let drawn = match (values, file) {
        ([], Some(file)) => {
            let at = path.key("empirical").key("file");
            let Some(found) = files.find(file, &at, problems) else { return placeholder() };
            Drawn::empirical_from_file(FilePath::new(&found))
        }
        ([], None) | ([_, ..], Some(_)) => {
            let message = format!("{path} needs either values or a file");
            problems.add(ErrorCode::Contradiction, path, message);
            return placeholder();
        }
        (values, None) => Drawn::empirical(values.iter().map(seconds).collect()),
    };
    drawn.unwrap_or_else(|error| {
        let code = if file.is_some() { ErrorCode::File } else { ErrorCode::OutOfRange };
        problems.add(code, path, format!("{path}: {error}"));
        placeholder()
    })
}

fn seconds(value: &DurationText) -> f64 {
    value.amount().as_secs_f64()
}

fn placeholder() -> Drawn {
    Drawn::constant(1.0).expect("one second is a duration")
}
