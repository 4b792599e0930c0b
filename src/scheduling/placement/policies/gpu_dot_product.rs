//! The dot product over cpu and GPUs, smallest first.

use super::super::{Placement, Score};
use crate::cluster::{Dimension, NodeView, PodClass};

/// The dot product as FGD is compared with: ⌊100 · (1 − (c·C + g·G) / 2)⌋, with `c` and `g` the
/// request and `C` and `G` what is free before, as shares of the most that any node of the cell has
/// (kubernetes-scheduler-simulator, `dot_product_score.go`, GPUs of a node merged, normalised by
/// the maximum). The *smallest* product wins: it packs, while [`super::DotProduct`] looks for the
/// largest.
#[derive(Clone, Copy, Debug, Default)]
pub struct GpuDotProduct;

impl Placement for GpuDotProduct {
    fn score(&self, class: &PodClass, node: NodeView<'_>) -> Score {
        let most = node.largest_limit();
        let [(cpu, whole_cpu), (gpu, whole_gpu)] =
            [Dimension::CPU, Dimension::GPU].map(|dimension| {
                let product =
                    i128::from(class.requests[dimension]) * i128::from(node.free()[dimension]);
                (product, i128::from(most[dimension].max(1)).pow(2))
            });
        let whole = whole_cpu * whole_gpu;
        (100 * whole - 50 * (cpu * whole_gpu + gpu * whole_cpu)).div_euclid(whole) as Score
    }
}
