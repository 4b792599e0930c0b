//! The plugins of a profile as the fast path knows them.

use crate::scheduling::kube::args::InterPodAffinityArgs;
use crate::scheduling::kube::plugin::Part;
use crate::scheduling::kube::plugins::{
    BalancedAllocation, NodeAffinity, ResourcesFit, TopologySpread,
};
use crate::scheduling::kube::profile::Profile;

/// Sums of scores stay below this, so that what a node scores by itself fits into 16 bits.
const MAX_TOTAL: i64 = 16_000;

/// A plugin and its weight.
pub type Weighted<T> = Option<(T, i64)>;

/// Which plugins there are.
#[derive(Debug, Default)]
pub struct Parts {
    pub unschedulable: bool,
    pub taints: Weighted<()>,
    pub affinity: Weighted<NodeAffinity>,
    pub ports: bool,
    pub fit: Weighted<ResourcesFit>,
    pub spread: Weighted<TopologySpread>,
    pub pods: Weighted<InterPodAffinityArgs>,
    pub balanced: Weighted<BalancedAllocation>,
    pub images: Weighted<()>,
}

impl Parts {
    /// The plugins of `profile`; `None` if there are some that are not known here.
    pub fn new(profile: &Profile) -> Option<Self> {
        let mut parts = Self::default();
        let mut names: Vec<&str> = profile.plugins.iter().map(|one| one.plugin.name()).collect();
        names.sort_unstable();
        let twice = names.windows(2).any(|pair| pair[0] == pair[1]);
        let heaviest: i64 = profile.plugins.iter().map(|one| one.weight.saturating_mul(100)).sum();
        let scores = profile.plugins.iter().any(|one| one.plugin.scores());
        if twice || !scores || heaviest > MAX_TOTAL {
            return None;
        }
        for enabled in &profile.plugins {
            let weight = enabled.weight;
            match enabled.plugin.part() {
                // Pods that name a node or have volumes are left to the plain path.
                Part::Nothing | Part::Name | Part::Volumes => {}
                Part::Unschedulable => parts.unschedulable = true,
                Part::Taints => parts.taints = Some(((), weight)),
                Part::Affinity(plugin) => parts.affinity = Some((plugin, weight)),
                Part::Ports => parts.ports = true,
                Part::Fit(plugin) => parts.fit = Some((plugin, weight)),
                Part::Spread(plugin) => parts.spread = Some((plugin, weight)),
                Part::Pods(plugin) => parts.pods = Some((plugin.args().clone(), weight)),
                Part::Balanced(plugin) => parts.balanced = Some((plugin, weight)),
                Part::Images => parts.images = Some(((), weight)),
                Part::Other => return None,
            }
        }
        Some(parts)
    }
}
