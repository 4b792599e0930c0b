//! Policies in another language: child processes that behave, and those that do not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SCENARIO: &str = "\
name: small
seed: 3
duration: 6h
cluster:
  pools:
    - {name: node, count: 20, cpu: 16, memory: 64Gi}
    - {name: ssd, count: 4, cpu: 64, memory: 256Gi, labels: {disk: ssd}}
  overcommit: {cpu: 1.1}
topology: {levels: [{kind: rack, count: 4}]}
workload:
  generator: {allocation: 45%}
  services:
    - {name: web, replicas: 6, cpu: 1, memory: 1Gi, onePerNode: true}
    - {name: db, replicas: 2, cpu: 4, memory: 8Gi, nodeSelector: {disk: ssd}, run: 2h}
controlPlane: {detection: 40s, startDelay: 20s}
scheduler: {placement: worst-fit}
failures:
  processes:
    - {name: machines, timeToFailure: {exponential: {mean: 1d}}, timeToRepair: 1h}
    - {name: racks, domains: rack, timeToFailure: {exponential: {mean: 1d}}, timeToRepair: 20min}
";

/// One node with room for three pods, and five pods that want it.
const TIGHT: &str = "\
name: tight
duration: 1h
cluster: {pools: [{name: node, count: 1, cpu: 3, memory: 3Gi}]}
workload: {services: [{name: web, replicas: 5, cpu: 1, memory: 1Gi}]}
scheduler: {architecture: {name: process, options: {command: [sh, child.sh], replyWithin: 5}}}
";

const READY: &str = r#"read hello; echo '{"ready": {"protocol": 1}}'; read turn"#;

fn examples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples")
}

fn has_python() -> bool {
    let found = Command::new("python3").arg("--version").output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("SKIPPED: there is no python3 on this machine");
    }
    found
}

fn cellsim(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cellsim"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program can be started")
}

