//! Batch schedulers: schedules worked out by hand, and random ones against a second, naive
//! implementation that counts processors second by second.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use cellsim::cluster::{Cluster, Fact, GpuRequest, JobSpec, PodTemplate, Resources};
use cellsim::engine::{SimDuration, SimTime};
use cellsim::metrics::Observer;
use cellsim::scheduling::architectures;
use cellsim::simulation::{Simulation, SimulationConfig};
use cellsim::workload::{
    Change, Outcome, PodKey, PodRecord, Record, TemplateIndex, Work, WorkloadKey,
};
use proptest::prelude::*;

use crate::support::{ListSource, TIER, at, config, node, run, scheduler};

/// A job: when it comes, how many processors it needs, how long it runs and is said to run, all in
/// seconds.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    pub submit: u64,
    pub processors: u32,
    pub run: u64,
    pub estimate: u64,
}

pub fn job(submit: u64, processors: u32, run: u64, estimate: u64) -> Job {
    Job { submit, processors, run, estimate }
}

/// The records of a job called `key`.
pub fn records(key: u64, job: Job, spec: JobSpec) -> Vec<Record> {
    let time = SimTime::from_secs(job.submit);
    let spec = JobSpec {
        pods: job.processors,
        gang: job.processors,
        estimate: Some(SimDuration::from_secs(job.estimate)),
        ..spec
    };
    let declared = Change::Job { key: WorkloadKey(key), spec: Arc::new(spec) };
    let pods = (0..job.processors).map(|number| {
        let run = SimDuration::from_secs(job.run);
        Change::Submit(PodRecord {
            key: PodKey(key * 1000 + u64::from(number)),
            tracked: false,
            workload: WorkloadKey(key),
            alone: false,
            template: TemplateIndex(0),
            requests: Resources::pod(1000, 0),
            gpu: GpuRequest::default(),
            work: Work::For { run, outcome: Outcome::Finish },
            usage_permille: None,
            alloc_index: None,
        })
    });
    std::iter::once(declared).chain(pods).map(|change| at(time, change)).collect()
}

/// The template that `records` name.
pub fn template() -> Record {
    let template = PodTemplate { tier: TIER, ..PodTemplate::default() };
    at(SimTime::ZERO, Change::Template(Arc::new(template)))
}

/// Notes when each job starts and ends, in seconds.
#[derive(Clone, Default)]
pub struct Starts(pub Arc<Mutex<BTreeMap<u64, (u64, u64)>>>);

impl Observer for Starts {
    fn observe(&mut self, now: SimTime, fact: &Fact, cluster: &Cluster) {
        let key = |pod| cluster.workloads().get(cluster.pod(pod).new.workload).key;
        let now = now.0 / 1_000_000;
        let mut starts = self.0.lock().unwrap();
        match *fact {
            Fact::PodStarted { pod, .. } => {
                starts.entry(key(pod)).or_insert((now, 0));
            }
            Fact::PodEnded { pod, .. } => {
                if let Some(times) = starts.get_mut(&key(pod)) {
                    times.1 = now;
                }
            }
            _ => {}
        }
    }
}

/// A cell of `nodes` with `cores` each under `architecture`.
pub fn cell(
    architecture: &str,
    options: &serde_json::Value,
    nodes: usize,
    cores: i64,
) -> SimulationConfig {
    let mut config = config(1, scheduler("first-fit"));
    let entry = architectures().iter().find(|entry| entry.name == architecture);
    let entry = entry.unwrap_or_else(|| panic!("there is no scheduler called {architecture}"));
    config.architecture = Some((entry.build)(options, "".as_ref()).expect("the options are right"));
    config.nodes = (0..nodes).map(|i| node(&format!("n{i}"), cores * 1000, 0, cores)).collect();
    config.check = true;
    config
}

/// Runs to the end; when each job started and ended.
pub fn schedule(mut config: SimulationConfig, records: Vec<Record>) -> BTreeMap<u64, (u64, u64)> {
    config.source = Some(Box::new(ListSource(VecDeque::from(records))));
    let mut simulation = Simulation::new(config).expect("the configuration makes sense");
    let starts = Starts::default();
    simulation.observe(Box::new(starts.clone()));
    simulation.run(&|_| {}).expect("the run goes through");
    starts.0.lock().unwrap().clone()
}

