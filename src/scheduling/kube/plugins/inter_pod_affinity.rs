//! InterPodAffinity: pods that want to be near others, or away from them.

use std::collections::BTreeMap;

use crate::kubernetes::Labels;
use crate::scheduling::kube::args::InterPodAffinityArgs;
use crate::scheduling::kube::{
    Cache, MAX_NODE_SCORE, NodeId, NodeInfo, Part, Plugin, PodInfo, Prepared, Scores, State,
    Status, Symbol, Template, Term, state_of,
};

/// Pods, or weights, by domain: label and value.
pub type TermCounts = BTreeMap<(Symbol, Symbol), i64>;

/// The plugin.
#[derive(Debug, Clone)]
pub struct InterPodAffinity {
    args: InterPodAffinityArgs,
}

impl InterPodAffinity {
    /// The plugin with valid arguments.
    pub fn new(args: &InterPodAffinityArgs) -> Self {
        Self { args: args.clone() }
    }

    /// How it is set.
    pub fn args(&self) -> &InterPodAffinityArgs {
        &self.args
    }
}

/// The pods that matter to required terms, by domain.
#[derive(Debug, Clone, Default)]
pub struct AffinityCounts {
    /// Pods whose anti-affinity the pod would violate.
    pub existing_anti_affinity: TermCounts,
    /// Pods that meet all affinity terms of the pod.
    pub affinity: TermCounts,
    /// Pods that meet an anti-affinity term of the pod.
    pub anti_affinity: TermCounts,
    namespace_labels: Labels,
}

/// Counts a pod on `node` for `term`; what comes to nothing is forgotten.
fn count(counts: &mut TermCounts, term: &Term, node: &NodeInfo, times: i64) {
    let Some(value) = node.label(term.topology_key) else { return };
    let domain = (term.topology_key, value);
    let sum = counts.entry(domain).or_default();
    *sum += times;
    if *sum == 0 {
        counts.remove(&domain);
    }
}

/// True if there are terms and `other` meets all of them.
fn meets_all(terms: &[Term], cache: &Cache, other: &Template) -> bool {
    let namespace = cache.namespaces().get(&other.namespace);
    !terms.is_empty() && terms.iter().all(|term| term.means(other, namespace))
}

impl AffinityCounts {
    /// Counts over all nodes for a pod of `template`.
    pub fn new(cache: &Cache, template: &Template) -> Self {
        let namespace_labels = cache.namespace_labels(&template.namespace);
        let mut counts = Self { namespace_labels, ..Self::default() };
        for (_, node) in cache.nodes() {
            if node.with_required_anti_affinity > 0 {
                for other in &node.pods {
                    counts.count_existing(template, other, node, 1);
                }
            }
        }
        if template.affinity.required.is_empty() && template.anti_affinity.required.is_empty() {
            return counts;
        }
        for (_, node) in cache.nodes() {
            for other in &node.pods {
                counts.count_incoming(cache, template, other, node, 1);
            }
        }
        counts
    }

    fn count_existing(
        &mut self,
        template: &Template,
        other: &PodInfo,
        node: &NodeInfo,
        times: i64,
    ) {
        for term in &other.template.anti_affinity.required {
            if term.means_labelled(template, &self.namespace_labels) {
                count(&mut self.existing_anti_affinity, term, node, times);
            }
        }
    }

    fn count_incoming(
        &mut self,
        cache: &Cache,
        template: &Template,
        other: &PodInfo,
        node: &NodeInfo,
        times: i64,
    ) {
        if meets_all(&template.affinity.required, cache, &other.template) {
            for term in &template.affinity.required {
                count(&mut self.affinity, term, node, times);
            }
        }
        let namespace = cache.namespaces().get(&other.template.namespace);
        for term in &template.anti_affinity.required {
            if term.means(&other.template, namespace) {
                count(&mut self.anti_affinity, term, node, times);
            }
        }
    }

