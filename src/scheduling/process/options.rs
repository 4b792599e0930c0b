//! The options of a scheduler that is a child process.

use std::path::Path;

use serde_json::Value;

use crate::protocol::ProcessSpec;

/// Longest time for a reply, in seconds.
const LONGEST_S: u64 = 86_400;

/// How to start the child that `options` describe; its folder is `folder`.
///
/// # Errors
/// A sentence that says which option is wrong and what would be right.
pub fn process_spec(options: &Value, folder: &Path) -> Result<ProcessSpec, String> {
    let empty = serde_json::Map::new();
    let given = options.as_object().unwrap_or(&empty);
    let known = ["command", "replyWithin", "options"];
    if let Some(unknown) = given.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("unknown option `{unknown}`; there are {}", known.join(", ")));
    }
    let words = given.get("command").and_then(Value::as_array).into_iter().flatten();
    let command: Option<Vec<String>> = words.map(|word| word.as_str().map(str::to_owned)).collect();
    let command = command.filter(|words| words.first().is_some_and(|first| !first.is_empty()));
    let command = command.ok_or(
        "`command` must be a list of texts, the program and its arguments: [python3, policy.py]",
    )?;
    let reply_within_s = match given.get("replyWithin") {
        None => ProcessSpec::REPLY_WITHIN_S,
        Some(value) => value.as_u64().filter(|s| (1..=LONGEST_S).contains(s)).ok_or(format!(
            "`replyWithin` is {value}; it must be a whole number of seconds from 1 to {LONGEST_S}"
        ))?,
    };
    let told = given.get("options").cloned().unwrap_or(Value::Object(empty.clone()));
    Ok(ProcessSpec { command, folder: folder.to_owned(), reply_within_s, options: told })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_command_is_all_that_is_needed() {
        let spec = process_spec(&json!({"command": ["python3", "p.py"]}), Path::new("x")).unwrap();
        assert_eq!(spec.words(), "python3 p.py");
        assert_eq!((spec.reply_within_s, spec.folder.as_path()), (60, Path::new("x")));
    }

    #[test]
    fn wrong_options_are_refused_with_a_sentence() {
        let message = |options: Value| process_spec(&options, Path::new("")).unwrap_err();
        for command in [json!(null), json!([]), json!("python3"), json!([1]), json!([""])] {
            assert!(message(json!({"command": command})).contains("`command`"), "{command}");
        }
        assert!(message(Value::Null).contains("`command`"));
        assert!(message(json!({"comand": ["x"]})).contains("unknown option `comand`"));
        for limit in [json!(0), json!(-1), json!("1s"), json!(1e9)] {
            let options = json!({"command": ["x"], "replyWithin": limit});
            assert!(message(options).contains("replyWithin"), "{limit}");
        }
    }
}
