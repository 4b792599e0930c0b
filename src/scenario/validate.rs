//! Holds a document against the JSON Schema of scenarios: unknown fields, wrong types, numbers out
//! of range, all at once, each with its place.
//!
//! It must never know a single field: what it knows of scenarios is the schema, which is made from
//! the types.

use serde_json::{Map, Value as Json};

use super::document::{Document, Entry, Node, Path, Value};
use super::error::{ErrorCode, Place, ScenarioError};
use super::quantity::{Rule, rule_of};
use super::suggest::{did_you_mean, listed, nearest};

/// Everything in `document` that `schema` does not allow.
pub fn violations(document: &Document, schema: &Json) -> Vec<ScenarioError> {
    let mut validator = Validator { document, schema, errors: Vec::new() };
    validator.check(&document.root, schema, &Path::root());
    validator.errors
}

struct Validator<'a> {
    document: &'a Document,
    schema: &'a Json,
    errors: Vec<ScenarioError>,
}

impl<'a> Validator<'a> {
    fn check(&mut self, node: &Node, schema: &'a Json, path: &Path) {
        let schema = self.resolved(schema);
        if let Some(alternatives) = alternatives_of(schema) {
            return self.check_alternatives(node, alternatives, path);
        }
        if let Some(rule) = schema["x-quantity"].as_str().and_then(rule_of) {
            return self.check_quantity(node, rule, path);
        }
        if let Some(names) = enumerated(schema) {
            return self.check_name(node, &names, path);
        }
        match &node.value {
            _ if !allows(schema, &node.value) => self.wrong_type(node, &[schema], path),
            Value::Map(entries) => self.check_fields(node, entries, schema, path),
            Value::List(items) => self.check_items(node, items, schema, path),
            Value::Number(text) => self.check_number(node, text, schema, path),
            Value::Text(text) => self.check_text(node, text, schema, path),
            Value::Bool(_) | Value::Null => {}
        }
    }