fn starts_of(architecture: &str, nodes: usize, cores: i64, jobs: &[Job]) -> Vec<u64> {
    let mut list = vec![template()];
    for (key, job) in jobs.iter().enumerate() {
        list.extend(records(key as u64, *job, JobSpec::default()));
    }
    let options = serde_json::json!({"order": "fifo"});
    let found = schedule(cell(architecture, &options, nodes, cores), list);
    (0..jobs.len() as u64).map(|key| found[&key].0).collect()
}

/// Ten processors; worked out by hand. The fourth job is short enough to go before the second,
/// and the last takes what the head leaves at its shadow time.
#[test]
fn easy_backfilling_of_five_jobs_is_that_of_a_hand() {
    let jobs = [
        job(0, 6, 4, 4), // runs at once
        job(0, 8, 2, 2), // the head: shadow time 4, two processors beside it
        job(0, 4, 4, 4), // ends at the shadow time: goes first
        job(0, 4, 3, 3), // then nothing is left
        job(0, 2, 10, 10),
    ];
    assert_eq!(starts_of("easy-backfill", 10, 1, &jobs), [0, 4, 0, 6, 4]);
    assert_eq!(starts_of("conservative-backfill", 10, 1, &jobs), [0, 4, 0, 6, 4]);
    assert_eq!(starts_of("job-queue", 10, 1, &jobs), [0, 4, 6, 6, 6]);
    assert_eq!(starts_of("greedy-jobs", 10, 1, &jobs), [0, 4, 0, 6, 4]);
}

/// What sets the two apart (Mu'alem and Feitelson 2001, §2.2): EASY's "extra processors" do not
/// delay the first job but may delay the second; conservative backfilling keeps both promises.
#[test]
fn easy_may_delay_the_second_job_and_conservative_backfilling_none() {
    let jobs = [job(0, 6, 10, 10), job(0, 5, 10, 10), job(0, 10, 10, 10), job(0, 4, 25, 25)];
    assert_eq!(starts_of("easy-backfill", 10, 1, &jobs), [0, 10, 25, 0]);
    assert_eq!(starts_of("conservative-backfill", 10, 1, &jobs), [0, 10, 20, 30]);
}

/// The first job ends at 5 and not at 10, as was said: the others move forward together.
#[test]
fn reservations_are_compressed_when_a_job_ends_before_its_time() {
    let jobs = [job(0, 6, 5, 10), job(0, 5, 10, 10), job(0, 10, 10, 10), job(0, 4, 25, 25)];
    assert_eq!(starts_of("conservative-backfill", 10, 1, &jobs), [0, 5, 15, 25]);
    assert_eq!(starts_of("easy-backfill", 10, 1, &jobs), [0, 5, 25, 0]);
}

/// A head that needs a whole node must not find it taken by somebody who fits elsewhere too.
#[test]
fn backfilled_jobs_keep_off_the_nodes_that_the_head_waits_for() {
    // Two nodes of 4. A running job fills the first until 10. The head needs 8 at 10; a long job of
    // one processor would be in its way wherever it went, a short one is not.
    let jobs = [job(0, 4, 10, 10), job(0, 8, 5, 5), job(0, 1, 20, 20), job(0, 1, 10, 10)];
    assert_eq!(starts_of("easy-backfill", 2, 4, &jobs), [0, 10, 15, 0]);
}

/// Jobs that run for longer than they were said to hold nobody up for ever, and no reservation
/// that they break brings anything down.
#[test]
fn estimates_that_are_too_short_do_no_harm() {
    let jobs = [job(0, 6, 50, 10), job(1, 8, 10, 10), job(2, 4, 100, 20), job(3, 10, 5, 5)];
    for architecture in ["easy-backfill", "conservative-backfill"] {
        let starts = starts_of(architecture, 10, 1, &jobs);
        assert_eq!(starts[0], 0, "{architecture}");
        assert!(starts[1] >= 50 && starts[3] <= 170, "{architecture}: {starts:?}");
    }
}

#[test]
fn shortest_first_goes_by_the_estimate() {
    let jobs = [job(0, 4, 10, 10), job(1, 4, 9, 30), job(2, 4, 20, 20), job(3, 4, 5, 5)];
    let mut list = vec![template()];
    for (key, job) in jobs.iter().enumerate() {
        list.extend(records(key as u64, *job, JobSpec::default()));
    }
    let options = serde_json::json!({"order": "sjf"});
    let found = schedule(cell("job-queue", &options, 4, 1), list);
    let starts: Vec<u64> = (0..4).map(|key| found[&key].0).collect();
    assert_eq!(starts, [0, 35, 15, 10]);
}

