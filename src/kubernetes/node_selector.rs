//! Which nodes a selector or an affinity means
//! (`k8s.io/component-helpers/scheduling/corev1/nodeaffinity` v0.35).

use super::labels::{Operator, Requirement, Selector};
use super::{
    Labels, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodSpec,
    PreferredSchedulingTerm,
};

/// The one field that terms can be about.
const NAME_FIELD: &str = "metadata.name";

/// A condition on a field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FieldRequirement {
    key: String,
    value: String,
    equal: bool,
}

/// A compiled term.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Term {
    labels: Vec<Requirement>,
    fields: Vec<FieldRequirement>,
}

impl Term {
    fn new(term: &NodeSelectorTerm) -> Result<Self, String> {
        Ok(Self {
            labels: requirements(&term.match_expressions)?,
            fields: term.match_fields.iter().map(field).collect::<Result<_, _>>()?,
        })
    }

    /// True if a node with these labels and this name matches. Fields of a node without a name are
    /// not looked at.
    pub fn matches(&self, labels: &Labels, name: &str) -> bool {
        let holds = |field: &FieldRequirement| {
            let actual = if field.key == NAME_FIELD { name } else { "" };
            (actual == field.value) == field.equal
        };
        self.labels.iter().all(|requirement| requirement.matches(labels))
            && (name.is_empty() || self.fields.iter().all(holds))
    }
}

/// Compiles conditions on labels.
///
/// # Errors
///
/// If one is malformed.
pub fn requirements(expressions: &[NodeSelectorRequirement]) -> Result<Vec<Requirement>, String> {
    let compile = |expression: &NodeSelectorRequirement| {
        let operator = Operator::named(&expression.operator).ok_or_else(|| {
            format!("{:?} is not a valid node selector operator", expression.operator)
        })?;
        Requirement::new(&expression.key, operator, expression.values.clone())
    };
    expressions.iter().map(compile).collect()
}

/// Compiles conditions on labels to a selector; without any, it selects nothing.
///
/// # Errors
///
/// If one is malformed.
pub fn selector(expressions: &[NodeSelectorRequirement]) -> Result<Selector, String> {
    if expressions.is_empty() {
        return Ok(Selector::nothing());
    }
    Ok(Selector::everything().and(requirements(expressions)?))
}

fn field(expression: &NodeSelectorRequirement) -> Result<FieldRequirement, String> {
    let equal = match expression.operator.as_str() {
        "In" => true,
        "NotIn" => false,
        other => return Err(format!("{other:?} is not a valid node field selector operator")),
    };
    let [value] = expression.values.as_slice() else {
        return Err("must have one element".to_owned());
    };
    Ok(FieldRequirement { key: expression.key.clone(), value: value.clone(), equal })
}

fn is_empty(term: &NodeSelectorTerm) -> bool {
    term.match_expressions.is_empty() && term.match_fields.is_empty()
}

/// Terms of which one must match. Malformed terms are known, and match nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct NodeMatcher {
    terms: Vec<Term>,
    errors: Vec<String>,
}

impl NodeMatcher {
    /// Compiles a selector; empty terms are left out, since they match nothing.
    pub fn new(selector: &NodeSelector) -> Self {
        let mut matcher = Self::default();
        for term in selector.node_selector_terms.iter().filter(|term| !is_empty(term)) {
            match Term::new(term) {
                Ok(term) => matcher.terms.push(term),
                Err(error) => matcher.errors.push(error),
            }
        }
        matcher
    }

    /// What is wrong with its terms.
    pub fn errors(&self) -> &[String] {
        &self.errors
    }

    /// True if a term matches.
    ///
    /// # Errors
    ///
    /// If no term matches and one is malformed.
    pub fn matches(&self, labels: &Labels, name: &str) -> Result<bool, String> {
        if self.terms.iter().any(|term| term.matches(labels, name)) {
            return Ok(true);
        }
        if self.errors.is_empty() { Ok(false) } else { Err(self.errors.join(", ")) }
    }
}

/// Where a pod must go: its node selector and its required node affinity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequiredNodes {
    selector: Option<Selector>,
    affinity: Option<NodeMatcher>,
}

impl RequiredNodes {
    /// What `spec` requires.
    pub fn new(spec: &PodSpec) -> Self {
        let selector =
            (!spec.node_selector.is_empty()).then(|| Selector::from_labels(&spec.node_selector));
        let affinity = spec.affinity.as_ref().and_then(|all| all.node_affinity.as_ref());
        let required = affinity.and_then(|affinity| affinity.required.as_ref());
        Self { selector, affinity: required.map(NodeMatcher::new) }
    }

    /// True if every node is as good.
    pub fn is_any(&self) -> bool {
        self.selector.is_none() && self.affinity.is_none()
    }

    /// True if a node with these labels and this name will do.
    ///
    /// # Errors
    ///
    /// If that depends on a malformed term.
    pub fn matches(&self, labels: &Labels, name: &str) -> Result<bool, String> {
        if self.selector.as_ref().is_some_and(|selector| !selector.matches(labels)) {
            return Ok(false);
        }
        self.affinity.as_ref().map_or(Ok(true), |affinity| affinity.matches(labels, name))
    }
}

/// Compiled preferences with their weights.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PreferredNodes {
    terms: Vec<(i64, Term)>,
}

impl PreferredNodes {
    /// Compiles preferences; those of weight 0 and empty ones are left out.
    ///
    /// # Errors
    ///
    /// If a term is malformed.
    pub fn new(terms: &[PreferredSchedulingTerm]) -> Result<Self, String> {
        let counted =
            |term: &&PreferredSchedulingTerm| term.weight != 0 && !is_empty(&term.preference);
        let compile = |term: &PreferredSchedulingTerm| {
            Ok((i64::from(term.weight), Term::new(&term.preference)?))
        };
        Ok(Self {
            terms: terms.iter().filter(counted).map(compile).collect::<Result<_, String>>()?,
        })
    }

    /// True if there is nothing to prefer.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The sum of the weights of what matches.
    pub fn score(&self, labels: &Labels, name: &str) -> i64 {
        let matching = self.terms.iter().filter(|(_, term)| term.matches(labels, name));
        matching.map(|(weight, _)| weight).sum()
    }
}
