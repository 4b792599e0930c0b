//! Published shapes and closed forms: what decisions that take time do to a cell (Omega,
//! EuroSys'13 §4), and what a few random probes are worth (Mitzenmacher, 2001; Sparrow, SOSP'13).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cellsim::cluster::{Cluster, Fact, GpuRequest, PodTemplate, Resources};
use cellsim::engine::{Distribution, Purpose, SimTime, Stream, Streams};
use cellsim::metrics::{Observer, RunResult, SchedulerActivity};
use cellsim::simulation::{Simulation, SimulationConfig};
use cellsim::workload::{
    Change, Outcome, PodKey, PodRecord, Record, Source, SourceError, SourceStatistics,
    TemplateIndex, Work, WorkloadKey,
};
use serde_json::{Value, json};

use crate::support::{TIER, architecture, config, interval_of_twenty, node, run, scheduler};

/// Poisson arrivals of jobs of equal size, whose tasks run exponentially long.
struct Jobs {
    arrivals: Stream,
    services: Stream,
    gap: Distribution,
    service: Distribution,
    tasks: u64,
    cpu_milli: i64,
    now: SimTime,
    sent: u64,
}

impl Source for Jobs {
    fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
        if self.sent == 0 {
            self.sent = 1;
            let template = PodTemplate { tier: TIER, ..PodTemplate::default() };
            let change = Change::Template(Arc::new(template));
            return Ok(Some(Record { time: SimTime::ZERO, change }));
        }
        if (self.sent - 1).is_multiple_of(self.tasks) {
            self.now += self.gap.sample_duration(&mut self.arrivals);
        }
        let run = self.service.sample_duration(&mut self.services);
        let pod = PodRecord {
            key: PodKey(self.sent),
            tracked: false,
            workload: WorkloadKey((self.sent - 1) / self.tasks),
            alone: false,
            template: TemplateIndex(0),
            requests: Resources::pod(self.cpu_milli, 1),
            gpu: GpuRequest::default(),
            work: Work::For { run, outcome: Outcome::Finish },
            usage_permille: None,
            alloc_index: None,
        };
        self.sent += 1;
        Ok(Some(Record { time: self.now, change: Change::Submit(pod) }))
    }

    fn statistics(&self) -> SourceStatistics {
        SourceStatistics::default()
    }
}

/// A cell and its load.
#[derive(Clone, Copy)]
struct Cell {
    nodes: usize,
    /// Tasks that a node holds.
    slots: i64,
    jobs_per_s: f64,
    tasks: u64,
    run_s: f64,
    warmup_s: u64,
    end_s: u64,
}

impl Cell {
    fn config(&self, seed: u64, placement: &str, name: &str, options: &Value) -> SimulationConfig {
        let streams = Streams { seed, run: 0 };
        let mut config = config(seed, scheduler(placement));
        let (cpu, slots) = (self.slots * 1000, self.slots);
        config.nodes = (0..self.nodes).map(|i| node(&format!("n{i}"), cpu, 1000, slots)).collect();
        config.source = Some(Box::new(Jobs {
            arrivals: streams.stream(Purpose::Arrival, 0),
            services: streams.stream(Purpose::PodDuration, 0),
            gap: Distribution::exponential(1.0 / self.jobs_per_s).expect("a positive mean"),
            service: Distribution::exponential(self.run_s).expect("a positive mean"),
            tasks: self.tasks,
            cpu_milli: 1000,
            now: SimTime::ZERO,
            sent: 0,
        }));
        config.architecture = Some(architecture(name, options));
        config.warmup = SimTime::from_secs(self.warmup_s);
        config.end = Some(SimTime::from_secs(self.end_s));
        config
    }

    /// One figure of twenty runs.
    fn twenty(
        &self,
        name: &str,
        options: &Value,
        figure: impl Fn(&RunResult) -> f64,
    ) -> (f64, f64) {
        let one = |seed| figure(&run(self.config(seed, "random", name, options)));
        let values: Vec<f64> = (1..=20).map(one).collect();
        interval_of_twenty(&values)
    }
}

