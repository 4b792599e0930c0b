//! `cellsim schema` and `cellsim policies`: what there is.

use serde_json::{Value, json};

use super::args::{PoliciesArguments, SchemaArguments};
use super::failure::Failure;
use super::output::{print, print_json};
use crate::scenario::{Entry, Registry, json_schema, manual};

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
    let (placements, schedulers) = (registry.placements(), registry.schedulers());
    if arguments.json {
        return print_json(&json!({
            "placement": entries_as_json(placements),
            "scheduler": entries_as_json(schedulers),
        }));
    }
    let mut text = String::from("Placement policies (scheduler.placement):\n\n");
    text += &entries_as_text(placements);
    text += "\nSchedulers (scheduler.architecture):\n\n";
    text += &entries_as_text(schedulers);
    text += "\nWith options: placement: {name: e-pvm, options: {base: 20}}\n";
    print(&text)
}

fn entries_as_json<T>(entries: &[Entry<T>]) -> Vec<Value> {
    let entry = |entry: &Entry<T>| json!({ "name": entry.name, "summary": entry.summary, "options": entry.options });
    entries.iter().map(entry).collect()
}

fn entries_as_text<T>(entries: &[Entry<T>]) -> String {
    let widest = entries.iter().map(|entry| entry.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for entry in entries {
        text += &format!("  {:widest$}  {}\n", entry.name, entry.summary);
        if !entry.options.is_empty() {
            text += &format!("  {:widest$}    {}\n", "", entry.options);
        }
    }
    text
}
