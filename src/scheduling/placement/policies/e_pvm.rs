//! E-PVM: the node whose cost rises least.

use super::super::region::INDEXED;
use super::super::{Order, Placement, Pruning, Region, Score};
use super::left;
use crate::cluster::{NodeView, PodClass, Resources, Scale};

/// Segments into which the exponential is cut, as a power of two.
const SEGMENT_BITS: u32 = 12;
/// Digits of a reserved share, as [`crate::cluster::Scale::share`] returns it.
const SHARE_BITS: u32 = 30;
/// Digits of a share within its segment.
const REST_BITS: u32 = SHARE_BITS - SEGMENT_BITS;

/// The marginal cost of E-PVM: a resource reserved to the share `u` costs bᵘ, and the pod goes
/// where the sum of the costs rises least (Amir, Awerbuch, Barak, Borgstrom and Keren, *An
/// Opportunity Cost Approach for Job Assignment in a Scalable Computing Cluster*, IEEE TPDS 11(7),
/// 2000, where b is the number of machines; Borg's early score was a variant of it, Verma et al.,
/// EuroSys 2015, §3.2, with a base that is not published).
///
/// Score: −Σ (b^after − b^before) over cpu and memory, in 2⁻³²ths. The exponential is a table of
/// 4,096 segments, straight in between, which is off by less than (ln b / 4096)² / 8 of itself
/// (4 · 10⁻⁸ to base 10).
#[derive(Clone, Debug)]
pub struct Epvm {
    /// 2³² · bᵘ at the ends of the segments.
    powers: Vec<i64>,
    /// What a sum of rises may be off by because shares and powers are rounded.
    slack: i64,
}

impl Default for Epvm {
    /// With base 10.
    fn default() -> Self {
        Self::with_log2(std::f64::consts::LOG2_10)
    }
}

impl Epvm {
    /// Costs to base `base`, which is more than 1 and at most 10⁶; `None` outside of that.
    pub fn new(base: f64) -> Option<Self> {
        (base > 1.0 && base <= 1e6).then(|| Self::with_log2(libm::log2(base)))
    }

    fn with_log2(log2_base: f64) -> Self {
        let segments = 1 << SEGMENT_BITS;
        let power = |end: i32| {
            let exponent = f64::from(end) / f64::from(segments) * log2_base;
            libm::round(libm::exp2(exponent + 32.0)) as i64
        };
        let powers: Vec<i64> = (0..=segments).map(power).collect();
        let steepest = powers[powers.len() - 1] - powers[powers.len() - 2];
        // Two resources, and for each the share after in the score and the one before in the
        // bound (or the other way round) are off by less than one unit; each power by less than
        // two.
        let slack = 4 * ((steepest >> REST_BITS) + 1) + 32;
        Self { powers, slack }
    }

    /// 2³² · bᵘ for a share `u` between 0 and 1.
    #[inline]
    fn power(&self, share: i64) -> i64 {
        let segment = (share >> REST_BITS) as usize;
        let rest = share & ((1 << REST_BITS) - 1);
        let low = self.powers[segment];
        if rest == 0 {
            return low;
        }
        low + (((self.powers[segment + 1] - low) * rest) >> REST_BITS)
    }

    #[inline]
    fn cost(&self, limit: &Resources, scale: &Scale, class: &PodClass, left: [i64; 2]) -> i64 {
        let rise = |axis: usize| {
            let dimension = INDEXED[axis];
            let after = limit[dimension] - left[axis];
            let before = after - class.requests[dimension];
            let power = |reserved: i64| self.power(scale.share(dimension, reserved));
            power(after) - power(before)
        };
        rise(0) + rise(1)
    }
}

impl Placement for Epvm {
    #[inline]
    fn score(&self, class: &PodClass, node: NodeView<'_>) -> Score {
        -self.cost(node.limit(), node.own_scale(), class, left(class, node))
    }

    fn pruning(&self) -> Pruning {
        Pruning::ByFreeAndLimit(Order::LoosestFirst)
    }

    #[inline]
    fn bound(&self, class: &PodClass, region: &Region<'_>) -> Score {
        let left = [0, 1].map(|axis| region.left_high(axis, &class.requests));
        // At a point the cost is computed as for the score, so there it is the same.
        let slack = if region.free_low == region.free_high { 0 } else { self.slack };
        slack - self.cost(region.limit, region.own_scale, class, left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_follows_the_exponential() {
        for base in [1.5, 10.0, 12_500.0, 1e6] {
            let policy = Epvm::new(base).expect("is in range");
            for share in (0..=1 << SHARE_BITS).step_by(99_991) {
                let exact = libm::pow(base, f64::from(share) / f64::from(1 << SHARE_BITS));
                let found = policy.power(i64::from(share)) as f64 / libm::exp2(32.0);
                assert!((found / exact - 1.0).abs() < 2e-6, "{base}^{share}: {found}, not {exact}");
            }
        }
    }
}
