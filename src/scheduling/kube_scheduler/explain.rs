//! Where a pod could go and why not elsewhere, plugin by plugin.

use std::collections::BTreeSet;

use super::desk::Desk;
use crate::cluster::{Cluster, NodeId, PodId, PodState, ResourceNames};
use crate::scheduling::explanation::{Choice, Explanation};
use crate::scheduling::kube::PodInfo;
use crate::scheduling::placement::{Reason, Rejection, Rejections};

/// What the kube-scheduler says of every node for `pod`; `None` if it does not know the pod, or a
/// plugin cannot tell. A pod that is bound is asked about as if it were not.
pub fn explain(
    desk: &Desk,
    cluster: &Cluster,
    numbers: &[NodeId],
    pod: PodId,
    names: &ResourceNames,
) -> Option<Explanation> {
    let known = desk.book.get(pod)?;
    if let Some(objection) = desk.served.objection(&known.info) {
        return Some(nowhere(desk, numbers, &objection, names));
    }
    let pending = cluster.pod(pod).state == PodState::Pending;
    if pending && let Some(why) = desk.kept_by_sharing(known.reference, cluster.now()) {
        return Some(nowhere(desk, numbers, &why, names));
    }
    let info = PodInfo { node_name: String::new(), ..(*known.info).clone() };
    let cycle = desk.scheduler.evaluate(&info).ok()?;
    let scores = cycle.scores.as_ref();
    let choices = cycle.feasible.iter().enumerate().map(|(place, slot)| Choice {
        node: numbers[slot.index()],
        score: scores.map(|scores| scores.totals[place]),
        parts: scores.map_or_else(Vec::new, |scores| {
            scores.plugins.iter().map(|(_, values)| values[place]).collect()
        }),
    });
    let mut choices: Vec<Choice> = choices.collect();
    choices.sort_by_key(|choice| (std::cmp::Reverse(choice.score), choice.node));
    let takes: BTreeSet<_> = cycle.feasible.iter().copied().collect();
    let mut rejected: Vec<(NodeId, Rejection)> = Vec::new();
    for slot in desk.scheduler.cache.order() {
        if !takes.contains(slot) {
            let said = cycle.diagnosis.statuses.get(*slot).message();
            rejected.push((numbers[slot.index()], Rejection::Policy(Reason(said.into()))));
        }
    }
    rejected.sort_by_key(|(node, _)| *node);
    Some(Explanation {
        rule: "the highest weighted sum of the plugins' scores wins".to_owned(),
        parts: scores.map_or_else(Vec::new, |scores| {
            scores.plugins.iter().map(|(name, _)| name.clone()).collect()
        }),
        rejections: Rejections::counted(&rejected, choices.len(), names),
        choices,
        rejected,
    })
}

/// No node is looked at, for one reason.
fn nowhere(desk: &Desk, numbers: &[NodeId], why: &str, names: &ResourceNames) -> Explanation {
    let mut nodes: Vec<NodeId> =
        desk.scheduler.cache.order().iter().map(|slot| numbers[slot.index()]).collect();
    nodes.sort_unstable();
    let reason = Rejection::Policy(Reason(why.to_owned().into()));
    let rejected: Vec<_> = nodes.into_iter().map(|node| (node, reason.clone())).collect();
    Explanation {
        rule: "no node is looked at".to_owned(),
        parts: Vec::new(),
        choices: Vec::new(),
        rejections: Rejections::counted(&rejected, 0, names),
        rejected,
    }
}
