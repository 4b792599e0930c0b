//! What a run reports on its way, and what it comes to.

use super::admission::Admission;
use super::{Simulation, SimulationConfig};
use crate::cluster::{Dimension, PodState, Resources, Tier};
use crate::engine::SimTime;
use crate::metrics::{
    MeterConfig, RunContext, RunResult, ScanSummary, ScenarioInfo, SchedulerSummary,
};
use crate::scheduling::{Scheduler as _, Waiting};

/// Blocked classes that are explained one by one at the end of a run.
const EXPLAINED_CLASSES: usize = 3;

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Virtual time.
    pub time: SimTime,
    /// When the run ends, where that is known.
    pub end: Option<SimTime>,
    /// Events handled.
    pub events: u64,
    /// Pods submitted.
    pub pods: u64,
}

/// What the meter needs to know of a run.
pub(super) fn meter_config(config: &SimulationConfig) -> MeterConfig {
    let objectives = config.services.iter().filter_map(|service| {
        service.objective.map(|objective| (service.name.to_string(), objective))
    });
    MeterConfig {
        warmup: config.warmup,
        duration: config.end.map(|end| end - SimTime::ZERO),
        resources: config.metered.clone(),
        usage_known: config.usage_known,
        fragmentation: config.fragmentation,
        objectives: objectives.collect(),
    }
}

impl Simulation {
    pub(super) fn progress(&self) -> Progress {
        Progress {
            time: self.cluster.now(),
            end: self.end,
            events: self.events,
            pods: self.cluster.pods().submitted(),
        }
    }

    /// Closes the books.
    pub(super) fn finish(mut self, info: ScenarioInfo) -> RunResult {
        let end = self.end.unwrap_or(self.cluster.now());
        self.meter.end_instant(&self.cluster);
        self.cluster.advance_to(end.max(self.cluster.now()));
        self.note_overcommit();
        self.note_quota();
        self.note_records();
        self.note_pending();
        let counts = self.scheduler.counts();
        let context = RunContext {
            scenario: info,
            notices: std::mem::take(&mut self.notices),
            source: self.arrivals.statistics(),
            admission: self.admission.as_ref().map_or_else(Vec::new, Admission::summary),
            fingerprint: self.fingerprint.fingerprint().to_string(),
            scheduler: SchedulerSummary {
                attempts: counts.attempts,
                placed: counts.placed,
                unschedulable: counts.unschedulable,
                preempted: counts.preempted,
                nodes_examined: counts.examined,
                scan: counts.scan.map(|scan| ScanSummary {
                    scans: scan.scans,
                    shared: scan.shared,
                    evaluated: scan.evaluated,
                    cache_hits: scan.cache_hits,
                }),
                activity: self.scheduler.activity(self.cluster.now()),
                ..SchedulerSummary::default()
            },
        };
        self.meter.finish(self.cluster.now(), &self.cluster, context)
    }

    fn note_overcommit(&mut self) {
        let overcommit = self.cluster.nodes().overcommit();
        if overcommit.is_none() {
            return;
        }
        let mut stated = Vec::new();
        for dimension in [Dimension::CPU, Dimension::MEMORY] {
            let name = if dimension == Dimension::CPU { "cpu" } else { "memory" };
            let of = |tier: Tier| overcommit.permille(tier, dimension);
            let (low, high) = Tier::ALL
                .iter()
                .fold((i64::MAX, 0), |(low, high), tier| (low.min(of(*tier)), high.max(of(*tier))));
            stated.push(if low == high {
                format!("{name} ×{}.{:03}", low / 1000, low % 1000)
            } else {
                format!(
                    "{name} ×{}.{:03} to ×{}.{:03} by tier",
                    low / 1000,
                    low % 1000,
                    high / 1000,
                    high % 1000
                )
            });
        }
        self.notices.push(format!(
            "Requests are held against stretched capacity (overcommit): {}. Allocation ratios are \
             against what the nodes really have, so they may exceed 100 %.",
            stated.join(", ")
        ));
    }

    /// Production quota is to be backed by machines (EuroSys'15 §2.5).
    fn note_quota(&mut self) {
        let Some(admission) = &self.admission else { return };
        let nodes = self.cluster.nodes();
        let present = nodes.ids().filter(|node| nodes.condition(*node).present);
        let capacity = present.fold(Resources::ZERO, |mut sum, node| {
            sum += *nodes.allocatable(node);
            sum
        });
        for (name, sold, capacity) in admission.oversold(&capacity) {
            self.notices.push(format!(
                "Production and monitoring have quota for {sold} of {name}, the cell has \
                 {capacity}: what is let in may not fit."
            ));
        }
    }

    fn note_records(&mut self) {
        let skipped: u64 = self.arrivals.statistics().skipped.values().sum();
        if skipped > 0 {
            self.notices.push(format!("{skipped} rows of the trace were broken and were skipped."));
        }
        let waiting = self.arrivals.waiting_attempts();
        if waiting > 0 {
            self.notices.push(format!(
                "{waiting} attempts of pods never came in, because the attempt before had not \
                 ended when the run did."
            ));
        }
        let (jobs, pods) = self.dependencies.waiting();
        if let Some((job, before)) = self.dependencies.example() {
            self.notices.push(format!(
                "{jobs} jobs with {pods} pods never came in, because jobs that they wait for were \
                 not over when the run ended (job {job} waits for job {before})."
            ));
        }
        let unknown = self.arrivals.unknown_names();
        if unknown > 0 {
            self.notices.push(format!(
                "{unknown} records named a pod or node that was not in the cell (any more)."
            ));
        }
        if self.refused_resizes > 0 {
            self.notices.push(format!(
                "{} changes of a bound pod's requests were refused for lack of room on its node.",
                self.refused_resizes
            ));
        }
    }

    /// Says why pods are still pending: the classes that most of them are of, and what keeps each
    /// from every node.
    fn note_pending(&mut self) {
        let pending = self.cluster.pods().iter();
        let pending = pending.filter(|(_, pod)| pod.state == PodState::Pending).count();
        if pending == 0 {
            return;
        }
        let waiting =
            self.scheduler.waiting(&self.cluster, &self.resource_names, EXPLAINED_CLASSES);
        self.notices.push(format!(
            "{pending} pods of {} classes are pending at the end of the run.",
            waiting.classes
        ));
        for Waiting { pods, tier, why } in waiting.listed {
            self.notices.push(format!("{pods} pods of tier {}: {why}", tier.name()));
        }
    }
}
