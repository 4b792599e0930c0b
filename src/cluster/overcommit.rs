//! Overcommit: how requests are held against capacity, per resource and tier.
//!
//! A tier with factor 1.5 may fill a node until the requests of *all* tiers reach 1.5 × what the
//! node has. In the Google 2011 trace running tasks request 1.12 to 1.16 of all CPU, so a replay
//! of it needs factors above 1.

use serde::{Deserialize, Serialize};

use super::resources::{DIMENSIONS, Dimension, Resources};
use super::spec::Tier;

/// Overcommit factors in permille of a node's allocatable: 1000 means none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overcommit {
    permille: [[i64; DIMENSIONS]; Tier::COUNT],
}

impl Default for Overcommit {
    fn default() -> Self {
        Self { permille: [[1000; DIMENSIONS]; Tier::COUNT] }
    }
}

impl Overcommit {
    /// Sets the factor of `dimension` for `tier`.
    pub fn set(&mut self, tier: Tier, dimension: Dimension, permille: i64) {
        self.permille[tier as usize][usize::from(dimension.0)] = permille;
    }

    /// The factor of `dimension` for `tier`, in permille.
    pub fn permille(&self, tier: Tier, dimension: Dimension) -> i64 {
        self.permille[tier as usize][usize::from(dimension.0)]
    }

    /// True if all tiers have the same factors.
    #[inline]
    pub fn is_uniform(&self) -> bool {
        self.permille.iter().all(|tier| *tier == self.permille[0])
    }

    /// True if nothing is stretched.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    fn widest(&self) -> [i64; DIMENSIONS] {
        let widest = |d: usize| self.permille.iter().map(|tier| tier[d]).max().unwrap_or(1000);
        std::array::from_fn(widest)
    }

    /// What the nodes with `allocatable` have in common.
    pub(super) fn group(&self, allocatable: &Resources) -> CapacityGroup {
        let limit = allocatable.scaled_permille(&self.widest());
        let reserve = |tier: usize| limit.minus(&allocatable.scaled_permille(&self.permille[tier]));
        CapacityGroup { allocatable: *allocatable, limit, reserve: std::array::from_fn(reserve) }
    }
}

/// What nodes of equal capacity have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapacityGroup {
    /// What a node has for pods.
    pub allocatable: Resources,
    /// What may be reserved on it by the tier with the widest overcommit.
    pub limit: Resources,
    /// Per tier: what of `limit` it must leave alone.
    pub reserve: [Resources; Tier::COUNT],
}
