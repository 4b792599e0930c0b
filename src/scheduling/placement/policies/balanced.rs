//! kube-scheduler's `NodeResourcesBalancedAllocation`.

use super::super::region::INDEXED;
use super::super::{Order, Placement, Pruning, Region, Score};
use super::left;
use crate::cluster::{NodeView, PodClass, Resources};

/// The node on which cpu and memory are reserved most evenly: 100 · (1 − |f − g| / 2), rounded
/// down, with `f` and `g` the reserved shares of cpu and memory once the pod is placed
/// (kube-scheduler v1.35, `NodeResourcesBalancedAllocation`; v1.36 changes the formula). Computed
/// in doubles, as upstream. Pods that request neither score 0 everywhere; a node with only one of
/// the two scores 100.
#[derive(Clone, Copy, Debug, Default)]
pub struct Balanced;

/// The reserved share of cpu (0) or memory (1) where `left` of it is not.
fn reserved(limit: &Resources, axis: usize, left: i64) -> f64 {
    let limit = limit[INDEXED[axis]];
    ((limit - left) as f64 / limit as f64).min(1.0)
}

fn score_of(difference: f64) -> Score {
    ((1.0 - difference / 2.0) * 100.0) as Score
}

fn is_skipped(class: &PodClass) -> bool {
    INDEXED.iter().all(|dimension| class.requests[*dimension] == 0)
}

fn has_both(limit: &Resources) -> bool {
    INDEXED.iter().all(|dimension| limit[*dimension] > 0)
}

impl Placement for Balanced {
    #[inline]
    fn score(&self, class: &PodClass, node: NodeView<'_>) -> Score {
        if is_skipped(class) {
            return 0;
        }
        if !has_both(node.limit()) {
            return 100;
        }
        let [cpu, memory] = left(class, node);
        let [cpu, memory] = [reserved(node.limit(), 0, cpu), reserved(node.limit(), 1, memory)];
        score_of((cpu - memory).abs())
    }

    fn pruning(&self) -> Pruning {
        Pruning::ByFreeAndLimit(Order::TightestFirst)
    }

    #[inline]
    fn bound(&self, class: &PodClass, region: &Region<'_>) -> Score {
        if is_skipped(class) {
            return 0;
        }
        if !has_both(region.limit) {
            return 100;
        }
        let most =
            [0, 1].map(|axis| reserved(region.limit, axis, region.left_low(axis, &class.requests)));
        let least = [0, 1]
            .map(|axis| reserved(region.limit, axis, region.left_high(axis, &class.requests)));
        // Division, subtraction and rounding are monotone, so this is exact, not nearly so.
        score_of((least[0] - most[1]).max(least[1] - most[0]).max(0.0))
    }
}
