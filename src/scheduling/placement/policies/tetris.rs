//! Tetris alignment: the dot product, relative to the capacity of each node.

use super::super::region::INDEXED;
use super::super::{Order, Placement, Pruning, Region, Score};
use crate::cluster::{NodeView, PodClass, Scale};

/// The alignment score of Tetris: the dot product of the request and what is free before the pod
/// is placed, each divided by what the node has in all, in 2⁻⁶⁰ths (Grandl, Ananthanarayanan,
/// Kandula, Rao and Akella, *Multi-Resource Packing for Cluster Schedulers*, SIGCOMM 2014, §3.2).
/// Its other half, preference for jobs with little work left, belongs to the queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tetris;

#[inline]
fn alignment(own_scale: &Scale, class: &PodClass, free: [i64; 2]) -> Score {
    let term = |axis: usize| {
        let dimension = INDEXED[axis];
        let request = own_scale.share(dimension, class.requests[dimension]);
        request * own_scale.share(dimension, free[axis])
    };
    term(0) + term(1)
}

impl Placement for Tetris {
    #[inline]
    fn score(&self, class: &PodClass, node: NodeView<'_>) -> Score {
        alignment(node.own_scale(), class, INDEXED.map(|dimension| node.free()[dimension]))
    }

    fn pruning(&self) -> Pruning {
        Pruning::ByFreeAndLimit(Order::LoosestFirst)
    }

    #[inline]
    fn bound(&self, class: &PodClass, region: &Region<'_>) -> Score {
        alignment(region.own_scale, class, region.free_high)
    }
}
