//! How much of what pods prefer of nodes they get.

use crate::cluster::{Cluster, NodeId, PodClass};
use crate::metrics::results::PreferenceSummary;

/// Placements in the window of pods that prefer anything.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Preferences {
    placements: u64,
    all_met: u64,
    /// Σ of the share of weight that was met, in millionths.
    met_millionths: u64,
}

impl Preferences {
    /// A pod of `class` was bound to `node`.
    #[inline]
    pub(super) fn bind(&mut self, class: &PodClass, node: NodeId, cluster: &Cluster) {
        let nodes = cluster.nodes();
        let total = u64::from(nodes.preference_weight(class.constraints));
        if total == 0 {
            return;
        }
        let met = u64::from(nodes.preferred(class.constraints, node));
        self.placements += 1;
        self.all_met += u64::from(met == total);
        self.met_millionths += met * 1_000_000 / total;
    }

    /// The window begins.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    /// What it came to; nothing where nobody preferred anything.
    pub(super) fn summary(&self) -> Option<PreferenceSummary> {
        let placements = self.placements as f64;
        (self.placements > 0).then(|| PreferenceSummary {
            placements: self.placements,
            all_met: self.all_met as f64 / placements,
            weight_met_mean: self.met_millionths as f64 / 1e6 / placements,
        })
    }
}
