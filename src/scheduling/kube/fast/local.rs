//! What depends on one node alone: whether it will do, and part of its score.

use super::parts::Parts;
use crate::kubernetes::Taint;
use crate::kubernetes::tolerations::{find_untolerated, forbids_scheduling};
use crate::scheduling::kube::cache::Cache;
use crate::scheduling::kube::node::NodeInfo;
use crate::scheduling::kube::plugins::{Amounts, ImageLocality, TaintToleration};
use crate::scheduling::kube::template::Template;

/// Stands for a node that will not do; far below every score.
pub const NEVER: i32 = -(1 << 29);

/// What of a node does not change with the pods on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fixed {
    pub fits: bool,
    /// Weighted score of images.
    pub images: i32,
    pub taints: i32,
    pub affinity: i32,
}

/// A raw score as nodes keep it; `None` if the plain path has to see to it.
fn raw(score: i64) -> Option<i32> {
    i32::try_from(score).ok().filter(|score| *score >= 0)
}

/// What of `node` does not change with the pods on it.
pub fn fixed(
    template: &Template,
    node: &NodeInfo,
    parts: &Parts,
    cache: &Cache,
    cordon: &Taint,
) -> Option<Fixed> {
    let object = &node.node;
    let tolerations = &template.spec.tolerations;
    let tolerated = |taints: &[Taint]| {
        find_untolerated(taints, tolerations, forbids_scheduling, false).is_none()
    };
    let mut fixed = Fixed { fits: true, ..Fixed::default() };
    if parts.unschedulable && object.spec.unschedulable {
        fixed.fits &= tolerated(std::slice::from_ref(cordon));
    }
    if parts.taints.is_some() {
        fixed.fits &= tolerated(&object.spec.taints);
        fixed.taints = raw(TaintToleration::intolerable(node, tolerations))?;
    }
    if let Some((plugin, _)) = &parts.affinity {
        fixed.fits &= plugin.admits(template, node);
        fixed.affinity = raw(plugin.raw_score(template, node).ok()?)?;
    }
    if let Some(((), weight)) = parts.images
        && !template.images.is_empty()
        && !node.images.is_empty()
    {
        fixed.images = raw(weight * ImageLocality::score_of(cache, template, node))?;
    }
    Some(fixed)
}

/// What the class asks for, as the scores take it.
#[derive(Debug)]
pub struct Demand {
    pub fit: Option<Amounts>,
    /// Absent for pods that ask for nothing.
    pub balanced: Option<Amounts>,
}

/// The weighted score of a node by itself; `NEVER` if it will not do.
pub fn local(
    template: &Template,
    node: &NodeInfo,
    fixed: Fixed,
    demand: &Demand,
    parts: &Parts,
    cache: &Cache,
) -> i32 {
    if !fixed.fits {
        return NEVER;
    }
    if parts.ports
        && template
            .host_ports
            .iter()
            .any(|port| node.used_ports.iter().any(|used| used.conflicts(port)))
    {
        return NEVER;
    }
    let mut score = i64::from(fixed.images);
    if let Some((fit, weight)) = &parts.fit {
        if !fit.fits(&template.requests, node, cache.symbols()) {
            return NEVER;
        }
        if let Some(amounts) = &demand.fit {
            score += weight * fit.scoring().score_of(amounts, node);
        }
    }
    if let (Some((balanced, weight)), Some(amounts)) = (&parts.balanced, &demand.balanced) {
        score += weight * balanced.scoring().score_of(amounts, node);
    }
    i32::try_from(score).unwrap_or(NEVER)
}
