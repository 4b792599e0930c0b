//! Manifests as text: streams of YAML or JSON documents, read as JSON values.
//!
//! Scenario files have a reader of their own (`scenario::yaml`), which refuses what manifests use:
//! several documents in one file, anchors and aliases, merge keys, tags.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

/// How deep lists and mappings may be nested.
const MOST_NESTED: usize = 100;
/// How many values aliases may be replaced by in all: against documents that only grow.
const MOST_COPIED: usize = 1_000_000;

/// Text that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct TextError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// One document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The line in which it begins, from 1.
    pub line: usize,
    /// What it says; `null` if it says nothing.
    pub value: Value,
    /// Lines of the values in it by their path, such as `/spec/replicas` (RFC 6901). Not known of
    /// JSON.
    lines: BTreeMap<String, usize>,
}

impl Document {
    /// The line of the value at `pointer`, or of the innermost value around it whose line is known.
    pub fn line_of(&self, pointer: &str) -> usize {
        let mut pointer = pointer;
        loop {
            if let Some(line) = self.lines.get(pointer) {
                return *line;
            }
            match pointer.rfind('/') {
                Some(end) => pointer = &pointer[..end],
                None => return self.line,
            }
        }
    }
}

/// Reads all documents of `text`.
///
/// # Errors
///
/// If it is neither YAML nor JSON, uses a key twice, or refers to an anchor that is not there.
pub fn documents(text: &str) -> Result<Vec<Document>, TextError> {
    // JSON is YAML too, but there is a faster reader for it.
    if text.trim_start().starts_with(['{', '['])
        && let Some(documents) = json_documents(text)
    {
        return Ok(documents);
    }
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| TextError {
            line: error.marker().line(),
            column: error.marker().col() + 1,
            message: format!("not valid YAML: {}", error.info()),
        })?;
        reader.take(event, span.start)?;
    }
    Ok(reader.documents)
}

fn json_documents(text: &str) -> Option<Vec<Document>> {
    let mut documents = Vec::new();
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    loop {
        let start = text[stream.byte_offset()..].trim_start();
        let line = text[..text.len() - start.len()].matches('\n').count() + 1;
        match stream.next() {
            None => return Some(documents),
            Some(Ok(value)) => documents.push(Document { line, value, lines: BTreeMap::new() }),
            Some(Err(_)) => return None,
        }
    }
}

/// A list or mapping whose end has not been read.
enum Open {
    List(Vec<Value>),
    Map { fields: Map<String, Value>, key: Option<String>, merged: Vec<Value> },
}

/// An open value, with the anchor it will be known by.
struct Frame {
    open: Open,
    anchor: usize,
    pointer: String,
}

#[derive(Default)]
struct Reader {
    documents: Vec<Document>,
    open: Vec<Frame>,
    anchors: BTreeMap<usize, Value>,
    copied: usize,
}

/// The number of values in `value`.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        _ => 0,
    }
}

fn wrong<T>(mark: Marker, message: impl Into<String>) -> Result<T, TextError> {
    let message = message.into();
    Err(TextError { line: mark.line(), column: mark.col() + 1, message })
}

impl Reader {
    fn take(&mut self, event: Event<'_>, mark: Marker) -> Result<(), TextError> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.anchors.clear();
                let lines = BTreeMap::new();
                self.documents.push(Document { line: mark.line(), value: Value::Null, lines });
                Ok(())
            }
            Event::Alias(anchor) => {
                let Some(value) = self.anchors.get(&anchor).cloned() else {
                    return wrong(mark, "an alias of an anchor that is not there");
                };
                self.copied += size(&value);
                if self.copied > MOST_COPIED {
                    return wrong(
                        mark,
                        format!("aliases stand for more than {MOST_COPIED} values"),
                    );
                }
                self.add(value, mark)
            }
            Event::Scalar(text, style, anchor, _) => {
                let value = match style {
                    ScalarStyle::Plain => plain(&text),
                    _ => Value::String(text.into_owned()),
                };
                if anchor > 0 {
                    self.anchors.insert(anchor, value.clone());
                }
                self.add(value, mark)
            }
            Event::SequenceStart(anchor, _) => self.start(Open::List(Vec::new()), anchor, mark),
            Event::MappingStart(anchor, _) => {
                let open = Open::Map { fields: Map::new(), key: None, merged: Vec::new() };
                self.start(open, anchor, mark)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(mark),
        }
    }

    /// The path of the value that comes next.
    fn next_pointer(&self) -> String {
        match self.open.last() {
            None => String::new(),
            Some(Frame { open: Open::List(items), pointer, .. }) => {
                format!("{pointer}/{}", items.len())
            }
            Some(Frame { open: Open::Map { key, .. }, pointer, .. }) => {
                let key = key.as_deref().unwrap_or_default();
                format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
            }
        }
    }

    fn note_line(&mut self, pointer: &str, mark: Marker) {
        if let Some(document) = self.documents.last_mut() {
            document.lines.entry(pointer.to_owned()).or_insert(mark.line());
        }
    }

    fn start(&mut self, open: Open, anchor: usize, mark: Marker) -> Result<(), TextError> {
        if self.open.len() == MOST_NESTED {
            return wrong(mark, format!("nested deeper than {MOST_NESTED} levels"));
        }
        let pointer = self.next_pointer();
        self.note_line(&pointer, mark);
        if pointer.is_empty()
            && let Some(document) = self.documents.last_mut()
        {
            document.line = mark.line();
        }
        self.open.push(Frame { open, anchor, pointer });
        Ok(())
    }

    fn end(&mut self, mark: Marker) -> Result<(), TextError> {
        let Some(frame) = self.open.pop() else { return Ok(()) };
        let value = match frame.open {
            Open::List(items) => Value::Array(items),
            Open::Map { mut fields, merged, .. } => {
                for other in merged {
                    merge(&mut fields, other);
                }
                Value::Object(fields)
            }
        };
        if frame.anchor > 0 {
            self.anchors.insert(frame.anchor, value.clone());
        }
        self.add(value, mark)
    }

    fn add(&mut self, value: Value, mark: Marker) -> Result<(), TextError> {
        let pointer = self.next_pointer();
        match self.open.last_mut().map(|frame| &mut frame.open) {
            None => {
                if let Some(document) = self.documents.last_mut() {
                    document.value = value;
                }
            }
            Some(Open::List(items)) => items.push(value),
            Some(Open::Map { fields, key, merged }) => match key.take() {
                None => {
                    let name = match value {
                        Value::String(text) => text,
                        Value::Number(number) => number.to_string(),
                        Value::Bool(value) => value.to_string(),
                        _ => return wrong(mark, "a key is a single word"),
                    };
                    if name != "<<" && fields.contains_key(&name) {
                        return wrong(mark, format!("\"{name}\" stands twice in one mapping"));
                    }
                    *key = Some(name);
                    return Ok(());
                }
                Some(name) if name == "<<" => merged.push(value),
                Some(name) => {
                    fields.insert(name, value);
                }
            },
        }
        self.note_line(&pointer, mark);
        Ok(())
    }
}