/// Several intervals are asked to hold at once: 99.5 % for each (Bonferroni, ten of them) are so
/// much wider than 95 % (Student's t with 19 degrees of freedom, 3.174 over 2.093).
const ALL_AT_ONCE: f64 = 1.517;

fn assert_within(what: &str, (mean, half): (f64, f64), expected: f64) {
    println!("{what}: {mean:.4} ± {half:.4}, expected {expected:.4}");
    assert!(
        (mean - expected).abs() <= half * ALL_AT_ONCE,
        "{what}: {mean} ± {half} against {expected}"
    );
    assert!(half < expected * 0.1, "{what}: the interval {half} says little of {expected}");
}

#[test]
fn a_scheduler_is_as_busy_as_its_jobs_make_it_and_they_wait_as_theory_says() {
    let quick = Cell {
        nodes: 20,
        slots: 100,
        jobs_per_s: 0.5,
        tasks: 1,
        run_s: 60.0,
        warmup_s: 0,
        end_s: 20_000,
    };
    let busy = |result: &RunResult| result.scheduler.activity[0].busy;
    let wait = |result: &RunResult| result.scheduler.activity[0].wait_mean_s.expect("jobs came");
    for (job_s, load) in [(0.2, 0.1), (1.0, 0.5), (1.6, 0.8)] {
        let options = json!({"job": format!("{job_s}s")});
        assert_within(
            &format!("busyness at {job_s} s a job"),
            quick.twenty("monolithic", &options, busy),
            load,
        );
        // Pollaczek and Khinchine: M/D/1.
        let expected = job_s + load * job_s / (2.0 * (1.0 - load));
        let what = format!("job wait at {job_s} s a job");
        assert_within(&what, quick.twenty("monolithic", &options, wait), expected);
    }
    // M/M/1.
    let random = json!({"job": {"exponential": {"mean": "1s"}}});
    let expected = 1.0 / (1.0 - 0.5);
    let what = "job wait at a random 1 s a job";
    assert_within(what, quick.twenty("monolithic", &random, wait), expected);
    // Tasks count as well, and a scheduler cannot be more than busy.
    let larger = Cell { tasks: 20, jobs_per_s: 0.1, ..quick };
    let options = json!({"job": "1s", "task": "100ms"});
    assert_within("busyness with tasks", larger.twenty("monolithic", &options, busy), 0.3);
    let (saturated, _) = quick.twenty("monolithic", &json!({"job": "4s"}), busy);
    assert!(saturated > 0.999, "it is busy for {saturated}");
}

/// The mean conflict fraction and busyness of all schedulers of a run.
fn conflicts_and_busyness(result: &RunResult) -> (f64, f64) {
    let all = &result.scheduler.activity;
    let sum = |of: fn(&SchedulerActivity) -> f64| all.iter().map(of).sum::<f64>();
    let conflicted = sum(|one| one.conflicted as f64);
    let clean = sum(|one| one.conflicted as f64 / one.conflict_fraction.max(1e-12));
    (conflicted / clean.max(1.0), sum(|one| one.busy) / all.len() as f64)
}

/// A cell that is nearly full, for schedulers on shared state.
const CONTENDED: Cell = Cell {
    nodes: 300,
    slots: 8,
    jobs_per_s: 0.8,
    tasks: 10,
    run_s: 225.0,
    warmup_s: 0,
    end_s: 6_000,
};

fn omega(schedulers: u64, job: &str, conflicts: &str, commit: &str) -> Value {
    json!({
        "schedulers": [{"name": "batch", "count": schedulers, "job": job, "task": "5ms"}],
        "conflicts": conflicts,
        "commit": commit,
    })
}

