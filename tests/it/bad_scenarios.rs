//! Malformed scenarios, by subject: each is answered with exit code 2 and a message that names the
//! place; none panics, and nothing is written.

use std::fs;

use crate::bad_input::{GOOD, cellsim, changed, names_in, objection};

/// What it is, the scenario, what the message has to say (first of all the place).
type Case = (&'static str, String, &'static [&'static str]);

/// A service and a pool of the good scenario, as they stand there.
const SERVICE: &str = "{name: web, replicas: 2, cpu: 1, memory: 1Gi}";
const POOL: &str = "{name: node, count: 4, cpu: 8, memory: 32Gi}";

/// The good scenario with `text` at its end, from line 9 on.
fn with(text: &str) -> String {
    format!("{GOOD}{text}")
}

/// Runs every case; all objections are told at once.
fn refused(cases: &[Case]) {
    let mut objections = Vec::new();
    for (what, scenario, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("s.yaml"), scenario).unwrap();
        let output = cellsim(folder.path(), &["run", "s.yaml"]);
        let written = names_in(folder.path());
        let wrote = (written != ["s.yaml"]).then(|| format!("it left {written:?}"));
        if let Some(objection) = objection(&output, expected).or(wrote) {
            objections.push(format!("{what}: {objection}"));
        }
    }
    assert!(!cases.is_empty());
    assert!(objections.is_empty(), "{}", objections.join("\n---\n"));
}

/// What is no mapping of fields at all.
#[test]
fn broken_syntax_is_refused_with_their_place() {
    refused(&[
        ("empty file", String::new(), &["s.yaml", "E0101", "holds no values"]),
        ("only comments", "# nothing\n".into(), &["s.yaml", "holds no values"]),
        ("a list", "- a\n- b\n".into(), &["s.yaml:1:1", "not a mapping"]),
        ("a scalar", "42\n".into(), &["s.yaml:1:1", "not a mapping"]),
        ("broken YAML", with("x: [1, 2\n"), &["s.yaml:", "E0101", "not valid YAML"]),
        ("a tab", with("healing:\n\treplicas: true\n"), &["s.yaml:", "spaces only"]),
        ("an anchor", with("seed: &s 1\n"), &["s.yaml:9:", "anchors"]),
        ("two documents", with("---\na: 1\n"), &["s.yaml:9:1", "documents"]),
        ("deep nesting", with(&format!("x: {}\n", "[".repeat(5000))), &["s.yaml:9:", "E0101"]),
        ("duplicate key", with("duration: 2h\n"), &["s.yaml:9:1", "E0102", "first in line 2"]),
    ]);
}

/// Fields that are not known, lacking, or of another type.
#[test]
fn malformed_fields_are_refused_with_their_place() {
    refused(&[
        ("unknown section", with("pools: []\n"), &["s.yaml:9:1", "E0103", "belongs into cluster"]),
        (
            "unknown field",
            changed("pools:", "pooles:"),
            &["s.yaml:4:3", "\"pooles\" in cluster", "did you mean \"pools\"?"],
        ),
        ("missing field", changed(", cpu: 8", ""), &["s.yaml:5:7", "E0107", "lacks \"cpu\""]),
        ("text for a number", changed("count: 4", "count: four"), &["s.yaml:5:27", "E0104"]),
        ("list for a mapping", changed(POOL, "[]"), &["s.yaml:5:7", "must be a mapping"]),
        ("mapping for a list", with("failures: {faults: {}}\n"), &["s.yaml:9:20", "a list"]),
        ("number for a name", changed("name: web", "name: 7"), &["s.yaml:8:14", "write \"7\""]),
        ("name of a folder", changed("name: good", "name: ../up"), &["s.yaml:1:7", "folder"]),
    ]);
}

/// Counts and amounts that make no sense.
#[test]
fn malformed_numbers_are_refused_with_their_place() {
    refused(&[
        ("a fraction of a node", changed("count: 4", "count: 1.5"), &["s.yaml:5:27", "whole"]),
        ("negative count", changed("count: 4", "count: -4"), &["s.yaml:5:27", "E0106"]),
        ("no nodes", changed("count: 4", "count: 0"), &["s.yaml:5:27", "between 1"]),
        ("huge count", changed("count: 4", "count: 99999999999999999999"), &["s.yaml:5:27"]),
        ("endless count", changed("count: 4", "count: 1e999"), &["s.yaml:5:27"]),
        ("NaN", changed("cpu: 8", "cpu: .nan"), &["s.yaml:5:35", "not a number"]),
        ("infinite cpu", changed("cpu: 8", "cpu: .inf"), &["s.yaml:5:35", "not a number"]),
        ("negative cpu", changed("cpu: 8", "cpu: -8"), &["s.yaml:5:35", "E0106", "negative"]),
        ("no cpu", changed("cpu: 8", "cpu: 0"), &["s.yaml:5:35", "above 0"]),
        ("memory unit", changed("32Gi", "32Gb"), &["s.yaml:5:46", "unknown unit \"Gb\""]),
        ("memory in millibytes", changed("32Gi", "32m"), &["s.yaml:5:46", "did you mean M"]),
        ("huge memory", changed("32Gi", "9e30"), &["s.yaml:5:46", "E0106", "too large"]),
        ("negative seed", with("seed: -1\n"), &["s.yaml:9:7", "E0106"]),
        ("zero seeds", with("experiment: {seeds: 0}\n"), &["s.yaml:9:21", "E0106"]),
        ("factor zero", changed("cluster:", "cluster:\n  overcommit: {cpu: 0}"), &["s.yaml:4:21"]),
    ]);
}

/// Lengths of time that make no sense.
#[test]
fn malformed_durations_are_refused_with_their_place() {
    refused(&[
        ("bool for a duration", changed("1h", "true"), &["s.yaml:2:11", "such as 30d"]),
        ("no unit", changed("1h", "40"), &["s.yaml:2:11", "did you mean 40s?"]),
        ("no duration at all", changed("1h", "soon"), &["s.yaml:2:11", "not a number"]),
        ("zero duration", changed("1h", "0"), &["s.yaml:2:11", "longer than zero"]),
        ("endless duration", changed("1h", "5000y"), &["s.yaml:2:11", "too large"]),
        ("lacks a duration", changed("duration: 1h\n", ""), &["s.yaml:", "lacks \"duration\""]),
        ("warm-up too long", with("measure: {warmup: 1h}\n"), &["s.yaml:9:19", "E0204"]),
    ]);
}

/// Policies, tiers and their options.
#[test]
fn malformed_policies_are_refused_with_their_place() {
    refused(&[
        (
            "unknown policy",
            with("scheduler: {placement: bestfit}\n"),
            &["s.yaml:9:24", "E0201", "did you mean \"best-fit\"?"],
        ),
        (
            "policy like none",
            with("scheduler: {placement: zzz}\n"),
            &["s.yaml:9:24", "known: ", "best-fit"],
        ),
        (
            "unknown option",
            with("scheduler: {placement: {name: e-pvm, options: {bass: 2}}}\n"),
            &["s.yaml:9:", "E0205", "bass"],
        ),
        (
            "option out of range",
            with("scheduler: {placement: {name: e-pvm, options: {base: -2}}}\n"),
            &["s.yaml:9:", "E0205", "base"],
        ),
        (
            "preemption that nobody follows",
            with("scheduler: {architecture: sparrow, preemption: borg}\n"),
            &["s.yaml:9:48", "E0204", "\"sparrow\" does not follow `preemption`"],
        ),
        (
            "an option of a scheduler that does not exist",
            with("scheduler: {architecture: {name: omega, options: {comit: x}}}\n"),
            &["s.yaml:9:", "E0205", "did you mean `commit`"],
        ),
        (
            "tiers without a scheduler",
            with(
                "scheduler: {architecture: {name: mesos, options: \
                 {schedulers: [{tiers: [mid]}]}}}\n",
            ),
            &["s.yaml:9:", "E0205", "nobody is in charge of `free`"],
        ),
        (
            "a technique that does not exist",
            with("scheduler: {index: {scan: {scorecache: true}}}\n"),
            &["s.yaml:9:", "E0103", "did you mean \"scoreCache\"?"],
        ),
        (
            "a scan without anything to compare",
            with("scheduler: {placement: first-fit, index: {scan: {}}}\n"),
            &["s.yaml:9:", "E0204", "compares no nodes by score"],
        ),
        (
            "a threshold without a cache",
            with("scheduler: {index: {scan: {ignoreChangesBelow: 5%}}}\n"),
            &["s.yaml:9:", "E0204", "scoreCache: true"],
        ),
        (
            "a sample of none",
            with("scheduler: {index: {scan: {relaxedRandomization: {enough: 0}}}}\n"),
            &["s.yaml:9:", "E0106", "between 1 and"],
        ),
        (
            "quota of what is infinite",
            with("admission: {quota: [{band: free, cpu: 1}]}\n"),
            &["s.yaml:9:", "E0204", "its quota is infinite"],
        ),
        (
            "two quotas of one user",
            with(
                "admission: {quota: [{user: a, band: mid, cpu: 1}, \
                 {user: a, band: mid, memory: 1Gi}]}\n",
            ),
            &["s.yaml:9:", "two quotas of user \"a\" at mid"],
        ),
        (
            "a quota of nothing",
            with("admission: {quota: [{user: a, band: mid}]}\n"),
            &["s.yaml:9:", "needs cpu, memory or storage"],
        ),
        (
            "a preference for nothing",
            changed(SERVICE, &SERVICE.replace('}', ", preferences: [{weight: 1}]}")),
            &["s.yaml:", "needs labels or attributes"],
        ),
        (
            "a preference without weight",
            changed(SERVICE, &SERVICE.replace('}', ", preferences: [{weight: 0}]}")),
            &["s.yaml:", "E0106", "between 1 and 10000"],
        ),
        ("unknown queue", with("scheduler: {queue: lifo}\n"), &["s.yaml:9:20", "\"fifo\"?"]),
        (
            "unknown tier",
            with("healing: {checkpoint: {prodution: 5min}}\n"),
            &["s.yaml:9:24", "did you mean \"production\"?"],
        ),
        (
            "tier of a service",
            changed("replicas: 2", "replicas: 2, tier: batch"),
            &["s.yaml:8:38", "did you mean \"best-effort-batch\"?"],
        ),
    ]);
}

/// Pools, services, their resources and objectives.
#[test]
fn malformed_pools_and_services_are_refused_with_their_place() {
    refused(&[
        ("two pools of a name", changed(POOL, &format!("{POOL}\n    - {POOL}")), &["s.yaml:6:14"]),
        (
            "two services of a name",
            changed(SERVICE, &format!("{SERVICE}\n    - {SERVICE}")),
            &["s.yaml:9:14", "E0202", "two services"],
        ),
        (
            "minReady above replicas",
            changed("replicas: 2", "replicas: 2, minReady: 3"),
            &["s.yaml:8:42", "E0204"],
        ),
        (
            "extended resource nobody named",
            changed("cpu: 1,", "cpu: 1, resources: {fpga: 1},"),
            &["s.yaml:8:", "E0201", "fpga"],
        ),
        (
            "too many extended resources",
            changed("cluster:", "cluster:\n  resources: [a, b, c, d]"),
            &["s.yaml:4:14", "at most 3"],
        ),
        (
            "objective above 1",
            with("slo: {availability: {web: 100.1%}}\n"),
            &["s.yaml:9:27", "E0106"],
        ),
        (
            "objective of nobody",
            with("slo: {availability: {wbe: 99%}}\n"),
            &["s.yaml:9:27", "did you mean \"web\"?"],
        ),
    ]);
}

/// Failure domains.
#[test]
fn a_malformed_topology_is_refused_with_their_place() {
    refused(&[
        (
            "cyclic domains",
            with(
                "topology:\n  domains:\n    - {name: a, kind: room, parents: [b]}\n    \
                 - {name: b, kind: room, parents: [a]}\n",
            ),
            &["s.yaml:1", "E0203", "contains itself"],
        ),
        (
            "cyclic levels",
            with(
                "topology:\n  levels:\n    - {kind: a, count: 2, within: b}\n    \
                 - {kind: b, count: 2, within: a}\n",
            ),
            &["s.yaml:1", "E0203", "contains itself"],
        ),
        (
            "unknown parent",
            with("topology:\n  domains:\n    - {name: a, kind: room, parents: [zone-1]}\n"),
            &["s.yaml:11:39", "E0201", "zone-1"],
        ),
        (
            "two domains of a name",
            with("topology:\n  domains: [{name: a, kind: x}, {name: a, kind: x}]\n"),
            &["s.yaml:10:40", "E0202"],
        ),
        (
            "more racks than nodes",
            with("topology: {levels: [{kind: rack, count: 9}]}\n"),
            &["s.yaml:9:41", "E0204"],
        ),
    ]);
}

/// Faults, failure processes and distributions.
#[test]
fn malformed_failures_are_refused_with_their_place() {
    refused(&[
        (
            "fault in an unknown domain",
            with("failures: {faults: [{at: 1min, domains: [rack-1]}]}\n"),
            &["s.yaml:9:42", "E0201", "rack-1"],
        ),
        (
            "fault on an unknown node",
            with("failures: {faults: [{at: 1min, nodes: [node-4]}]}\n"),
            &["s.yaml:9:40", "E0201", "did you mean \"node-"],
        ),
        (
            "fault after the end",
            with("failures: {faults: [{at: 2h, nodes: [node-1]}]}\n"),
            &["s.yaml:9:26", "after the end"],
        ),
        (
            "failures without end at one instant",
            with("failures: {processes: [{name: p, timeToFailure: 0, timeToRepair: 0}]}\n"),
            &["s.yaml:9:49", "longer than zero"],
        ),
        (
            "unknown distribution",
            with(
                "failures: {processes: [{name: p, timeToRepair: 1h, \
                 timeToFailure: {exponental: {mean: 1d}}}]}\n",
            ),
            &["s.yaml:9:68", "did you mean \"exponential\"?"],
        ),
        (
            "distribution without a parameter",
            with(
                "failures: {processes: [{name: p, timeToRepair: 1h, \
                 timeToFailure: {weibull: {shape: 2}}}]}\n",
            ),
            &["s.yaml:9:77", "lacks \"scale\""],
        ),
        (
            "a uniform distribution upside down",
            with("controlPlane: {detection: {uniform: {from: 2s, to: 1s}}}\n"),
            &["s.yaml:9:27", "E0106"],
        ),
        (
            "a file of numbers that is not there",
            with("controlPlane: {detection: {empirical: {file: none.txt}}}\n"),
            &["s.yaml:9:46", "E0301", "none.txt"],
        ),
    ]);
}

/// What is to run.
#[test]
fn malformed_loads_are_refused_with_their_place() {
    refused(&[
        (
            "two loads",
            changed(
                "services:",
                "yardstick: {}\n  poisson: {arrivals: 1/s, run: 1s, cpu: 1, \
                     memory: 1}\n  services:",
            ),
            &["s.yaml:", "E0204", "both \"poisson\" and \"yardstick\""],
        ),
        (
            "no load",
            changed("  services:\n    - {name: web, replicas: 2, cpu: 1, memory: 1Gi}", "  {}"),
            &["s.yaml:", "nothing would ever run"],
        ),
        (
            "a trace that is not on this machine",
            changed(
                "services:",
                "trace: {format: google2011, path: traces/google2011}\n  services:",
            ),
            &["s.yaml:7:37", "E0302", "CELLSIM_DATA"],
        ),
        (
            "fields of another format",
            changed("services:", "trace: {format: openb, tasks: x.csv}\n  services:"),
            &["s.yaml:7:", "no \"tasks\"", "needs nodes or pods"],
        ),
        (
            "an unknown format",
            changed("services:", "trace: {format: openbb, pods: x.csv}\n  services:"),
            &["s.yaml:7:19", "did you mean \"openb\"?"],
        ),
    ]);
}

#[test]
fn all_mistakes_of_a_scenario_are_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = changed("count: 4", "count: -4").replace("memory: 1Gi", "memroy: 1Gi");
    fs::write(folder.path().join("s.yaml"), scenario + "duration: 1h\n").unwrap();
    let syntax = cellsim(folder.path(), &["run", "s.yaml"]);
    assert_eq!(objection(&syntax, &["s.yaml:9:1"]), None);
    let scenario = changed("count: 4", "count: -4").replace("memory: 1Gi", "memroy: 1Gi");
    fs::write(folder.path().join("s.yaml"), scenario + "color: red\n").unwrap();
    let fields = cellsim(folder.path(), &["run", "s.yaml"]);
    let expected = ["s.yaml:5:27", "s.yaml:8:7", "s.yaml:8:40", "s.yaml:9:1", "4 problems"];
    assert_eq!(objection(&fields, &expected), None);
}
