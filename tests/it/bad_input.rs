//! Malformed scenarios, traces and arguments: each is answered with exit code 2 and a message that
//! names the place; none panics, and nothing is written.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A scenario that is fine.
const GOOD: &str = "\
name: good
duration: 1h
cluster:
  pools:
    - {name: node, count: 4, cpu: 8, memory: 32Gi}
workload:
  services:
    - {name: web, replicas: 2, cpu: 1, memory: 1Gi}
";

/// Runs the program in `folder`, which has no recorded traces within reach.
fn cellsim(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cellsim"))
        .args(arguments)
        .current_dir(folder)
        .env("CELLSIM_DATA", folder.join("no-data"))
        .output()
        .expect("the program can be started")
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// What is wrong with the answer to bad input, if anything is.
fn objection(output: &Output, expected: &[&str]) -> Option<String> {
    let told = String::from_utf8_lossy(&output.stderr);
    if output.status.code() != Some(2) {
        return Some(format!("exit code {:?}, stderr: {told}", output.status.code()));
    }
    if told.contains("panicked") {
        return Some(format!("it panicked: {told}"));
    }
    if !output.stdout.is_empty() {
        return Some(format!("stdout: {}", String::from_utf8_lossy(&output.stdout)));
    }
    let missing: Vec<&&str> = expected.iter().filter(|word| !told.contains(**word)).collect();
    (!missing.is_empty()).then(|| format!("{missing:?} is not in: {told}"))
}

/// `GOOD` with `from` replaced by `to`; `from` must be in it.
fn changed(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from:?} is not in the good scenario");
    GOOD.replace(from, to)
}