/// Conflict fraction and busyness, over three seeds.
fn contended(options: &Value) -> (f64, f64) {
    let runs: Vec<(f64, f64)> = (1..=3)
        .map(|seed| {
            conflicts_and_busyness(&run(CONTENDED.config(seed, "random", "omega", options)))
        })
        .collect();
    let mean = |of: fn(&(f64, f64)) -> f64| runs.iter().map(of).sum::<f64>() / runs.len() as f64;
    let (fraction, busy) = (mean(|run| run.0), mean(|run| run.1));
    println!("{options}: conflict fraction {fraction:.4}, busyness {busy:.4}");
    (fraction, busy)
}

#[test]
fn conflicts_grow_with_schedulers_and_decision_time_and_with_coarser_rules() {
    let fine = |schedulers, job| contended(&omega(schedulers, job, "resource-fit", "incremental"));
    // More schedulers, each with a share of the same load (Omega, Fig. 9).
    let by_count = [2, 4, 8, 16].map(|count| fine(count, "1s").0);
    assert!(by_count.is_sorted() && by_count[0] < 0.75 * by_count[3], "{by_count:?}");
    // Longer decisions (Omega, Fig. 8).
    let by_time = ["100ms", "1s", "4s", "8s"].map(|job| fine(16, job));
    let fractions = by_time.map(|(fraction, _)| fraction);
    assert!(fractions.is_sorted() && fractions[3] > 10.0 * fractions[0], "{fractions:?}");
    // Without conflicts: arrival rate × decision time, over the schedulers; with them more.
    for ((_, busy), job_s) in by_time.iter().zip([0.1, 1.0, 4.0, 8.0]) {
        let alone = CONTENDED.jobs_per_s * (job_s + 0.005 * CONTENDED.tasks as f64) / 16.0;
        assert!((0.97..1.6).contains(&(busy / alone)), "{busy} against {alone}");
    }
    let (fine_1s, fine_8s) = (fractions[1], fractions[3]);
    // Coarse-grained detection: 2 to 3 times the conflicts; gangs: about double (Omega, Fig. 14).
    let coarse = contended(&omega(16, "1s", "sequence-numbers", "incremental")).0;
    assert!((2.0..4.0).contains(&(coarse / fine_1s)), "coarse {coarse}, fine {fine_1s}");
    let gang = contended(&omega(16, "8s", "resource-fit", "all-or-nothing")).0;
    assert!((1.4..2.5).contains(&(gang / fine_8s)), "gang {gang}, incremental {fine_8s}");
}

/// Counts pods, and those that were bound the instant they came.
#[derive(Clone, Default)]
struct AtOnce {
    from: SimTime,
    pods: Arc<AtomicU64>,
    at_once: Arc<AtomicU64>,
}

impl Observer for AtOnce {
    fn observe(&mut self, now: SimTime, fact: &Fact, cluster: &Cluster) {
        if let Fact::PodBound { pod, .. } = fact
            && now >= self.from
        {
            self.pods.fetch_add(1, Ordering::Relaxed);
            let came = cluster.pod(*pod).submitted_at == now;
            self.at_once.fetch_add(u64::from(came), Ordering::Relaxed);
        }
    }
}

/// Nodes with one slot at `load`, for single tasks of 100 s.
fn supermarket(nodes: usize, load: f64, warmup: u64, services: u64) -> Cell {
    Cell {
        nodes,
        slots: 1,
        jobs_per_s: load * nodes as f64 / 100.0,
        tasks: 1,
        run_s: 100.0,
        warmup_s: warmup * 100,
        end_s: (warmup + services) * 100,
    }
}

/// Mean wait over mean service time where each of many queues is joined if it is the shortest of
/// `d` (Mitzenmacher, 2001, corollary to theorem 1): Σ over i ≥ 2 of ρ^((dⁱ − d) / (d − 1)).
fn supermarket_wait(load: f64, d: i32) -> f64 {
    if d == 1 {
        return load / (1.0 - load);
    }
    let terms = (2..12).map(|i| {
        let exponent = (libm::pow(f64::from(d), f64::from(i)) - f64::from(d)) / f64::from(d - 1);
        libm::pow(load, exponent)
    });
    terms.sum()
}

