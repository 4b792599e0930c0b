//! NodeAffinity: node selectors, required and preferred node affinity, and the affinity that the
//! profile adds to every pod.

use std::collections::BTreeSet;

use crate::kubernetes::node_selector::{NodeMatcher, PreferredNodes};
use crate::kubernetes::{NodeSelectorTerm, PodSpec};
use crate::scheduling::kube::args::NodeAffinityArgs;
use crate::scheduling::kube::{
    Cache, NodeId, NodeInfo, Part, Plugin, PodInfo, Prepared, Scores, State, Status, Template,
    default_normalize,
};

/// The plugin.
#[derive(Debug, Clone, Default)]
pub struct NodeAffinity {
    added_required: Option<NodeMatcher>,
    added_preferred: Option<PreferredNodes>,
}

impl NodeAffinity {
    /// The plugin with valid arguments.
    ///
    /// # Errors
    ///
    /// If a term is malformed.
    pub fn new(args: &NodeAffinityArgs) -> Result<Self, String> {
        let Some(added) = &args.added_affinity else { return Ok(Self::default()) };
        let required = added.required.as_ref().map(NodeMatcher::new);
        if let Some(matcher) = required.as_ref().filter(|matcher| !matcher.errors().is_empty()) {
            return Err(format!("parsing addedAffinity: {}", matcher.errors().join(", ")));
        }
        let preferred =
            (!added.preferred.is_empty()).then(|| PreferredNodes::new(&added.preferred));
        Ok(Self { added_required: required, added_preferred: preferred.transpose()? })
    }

    /// True if pods of `template` may go to `node`.
    pub fn admits(&self, template: &Template, node: &NodeInfo) -> bool {
        self.admits_added(node) && admits_own(template, node)
    }

    /// True if nodes are not all the same to pods of `template`.
    pub fn selects(&self, template: &Template) -> bool {
        self.added_required.is_some()
            || self.added_preferred.is_some()
            || !template.required_nodes.is_any()
            || template.has_preferred_nodes
    }

    fn admits_added(&self, node: &NodeInfo) -> bool {
        let labels = &node.node.metadata.labels;
        let added = self.added_required.as_ref();
        added.is_none_or(|added| added.matches(labels, node.name()).unwrap_or(false))
    }

    /// What a node is worth to a pod of `template`, before it is set off against other nodes.
    ///
    /// # Errors
    ///
    /// If a preference is malformed.
    pub fn raw_score(&self, template: &Template, node: &NodeInfo) -> Result<i64, Status> {
        let labels = &node.node.metadata.labels;
        let added = self.added_preferred.as_ref();
        let own =
            template.preferred_nodes.as_ref().map_err(|error| Status::error(error.clone()))?;
        Ok(added.map_or(0, |added| added.score(labels, node.name()))
            + own.score(labels, node.name()))
    }
}

/// True if the pod's own terms match; a malformed one matches nothing.
fn admits_own(template: &Template, node: &NodeInfo) -> bool {
    let labels = &node.node.metadata.labels;
    template.required_nodes.matches(labels, node.name()).unwrap_or(false)
}

/// The names to which a term ties a pod; `None` if to none in particular.
fn names_of(term: &NodeSelectorTerm) -> Option<BTreeSet<String>> {
    let of_name = |key: &str, operator: &str| key == "metadata.name" && operator == "In";
    term.match_fields
        .iter()
        .filter(|field| of_name(&field.key, &field.operator))
        .map(|field| field.values.iter().cloned().collect::<BTreeSet<_>>())
        .reduce(|all, more| all.intersection(&more).cloned().collect())
}

/// The names to which all terms tie a pod; `None` if one of them, or none at all, does.
pub fn node_names(spec: &PodSpec) -> Option<BTreeSet<String>> {
    let affinity = spec.affinity.as_ref()?.node_affinity.as_ref()?;
    let terms = &affinity.required.as_ref()?.node_selector_terms;
    if terms.is_empty() {
        return None;
    }
    let mut all = BTreeSet::new();
    for term in terms {
        all.append(&mut names_of(term)?);
    }
    Some(all)
}

impl Plugin for NodeAffinity {
    fn name(&self) -> &'static str {
        "NodeAffinity"
    }

    fn part(&self) -> Part {
        Part::Affinity(self.clone())
    }

    fn filters(&self) -> bool {
        true
    }

    fn scores(&self) -> bool {
        true
    }

    fn pre_filter(&self, _cache: &Cache, pod: &PodInfo) -> Prepared {
        let template = &pod.template;
        if self.added_required.is_none() && template.required_nodes.is_any() {
            return Prepared::Skip;
        }
        match node_names(&template.spec) {
            None => Prepared::State(None),
            Some(names) if names.is_empty() => {
                Prepared::Rejected(Status::unresolvable("pod affinity terms conflict"))
            }
            Some(names) => Prepared::Only(None, names),
        }
    }

    fn filter(
        &self,
        _state: Option<&dyn State>,
        _cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Status {
        if !self.admits_added(node) {
            return Status::unresolvable("node(s) didn't match scheduler-enforced node affinity");
        }
        if admits_own(&pod.template, node) {
            return Status::SUCCESS;
        }
        Status::unresolvable("node(s) didn't match Pod's node affinity/selector")
    }

    fn pre_score(&self, _cache: &Cache, pod: &PodInfo, _nodes: &[NodeId]) -> Prepared {
        if let Err(error) = &pod.template.preferred_nodes {
            return Prepared::Rejected(Status::error(error.clone()));
        }
        if self.added_preferred.is_none() && !pod.template.has_preferred_nodes {
            return Prepared::Skip;
        }
        Prepared::State(None)
    }

    fn score(
        &self,
        _state: Option<&dyn State>,
        _cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Result<i64, Status> {
        self.raw_score(&pod.template, node)
    }

    fn normalize(&self, _state: Option<&dyn State>, scores: Scores<'_>) {
        default_normalize(scores, false);
    }
}
