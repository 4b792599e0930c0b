//! Label selectors (`k8s.io/apimachinery/pkg/labels` v0.35).

use super::{LabelSelector, Labels};

/// How a requirement compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The label has one of the values.
    In,
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
    /// The operator that `text` names.
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
            Operator::In => label.is_some_and(|label| self.values.contains(label)),
            Operator::NotIn => !label.is_some_and(|label| self.values.contains(label)),
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::Gt => compare(i64::gt),
            Operator::Lt => compare(i64::lt),
        }
    }
}

/// A compiled selector: nothing, or all that satisfies every requirement.
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
            operator: Operator::In,
            values: vec![value.clone()],
        };
        Self(Some(labels.iter().map(requirement).collect()))
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
            requirements.push(Requirement::new(key, Operator::In, vec![value.clone()])?);
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
        Ok(Self(Some(requirements)))
    }

    /// Selects what also satisfies `more`. Nothing stays nothing.
    #[must_use]
    pub fn and(self, more: impl IntoIterator<Item = Requirement>) -> Self {
        Self(self.0.map(|mut requirements| {
            requirements.extend(more);
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

/// True for text of letters, digits and `extra`, with a letter or digit at both ends.
fn is_name(text: &str, extra: &[u8]) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || extra.contains(byte))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

/// True for a lower-case DNS name.
fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253
        && !text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text.split('.').all(|part| is_name(part, b"-"))
}

/// Checks a label key: a name, with an optional DNS name and slash before it.
///
/// # Errors
///
/// If it is none.
pub fn check_key(key: &str) -> Result<(), String> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(a, b)| (Some(a), b));
    if prefix.is_some_and(|prefix| !is_dns_subdomain(prefix))
        || name.len() > 63
        || !is_name(name, b"-_.")
    {
        return Err(format!("key: Invalid value: {key:?}"));
    }
    Ok(())
}

/// Checks a label value.
///
/// # Errors
///
/// If it is none.
pub fn check_value(value: &str) -> Result<(), String> {
    if value.is_empty() || (value.len() <= 63 && is_name(value, b"-_.")) {
        return Ok(());
    }
    Err(format!("values: Invalid value: {value:?}"))
}