#[test]
fn a_choice_of_the_shortest_of_d_queues_is_worth_what_mitzenmacher_says() {
    let early = |d: i32| json!({"probeRatio": d, "lateBinding": false, "sampling": "per-task", "networkDelay": "0"});
    // One queue is independent of the others, but forgets slowly; two choices need many nodes.
    let quick = [(1, 0.5, 100, 100, 400), (2, 0.7, 500, 20, 40)];
    let long = [
        (1, 0.7, 100, 400, 1200),
        (1, 0.9, 40, 2000, 8000),
        (2, 0.5, 1000, 20, 60),
        (2, 0.9, 1000, 60, 60),
    ];
    let long: &[_] = if cfg!(debug_assertions) { &[] } else { &long };
    for (d, load, nodes, warmup, services) in quick.iter().chain(long) {
        let cell = supermarket(*nodes, *load, *warmup, *services);
        let wait = |result: &RunResult| result.waiting[0].from_submit.mean_s / 100.0;
        let measured = cell.twenty("sparrow", &early(*d), wait);
        let what = format!("wait with {d} probes at load {load}, in service times");
        assert_within(&what, measured, supermarket_wait(*load, *d));
    }
}

/// What became of one run: the load that it really had, mean job completion in seconds, and the
/// share of pods that were bound at once.
fn look(cell: &Cell, name: &str, options: &Value) -> (f64, f64, f64) {
    let config = cell.config(1, "random", name, options);
    let mut simulation = Simulation::new(config).expect("it makes sense");
    let from = SimTime::from_secs(cell.warmup_s);
    let counter = AtOnce { from, ..AtOnce::default() };
    simulation.observe(Box::new(counter.clone()));
    let result = simulation.run(&|_| {}).expect("it goes through");
    let pods = counter.pods.load(Ordering::Relaxed) as f64;
    let at_once = counter.at_once.load(Ordering::Relaxed) as f64 / pods;
    let load = result.resources[0].allocation_ratio.expect("there is capacity");
    let completion = result.jobs.completion.mean_s;
    println!("{name} {options}: load {load:.4}, job {completion:.1} s, at once {at_once:.4}");
    (load, completion, at_once)
}

fn sparrow(ratio: f64, late: bool, sampling: &str) -> Value {
    json!({
        "probeRatio": ratio,
        "lateBinding": late,
        "sampling": sampling,
        "networkDelay": "0",
    })
}

#[test]
fn a_pod_starts_at_once_if_one_of_its_probes_finds_an_idle_node() {
    let cell = supermarket(600, 0.8, 40, 60);
    for d in [1, 2, 3] {
        let (load, _, at_once) = look(&cell, "sparrow", &sparrow(f64::from(d), false, "per-task"));
        // All d are busy with probability ρ^d.
        let expected = 1.0 - libm::pow(load, f64::from(d));
        assert!((at_once / expected - 1.0).abs() < 0.03, "{at_once} against {expected}");
    }
}

#[test]
fn late_binding_and_batches_are_worth_more_than_more_choices() {
    // Jobs of ten tasks at 80 % load, as in Sparrow's own simulations (§3).
    let cell = Cell { tasks: 10, jobs_per_s: 0.32, ..supermarket(400, 0.8, 30, 60) };
    let job = |name: &str, options: &Value| look(&cell, name, options).1;
    let random = job("sparrow", &sparrow(1.0, false, "per-task"));
    let per_task = job("sparrow", &sparrow(2.0, false, "per-task"));
    let batch = job("sparrow", &sparrow(2.0, false, "batch"));
    let late = job("sparrow", &sparrow(2.0, true, "batch"));
    let ideal = job("pod-at-a-time", &Value::Null);
    assert!(random > 2.0 * per_task, "{random} against {per_task}");
    assert!(batch < 0.9 * per_task, "{batch} against {per_task}");
    assert!(late < 0.9 * batch, "{late} against {batch}");
    assert!((1.0..1.15).contains(&(late / ideal)), "{late} against {ideal}");
}
