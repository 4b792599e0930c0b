//! Placement: which node a pod goes to.
//!
//! A policy is a pure function of a pod class and one node. The answer is always that of a scan
//! over all nodes: of those that admit the pod, those that meet the most of its preferences, by
//! weight; of these the one with the highest score, the lowest number among equals (or any of these,
//! drawn). Indexes only find it sooner; [`Placer`] keeps them. A policy must never know
//! which index serves it, and nothing here may change the cluster.

mod fit_tree;
mod grid;
mod index;
mod placer;
mod policies;
mod ranking;
mod region;
mod registry;
mod rejections;
mod scan;
mod search;
#[cfg(test)]
mod tests;
mod unscored;

use std::borrow::Cow;
use std::sync::Arc;

use crate::cluster::{DeviceShare, NodeView, PodClass};
use crate::workload::target::Target;

pub use index::{Counters, Index, Ties};
pub use placer::{Placer, Strategy};
pub use policies::{
    Balanced, BestFit, BorgHybrid, DotProduct, Epvm, Fgd, GpuBestFit, GpuClustering, GpuDotProduct,
    GpuPacking, LeastAllocated, MostAllocated, Resolution, Tetris, WorstFit,
};
pub use region::Region;
pub(super) use registry::no_options;
pub use registry::{PolicyEntry, builtin};
pub use rejections::{Rejection, Rejections, rejection};
pub use scan::{ScanCounts, Techniques};
pub use search::{Candidate, Search};

/// How well a node suits a pod; the highest wins. `i64::MIN` counts as `i64::MIN + 1`.
pub type Score = i64;

/// Why a policy does not want a node, as it is to be read in a report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason(pub Cow<'static, str>);

/// From which end of the free resources a search starts. It decides how soon the search ends,
/// never what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The best nodes tend to be those with little free.
    TightestFirst,
    /// The best nodes tend to be those with much free.
    LoosestFirst,
}

/// What [`Placement::bound`] is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pruning {
    /// There is no bound: the nodes are ranked for each class of pods.
    None,
    /// The bound follows from what is free of cpu and memory.
    ByFree(Order),
    /// The bound follows from what is free of cpu and memory and from what the node has in all.
    ByFreeAndLimit(Order),
}

/// A placement policy.
///
/// All judgements may depend on the class, on what [`NodeView`] shows and on the target workload,
/// on nothing else: neither time, nor other nodes, nor former answers.
pub trait Placement: Send {
    /// Hard constraints beyond room, readiness and the pod's node constraints, which are checked
    /// before.
    ///
    /// # Errors
    /// Why pods of `class` may not go to `node`.
    #[expect(unused_variables, reason = "a default without constraints reads neither")]
    fn feasible(&self, class: &PodClass, node: NodeView<'_>) -> Result<(), Reason> {
        Ok(())
    }

    /// How well `node`, which admits pods of `class`, suits them; higher is better.
    fn score(&self, class: &PodClass, node: NodeView<'_>) -> Score;

    /// The GPU devices that a pod of `class`, which `node` admits, gets there; `None` if the policy
    /// does not mind: those with the least free share that holds it.
    #[expect(unused_variables, reason = "a default without an opinion reads neither")]
    fn devices(&self, class: &PodClass, node: NodeView<'_>) -> Option<DeviceShare> {
        None
    }

    /// True if it judges by the target workload: which pods come, and how often.
    fn wants_target(&self) -> bool {
        false
    }

    /// The target workload from now on, where it wants one.
    #[expect(unused_variables, reason = "a default that wants none")]
    fn set_target(&mut self, target: &Arc<Target>) {}

    /// What `bound` is worth.
    fn pruning(&self) -> Pruning {
        Pruning::None
    }

    /// At least the score of every node in `region` that admits pods of `class`. The closer, the
    /// faster the search; too low, and it would find another node than a scan does.
    #[expect(unused_variables, reason = "a default without a bound reads neither")]
    fn bound(&self, class: &PodClass, region: &Region<'_>) -> Score {
        Score::MAX
    }

    /// Runs a search with this policy. Provided, not to be written: it exists so that the search
    /// is compiled for each policy, instead of calling one through a pointer for each node.
    fn search(&self, search: Search<'_>) -> Option<Candidate> {
        search.run(self)
    }
}
