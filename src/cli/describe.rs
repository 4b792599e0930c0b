//! `cellsim schema` and `cellsim policies`: what there is.

use serde_json::json;

use super::args::{PoliciesArguments, SchemaArguments};
use super::failure::Failure;
use super::output::{print, print_json};
use crate::scenario::{Registry, json_schema, manual};

/// Prints the schema of scenarios.
///
/// # Errors
/// Output that cannot be written.
pub fn schema(arguments: &SchemaArguments) -> Result<(), Failure> {
    if arguments.markdown { print(&manual()) } else { print_json(&json_schema()) }
}

/// Lists what scenarios can call by name.
///
/// # Errors
/// Output that cannot be written.
pub fn policies(arguments: &PoliciesArguments, registry: &Registry) -> Result<(), Failure> {
    let placements = registry.placements();
    if arguments.json {
        let list: Vec<_> = placements
            .iter()
            .map(|policy| {
                json!({
                    "name": policy.name, "summary": policy.summary, "options": policy.options
                })
            })
            .collect();
        return print_json(&json!({ "placement": list }));
    }
    let widest = placements.iter().map(|policy| policy.name.len()).max().unwrap_or_default();
    let mut text = String::from("Placement policies (scheduler.placement):\n\n");
    for policy in placements {
        text += &format!("  {:widest$}  {}\n", policy.name, policy.summary);
        if !policy.options.is_empty() {
            text += &format!("  {:widest$}    {}\n", "", policy.options);
        }
    }
    text += "\nWith options: placement: {name: e-pvm, options: {base: 20}}\n";
    print(&text)
}