/// Adds what a merge key (`<<`) brings in: fields that are there stay as they are.
fn merge(fields: &mut Map<String, Value>, other: Value) {
    match other {
        Value::Object(others) => {
            for (name, value) in others {
                fields.entry(name).or_insert(value);
            }
        }
        Value::Array(list) => list.into_iter().for_each(|one| merge(fields, one)),
        _ => {}
    }
}

/// The value of a scalar that is not quoted (YAML 1.2 core schema).
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    let number = || {
        let unsigned = text.strip_prefix('+').unwrap_or(text);
        let whole = unsigned.parse::<i64>().map(Number::from);
        let whole = whole.or_else(|_| unsigned.parse::<u64>().map(Number::from)).ok();
        whole.or_else(|| unsigned.parse::<f64>().ok().and_then(Number::from_f64))
    };
    let number = numeric.then(number).flatten();
    number.map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::documents;

    fn values(text: &str) -> Vec<serde_json::Value> {
        documents(text).expect(text).into_iter().map(|document| document.value).collect()
    }

    #[test]
    fn streams_of_documents_are_read() {
        let yaml = "a: 1\n---\n# nothing\n---\nb: [x, '2', 0.5, 500m, ~, true]\n...\n";
        let expected =
            [json!({"a": 1}), json!(null), json!({"b": ["x", "2", 0.5, "500m", null, true]})];
        assert_eq!(values(yaml), expected);
        assert_eq!(values("{\"a\": 1}\n\n{\"b\": 2}"), [json!({"a": 1}), json!({"b": 2})]);
        assert_eq!(values("{a: b}"), [json!({"a": "b"})]);
        assert!(values("").is_empty());
    }

    #[test]
    fn anchors_aliases_and_merge_keys_are_resolved() {
        let yaml = "base: &b {x: 1, y: 2}\nmore:\n  <<: *b\n  y: 3\nagain: *b\n";
        let base = json!({"x": 1, "y": 2});
        let more = json!({"x": 1, "y": 3});
        assert_eq!(values(yaml), [json!({"base": base, "more": more, "again": base})]);
    }

    #[test]
    fn values_know_their_lines() {
        let documents = documents("a: 1\n---\nspec:\n  a/b:\n    - x\n    - c: 2\n").expect("YAML");
        let second = &documents[1];
        assert_eq!((documents[0].line, second.line), (1, 3));
        assert_eq!(second.line_of("/spec/a~1b/1/c"), 6);
        assert_eq!(second.line_of("/spec/a~1b/1/missing/field"), 6);
        assert_eq!(second.line_of("/other"), 3);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        for (text, message) in [
            ("a: 1\nb: [1\n", "not valid YAML"),
            ("a: 1\na: 2\n", "line 2, column 1: \"a\" stands twice"),
            ("? [a]\n: 1\n", "single word"),
            ("{\"a\": 1,, }", "not valid YAML"),
        ] {
            let error = documents(text).expect_err(text).to_string();
            assert!(error.contains(message), "{error}");
        }
        assert!(documents(&"[".repeat(200)).is_err());
        let bomb = (1..8).fold("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, n| {
            let refers = vec![format!("*a{}", n - 1); 10].join(", ");
            format!("{text}a{n}: &a{n} [{refers}]\n")
        });
        let error = documents(&bomb).expect_err("it only grows").to_string();
        assert!(error.contains("aliases stand for more than"), "{error}");
    }
}
