//! The end of a run: closes the window and puts the result together.

use crate::cluster::{Cluster, DIMENSIONS, PoolId, Tier};
use crate::engine::SimTime;
use crate::metrics::integral::{mean, ratio, seconds};
use crate::metrics::results::{
    LittlesLaw, PodCounts, RunResult, SCHEMA_VERSION, SchedulerSummary, Window, WorkloadSummary,
};

use super::Meter;
use super::allocation::{Cell, USED};
use super::config::RunContext;
use super::declared::DeclaredTrack;

/// The closed window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: SimTime,
    pub(super) end: SimTime,
    /// Length; zero where the run was over before the warm-up.
    pub(super) us: i128,
}

/// Integrals over the window for some pods.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) bound: i128,
    pub(super) running: i128,
    pub(super) working_cpu: i128,
    pub(super) usage: [i128; USED.len()],
    pub(super) requested: [i128; DIMENSIONS],
    pub(super) placements: u64,
}

impl Sums {
    fn add(&mut self, cell: &Cell, end: SimTime) {
        self.bound += cell.bound.until(end);
        self.running += cell.running.until(end);
        self.working_cpu += cell.working_cpu.until(end);
        self.placements += cell.placements;
        let usage = self.usage.iter_mut().zip(&cell.usage);
        usage.for_each(|(sum, integral)| *sum += integral.until(end));
        let requested = self.requested.iter_mut().zip(&cell.requested);
        requested.for_each(|(sum, integral)| *sum += integral.until(end));
    }
}

/// Capacity of some nodes over the window, by position of the resource.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Offered {
    pub(super) installed: [i128; DIMENSIONS],
    pub(super) up: [i128; DIMENSIONS],
}

impl Meter {
    /// Ends the measurement at `end`, which is not before the last fact, and says what the run
    /// came to. `cluster` is the cell as the last event left it.
    pub fn finish(mut self, end: SimTime, cluster: &Cluster, context: RunContext) -> RunResult {
        let span = self.close(end);
        let outages = self.declared.finish(end);
        let integrals = self.integrals(end);
        self.series.finish(end, &integrals);
        let pods = self.pod_counts();
        RunResult {
            schema_version: SCHEMA_VERSION,
            cellsim_version: env!("CARGO_PKG_VERSION").to_owned(),
            fingerprint: context.fingerprint,
            scenario: context.scenario,
            notices: context.notices,
            window: Window {
                start_s: span.start.as_secs_f64(),
                end_s: end.as_secs_f64(),
                length_s: seconds(span.us),
            },
            resources: self.resource_summaries(span),
            target_workload: self.fragmentation.summary(),
            tiers: self.tier_summaries(span),
            pools: self.pool_summaries(span, cluster),
            pods,
            admission: context.admission,
            preferences: self.preferences.summary(),
            waiting: self.waiting_summaries(span),
            evictions: self.eviction_summaries(span),
            work: self.work_summary(span),
            nodes: self.nodes.summary(end, span.us),
            reliability: self.nodes.reliability(end, cluster),
            domains: self.domains.summary(end),
            workloads: self.workload_summaries(span),
            outages,
            jobs: self.jobs.summary(self.population.last_end),
            batch: self.jobs.batch_summary(),
            allocs: self.alloc_summary(span),
            scheduler: self.scheduler_summary(span, context.scheduler),
            littles_law: self.littles_law(span, cluster),
            source: context.source,
            timeseries: self.time_series(),
        }
    }

    fn close(&mut self, end: SimTime) -> Span {
        if end > self.now {
            self.advance(end);
        }
        if !self.is_warm {
            self.open_window(end);
        }
        let start = self.window_start;
        Span { start, end, us: i128::from(end.since(start).0) }
    }

    /// Integrals until `end` for the pods of the cells that `wanted` picks.
    pub(super) fn sums(&self, end: SimTime, wanted: impl Fn(PoolId, Tier) -> bool) -> Sums {
        let mut sums = Sums::default();
        for (pool, tier, cell) in self.allocation.cells() {
            if wanted(pool, tier) {
                sums.add(cell, end);
            }
        }
        sums
    }

