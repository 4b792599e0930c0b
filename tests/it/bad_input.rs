//! Malformed files, traces and arguments: each is answered with exit code 2 and a message that names
//! the place; none panics, and nothing is written. Scenarios are in `bad_scenarios`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A scenario that is fine.
pub const GOOD: &str = "\
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
pub fn cellsim(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cellsim"))
        .args(arguments)
        .current_dir(folder)
        .env("CELLSIM_DATA", folder.join("no-data"))
        .output()
        .expect("the program can be started")
}

pub fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// What is wrong with the answer to bad input, if anything is.
pub fn objection(output: &Output, expected: &[&str]) -> Option<String> {
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
pub fn changed(from: &str, to: &str) -> String {
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
        ("an unknown format", &["trace", "inspect", "trace", "--format", "azure"], &["azure"]),
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
