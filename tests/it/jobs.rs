//! Jobs that wait for others: on an idle cell the makespan is the critical path.

use cellsim::cluster::JobSpec;
use cellsim::engine::SimDuration;
use cellsim::simulation::{Simulation, SimulationError};
use cellsim::workload::Source;
use cellsim::workload::native::{Native, NativeConfig};

use crate::batch::{cell, job, records, schedule, template};
use crate::support::ListSource;

/// Runs tasks of (key, seconds, what it waits for), all of them submitted at once; when each began
/// and ended.
fn run_dag(tasks: &[(u64, u64, &[u64])]) -> std::collections::BTreeMap<u64, (u64, u64)> {
    let mut list = vec![template()];
    for (key, seconds, after) in tasks {
        let spec = JobSpec { after: after.to_vec(), followed: true, ..JobSpec::default() };
        list.extend(records(*key, job(0, 2, *seconds, *seconds), spec));
    }
    schedule(cell("pod-at-a-time", &serde_json::Value::Null, 100, 1), list)
}

#[test]
fn the_makespan_of_a_chain_is_the_sum_of_its_tasks() {
    let found = run_dag(&[(1, 10, &[]), (2, 20, &[1]), (3, 30, &[2])]);
    assert_eq!(found[&2], (10, 30));
    assert_eq!(found[&3], (30, 60));
}

#[test]
fn the_makespan_of_a_diamond_is_its_longer_side() {
    // Declared in an order in which nothing is known of what is waited for.
    let found = run_dag(&[(4, 5, &[2, 3]), (3, 40, &[1]), (2, 20, &[1]), (1, 10, &[])]);
    assert_eq!((found[&2].0, found[&3].0), (10, 10));
    assert_eq!(found[&4], (50, 55));
}

#[test]
fn a_job_follows_another_after_its_think_time() {
    let mut list = vec![template()];
    let first = JobSpec { followed: true, ..JobSpec::default() };
    list.extend(records(1, job(0, 1, 100, 100), first));
    let delay = SimDuration::from_secs(30);
    let second = JobSpec { after: vec![1], delay, ..JobSpec::default() };
    list.extend(records(2, job(50, 1, 10, 10), second.clone()));
    // The job it follows has been over for 20 s, then for longer than it thinks.
    list.extend(records(3, job(120, 1, 10, 10), second.clone()));
    list.extend(records(4, job(500, 1, 10, 10), second));
    let found = schedule(cell("easy-backfill", &serde_json::Value::Null, 4, 1), list);
    assert_eq!((found[&2].0, found[&3].0, found[&4].0), (130, 130, 500));
}

#[test]
fn jobs_that_wait_for_each_other_are_refused_by_name() {
    let mut list = vec![template()];
    for (key, before) in [(1, 3), (2, 1), (3, 2)] {
        let spec = JobSpec { after: vec![before], followed: true, ..JobSpec::default() };
        list.extend(records(key, job(0, 1, 1, 1), spec));
    }
    let mut config = cell("pod-at-a-time", &serde_json::Value::Null, 4, 1);
    config.source = Some(Box::new(ListSource(list.into())));
    let error = Simulation::new(config).unwrap().run(&|_| {}).unwrap_err();
    assert!(matches!(error, SimulationError::Cycle(_)));
    assert!(error.to_string().contains("1 → 3 → 2 → 1"), "{error}");
}

#[test]
fn a_job_that_waits_for_nobody_who_comes_is_told_of() {
    let mut list = vec![template()];
    let spec = JobSpec { after: vec![9], ..JobSpec::default() };
    list.extend(records(1, job(0, 2, 1, 1), spec));
    let mut config = cell("pod-at-a-time", &serde_json::Value::Null, 4, 1);
    config.source = Some(Box::new(ListSource(list.into())));
    let result = crate::support::run(config);
    assert_eq!(result.pods.submitted, 0);
    let told = |notice: &String| notice.contains("job 1 waits for job 9");
    assert!(result.notices.iter().any(told), "{:?}", result.notices);
}

fn native(pods: &str) -> Result<Native, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pods.csv"), pods).unwrap();
    let config = NativeConfig { folder: folder.path().into(), strict: true };
    Native::open(&config).map_err(|error| error.to_string())
}

#[test]
fn the_csv_says_what_waits_for_what() {
    let text = "time_us,pod,workload,cpu_milli,pods,run_us,after\n\
                0,0,1,1000,1,10000000,\n\
                0,1,2,1000,1,20000000,1\n\
                0,2,3,1000,1,40000000,1\n\
                0,3,3,1000,1,30000000,\n\
                0,4,4,1000,1,5000000,2 3\n";
    let mut source = native(text).unwrap();
    let mut list = Vec::new();
    while let Some(record) = source.next_record().unwrap() {
        list.push(record);
    }
    let found = schedule(cell("pod-at-a-time", &serde_json::Value::Null, 4, 1), list);
    assert_eq!((found[&2].0, found[&3], found[&4]), (10, (10, 50), (50, 55)));
}

#[test]
fn a_csv_with_a_circle_is_refused_before_anything_runs() {
    let text = "time_us,pod,run_us,after\n0,1,1,2\n0,2,1,3\n0,3,1,1\n0,4,1,1\n";
    let error = native(text).map(|_| ()).unwrap_err();
    assert!(error.contains("pods.csv") && error.contains("1 → 2 → 3 → 1"), "{error}");
}
