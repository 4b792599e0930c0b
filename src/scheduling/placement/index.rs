//! How a placer finds nodes, and what it counts on the way.

use super::scan::{ScanCounts, Techniques};

/// How the node is found. All ways find the same node, but for a scan that is told to be content
/// with less (see [`Techniques`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Index {
    /// Whatever is fastest for the strategy and the cell.
    #[default]
    Auto,
    /// By looking at every node each time: what the others are held against.
    Naive,
    /// A ranking of all nodes for each class of pods, for strategies with scores.
    Ranking,
    /// Cells by free cpu and memory, for strategies with scores.
    Grid,
    /// By looking at nodes one by one with Borg's techniques, for strategies with scores.
    Scan(Techniques),
}

/// Which of the nodes that suit a pod equally well it gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ties {
    /// The one with the lowest number.
    #[default]
    Lowest,
    /// Any, each equally likely, as in kube-scheduler (v1.35, `selectHost`).
    Random,
}

/// What a placer did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Times it was asked for a node.
    pub decisions: u64,
    /// Times there was none.
    pub unplaced: u64,
    /// Nodes whose admission was checked, or looked up.
    pub examined: u64,
    /// What the techniques did, where it scans with them.
    pub scan: Option<ScanCounts>,
}
