//! What the meter says of resources, tiers, pools, waiting, evictions, work, and over time.

use crate::cluster::{Cluster, Dimension, EvictionCause, PoolId, Tier};
use crate::engine::SimTime;
use crate::metrics::integral::{mean, ratio, seconds};
use crate::metrics::results::{
    Column, EvictionSummary, GroupSummary, ResourceSummary, TimeSeries, WaitingSummary, WorkSummary,
};

use super::Meter;
use super::allocation::USED;
use super::disruption::loss_names;
use super::finish::{Offered, Span, Sums};
use super::fragmentation::PARTS_PER_UNIT;
use super::population::Waiting;

/// Microseconds of a week.
const WEEK_US: f64 = 7.0 * 86_400.0 * 1e6;
/// Declared workloads that have a line in the time series: the first ones.
const WORKLOAD_COLUMNS: usize = 20;
/// Usage is counted in thousandths of the unit of its dimension.
const USAGE_SCALE: i128 = 1000;

impl Meter {
    pub(super) fn resource_summaries(&self, span: Span) -> Vec<ResourceSummary> {
        let sums = self.sums(span.end, |_, _| true);
        let offered = self.offered(span.end, |_| true);
        let peaks = self.capacity.peak_ratios();
        let resources = self.config.resources.iter().enumerate();
        let summary = |(i, resource): (usize, &super::MeteredResource)| {
            let amount = |integral| mean(integral, span.us) / resource.amount_per_unit;
            let used = USED.iter().position(|used| *used == resource.dimension);
            let used = used.filter(|_| self.config.usage_known).map(|k| sums.usage[k]);
            let measured = self.fragmentation.is_measured();
            let [free, usable] = [&self.fragmentation.free[i], &self.fragmentation.usable[i]]
                .map(|integral| integral.until(span.end));
            ResourceSummary {
                resource: resource.name.clone(),
                unit: resource.unit.clone(),
                installed_mean: amount(offered.installed[i]),
                up_mean: amount(offered.up[i]),
                requested_mean: amount(sums.requested[i]),
                allocation_ratio: ratio(sums.requested[i], offered.up[i]),
                effective_allocation_ratio: ratio(sums.requested[i], offered.installed[i]),
                utilization: used.and_then(|usage| ratio(usage, offered.up[i] * USAGE_SCALE)),
                peak_allocation_ratio: peaks[i],
                allocation_at_full_demand: self.filling.at_full_demand()[i],
                fragmented_mean: measured.then(|| amount(free - usable) / PARTS_PER_UNIT as f64),
                fragmentation: ratio(free - usable, free).filter(|_| measured),
            }
        };
        resources.map(summary).collect()
    }

    /// Tiers that had pods in the window.
    pub(super) fn tier_summaries(&self, span: Span) -> Vec<GroupSummary> {
        let offered = self.offered(span.end, |_| true);
        let summary = |tier: &Tier| {
            let live = self.population.live[*tier as usize].until(span.end);
            let submitted = self.population.submitted[*tier as usize];
            let sums = self.sums(span.end, |_, of| of == *tier);
            let had_pods = live > 0 || submitted > 0;
            had_pods.then(|| self.group(tier.name(), submitted, (&sums, live), &offered, span))
        };
        Tier::ALL.iter().filter_map(summary).collect()
    }

    /// All pools. Their running share is of the time that pods were bound there.
    pub(super) fn pool_summaries(&self, span: Span, cluster: &Cluster) -> Vec<GroupSummary> {
        let summary = |(i, name): (usize, &String)| {
            let pool = PoolId::from_index(i);
            let offered = self.offered(span.end, |of| of == pool);
            let sums = self.sums(span.end, |of, _| of == pool);
            self.group(name, sums.placements, (&sums, sums.bound), &offered, span)
        };
        cluster.nodes().pools().iter().enumerate().map(summary).collect()
    }

    fn group(
        &self,
        name: &str,
        pods: u64,
        (sums, wanted): (&Sums, i128),
        offered: &Offered,
        span: Span,
    ) -> GroupSummary {
        let resources = 0..self.config.resources.len();
        GroupSummary {
            name: name.to_owned(),
            pods,
            running_mean: mean(sums.running, span.us),
            allocation_ratio: resources.map(|i| ratio(sums.requested[i], offered.up[i])).collect(),
            running_share: ratio(sums.running, wanted),
        }
    }

    pub(super) fn waiting_summaries(&self, span: Span) -> Vec<WaitingSummary> {
        let mut all = Waiting::default();
        self.population.waiting.iter().for_each(|waiting| all.merge(waiting));
        let tiers = self.tier_summaries(span).into_iter().map(|tier| tier.name);
        let of_tier = |name: String| {
            let tier = Tier::ALL.iter().position(|tier| tier.name() == name)?;
            Some(waiting_summary(name, &self.population.waiting[tier]))
        };
        let first = std::iter::once(waiting_summary("all".to_owned(), &all));
        first.chain(tiers.filter_map(of_tier)).collect()
    }

    pub(super) fn eviction_summaries(&self, span: Span) -> Vec<EvictionSummary> {
        let mut summaries = Vec::new();
        for tier in Tier::ALL {
            let running = self.sums(span.end, |_, of| of == tier).running;
            for cause in EvictionCause::ALL {
                let count = self.disruption.evictions[tier as usize][cause as usize];
                if count > 0 {
                    summaries.push(EvictionSummary {
                        tier: tier.name().to_owned(),
                        cause: cause.name().to_owned(),
                        count,
                        per_task_week: ratio(count.into(), running).map(|rate| rate * WEEK_US),
                    });
                }
            }
        }
        summaries
    }