    /// Takes into account that `times` pods like `other` came to `node`.
    pub fn update(
        &mut self,
        cache: &Cache,
        template: &Template,
        other: &PodInfo,
        node: &NodeInfo,
        times: i64,
    ) {
        self.count_existing(template, other, node, times);
        self.count_incoming(cache, template, other, node, times);
    }

    /// Whether a pod of `template` may go to `node`.
    pub fn filter(&self, cache: &Cache, template: &Template, node: &NodeInfo) -> Status {
        if !self.satisfies_affinity(cache, template, node) {
            return Status::unresolvable("node(s) didn't match pod affinity rules");
        }
        let crowded = |counts: &TermCounts, key: Symbol, value: Symbol| {
            counts.get(&(key, value)).is_some_and(|count| *count > 0)
        };
        if template.anti_affinity.required.iter().any(|term| {
            let key = term.topology_key;
            node.label(key).is_some_and(|value| crowded(&self.anti_affinity, key, value))
        }) {
            return Status::unschedulable("node(s) didn't match pod anti-affinity rules");
        }
        if !self.existing_anti_affinity.is_empty()
            && node
                .labels()
                .iter()
                .any(|(key, value)| crowded(&self.existing_anti_affinity, *key, *value))
        {
            return Status::unschedulable(
                "node(s) didn't satisfy existing pods anti-affinity rules",
            );
        }
        Status::SUCCESS
    }

    fn satisfies_affinity(&self, cache: &Cache, template: &Template, node: &NodeInfo) -> bool {
        let terms = &template.affinity.required;
        let mut near = true;
        for term in terms {
            let Some(value) = node.label(term.topology_key) else { return false };
            let there = self.affinity.get(&(term.topology_key, value));
            near &= there.is_some_and(|count| *count > 0);
        }
        // The first of a group of pods that want to be together may go anywhere.
        near || (self.affinity.is_empty() && meets_all(terms, cache, template))
    }
}

/// Weights of domains for a pod.
#[derive(Debug, Clone, Default)]
struct AffinityScores {
    weights: TermCounts,
}

/// Adds what pods on `node` are worth to a pod of `template`.
struct Weighing<'a> {
    cache: &'a Cache,
    template: &'a Template,
    namespace_labels: Labels,
    hard_weight: i64,
    weights: TermCounts,
}

impl Weighing<'_> {
    fn add(&mut self, term: &Term, node: &NodeInfo, weight: i64) {
        if let Some(value) = node.label(term.topology_key) {
            *self.weights.entry((term.topology_key, value)).or_default() += weight;
        }
    }

    fn weigh(&mut self, other: &Template, node: &NodeInfo) {
        let template = self.template;
        let namespace = self.cache.namespaces().get(&other.namespace);
        for (sign, terms) in [(1, &template.affinity), (-1, &template.anti_affinity)] {
            for (weight, term) in &terms.preferred {
                if term.means(other, namespace) {
                    self.add(term, node, sign * weight);
                }
            }
        }
        if self.hard_weight > 0 {
            for term in &other.affinity.required {
                if term.means_labelled(template, &self.namespace_labels) {
                    self.add(term, node, self.hard_weight);
                }
            }
        }
        for (sign, terms) in [(1, &other.affinity), (-1, &other.anti_affinity)] {
            for (weight, term) in &terms.preferred {
                if term.means_labelled(template, &self.namespace_labels) {
                    self.add(term, node, sign * weight);
                }
            }
        }
    }
}

impl InterPodAffinity {
    fn weights(&self, cache: &Cache, template: &Template, prefers: bool) -> TermCounts {
        let mut weighing = Weighing {
            cache,
            template,
            namespace_labels: cache.namespace_labels(&template.namespace),
            hard_weight: i64::from(self.args.hard_pod_affinity_weight),
            weights: TermCounts::new(),
        };
        for (_, node) in cache.nodes() {
            if !prefers && node.with_affinity == 0 {
                continue;
            }
            for other in &node.pods {
                if prefers || other.template.has_affinity {
                    weighing.weigh(&other.template, node);
                }
            }
        }
        weighing.weights
    }
}

