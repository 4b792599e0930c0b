//! The constraints on spreading that a class of pods has.

use super::parts::Parts;
use crate::scheduling::kube::cache::Cache;
use crate::scheduling::kube::constraints::{Action, Constraint};
use crate::scheduling::kube::template::Template;

/// The constraints on spreading.
#[derive(Debug, PartialEq, Eq)]
pub struct Rules {
    pub hard: Vec<Constraint>,
    /// With whether each is about single nodes.
    pub soft: Vec<(Constraint, bool)>,
    /// True if nodes that lack a label of a soft constraint are left out.
    pub all_keys: bool,
}

impl Rules {
    /// The constraints of `template`; `None` if one is malformed.
    pub fn new(template: &Template, parts: &Parts, cache: &Cache) -> Option<Self> {
        let Some((plugin, _)) = &parts.spread else {
            return Some(Self { hard: Vec::new(), soft: Vec::new(), all_keys: true });
        };
        let hostname = cache.symbols().find("kubernetes.io/hostname");
        let soft = plugin.constraints(cache, template, Action::ScheduleAnyway).ok()?;
        let with_kind = |one: Constraint| {
            let about_nodes = one.topology_key.is_some() && one.topology_key == hostname;
            (one, about_nodes)
        };
        Some(Self {
            hard: plugin.constraints(cache, template, Action::DoNotSchedule).ok()?,
            soft: soft.into_iter().map(with_kind).collect(),
            all_keys: plugin.requires_all_keys(template),
        })
    }

    /// True if there are none.
    pub fn are_none(&self) -> bool {
        self.hard.is_empty() && self.soft.is_empty()
    }

    /// True if one counts only nodes whose taints are tolerated.
    pub fn honor_taints(&self) -> bool {
        let soft = self.soft.iter().map(|(constraint, _)| constraint);
        self.hard.iter().chain(soft).any(|constraint| constraint.honors_taints)
    }
}
