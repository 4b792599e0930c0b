//! Compiled terms of inter-pod affinity (`framework.AffinityTerm` of kube-scheduler v1.35).

use std::collections::BTreeSet;

use super::symbols::{Symbol, Symbols};
use super::template::Template;
use crate::kubernetes::labels::Selector;
use crate::kubernetes::{Labels, Namespace, PodAffinity, PodAffinityTerm};

/// Which pods are meant, and how near is near.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Term {
    /// The pods, by label.
    pub selector: Selector,
    /// The pods, by namespace.
    pub namespaces: BTreeSet<String>,
    /// More namespaces, by label.
    pub namespace_selector: Selector,
    /// The label that tells domains apart.
    pub topology_key: Symbol,
}

impl Term {
    /// Compiles a term of a pod in `namespace`.
    ///
    /// # Errors
    ///
    /// If a selector is malformed.
    fn new(term: &PodAffinityTerm, namespace: &str, symbols: &mut Symbols) -> Result<Self, String> {
        let own = term.namespaces.is_empty() && term.namespace_selector.is_none();
        Ok(Self {
            selector: Selector::new(term.label_selector.as_ref())?,
            namespaces: if own {
                BTreeSet::from([namespace.to_owned()])
            } else {
                term.namespaces.iter().cloned().collect()
            },
            namespace_selector: Selector::new(term.namespace_selector.as_ref())?,
            topology_key: symbols.intern(&term.topology_key),
        })
    }

    /// True if a term of the pod at hand means `pod`; `namespace` is the pod's, if it exists. Of a
    /// namespace that is not there, only the name can be selected.
    pub fn means(&self, pod: &Template, namespace: Option<&Namespace>) -> bool {
        let selected = self.namespaces.contains(&pod.namespace)
            || self.namespace_selector.is_empty()
            || namespace.is_some_and(|namespace| {
                self.namespace_selector.matches(&namespace.metadata.labels)
            });
        selected && self.selector.matches(&pod.labels)
    }

    /// True if a term of another pod means the pod at hand, whose namespace has these labels. A
    /// namespace that is not there counts as one without labels.
    pub fn means_labelled(&self, pod: &Template, namespace_labels: &Labels) -> bool {
        (self.namespaces.contains(&pod.namespace)
            || self.namespace_selector.matches(namespace_labels))
            && self.selector.matches(&pod.labels)
    }
}

/// Compiled required and preferred terms, the latter with their weights.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Terms {
    /// Terms that must hold.
    pub required: Vec<Term>,
    /// Terms that are worth their weight.
    pub preferred: Vec<(i64, Term)>,
}

impl Terms {
    /// Compiles the terms of a pod in `namespace`. Of a list with a malformed term nothing is
    /// kept, and the first error of each list is pushed to `errors`, with `name` of what it is.
    pub fn new(
        affinity: Option<&PodAffinity>,
        namespace: &str,
        name: &str,
        symbols: &mut Symbols,
        errors: &mut Vec<String>,
    ) -> Self {
        let Some(affinity) = affinity else { return Self::default() };
        let mut compile = |term| Term::new(term, namespace, symbols);
        let required: Result<_, _> = affinity.required.iter().map(&mut compile).collect();
        let preferred: Result<_, String> = affinity
            .preferred
            .iter()
            .map(|one| Ok((i64::from(one.weight), compile(&one.pod_affinity_term)?)))
            .collect();
        Self {
            required: kept(required, &format!("required{name}Terms"), errors),
            preferred: kept(preferred, &format!("preferred{name}Terms"), errors),
        }
    }
}

fn kept<T>(list: Result<Vec<T>, String>, name: &str, errors: &mut Vec<String>) -> Vec<T> {
    list.unwrap_or_else(|error| {
        errors.push(format!("{name}: {error}"));
        Vec::new()
    })
}
