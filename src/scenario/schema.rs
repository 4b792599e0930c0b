//! The JSON Schema of scenarios, made from the types, and the same as a manual in Markdown.

use serde_json::Value as Json;

use super::types::Scenario;

/// The JSON Schema of scenarios (draft 2020-12), for editors and for the validation.
pub fn json_schema() -> Json {
    let mut schema = schemars::schema_for!(Scenario).to_value();
    schema["$id"] = "https://cellsim.invalid/scenario.schema.json".into();
    schema["title"] = "cellsim scenario".into();
    schema
}
