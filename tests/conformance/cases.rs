//! Where the cases are and how they are read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::{Map, Value};

/// The cases of one suite, over all of its files.
pub struct Suite {
    /// Such as `tolerations.tolerates`.
    pub name: String,
    /// The kind of its cases (`filter`, `score`, `table`, …).
    pub kind: String,
    /// The cases. `expected` is what v1.35.4 yields; `file` has what the file says beside its
    /// cases (`plugins` of the end-to-end decisions).
    pub cases: Vec<Value>,
}

/// The folder that has `upstream` and `decisions`.
pub fn folder() -> PathBuf {
    let data = env::var_os("CELLSIM_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    data.join("conformance")
}

/// The `*.json` files of a folder in the order of their names; none if there is no such folder.
fn json_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files
}

/// Puts what the newer code yields in the place of what the suite of v1.26 asserts.
fn take_newer_result(case: &mut Value) {
    let newer = case.pointer("/validation/actual_v1_35_4").cloned();
    if let (Some(newer), Some(fields)) = (newer, case.as_object_mut())
        && let Some(older) = fields.insert("expected".to_owned(), newer)
    {
        fields.insert("expected_at_source".to_owned(), older);
    }
}

fn read(path: &Path) -> Result<(Map<String, Value>, Vec<Value>), String> {
    let text = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let value: Value =
        serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let Value::Object(mut file) = value else {
        return Err(format!("{}: no object", path.display()));
    };
    match file.remove("cases") {
        Some(Value::Array(cases)) => Ok((file, cases)),
        _ => Err(format!("{}: no list `cases`", path.display())),
    }
}

/// All suites by name.
pub fn all() -> Result<Vec<Suite>, String> {
    let mut suites: BTreeMap<String, Suite> = BTreeMap::new();
    for part in ["upstream", "decisions"] {
        for path in json_files(&folder().join(part)) {
            let (file, cases) = read(&path)?;
            let name = file.get("suite").and_then(Value::as_str);
            let name = name.ok_or_else(|| format!("{}: no `suite`", path.display()))?.to_owned();
            for mut case in cases {
                take_newer_result(&mut case);
                case["file"] = Value::Object(file.clone());
                let suite = suites.entry(name.clone()).or_insert_with(|| Suite {
                    name: name.clone(),
                    kind: case["kind"].as_str().unwrap_or_default().to_owned(),
                    cases: Vec::new(),
                });
                suite.cases.push(case);
            }
        }
    }
    Ok(suites.into_values().collect())
}