impl Plugin for InterPodAffinity {
    fn name(&self) -> &'static str {
        "InterPodAffinity"
    }

    fn part(&self) -> Part {
        Part::Pods(self.clone())
    }

    fn filters(&self) -> bool {
        true
    }

    fn scores(&self) -> bool {
        true
    }

    fn pre_filter(&self, cache: &Cache, pod: &PodInfo) -> Prepared {
        let template = &pod.template;
        if !template.affinity_errors.is_empty() {
            let errors = template.affinity_errors.join(", ");
            return Prepared::Rejected(Status::unresolvable(format!("parsing pod: {errors}")));
        }
        let counts = AffinityCounts::new(cache, template);
        if counts.existing_anti_affinity.is_empty()
            && template.affinity.required.is_empty()
            && template.anti_affinity.required.is_empty()
        {
            return Prepared::Skip;
        }
        Prepared::with(counts)
    }

    fn filter(
        &self,
        state: Option<&dyn State>,
        cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Status {
        let counts = state_of::<AffinityCounts>(state);
        counts.map_or(Status::SUCCESS, |counts| counts.filter(cache, &pod.template, node))
    }

    fn add_pod(
        &self,
        state: &mut dyn State,
        cache: &Cache,
        pod: &PodInfo,
        other: &PodInfo,
        node: &NodeInfo,
    ) {
        if let Some(counts) = state.as_any_mut().downcast_mut::<AffinityCounts>() {
            counts.update(cache, &pod.template, other, node, 1);
        }
    }

    fn remove_pod(
        &self,
        state: &mut dyn State,
        cache: &Cache,
        pod: &PodInfo,
        other: &PodInfo,
        node: &NodeInfo,
    ) {
        if let Some(counts) = state.as_any_mut().downcast_mut::<AffinityCounts>() {
            counts.update(cache, &pod.template, other, node, -1);
        }
    }

    fn pre_score(&self, cache: &Cache, pod: &PodInfo, _nodes: &[NodeId]) -> Prepared {
        let template = &pod.template;
        let prefers =
            !template.affinity.preferred.is_empty() || !template.anti_affinity.preferred.is_empty();
        if !prefers && self.args.ignore_preferred_terms_of_existing_pods {
            return Prepared::Skip;
        }
        if !template.affinity_errors.is_empty() {
            let errors = template.affinity_errors.join(", ");
            return Prepared::Rejected(Status::error(format!("parsing pod: {errors}")));
        }
        let weights = self.weights(cache, template, prefers);
        if weights.is_empty() { Prepared::Skip } else { Prepared::with(AffinityScores { weights }) }
    }

    fn score(
        &self,
        state: Option<&dyn State>,
        _cache: &Cache,
        _pod: &PodInfo,
        node: &NodeInfo,
    ) -> Result<i64, Status> {
        let Some(scores) = state_of::<AffinityScores>(state) else { return Ok(0) };
        Ok(node.labels().iter().filter_map(|label| scores.weights.get(label)).sum())
    }

    fn normalize(&self, state: Option<&dyn State>, scores: Scores<'_>) {
        if state_of::<AffinityScores>(state).is_none() {
            return;
        }
        let least = scores.iter().map(|(_, score)| *score).min().unwrap_or(0);
        let most = scores.iter().map(|(_, score)| *score).max().unwrap_or(0);
        for (_, score) in scores {
            *score = spread_out(*score, least, most);
        }
    }
}

/// A raw score on the scale from the least, 0, to the most, 100; 0 if all are the same.
pub fn spread_out(score: i64, least: i64, most: i64) -> i64 {
    if most <= least {
        return 0;
    }
    (MAX_NODE_SCORE as f64 * ((score - least) as f64 / (most - least) as f64)) as i64
}
