//! YAML events to a tree of values with places. The only file that knows the YAML parser.

use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use super::document::{Entry, Node, Value, plain_scalar};
use super::error::{ErrorCode, Place, ScenarioError, ScenarioErrors};

/// How deep lists and mappings may be nested: far more than any scenario needs.
const MOST_NESTED: usize = 64;

/// Reads one document whose root is a mapping.
///
/// # Errors
/// All duplicate keys and unsupported features, up to the first place that is no YAML at all.
pub(super) fn parse(file: &Arc<str>, text: &str) -> Result<Node, ScenarioErrors> {
    let mut builder = Builder::new(file, text, true);
    builder.read(text);
    let root = builder.finish()?;
    match &root.value {
        Value::Map(entries) if !entries.is_empty() => Ok(root),
        other => {
            let found = match other {
                Value::Null => "the file holds no values",
                Value::Map(_) => "the mapping is empty",
                Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                    "the file is not a mapping"
                }
            };
            Err(ScenarioError {
                code: ErrorCode::Syntax,
                file: Arc::clone(file),
                place: root.place,
                message: format!("{found}; a scenario is a mapping of sections"),
                help: Some("start from one of the files in scenarios/".into()),
            }
            .into())
        }
    }
}

/// Reads the value of a `--set` argument: any YAML on one line.
///
/// # Errors
/// What is not YAML, described in one sentence.
pub(super) fn parse_value(text: &str, place: &Place) -> Result<Node, String> {
    let no_file = "".into();
    let mut builder = Builder::new(&no_file, text, false);
    builder.read(text);
    let mut node = builder.finish().map_err(|errors| {
        let messages: Vec<String> = errors.iter().map(|error| error.message.clone()).collect();
        messages.join("; ")
    })?;
    move_to(&mut node, place);
    Ok(node)
}

fn move_to(node: &mut Node, place: &Place) {
    node.place = place.clone();
    match &mut node.value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
        Value::List(items) => items.iter_mut().for_each(|item| move_to(item, place)),
        Value::Map(entries) => {
            for entry in entries {
                entry.place = place.clone();
                move_to(&mut entry.value, place);
            }
        }
    }
}

/// A list or mapping whose end has not been read.
struct Open {
    place: Place,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(String, Place)> },
}

struct Builder<'a> {
    file: &'a Arc<str>,
    lines: Vec<&'a str>,
    in_file: bool,
    open: Vec<Open>,
    root: Option<Node>,
    documents: u32,
    errors: Vec<ScenarioError>,
}

impl<'a> Builder<'a> {
    fn new(file: &'a Arc<str>, text: &'a str, in_file: bool) -> Self {
        let lines = text.lines().collect();
        Self { file, lines, in_file, open: vec![], root: None, documents: 0, errors: vec![] }
    }

    fn read(&mut self, text: &'a str) {
        for event in Parser::new_from_str(text) {
            match event {
                Ok((event, span)) => {
                    if !self.take(event, span.start) {
                        return;
                    }
                }
                Err(error) => return self.scan_error(&error),
            }
        }
    }

    fn finish(self) -> Result<Node, ScenarioErrors> {
        ScenarioErrors::check(self.errors)?;
        Ok(self.root.unwrap_or(Node { value: Value::Null, place: Place::Whole }))
    }

