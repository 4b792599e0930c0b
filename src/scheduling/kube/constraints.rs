//! Compiled constraints on spreading (`podtopologyspread/common.go` of kube-scheduler v1.35).

use super::node::NodeInfo;
use super::symbols::{Symbol, Symbols};
use super::template::Template;
use crate::kubernetes::labels::Selector;
use crate::kubernetes::tolerations::{find_untolerated, forbids_scheduling};
use crate::kubernetes::{Labels, TopologySpreadConstraint};

/// What happens where a constraint cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// The pod is not placed there.
    DoNotSchedule,
    /// The node scores lower.
    ScheduleAnyway,
}

impl Action {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::DoNotSchedule => "DoNotSchedule",
            Self::ScheduleAnyway => "ScheduleAnyway",
        }
    }
}

/// A compiled constraint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Constraint {
    /// How much fuller than the emptiest a domain may be.
    pub max_skew: i64,
    /// The label that tells domains apart; `None` if no node or pod ever named it.
    pub topology_key: Option<Symbol>,
    /// The pods that are counted.
    pub selector: Selector,
    /// With fewer domains, the emptiest counts as empty.
    pub min_domains: i64,
    /// Leave out nodes that the pod's node affinity does not match.
    pub honors_affinity: bool,
    /// Leave out nodes with taints that the pod does not tolerate.
    pub honors_taints: bool,
}

impl Constraint {
    /// Compiles the constraints with `action` of a pod with `labels`.
    ///
    /// # Errors
    ///
    /// If a selector is malformed.
    pub fn compile(
        constraints: &[TopologySpreadConstraint],
        labels: &Labels,
        action: Action,
        find: &mut impl FnMut(&str) -> Option<Symbol>,
    ) -> Result<Vec<Self>, String> {
        let of_action = constraints.iter().filter(|one| one.when_unsatisfiable == action.name());
        of_action.map(|constraint| Self::new(constraint, labels, find)).collect()
    }

    fn new(
        constraint: &TopologySpreadConstraint,
        labels: &Labels,
        find: &mut impl FnMut(&str) -> Option<Symbol>,
    ) -> Result<Self, String> {
        let mut selector = Selector::new(constraint.label_selector.as_ref())?;
        let same: Labels = constraint
            .match_label_keys
            .iter()
            .filter_map(|key| Some((key.clone(), labels.get(key)?.clone())))
            .collect();
        if !same.is_empty() {
            // As upstream: with keys that match, an absent selector no longer selects nothing.
            let more = selector.requirements().unwrap_or_default().to_vec();
            selector = Selector::from_labels(&same).and(more);
        }
        let policy = |policy: &Option<String>, default: bool| {
            policy.as_ref().map_or(default, |policy| policy == "Honor")
        };
        Ok(Self {
            max_skew: i64::from(constraint.max_skew),
            topology_key: find(&constraint.topology_key),
            selector,
            min_domains: i64::from(constraint.min_domains.unwrap_or(1)),
            honors_affinity: policy(&constraint.node_affinity_policy, true),
            honors_taints: policy(&constraint.node_taints_policy, false),
        })
    }

    /// The domain of a node.
    pub fn domain(&self, node: &NodeInfo) -> Option<Symbol> {
        node.label(self.topology_key?)
    }

    /// True if the node counts for this constraint of `pod`.
    pub fn includes(&self, pod: &Template, node: &NodeInfo) -> bool {
        let object = &node.node;
        let labels = &object.metadata.labels;
        if self.honors_affinity && !pod.required_nodes.matches(labels, node.name()).unwrap_or(false)
        {
            return false;
        }
        !self.honors_taints
            || find_untolerated(
                &object.spec.taints,
                &pod.spec.tolerations,
                forbids_scheduling,
                false,
            )
            .is_none()
    }
}

/// True if the node has the labels of all constraints.
pub fn has_all_keys(constraints: &[Constraint], node: &NodeInfo) -> bool {
    constraints.iter().all(|constraint| constraint.domain(node).is_some())
}

/// How many pods on the node the selector selects in `namespace`. Pods that are being deleted do
/// not count; and upstream counts none for a selector that selects everything.
pub fn count_matching(node: &NodeInfo, selector: &Selector, namespace: &str) -> i64 {
    if selector.is_empty() {
        return 0;
    }
    let counted = node.pods.iter().filter(|pod| {
        !pod.terminating
            && pod.template.namespace == namespace
            && selector.matches(&pod.template.labels)
    });
    i64::try_from(counted.count()).unwrap_or(i64::MAX)
}

/// Compiled constraints of a pod, by what happens where they cannot be kept.
#[derive(Debug, Clone)]
pub struct Constraints {
    /// `DoNotSchedule`.
    pub hard: Result<Vec<Constraint>, String>,
    /// `ScheduleAnyway`.
    pub soft: Result<Vec<Constraint>, String>,
}

impl Constraints {
    /// Compiles a pod's own constraints.
    pub fn new(
        constraints: &[TopologySpreadConstraint],
        labels: &Labels,
        symbols: &mut Symbols,
    ) -> Self {
        let mut find = |key: &str| Some(symbols.intern(key));
        Self {
            hard: Constraint::compile(constraints, labels, Action::DoNotSchedule, &mut find),
            soft: Constraint::compile(constraints, labels, Action::ScheduleAnyway, &mut find),
        }
    }
}
