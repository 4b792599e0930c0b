//! Soft constraints: the node that meets the most of what a pod prefers wins over every score, and
//! the report says how much was met (Borg, EuroSys'15 §2.3).

use std::path::PathBuf;

use cellsim::Registry;
use cellsim::metrics::{PreferenceSummary, RunResult};
use cellsim::scenario::{Plan, parse};
use cellsim::simulation::Simulation;

/// One pod of two cores each on four nodes with an ssd, of which two are new; eight nodes have
/// neither.
const CELL: &str = "duration: 1h
cluster:
  pools:
    - {name: plain, count: 8, cpu: 2, memory: 8Gi}
    - {name: ssd, count: 2, cpu: 2, memory: 8Gi, labels: {disk: ssd}}
    - {name: new, count: 2, cpu: 2, memory: 8Gi, labels: {disk: ssd}, attributes: {kernel: '6'}}
";

fn play(workload: &str, scheduler: &str) -> RunResult {
    let text = format!("{CELL}scheduler: {scheduler}\nworkload: {workload}\n");
    let loaded = parse("s.yaml", &text, &[], PathBuf::new()).unwrap();
    let plan = Plan::new(&loaded, &Registry::default()).unwrap();
    let config = plan.prepare(1, 0, true).unwrap().config;
    Simulation::new(config).unwrap().run(&|_| {}).unwrap()
}

fn service(replicas: u32) -> String {
    format!(
        "{{services: [{{name: s, replicas: {replicas}, cpu: 2, memory: 1Gi, preferences: [\
         {{weight: 3, labels: [{{key: disk, operator: In, values: [ssd]}}]}}, \
         {{weight: 1, attributes: [{{name: kernel, operator: greater-than, value: '5'}}]}}]}}]}}"
    )
}

#[test]
fn what_is_preferred_most_is_filled_first_and_what_was_met_is_told() {
    // Two get all, two get 3/4 of the weight, the rest nothing.
    for (replicas, all_met, weight_met) in
        [(2, 1.0, 1.0), (4, 0.5, 3.5 / 4.0), (5, 0.4, 3.5 / 5.0), (12, 2.0 / 12.0, 3.5 / 12.0)]
    {
        for scheduler in [
            "{placement: best-fit}",
            "{placement: worst-fit, index: naive}",
            "{placement: worst-fit, index: {scan: {scoreCache: true, equivalenceClasses: true}}}",
            "{placement: least-allocated}",
            "{placement: first-fit}",
            "{placement: round-robin}",
            "{placement: random}",
            "{placement: fgd}",
            "{architecture: omega, placement: most-allocated}",
        ] {
            let result = play(&service(replicas), scheduler);
            let expected = PreferenceSummary {
                placements: u64::from(replicas),
                all_met,
                weight_met_mean: weight_met,
            };
            assert_eq!(result.preferences, Some(expected), "{replicas} under {scheduler}");
        }
    }
}

#[test]
fn nothing_is_told_where_nobody_prefers_anything() {
    let service = "{services: [{name: s, replicas: 3, cpu: 1, memory: 1Gi}]}";
    assert_eq!(play(service, "{placement: best-fit}").preferences, None);
}

#[test]
fn generated_jobs_prefer_what_their_tier_prefers() {
    let preferring = |tiers: &str| {
        let load = format!("{{generator: {{allocation: 50%, tiers: {{{tiers}}}}}}}");
        let result = play(&load, "{placement: best-fit}");
        (result.preferences.map_or(0, |told| told.placements), result.pods.bound)
    };
    assert_eq!(preferring("").0, 0);
    let what = "{preferences: [{weight: 1, labels: [{key: disk, operator: Exists}]}]}";
    let (of_free, all) = preferring(&format!("free: {what}"));
    assert!(0 < of_free && of_free < all, "{of_free} of {all}");
}
