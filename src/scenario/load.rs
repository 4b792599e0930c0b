//! From a file (and `--set` arguments) to a scenario whose every field has been checked by itself.
//! Whether the fields fit together is found out when it is assembled.

use std::fs;
use std::path::{Path, PathBuf};

use super::document::Document;
use super::error::{ErrorCode, Place, ScenarioError, ScenarioErrors};
use super::schema::json_schema;
use super::types::Scenario;
use super::validate::violations;

/// A scenario as it was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The text with its places.
    pub document: Document,
    /// The fields.
    pub scenario: Scenario,
    /// Where relative paths in it begin.
    pub folder: PathBuf,
}

/// Reads the scenario in `file` and applies `--set` arguments.
///
/// # Errors
/// A file that cannot be read; every unknown field, wrong type and number out of range in it.
pub fn load(file: &Path, overrides: &[String]) -> Result<Loaded, ScenarioErrors> {
    let name = file.display().to_string();
    let text = read(file, &name)?;
    let folder = file.parent().unwrap_or(Path::new("")).to_path_buf();
    parse(&name, &text, overrides, folder)
}

/// Reads the scenario `text`, called `name` in messages; relative paths begin in `folder`.
///
/// # Errors
/// Every unknown field, wrong type and number out of range in it.
pub fn parse(
    name: &str,
    text: &str,
    overrides: &[String],
    folder: PathBuf,
) -> Result<Loaded, ScenarioErrors> {
    let mut document = Document::parse(name, text)?;
    document.override_with(overrides)?;
    ScenarioErrors::check(violations(&document, &json_schema()))?;
    let scenario = serde_json::from_value(document.root.to_json());
    let mut scenario: Scenario = scenario
        .map_err(|error| document.error(ErrorCode::WrongType, Place::Whole, error.to_string()))?;
    if scenario.name.is_none() {
        let stem = Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        scenario.name = stem;
    }
    Ok(Loaded { document, scenario, folder })
}

/// The text of `file`, or why it cannot be read.
fn read(file: &Path, name: &str) -> Result<String, ScenarioErrors> {
    let error = |message: String, help: Option<&str>| ScenarioError {
        code: ErrorCode::File,
        file: name.into(),
        place: Place::Whole,
        message,
        help: help.map(str::to_owned),
    };
    if file.is_dir() {
        return Err(error("is a folder, not a scenario file".into(), None).into());
    }
    let bytes = fs::read(file).map_err(|cause| {
        let missing = cause.kind() == std::io::ErrorKind::NotFound;
        let help = missing.then_some("the scenarios that come with cellsim are in scenarios/");
        let message = if missing { "there is no such file".to_owned() } else { cause.to_string() };
        error(message, help)
    })?;
    String::from_utf8(bytes)
        .map_err(|_| error("is not a text file (not UTF-8)".into(), None).into())
}