    /// Takes one event; false to read no further.
    fn take(&mut self, event: Event<'a>, mark: Marker) -> bool {
        let place = place_of(mark);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            Event::DocumentStart(_) => return self.start_document(place),
            Event::Alias(_) => {
                self.unsupported(place.clone(), "aliases (*name) are", "repeat the value");
                self.add(Node { value: Value::Null, place });
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_marks(anchor, tag.as_deref(), &place);
                let value = match style {
                    ScalarStyle::Plain => plain_scalar(&text),
                    ScalarStyle::SingleQuoted
                    | ScalarStyle::DoubleQuoted
                    | ScalarStyle::Literal
                    | ScalarStyle::Folded => Value::Text(text.into_owned()),
                };
                self.add(Node { value, place });
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_marks(anchor, tag.as_deref(), &place);
                return self.start(place, OpenKind::List(vec![]));
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_marks(anchor, tag.as_deref(), &place);
                return self.start(place, OpenKind::Map { entries: vec![], key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
        }
        true
    }

    fn start_document(&mut self, place: Place) -> bool {
        self.documents += 1;
        if self.documents > 1 {
            self.unsupported(place, "several documents (---) are", "use one file for each");
        }
        self.documents == 1
    }

    fn start(&mut self, place: Place, kind: OpenKind) -> bool {
        if self.open.len() == MOST_NESTED {
            let message = format!("nested deeper than {MOST_NESTED} levels");
            self.error(ErrorCode::Syntax, place, message, None);
            return false;
        }
        self.open.push(Open { place, kind });
        true
    }

    fn end(&mut self) {
        let open = self.open.pop().expect("the parser ends only what it has started");
        let value = match open.kind {
            OpenKind::List(items) => Value::List(items),
            OpenKind::Map { entries, .. } => Value::Map(entries),
        };
        self.add(Node { value, place: open.place });
    }

    fn add(&mut self, node: Node) {
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(OpenKind::List(items)) => items.push(node),
            Some(OpenKind::Map { entries, key }) => match key.take() {
                None => {
                    let name = self.key_of(node);
                    if let Some(OpenKind::Map { key, .. }) =
                        self.open.last_mut().map(|open| &mut open.kind)
                    {
                        *key = Some(name);
                    }
                }
                Some((key, place)) => entries.push(Entry { key, place, value: node }),
            },
        }
    }

    /// The key that `node` is, after a check that it is a new one.
    fn key_of(&mut self, node: Node) -> (String, Place) {
        let place = node.place.clone();
        let key = match node.value {
            Value::Number(text) | Value::Text(text) => text,
            Value::Bool(value) => value.to_string(),
            Value::Null => "null".to_owned(),
            Value::List(_) | Value::Map(_) => {
                let message = "a key must be a single word".to_owned();
                self.error(ErrorCode::Syntax, place.clone(), message, None);
                String::new()
            }
        };
        let earlier = match self.open.last().map(|open| &open.kind) {
            Some(OpenKind::Map { entries, .. }) => {
                entries.iter().find(|entry| entry.key == key).map(|entry| entry.place.clone())
            }
            Some(OpenKind::List(_)) | None => None,
        };
        if let Some(earlier) = earlier {
            let first = match earlier {
                Place::At { line, .. } => format!(" (first in line {line})"),
                Place::Whole | Place::Override(_) => String::new(),
            };
            let message = format!("\"{key}\" stands twice in one mapping{first}");
            self.error(ErrorCode::DuplicateKey, place.clone(), message, None);
        }
        (key, place)
    }

    fn refuse_marks(&mut self, anchor: usize, tag: Option<&Tag>, place: &Place) {
        if anchor > 0 {
            self.unsupported(place.clone(), "anchors (&name) are", "repeat the value");
        }
        if tag.is_some() {
            self.unsupported(place.clone(), "tags (!name) are", "write the plain value");
        }
    }

    fn unsupported(&mut self, place: Place, what: &str, instead: &str) {
        let message = format!("{what} not supported in scenarios");
        self.error(ErrorCode::Syntax, place, message, Some(instead.to_owned()));
    }

    fn scan_error(&mut self, error: &ScanError) {
        let mark = *error.marker();
        let help = self.mentions_tab(mark).then(|| "YAML is indented with spaces only".to_owned());
        let message = format!("not valid YAML: {}", error.info());
        self.error(ErrorCode::Syntax, place_of(mark), message, help);
    }

    fn mentions_tab(&self, mark: Marker) -> bool {
        // The parser may notice at the end of the line before.
        let near = self.lines.iter().skip(mark.line().saturating_sub(1)).take(2);
        near.into_iter().any(|line| line.trim_end().contains('\t'))
    }

    fn error(&mut self, code: ErrorCode, place: Place, message: String, help: Option<String>) {
        let place = if self.in_file { place } else { Place::Whole };
        self.errors.push(ScenarioError { code, file: Arc::clone(self.file), place, message, help });
    }
}

fn place_of(mark: Marker) -> Place {
    let line = u32::try_from(mark.line()).unwrap_or(u32::MAX);
    let column = u32::try_from(mark.col() + 1).unwrap_or(u32::MAX);
    Place::At { line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> Vec<String> {
        let errors = parse(&"s.yaml".into(), text).unwrap_err();
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn values_know_where_they_stand() {
        let root = parse(&"s".into(), "a: 1\nb:\n  - x\n  - {c: true}\n").unwrap();
        let item = &root.get("b").unwrap().items()[1];
        assert_eq!(item.place, Place::At { line: 4, column: 5 });
        assert_eq!(item.get("c").unwrap().place, Place::At { line: 4, column: 9 });
        assert_eq!(root.to_json(), serde_json::json!({"a": 1, "b": ["x", {"c": true}]}));
    }

    #[test]
    fn quoted_numbers_are_text_and_plain_words_are_not_numbers() {
        let root = parse(&"s".into(), "a: '1'\nb: 1e3\nc: .nan\nd: 500m\ne: infinity\n").unwrap();
        let value = |key: &str| root.get(key).unwrap().value.clone();
        assert_eq!(value("a"), Value::Text("1".into()));
        assert_eq!(value("b"), Value::Number("1e3".into()));
        assert_eq!(value("c"), Value::Number(".nan".into()));
        assert_eq!(value("d"), Value::Text("500m".into()));
        assert_eq!(value("e"), Value::Text("infinity".into()));
    }

    #[test]
    fn every_duplicate_key_is_reported() {
        let found = errors("a: 1\nb: {x: 1, x: 2}\na: 2\n");
        assert_eq!(
            found,
            [
                "E0102 s.yaml:2:11 \"x\" stands twice in one mapping (first in line 2)",
                "E0102 s.yaml:3:1 \"a\" stands twice in one mapping (first in line 1)",
            ]
        );
    }

    #[test]
    fn what_scenarios_do_not_use_is_named() {
        for (text, word) in [
            ("a: &x 1\nb: *x\n", "anchors"),
            ("a: !!str 1\n", "tags"),
            ("a: 1\n---\nb: 2\n", "documents"),
            ("", "holds no values"),
            ("# only a comment\n", "holds no values"),
            ("{}", "empty"),
            ("- a\n", "not a mapping"),
            ("a: 1\n\tb: 2\n", "spaces only"),
            ("a: [1, 2\n", "not valid YAML"),
            ("a: 'x\n", "not valid YAML"),
            ("[a, b]: 1\n", "single word"),
        ] {
            let found = errors(text).join("\n");
            assert!(found.contains(word), "{text:?}: {found}");
        }
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |depth| errors(&format!("a: {}{}", "[".repeat(depth), "]".repeat(depth)));
        assert!(nested(70)[0].contains("deeper than 64"));
        assert!(nested(100_000)[0].contains("not valid YAML"));
    }
}
