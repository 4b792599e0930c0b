//! Label selectors (`k8s.io/apimachinery/pkg/labels` v0.35.4).

mod names;
mod parse;

use std::fmt;

use super::{LabelSelector, Labels};

pub use names::{check_key, check_value};

/// How a requirement compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The label has one of the values.
    In,
    /// The label has the value (`=`).
    Equals,
    /// The label has the value (`==`).
    DoubleEquals,
    /// The label is absent or has another value (`!=`).
    NotEquals,
    /// The label is absent or has none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is absent.
    DoesNotExist,
    /// The label is an integer greater than the value.
    Gt,
    /// The label is an integer less than the value.
    Lt,
}

impl Operator {
    /// The operator that `text` names in an object.
    pub fn named(text: &str) -> Option<Self> {
        Some(match text {
            "In" => Self::In,
            "NotIn" => Self::NotIn,
            "Exists" => Self::Exists,
            "DoesNotExist" => Self::DoesNotExist,
            "Gt" => Self::Gt,
            "Lt" => Self::Lt,
            _ => return None,
        })
    }
}

/// One condition on labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

impl Requirement {
    /// A requirement.
    ///
    /// # Errors
    ///
    /// If the key or a value is no label, or their number does not suit the operator.
    pub fn new(key: &str, operator: Operator, values: Vec<String>) -> Result<Self, String> {
        check_key(key)?;
        match operator {
            Operator::In | Operator::NotIn if values.is_empty() => {
                return Err("for 'in', 'notin' operators, values set can't be empty".to_owned());
            }
            Operator::Equals | Operator::DoubleEquals | Operator::NotEquals
                if values.len() != 1 =>
            {
                return Err("exact-match compatibility requires one single value".to_owned());
            }
            Operator::Exists | Operator::DoesNotExist if !values.is_empty() => {
                return Err("values set must be empty for exists and does not exist".to_owned());
            }
            Operator::Gt | Operator::Lt => {
                if values.len() != 1 {
                    return Err("for 'Gt', 'Lt' operators, exactly one value is required".into());
                }
                if values[0].parse::<i64>().is_err() {
                    return Err("for 'Gt', 'Lt' operators, the value must be an integer".into());
                }
            }
            _ => {}
        }
        values.iter().try_for_each(|value| check_value(value))?;
        Ok(Self { key: key.to_owned(), operator, values })
    }

    /// The label it is about.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// How it compares.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// What it compares with.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// True if `labels` satisfy it.
    pub fn matches(&self, labels: &Labels) -> bool {
        let label = labels.get(&self.key);
        let compare = |holds: fn(&i64, &i64) -> bool| {
            let value = label.and_then(|label| label.parse().ok());
            let bound = self.values.first().and_then(|bound| bound.parse().ok());
            value.zip(bound).is_some_and(|(value, bound)| holds(&value, &bound))
        };
        match self.operator {
            Operator::In | Operator::Equals | Operator::DoubleEquals => {
                label.is_some_and(|label| self.values.contains(label))
            }
            Operator::NotIn | Operator::NotEquals => {
                !label.is_some_and(|label| self.values.contains(label))
            }
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::Gt => compare(i64::gt),
            Operator::Lt => compare(i64::lt),
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        let mut values: Vec<&str> = self.values.iter().map(String::as_str).collect();
        values.sort_unstable();
        let values = values.join(",");
        match self.operator {
            Operator::In => write!(formatter, "{key} in ({values})"),
            Operator::NotIn => write!(formatter, "{key} notin ({values})"),
            Operator::Equals => write!(formatter, "{key}={values}"),
            Operator::DoubleEquals => write!(formatter, "{key}=={values}"),
            Operator::NotEquals => write!(formatter, "{key}!={values}"),
            Operator::Exists => write!(formatter, "{key}"),
            Operator::DoesNotExist => write!(formatter, "!{key}"),
            Operator::Gt => write!(formatter, "{key}>{values}"),
            Operator::Lt => write!(formatter, "{key}<{values}"),
        }
    }
}

/// A compiled selector: nothing, or all that satisfies every requirement. Requirements are in the
/// order of their keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selector(Option<Vec<Requirement>>);

impl Selector {
    /// Selects nothing.
    pub const fn nothing() -> Self {
        Self(None)
    }

    /// Selects everything.
    pub const fn everything() -> Self {
        Self(Some(Vec::new()))
    }

    /// Selects what has all of `labels`, unchecked.
    pub fn from_labels(labels: &Labels) -> Self {
        let requirement = |(key, value): (&String, &String)| Requirement {
            key: key.clone(),
            operator: Operator::Equals,
            values: vec![value.clone()],
        };
        Self(Some(labels.iter().map(requirement).collect()))
    }

    /// Selects what has all of `labels`, each of which must be a label.
    ///
    /// # Errors
    ///
    /// If a key or a value is none.
    pub fn from_valid_labels(labels: &Labels) -> Result<Self, String> {
        labels.iter().try_for_each(|(key, value)| check_key(key).and(check_value(value)))?;
        Ok(Self::from_labels(labels))
    }

    /// Compiles a selector of the API; an absent one selects nothing, an empty one everything.
    ///
    /// # Errors
    ///
    /// If a requirement is malformed.
    pub fn new(selector: Option<&LabelSelector>) -> Result<Self, String> {
        let Some(selector) = selector else { return Ok(Self::nothing()) };
        let mut requirements = Vec::new();
        for (key, value) in &selector.match_labels {
            requirements.push(Requirement::new(key, Operator::Equals, vec![value.clone()])?);
        }
        for expression in &selector.match_expressions {
            let operator = Operator::named(&expression.operator)
                .filter(|operator| !matches!(operator, Operator::Gt | Operator::Lt))
                .ok_or_else(|| {
                    format!("{:?} is not a valid label selector operator", expression.operator)
                })?;
            requirements.push(Requirement::new(
                &expression.key,
                operator,
                expression.values.clone(),
            )?);
        }
        Ok(Self::everything().and(requirements))
    }

    /// Selects what also satisfies `more`. Nothing stays nothing.
    #[must_use]
    pub fn and(self, more: impl IntoIterator<Item = Requirement>) -> Self {
        Self(self.0.map(|mut requirements| {
            requirements.extend(more);
            requirements.sort_by(|a: &Requirement, b| a.key.cmp(&b.key));
            requirements
        }))
    }

    /// The requirements; none if it selects nothing.
    pub fn requirements(&self) -> Option<&[Requirement]> {
        self.0.as_deref()
    }

    /// True if it has no requirement, so that it selects everything.
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_some_and(Vec::is_empty)
    }

    /// True if `labels` are selected.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0
            .as_ref()
            .is_some_and(|requirements| requirements.iter().all(|one| one.matches(labels)))
    }
}

impl fmt::Display for Selector {
    /// Writes it so that it can be read again; what selects nothing has no text.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, requirement) in self.0.iter().flatten().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            write!(formatter, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
