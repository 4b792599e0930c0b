//! A JSON value written as YAML, for people: what the report shows as the scenario that was run,
//! and what can be saved and run again. Knows nothing of scenarios.

use serde_json::Value;

/// `value` as a YAML document in block style, keys in the order of the value.
pub fn document(value: &Value) -> String {
    let mut text = String::new();
    block(value, 0, &mut text);
    text
}

fn block(value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    if !is_nested(value) {
        text.push_str(&format!("{indent}{}\n", scalar(value)));
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, entry) in map {
                text.push_str(&format!("{indent}{}:", plain_or_quoted(key)));
                below(entry, depth + 1, text);
            }
        }
        Value::Array(list) => {
            for entry in list {
                item(entry, depth, text);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What follows a `key:`.
fn below(entry: &Value, depth: usize, text: &mut String) {
    if is_nested(entry) {
        text.push('\n');
        block(entry, depth, text);
    } else {
        text.push_str(&format!(" {}\n", scalar(entry)));
    }
}

/// One item of a list; the first line of a nested one stands behind the dash.
fn item(entry: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    if !is_nested(entry) {
        text.push_str(&format!("{indent}- {}\n", scalar(entry)));
        return;
    }
    let mut inner = String::new();
    block(entry, depth + 1, &mut inner);
    text.push_str(&format!("{indent}- {}", inner.trim_start()));
}

fn is_nested(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => plain_or_quoted(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// Plain where YAML cannot read it as anything else, else as a JSON string, which YAML reads too.
fn plain_or_quoted(text: &str) -> String {
    let first = text.chars().next().is_some_and(|first| first.is_ascii_alphabetic());
    let inner = text.chars().all(|c| c.is_ascii_alphanumeric() || " _-./".contains(c));
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let lower = text.to_ascii_lowercase();
    if first && inner && !text.ends_with(' ') && !reserved.contains(&lower.as_str()) {
        return text.to_owned();
    }
    Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn maps_and_lists_nest_as_people_write_them() {
        let value = json!({
            "cluster": {"pools": [{"cpu": 64, "name": "big"}, {"name": "small"}], "tags": []},
            "seed": 42,
            "matrix": [[1, 2], [3]],
        });
        let expected = "\
cluster:
  pools:
    - cpu: 64
      name: big
    - name: small
  tags: []
matrix:
  - - 1
    - 2
  - - 3
seed: 42
";
        assert_eq!(document(&value), expected);
    }

    #[test]
    fn what_yaml_would_misread_is_quoted() {
        for text in ["yes", "12", "5min", "a: b", "", "# no", "trailing ", "tab\t", "null", "µ"] {
            assert!(plain_or_quoted(text).starts_with('"'), "{text}");
        }
        assert_eq!(plain_or_quoted("best-fit"), "best-fit");
        assert_eq!(document(&json!("x y")), "x y\n");
        assert_eq!(document(&json!({})), "{}\n");
    }

    #[test]
    fn a_yaml_reader_reads_back_what_was_written() {
        let value = json!({"a": [{"b": "no", "c": [true, null]}, {}], "d": "x: \"y\"\n", "e": 1.5});
        let text = document(&value);
        let read = crate::scenario::Document::parse("report", &text).unwrap();
        assert_eq!(read.root.to_json(), value);
    }
}
