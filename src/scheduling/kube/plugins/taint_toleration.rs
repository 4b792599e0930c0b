//! TaintToleration: taints keep pods away that do not tolerate them, or make nodes less wanted.

use crate::kubernetes::Toleration;
use crate::kubernetes::tolerations::{
    PREFER_NO_SCHEDULE, find_untolerated, forbids_scheduling, tolerates,
};
use crate::scheduling::kube::{
    Cache, NodeInfo, Part, Plugin, PodInfo, Scores, State, Status, default_normalize,
};

/// The plugin.
#[derive(Debug, Clone, Copy, Default)]
pub struct TaintToleration;

impl TaintToleration {
    /// How many `PreferNoSchedule` taints of a node the tolerations do not cover.
    pub fn intolerable(node: &NodeInfo, tolerations: &[Toleration]) -> i64 {
        let concerns = |toleration: &&Toleration| {
            toleration.effect.is_empty() || toleration.effect == PREFER_NO_SCHEDULE
        };
        let taints = node.node.spec.taints.iter();
        let bad = taints.filter(|taint| {
            taint.effect == PREFER_NO_SCHEDULE
                && !tolerations.iter().filter(concerns).any(|one| tolerates(one, taint, false))
        });
        i64::try_from(bad.count()).unwrap_or(i64::MAX)
    }
}

impl Plugin for TaintToleration {
    fn name(&self) -> &'static str {
        "TaintToleration"
    }

    fn part(&self) -> Part {
        Part::Taints
    }

    fn filters(&self) -> bool {
        true
    }

    fn scores(&self) -> bool {
        true
    }

    fn filter(
        &self,
        _state: Option<&dyn State>,
        _cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Status {
        let taints = &node.node.spec.taints;
        let tolerations = &pod.template.spec.tolerations;
        match find_untolerated(taints, tolerations, forbids_scheduling, false) {
            None => Status::SUCCESS,
            Some(_) => Status::unresolvable("node(s) had untolerated taint(s)"),
        }
    }

    fn score(
        &self,
        _state: Option<&dyn State>,
        _cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Result<i64, Status> {
        Ok(Self::intolerable(node, &pod.template.spec.tolerations))
    }

    fn normalize(&self, _state: Option<&dyn State>, scores: Scores<'_>) {
        default_normalize(scores, true);
    }
}
