//! PodTopologySpread: pods of one kind are spread over domains.

use super::spread_defaults::default_selector;
use super::spread_filter::SpreadCounts;
use super::spread_score::SpreadScores;
use crate::kubernetes::TopologySpreadConstraint;
use crate::scheduling::kube::args::{Defaulting, TopologySpreadArgs};
use crate::scheduling::kube::{
    Action, Cache, Constraint, NodeId, NodeInfo, Part, Plugin, PodInfo, Prepared, Scores, State,
    Status, Template, state_of,
};

/// The plugin.
#[derive(Debug, Clone)]
pub struct TopologySpread {
    defaults: Vec<TopologySpreadConstraint>,
    system_defaulted: bool,
}

/// The constraints that the system gives pods without any.
fn system_defaults() -> Vec<TopologySpreadConstraint> {
    let soft = |topology_key: &str, max_skew| TopologySpreadConstraint {
        topology_key: topology_key.to_owned(),
        when_unsatisfiable: Action::ScheduleAnyway.name().to_owned(),
        max_skew,
        ..TopologySpreadConstraint::default()
    };
    vec![soft("kubernetes.io/hostname", 3), soft("topology.kubernetes.io/zone", 5)]
}

impl TopologySpread {
    /// The plugin with valid arguments.
    pub fn new(args: &TopologySpreadArgs) -> Self {
        let system_defaulted = args.defaulting_type == Defaulting::System;
        let defaults = if system_defaulted {
            system_defaults()
        } else {
            args.default_constraints.clone().unwrap_or_default()
        };
        Self { defaults, system_defaulted }
    }

    /// The constraints with `action` of pods of `template`: its own, or the default ones with a
    /// selector for what belongs together with it.
    ///
    /// # Errors
    ///
    /// If a selector is malformed.
    pub fn constraints(
        &self,
        cache: &Cache,
        template: &Template,
        action: Action,
    ) -> Result<Vec<Constraint>, String> {
        if !template.spec.topology_spread_constraints.is_empty() {
            return match action {
                Action::DoNotSchedule => template.spread.hard.clone(),
                Action::ScheduleAnyway => template.spread.soft.clone(),
            };
        }
        let mut find = |key: &str| cache.symbols().find(key);
        let mut constraints =
            Constraint::compile(&self.defaults, &template.labels, action, &mut find)?;
        if constraints.is_empty() {
            return Ok(constraints);
        }
        let selector = default_selector(cache, template);
        if selector.is_empty() {
            return Ok(Vec::new());
        }
        for constraint in &mut constraints {
            constraint.selector = selector.clone();
        }
        Ok(constraints)
    }

    /// True if nodes must have the labels of all constraints to be scored at all.
    pub fn requires_all_keys(&self, template: &Template) -> bool {
        !template.spec.topology_spread_constraints.is_empty() || !self.system_defaulted
    }
}

impl Plugin for TopologySpread {
    fn name(&self) -> &'static str {
        "PodTopologySpread"
    }

    fn part(&self) -> Part {
        Part::Spread(self.clone())
    }

    fn filters(&self) -> bool {
        true
    }

    fn scores(&self) -> bool {
        true
    }

    fn pre_filter(&self, cache: &Cache, pod: &PodInfo) -> Prepared {
        match self.constraints(cache, &pod.template, Action::DoNotSchedule) {
            Err(error) => Prepared::Rejected(Status::error(format!(
                "obtaining pod's hard topology spread constraints: {error}"
            ))),
            Ok(constraints) if constraints.is_empty() => Prepared::Skip,
            Ok(constraints) => Prepared::with(SpreadCounts::new(constraints, cache, &pod.template)),
        }
    }

    fn filter(
        &self,
        state: Option<&dyn State>,
        _cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Status {
        let counts = state_of::<SpreadCounts>(state);
        counts.map_or(Status::SUCCESS, |counts| counts.filter(&pod.template, node))
    }

    fn add_pod(
        &self,
        state: &mut dyn State,
        _cache: &Cache,
        pod: &PodInfo,
        other: &PodInfo,
        node: &NodeInfo,
    ) {
        if let Some(counts) = state.as_any_mut().downcast_mut::<SpreadCounts>() {
            counts.update(&pod.template, other, node, 1);
        }
    }

    fn remove_pod(
        &self,
        state: &mut dyn State,
        _cache: &Cache,
        pod: &PodInfo,
        other: &PodInfo,
        node: &NodeInfo,
    ) {
        if let Some(counts) = state.as_any_mut().downcast_mut::<SpreadCounts>() {
            counts.update(&pod.template, other, node, -1);
        }
    }

    fn pre_score(&self, cache: &Cache, pod: &PodInfo, nodes: &[NodeId]) -> Prepared {
        let template = &pod.template;
        match self.constraints(cache, template, Action::ScheduleAnyway) {
            Err(error) => Prepared::Rejected(Status::error(format!(
                "obtaining pod's soft topology spread constraints: {error}"
            ))),
            Ok(constraints) if constraints.is_empty() || cache.order().is_empty() => Prepared::Skip,
            Ok(constraints) => {
                let all_keys = self.requires_all_keys(template);
                Prepared::with(SpreadScores::new(constraints, cache, template, nodes, all_keys))
            }
        }
    }

    fn score(
        &self,
        state: Option<&dyn State>,
        cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Result<i64, Status> {
        let scores = state_of::<SpreadScores>(state);
        Ok(scores.map_or(0, |scores| scores.score(cache, &pod.template, node)))
    }

    fn normalize(&self, state: Option<&dyn State>, scores: Scores<'_>) {
        if let Some(state) = state_of::<SpreadScores>(state) {
            state.normalize(scores);
        }
    }
}
