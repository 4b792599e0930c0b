//! What a pod that comes or goes means to a class of pods.

use super::parts::Parts;
use super::table::Kind;
use crate::kubernetes::Labels;
use crate::scheduling::kube::cache::Cache;
use crate::scheduling::kube::constraints::Constraint;
use crate::scheduling::kube::symbols::Symbol;
use crate::scheduling::kube::template::Template;
use crate::scheduling::kube::terms::Term;

/// A change of one table per pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    pub kind: Kind,
    /// The topology of terms; `None` for constraints, which know theirs.
    pub key: Option<Symbol>,
    pub amount: i64,
    /// True if pods that are being deleted do not count.
    pub live: bool,
}

/// The class that is looked at.
pub struct Subject<'a> {
    pub template: &'a Template,
    pub hard: &'a [Constraint],
    /// Soft constraints, and whether each is about single nodes.
    pub soft: &'a [(Constraint, bool)],
}

/// Collects effects; several on one table become one.
#[derive(Default)]
struct Effects(Vec<Effect>);

impl Effects {
    fn add(&mut self, kind: Kind, key: Option<Symbol>, amount: i64, live: bool) {
        match self.0.iter_mut().find(|effect| effect.kind == kind && effect.key == key) {
            Some(effect) => effect.amount += amount,
            None => self.0.push(Effect { kind, key, amount, live }),
        }
    }
}

/// What each pod of `other` means to the subject.
pub fn effects(
    subject: &Subject<'_>,
    other: &Template,
    parts: &Parts,
    cache: &Cache,
) -> Vec<Effect> {
    let mut effects = Effects::default();
    spread(subject, other, &mut effects);
    if let Some((args, _)) = &parts.pods {
        let labels = cache.namespace_labels(&subject.template.namespace);
        required(subject.template, other, cache, &labels, &mut effects);
        let template = subject.template;
        let prefers =
            !template.affinity.preferred.is_empty() || !template.anti_affinity.preferred.is_empty();
        if prefers || !args.ignore_preferred_terms_of_existing_pods {
            let hard = i64::from(args.hard_pod_affinity_weight);
            preferred(template, other, cache, &labels, hard, &mut effects);
        }
    }
    effects.0
}

fn spread(subject: &Subject<'_>, other: &Template, effects: &mut Effects) {
    if other.namespace != subject.template.namespace {
        return;
    }
    // Upstream counts nobody for a selector that selects everybody.
    let counts = |constraint: &Constraint| {
        !constraint.selector.is_empty() && constraint.selector.matches(&other.labels)
    };
    for (index, constraint) in subject.hard.iter().enumerate() {
        if counts(constraint) {
            effects.add(Kind::Hard(index), None, 1, true);
        }
    }
    for (index, (constraint, host)) in subject.soft.iter().enumerate() {
        if counts(constraint) {
            let kind = if *host { Kind::Host(index) } else { Kind::Soft(index) };
            effects.add(kind, None, 1, true);
        }
    }
}

fn required(
    template: &Template,
    other: &Template,
    cache: &Cache,
    namespace_labels: &Labels,
    effects: &mut Effects,
) {
    let namespace = cache.namespaces().get(&other.namespace);
    let near = &template.affinity.required;
    if near.iter().all(|term| term.means(other, namespace)) {
        for term in near {
            effects.add(Kind::Affinity, Some(term.topology_key), 1, false);
        }
    }
    for term in &template.anti_affinity.required {
        if term.means(other, namespace) {
            effects.add(Kind::Anti, Some(term.topology_key), 1, false);
        }
    }
    for term in &other.anti_affinity.required {
        if term.means_labelled(template, namespace_labels) {
            effects.add(Kind::Existing, Some(term.topology_key), 1, false);
        }
    }
}

fn preferred(
    template: &Template,
    other: &Template,
    cache: &Cache,
    namespace_labels: &Labels,
    hard_weight: i64,
    effects: &mut Effects,
) {
    let namespace = cache.namespaces().get(&other.namespace);
    let mut score = |term: &Term, weight: i64| {
        effects.add(Kind::Score, Some(term.topology_key), weight, false);
    };
    for (sign, terms) in [(1, &template.affinity), (-1, &template.anti_affinity)] {
        for (weight, term) in &terms.preferred {
            if term.means(other, namespace) {
                score(term, sign * weight);
            }
        }
    }
    if hard_weight > 0 {
        for term in &other.affinity.required {
            if term.means_labelled(template, namespace_labels) {
                score(term, hard_weight);
            }
        }
    }
    for (sign, terms) in [(1, &other.affinity), (-1, &other.anti_affinity)] {
        for (weight, term) in &terms.preferred {
            if term.means_labelled(template, namespace_labels) {
                score(term, sign * weight);
            }
        }
    }
}
