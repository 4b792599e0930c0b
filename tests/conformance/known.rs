//! The failures that are known, with their reasons: the table of `docs/conformance.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What begins the table of known failures.
const HEADING: &str = "## Known failures";

/// Known failures by case, or by suite where all of its cases fail.
pub struct Known {
    reasons: BTreeMap<String, String>,
}

impl Known {
    /// Reads the table.
    pub fn of_the_documentation() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/conformance.md");
        let text = fs::read_to_string(&path).expect("docs/conformance.md can be read");
        let (_, table) = text.split_once(HEADING).expect("docs/conformance.md has the table");
        Self { reasons: table.lines().filter_map(row).collect() }
    }

    /// Why a case fails, if that is known.
    pub fn reason(&self, suite: &str, id: &str) -> Option<&String> {
        self.reasons.get(id).or_else(|| self.reasons.get(suite))
    }

    /// The rows that cases which passed contradict.
    pub fn stale<'a>(&'a self, passed: &[(String, String)]) -> Vec<&'a String> {
        let contradicted =
            |name: &String| passed.iter().any(|(suite, id)| id == name || suite == name);
        self.reasons.keys().filter(|name| contradicted(name)).collect()
    }
}

/// The case and the reason of a row like ``| `suite/function/000` | why |``.
fn row(line: &str) -> Option<(String, String)> {
    let mut cells = line.trim().strip_prefix('|')?.split('|').map(str::trim);
    let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
    let reason = cells.next().unwrap_or_default();
    assert!(!reason.is_empty(), "docs/conformance.md: `{name}` has no reason");
    Some((name.to_owned(), reason.to_owned()))
}
