//! Queueing theory: a cell of c single-slot nodes under Poisson arrivals and exponential service
//! is an M/M/c queue, whose waiting time and utilization Erlang's C formula gives.

use std::sync::Arc;

use cellsim::cluster::{GpuRequest, PodTemplate, Resources};
use cellsim::engine::{Distribution, Purpose, SimTime, Stream, Streams};
use cellsim::workload::{
    Change, Outcome, PodKey, PodRecord, Record, Source, SourceError, SourceStatistics,
    TemplateIndex, Work, WorkloadKey,
};

use crate::support::{TIER, config, interval_of_twenty, node, run, scheduler};

const SERVERS: usize = 5;
const SERVICE_MEAN_S: f64 = 100.0;
/// Long enough for the queue to forget that it started empty.
const WARMUP_S: u64 = 100_000;
const END_S: u64 = 1_500_000;

/// Poisson arrivals of unit pods with exponential service.
struct Poisson {
    arrivals: Stream,
    services: Stream,
    gap: Distribution,
    service: Distribution,
    now: SimTime,
    sent: u64,
}

impl Poisson {
    fn new(seed: u64, rate: f64) -> Self {
        let streams = Streams { seed, run: 0 };
        Self {
            arrivals: streams.stream(Purpose::Arrival, 0),
            services: streams.stream(Purpose::PodDuration, 0),
            gap: Distribution::exponential(1.0 / rate).expect("a positive mean"),
            service: Distribution::exponential(SERVICE_MEAN_S).expect("a positive mean"),
            now: SimTime::ZERO,
            sent: 0,
        }
    }
}

impl Source for Poisson {
    fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
        self.sent += 1;
        if self.sent == 1 {
            let template = PodTemplate { tier: TIER, ..PodTemplate::default() };
            let change = Change::Template(Arc::new(template));
            return Ok(Some(Record { time: SimTime::ZERO, change }));
        }
        self.now += self.gap.sample_duration(&mut self.arrivals);
        let run = self.service.sample_duration(&mut self.services);
        let pod = PodRecord {
            key: PodKey(self.sent),
            tracked: false,
            workload: WorkloadKey(self.sent),
            alone: true,
            template: TemplateIndex(0),
            requests: Resources::pod(1000, 1),
            gpu: GpuRequest::default(),
            work: Work::For { run, outcome: Outcome::Finish },
            usage_permille: None,
            alloc_index: None,
        };
        Ok(Some(Record { time: self.now, change: Change::Submit(pod) }))
    }

    fn statistics(&self) -> SourceStatistics {
        SourceStatistics::default()
    }
}

/// Probability of having to wait in M/M/c with offered load `a` (Erlang C, by the recursion of
/// Erlang B).
fn erlang_c(servers: usize, a: f64) -> f64 {
    let b = (1..=servers).fold(1.0, |b, k| a * b / (k as f64 + a * b));
    let rho = a / servers as f64;
    b / (1.0 - rho * (1.0 - b))
}

/// (mean wait in seconds, share of cpu in use) of one run.
fn simulate(seed: u64, rate: f64) -> (f64, f64) {
    let mut config = config(seed, scheduler("first-fit"));
    config.nodes = (0..SERVERS).map(|i| node(&format!("server-{i}"), 1000, 10, 1)).collect();
    config.source = Some(Box::new(Poisson::new(seed, rate)));
    config.warmup = SimTime::from_secs(WARMUP_S);
    config.end = Some(SimTime::from_secs(END_S));
    let result = run(config);
    let cpu = &result.resources[0];
    (result.waiting[0].from_submit.mean_s, cpu.allocation_ratio.expect("there is capacity"))
}

#[test]
fn waiting_and_utilization_of_mmc_are_those_of_erlang_c() {
    for load in [0.5, 0.7, 0.85] {
        let offered = load * SERVERS as f64;
        let rate = offered / SERVICE_MEAN_S;
        let runs: Vec<(f64, f64)> = (1..=20).map(|seed| simulate(seed, rate)).collect();
        let waits: Vec<f64> = runs.iter().map(|run| run.0).collect();
        let busy: Vec<f64> = runs.iter().map(|run| run.1).collect();
        let expected =
            erlang_c(SERVERS, offered) * SERVICE_MEAN_S / (SERVERS as f64 * (1.0 - load));
        let (wait, wait_half) = interval_of_twenty(&waits);
        let (share, share_half) = interval_of_twenty(&busy);
        println!(
            "M/M/{SERVERS} at load {load}: wait {wait:.2} ± {wait_half:.2} s, Erlang C {expected:.2}; \
             utilization {share:.4} ± {share_half:.4}"
        );
        assert!((wait - expected).abs() <= wait_half, "load {load}: {wait} against {expected}");
        assert!((share - load).abs() <= share_half, "load {load}: utilization {share}");
        assert!(wait_half < expected * 0.1, "the interval {wait_half} says little");
    }
}
