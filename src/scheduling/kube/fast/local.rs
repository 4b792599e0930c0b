//! What depends on one node alone: whether it will do, and part of its score.

use super::load::Quick;
use super::parts::Parts;
use crate::kubernetes::Taint;
use crate::kubernetes::ports::HostPort;
use crate::kubernetes::tolerations::{find_untolerated, forbids_scheduling};
use crate::scheduling::kube::cache::Cache;
use crate::scheduling::kube::node::NodeInfo;
use crate::scheduling::kube::plugins::{Amounts, ImageLocality, ResourceScore, TaintToleration};
use crate::scheduling::kube::template::Template;

/// Stands for a node that will not do; far below every score.
pub const NEVER: i16 = i16::MIN;

/// What of a node does not change with the pods on it: raw scores of taints and affinity, and the
/// weighted score of images.
pub type Fixed = [i32; FIXED];

/// How many numbers that are.
pub const FIXED: usize = 3;

/// A raw score as nodes keep it.
fn raw(score: i64) -> Result<i32, ()> {
    i32::try_from(score).ok().filter(|score| *score >= 0).ok_or(())
}

/// What of `node` does not change with the pods on it; `None` if it will not do. An error if the
/// plain path has to see to it.
pub fn fixed(
    template: &Template,
    node: &NodeInfo,
    parts: &Parts,
    cache: &Cache,
    cordon: &Taint,
) -> Result<Option<Fixed>, ()> {
    let object = &node.node;
    let tolerations = &template.spec.tolerations;
    let tolerated = |taints: &[Taint]| {
        find_untolerated(taints, tolerations, forbids_scheduling, false).is_none()
    };
    let mut fits = true;
    let [mut taints, mut affinity, mut images] = [0; FIXED];
    if parts.unschedulable && object.spec.unschedulable {
        fits &= tolerated(std::slice::from_ref(cordon));
    }
    if parts.taints.is_some() {
        fits &= tolerated(&object.spec.taints);
        taints = raw(TaintToleration::intolerable(node, tolerations))?;
    }
    if let Some((plugin, _)) = &parts.affinity {
        fits &= plugin.admits(template, node);
        affinity = raw(plugin.raw_score(template, node).map_err(|_| ())?)?;
    }
    if let Some(((), weight)) = parts.images
        && !template.images.is_empty()
        && !node.images.is_empty()
    {
        images = raw(weight * ImageLocality::score_of(cache, template, node))?;
    }
    Ok(fits.then_some([taints, affinity, images]))
}

/// What the class asks for, as the scores take it.
#[derive(Debug)]
pub struct Demand {
    pub fit: Option<Amounts>,
    /// Absent for pods that ask for nothing.
    pub balanced: Option<Amounts>,
    /// A short cut, where only cpu and memory matter.
    pub quick: Option<Quick>,
}

impl Demand {
    /// What pods of `template` ask for.
    pub fn new(template: &Template, parts: &Parts, cache: &Cache) -> Self {
        let fit = parts.fit.as_ref().map(|(plugin, weight)| (plugin.scoring(), *weight));
        let balanced = parts.balanced.as_ref().map(|(plugin, weight)| (plugin.scoring(), *weight));
        let fit = fit.map(|(score, weight)| (score, score.prepare(template, cache), weight));
        let balanced = balanced
            .map(|(score, weight)| (score, score.prepare(template, cache), weight))
            .filter(|(_, amounts, _)| !amounts.is_best_effort());
        let quick = |part: &Option<(&ResourceScore, Amounts, i64)>| match part {
            None => Some(None),
            Some((score, amounts, weight)) => {
                score.quick(amounts).map(|quick| Some((quick, *weight)))
            }
        };
        let both = quick(&fit).zip(quick(&balanced));
        Self {
            quick: both.and_then(|(fit, balanced)| {
                Quick::new(template, fit, balanced, parts.fit.is_some())
            }),
            fit: fit.map(|(_, amounts, _)| amounts),
            balanced: balanced.map(|(_, amounts, _)| amounts),
        }
    }
}

/// The weighted score of a node by its load; `NEVER` if it will not do.
pub fn local(
    template: &Template,
    node: &NodeInfo,
    demand: &Demand,
    parts: &Parts,
    cache: &Cache,
) -> i16 {
    let taken = |port: &HostPort| node.used_ports.iter().any(|used| used.conflicts(port));
    if parts.ports && template.host_ports.iter().any(taken) {
        return NEVER;
    }
    let mut score = 0;
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
    i16::try_from(score).unwrap_or(NEVER)
}
