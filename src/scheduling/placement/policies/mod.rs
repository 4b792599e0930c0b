//! The policies that come with the simulator, one per file. Each says where its formula is from.
//!
//! They compute in integers: amounts weighted by a [`crate::cluster::Scale`] where resources are
//! added or multiplied, percentages where kube-scheduler has them; those that are defined in floats
//! say how they are rounded.

mod balanced;
mod best_fit;
mod borg_hybrid;
mod dot_product;
mod e_pvm;
mod fgd;
mod gpu_best_fit;
mod gpu_clustering;
mod gpu_dot_product;
mod gpu_packing;
mod least_allocated;
mod most_allocated;
mod tetris;
mod worst_fit;

pub use balanced::Balanced;
pub use best_fit::BestFit;
pub use borg_hybrid::BorgHybrid;
pub use dot_product::DotProduct;
pub use e_pvm::Epvm;
pub use fgd::{Fgd, Resolution};
pub use gpu_best_fit::GpuBestFit;
pub use gpu_clustering::GpuClustering;
pub use gpu_dot_product::GpuDotProduct;
pub use gpu_packing::GpuPacking;
pub use least_allocated::LeastAllocated;
pub use most_allocated::MostAllocated;
pub use tetris::Tetris;
pub use worst_fit::WorstFit;

use super::region::INDEXED;
use crate::cluster::{Dimension, NodeView, PodClass};

/// What is free of cpu and memory on `node` once a pod of `class` is placed.
#[inline]
fn left(class: &PodClass, node: NodeView<'_>) -> [i64; 2] {
    INDEXED.map(|dimension| node.free()[dimension] - class.requests[dimension])
}

/// What is free of `dimension` on `node` once a pod of `class` is placed.
#[inline]
fn left_of(dimension: Dimension, class: &PodClass, node: NodeView<'_>) -> i64 {
    node.free()[dimension] - class.requests[dimension]
}

/// The mean, rounded down, of `percent(axis, limit)` over cpu and memory, leaving out what the
/// node has nothing of (kube-scheduler v1.35, `noderesources/least_allocated.go` and
/// `most_allocated.go`, equal weights).
#[inline]
fn mean_percent(
    limit: &crate::cluster::Resources,
    percent: impl Fn(usize, i64) -> i64,
) -> super::Score {
    let limits = INDEXED.map(|dimension| limit[dimension]);
    let all = limits.iter().enumerate().filter(|(_, limit)| **limit > 0);
    let (sum, count) =
        all.fold((0, 0), |(sum, count), (axis, limit)| (sum + percent(axis, *limit), count + 1));
    if count == 2 { sum / 2 } else { sum }
}