    /// What `$ref` leads to.
    fn resolved(&self, schema: &'a Json) -> &'a Json {
        let pointer = schema["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
        match pointer.and_then(|pointer| self.schema.pointer(pointer)) {
            Some(target) => self.resolved(target),
            None => schema,
        }
    }

    /// A value that may be one of several things: the one it was meant to be is told by its kind
    /// and, for mappings, by its keys.
    fn check_alternatives(&mut self, node: &Node, alternatives: Vec<&'a Json>, path: &Path) {
        let mut all = Vec::new();
        self.flatten(alternatives, &mut all);
        let likely: Vec<&Json> =
            all.iter().copied().filter(|schema| allows(schema, &node.value)).collect();
        match likely[..] {
            [] => self.wrong_type(node, &all, path),
            [only] => self.check(node, only, path),
            _ if matches!(node.value, Value::Map(_)) => self.check_variant(node, &likely, path),
            _ => {
                let names: Vec<&str> =
                    likely.iter().filter_map(|schema| enumerated(schema)).flatten().collect();
                match likely.iter().find(|schema| enumerated(schema).is_none()) {
                    Some(open) if !names.iter().any(|name| is_text(&node.value, name)) => {
                        self.check(node, open, path);
                    }
                    Some(_) | None => self.check_name(node, &names, path),
                }
            }
        }
    }

    fn flatten(&self, alternatives: Vec<&'a Json>, into: &mut Vec<&'a Json>) {
        for schema in alternatives {
            let schema = self.resolved(schema);
            match alternatives_of(schema) {
                Some(inner) => self.flatten(inner, into),
                None if schema["type"] == "null" => {}
                None => into.push(schema),
            }
        }
    }

    /// A mapping with one key that says what it is, such as `{exponential: {mean: 30d}}`.
    fn check_variant(&mut self, node: &Node, variants: &[&'a Json], path: &Path) {
        let known: Vec<&str> = variants
            .iter()
            .flat_map(|schema| properties(schema).keys().map(String::as_str))
            .collect();
        match node.entries() {
            [entry] => {
                let variant = variants.iter().find(|s| properties(s).contains_key(&entry.key));
                match variant {
                    Some(variant) => self.check(node, variant, path),
                    None => self.unknown_field(entry, &known, path),
                }
            }
            entries => {
                let unknown = entries.iter().filter(|entry| !known.contains(&entry.key.as_str()));
                for entry in unknown {
                    self.unknown_field(entry, &known, path);
                }
                let message = format!("{path} must have exactly one of {}", listed(known));
                self.error(ErrorCode::Contradiction, node, message);
            }
        }
    }

    fn check_quantity(&mut self, node: &Node, rule: Rule, path: &Path) {
        let (Value::Number(text) | Value::Text(text)) = &node.value else {
            let message = format!("{path} must be {}; found {}", rule.expected, node.value);
            return self.error(ErrorCode::WrongType, node, message);
        };
        if let Err(reason) = (rule.check)(text) {
            let out_of_range =
                reason.contains("too large") || reason.contains("above") || reason == "is negative";
            let code = if out_of_range { ErrorCode::OutOfRange } else { ErrorCode::WrongType };
            let message = format!("{path} must be {}; {} {reason}", rule.expected, node.value);
            self.error(code, node, message);
        }
    }

    fn check_name(&mut self, node: &Node, names: &[&str], path: &Path) {
        let Value::Text(text) = &node.value else {
            let message =
                format!("{path} must be one of {}; found {}", listed_all(names), node.value);
            return self.error(ErrorCode::WrongType, node, message);
        };
        if !names.contains(&text.as_str()) {
            let message = match nearest(text, names.iter().copied()) {
                Some(name) => {
                    format!("{path} cannot be {}; did you mean \"{name}\"?", node.value)
                }
                None => {
                    format!("{path} must be one of {}; found {}", listed_all(names), node.value)
                }
            };
            self.error(ErrorCode::UnknownValue, node, message);
        }
    }

    fn check_fields(&mut self, node: &Node, entries: &[Entry], schema: &'a Json, path: &Path) {
        let known = properties(schema);
        for entry in entries {
            let at = path.key(&entry.key);
            match (known.get(&entry.key), &schema["additionalProperties"]) {
                (Some(_) | None, _)
                    if entry.value.value == Value::Null && known.contains_key(&entry.key) => {}
                (Some(field), _) => self.check(&entry.value, field, &at),
                (None, rest @ Json::Object(_)) => self.check(&entry.value, rest, &at),
                (None, Json::Bool(false)) => {
                    let names: Vec<&str> = known.keys().map(String::as_str).collect();
                    self.unknown_field(entry, &names, path);
                }
                (None, _) => {}
            }
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            let name = required.as_str().expect("the schema lists required fields by name");
            if node.get(name).is_none() {
                self.error(ErrorCode::MissingField, node, format!("{path} lacks \"{name}\""));
            }
        }
    }

    fn check_items(&mut self, node: &Node, items: &[Node], schema: &'a Json, path: &Path) {
        if let Some(most) = schema["maxItems"].as_u64().filter(|most| items.len() as u64 > *most) {
            let message = format!("{path} has {} items; at most {most} are allowed", items.len());
            self.error(ErrorCode::OutOfRange, node, message);
        }
        for (index, item) in items.iter().enumerate() {
            self.check(item, &schema["items"], &path.index(index));
        }
    }

    fn check_number(&mut self, node: &Node, text: &str, schema: &Json, path: &Path) {
        if is_type(schema, "integer") && text.parse::<i128>().is_err() {
            let code = match text.parse::<f64>() {
                Ok(number) if number.abs() > 1e30 => ErrorCode::OutOfRange,
                Ok(_) | Err(_) => ErrorCode::WrongType,
            };
            return self.error(code, node, format!("{path} must be a whole number; found {text}"));
        }
        let number: f64 = text.parse().unwrap_or(f64::NAN);
        if !number.is_finite() {
            let message = format!("{path} must be a finite number; found {text}");
            return self.error(ErrorCode::OutOfRange, node, message);
        }
        let (least, most) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
        let most = most.or_else(|| largest_of(schema));
        if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
            let range = match (least, most) {
                (Some(least), Some(most)) => format!("between {least} and {most}"),
                (Some(least), None) => format!("at least {least}"),
                (None, Some(most)) => format!("at most {most}"),
                (None, None) => "in range".to_owned(),
            };
            let message = format!("{path} must be {range}; found {text}");
            self.error(ErrorCode::OutOfRange, node, message);
        }
    }

    fn check_text(&mut self, node: &Node, text: &str, schema: &Json, path: &Path) {
        let length = text.chars().count() as u64;
        if schema["minLength"].as_u64().is_some_and(|least| length < least) {
            self.error(ErrorCode::OutOfRange, node, format!("{path} must not be empty"));
        }
        if let Some(most) = schema["maxLength"].as_u64().filter(|most| length > *most) {
            let message = format!("{path} has {length} characters; at most {most} are allowed");
            self.error(ErrorCode::OutOfRange, node, message);
        }
    }

    fn unknown_field(&mut self, entry: &Entry, known: &[&str], path: &Path) {
        let proposal = did_you_mean(&entry.key, known.iter().copied());
        let help = if !proposal.is_empty() {
            None
        } else if let Some(section) = self.section_with(&entry.key) {
            Some(format!("\"{}\" belongs into {section}", entry.key))
        } else {
            Some(format!("known here: {}", listed_all(known)))
        };
        let message = format!("unknown field \"{}\" in {path}{proposal}", entry.key);
        let error = self.document.error(ErrorCode::UnknownField, entry.place.clone(), message);
        self.errors.push(ScenarioError { help, ..error });
    }

    /// The section that has a field called `name`, where exactly one has.
    fn section_with(&self, name: &str) -> Option<&'a str> {
        let sections = properties(self.schema).iter();
        let mut with =
            sections.filter(|(_, section)| properties(self.resolved(section)).contains_key(name));
        let (section, _) = with.next()?;
        with.next().is_none().then_some(section.as_str())
    }

    fn wrong_type(&mut self, node: &Node, alternatives: &[&Json], path: &Path) {
        let mut expected: Vec<String> = Vec::new();
        for schema in alternatives {
            let description = describe(schema);
            if !expected.contains(&description) {
                expected.push(description);
            }
        }
        let message = format!("{path} must be {}; found {}", expected.join(" or "), node.value);
        let error = self.document.error(ErrorCode::WrongType, node.place.clone(), message);
        let quote = match &node.value {
            Value::Number(text) if expected == ["text"] => Some(format!("write \"{text}\"")),
            Value::Bool(value) if expected == ["text"] => Some(format!("write \"{value}\"")),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Map(_) => None,
        };
        self.errors.push(ScenarioError { help: quote, ..error });
    }

    fn error(&mut self, code: ErrorCode, node: &Node, message: String) {
        let place: Place = node.place.clone();
        self.errors.push(self.document.error(code, place, message));
    }
}

fn alternatives_of(schema: &Json) -> Option<Vec<&Json>> {
    if enumerated(schema).is_some() {
        return None;
    }
    let list = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array())?;
    Some(list.iter().collect())
}

