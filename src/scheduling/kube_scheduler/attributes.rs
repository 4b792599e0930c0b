//! Machine attributes and the constraints on them (trace formats of Google), as labels and as the
//! terms of a node affinity that mean the same.
//!
//! A constraint may hold for nodes without the attribute (it counts as 0, or as the empty string),
//! which one condition on a label cannot say. So a constraint becomes a few alternatives, and a set
//! of constraints one term for each choice among them. Names and texts of traces are no names and
//! values of labels, so they are spelt in hexadecimal; numbers are moved up, because a condition
//! cannot name a negative one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cluster::{AttributeConstraint, AttributeOperator};
use crate::engine::Fingerprint;
use crate::kubernetes::{Labels, NodeSelectorRequirement};

/// Before the names of attributes, in the keys of labels that hold them as texts.
const TEXT: &str = "text.attribute.cellsim";
/// The same, of labels that hold them as numbers.
const NUMBER: &str = "number.attribute.cellsim";
/// Added to numbers.
const UP: i64 = 1 << 62;
/// The longest text that can be spelt in the value of a label (63 characters).
const LONGEST: usize = 31;

/// Conditions that hold together.
type Conditions = Vec<NodeSelectorRequirement>;

/// A text as a part of the name, or as the value, of a label; a long one by its fingerprint.
fn spelt(text: &str) -> String {
    if text.len() > LONGEST {
        let mut fingerprint = Fingerprint::new();
        text.bytes().for_each(|byte| fingerprint.absorb(byte.into()));
        return format!("h{fingerprint}");
    }
    let mut spelt = String::from("x");
    for byte in text.bytes() {
        write!(spelt, "{byte:02x}").expect("a string takes everything");
    }
    spelt
}

/// The key of a label that holds an attribute.
fn key(group: &str, attribute: &str) -> String {
    format!("{group}/{}", spelt(attribute))
}

/// The labels that hold the attributes of a node.
pub fn labels(attributes: &BTreeMap<String, String>) -> Labels {
    let mut labels = Labels::default();
    for (name, value) in attributes {
        labels.insert(key(TEXT, name), spelt(value));
        if let Ok(number) = value.parse::<i64>() {
            labels.insert(key(NUMBER, name), number.saturating_add(UP).to_string());
        }
    }
    labels
}

/// Conditions of which one group has to hold, for all `constraints` to hold; none at all if they
/// never do.
pub fn alternatives(constraints: &[AttributeConstraint]) -> Vec<Conditions> {
    constraints.iter().fold(vec![Vec::new()], |terms, constraint| {
        let choices = alternatives_of(constraint);
        let joined = |term: &Conditions| -> Vec<Conditions> {
            let with = |choice: &Conditions| [term.as_slice(), choice.as_slice()].concat();
            choices.iter().map(with).collect()
        };
        terms.iter().flat_map(joined).collect()
    })
}

fn alternatives_of(constraint: &AttributeConstraint) -> Vec<Conditions> {
    let AttributeConstraint { name, operator, value } = constraint;
    let condition = |group: &str, operator: &str, values: Vec<String>| NodeSelectorRequirement {
        key: key(group, name),
        operator: operator.to_owned(),
        values,
    };
    let text = |operator: &str| condition(TEXT, operator, vec![spelt(value)]);
    let present = condition(TEXT, "Exists", Vec::new());
    let absent = condition(TEXT, "DoesNotExist", Vec::new());
    let number = |operator: &str, step: i64, holds_for_zero: fn(i64) -> bool| {
        let Ok(bound) = value.parse::<i64>() else { return Vec::new() };
        let moved = bound.saturating_add(UP).saturating_add(step).max(0);
        let mut choices = vec![vec![condition(NUMBER, operator, vec![moved.to_string()])]];
        if holds_for_zero(bound) {
            choices.push(vec![absent.clone()]);
        }
        choices
    };
    match operator {
        AttributeOperator::Equal if value.is_empty() => vec![vec![absent], vec![text("In")]],
        AttributeOperator::Equal => vec![vec![text("In")]],
        AttributeOperator::NotEqual if value.is_empty() => vec![vec![present, text("NotIn")]],
        AttributeOperator::NotEqual => vec![vec![text("NotIn")]],
        AttributeOperator::LessThan => number("Lt", 0, |bound| 0 < bound),
        AttributeOperator::GreaterThan => number("Gt", 0, |bound| 0 > bound),
        AttributeOperator::LessThanEqual => number("Lt", 1, |bound| 0 <= bound),
        AttributeOperator::GreaterThanEqual => number("Gt", -1, |bound| 0 >= bound),
        AttributeOperator::Present => vec![vec![present]],
        AttributeOperator::NotPresent => vec![vec![absent]],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{NodeConstraints, NodeSpec, satisfies};
    use crate::kubernetes::node_selector::NodeMatcher;
    use crate::kubernetes::{NodeSelector, NodeSelectorTerm};

    fn holds(constraints: &[AttributeConstraint], labels: &Labels) -> bool {
        let terms = alternatives(constraints).into_iter().map(|match_expressions| {
            NodeSelectorTerm { match_expressions, ..NodeSelectorTerm::default() }
        });
        let selector = NodeSelector { node_selector_terms: terms.collect() };
        NodeMatcher::new(&selector).matches(labels, "node").expect("well-formed terms")
    }

    #[test]
    fn every_constraint_means_the_same_as_in_the_cell() {
        use AttributeOperator as Op;
        let operators = [
            Op::Equal,
            Op::NotEqual,
            Op::LessThan,
            Op::GreaterThan,
            Op::LessThanEqual,
            Op::GreaterThanEqual,
            Op::Present,
            Op::NotPresent,
        ];
        let values = ["", "-3", "0", "1", "7", "x"];
        let constraint = |operator: Op, value: &str| {
            let (name, value) = ("a+/=".to_owned(), value.to_owned());
            AttributeConstraint { name, operator, value }
        };
        let all: Vec<AttributeConstraint> = operators
            .into_iter()
            .flat_map(|operator| values.map(|value| constraint(operator, value)))
            .collect();
        for first in &all {
            for second in &all {
                let attributes = vec![first.clone(), second.clone()];
                let wanted = NodeConstraints { attributes, ..NodeConstraints::default() };
                for has in [None, Some(""), Some("-3"), Some("0"), Some("1"), Some("5"), Some("x")]
                {
                    let mut spec = NodeSpec::default();
                    if let Some(has) = has {
                        spec.attributes.insert("a+/=".to_owned(), has.to_owned());
                    }
                    let as_labels = holds(&wanted.attributes, &labels(&spec.attributes));
                    let in_the_cell = satisfies(&wanted, &spec, false);
                    assert_eq!(as_labels, in_the_cell, "{first:?} and {second:?} of {has:?}");
                }
            }
        }
    }
}
