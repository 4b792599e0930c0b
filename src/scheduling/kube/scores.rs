//! Scores of nodes: every plugin's, normalized and weighted (`schedule_one.go` of v1.35).

use super::cache::{Cache, NodeId};
use super::cycle::CycleState;
use super::plugin::{MAX_NODE_SCORE, Prepared};
use super::pod::PodInfo;
use super::profile::Profile;
use super::status::Status;

/// The scores of the nodes that will do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeScores {
    /// Per plugin that scored: its name, and its normalized scores in the order of the nodes.
    pub plugins: Vec<(String, Vec<i64>)>,
    /// The weighted sums, in the order of the nodes.
    pub totals: Vec<i64>,
}

/// Scores `nodes` for `pod`.
///
/// # Errors
///
/// If a plugin fails, or its scores are out of range.
pub fn score_nodes(
    profile: &Profile,
    cache: &Cache,
    state: &mut CycleState,
    pod: &PodInfo,
    nodes: &[NodeId],
) -> Result<NodeScores, Status> {
    for (index, enabled) in profile.plugins.iter().enumerate() {
        let plugin = &enabled.plugin;
        if !plugin.scores() {
            continue;
        }
        match plugin.pre_score(cache, pod, nodes) {
            Prepared::State(prepared) | Prepared::Only(prepared, _) => {
                state.set_score(index, prepared);
            }
            Prepared::Skip => state.skip_score(index),
            Prepared::Rejected(status) => return Err(status.by(plugin.name())),
        }
    }
    let mut scores = NodeScores { plugins: Vec::new(), totals: vec![0; nodes.len()] };
    for (index, enabled) in profile.plugins.iter().enumerate() {
        if !enabled.plugin.scores() || state.skips_score(index) {
            continue;
        }
        let own = plugin_scores(profile, index, cache, state, pod, nodes)?;
        for (total, score) in scores.totals.iter_mut().zip(&own) {
            *total += enabled.weight * score;
        }
        scores.plugins.push((enabled.plugin.name().to_owned(), own));
    }
    // Without any scorer all nodes are the same to the scheduler.
    if !profile.plugins.iter().any(|enabled| enabled.plugin.scores()) {
        scores.totals.fill(1);
    }
    Ok(scores)
}

fn plugin_scores(
    profile: &Profile,
    index: usize,
    cache: &Cache,
    state: &CycleState,
    pod: &PodInfo,
    nodes: &[NodeId],
) -> Result<Vec<i64>, Status> {
    let plugin = &profile.plugins[index].plugin;
    let prepared = state.score(index);
    let mut scores = Vec::with_capacity(nodes.len());
    for node in nodes {
        let score = plugin
            .score(prepared, cache, pod, cache.node(*node))
            .map_err(|status| status.by(plugin.name()))?;
        scores.push((*node, score));
    }
    plugin.normalize(prepared, &mut scores);
    if let Some((_, score)) = scores.iter().find(|(_, score)| !(0..=MAX_NODE_SCORE).contains(score))
    {
        return Err(Status::error(format!(
            "plugin {:?} returns an invalid score {score}, it should in the range of \
             [0, {MAX_NODE_SCORE}] after normalizing",
            plugin.name(),
        )));
    }
    Ok(scores.into_iter().map(|(_, score)| score).collect())
}

/// The places of the highest total; upstream draws one of them by lot.
pub fn best(totals: &[i64]) -> Vec<usize> {
    let Some(highest) = totals.iter().max() else { return Vec::new() };
    let tied = totals.iter().enumerate().filter(|(_, total)| *total == highest);
    tied.map(|(place, _)| place).collect()
}
