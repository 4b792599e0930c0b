//! Fair sharing: the example of the paper, the properties that the paper proves, quotas, borrowing
//! and reclaiming.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use cellsim::cluster::{Cluster, Fact, GpuRequest, JobSpec, Resources};
use cellsim::engine::SimTime;
use cellsim::metrics::{Observer, RunResult};
use cellsim::simulation::Simulation;
use cellsim::workload::{Change, PodKey, PodRecord, Record, TemplateIndex, Work, WorkloadKey};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::batch::{cell, template};
use crate::support::{ListSource, at, node};

/// Pods that ask for the same and run until they are stopped.
#[derive(Clone, Debug)]
struct User {
    queue: &'static str,
    from_s: u64,
    count: u64,
    gang: u32,
    cpu: i64,
    memory: i64,
}

fn user(queue: &'static str, cpu: i64, memory: i64) -> User {
    User { queue, from_s: 0, count: 60, gang: 1, cpu, memory }
}

/// The pods of `user`: as jobs of `gang` pods each.
fn pods_of(number: u64, user: &User) -> Vec<Record> {
    let time = SimTime::from_secs(user.from_s);
    let size = u64::from(user.gang);
    let mut records = Vec::new();
    for index in 0..user.count {
        let job = number * 10_000 + index / size;
        if index % size == 0 {
            let spec = JobSpec {
                pods: user.gang,
                gang: user.gang,
                queue: user.queue.into(),
                ..JobSpec::default()
            };
            records.push(at(time, Change::Job { key: WorkloadKey(job), spec: Arc::new(spec) }));
        }
        let pod = PodRecord {
            key: PodKey(number * 10_000 + index),
            tracked: false,
            workload: WorkloadKey(job),
            alone: false,
            template: TemplateIndex(0),
            requests: Resources::pod(user.cpu * 1000, user.memory),
            gpu: GpuRequest::default(),
            work: Work::UntilStopped,
            usage_permille: None,
            alloc_index: None,
        };
        records.push(at(time, Change::Submit(pod)));
    }
    records
}

/// Counts the pods that run, by user.
#[derive(Clone, Default)]
struct Running(Arc<Mutex<BTreeMap<u64, u64>>>);

impl Observer for Running {
    fn observe(&mut self, _: SimTime, fact: &Fact, cluster: &Cluster) {
        let user = |pod| cluster.pod(pod).new.key / 10_000;
        let mut running = self.0.lock().unwrap();
        match *fact {
            Fact::PodStarted { pod, .. } => *running.entry(user(pod)).or_default() += 1,
            Fact::PodStopped { pod, .. } => *running.entry(user(pod)).or_default() -= 1,
            _ => {}
        }
    }
}

/// Fills nodes of (cpu, memory); how many pods of each user run in the end.
fn share(options: &Value, nodes: &[(i64, i64)], users: &[User]) -> (Vec<u64>, RunResult) {
    let mut config = cell("fair-share", options, 0, 1);
    let node = |(i, (cpu, memory)): (usize, &(i64, i64))| {
        node(&format!("n{i}"), cpu * 1000, *memory, 1000)
    };
    config.nodes = nodes.iter().enumerate().map(node).collect();
    let mut list: Vec<Record> =
        users.iter().enumerate().flat_map(|(number, user)| pods_of(number as u64, user)).collect();
    list.sort_by_key(|record| record.time);
    list.insert(0, template());
    config.source = Some(Box::new(ListSource(list.into())));
    config.end = Some(SimTime::from_secs(1000));
    let mut simulation = Simulation::new(config).expect("the configuration makes sense");
    let running = Running::default();
    simulation.observe(Box::new(running.clone()));
    let result = simulation.run(&|_| {}).expect("the run goes through");
    let running = running.0.lock().unwrap();
    let counts = (0..users.len() as u64).map(|user| running.get(&user).copied().unwrap_or(0));
    (counts.collect(), result)
}

/// NSDI 2011, §4.1, figure 3.
#[test]
fn the_example_of_the_paper() {
    let users = [user("A", 1, 4), user("B", 3, 1)];
    let (running, result) = share(&Value::Null, &[(9, 18)], &users);
    assert_eq!(running, [3, 2]);
    // 9 of 9 cpus, 14 of 18 GB; both have two thirds of what they want most.
    assert_eq!(result.resources[0].peak_allocation_ratio, Some(1.0));
    assert_eq!(result.resources[1].peak_allocation_ratio, Some(14.0 / 18.0));
}