/// Pods that belong to no job are jobs of one processor: the same queue as pod by pod.
#[test]
fn single_pods_are_scheduled_as_by_the_pod_at_a_time_scheduler() {
    let results = ["pod-at-a-time", "job-queue", "easy-backfill"].map(|architecture| {
        let null = serde_json::Value::Null;
        let mut config = cell(architecture, &null, 3, 2);
        config.scheduler.queue = cellsim::scheduling::QueueOrder::Fifo;
        config.scheduler.head_of_line_blocking = true;
        let mut list = vec![template()];
        for key in 0..200_u64 {
            let job = job(key * 7, 1, 20 + key * 37 % 60, 1);
            list.extend(records(key, job, JobSpec::default()).into_iter().skip(1));
        }
        config.source = Some(Box::new(ListSource(list.into())));
        run(config).fingerprint
    });
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
}

/// A node is lost: what runs on it is a part of a job, and the whole job begins anew.
#[test]
fn a_gang_that_loses_a_member_starts_again_as_a_whole() {
    use cellsim::failure::ScriptedFault;
    let mut config = cell("easy-backfill", &serde_json::Value::Null, 4, 1);
    config.controllers = vec![Box::new(cellsim::healing::NodeLifecycle::new(SimDuration::ZERO))];
    config.faults = vec![ScriptedFault {
        at: SimTime::from_secs(50),
        lasts: SimDuration::from_secs(30),
        domains: Vec::new(),
        nodes: vec!["n1".to_owned()],
    }];
    let mut list = vec![template()];
    list.extend(records(1, job(0, 4, 100, 100), JobSpec::default()));
    list.extend(records(2, job(10, 4, 10, 10), JobSpec::default()));
    config.source = Some(Box::new(ListSource(list.into())));
    let result = run(config);
    assert_eq!(result.pods.evicted, 4, "one for the node, three for the gang");
    assert_eq!(result.pods.succeeded, 8);
    // It keeps its place: again from 80 to 180, then the other.
    assert_eq!(result.jobs.makespan_s, 190.0);
}

// ---------------------------------------------------------------------------------------------
// The naive implementations.

/// Free processors second by second.
struct Seconds {
    free: Vec<i64>,
}

impl Seconds {
    fn add(&mut self, from: u64, to: u64, amount: i64) {
        (from..to).for_each(|second| self.free[second as usize] += amount);
    }

    fn earliest(&self, from: u64, length: u64, need: i64) -> u64 {
        let fits = |s: u64| (s..s + length).all(|second| self.free[second as usize] >= need);
        (from..).find(|start| fits(*start)).expect("the machine is empty at the end")
    }
}

const HORIZON: usize = 20_000;

/// Conservative backfilling as in Mu'alem and Feitelson's figure 1, with compression in the order
/// of the queue.
fn naive_conservative(machine: i64, jobs: &[Job]) -> Vec<u64> {
    let mut plan = Seconds { free: vec![machine; HORIZON] };
    let mut start: Vec<Option<u64>> = vec![None; jobs.len()];
    let mut promised = vec![u64::MAX; jobs.len()];
    let mut over = vec![false; jobs.len()];
    let need = |i: usize| i64::from(jobs[i].processors);
    for now in 0..HORIZON as u64 / 2 {
        let mut loose = false;
        for i in 0..jobs.len() {
            if !over[i] && start[i].is_some_and(|start| start + jobs[i].run <= now) {
                over[i] = true;
                let end = start[i].unwrap() + jobs[i].estimate;
                plan.add(now, end.max(now), need(i));
                loose |= end > now;
            }
        }
        let waiting: Vec<usize> =
            (0..jobs.len()).filter(|i| start[*i].is_none() && promised[*i] < u64::MAX).collect();
        for i in waiting {
            if loose {
                plan.add(promised[i], promised[i] + jobs[i].estimate, need(i));
                let earlier = plan.earliest(now, jobs[i].estimate, need(i));
                assert!(earlier <= promised[i], "job {i} is delayed beyond its reservation");
                promised[i] = earlier;
                plan.add(earlier, earlier + jobs[i].estimate, -need(i));
            }
        }
        for i in 0..jobs.len() {
            if jobs[i].submit == now {
                promised[i] = plan.earliest(now, jobs[i].estimate, need(i));
                plan.add(promised[i], promised[i] + jobs[i].estimate, -need(i));
            }
            if start[i].is_none() && promised[i] <= now {
                start[i] = Some(now);
            }
        }
    }
    start.into_iter().map(|start| start.expect("all jobs have started")).collect()
}

