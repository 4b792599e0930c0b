//! The manual of the scenario file, in Markdown, made from the schema: every field with its type,
//! default and meaning.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

use super::quantity::rule_of;
use super::schema::json_schema;

const HEAD: &str = "# The scenario file\n\n\
A scenario is a YAML file that describes one experiment completely. Unknown fields, wrong types \
and names that do not exist are errors, all reported at once with their place. \
`cellsim validate FILE` checks a scenario without running it, `--set path.to.field=value` changes \
a field for one run, and `cellsim schema` prints the JSON Schema for editors (put \
`# yaml-language-server: $schema=scenario.schema.json` at the top of a scenario).\n\n\
Anchors, aliases, tags and several documents in one file are not supported; a field without a \
value is the same as no field.\n\n\
This file is made from the types by `cellsim schema --markdown`.\n";

/// Every field of the scenario file.
pub fn manual() -> String {
    let schema = json_schema();
    let mut writer = Writer { schema: &schema, text: HEAD.to_owned(), told: BTreeSet::new() };
    writer.quantities();
    writer.table("The top level", &schema, "");
    let empty = Map::new();
    for (section, field) in schema["properties"].as_object().unwrap_or(&empty) {
        writer.section(section, field);
    }
    writer.text
}

struct Writer<'a> {
    schema: &'a Json,
    text: String,
    /// Definitions that have a section already.
    told: BTreeSet<String>,
}

impl<'a> Writer<'a> {
    fn quantities(&mut self) {
        self.text += "\n## Quantities\n\n| kind | written as |\n|---|---|\n";
        for kind in ["duration", "cpu-quantity", "byte-quantity", "share", "factor", "rate"] {
            let rule = rule_of(kind).expect("each of these kinds has a rule");
            let name = kind.trim_end_matches("-quantity");
            let _ = writeln!(self.text, "| {name} | {} |", rule.expected);
        }
    }

    /// Everything that is reached from a field, section by section.
    fn section(&mut self, name: &str, field: &'a Json) {
        let mut definitions = Vec::new();
        collect_references(field, &mut definitions);
        for definition in definitions {
            if !self.told.insert(definition.to_owned()) {
                continue;
            }
            let schema = &self.schema["$defs"][definition];
            if schema["properties"].is_object() {
                self.table(&format!("`{name}`"), schema, &sentence(schema));
            } else if let Some(variants) = variants(schema) {
                self.choices(&format!("`{name}`"), variants, &sentence(schema));
            }
            let inner: Vec<(String, &Json)> = fields_of(schema)
                .into_iter()
                .map(|(field, schema)| (format!("{name}.{field}"), schema))
                .collect();
            for (name, field) in inner {
                self.section(&name, field);
            }
        }
    }

    fn table(&mut self, title: &str, schema: &Json, about: &str) {
        let _ = write!(self.text, "\n## {title}\n\n");
        if !about.is_empty() {
            let _ = write!(self.text, "{about}\n\n");
        }
        self.text += "| field | type | default | meaning |\n|---|---|---|---|\n";
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        let empty = Map::new();
        for (name, field) in schema["properties"].as_object().unwrap_or(&empty) {
            let default = if required.contains(&name.as_str()) {
                "**required**".to_owned()
            } else {
                default_of(&field["default"])
            };
            let kind = self.kind(field).replace('|', "\\|");
            let _ = writeln!(self.text, "| `{name}` | {kind} | {default} | {} |", sentence(field));
        }
    }