/// The summary of the small scenario with some fields changed, audited on the way.
fn summary(scenario: &str, changes: &[&str]) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.yaml"), scenario).unwrap();
    let mut arguments = vec!["run", "s.yaml", "--no-report", "--json", "--check"];
    for change in changes {
        arguments.extend(["--set", change]);
    }
    let output = cellsim(folder.path(), &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn scheduler(program: &str) -> String {
    let program = examples().join(program);
    let command = format!("[python3, {:?}]", program.to_str().unwrap());
    format!("scheduler.architecture={{name: process, options: {{command: {command}}}}}")
}

fn controller(program: &str, options: &str) -> String {
    let program = examples().join(program);
    let command = format!("[python3, {:?}]", program.to_str().unwrap());
    format!("healing.processes=[{{name: mine, command: {command}, options: {options}}}]")
}

#[test]
fn worst_fit_in_python_is_worst_fit() {
    if !has_python() {
        return;
    }
    let built_in = summary(SCENARIO, &[]);
    let process = scheduler("worst_fit.py");
    let first = summary(SCENARIO, &[&process]);
    assert!(built_in["pods"]["started"].as_u64().unwrap() > 300, "{}", built_in["pods"]);
    assert!(built_in["pods"]["evicted"].as_u64().unwrap() > 0);
    assert_eq!(first["fingerprint"], built_in["fingerprint"]);
    assert_eq!(first["scenario"]["architecture"], "process");
    assert_eq!(first, summary(SCENARIO, &[&process]), "twice the same");
    let other = summary(SCENARIO, &["scheduler.placement=best-fit"]);
    assert_ne!(first["fingerprint"], other["fingerprint"]);
}

#[test]
fn worst_fit_in_python_knows_tiers_and_devices() {
    if !has_python() {
        return;
    }
    let changes = [
        "cluster.overcommit={cpu: 1.1, tiers: {production: {cpu: 1.0}, free: {cpu: 1.3}}}",
        "cluster.pools.1.gpus={count: 4, model: T4}",
        "workload.services=[{name: a, replicas: 9, cpu: 1, memory: 1Gi, gpus: {count: 1, share: 0.4}}, \
         {name: b, replicas: 5, cpu: 1, memory: 1Gi, gpus: {count: 2}, run: 1h}]",
    ];
    let process = scheduler("worst_fit.py");
    let with_process: Vec<&str> = changes.iter().copied().chain([process.as_str()]).collect();
    let built_in = summary(SCENARIO, &changes);
    assert_eq!(summary(SCENARIO, &with_process)["fingerprint"], built_in["fingerprint"]);
}

#[test]
fn the_keeper_in_python_is_the_keeper() {
    if !has_python() {
        return;
    }
    let keeper = controller("replica_keeper.py", "{}");
    let changes = ["healing.replicas=false", keeper.as_str()];
    let (built_in, first) = (summary(SCENARIO, &[]), summary(SCENARIO, &changes));
    assert_eq!(first["fingerprint"], built_in["fingerprint"]);
    assert_eq!(first["fingerprint"], summary(SCENARIO, &changes)["fingerprint"]);
    let nobody = summary(SCENARIO, &["healing.replicas=false"]);
    assert_ne!(first["fingerprint"], nobody["fingerprint"], "somebody has to create the pods");
}

#[test]
fn maintenance_in_python_drains_one_node_after_another() {
    if !has_python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.yaml"), SCENARIO).unwrap();
    let drain = controller("drain.py", "{every: 3600, lasts: 600}");
    let quiet = "failures.processes=[]";
    let run = ["run", "s.yaml", "--no-report", "--events", "e.csv", "--check", "--set", quiet];
    let output = cellsim(folder.path(), &[&run[..], &["--set", &drain]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let events = fs::read_to_string(folder.path().join("e.csv")).unwrap();
    let of = |what: &str| -> Vec<(u64, String)> {
        let lines = events.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let lines = lines.filter(|fields| fields[1] == what);
        lines.map(|fields| (fields[0].parse().unwrap(), fields[5].to_owned())).collect()
    };
    let hour = 3_600_000_000;
    let expected: Vec<(u64, String)> =
        (1..6).map(|h| (h * hour, format!("node-{}", h - 1))).collect();
    assert_eq!(of("node-cordoned"), expected);
    let back: Vec<(u64, String)> =
        expected.into_iter().map(|(time, node)| (time + hour / 6, node)).collect();
    assert_eq!(of("node-uncordoned"), back);
    assert!(events.contains("machine-shutdown"), "whoever was there had to go");
    for (time, node) in of("pod-bound") {
        let closed = back.iter().any(|(until, name)| {
            *name == node && (*until - hour / 6..*until).contains(&time) && time > *until - hour / 6
        });
        assert!(!closed, "{node} took a pod at {time} while it was cordoned");
    }
}

/// A scheduler that rejects, preempts, evicts and asks to be woken.
const EVERYTHING: &str = r#"
import json, sys
say = lambda message: print(json.dumps(message), flush=True)
hello = json.loads(sys.stdin.readline())["hello"]
assert hello["role"] == "scheduler" and hello["resources"][:2] == ["cpu", "memory"]
say({"ready": {"protocol": 1}})
step = 0
for line in sys.stdin:
    turn = json.loads(line)
    step += 1
    pods = [pod["pod"] for pod in turn["changes"].get("pods", []) if pod["state"] == "pending"]
    if step == 1:
        assert turn["time"] == 0 and pods == [0, 1, 2, 3, 4], turn
        say({"turn": 1, "wakeAt": 60000000, "do": [
            {"reject": {"pod": 4}}, {"bind": {"pod": 2, "node": 0}}, {"bind": {"pod": 0, "node": 0}},
            {"bind": {"pod": 1, "node": 0}}, {"preempt": {"pod": 3, "node": 0, "victims": [0]}}]})
    elif step == 2:
        # The pod that was turned away has a successor, the victim waits again.
        assert turn["time"] == 0 and pods == [0, 5], turn
        say({"turn": 2, "do": [{"reject": {"pod": 5}}, {"reject": {"pod": 0}}], "wakeAt": 60000000})
    elif turn["time"] < 60000000:
        say({"turn": step, "wakeAt": 60000000})
    elif turn["time"] == 60000000 and step < 100:
        step = 100
        say({"turn": turn["turn"], "do": [{"evict": {"pod": 3, "cause": "out-of-resources"}}]})
    else:
        say({"turn": turn["turn"]})
"#;

#[test]
fn a_child_may_reject_preempt_evict_and_sleep() {
    if !has_python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("everything.py"), EVERYTHING).unwrap();
    let command = "scheduler.architecture.options.command=[python3, everything.py]";
    fs::write(folder.path().join("s.yaml"), TIGHT).unwrap();
    let run = ["run", "s.yaml", "--no-report", "--json", "--check", "--set", command];
    let output = cellsim(folder.path(), &run);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["pods"]["rejected"], 3);
    assert_eq!(summary["pods"]["evicted"], 2);
    let causes: Vec<&str> = summary["evictions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["cause"].as_str().unwrap())
        .collect();
    assert_eq!(causes, ["preemption", "out-of-resources"]);
}

/// What a run of the tight scenario says when its scheduler is `script`.
fn complaint(script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.yaml"), TIGHT).unwrap();
    fs::write(folder.path().join("child.sh"), script).unwrap();
    let output = cellsim(folder.path(), &["run", "s.yaml", "-o", "report", "--events", "e.csv"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{script}: {error}");
    assert!(output.stdout.is_empty(), "{script}");
    let mut left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["child.sh", "s.yaml"], "{script}: nothing may be half written");
    error
}

#[cfg(unix)]
#[test]
fn a_child_that_misbehaves_ends_the_run_with_its_line() {
    let after_ready = |reply: &str| complaint(&format!("{READY}; echo '{reply}'; read more"));
    let cases = [
        ("nonsense", "line 2 of its output: expected ident (column 2)"),
        (r#"{"turn": 1, "do": [{"bnd": {}}]}"#, "unknown variant `bnd`"),
        (r#"{"turn": 1, "todo": []}"#, "unknown field `todo`"),
        (r#"{"turn": 2}"#, "it answers turn 2, not turn 1"),
        (r#"{"turn": 1, "wakeAt": 0}"#, "`wakeAt` must be after"),
        (r#"{"turn": 1, "do": [{"bind": {"pod": 99, "node": 0}}]}"#, "do[0]: there is no pod 99"),
        (r#"{"turn": 1, "do": [{"bind": {"pod": 1, "node": 7}}]}"#, "do[0]: there is no node 7"),
        (r#"{"turn": 1, "do": [{"bind": {"pod": 1, "node": -1}}]}"#, "invalid value"),
        (r#"{"turn": 1, "do": [{"evict": {"pod": 1}}]}"#, "pod 1 is not bound"),
        (
            r#"{"turn": 1, "do": [{"bind": {"pod": 1, "node": 0}}, {"bind": {"pod": 1, "node": 0}}]}"#,
            "do[1]: pod 1 is not pending: it is bound to node 0 (node-0)",
        ),
        (
            r#"{"turn": 1, "do": [{"preempt": {"pod": 1, "node": 0, "victims": [2]}}]}"#,
            "pod 2 is not bound",
        ),
    ];
    for (reply, expected) in cases {
        let error = after_ready(reply);
        let named = error.starts_with("error: the scheduler process (sh child.sh): line 2 of its");
        assert!(named && error.contains(expected), "{reply}: {error}");
    }
    let four: Vec<String> =
        (0..4).map(|pod| format!(r#"{{"bind": {{"pod": {pod}, "node": 0}}}}"#)).collect();
    let error = after_ready(&format!(r#"{{"turn": 1, "do": [{}]}}"#, four.join(", ")));
    let expected = "line 2 of its output: do[3]: pod 3 does not fit on node 0 (node-0): \
                    Insufficient cpu";
    assert!(error.contains(expected), "{error}");
}

#[cfg(unix)]
#[test]
fn a_child_that_dies_or_is_silent_ends_the_run() {
    let cases = [
        (format!("{READY}; echo 'oh no' >&2; echo >&2; exit 3"), "exit status: 3"),
        (format!("{READY}; echo 'oh no' >&2; kill -9 $$"), "signal: 9"),
        ("echo oh no >&2".to_owned(), "asked with the hello, it has ended (exit status: 0)"),
        ("read hello; echo '{\"ready\": {\"protocol\": 2}}'; read more".to_owned(), "version 2"),
        (format!("{READY}; printf '\\377\\n'; read more"), "no text (UTF-8)"),
        (format!("{READY}; exec >&-; echo oh no >&2; exit 0"), "asked with turn 1"),
    ];
    for (script, expected) in cases {
        let error = complaint(&script);
        assert!(error.contains(expected), "{script}: {error}");
        if script.contains("oh no") {
            assert!(error.contains("the last line of its stderr: oh no"), "{script}: {error}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_child_that_never_answers_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.yaml"), TIGHT).unwrap();
    fs::write(folder.path().join("child.sh"), format!("{READY}; exec sleep 600")).unwrap();
    let limit = "scheduler.architecture.options.replyWithin=1";
    let output = cellsim(folder.path(), &["run", "s.yaml", "--no-report", "--set", limit]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(
        error.contains("asked with turn 1, it gave no answer within 1 s of real time"),
        "{error}"
    );
}

#[test]
fn a_program_that_is_not_there_is_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.yaml"), TIGHT).unwrap();
    let run = |change: &str| {
        let output = cellsim(folder.path(), &["run", "s.yaml", "--no-report", "--set", change]);
        assert_eq!(output.status.code(), Some(2), "{change}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let error = run("scheduler.architecture.options.command=[no-such-program-anywhere]");
    assert!(error.contains("cannot start \"no-such-program-anywhere\""), "{error}");
    let error = run("scheduler.architecture.options.command=[]");
    assert!(error.contains("`command` must be a list"), "{error}");
    let error = run("healing.processes=[{name: a, command: []}]");
    assert!(error.contains("the command must begin with a program"), "{error}");
    let error = run("healing.processes=[{name: a, command: [x]}, {name: a, command: [x]}]");
    assert!(error.contains("two controllers called \"a\""), "{error}");
}

#[cfg(unix)]
#[test]
fn a_controller_that_misbehaves_ends_the_run_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.yaml"), SCENARIO).unwrap();
    let run = |reply: &str| {
        let script = format!("{READY}; echo '{reply}'; read more");
        fs::write(folder.path().join("child.sh"), script).unwrap();
        let process = "healing.processes=[{name: mine, command: [sh, child.sh]}]";
        let output = cellsim(folder.path(), &["run", "s.yaml", "--no-report", "--set", process]);
        assert_eq!(output.status.code(), Some(2), "{reply}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let cases = [
        (r#"{"turn": 1, "do": [{"delete": {"pod": 12345678}}]}"#, "there is no pod 12345678"),
        (r#"{"turn": 1, "do": [{"create": {"workload": 77}}]}"#, "no declared workload 77"),
        (r#"{"turn": 1, "do": [{"cordon": {"node": 77}}]}"#, "there is no node 77"),
        (r#"{"turn": 1, "do": [{"bind": {"pod": 1, "node": 1}}]}"#, "unknown variant `bind`"),
    ];
    for (reply, expected) in cases {
        let error = run(reply);
        let place = "error: the controller process \"mine\" (sh child.sh): line 2 of its output";
        assert!(error.starts_with(place) && error.contains(expected), "{reply}: {error}");
    }
}
