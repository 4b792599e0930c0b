//! A cell that is filled: what was allocated when as much had been asked for as there is.

use crate::cluster::{DIMENSIONS, Dimension, PodClass};
use crate::metrics::integral::ratio;

use super::capacity::Capacity;
use super::config::MeterConfig;

/// Requests that arrived, until some pod leaves: from then on the question makes no sense.
#[derive(Clone, Debug)]
pub(super) struct Filling {
    dimensions: Vec<Dimension>,
    arrived: [i128; DIMENSIONS],
    /// Pods arrived since it was looked at last, and none has left yet.
    is_changed: bool,
    is_over: bool,
    /// Requests of bound pods / capacity up when `arrived` reached that capacity.
    at_full_demand: [Option<f64>; DIMENSIONS],
}

impl Filling {
    pub(super) fn new(config: &MeterConfig) -> Self {
        Self {
            dimensions: config.dimensions().collect(),
            arrived: [0; DIMENSIONS],
            is_changed: false,
            is_over: false,
            at_full_demand: [None; DIMENSIONS],
        }
    }

    /// A pod of `class` arrives.
    #[inline]
    pub(super) fn arrive(&mut self, class: &PodClass) {
        if !self.is_over {
            for (sum, dimension) in self.arrived.iter_mut().zip(&self.dimensions) {
                *sum += i128::from(class.requests[*dimension]);
            }
            self.is_changed = true;
        }
    }

    /// A pod leaves.
    #[inline]
    pub(super) fn end(&mut self) {
        self.is_over = true;
    }

    /// Some time passes with `requested` bound, by position of the resource.
    #[inline]
    pub(super) fn close_instant(&mut self, capacity: &Capacity, requested: &[i128; DIMENSIONS]) {
        if std::mem::take(&mut self.is_changed) && !self.is_over {
            self.look(capacity.up_now(), requested);
        }
    }

    fn look(&mut self, up: &[i128; DIMENSIONS], requested: &[i128; DIMENSIONS]) {
        for i in 0..self.dimensions.len() {
            if self.at_full_demand[i].is_none() && self.arrived[i] >= up[i] {
                self.at_full_demand[i] = ratio(requested[i], up[i]);
            }
        }
    }

    /// Requests of bound pods / capacity up when so much had been asked for, by position.
    pub(super) fn at_full_demand(&self) -> &[Option<f64>; DIMENSIONS] {
        &self.at_full_demand
    }
}
