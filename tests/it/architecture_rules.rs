//! What each architecture does in cells so small that it can be said beforehand.

use std::collections::VecDeque;
use std::sync::Arc;

use cellsim::cluster::{GpuRequest, PodTemplate, Resources, Tier};
use cellsim::engine::{SimDuration, SimTime};
use cellsim::metrics::RunResult;
use cellsim::workload::{
    Change, Outcome, PodKey, PodRecord, Record, TemplateIndex, Work, WorkloadKey,
};
use serde_json::{Value, json};

use crate::support::{ListSource, architecture, at, config, node, run, scheduler};

/// A job: when it comes, its tier (0 is batch, 1 is production), its tasks, the cpu of each in
/// millicores, and how long each runs, in seconds.
type Job = (u64, u32, u64, i64, u64);

/// Plays `jobs` on `nodes` nodes of 1,000 millicores each, with room for 10 pods.
fn play(nodes: usize, jobs: &[Job], name: &str, options: &Value) -> RunResult {
    let mut records: Vec<Record> = [Tier::Free, Tier::Production]
        .map(|tier| {
            let template = PodTemplate { tier, priority: tier as i32, ..PodTemplate::default() };
            at(SimTime::ZERO, Change::Template(Arc::new(template)))
        })
        .to_vec();
    let mut key = 0;
    for (number, (time, template, tasks, cpu, run)) in jobs.iter().enumerate() {
        for _ in 0..*tasks {
            key += 1;
            let pod = PodRecord {
                key: PodKey(key),
                tracked: false,
                workload: WorkloadKey(number as u64),
                alone: false,
                template: TemplateIndex(*template),
                requests: Resources::pod(*cpu, 100),
                gpu: GpuRequest::default(),
                work: Work::For { run: SimDuration::from_secs(*run), outcome: Outcome::Finish },
                usage_permille: None,
                alloc_index: None,
            };
            records.push(at(SimTime::from_secs(*time), Change::Submit(pod)));
        }
    }
    let mut config = config(1, scheduler("best-fit"));
    config.nodes = (0..nodes).map(|i| node(&format!("n{i}"), 1000, 1000, 10)).collect();
    config.source = Some(Box::new(ListSource(VecDeque::from(records))));
    config.architecture = Some(architecture(name, options));
    config.check = true;
    run(config)
}

/// Waits from submission to running in seconds: the mean and the longest.
fn waits(result: &RunResult) -> (f64, f64) {
    let all = &result.waiting[0].from_submit;
    (all.mean_s, all.max_s)
}

fn crew(batch: &str, service: &str) -> Value {
    json!([
        {"name": "batch", "tiers": ["free", "best-effort-batch", "mid"], "job": batch, "task": "0"},
        {"name": "service", "tiers": ["production", "monitoring"], "job": service, "task": "0"},
    ])
}

#[test]
fn a_monolithic_scheduler_takes_its_time_for_one_job_after_the_other() {
    let jobs = [(10, 0, 2, 100, 50), (10, 1, 1, 100, 50), (10, 0, 1, 100, 50)];
    let result = play(2, &jobs, "monolithic", &json!({"job": "4s", "task": "1s"}));
    // Production goes first (5 s), then 6 s for two tasks, then 5 s.
    let (mean, longest) = waits(&result);
    assert!((longest - 16.0).abs() < 0.1, "the longest wait is {longest}");
    assert!((mean - (5.0 + 11.0 + 11.0 + 16.0) / 4.0).abs() < 0.1, "the mean wait is {mean}");
    let one = &result.scheduler.activity[0];
    assert_eq!((one.decisions, one.conflicts), (3, 0));
    assert!((one.wait_mean_s.expect("jobs came") - (5.0 + 11.0 + 16.0) / 3.0).abs() < 1e-9);
}

#[test]
fn what_is_pending_at_time_zero_is_how_the_cell_was_found() {
    for name in ["monolithic", "omega", "mesos", "flow"] {
        let options = match name {
            "monolithic" => json!({"job": "1h"}),
            "flow" => json!({"round": "1h"}),
            _ => json!({"schedulers": crew("1h", "1h")}),
        };
        let result = play(4, &[(0, 0, 6, 400, 50), (0, 1, 1, 400, 50)], name, &options);
        assert!(waits(&result).1 < 0.001, "{name}: {:?}", waits(&result));
    }
}