#[test]
fn the_good_scenario_is_good() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.yaml"), GOOD).unwrap();
    let output = cellsim(folder.path(), &["run", "s.yaml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(names_in(folder.path()), ["reports", "s.yaml"]);
}

#[test]
fn malformed_scenarios_are_refused_with_their_place() {
    let service = "{name: web, replicas: 2, cpu: 1, memory: 1Gi}";
    let pool = "{name: node, count: 4, cpu: 8, memory: 32Gi}";
    let with = |text: &str| format!("{GOOD}{text}");
    // What it is, the scenario, what the message has to say (first of all the place).
    let cases: Vec<(&str, String, &[&str])> = vec![
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
        ("unknown section", with("pools: []\n"), &["s.yaml:9:1", "E0103", "belongs into cluster"]),
        (
            "unknown field",
            changed("pools:", "pooles:"),
            &["s.yaml:4:3", "\"pooles\" in cluster", "did you mean \"pools\"?"],
        ),
        ("missing field", changed(", cpu: 8", ""), &["s.yaml:5:7", "E0107", "lacks \"cpu\""]),
        ("text for a number", changed("count: 4", "count: four"), &["s.yaml:5:27", "E0104"]),
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
        ("huge memory", changed("32Gi", "9e30"), &["s.yaml:5:46", "E0106", "too large"]),
        ("list for a mapping", changed(pool, "[]"), &["s.yaml:5:7", "must be a mapping"]),
        ("mapping for a list", with("failures: {faults: {}}\n"), &["s.yaml:9:20", "a list"]),
        ("number for a name", changed("name: web", "name: 7"), &["s.yaml:8:14", "write \"7\""]),
        ("bool for a duration", changed("1h", "true"), &["s.yaml:2:11", "such as 30d"]),
        ("no unit", changed("1h", "40"), &["s.yaml:2:11", "did you mean 40s?"]),
        ("no duration at all", changed("1h", "soon"), &["s.yaml:2:11", "not a number"]),
        ("zero duration", changed("1h", "0"), &["s.yaml:2:11", "longer than zero"]),
        ("endless duration", changed("1h", "5000y"), &["s.yaml:2:11", "too large"]),
        ("lacks a duration", changed("duration: 1h\n", ""), &["s.yaml:", "lacks \"duration\""]),
        ("warm-up too long", with("measure: {warmup: 1h}\n"), &["s.yaml:9:19", "E0204"]),
        ("name of a folder", changed("name: good", "name: ../up"), &["s.yaml:1:7", "folder"]),
        ("negative seed", with("seed: -1\n"), &["s.yaml:9:7", "E0106"]),
        ("zero seeds", with("experiment: {seeds: 0}\n"), &["s.yaml:9:21", "E0106"]),
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
        ("two pools of a name", changed(pool, &format!("{pool}\n    - {pool}")), &["s.yaml:6:14"]),
        (
            "two services of a name",
            changed(service, &format!("{service}\n    - {service}")),
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
        ("factor zero", changed("cluster:", "cluster:\n  overcommit: {cpu: 0}"), &["s.yaml:4:21"]),
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
    ];
    let mut objections = Vec::new();
    for (what, scenario, expected) in &cases {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("s.yaml"), scenario).unwrap();
        let output = cellsim(folder.path(), &["run", "s.yaml"]);
        let written = names_in(folder.path());
        let wrote = (written != ["s.yaml"]).then(|| format!("it left {written:?}"));
        if let Some(objection) = objection(&output, expected).or(wrote) {
            objections.push(format!("{what}: {objection}"));
        }
    }
    assert!(cases.len() >= 60);
    assert!(objections.is_empty(), "{}", objections.join("\n---\n"));
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

#[test]
fn bad_files_and_outputs_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("s.yaml"), GOOD).unwrap();
    fs::write(path.join("binary.yaml"), [0xff, 0xfe, 0x00, 0x01]).unwrap();
    fs::create_dir(path.join("folder.yaml")).unwrap();
    fs::create_dir(path.join("full")).unwrap();
    fs::write(path.join("full/thesis.txt"), "years of work").unwrap();
    let before = names_in(path);
    let cases: [(&str, &[&str], &[&str]); 16] = [
        ("a missing scenario", &["run", "none.yaml"], &["E0301 none.yaml", "no such file"]),
        ("a folder", &["run", "folder.yaml"], &["E0301 folder.yaml", "is a folder"]),
        ("binary data", &["run", "binary.yaml"], &["binary.yaml", "UTF-8"]),
        ("an output that is a file", &["run", "s.yaml", "-o", "s.yaml"], &["s.yaml"]),
        ("an output below a file", &["run", "s.yaml", "-o", "s.yaml/out"], &["s.yaml"]),
        ("an output of somebody else", &["run", "s.yaml", "-o", "full"], &["full", "not empty"]),
        ("events into a folder", &["run", "s.yaml", "--events", "full"], &["full", "folder"]),
        ("events nowhere", &["run", "s.yaml", "--events", "no/where.csv"], &["no/where.csv"]),
        ("an unknown command", &["rnu", "s.yaml"], &["rnu"]),
        ("an unknown option", &["run", "s.yaml", "--sead", "1"], &["--sead"]),
        ("a seed that is none", &["run", "s.yaml", "--seed", "x"], &["--seed", "x"]),
        ("no seeds", &["run", "s.yaml", "--seeds", "0"], &["--seeds"]),
        ("a --set without value", &["run", "s.yaml", "--set", "seed"], &["--set seed", "E0401"]),
        (
            "a --set of a field that is not there",
            &["run", "s.yaml", "--set", "cluster.pols=1"],
            &["--set cluster.pols=1", "did you mean \"pools\"?"],
        ),
        (
            "a --set of a wrong type",
            &["run", "s.yaml", "--set", "cluster.pools.0.count=many"],
            &["--set cluster.pools.0.count=many", "whole number"],
        ),
        (
            "a --set beyond the list",
            &["run", "s.yaml", "--set", "cluster.pools.7.count=1"],
            &["--set cluster.pools.7.count=1", "list of 1"],
        ),
    ];
    for (what, arguments, expected) in cases {
        let output = cellsim(path, arguments);
        assert_eq!(objection(&output, expected), None, "{what}");
        assert_eq!(names_in(path), before, "{what}");
    }
    assert_eq!(fs::read_to_string(path.join("full/thesis.txt")).unwrap(), "years of work");
}