    fn choices(&mut self, title: &str, variants: &'a [Json], about: &str) {
        let _ = write!(self.text, "\n## {title}\n\n{about}\n\n| value | meaning |\n|---|---|\n");
        for variant in variants {
            let value = match (variant["const"].as_str(), variant["properties"].as_object()) {
                (Some(name), _) => format!("`{name}`"),
                (None, Some(fields)) => {
                    let inner = |(name, field): (&String, &'a Json)| {
                        let fields: Vec<String> = fields_of(field)
                            .into_iter()
                            .map(|(name, schema)| format!("{name}: {}", self.kind(schema)))
                            .collect();
                        format!("`{{{name}: {{{}}}}}`", fields.join(", "))
                    };
                    fields.iter().map(inner).collect::<Vec<_>>().join(", ")
                }
                (None, None) => self.kind(variant),
            };
            let _ = writeln!(self.text, "| {value} | {} |", sentence(variant));
        }
    }

    fn kind(&self, schema: &Json) -> String {
        if let Some(kind) = schema["x-quantity"].as_str() {
            return kind.trim_end_matches("-quantity").to_owned();
        }
        if let Some(target) = reference(schema) {
            let definition = &self.schema["$defs"][target];
            return match (definition["properties"].is_object(), variants(definition)) {
                (true, _) => "mapping".to_owned(),
                (false, Some(_)) => self.kind(definition),
                (false, None) => "value".to_owned(),
            };
        }
        if let Some(variants) = variants(schema) {
            let mut kinds: Vec<String> = Vec::new();
            for variant in variants.iter().filter(|variant| variant["type"] != "null") {
                let kind = match variant["const"].as_str() {
                    Some(name) => format!("`{name}`"),
                    None => self.kind(variant),
                };
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
            return kinds.join(" or ");
        }
        let one_of = |name: &str| match &schema["type"] {
            Json::String(only) => only == name,
            Json::Array(several) => several.iter().any(|one| one == name),
            _ => false,
        };
        if one_of("array") {
            return format!("list of {}", self.kind(&schema["items"]));
        }
        let rest = &schema["additionalProperties"];
        if one_of("object") && rest.is_object() {
            return format!("mapping of {}", self.kind(rest));
        }
        let names = [
            ("object", "mapping"),
            ("string", "text"),
            ("boolean", "true or false"),
            ("integer", "whole number"),
            ("number", "number"),
        ];
        let known = names.iter().find(|(kind, _)| one_of(kind)).map(|(_, name)| *name);
        let known = known.unwrap_or("value");
        match (schema["minimum"].as_f64(), schema["maximum"].as_f64()) {
            (Some(least), Some(most)) => format!("{known}, {least} to {most}"),
            (Some(least), None) if least > 0.0 => format!("{known}, at least {least}"),
            (Some(_) | None, _) => known.to_owned(),
        }
    }
}

fn reference(schema: &Json) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/")
}

fn collect_references<'a>(schema: &'a Json, found: &mut Vec<&'a str>) {
    if let Some(target) = reference(schema) {
        found.push(target);
    }
    for part in [&schema["items"], &schema["additionalProperties"]] {
        if part.is_object() {
            collect_references(part, found);
        }
    }
    for variant in variants(schema).into_iter().flatten() {
        collect_references(variant, found);
    }
}

fn variants(schema: &Json) -> Option<&[Json]> {
    let list = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
    list.map(Vec::as_slice)
}

/// The fields below a definition, and what its alternatives refer to.
fn fields_of(schema: &Json) -> Vec<(&str, &Json)> {
    let own = schema["properties"].as_object().into_iter().flatten();
    let mut fields: Vec<(&str, &Json)> = own.map(|(name, field)| (name.as_str(), field)).collect();
    for variant in variants(schema).into_iter().flatten().filter(|one| reference(one).is_some()) {
        fields.push(("…", variant));
    }
    fields
}

fn default_of(default: &Json) -> String {
    match default {
        Json::Null => String::new(),
        Json::String(text) if text.is_empty() => String::new(),
        Json::String(text) => format!("`{text}`"),
        Json::Bool(value) => format!("`{value}`"),
        Json::Number(value) => format!("`{value}`"),
        Json::Array(_) | Json::Object(_) => String::new(),
    }
}

/// The description on one line.
fn sentence(schema: &Json) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
