//! Worst fit: the node on which the most is left.

use super::super::{Order, Placement, Pruning, Region, Score};
use super::best_fit::{gpu_weight, weight};
use super::left;
use crate::cluster::{Dimension, NodeView, PodClass};

/// Worst fit: the most free cpu and memory (and GPU, for pods that ask for it) after the pod is
/// placed, each relative to the largest node of the cell, added up: the opposite of best fit.
#[derive(Clone, Copy, Debug, Default)]
pub struct WorstFit;

impl Placement for WorstFit {
    #[inline]
    fn score(&self, class: &PodClass, node: NodeView<'_>) -> Score {
        let gpu = gpu_weight(class, node.scale(), node.free()[Dimension::GPU]);
        weight(node.scale(), left(class, node)) + gpu
    }

    fn pruning(&self) -> Pruning {
        Pruning::ByFree(Order::LoosestFirst)
    }

    #[inline]
    fn bound(&self, class: &PodClass, region: &Region<'_>) -> Score {
        let gpu = gpu_weight(class, region.scale, region.limit[Dimension::GPU]);
        weight(region.scale, [0, 1].map(|axis| region.left_high(axis, &class.requests))) + gpu
    }
}
