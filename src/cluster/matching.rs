//! Whether a node's labels, taints and attributes satisfy a pod's constraints. Pure functions of
//! two descriptions (kube-scheduler v1.35 `TaintToleration`, `NodeAffinity`, `NodeUnschedulable`;
//! Google trace formats v2.1 and v3 for attributes).

use super::spec::{
    AttributeConstraint, AttributeOperator, LabelExpression, NodeConstraints, NodeSpec,
    SelectorOperator, Taint, TaintEffect, Toleration, TolerationOperator,
};

/// The taint that stands for a cordoned node.
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// True if a pod with `constraints` may be placed on a node like `spec`.
pub fn satisfies(constraints: &NodeConstraints, spec: &NodeSpec, cordoned: bool) -> bool {
    (!cordoned || tolerates_cordon(&constraints.tolerations))
        && spec.taints.iter().all(|taint| admits(&constraints.tolerations, taint))
        && constraints.node_selector.iter().all(|(key, value)| spec.labels.get(key) == Some(value))
        && matches_affinity(&constraints.affinity, spec)
        && constraints.attributes.iter().all(|constraint| holds(constraint, spec))
        && (constraints.gpu_models.is_empty() || constraints.gpu_models.contains(&spec.gpu_model))
}

/// Weight of the preferences among `constraints` that hold on a node like `spec`.
pub(super) fn preferred(constraints: &NodeConstraints, spec: &NodeSpec) -> u32 {
    let holding = constraints.preferences.iter().filter(|preference| {
        preference.labels.iter().all(|expression| selects(expression, spec))
            && preference.attributes.iter().all(|constraint| holds(constraint, spec))
    });
    holding.map(|preference| u32::from(preference.weight)).sum()
}

fn tolerates_cordon(tolerations: &[Toleration]) -> bool {
    let cordon = Taint {
        key: UNSCHEDULABLE.to_owned(),
        value: String::new(),
        effect: TaintEffect::NoSchedule,
    };
    admits(tolerations, &cordon)
}

/// True if `taint` does not keep a pod with `tolerations` away.
fn admits(tolerations: &[Toleration], taint: &Taint) -> bool {
    taint.effect == TaintEffect::PreferNoSchedule
        || tolerations.iter().any(|toleration| tolerates(toleration, taint))
}

fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let value_matches = match toleration.operator {
        TolerationOperator::Exists => true,
        TolerationOperator::Equal => !toleration.key.is_empty() && toleration.value == taint.value,
    };
    toleration.effect.is_none_or(|effect| effect == taint.effect)
        && (toleration.key.is_empty() || toleration.key == taint.key)
        && value_matches
}

fn matches_affinity(terms: &[Vec<LabelExpression>], spec: &NodeSpec) -> bool {
    terms.is_empty()
        || terms
            .iter()
            .any(|term| !term.is_empty() && term.iter().all(|expression| selects(expression, spec)))
}

fn selects(expression: &LabelExpression, spec: &NodeSpec) -> bool {
    let label = if expression.key == "metadata.name" {
        Some(&spec.name)
    } else {
        spec.labels.get(&expression.key)
    };
    let compare = |holds: fn(i64, i64) -> bool| {
        let bound = expression.values.first().and_then(|value| value.parse().ok());
        let value = label.and_then(|value| value.parse().ok());
        value.zip(bound).is_some_and(|(value, bound)| holds(value, bound))
    };
    match expression.operator {
        SelectorOperator::In => label.is_some_and(|value| expression.values.contains(value)),
        SelectorOperator::NotIn => !label.is_some_and(|value| expression.values.contains(value)),
        SelectorOperator::Exists => label.is_some(),
        SelectorOperator::DoesNotExist => label.is_none(),
        SelectorOperator::Gt => compare(|value, bound| value > bound),
        SelectorOperator::Lt => compare(|value, bound| value < bound),
    }
}

fn holds(constraint: &AttributeConstraint, spec: &NodeSpec) -> bool {
    let attribute = spec.attributes.get(&constraint.name);
    let text = attribute.map_or("", String::as_str);
    let compare = |holds: fn(i64, i64) -> bool| {
        let value = attribute.map_or(Some(0), |value| value.parse().ok());
        let bound = constraint.value.parse().ok();
        value.zip(bound).is_some_and(|(value, bound)| holds(value, bound))
    };
    match constraint.operator {
        AttributeOperator::Equal => text == constraint.value,
        AttributeOperator::NotEqual => text != constraint.value,
        AttributeOperator::LessThan => compare(|value, bound| value < bound),
        AttributeOperator::GreaterThan => compare(|value, bound| value > bound),
        AttributeOperator::LessThanEqual => compare(|value, bound| value <= bound),
        AttributeOperator::GreaterThanEqual => compare(|value, bound| value >= bound),
        AttributeOperator::Present => attribute.is_some(),
        AttributeOperator::NotPresent => attribute.is_none(),
    }
}