    /// The total counts runs as far as they lie in the window, those that go on at its end too.
    pub(super) fn work_summary(&self, span: Span) -> WorkSummary {
        let cpu = self.config.resources.iter().find(|r| r.dimension == Dimension::CPU);
        let per_unit = cpu.map_or(1000.0, |resource| resource.amount_per_unit);
        let core_s = |amount: i128| seconds(amount) / per_unit;
        let total = self.sums(span.end, |_, _| true).working_cpu;
        let lost: i128 = self.disruption.lost.iter().sum();
        let causes = loss_names().zip(&self.disruption.lost).filter(|(_, lost)| **lost > 0);
        WorkSummary {
            total_core_s: core_s(total),
            lost_core_s: core_s(lost),
            goodput: ratio(total - lost, total),
            lost_by_cause: causes.map(|(name, lost)| (name.to_owned(), core_s(*lost))).collect(),
        }
    }

    /// What the columns of the time series integrate, in the order of [`Meter::time_series`].
    pub(super) fn integrals(&self, at: SimTime) -> Vec<i128> {
        let sums = self.sums(at, |_, _| true);
        let offered = self.offered(at, |_| true);
        let resources = self.config.resources.len();
        let mut integrals = Vec::new();
        integrals.extend_from_slice(&sums.requested[..resources]);
        integrals.extend_from_slice(&offered.up[..resources]);
        integrals.extend_from_slice(&sums.usage);
        let fragmentation = &self.fragmentation;
        let free = fragmentation.free[..resources].iter().map(|integral| integral.until(at));
        integrals.extend(free);
        let usable = fragmentation.usable[..resources].iter().map(|integral| integral.until(at));
        integrals.extend(usable);
        integrals.extend([self.nodes.up.until(at), self.nodes.present.until(at)]);
        integrals.extend([self.live_until(at) - sums.bound, sums.running]);
        integrals.extend(self.disruption.evictions_by_cause().map(i128::from));
        let shown = self.declared.tracks.iter().take(WORKLOAD_COLUMNS);
        integrals.extend(shown.map(|track| track.ready.until(at)));
        integrals
    }

    pub(super) fn time_series(&self) -> TimeSeries {
        let resources = self.config.resources.len();
        let mut columns = Vec::new();
        for (i, resource) in self.config.resources.iter().enumerate() {
            let values = self.shares(i, resources + i, 1);
            columns.push(column("allocation", &resource.name, values));
        }
        let mut next = 2 * resources;
        for (k, dimension) in USED.iter().enumerate() {
            let measured = self.config.resources.iter().position(|r| r.dimension == *dimension);
            if let Some(i) = measured.filter(|_| self.config.usage_known) {
                let values = self.shares(next + k, resources + i, USAGE_SCALE);
                columns.push(column("utilization", &self.config.resources[i].name, values));
            }
        }
        next += USED.len();
        if self.fragmentation.is_measured() {
            for (i, resource) in self.config.resources.iter().enumerate() {
                let values = self.unusable_shares(next + i, next + resources + i);
                columns.push(column("fragmentation", &resource.name, values));
            }
        }
        next += 2 * resources;
        let fixed =
            [("nodes", "up"), ("nodes", "present"), ("pods", "pending"), ("pods", "running")];
        for (group, name) in fixed {
            columns.push(column(group, name, self.means(next)));
            next += 1;
        }
        for cause in EvictionCause::ALL {
            let counts = self.series.increments(next).into_iter();
            columns.push(column("evictions", cause.name(), counts.map(|n| n as f64).collect()));
            next += 1;
        }
        for track in self.declared.tracks.iter().take(WORKLOAD_COLUMNS) {
            columns.push(column("ready", &track.name, self.means(next)));
            next += 1;
        }
        TimeSeries {
            bucket_s: self.series.bucket().as_secs_f64(),
            time_s: self.series.starts().into_iter().map(SimTime::as_secs_f64).collect(),
            columns,
        }
    }

    /// Mean of a column in each bucket.
    fn means(&self, column: usize) -> Vec<f64> {
        let buckets = self.series.increments(column).into_iter().zip(self.series.lengths_us());
        buckets.map(|(integral, length_us)| mean(integral, length_us)).collect()
    }

    /// What of `free` is not `usable`, as a share of it, in each bucket; zero where nothing is free.
    fn unusable_shares(&self, free: usize, usable: usize) -> Vec<f64> {
        let usable = self.series.increments(usable).into_iter();
        let buckets = self.series.increments(free).into_iter().zip(usable);
        buckets.map(|(free, usable)| mean(free - usable, free)).collect()
    }

    /// One column as a share of another in each bucket; zero where there is nothing to share.
    fn shares(&self, of: usize, whole: usize, scale: i128) -> Vec<f64> {
        let buckets = self.series.increments(of).into_iter().zip(self.series.increments(whole));
        buckets.map(|(part, whole)| mean(part, whole * scale)).collect()
    }
}

fn column(group: &str, name: &str, values: Vec<f64>) -> Column {
    Column { group: group.to_owned(), name: name.to_owned(), values }
}

fn waiting_summary(name: String, waiting: &Waiting) -> WaitingSummary {
    let slowdowns = waiting.slowdown_count;
    WaitingSummary {
        name,
        from_submit: waiting.from_submit.summary(),
        from_eviction: waiting.from_eviction.summary(),
        slowdown_mean: (slowdowns > 0).then(|| waiting.slowdown_sum / slowdowns as f64),
        distribution: waiting.from_submit.distribution(),
    }
}
