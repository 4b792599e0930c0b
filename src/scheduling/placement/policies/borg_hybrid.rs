//! A hybrid between best fit and balance, which avoids stranding.

use super::super::region::INDEXED;
use super::super::{Order, Placement, Pruning, Region, Score};
use super::left;
use crate::cluster::{NodeView, PodClass, Scale};

/// Digits that weighted amounts are cut by, so that they can be multiplied by a permille.
const CUT: u32 = 20;

/// Best fit with a penalty for *stranded* resources: what is left of one resource that cannot be
/// used because the other is fully taken.
///
/// Borg's scoring "is a hybrid one that tries to reduce the amount of stranded resources" (Verma
/// et al., *Large-scale cluster management at Google with Borg*, EuroSys 2015, §3.2); its formula
/// is not published. Ours: with `c` and `m` left of cpu and memory, each relative to the largest
/// node of the cell, the score is −(c + m) − p · |c − m|, in 2⁻⁴⁰ths. With p = 1 it is the larger
/// of the two, doubled, that counts; that is the default, because with it a Borg-like cell can be
/// compacted about 5 % further than under best fit, which is what the paper says of Borg's own
/// (3–5 %; `docs/published.md`).
#[derive(Clone, Copy, Debug)]
pub struct BorgHybrid {
    /// p, in permille.
    stranded_permille: i64,
}

impl Default for BorgHybrid {
    fn default() -> Self {
        Self { stranded_permille: 1000 }
    }
}

impl BorgHybrid {
    /// Largest penalty that can be asked for, in permille.
    pub const MOST_PERMILLE: i64 = 10_000;

    /// A hybrid that weighs the imbalance of what is left by `stranded_permille`, 0 to
    /// [`BorgHybrid::MOST_PERMILLE`]; `None` outside of that.
    pub fn new(stranded_permille: i64) -> Option<Self> {
        (0..=Self::MOST_PERMILLE).contains(&stranded_permille).then_some(Self { stranded_permille })
    }

    fn value(&self, sum: i64, imbalance: i64) -> Score {
        -(sum * 1000 + self.stranded_permille * imbalance)
    }
}

fn shares(scale: &Scale, left: [i64; 2]) -> [i64; 2] {
    [0, 1].map(|axis| scale.weighted(INDEXED[axis], left[axis]) >> CUT)
}

impl Placement for BorgHybrid {
    #[inline]
    fn score(&self, class: &PodClass, node: NodeView<'_>) -> Score {
        let [cpu, memory] = shares(node.scale(), left(class, node));
        self.value(cpu + memory, (cpu - memory).abs())
    }

    fn pruning(&self) -> Pruning {
        Pruning::ByFree(Order::TightestFirst)
    }

    #[inline]
    fn bound(&self, class: &PodClass, region: &Region<'_>) -> Score {
        let request = &class.requests;
        let low = shares(region.scale, [0, 1].map(|axis| region.left_low(axis, request)));
        let sum = low[0] + low[1];
        if self.stranded_permille <= 1000 {
            // Whatever is left in addition adds at least as much as it can balance.
            return self.value(sum, (low[0] - low[1]).abs());
        }
        let high = shares(region.scale, [0, 1].map(|axis| region.left_high(axis, request)));
        let least_imbalance = (low[0] - high[1]).max(low[1] - high[0]).max(0);
        self.value(sum, least_imbalance)
    }
}
