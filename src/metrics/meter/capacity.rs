//! What nodes offer, by pool: installed (in the cell) and up; and the largest share of it that was
//! ever requested. Overcommit does not stretch these amounts.

use crate::cluster::{DIMENSIONS, Dimension, PoolId, Resources};
use crate::engine::SimTime;
use crate::metrics::integral::{Integral, ratio};

use super::allocation::Sign;

/// Capacity of the nodes of one pool, by position of the resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PoolCapacity {
    pub(super) installed: [Integral; DIMENSIONS],
    pub(super) up: [Integral; DIMENSIONS],
}

/// Capacity of the cell.
#[derive(Clone, Debug)]
pub(super) struct Capacity {
    dimensions: Vec<Dimension>,
    pools: Vec<PoolCapacity>,
    /// Present capacity of all nodes that are up.
    up: [i128; DIMENSIONS],
    /// `up` is not yet what the peaks take for the capacity in force.
    is_changed: bool,
    peaks: Peaks,
}

/// Peaks of requested / up. While the capacity stays, the largest request decides; so a division is
/// due only when the capacity changes.
#[derive(Clone, Debug, Default)]
struct Peaks {
    /// Largest ratio under former capacities.
    ratio: [Option<f64>; DIMENSIONS],
    /// Capacity in force, as of the last instant.
    up: [i128; DIMENSIONS],
    /// Largest request under it, if any time passed.
    requested: Option<[i128; DIMENSIONS]>,
}

impl Capacity {
    pub(super) fn new(dimensions: Vec<Dimension>) -> Self {
        let (up, peaks) = ([0; DIMENSIONS], Peaks::default());
        Self { dimensions, pools: Vec::new(), up, is_changed: false, peaks }
    }

    fn pool(&mut self, pool: PoolId) -> &mut PoolCapacity {
        if self.pools.len() <= pool.index() {
            self.pools.resize_with(pool.index() + 1, PoolCapacity::default);
        }
        &mut self.pools[pool.index()]
    }

    /// A node of `pool` joins the cell, or leaves it.
    pub(super) fn install(&mut self, sign: Sign, node: &Resources, pool: PoolId, now: SimTime) {
        let amounts = self.amounts(sign, node);
        let installed = &mut self.pool(pool).installed;
        installed.iter_mut().zip(amounts).for_each(|(integral, amount)| integral.add(amount, now));
    }

    /// A node of `pool` comes up, or goes down.
    pub(super) fn raise(&mut self, sign: Sign, node: &Resources, pool: PoolId, now: SimTime) {
        let amounts = self.amounts(sign, node);
        let up = &mut self.pool(pool).up;
        up.iter_mut().zip(amounts).for_each(|(integral, amount)| integral.add(amount, now));
        self.up.iter_mut().zip(amounts).for_each(|(total, amount)| *total += i128::from(amount));
        self.is_changed = true;
    }

    fn amounts(&self, sign: Sign, node: &Resources) -> [i64; DIMENSIONS] {
        let mut amounts = [0; DIMENSIONS];
        for (amount, dimension) in amounts.iter_mut().zip(&self.dimensions) {
            *amount = sign.of(node[*dimension]);
        }
        amounts
    }

    /// Some time passed with `requested` in force, by position of the resource.
    #[inline]
    pub(super) fn note_requested(&mut self, requested: &[i128; DIMENSIONS]) {
        if self.is_changed {
            self.peaks.fold();
            self.peaks.up = self.up;
            self.is_changed = false;
        }
        match &mut self.peaks.requested {
            Some(largest) => {
                let used = 0..self.dimensions.len();
                used.for_each(|i| largest[i] = largest[i].max(requested[i]));
            }
            none => *none = Some(*requested),
        }
    }

    /// Capacity that is up now, by position of the resource.
    #[inline]
    pub(super) fn up_now(&self) -> &[i128; DIMENSIONS] {
        &self.up
    }

    /// Largest share of the capacity that is up that was ever requested, by position.
    pub(super) fn peak_ratios(&self) -> [Option<f64>; DIMENSIONS] {
        let mut peaks = self.peaks.clone();
        peaks.fold();
        peaks.ratio
    }

    /// The pools, by id.
    pub(super) fn pools(&self) -> &[PoolCapacity] {
        &self.pools
    }

    /// The window begins: integrals and peaks restart.
    pub(super) fn restart(&mut self, now: SimTime) {
        for pool in &mut self.pools {
            let all = pool.installed.iter_mut().chain(&mut pool.up);
            all.for_each(|integral| integral.restart(now));
        }
        self.peaks = Peaks { up: self.up, ..Peaks::default() };
        self.is_changed = false;
    }
}

impl Peaks {
    /// Turns the largest request under the capacity in force into a ratio.
    fn fold(&mut self) {
        let Some(requested) = self.requested.take() else { return };
        for (i, known) in self.ratio.iter_mut().enumerate() {
            let here = ratio(requested[i], self.up[i]);
            *known = match (*known, here) {
                (Some(known), Some(here)) => Some(known.max(here)),
                (known, here) => known.or(here),
            };
        }
    }
}
