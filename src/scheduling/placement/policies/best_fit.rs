//! Best fit: the node on which the least is left.

use super::super::region::INDEXED;
use super::super::{Order, Placement, Pruning, Region, Score};
use super::left;
use crate::cluster::{Dimension, NodeView, PodClass, Scale};

/// Best fit: the least free cpu and memory (and GPU, for pods that ask for it) after the pod is
/// placed, each relative to the largest node of the cell, added up.
///
/// Score: −Σ (free − request) · 2⁶⁰ / largest limit. The sum over dimensions is the usual
/// reduction of vector bin packing to best fit (Panigrahy, Talwar, Uyeda and Wieder, *Heuristics
/// for Vector Bin Packing*, 2011, with equal weights).
#[derive(Clone, Copy, Debug, Default)]
pub struct BestFit;

/// What `cpu` and `memory` left over weigh together.
#[inline]
pub(super) fn weight(scale: &Scale, [cpu, memory]: [i64; 2]) -> i64 {
    scale.weighted(INDEXED[0], cpu) + scale.weighted(INDEXED[1], memory)
}

/// What is left of GPUs weighs, for pods that ask for some.
#[inline]
pub(super) fn gpu_weight(class: &PodClass, scale: &Scale, free_milli: i64) -> i64 {
    let request = class.requests[Dimension::GPU];
    if request > 0 { scale.weighted(Dimension::GPU, free_milli - request) } else { 0 }
}

impl Placement for BestFit {
    #[inline]
    fn score(&self, class: &PodClass, node: NodeView<'_>) -> Score {
        let gpu = gpu_weight(class, node.scale(), node.free()[Dimension::GPU]);
        -weight(node.scale(), left(class, node)) - gpu
    }

    fn pruning(&self) -> Pruning {
        Pruning::ByFree(Order::TightestFirst)
    }

    #[inline]
    fn bound(&self, class: &PodClass, region: &Region<'_>) -> Score {
        -weight(region.scale, [0, 1].map(|axis| region.left_low(axis, &class.requests)))
    }
}