#[test]
fn weights_and_levels_divide_the_cell() {
    let options = json!({"queues": {"a": {"weight": 2}, "b": {}}});
    let users = [user("a/x", 1, 1), user("a/y", 1, 1), user("b", 1, 1)];
    let (running, _) = share(&options, &[(30, 30)], &users);
    assert_eq!(running, [10, 10, 10]);
}

#[test]
fn queues_borrow_up_to_their_limit_and_are_told_why_they_wait() {
    let options = json!({"queues": {"a": {"guaranteed": {"cpu": 4}, "max": {"cpu": 7}}}});
    let (running, result) = share(&options, &[(10, 100)], &[user("a", 1, 1)]);
    assert_eq!(running, [7]);
    let told = |notice: &String| notice.contains("queue a is at its limit");
    assert!(result.notices.iter().any(told), "{:?}", result.notices);
}

#[test]
fn what_is_guaranteed_is_taken_back_where_that_is_wanted_and_no_more() {
    let late = User { from_s: 100, ..user("b", 1, 1) };
    let users = [user("a", 1, 1), late];
    for (reclaim, expected) in [(false, [10, 0]), (true, [4, 6])] {
        let options = json!({
            "queues": {"a": {"guaranteed": {"cpu": 2}}, "b": {"guaranteed": {"cpu": 6}}},
            "reclaim": reclaim,
        });
        let (running, result) = share(&options, &[(5, 50), (5, 50)], &users);
        assert_eq!(running, expected);
        assert_eq!(result.pods.evicted, if reclaim { 6 } else { 0 });
    }
}

#[test]
fn gangs_are_started_whole_or_not_at_all() {
    let gangs = User { gang: 4, count: 8, ..user("g", 1, 1) };
    // Of ten cpus the two queues take turns: a gang of four is one task.
    let (running, _) = share(&Value::Null, &[(10, 100)], &[gangs, user("s", 1, 1)]);
    assert_eq!(running[0] % 4, 0);
    assert_eq!(running, [4, 6]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    /// On one divisible node: nobody can have more without another having less (Pareto efficiency),
    /// each has at least an n-th of the cell but for a task (sharing incentive), and nobody would
    /// rather have what another has, but for a task of each (NSDI 2011, §3 and §5).
    #[test]
    fn progressive_filling_is_efficient_fair_and_without_envy(
        demands in prop::collection::vec((1..12_i64, 1..12_i64), 2..5),
        capacity in (30..120_i64, 30..120_i64),
    ) {
        const NAMES: [&str; 4] = ["u0", "u1", "u2", "u3"];
        let users: Vec<User> = demands
            .iter()
            .zip(NAMES)
            .map(|((cpu, memory), queue)| User { count: 150, ..user(queue, *cpu, *memory) })
            .collect();
        let (tasks, _) = share(&Value::Null, &[capacity], &users);
        let used = |r: fn(&User) -> i64| -> i64 {
            users.iter().zip(&tasks).map(|(user, tasks)| r(user) * *tasks as i64).sum()
        };
        let free = (capacity.0 - used(|user| user.cpu), capacity.1 - used(|user| user.memory));
        let share_of_task = |user: &User| {
            (user.cpu as f64 / capacity.0 as f64).max(user.memory as f64 / capacity.1 as f64)
        };
        let largest_task = users.iter().map(share_of_task).fold(0.0, f64::max);
        for (user, count) in users.iter().zip(&tasks) {
            prop_assert!(user.cpu > free.0 || user.memory > free.1, "room is left for a task");
            let share = *count as f64 * share_of_task(user);
            let fair = 1.0 / users.len() as f64;
            prop_assert!(share + largest_task >= fair - 1e-9, "{share} of {fair}");
            for (other, theirs) in users.iter().zip(&tasks) {
                let bundle = (other.cpu * *theirs as i64, other.memory * *theirs as i64);
                let with_it = (bundle.0 / user.cpu).min(bundle.1 / user.memory) as f64;
                let slack = 2.0 * share_of_task(user) + share_of_task(other);
                prop_assert!(with_it * share_of_task(user) <= share + slack + 1e-9, "envy");
            }
        }
    }
}
