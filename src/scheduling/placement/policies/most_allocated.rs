//! kube-scheduler's `MostAllocated`.

use super::super::{Order, Placement, Pruning, Region, Score};
use super::{left, mean_percent};
use crate::cluster::{NodeView, PodClass};

/// The mean over cpu and memory of requested · 100 / limit, with the pod counted as requested;
/// every division rounds down (kube-scheduler v1.35, `NodeResourcesFit` with `MostAllocated` and
/// equal weights). Requests are real ones: upstream's stand-ins for containers that request
/// nothing (100 m, 200 MiB) are for readers of manifests to apply.
#[derive(Clone, Copy, Debug, Default)]
pub struct MostAllocated;

impl Placement for MostAllocated {
    #[inline]
    fn score(&self, class: &PodClass, node: NodeView<'_>) -> Score {
        let left = left(class, node);
        mean_percent(node.limit(), |axis, limit| (limit - left[axis]).saturating_mul(100) / limit)
    }

    fn pruning(&self) -> Pruning {
        Pruning::ByFreeAndLimit(Order::TightestFirst)
    }

    #[inline]
    fn bound(&self, class: &PodClass, region: &Region<'_>) -> Score {
        let left = |axis| region.left_low(axis, &class.requests);
        mean_percent(region.limit, |axis, limit| (limit - left(axis)).saturating_mul(100) / limit)
    }
}
