//! A scenario as text: YAML read into a tree whose every key and value knows where it stands.
//!
//! It must never know what a scenario means: fields and types are the business of `validate`.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use super::error::{Place, ScenarioError, ScenarioErrors};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it begins.
    pub place: Place,
}

/// A YAML value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing: `key:` or `key: null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Something that reads as a number, as it was written.
    Number(String),
    /// Any other scalar.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping.
    Map(Vec<Entry>),
}

/// One line of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The entries of a mapping; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                &[]
            }
        }
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => &[],
        }
    }

    /// The value of `key`, unless that is nothing.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let entry = self.entries().iter().find(|entry| entry.key == key)?;
        (entry.value.value != Value::Null).then_some(&entry.value)
    }

    /// The same as JSON. Keys without a value are left out; numbers that JSON cannot hold become
    /// text.
    pub fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(text) => number_to_json(text),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Map(entries) => {
                let present = entries.iter().filter(|entry| entry.value.value != Value::Null);
                Json::Object(
                    present.map(|entry| (entry.key.clone(), entry.value.to_json())).collect(),
                )
            }
        }
    }
}

/// What the value looks like in an error message.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("nothing"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(text) => f.write_str(text),
            Self::Text(text) => match text.char_indices().nth(60) {
                Some((end, _)) => write!(f, "\"{}…\"", &text[..end]),
                None => write!(f, "\"{text}\""),
            },
            Self::List(_) => f.write_str("a list"),
            Self::Map(_) => f.write_str("a mapping"),
        }
    }
}

fn number_to_json(text: &str) -> Json {
    let text = text.strip_prefix('+').unwrap_or(text);
    let whole =
        text.parse::<i64>().map(Json::from).or_else(|_| text.parse::<u64>().map(Json::from));
    whole.unwrap_or_else(|_| {
        let fraction = text.parse::<f64>().ok().and_then(serde_json::Number::from_f64);
        fraction.map_or_else(|| Json::String(text.to_owned()), Json::Number)
    })
}

/// The value of a scalar that is not quoted (YAML 1.2 core schema, decimal numbers only).
pub(super) fn plain_scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if reads_as_number(text) => Value::Number(text.to_owned()),
        _ => Value::Text(text.to_owned()),
    }
}

fn reads_as_number(text: &str) -> bool {
    let magnitude = text.trim_start_matches(['+', '-']);
    let special = [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"];
    let decimal = magnitude.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && magnitude.contains(|c: char| c.is_ascii_digit())
        && text.parse::<f64>().is_ok();
    decimal || special.contains(&magnitude)
}

/// A way through the tree: `cluster.pools[0].cpu`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Key(String),
    Index(usize),
}

impl Path {
    /// The whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// The field `key` of what this path leads to.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.with(Segment::Key(key.to_owned()))
    }

    /// The item `index` of what this path leads to.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    /// The path of keys `keys`, from the root.
    pub fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| Segment::Key((*key).to_owned())).collect())
    }

    fn with(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the scenario");
        }
        for (i, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if i == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A whole scenario as text.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// Its content.
    pub root: Node,
}

impl Document {
    /// Reads `text`, which stands in `file`.
    ///
    /// # Errors
    /// What is not YAML, or not a single mapping, or uses anchors, tags or a key twice.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScenarioErrors> {
        let root = super::yaml::parse(&file.into(), text)?;
        Ok(Self { file: file.into(), root })
    }

    /// Where the value at `path` stands; for what is not written, where the innermost thing
    /// around it that is written stands.
    pub fn place(&self, path: &Path) -> Place {
        let mut place = &self.root.place;
        let mut node = &self.root;
        for segment in &path.0 {
            let next = match segment {
                Segment::Key(key) => node.get(key),
                Segment::Index(index) => node.items().get(*index),
            };
            let Some(next) = next else { break };
            node = next;
            place = &node.place;
        }
        place.clone()
    }

    /// An error in this document.
    pub fn error(
        &self,
        code: super::error::ErrorCode,
        place: Place,
        message: impl Into<String>,
    ) -> ScenarioError {
        ScenarioError {
            code,
            file: Arc::clone(&self.file),
            place,
            message: message.into(),
            help: None,
        }
    }
}
