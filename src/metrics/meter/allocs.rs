//! What alloc instances reserve, and how much of it the pods inside ask for and use.

use crate::cluster::{AllocRole, DIMENSIONS, Dimension, PodClass};
use crate::engine::SimTime;
use crate::metrics::integral::{Integral, mean, ratio};
use crate::metrics::results::{AllocResource, AllocSummary};

use super::Meter;
use super::allocation::{Sign, USED};
use super::finish::Span;

/// Integrals over all allocs of the cell.
#[derive(Clone, Debug, Default)]
pub(super) struct Allocs {
    dimensions: Vec<Dimension>,
    usage_known: bool,
    /// Bound instances.
    pub(super) instances: Integral,
    /// Pods inside of them.
    pub(super) inside: Integral,
    /// Requests of bound instances, by position of the resource.
    pub(super) reserved: [Integral; DIMENSIONS],
    /// Requests of the pods inside, by position of the resource.
    pub(super) requested: [Integral; DIMENSIONS],
    /// Usage of the running ones, in thousandths of the unit of the dimension.
    pub(super) usage: [Integral; USED.len()],
}

impl Allocs {
    pub(super) fn new(dimensions: Vec<Dimension>, usage_known: bool) -> Self {
        Self { dimensions, usage_known, ..Self::default() }
    }

    /// A pod of `class` is bound, or no longer.
    #[inline]
    pub(super) fn bind(&mut self, sign: Sign, class: &PodClass, now: SimTime) {
        let (count, amounts) = match class.alloc {
            AllocRole::None => return,
            AllocRole::Instance => (&mut self.instances, &mut self.reserved),
            AllocRole::Inside => (&mut self.inside, &mut self.requested),
        };
        count.add(sign.of(1), now);
        for (dimension, amount) in self.dimensions.iter().zip(amounts) {
            amount.add(sign.of(class.requests[*dimension]), now);
        }
    }

    /// A pod of `class` that uses `usage_permille` of its requests runs, or no longer.
    #[inline]
    pub(super) fn run(
        &mut self,
        sign: Sign,
        class: &PodClass,
        usage_permille: [u16; USED.len()],
        now: SimTime,
    ) {
        if class.alloc != AllocRole::Inside || !self.usage_known {
            return;
        }
        for ((usage, permille), dimension) in self.usage.iter_mut().zip(usage_permille).zip(USED) {
            usage.add(sign.of(class.requests[dimension] * i64::from(permille)), now);
        }
    }

    /// The window begins.
    pub(super) fn restart(&mut self, now: SimTime) {
        let amounts = self.reserved.iter_mut().chain(&mut self.requested).chain(&mut self.usage);
        amounts.for_each(|integral| integral.restart(now));
        self.instances.restart(now);
        self.inside.restart(now);
    }
}

impl Meter {
    /// What is said of allocs; `None` where no instance was bound in the window.
    pub(super) fn alloc_summary(&self, span: Span) -> Option<AllocSummary> {
        let allocs = &self.allocs;
        let instances = allocs.instances.until(span.end);
        if instances == 0 {
            return None;
        }
        let sums = self.sums(span.end, |_, _| true);
        let resources = self.config.resources.iter().enumerate().map(|(i, resource)| {
            let until = |integrals: &[Integral]| integrals[i].until(span.end);
            let (reserved, requested) = (until(&allocs.reserved), until(&allocs.requested));
            let used = USED.iter().position(|used| *used == resource.dimension);
            let used = used.filter(|_| self.config.usage_known);
            let inside = used.map(|k| allocs.usage[k].until(span.end));
            let elsewhere = used.zip(inside).map(|(k, inside)| sums.usage[k] - inside);
            let share_of = |usage: Option<i128>, amount: i128| ratio(usage?, amount * 1000);
            AllocResource {
                resource: resource.name.clone(),
                reserved_mean: mean(reserved, span.us) / resource.amount_per_unit,
                share_of_allocation: ratio(reserved, sums.requested[i]),
                requested_inside: ratio(requested, reserved),
                utilization: share_of(inside, reserved),
                utilization_elsewhere: share_of(elsewhere, sums.requested[i] - reserved),
            }
        });
        Some(AllocSummary {
            instances_mean: mean(instances, span.us),
            pods_inside_mean: mean(allocs.inside.until(span.end), span.us),
            resources: resources.collect(),
        })
    }
}
