//! How reliable single nodes were: part of the schema of results.

use serde::{Deserialize, Serialize};

use super::results::DurationSummary;

/// Most nodes in [`ReliabilitySummary::worst`].
pub const WORST_NODES: usize = 10;

/// A node that failed in the window. Times count while it was in the cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeReliability {
    /// Its name.
    pub node: String,
    /// Its pool.
    pub pool: String,
    /// Times that it went down.
    pub failures: u64,
    /// Times that it came up again.
    pub repairs: u64,
    /// Time up.
    pub up_s: f64,
    /// Time down.
    pub down_s: f64,
    /// up / (up + down).
    pub availability: Option<f64>,
    /// Mean up time before a failure: time up / failures.
    pub mttf_s: Option<f64>,
    /// Mean down time of its repaired failures.
    pub mttr_s: Option<f64>,
    /// MTTF + MTTR.
    pub mtbf_s: Option<f64>,
}

/// Failures by node: how they are spread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReliabilitySummary {
    /// Nodes that failed in the window.
    pub nodes_failed: u64,
    /// Most failures of one node.
    pub failures_max: u64,
    /// MTTF of the nodes that failed, each counting once.
    pub mttf: DurationSummary,
    /// MTTR of the nodes that were repaired.
    pub mttr: DurationSummary,
    /// MTBF of the nodes that failed and were repaired.
    pub mtbf: DurationSummary,
    /// The [`WORST_NODES`] with most failures; of equals those that were up for less time first.
    pub worst: Vec<NodeReliability>,
    /// All nodes that failed, by number: `nodes.csv`, and not in `summary.json`.
    #[serde(skip)]
    pub nodes: Vec<NodeReliability>,
}
