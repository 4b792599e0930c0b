//! A region: what many nodes have in common, so that all of them can be ruled out at once.

use crate::cluster::{Dimension, Resources, Scale};

/// The dimensions by whose free amounts nodes are indexed.
pub(super) const INDEXED: [Dimension; 2] = [Dimension::CPU, Dimension::MEMORY];

/// Bounds on what is free of cpu and memory on some nodes, and what they have in all.
///
/// Amounts of other dimensions are not known: anything between the request and the limit.
#[derive(Clone, Copy, Debug)]
pub struct Region<'a> {
    /// What can be reserved on each node in all: exactly, if the policy declares
    /// [`super::Pruning::ByFreeAndLimit`], otherwise at most.
    pub limit: &'a Resources,
    /// Weights relative to `limit`.
    pub own_scale: &'a Scale,
    /// Weights relative to the largest node of the cell.
    pub scale: &'a Scale,
    /// Least free amounts of cpu and memory; at least what the pod needs.
    pub free_low: [i64; 2],
    /// Largest free amounts of cpu and memory; at most the limit.
    pub free_high: [i64; 2],
}

impl Region<'_> {
    /// The least amount that can be free of cpu (0) or memory (1) once `request` is placed.
    #[inline]
    pub fn left_low(&self, axis: usize, request: &Resources) -> i64 {
        self.free_low[axis] - request[INDEXED[axis]]
    }

    /// The largest amount that can be free of cpu (0) or memory (1) once `request` is placed.
    #[inline]
    pub fn left_high(&self, axis: usize, request: &Resources) -> i64 {
        self.free_high[axis] - request[INDEXED[axis]]
    }
}