/// The values that an enumeration allows.
fn enumerated(schema: &Json) -> Option<Vec<&str>> {
    if let Some(value) = schema["const"].as_str() {
        return Some(vec![value]);
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(Json::as_str).collect();
    }
    schema["oneOf"].as_array()?.iter().map(|one| one["const"].as_str()).collect()
}

fn properties(schema: &Json) -> &Map<String, Json> {
    static NONE: std::sync::LazyLock<Map<String, Json>> = std::sync::LazyLock::new(Map::new);
    schema["properties"].as_object().unwrap_or(&NONE)
}

fn is_type(schema: &Json, name: &str) -> bool {
    match &schema["type"] {
        Json::String(one) => one == name,
        Json::Array(several) => several.iter().any(|one| one == name),
        _ => false,
    }
}

/// True if `schema` can be for a value of this kind at all.
fn allows(schema: &Json, value: &Value) -> bool {
    if schema["type"].is_null() && enumerated(schema).is_none() {
        return true;
    }
    match value {
        Value::Null => is_type(schema, "null"),
        Value::Bool(_) => is_type(schema, "boolean"),
        Value::Number(_) => is_type(schema, "number") || is_type(schema, "integer"),
        Value::Text(_) => is_type(schema, "string") || enumerated(schema).is_some(),
        Value::List(_) => is_type(schema, "array"),
        Value::Map(_) => is_type(schema, "object"),
    }
}

fn is_text(value: &Value, name: &str) -> bool {
    matches!(value, Value::Text(text) if text == name)
}

/// The largest number of an integer format.
fn largest_of(schema: &Json) -> Option<f64> {
    match schema["format"].as_str()? {
        "uint8" => Some(f64::from(u8::MAX)),
        "uint32" => Some(f64::from(u32::MAX)),
        "int32" => Some(f64::from(i32::MAX)),
        "uint64" => Some(u64::MAX as f64),
        _ => None,
    }
}

fn describe(schema: &Json) -> String {
    if let Some(rule) = schema["x-quantity"].as_str().and_then(rule_of) {
        return rule.expected.to_owned();
    }
    if let Some(names) = enumerated(schema) {
        return listed_all(&names);
    }
    let kinds = [
        ("object", "a mapping"),
        ("array", "a list"),
        ("string", "text"),
        ("boolean", "true or false"),
        ("integer", "a whole number"),
        ("number", "a number"),
    ];
    let named = kinds.iter().find(|(kind, _)| is_type(schema, kind));
    named.map_or("something else", |(_, name)| name).to_owned()
}

/// The names, with "or" before the last.
fn listed_all(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
