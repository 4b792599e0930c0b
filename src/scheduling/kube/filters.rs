//! Running filters, with pods that are expected on a node or taken off it for trying
//! (`framework/runtime` of kube-scheduler v1.35).

use std::sync::Arc;

use super::cache::Cache;
use super::cycle::CycleState;
use super::node::NodeInfo;
use super::pod::PodInfo;
use super::profile::Profile;
use super::status::Status;

/// Runs all filters for `pod` on `node` until one rejects it.
pub fn run_filters(
    profile: &Profile,
    cache: &Cache,
    state: &CycleState,
    pod: &PodInfo,
    node: &NodeInfo,
) -> Status {
    for (index, enabled) in profile.plugins.iter().enumerate() {
        if !enabled.plugin.filters() || state.skips_filter(index) {
            continue;
        }
        let status = enabled.plugin.filter(state.filter(index), cache, pod, node);
        if !status.is_success() {
            return status.by(enabled.plugin.name());
        }
    }
    Status::SUCCESS
}

/// Tells the filters that `other` was put on `node`.
pub(super) fn added(
    profile: &Profile,
    cache: &Cache,
    state: &mut CycleState,
    pod: &PodInfo,
    other: &PodInfo,
    node: &NodeInfo,
) {
    for (enabled, slot) in profile.plugins.iter().zip(state.filter_states()) {
        if let Some(kept) = slot {
            enabled.plugin.add_pod(&mut **kept, cache, pod, other, node);
        }
    }
}

/// Tells the filters that `other` was taken off `node`.
pub(super) fn removed(
    profile: &Profile,
    cache: &Cache,
    state: &mut CycleState,
    pod: &PodInfo,
    other: &PodInfo,
    node: &NodeInfo,
) {
    for (enabled, slot) in profile.plugins.iter().zip(state.filter_states()) {
        if let Some(kept) = slot {
            enabled.plugin.remove_pod(&mut **kept, cache, pod, other, node);
        }
    }
}

/// Runs the filters for `pod` on `node`: with the pods of no lower priority for which room was
/// made there, and again without them, since they may never come.
pub fn filter_with_nominated(
    profile: &Profile,
    cache: &Cache,
    state: &CycleState,
    pod: &PodInfo,
    node: &NodeInfo,
) -> Status {
    let mut expected = cache.nominator.ahead_of(pod, node.name()).peekable();
    if expected.peek().is_some() {
        let (mut state, mut node) = (state.clone(), node.clone());
        for other in expected {
            node.add_pod(Arc::clone(other));
            added(profile, cache, &mut state, pod, other, &node);
        }
        let status = run_filters(profile, cache, &state, pod, &node);
        if !status.is_success() {
            return status;
        }
    }
    run_filters(profile, cache, state, pod, node)
}