    /// Capacity until `end` of the pools that `wanted` picks.
    pub(super) fn offered(&self, end: SimTime, wanted: impl Fn(PoolId) -> bool) -> Offered {
        let mut offered = Offered::default();
        for (i, pool) in self.capacity.pools().iter().enumerate() {
            if wanted(PoolId::from_index(i)) {
                let installed = offered.installed.iter_mut().zip(&pool.installed);
                installed.for_each(|(sum, integral)| *sum += integral.until(end));
                let up = offered.up.iter_mut().zip(&pool.up);
                up.for_each(|(sum, integral)| *sum += integral.until(end));
            }
        }
        offered
    }

    /// Pod-time between submission and end, of all tiers.
    pub(super) fn live_until(&self, end: SimTime) -> i128 {
        self.population.live.iter().map(|integral| integral.until(end)).sum()
    }

    fn pod_counts(&self) -> PodCounts {
        let cells = || self.allocation.cells().map(|(_, _, cell)| cell);
        let bound: i128 = cells().map(|cell| cell.bound.value()).sum();
        let running: i128 = cells().map(|cell| cell.running.value()).sum();
        PodCounts {
            running_at_end: running as u64,
            pending_at_end: self.population.pending_now,
            waiting_on_node_at_end: (bound - running) as u64,
            ..self.population.counts
        }
    }

    fn scheduler_summary(&self, span: Span, counted: SchedulerSummary) -> SchedulerSummary {
        let bound = self.sums(span.end, |_, _| true).bound;
        SchedulerSummary {
            pending_mean: mean(self.live_until(span.end) - bound, span.us),
            pending_peak: self.population.pending_peak,
            ..counted
        }
    }

    /// The second side is counted pod by pod from what the cluster remembers of their submission,
    /// not from the facts that the integral is made of.
    fn littles_law(&self, span: Span, cluster: &Cluster) -> LittlesLaw {
        let still_there = cluster
            .pods()
            .iter()
            .map(|(_, pod)| i128::from(span.end.since(pod.submitted_at.max(span.start)).0));
        let sojourn_us = self.population.sojourn_us as i128 + still_there.sum::<i128>();
        let live_us = self.live_until(span.end);
        LittlesLaw {
            pods_mean: mean(live_us, span.us),
            pods_from_sojourn: mean(sojourn_us, span.us),
            relative_difference: mean((live_us - sojourn_us).abs(), live_us),
        }
    }

    fn workload_summaries(&self, span: Span) -> Vec<WorkloadSummary> {
        self.declared.tracks.iter().map(|track| self.workload_summary(track, span)).collect()
    }

    /// A workload is judged over the part of the window since it was declared.
    fn workload_summary(&self, track: &DeclaredTrack, span: Span) -> WorkloadSummary {
        let watched_us = i128::from(span.end.since(span.start.max(track.since)).0);
        let outage_us = i128::from(track.outage_us);
        let available = ratio(watched_us - outage_us, watched_us);
        let unavailable = ratio(outage_us, watched_us).unwrap_or(0.0);
        let of_name = |(name, _): &&(String, f64)| **name == *track.name;
        let objective = self.config.objectives.iter().find(of_name).map(|(_, share)| *share);
        let budget = objective.map(|share| 1.0 - share).filter(|budget| *budget > 0.0);
        WorkloadSummary {
            name: track.name.to_string(),
            wanted: track.wanted_now,
            minimum_ready: track.minimum_ready,
            pod_availability: ratio(track.served.until(span.end), track.wanted.until(span.end)),
            service_availability: available,
            nines: (unavailable > 0.0).then(|| 0.0 - libm::log10(unavailable)),
            outages: track.outages,
            outage_s: seconds(outage_us),
            longest_outage_s: seconds(i128::from(track.longest_us)),
            mttr_s: ratio(outage_us, i128::from(track.outages)).map(|us| us / 1e6),
            mtbf_s: ratio(watched_us, i128::from(track.outages)).map(|us| us / 1e6),
            objective,
            budget_burned: available.and(budget).map(|budget| unavailable / budget),
            crashes: track.crashes,
            evictions: track.evictions,
            recovery: track.recovery(),
        }
    }
}