/// A trace of ours with one file of pods.
fn native_trace(folder: &Path, pods: &[u8]) {
    fs::create_dir(folder.join("trace")).unwrap();
    fs::write(folder.join("trace/pods.csv"), pods).unwrap();
}

#[test]
fn malformed_traces_are_refused_with_their_place() {
    let gz = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let rows: String = (0..3000).map(|i| format!("{},,7,{},0,u,0,0,0.1,0.1,0,0\n", i, i)).collect();
    let packed = gz(&rows);
    // What it is, name and content of the file of task events, what the message has to say.
    let cases: [(&str, &str, Vec<u8>, &[&str]); 7] = [
        ("a truncated gz", "t.csv.gz", packed[..packed.len() / 2].to_vec(), &["t.csv.gz"]),
        ("no gz at all", "t.csv.gz", b"1,2,3\n".to_vec(), &["t.csv.gz"]),
        ("no zst at all", "t.csv.zst", b"1,2,3\n".to_vec(), &["t.csv.zst"]),
        ("an empty file", "t.csv", Vec::new(), &["t.csv", "empty"]),
        ("too few columns", "t.csv", b"1,2,3\n".to_vec(), &["t.csv:1"]),
        ("letters for a time", "t.csv", b"x,,1,1,1,0,u,0,0,0,0,0,0\n".to_vec(), &["t.csv:1:1"]),
        ("a negative time", "t.csv", b"-5,,1,1,1,0,u,0,0,0,0,0,0\n".to_vec(), &["t.csv:1:1"]),
    ];
    for (what, name, content, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), content).unwrap();
        let scenario = changed(
            "services:",
            &format!("trace: {{format: google2011, tasks: {name}, strict: true}}\n  services:"),
        );
        fs::write(folder.path().join("s.yaml"), scenario).unwrap();
        let before = names_in(folder.path());
        for arguments in [
            &["run", "s.yaml"][..],
            &["trace", "inspect", name, "--format", "google2011", "--strict"],
            &["trace", "convert", name, "--from", "google2011", "--strict", "--to", "out"],
        ] {
            let output = cellsim(folder.path(), arguments);
            assert_eq!(objection(&output, expected), None, "{what} {arguments:?}");
        }
        let mut left = names_in(folder.path());
        left.retain(|name| name != "out");
        assert_eq!(left, before, "{what}");
        if let Ok(entries) = fs::read_dir(folder.path().join("out")) {
            assert_eq!(entries.count(), 0, "{what} left files in out");
        }
    }
}

#[test]
fn bad_trace_arguments_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    native_trace(path, b"nonsense,header\n1,2\n");
    fs::create_dir(path.join("empty")).unwrap();
    fs::write(path.join("file"), "x").unwrap();
    let cases: [(&str, &[&str], &[&str]); 8] = [
        ("nothing there", &["trace", "inspect", "no", "--format", "native"], &["no"]),
        ("an empty folder", &["trace", "inspect", "empty", "--format", "google2011"], &["empty"]),
        ("no such columns", &["trace", "inspect", "trace", "--format", "native"], &["pods.csv"]),
        ("no format", &["trace", "inspect", "trace"], &["--format"]),
        ("an unknown format", &["trace", "inspect", "trace", "--format", "swf"], &["swf"]),
        ("no length", &["trace", "generate", "--to", "out"], &["--tasks"]),
        (
            "a length without a unit",
            &["trace", "generate", "--duration", "5", "--to", "out"],
            &["--duration", "did you mean 5s?"],
        ),
        (
            "a target below a file",
            &["trace", "generate", "--tasks", "5", "--nodes", "5", "--to", "file/out"],
            &["file/out", "not a folder"],
        ),
    ];
    for (what, arguments, expected) in cases {
        assert_eq!(objection(&cellsim(path, arguments), expected), None, "{what}");
    }
}
