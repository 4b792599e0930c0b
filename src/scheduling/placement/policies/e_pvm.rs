//! E-PVM: the node whose cost rises least.

use super::super::region::INDEXED;
use super::super::{Order, Placement, Pruning, Region, Score};
use super::left;
use crate::cluster::{NodeView, PodClass, Resources};

/// Value of a cost of 1.
const UNIT: f64 = (1_i64 << 32) as f64;

/// The marginal cost of E-PVM: a resource reserved to the share `u` costs bᵘ, and the pod goes
/// where the sum of the costs rises least (Amir, Awerbuch, Barak, Borgstrom and Keren, *An
/// Opportunity Cost Approach for Job Assignment in a Scalable Computing Cluster*, IEEE TPDS 11(7),
/// 2000, where b is the number of machines; Borg's early score was a variant of it, Verma et al.,
/// EuroSys 2015, §3.2, with a base that is not published).
///
/// Score: −Σ round(2³² · (b^after − b^before)) over cpu and memory, in doubles with `libm`.
#[derive(Clone, Copy, Debug)]
pub struct Epvm {
    /// The logarithm of b, to base 2.
    log2_base: f64,
}

impl Default for Epvm {
    /// With base 10.
    fn default() -> Self {
        Self { log2_base: std::f64::consts::LOG2_10 }
    }
}

impl Epvm {
    /// Costs to base `base`, which is more than 1 and at most 10⁶; `None` outside of that.
    pub fn new(base: f64) -> Option<Self> {
        (base > 1.0 && base <= 1e6).then(|| Self { log2_base: libm::log2(base) })
    }

    fn cost(&self, limit: &Resources, class: &PodClass, left: [i64; 2]) -> i64 {
        let rise = |axis: usize| {
            let limit = limit[INDEXED[axis]];
            if limit <= 0 {
                return 0;
            }
            let power = |left: i64| {
                let reserved = (limit - left) as f64 / limit as f64;
                libm::exp2(reserved * self.log2_base)
            };
            let before = left[axis] + class.requests[INDEXED[axis]];
            libm::round(UNIT * (power(left[axis]) - power(before))) as i64
        };
        rise(0) + rise(1)
    }
}

/// What a sum of rises may be off by, so that the bound holds although powers are not exact: each
/// of four errs by less than 2⁻⁴⁷ of 2³² · 10⁶, the largest that a power can be, and two rises are
/// rounded.
const SLACK: i64 = 128;

impl Placement for Epvm {
    #[inline]
    fn score(&self, class: &PodClass, node: NodeView<'_>) -> Score {
        -self.cost(node.limit(), class, left(class, node))
    }

    fn pruning(&self) -> Pruning {
        Pruning::ByFreeAndLimit(Order::LoosestFirst)
    }

    #[inline]
    fn bound(&self, class: &PodClass, region: &Region<'_>) -> Score {
        let left = [0, 1].map(|axis| region.left_high(axis, &class.requests));
        // At a point the cost is computed as for the score, so there it is the same.
        let slack = if region.free_low == region.free_high { 0 } else { SLACK };
        slack - self.cost(region.limit, class, left)
    }
}
