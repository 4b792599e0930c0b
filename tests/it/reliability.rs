//! Reliability theory: a service with one replica on each of n nodes that fail and are repaired
//! independently has at least k of them up with the probability of the binomial distribution.

use std::sync::Arc;

use cellsim::cluster::{GpuRequest, PodTemplate, Resources};
use cellsim::engine::{Distribution, SimTime};
use cellsim::failure::{FailureProcess, FailureTarget};
use cellsim::healing::{ReplicaKeeper, Service};
use cellsim::metrics::{NodeReliability, RunResult};

use crate::support::{TIER, config, interval_of_twenty, node, run, scheduler};

const HOUR_S: f64 = 3_600.0;
const MTTF_S: f64 = 90.0 * HOUR_S;
const MTTR_S: f64 = 10.0 * HOUR_S;
const END_S: u64 = 200 * 365 * 86_400 / 10;

fn service(replicas: u32, minimum_ready: u32) -> Service {
    Service {
        name: Arc::from("service"),
        replicas,
        minimum_ready,
        template: PodTemplate { tier: TIER, one_per_node: true, ..PodTemplate::default() },
        requests: Resources::pod(1000, 1),
        gpu: GpuRequest::default(),
        usage_permille: [1000, 1000],
        time_to_crash: None,
        start_delay: None,
        objective: None,
        run: None,
        job: None,
    }
}

fn simulate(seed: u64, nodes: u32, minimum_ready: u32) -> RunResult {
    let mut config = config(seed, scheduler("first-fit"));
    config.nodes = (0..nodes).map(|i| node(&format!("node-{i}"), 1000, 10, 1)).collect();
    config.services = vec![service(nodes, minimum_ready)];
    config.controllers = vec![Box::new(ReplicaKeeper)];
    config.end = Some(SimTime::from_secs(END_S));
    config.failures = vec![FailureProcess {
        name: "crash".to_owned(),
        target: FailureTarget::Nodes { pool: None },
        time_to_failure: Distribution::exponential(MTTF_S).expect("a positive mean"),
        time_to_repair: Distribution::exponential(MTTR_S).expect("a positive mean"),
    }];
    run(config)
}

/// (service availability, pod availability, MTTF, MTTR) of one run.
fn figures(result: &RunResult) -> [f64; 4] {
    let workload = &result.workloads[0];
    [
        workload.service_availability.expect("the window is not empty"),
        workload.pod_availability.expect("the window is not empty"),
        result.nodes.mttf_s.expect("nodes failed"),
        result.nodes.mttr_s.expect("nodes were repaired"),
    ]
}

fn binomial_at_least(n: u32, k: u32, p: f64) -> f64 {
    let choose = |n: u32, k: u32| (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
    let term = |up: u32| {
        choose(n, up) * libm::pow(p, f64::from(up)) * libm::pow(1.0 - p, f64::from(n - up))
    };
    (k..=n).map(term).sum()
}

#[test]
fn availability_of_k_of_n_is_that_of_the_closed_form() {
    let up = MTTF_S / (MTTF_S + MTTR_S);
    for (n, k) in [(1, 1), (3, 2), (5, 3)] {
        let runs: Vec<[f64; 4]> = (1..=20).map(|seed| figures(&simulate(seed, n, k))).collect();
        let figure =
            |i: usize| interval_of_twenty(&runs.iter().map(|run| run[i]).collect::<Vec<f64>>());
        let expected = [binomial_at_least(n, k, up), up, MTTF_S, MTTR_S];
        for (i, what) in
            ["service availability", "pod availability", "MTTF", "MTTR"].iter().enumerate()
        {
            let (mean, half) = figure(i);
            println!("{k} of {n}: {what} {mean:.6} ± {half:.6}, closed form {:.6}", expected[i]);
            assert!((mean - expected[i]).abs() <= half, "{k} of {n}: {what} {mean}");
        }
    }
}

/// A figure of one node.
type OfNode = fn(&NodeReliability) -> Option<f64>;

/// Each node by itself is an alternating renewal process: the mean over nodes of what each of them
/// shows is that of the process. (The bias of time / failures is of the order of one failure in
/// the 1,750 that each node has.)
#[test]
fn mean_times_of_single_nodes_are_those_of_the_closed_form() {
    const NODES: u32 = 10;
    let runs: Vec<RunResult> = (1..=20).map(|seed| simulate(seed, NODES, 1)).collect();
    let mean = |run: &RunResult, of: OfNode| {
        let nodes = &run.reliability.nodes;
        assert_eq!(nodes.len(), NODES as usize, "every node failed");
        nodes.iter().map(|node| of(node).expect("it failed")).sum::<f64>() / f64::from(NODES)
    };
    let cases: [(&str, OfNode, f64); 4] = [
        ("MTTF", |node| node.mttf_s, MTTF_S),
        ("MTTR", |node| node.mttr_s, MTTR_S),
        ("MTBF", |node| node.mtbf_s, MTTF_S + MTTR_S),
        ("availability", |node| node.availability, MTTF_S / (MTTF_S + MTTR_S)),
    ];
    for (what, of, expected) in cases {
        let values: Vec<f64> = runs.iter().map(|run| mean(run, of)).collect();
        let (mean, half) = interval_of_twenty(&values);
        println!("{what} by node {mean:.6} ± {half:.6}, closed form {expected:.6}");
        assert!((mean - expected).abs() <= half, "{what} by node {mean} ± {half}");
    }
}

#[test]
fn figures_of_single_nodes_add_up_to_those_of_the_cell() {
    let run = simulate(1, 10, 1);
    let (nodes, cell) = (&run.reliability.nodes, &run.nodes);
    assert_eq!(nodes.iter().map(|node| node.failures).sum::<u64>(), cell.failures);
    assert_eq!(nodes.iter().map(|node| node.repairs).sum::<u64>(), cell.repairs);
    let up_s: f64 = nodes.iter().map(|node| node.up_s).sum();
    assert!((up_s / run.window.length_s - cell.up_mean).abs() < 1e-9);
    let all_s: f64 = nodes.iter().map(|node| node.up_s + node.down_s).sum();
    assert!((all_s / run.window.length_s - cell.present_mean).abs() < 1e-9);
    let worst = &run.reliability.worst;
    assert_eq!(run.reliability.nodes_failed, 10);
    assert_eq!(worst[0].failures, run.reliability.failures_max);
    assert!(worst.windows(2).all(|pair| pair[0].failures >= pair[1].failures));
}
