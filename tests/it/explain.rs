//! `cellsim explain`: scenarios with known answers, and questions that make no sense.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Three nodes; two big pods push small ones aside, and rack-1 fails for ten minutes at 1h.
const SCENARIO: &str = "\
name: p
duration: 2h
cluster: {pools: [{name: node, count: 3, cpu: 4, memory: 8Gi}]}
topology: {levels: [{kind: zone, count: 1}, {kind: rack, count: 3, within: zone}]}
workload:
  services:
    - {name: batch, replicas: 6, tier: free, cpu: 2, memory: 1Gi}
    - {name: web, replicas: 2, cpu: 3, memory: 1Gi, onePerNode: true}
scheduler: {preemption: borg}
controlPlane: {detection: 40s, startDelay: 10s}
failures: {faults: [{at: 1h, lasts: 10min, domains: [rack-1]}]}
";

fn cellsim(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cellsim"))
        .args(arguments)
        .current_dir(folder)
        .env("COLUMNS", "100")
        .output()
        .expect("the program can be started")
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.yaml"), SCENARIO).unwrap();
    folder
}

/// What is printed, without the fingerprint at the end.
fn text(folder: &Path, arguments: &[&str]) -> String {
    let output = cellsim(folder, &[&["explain"], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter(|line| !line.starts_with("fingerprint"))
        .map(|line| format!("{line}\n"))
        .collect()
}

fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = cellsim(folder, &[&["explain", "--json"], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What is complained of, with exit code 2.
fn complaint(folder: &Path, arguments: &[&str]) -> String {
    let output = cellsim(folder, &[&["explain"], arguments].concat());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    error
}

const WEB_1: &str = "\
pod web/1 (#7) of p, pod-at-a-time with best-fit, seed 0, at 02:00:00

Asks          cpu 3 cores   memory 1 GiB   no two on one node   tier production   priority 200
State         running, on node-2
Placement     01:00:40: it was bound to node-2, where batch/1 and batch/0 had to go
              0/3 nodes are available: 1 node(s) were not ready, 2 Insufficient cpu.
History       00:00:00  submitted
              00:00:00  bound to node-1
              00:00:10  began to run on node-1
              01:00:00  stopped: node-1 went down, which is yet to be noticed; 59.8 min of 59.8 min
                        of work lost
              01:00:40  evicted from node-1: machine-failure, by node-lifecycle
              01:00:40  0/3 nodes are available: 1 node(s) were not ready, 2 Insufficient cpu.
                        Displaces batch/1, batch/0
              01:00:40  bound to node-2
              01:00:50  began to run on node-2

";

#[test]
fn a_pod_is_told_from_its_submission_to_its_last_placement() {
    let folder = folder();
    assert_eq!(text(folder.path(), &["p.yaml", "pod/web/1"]), WEB_1);
    let by_serial = text(folder.path(), &["p.yaml", "pod/#7"]);
    assert_eq!(by_serial, WEB_1);
}

#[test]
fn the_score_table_is_that_of_the_moment_of_the_decision() {
    let folder = folder();
    let answer = json(folder.path(), &["p.yaml", "pod/web/1", "--at", "10min"]);
    // At ten minutes it runs; nobody tries it.
    assert_eq!(answer["placement"]["outcome"], "asked");
    assert_eq!(answer["placement"]["rejections"], "0/3 nodes are available: 3 Insufficient cpu.");
    // At its start the first of its workload held node-0.
    let answer = json(folder.path(), &["p.yaml", "pod/web/1", "--at", "0s"]);
    let placement = &answer["placement"];
    assert_eq!(
        (placement["outcome"].as_str(), placement["chosen"].as_str()),
        (Some("bound"), Some("node-1"))
    );
    let nodes = placement["nodes"].as_array().unwrap();
    let names: Vec<&str> = nodes.iter().map(|node| node["node"].as_str().unwrap()).collect();
    assert_eq!(names, ["node-1", "node-2"]);
    // Best fit: minus what is left, 1 of 4 cores and 7 of 8 GiB, in 2⁻⁶⁰ths of the largest node.
    let weight = |left: i64, of: i64| (1i64 << 60) / of * left;
    let score = -weight(1_000, 4_000) - weight(7 << 30, 8 << 30);
    assert!(nodes.iter().all(|node| node["score"] == score), "{nodes:?}");
    let reason = "Insufficient cpu";
    assert_eq!(placement["rejected"], serde_json::json!([{"node": "node-0", "reason": reason}]));
    assert_eq!(answer["run"]["as_of_us"], 0);
}

#[test]
fn a_pod_that_waits_says_why_and_who_displaced_it() {
    let folder = folder();
    let told = text(folder.path(), &["p.yaml", "pod/batch/1"]);
    assert!(told.contains("State         pending\n"), "{told}");
    assert!(told.contains("it waits\n              0/3 nodes are available: 3 Insufficient cpu."));
    assert!(told.contains("01:00:40  evicted from node-2: displaced by web/1; 1.01 h of 1.01 h"));
    let answer = json(folder.path(), &["p.yaml", "pod/batch/1", "--at", "1h 5min"]);
    assert_eq!(
        answer["placement"]["rejections"],
        "0/3 nodes are available: 1 node(s) were not ready, 2 Insufficient cpu."
    );
}

#[test]
fn a_workload_lists_its_pods() {
    let folder = folder();
    let answer = json(folder.path(), &["p.yaml", "workload/batch"]);
    let states: Vec<(&str, Option<&str>)> = answer["pods"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pod| (pod["state"].as_str().unwrap(), pod["node"].as_str()))
        .collect();
    let (pending, running) = (("pending", None), ("running", Some("node-1")));
    assert_eq!(states, [pending, pending, running, running, pending, pending]);
    assert!(text(folder.path(), &["p.yaml", "workload/batch"]).contains("batch/0 (#0)  pending"));
}

const NODE_1: &str = "\
node node-1 of pool node of p, pod-at-a-time with best-fit, seed 0, at 01:00:30

Condition     down (1 fault)   believed ready
Domains       rack-1 (rack, down)   zone-0 (zone)
Resources                 has    limit  reserved     free
              cpu     4 cores  4 cores   3 cores  1 cores
              memory    8 GiB    8 GiB     1 GiB    7 GiB
Pods          web/1  production  stranded  since 00:00:00  cpu 3 cores, memory 1 GiB
History       00:00:00  joined the cell
              01:00:00  went down with rack-1

";

#[test]
fn a_node_tells_what_is_on_it_and_what_happened_to_it() {
    let folder = folder();
    assert_eq!(text(folder.path(), &["p.yaml", "node/node-1", "--at", "1h 30s"]), NODE_1);
    let answer = json(folder.path(), &["p.yaml", "node/node-1"]);
    let events: Vec<(&str, u64)> = answer["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            (line["event"].as_str().unwrap(), line["time_us"].as_u64().unwrap() / 1_000_000)
        })
        .collect();
    let expected =
        [("added", 0), ("down", 3600), ("not-ready", 3640), ("up", 4200), ("ready", 4200)];
    assert_eq!(events, expected);
    assert_eq!(answer["pods"].as_array().unwrap().len(), 2);
}

#[test]
fn a_replay_is_the_run() {
    let folder = folder();
    let run = ["run", "p.yaml", "--json", "-o", "report", "--set", "scheduler.placement=worst-fit"];
    let run = cellsim(folder.path(), &run);
    let run: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let worst = ["p.yaml", "pod/web/1", "--set", "scheduler.placement=worst-fit"];
    let replayed = json(folder.path(), &worst);
    assert_eq!(replayed["run"]["fingerprint"], run["fingerprint"]);
    // The report holds the scenario as it was run, changes included.
    let from_report = json(folder.path(), &["report", "pod/web/1"]);
    assert_eq!(from_report, replayed);
    assert_eq!(from_report["run"]["policy"], "pod-at-a-time with worst-fit");
    // Half of it is the same run, and it is known to be.
    let half = json(folder.path(), &["report", "pod/web/1", "--at", "1h"]);
    assert_eq!(half["run"]["notices"], serde_json::json!([]));
    assert_ne!(half["run"]["fingerprint"], run["fingerprint"]);
}

#[test]
fn a_report_of_another_run_or_version_is_told_from_its_replay() {
    let folder = folder();
    assert!(cellsim(folder.path(), &["run", "p.yaml", "-o", "report"]).status.success());
    let path = folder.path().join("report/summary.json");
    let mut summary: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    summary["cellsim_version"] = "0.0.1".into();
    summary["fingerprint"] = "00".into();
    fs::write(&path, summary.to_string()).unwrap();
    let answer = json(folder.path(), &["report", "pod/web/1", "--at", "1h"]);
    let notices = answer["run"]["notices"].as_array().unwrap();
    assert!(notices[0].as_str().unwrap().contains("written by cellsim 0.0.1"), "{notices:?}");
    assert!(notices[1].as_str().unwrap().contains("its fingerprint is 00"), "{notices:?}");
    // Another seed is another run: there is nothing to compare with.
    let other = json(folder.path(), &["report", "pod/web/1", "--seed", "9"]);
    assert_eq!(other["run"]["notices"], serde_json::json!([]));
}

#[test]
fn a_report_on_several_seeds_knows_each_of_them() {
    let folder = folder();
    let run = ["run", "p.yaml", "-o", "seeds", "--seeds", "2", "--seed", "5"];
    assert!(cellsim(folder.path(), &run).status.success());
    let answer = json(folder.path(), &["seeds", "pod/web/1", "--seed", "6"]);
    assert_eq!(answer["run"]["notices"], serde_json::json!([]));
    assert_eq!(answer["run"]["seed"], 6);
}

#[test]
fn two_runs_part_at_the_first_decision_that_differs() {
    let folder = folder();
    let same = text(folder.path(), &["p.yaml", "--against", "p.yaml"]);
    assert!(same.contains("Parting       none: all 7 decisions are the same"), "{same}");
    // Worst fit differs as soon as there is a choice between an empty node and another.
    let small = "workload.services.0.cpu=1";
    let arguments = ["p.yaml", "--set", small, "--against-set", "scheduler.placement=worst-fit"];
    let answer = json(folder.path(), &arguments);
    let parting = &answer["parting"];
    assert_eq!(answer["same"], 2, "{parting}");
    assert_eq!(parting["pod"], "batch/0");
    // Best fit puts it beside the first pod of web, worst fit onto the node that is empty.
    assert_eq!(parting["decisions"][0]["node"], "node-0");
    assert_eq!(parting["decisions"][1]["node"], "node-2");
    for (index, best) in [(0, "node-0"), (1, "node-2")] {
        let nodes = parting["placements"][index]["nodes"].as_array().unwrap();
        assert_eq!((nodes.len(), &nodes[0]["node"]), (3, &serde_json::json!(best)));
        assert_eq!(parting["placements"][index]["time_us"], 0);
    }
    let told = text(folder.path(), &arguments);
    assert!(told.contains("00:00:00 binds batch/0 to node-2"), "{told}");
}

#[test]
fn a_run_that_decides_nothing_more_parts_as_well() {
    let folder = folder();
    let arguments = ["p.yaml", "--against-set", "failures.faults=[]"];
    let answer = json(folder.path(), &arguments);
    let parting = &answer["parting"];
    assert_eq!(answer["same"], 4, "two of web and two of batch were bound at the start");
    assert_eq!(parting["time_us"], 3_640_000_000u64);
    assert_eq!(parting["decisions"][0]["kind"], "preempt");
    assert_eq!(parting["decisions"][1], serde_json::Value::Null);
    assert_eq!(parting["placements"][0]["victims"], serde_json::json!(["batch/1", "batch/0"]));
    assert!(text(folder.path(), &arguments).contains("decides nothing more"));
}

#[test]
fn questions_that_make_no_sense_are_bad_input() {
    let folder = folder();
    let cases: [(&[&str], &str); 16] = [
        (&["p.yaml"], "ask for pod/"),
        (&["p.yaml", "web"], "\"web\" is no question"),
        (&["p.yaml", "pods/web/1"], "is no question"),
        (&["p.yaml", "pod/wbe/1"], "did you mean \"web/1\", \"web/0\""),
        (&["p.yaml", "pod/web/9"], "workload \"web\" has 2 pods, such as web/0"),
        (&["p.yaml", "pod/web"], "ask for workload/web"),
        (&["p.yaml", "pod/#99"], "it has 8 pods"),
        (&["p.yaml", "workload/wbe"], "did you mean \"web\"?"),
        (&["p.yaml", "node/nod-1"], "did you mean \"node-1\"?"),
        (&["p.yaml", "node/zebra"], "it has 3 nodes, from node-0 to node-2"),
        (&["p.yaml", "pod/web/1", "--at", "3h"], "it ends at 02:00:00"),
        (&["p.yaml", "pod/web/1", "--at", "3"], "did you mean 3s?"),
        (&["p.yaml", "pod/web/1", "--at", "1:2"], "like 03:12:45"),
        (&["p.yaml", "pod/web/1", "--against", "p.yaml"], "neither a question nor --at"),
        (&["none.yaml", "pod/web/1"], "there is no such file"),
        (&[".", "pod/web/1"], "summary.json cannot be read"),
    ];
    for (arguments, expected) in cases {
        let error = complaint(folder.path(), arguments);
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
    fs::create_dir(folder.path().join("broken")).unwrap();
    for (summary, expected) in [("{", "is no summary"), ("{}", "it has no scenario.resolved")] {
        fs::write(folder.path().join("broken/summary.json"), summary).unwrap();
        let error = complaint(folder.path(), &["broken", "pod/web/1"]);
        assert!(error.contains(expected), "{summary}: {error}");
    }
}
