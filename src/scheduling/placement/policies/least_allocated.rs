//! kube-scheduler's `LeastAllocated`.

use super::super::{Order, Placement, Pruning, Region, Score};
use super::{left, mean_percent};
use crate::cluster::{NodeView, PodClass};

/// The mean over cpu and memory of (limit − requested) · 100 / limit, with the pod counted as
/// requested; every division rounds down (kube-scheduler v1.35, `NodeResourcesFit` with
/// `LeastAllocated` and equal weights, its default). Requests are real ones: upstream's stand-ins
/// for containers that request nothing (100 m, 200 MiB) are for readers of manifests to apply.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeastAllocated;

impl Placement for LeastAllocated {
    #[inline]
    fn score(&self, class: &PodClass, node: NodeView<'_>) -> Score {
        let left = left(class, node);
        mean_percent(node.limit(), |axis, limit| left[axis].saturating_mul(100) / limit)
    }

    fn pruning(&self) -> Pruning {
        Pruning::ByFreeAndLimit(Order::LoosestFirst)
    }

    #[inline]
    fn bound(&self, class: &PodClass, region: &Region<'_>) -> Score {
        let left = |axis| region.left_high(axis, &class.requests);
        mean_percent(region.limit, |axis, limit| left(axis).saturating_mul(100) / limit)
    }
}
