//! Amounts of resources for people.

use crate::cluster::{Dimension, PodClass, Resources};
use crate::metrics::MeteredResource;
use crate::report::format::amount;

/// The resources in use and their units.
#[derive(Clone, Debug)]
pub struct Units(pub Vec<MeteredResource>);

impl Units {
    /// `cpu 2 cores`-like texts of what is not zero, pod slots left out.
    pub fn asks(&self, class: &PodClass) -> Vec<String> {
        let asked = self.0.iter().filter(|resource| {
            resource.dimension != Dimension::PODS && class.requests[resource.dimension] != 0
        });
        asked
            .map(|resource| format!("{} {}", resource.name, text(resource, &class.requests)))
            .collect()
    }

    /// The amount of `resource` in `amounts`.
    pub fn amount(&self, resource: &MeteredResource, amounts: &Resources) -> String {
        text(resource, amounts)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
fn text(resource: &MeteredResource, amounts: &Resources) -> String {
    amount(amounts[resource.dimension] as f64 / resource.amount_per_unit, &resource.unit)
}
