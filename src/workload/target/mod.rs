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

use crate::cluster::{Cluster, DIMENSIONS, MAX_DEVICES, NodeId};

pub use census::{Census, MOST_SHAPES};
use kind::Kind;
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
    pub fn usable(&self, cluster: &Cluster, node: NodeId) -> Usable {
        let mut usable = Usable::default();
        let nodes = cluster.nodes();
        let devices = nodes.devices(node).free_milli();
        for kind in &self.kinds {
            let popularity = kind.fitting(nodes, node);
            if popularity == 0 {
                continue;
            }
            for dimension in kind.uses() {
                usable.amounts[usize::from(dimension.0)] += popularity;
            }
            if let Some(milli) = kind.device_milli() {
                let would_do = usable.devices.iter_mut().zip(devices);
                would_do
                    .filter(|(_, free)| **free >= milli)
                    .for_each(|(device, _)| *device += popularity);
            }
        }
        usable
    }
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
