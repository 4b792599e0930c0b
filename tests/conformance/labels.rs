//! `labels.*`: selectors as text, and what they match.

use cellsim::kubernetes::labels::Selector;
use cellsim::kubernetes::{LabelSelector, LabelSelectorRequirement, Labels};
use serde_json::Value;

use crate::families::Runner;
use crate::support::{read, read_or_default, same};

pub fn runner(suite: &str) -> Option<Runner> {
    Some(match suite {
        "labels.selector_parser" => parse,
        "labels.requirement_matching" => requirement_matching,
        _ => return None,
    })
}

fn parse(case: &Value) -> Result<(), String> {
    let text: String = read(case, "/input/In")?;
    let parsed = text.parse::<Selector>();
    let valid: bool = read(case, "/expected/Valid")?;
    match parsed {
        Ok(selector) if valid => {
            // Upstream compares what was read only where this is set.
            if read(case, "/expected/Match")? {
                let expected: String = read_or_default(case, "/expected/Out/selector")?;
                return same("written again", &selector.to_string(), &expected);
            }
            Ok(())
        }
        Ok(selector) => Err(format!("read as `{selector}`, expected an error")),
        Err(error) => same(&format!("valid ({error})"), &false, &valid),
    }
}

fn requirement_matching(case: &Value) -> Result<(), String> {
    let labels: Labels = read_or_default(case, "/input/Set")?;
    let text: String = read(case, "/input/Sel/selector")?;
    // Selectors of this suite are lists of requirements. Without any text it is one requirement
    // that says nothing, neither a key nor an operator: it is malformed, so it matches nothing.
    let selector = if text.is_empty() {
        let says_nothing = LabelSelectorRequirement::default();
        let object =
            LabelSelector { match_expressions: vec![says_nothing], ..LabelSelector::default() };
        Selector::new(Some(&object)).unwrap_or_else(|_| Selector::nothing())
    } else {
        text.parse()?
    };
    same("match", &selector.matches(&labels), &read(case, "/expected/Match")?)
}
