//! `--set path.to.field=value`: changes to a scenario before it is checked.

use super::document::{Document, Entry, Node, Value};
use super::error::{ErrorCode, Place, ScenarioError, ScenarioErrors};
use super::yaml;

impl Document {
    /// Applies `--set` arguments in order.
    ///
    /// A path is field names and list positions (from 0) with dots between, a name that itself has
    /// dots in it stands in quotes: `cluster.pools.0.labels."a.b/c"=x`. Mappings on the way that
    /// are missing come into being.
    ///
    /// # Errors
    /// Every argument that cannot be read or applied.
    pub fn override_with(&mut self, arguments: &[String]) -> Result<(), ScenarioErrors> {
        let mut errors = Vec::new();
        for argument in arguments {
            if let Err(message) = self.set(argument) {
                let place = Place::Override(argument.as_str().into());
                errors.push(ScenarioError {
                    help: Some("write --set path.to.field=value".into()),
                    ..self.error(ErrorCode::Override, place, message)
                });
            }
        }
        ScenarioErrors::check(errors)
    }

    fn set(&mut self, argument: &str) -> Result<(), String> {
        let (path, value) = split(argument).ok_or("there is no \"=\" in it")?;
        let place = Place::Override(argument.into());
        let value = yaml::parse_value(value, &place)?;
        let mut node = &mut self.root;
        for segment in segments(path)? {
            node = descend(node, &segment, &place)?;
        }
        *node = value;
        Ok(())
    }
}

/// Path and value: what is before and after the first "=" outside quotes.
fn split(argument: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let at = argument.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == '=' && !quoted
    });
    at.map(|(at, _)| (argument[..at].trim(), &argument[at + 1..]))
}

fn segments(path: &str) -> Result<Vec<String>, String> {
    let mut segments = vec![String::new()];
    let mut quoted = false;
    for c in path.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => segments.push(String::new()),
            _ => segments.last_mut().expect("there is always one").push(c),
        }
    }
    if quoted || segments.iter().any(String::is_empty) {
        return Err(format!("\"{path}\" is no path to a field"));
    }
    Ok(segments)
}

fn descend<'a>(node: &'a mut Node, segment: &str, place: &Place) -> Result<&'a mut Node, String> {
    if node.value == Value::Null {
        *node = Node { value: Value::Map(Vec::new()), place: place.clone() };
    }
    match &mut node.value {
        Value::Map(entries) => {
            let known = entries.iter().position(|entry| entry.key == segment);
            let index = known.unwrap_or_else(|| {
                let value = Node { value: Value::Null, place: place.clone() };
                entries.push(Entry { key: segment.to_owned(), place: place.clone(), value });
                entries.len() - 1
            });
            Ok(&mut entries[index].value)
        }
        Value::List(items) => {
            let count = items.len();
            let index: Option<usize> = segment.parse().ok();
            index.and_then(|index| items.get_mut(index)).ok_or_else(|| {
                format!("\"{segment}\" is no position in a list of {count}, counted from 0")
            })
        }
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_)) => {
            Err(format!("there is no \"{segment}\" in {scalar}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(arguments: &[&str]) -> Result<serde_json::Value, ScenarioErrors> {
        let mut document = Document::parse("s", "a: {b: [{c: 1}, 2]}\nd: x\n").unwrap();
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        document.override_with(&arguments)?;
        Ok(document.root.to_json())
    }

    #[test]
    fn fields_change_and_come_into_being() {
        let expected = serde_json::json!({
            "a": {"b": [{"c": "5min"}, 2]}, "d": [1, 2], "e": {"f.g": {"h": true}}
        });
        assert_eq!(set(&["a.b.0.c=5min", "d=[1, 2]", "e.\"f.g\".h=true"]).unwrap(), expected);
    }

    #[test]
    fn every_bad_argument_is_reported_with_itself() {
        let errors = set(&["nothing", "a.b.7=1", "d.e=1", "a..b=1", "a=[1", "d=ok"]).unwrap_err();
        assert_eq!(errors.count(), 5);
        let text = errors.to_string();
        for argument in ["--set nothing:", "--set a.b.7=1:", "--set d.e=1:", "--set a=[1:"] {
            assert!(text.contains(argument), "{argument} is not in {text}");
        }
    }
}
