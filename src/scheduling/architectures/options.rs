//! Options of the architectures, read with sentences for what is wrong.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::cluster::Tier;
use crate::engine::{Distribution, SimDuration, SimTime, Stream};

/// The options of an architecture, or of a part of it.
pub(super) struct Options<'a> {
    given: Option<&'a Map<String, Value>>,
}

impl<'a> Options<'a> {
    /// Options of which all are among `known`; null stands for none.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn new(value: &'a Value, known: &[&str]) -> Result<Self, String> {
        if value.is_null() {
            return Ok(Self { given: None });
        }
        let Some(given) = value.as_object() else {
            return Err("options are written as `name: value`".to_owned());
        };
        let Some(unknown) = given.keys().find(|key| !known.contains(&key.as_str())) else {
            return Ok(Self { given: Some(given) });
        };
        let distance = |name: &&&str| strsim::osa_distance(unknown, name);
        let nearest = known.iter().min_by_key(distance).filter(|name| distance(name) <= 3);
        Err(match nearest {
            Some(name) => format!("unknown option `{unknown}`; did you mean `{name}`?"),
            None => format!("unknown option `{unknown}`; there are {}", listed(known)),
        })
    }

    /// What is given as `name`; null is the same as nothing.
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        self.given?.get(name).filter(|value| !value.is_null())
    }

    /// A whole number in `range`.
    pub fn whole(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> Result<u64, String> {
        let Some(value) = self.value(name) else { return Ok(default) };
        let (low, high) = (range.start(), range.end());
        value.as_u64().filter(|number| range.contains(number)).ok_or_else(|| {
            format!("`{name}` is {value}; it must be a whole number from {low} to {high}")
        })
    }

    /// A number in `range`.
    pub fn number(
        &self,
        name: &str,
        range: RangeInclusive<f64>,
        default: f64,
    ) -> Result<f64, String> {
        let Some(value) = self.value(name) else { return Ok(default) };
        let (low, high) = (range.start(), range.end());
        value
            .as_f64()
            .filter(|number| range.contains(number))
            .ok_or_else(|| format!("`{name}` is {value}; it must be a number from {low} to {high}"))
    }

    /// True or false.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, String> {
        let Some(value) = self.value(name) else { return Ok(default) };
        value.as_bool().ok_or_else(|| format!("`{name}` is {value}; it must be true or false"))
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, String> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let text = value.as_str().filter(|text| !text.is_empty());
        text.map(Some).ok_or_else(|| format!("`{name}` is {value}; it must be a text"))
    }

    /// One of `choices`, the first by default.
    pub fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<T, String> {
        let Some(value) = self.value(name) else { return Ok(choices[0].1) };
        let chosen = choices.iter().find(|(known, _)| value.as_str() == Some(*known));
        chosen.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
            format!("`{name}` is {value}; it must be one of {}", listed(&names))
        })
    }

    /// A list; empty without one.
    pub fn list(&self, name: &str) -> Result<&'a [Value], String> {
        let Some(value) = self.value(name) else { return Ok(&[]) };
        let list = value.as_array().map(Vec::as_slice);
        list.ok_or_else(|| format!("`{name}` must be a list, written as `[…, …]`"))
    }

    /// Tiers by their names; `None` where none are given.
    pub fn tiers(&self, name: &str) -> Result<Option<Vec<Tier>>, String> {
        if self.value(name).is_none() {
            return Ok(None);
        }
        let tier = |value: &Value| {
            let found = Tier::ALL.into_iter().find(|tier| value.as_str() == Some(tier.name()));
            found.ok_or_else(|| {
                let names = Tier::ALL.map(Tier::name);
                format!("`{name}` holds {value}; tiers are {}", listed(&names))
            })
        };
        self.list(name)?.iter().map(tier).collect::<Result<Vec<_>, _>>().map(Some)
    }

    /// A length of time.
    pub fn duration(&self, name: &str, default: SimDuration) -> Result<SimDuration, String> {
        let Some(value) = self.value(name) else { return Ok(default) };
        duration(value).map_err(|reason| format!("`{name}`: {reason}"))
    }

    /// A length of time that may be drawn anew each time.
    pub fn time(&self, name: &str, default: SimDuration) -> Result<Time, String> {
        let Some(value) = self.value(name) else { return Ok(Time::Constant(default)) };
        Time::read(value).map_err(|reason| format!("`{name}`: {reason}"))
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn duration(value: &Value) -> Result<SimDuration, String> {
    let expected = "expected a duration such as 250ms, 5s or 1min";
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            return Err(expected.to_owned());
        }
    };
    SimDuration::parse(&text).map_err(|reason| format!("\"{text}\" {reason}; {expected}"))
}

/// A length of time: a constant (`100ms`) or a random one (`{exponential: {mean: 1s}}`).
#[derive(Clone, Debug)]
pub(super) enum Time {
    /// Always the same.
    Constant(SimDuration),
    /// Drawn anew each time, in seconds.
    Random(Distribution),
}