/// EASY as in Mu'alem and Feitelson's figure 2.
fn naive_easy(machine: i64, jobs: &[Job]) -> Vec<u64> {
    let mut start: Vec<Option<u64>> = vec![None; jobs.len()];
    let mut latest = vec![u64::MAX; jobs.len()];
    for now in 0..HORIZON as u64 / 2 {
        let came = |i: &usize| jobs[*i].submit <= now;
        let runs = |start: &[Option<u64>], i: &usize| {
            start[*i].is_some_and(|start| start + jobs[*i].run > now)
        };
        let need = |i: usize| i64::from(jobs[i].processors);
        let mut shadow: Option<(u64, i64)> = None;
        for i in (0..jobs.len()).filter(came) {
            if start[i].is_some() {
                continue;
            }
            let running: Vec<usize> = (0..jobs.len()).filter(|i| runs(&start, i)).collect();
            let free = machine - running.iter().map(|i| need(*i)).sum::<i64>();
            let Some((time, extra)) = &mut shadow else {
                if need(i) <= free {
                    assert!(now <= latest[i], "job {i} is delayed beyond its reservation");
                    start[i] = Some(now);
                    continue;
                }
                let mut ends: Vec<(u64, i64)> = running
                    .iter()
                    .map(|i| (start[*i].unwrap() + jobs[*i].estimate, need(*i)))
                    .collect();
                ends.sort_unstable();
                let (mut then, mut time) = (free, now);
                for (end, processors) in &ends {
                    if then < need(i) || *end == time {
                        (then, time) = (then + processors, *end);
                    }
                }
                latest[i] = latest[i].min(time);
                shadow = Some((time, then - need(i)));
                continue;
            };
            let in_time = now + jobs[i].estimate <= *time;
            if need(i) <= free && (in_time || need(i) <= *extra) {
                start[i] = Some(now);
                *extra -= if in_time { 0 } else { need(i) };
            }
        }
    }
    start.into_iter().map(|start| start.expect("all jobs have started")).collect()
}

fn any_jobs() -> impl Strategy<Value = Vec<Job>> {
    let one = (0..12_u64, 1..9_u32, 1..40_u64, 0..3_u64, 0..30_u64);
    prop::collection::vec(one, 1..40).prop_map(|list| {
        let mut submit = 0;
        list.into_iter()
            .map(|(gap, processors, run, factor, more)| {
                submit += gap;
                // A third of the estimates is right, the others are too long.
                job(submit, processors, run, run + if factor == 0 { 0 } else { more })
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn easy_starts_every_job_when_the_naive_implementation_does(jobs in any_jobs()) {
        let expected = naive_easy(8, &jobs);
        prop_assert_eq!(&starts_of("easy-backfill", 8, 1, &jobs), &expected);
        // Of one-processor pods it does not matter how processors are spread over nodes.
        prop_assert_eq!(&starts_of("easy-backfill", 2, 4, &jobs), &expected);
    }

    #[test]
    fn conservative_starts_every_job_when_the_naive_implementation_does(jobs in any_jobs()) {
        let expected = naive_conservative(8, &jobs);
        prop_assert_eq!(&starts_of("conservative-backfill", 8, 1, &jobs), &expected);
    }

    /// With estimates that are right, conservative backfilling starts no job later than a strict
    /// queue does.
    #[test]
    fn conservative_backfilling_delays_nobody(jobs in any_jobs()) {
        let exact: Vec<Job> = jobs.iter().map(|job| Job { estimate: job.run, ..*job }).collect();
        let strict = starts_of("job-queue", 8, 1, &exact);
        let backfilled = starts_of("conservative-backfill", 8, 1, &exact);
        for (early, late) in backfilled.iter().zip(&strict) {
            prop_assert!(early <= late, "{backfilled:?} against {strict:?}");
        }
    }
}
