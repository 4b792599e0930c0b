//! The target workload: which pods a cell is there for, by shape and popularity; and what of a node
//! each of them could use. It is what fragmentation is measured against (Weng et al., *Beware of
//! Fragmentation*, USENIX ATC 2023, §3): the share of what is free that the pods that come could
//! not use.
//!
//! It follows from what arrives, never from what is placed, so that policies can be compared.

mod census;
mod kind;
mod shape;
#[cfg(test)]
mod tests;

use crate::cluster::{DIMENSIONS, MAX_DEVICES, NodeView, Resources};

pub use census::{Census, MOST_SHAPES};
use kind::{Fitting, Kind};
pub use shape::Shape;

/// Popularities of a target workload add up to this.
pub const WHOLE: u64 = 1 << 32;

/// Shapes with their popularities.
#[derive(Clone, Debug)]
pub struct Target {
    shapes: Vec<(Shape, u64)>,
    kinds: Vec<Kind>,
}

/// Of what is free on a node: the popularity of the pods that could use it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usable {
    /// By dimension, of pods that there is room for and that request some of it.
    pub amounts: [u64; DIMENSIONS],
    /// By GPU device, of pods that there is room for and that this device would do for.
    pub devices: [u64; MAX_DEVICES],
}

impl Target {
    /// A target of shapes with numbers of pods, the most popular first.
    pub fn new(counted: &[(Shape, u64)]) -> Self {
        let shapes = popularities(counted);
        let kinds = Kind::all(&shapes);
        Self { shapes, kinds }
    }

    /// The shapes with their popularities, in 2⁻³²nds.
    pub fn shapes(&self) -> &[(Shape, u64)] {
        &self.shapes
    }

    /// What pods could use of what is free on `node` now.
    pub fn usable(&self, node: NodeView<'_>) -> Usable {
        let mut usable = Usable::default();
        let devices = node.gpu_free_milli();
        for kind in &self.kinds {
            let Some((fitting, free_gpu)) = kind.fitting(node, node.free()) else { continue };
            let mut popularity = fitting.without_devices();
            if kind.asks_for_devices() {
                let fullest = devices.iter().max().copied().unwrap_or(0);
                let several = fitting.of_several(devices, free_gpu);
                popularity += fitting.of_share(free_gpu.min(fullest.into())) + several;
                for (sum, free) in usable.devices.iter_mut().zip(devices) {
                    *sum += of_device(fitting, *free, free_gpu, several);
                }
            }
            for dimension in kind.uses() {
                usable.amounts[usize::from(dimension.0)] += popularity;
            }
        }
        usable
    }

    /// What of `devices` pods could use if they and `free` were what is free on `node`: milli-GPU
    /// times popularity.
    #[inline]
    pub fn usable_gpu(&self, node: NodeView<'_>, free: &Resources, devices: &[u16]) -> u64 {
        let mut usable = 0;
        for kind in self.kinds.iter().filter(|kind| kind.asks_for_devices()) {
            let Some((fitting, free_gpu)) = kind.fitting(node, free) else { continue };
            let several = fitting.of_several(devices, free_gpu);
            for free in devices {
                usable += u64::from(*free) * of_device(fitting, *free, free_gpu, several);
            }
        }
        usable
    }
}

/// The popularity of those that a device of which `free` is free would do for.
#[inline]
fn of_device(fitting: Fitting<'_>, free: u16, free_gpu: i64, several: u64) -> u64 {
    let of_several = if free >= fitting.several_milli() { several } else { 0 };
    fitting.of_share(free_gpu.min(free.into())) + of_several
}

/// Numbers of pods as popularities that add up to [`WHOLE`]: rounded down, the rest goes to the
/// most popular.
fn popularities(counted: &[(Shape, u64)]) -> Vec<(Shape, u64)> {
    let pods: u128 = counted.iter().map(|(_, pods)| u128::from(*pods)).sum();
    let share = |pods_of: u64| (u128::from(pods_of) * u128::from(WHOLE) / pods.max(1)) as u64;
    let mut shapes: Vec<_> = counted.iter().map(|(shape, pods)| (*shape, share(*pods))).collect();
    let rest = WHOLE - shapes.iter().map(|(_, share)| share).sum::<u64>();
    if let Some((_, share)) = shapes.first_mut() {
        *share += rest;
    }
    shapes
}

/// How much of `free` is usable by pods of `popularity`, rounded down.
#[inline]
pub fn usable_part(free: i64, popularity: u64) -> i64 {
    ((i128::from(free) * i128::from(popularity)) >> 32) as i64
}