impl Time {
    fn read(value: &Value) -> Result<Self, String> {
        let Some(object) = value.as_object() else { return duration(value).map(Self::Constant) };
        let (Some((family, parameters)), 1) = (object.iter().next(), object.len()) else {
            return Err("expected one distribution such as {exponential: {mean: 1s}}".to_owned());
        };
        let allowed: &[&str] = match family.as_str() {
            "exponential" => &["mean"],
            "lognormal" => &["median", "sigma"],
            "uniform" => &["from", "to"],
            "weibull" => &["shape", "scale"],
            "pareto" => &["minimum", "alpha"],
            "gamma" => &["shape", "mean"],
            _ => {
                return Err(format!(
                    "unknown distribution `{family}`; there are `exponential`, `lognormal`, \
                     `uniform`, `weibull`, `pareto`, `gamma`"
                ));
            }
        };
        let parameters = Options::new(parameters, allowed)?;
        let number = |name: &str| {
            let value = parameters.value(name).and_then(Value::as_f64);
            value.ok_or_else(|| format!("`{family}` needs the number `{name}`"))
        };
        let seconds = |name: &str| {
            let value =
                parameters.value(name).ok_or_else(|| format!("`{family}` needs `{name}`"))?;
            duration(value).map(SimDuration::as_secs_f64).map_err(|r| format!("`{name}`: {r}"))
        };
        let drawn = match family.as_str() {
            "exponential" => Distribution::exponential(seconds("mean")?),
            "lognormal" => Distribution::log_normal(seconds("median")?, number("sigma")?),
            "uniform" => Distribution::uniform(seconds("from")?, seconds("to")?),
            "weibull" => Distribution::weibull(number("shape")?, seconds("scale")?),
            "pareto" => Distribution::pareto(seconds("minimum")?, number("alpha")?),
            _ => Distribution::gamma(number("shape")?, seconds("mean")? / number("shape")?),
        };
        drawn.map(Self::Random).map_err(|error| error.to_string())
    }

    /// The next length.
    pub fn draw(&self, stream: &mut Stream) -> SimDuration {
        match self {
            Self::Constant(time) => *time,
            Self::Random(distribution) => distribution.sample_duration(stream),
        }
    }

    /// The sum of the next `count` lengths.
    pub fn draw_many(&self, count: usize, stream: &mut Stream) -> SimDuration {
        match self {
            Self::Constant(time) => SimDuration(time.0.saturating_mul(count as u64)),
            Self::Random(_) => {
                let sum = (0..count).fold(0, |sum: u64, _| sum.saturating_add(self.draw(stream).0));
                SimDuration(sum)
            }
        }
    }
}

/// What a decision takes: `t_job + t_task × tasks` (Omega, EuroSys'13 §3.1).
///
/// At time zero it takes none: what is pending then stands for the cell as it was found, which
/// nobody has to decide on (Omega's simulator fills its cell before it begins).
#[derive(Clone, Debug)]
pub(super) struct DecisionTime {
    /// Once for each job.
    pub job: Time,
    /// Once more for each task of it.
    pub task: Time,
}

impl DecisionTime {
    /// Reads `job` and `task`.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn read(options: &Options<'_>, default: &Self) -> Result<Self, String> {
        let or = |name: &str, default: &Time| match options.value(name) {
            Some(_) => options.time(name, SimDuration::ZERO),
            None => Ok(default.clone()),
        };
        Ok(Self { job: or("job", &default.job)?, task: or("task", &default.task)? })
    }

    /// Omega's default: 0.1 s for a job and 5 ms for each of its tasks (EuroSys'13 §4).
    pub fn omega() -> Self {
        Self { job: Time::Constant(SimDuration(100_000)), task: Time::Constant(SimDuration(5_000)) }
    }

    /// What the decision on a job of so many `tasks` takes that begins `now`.
    pub fn draw(&self, now: SimTime, tasks: usize, stream: &mut Stream) -> SimDuration {
        if now == SimTime::ZERO {
            return SimDuration::ZERO;
        }
        let job = self.job.draw(stream);
        SimDuration(job.0.saturating_add(self.task.draw_many(tasks, stream).0))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::{Purpose, Streams};

    fn time(value: &Value) -> Result<Time, String> {
        Time::read(value)
    }

    #[test]
    fn a_decision_takes_its_job_and_each_of_its_tasks() {
        let mut stream = Streams { seed: 1, run: 0 }.stream(Purpose::DecisionTime, 0);
        let later = SimTime(1);
        assert_eq!(DecisionTime::omega().draw(later, 20, &mut stream), SimDuration(200_000));
        let found = DecisionTime::omega().draw(SimTime::ZERO, 20, &mut stream);
        assert_eq!(found, SimDuration::ZERO);
        let value = json!({"job": "1s", "task": {"uniform": {"from": "1ms", "to": "3ms"}}});
        let options = Options::new(&value, &["job", "task"]).expect("both are known");
        let drawn = DecisionTime::read(&options, &DecisionTime::omega()).expect("both are right");
        let taken = drawn.draw(later, 1000, &mut stream).as_secs_f64();
        assert!((2.9..3.1).contains(&taken), "{taken}");
    }

    #[test]
    fn wrong_options_are_refused_with_a_sentence() {
        let fails =
            |value: &Value, known: &[&str]| Options::new(value, known).err().expect("wrong");
        assert!(fails(&json!({"taks": 1}), &["task"]).contains("did you mean `task`"));
        assert!(fails(&json!([1]), &["task"]).contains("name: value"));
        let wrong = [
            (json!(5), "has no unit"),
            (json!("-1s"), "negative"),
            (json!(true), "expected a duration"),
            (json!({"exponential": {}}), "needs `mean`"),
            (json!({"exponential": {"mean": "1s", "x": 1}}), "`x`"),
            (json!({"zeta": {}}), "unknown distribution"),
            (json!({"weibull": {"shape": -1, "scale": "1s"}}), "shape"),
        ];
        for (value, reason) in wrong {
            let error = time(&value).expect_err("it makes no sense");
            assert!(error.contains(reason), "{value}: {error}");
        }
    }
}