#[test]
fn whoever_commits_second_finds_the_conflict_and_tries_again() {
    let options =
        |conflicts: &str| json!({"schedulers": crew("10s", "4s"), "conflicts": conflicts});
    // Both see one node with room for one.
    let full = [(10, 0, 1, 600, 20), (11, 1, 1, 600, 20)];
    let result = play(1, &full, "omega", &options("resource-fit"));
    let [batch, service] = &result.scheduler.activity[..] else { panic!("there are two") };
    assert_eq!((service.conflicts, batch.conflicts), (0, 1));
    // The second attempt finds no room; the third begins when the service ends, at 35 s.
    assert_eq!((batch.decisions, batch.conflicted), (3, 1));
    assert!((waits(&result).1 - 35.0).abs() < 0.2, "{:?}", waits(&result));
    // There is room for both: a conflict only if any change counts as one.
    let roomy = [(10, 0, 1, 400, 20), (11, 1, 1, 400, 20)];
    let result = play(1, &roomy, "omega", &options("resource-fit"));
    assert_eq!(result.scheduler.activity[0].conflicts, 0);
    let result = play(1, &roomy, "omega", &options("sequence-numbers"));
    assert_eq!(result.scheduler.activity[0].conflicts, 1);
}

#[test]
fn a_gang_waits_for_room_for_all_of_it() {
    let jobs = [(1, 1, 1, 600, 100), (10, 0, 3, 600, 20)];
    let options = |commit: &str| json!({"schedulers": crew("1s", "1s"), "commit": commit});
    let parts = play(3, &jobs, "omega", &options("incremental"));
    assert!(waits(&parts).0 < 11.0, "two start at once: {:?}", waits(&parts));
    let gang = play(3, &jobs, "omega", &options("all-or-nothing"));
    // The service ends at 102 s: the gang starts a second later, after 93 s.
    let (mean, longest) = waits(&gang);
    assert!((longest - 93.0).abs() < 0.5 && mean > 69.0, "mean {mean}, longest {longest}");
}

#[test]
fn a_job_is_given_up_after_its_attempts() {
    // It would fit only while the cell is empty, and loses each time.
    let mut jobs = vec![(5, 0, 1, 1000, 10)];
    jobs.extend((0..40).map(|i| (5 + i, 1, 1, 250, 3)));
    let options = json!({"schedulers": crew("2s", "100ms"), "maxAttempts": 2});
    let result = play(1, &jobs, "omega", &options);
    assert_eq!(result.scheduler.activity[0].abandoned, 1);
    assert_eq!(result.pods.rejected, 1);
}

#[test]
fn an_offer_hides_the_cell_from_the_others_until_it_is_answered() {
    let jobs = [(10, 1, 1, 100, 500), (11, 0, 1, 100, 500)];
    let options = json!({"schedulers": crew("1s", "1min"), "allocator": "1ms"});
    let offers = play(2, &jobs, "mesos", &options);
    // The batch job is offered nothing before the service has answered, at 70 s.
    assert!((waits(&offers).0 - (60.0 + 60.0) / 2.0).abs() < 0.5, "{:?}", waits(&offers));
    let shared = play(2, &jobs, "omega", &json!({"schedulers": crew("1s", "1min")}));
    assert!((waits(&shared).0 - (60.0 + 1.0) / 2.0).abs() < 0.5, "{:?}", waits(&shared));
}

#[test]
fn the_flow_packs_or_spreads_as_its_costs_say_and_waits_as_long_as_that_is_cheaper() {
    // Four pods, one a second, each a quarter of a node.
    let jobs: Vec<Job> = (1..5).map(|i| (i, 0, 1, 250, 100)).collect();
    // A fifth pod that needs a whole node starts at once only where the others are packed.
    let mut with_large = jobs.clone();
    with_large.push((50, 0, 1, 1000, 100));
    let large_waits =
        |costs: &str| waits(&play(4, &with_large, "flow", &json!({"costs": costs}))).1 > 1.0;
    assert!(!large_waits("quincy") && large_waits("load-spreading"));
    // Of cpu and memory 75 % and 90 % would be left: that costs 825, and waiting 100 a second.
    let options = json!({"waitCost": 0, "waitCostPerSecond": 100, "priorityCost": 0});
    let result = play(1, &[(10, 0, 1, 250, 10)], "flow", &options);
    let waited = waits(&result).1;
    assert!((waited - 9.0).abs() < 0.1, "it waited for {waited} s");
}

#[test]
fn late_binding_starts_a_pod_where_room_comes_first() {
    // Both nodes are probed. One is free after 20 s, the other after 60 s.
    let jobs = [(0, 0, 1, 1000, 20), (0, 0, 1, 1000, 60), (5, 1, 1, 1000, 10)];
    let options = json!({"probeRatio": 2, "networkDelay": "0"});
    let result = play(2, &jobs, "sparrow", &options);
    assert_eq!(result.pods.succeeded, 3);
    // The second of the first two may itself have waited for the first.
    assert!(waits(&result).1 <= 20.5, "{:?}", waits(&result));
    // The answer takes a probe, a question and a pod: three trips.
    let options = json!({"probeRatio": 2, "networkDelay": "2s"});
    let result = play(2, &[(5, 1, 1, 1000, 10)], "sparrow", &options);
    assert!((waits(&result).1 - 6.0).abs() < 0.1, "{:?}", waits(&result));
}
