//! Dot product: the node whose free resources point the way the request does.

use super::super::region::INDEXED;
use super::super::{Order, Placement, Pruning, Region, Score};
use crate::cluster::{NodeView, PodClass, Scale};

/// The dot product of the request and what is free before the pod is placed, each relative to
/// the largest node of the cell, in 2⁻⁶⁰ths (Panigrahy, Talwar, Uyeda and Wieder, *Heuristics for
/// Vector Bin Packing*, 2011, `DotProduct`).
#[derive(Clone, Copy, Debug, Default)]
pub struct DotProduct;

#[inline]
fn product(scale: &Scale, class: &PodClass, free: [i64; 2]) -> Score {
    let term = |axis: usize| {
        let dimension = INDEXED[axis];
        scale.share(dimension, class.requests[dimension]) * scale.share(dimension, free[axis])
    };
    term(0) + term(1)
}

impl Placement for DotProduct {
    #[inline]
    fn score(&self, class: &PodClass, node: NodeView<'_>) -> Score {
        product(node.scale(), class, INDEXED.map(|dimension| node.free()[dimension]))
    }

    fn pruning(&self) -> Pruning {
        Pruning::ByFree(Order::LoosestFirst)
    }

    #[inline]
    fn bound(&self, class: &PodClass, region: &Region<'_>) -> Score {
        product(region.scale, class, region.free_high)
    }
}
