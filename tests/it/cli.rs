//! The command line: exit codes, streams, files, and that scenarios and manual are in order.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const SCENARIO: &str = "\
name: small
duration: 30d
cluster:
  pools:
    - {name: node, count: 10, cpu: 8, memory: 32Gi}
workload:
  services:
    - {name: web, replicas: 2, minReady: 2, cpu: 1, memory: 1Gi, startDelay: 1min}
failures:
  processes:
    - {name: p, timeToFailure: {exponential: {mean: 2d}}, timeToRepair: 1h}
slo: {availability: {web: 99.9999%}}
";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn cellsim(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cellsim"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program can be started")
}

fn folder_with_scenario() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.yaml"), SCENARIO).unwrap();
    folder
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("output is UTF-8")
}

#[test]
fn a_run_prints_its_results_and_writes_a_whole_report() {
    let folder = folder_with_scenario();
    let text = stdout(&cellsim(folder.path(), &["run", "small.yaml"]));
    assert!(text.contains("web") && text.contains("fingerprint"), "{text}");
    let report = folder.path().join("reports/small-0");
    for name in ["report.html", "summary.json"] {
        assert!(report.join(name).is_file(), "{name} is missing");
    }
    assert!(text.contains("reports/small-0/report.html"), "{text}");
}

#[test]
fn json_output_is_the_summary_and_nothing_else() {
    let folder = folder_with_scenario();
    let output = cellsim(folder.path(), &["run", "small.yaml", "--json", "-o", "out"]);
    let printed: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let written = fs::read_to_string(folder.path().join("out/summary.json")).unwrap();
    assert_eq!(printed, serde_json::from_str::<serde_json::Value>(&written).unwrap());
    assert_eq!(printed["scenario"]["resolved"]["duration"], "30d");
    assert!(output.stderr.is_empty(), "no progress where stderr is no terminal");
}

#[test]
fn a_missed_objective_is_exit_code_1_where_asked_for() {
    let folder = folder_with_scenario();
    let run = |more: &[&str]| {
        cellsim(folder.path(), &[&["run", "small.yaml", "--no-report"], more].concat())
    };
    assert_eq!(run(&[]).status.code(), Some(0));
    let missed = run(&["--fail-on-slo"]);
    assert_eq!(missed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missed.stderr).contains("web was available"));
    let met = run(&["--fail-on-slo", "--set", "slo.availability.web=50%"]);
    assert_eq!(met.status.code(), Some(0));
    assert!(!folder.path().join("reports").exists(), "--no-report writes none");
}

#[test]
fn several_seeds_give_the_runs_of_each_seed_whatever_the_threads() {
    let folder = folder_with_scenario();
    let fingerprints = |arguments: &[&str]| -> Vec<String> {
        let command = ["run", "small.yaml", "--no-report", "--json"];
        let text = stdout(&cellsim(folder.path(), &[&command, arguments].concat()));
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let runs = json.as_array().cloned().unwrap_or_else(|| vec![json.clone()]);
        runs.iter().map(|run| run["fingerprint"].as_str().unwrap().to_owned()).collect()
    };
    let together = fingerprints(&["--seeds", "4", "--seed", "5", "--threads", "2"]);
    assert_eq!(together, fingerprints(&["--seeds", "4", "--seed", "5", "--threads", "1"]));
    assert_eq!(together[2], fingerprints(&["--seed", "7"])[0]);
    assert_ne!(together[0], together[1]);
}

#[test]
fn an_event_file_holds_every_fact() {
    let folder = folder_with_scenario();
    stdout(&cellsim(folder.path(), &["run", "small.yaml", "--no-report", "--events", "e.csv"]));
    let events = fs::read_to_string(folder.path().join("e.csv")).unwrap();
    assert!(events.starts_with("time_us,fact"), "{events}");
    assert!(events.lines().count() > 20);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = folder_with_scenario();
    let mut child = Command::new(env!("CARGO_BIN_EXE_cellsim"))
        .arg("schema")
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn policies_are_listed_for_people_and_programs() {
    let text = stdout(&cellsim(&root(), &["policies"]));
    let json = stdout(&cellsim(&root(), &["policies", "--json"]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let policies = json["placement"].as_array().unwrap();
    assert!(policies.len() >= 10);
    for policy in policies {
        assert!(text.contains(policy["name"].as_str().unwrap()), "{policy}");
    }
}

#[test]
fn a_generated_trace_can_be_inspected_converted_and_run() {
    let folder = tempfile::tempdir().unwrap();
    let generate =
        ["trace", "generate", "--nodes", "20", "--tasks", "500", "--seed", "3", "--to", "made"];
    stdout(&cellsim(folder.path(), &[&generate[..], &["--pack", "zst"]].concat()));
    let inspect = |trace: &str| {
        let arguments = ["trace", "inspect", trace, "--format", "native", "--json"];
        let text = stdout(&cellsim(folder.path(), &arguments));
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let made = inspect("made");
    assert_eq!(made["nodes_added"], 20);
    assert!(made["submits"].as_u64().unwrap() >= 500);
    stdout(&cellsim(
        folder.path(),
        &["trace", "convert", "made", "--from", "native", "--to", "copy"],
    ));
    assert_eq!(inspect("copy")["submits"], made["submits"]);
    let scenario = "workload: {trace: {format: native, path: copy}}\n\
                    topology: {levels: [{kind: rack, count: 4}]}\n";
    fs::write(folder.path().join("replay.yaml"), scenario).unwrap();
    let run = ["run", "replay.yaml", "--json", "--check", "--no-report"];
    let result: serde_json::Value =
        serde_json::from_str(&stdout(&cellsim(folder.path(), &run))).unwrap();
    assert_eq!(result["pods"]["submitted"], made["submits"]);
}

#[test]
fn every_scenario_of_the_repository_is_fine_where_its_trace_is() {
    let folder = root().join("scenarios");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // Files that scenarios name.
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let needs_trace = text.contains("traces/");
        if needs_trace && cellsim::workload::data_folder().is_none() {
            eprintln!("skipped {}: no recorded traces on this machine", path.display());
            continue;
        }
        let output = cellsim(&root(), &["validate", path.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        count += 1;
    }
    assert!(count >= 6);
}

#[test]
fn the_manual_of_the_scenario_file_is_up_to_date() {
    let manual = stdout(&cellsim(&root(), &["schema", "--markdown"]));
    let written = fs::read_to_string(root().join("docs/scenario.md")).unwrap();
    let hint = "run: cargo run -- schema --markdown > docs/scenario.md";
    assert!(manual == written, "docs/scenario.md is out of date; {hint}");
}

#[test]
fn the_schema_describes_every_field() {
    let schema: serde_json::Value =
        serde_json::from_str(&stdout(&cellsim(&root(), &["schema"]))).unwrap();
    let mut undocumented = Vec::new();
    let empty = serde_json::Map::new();
    let definitions = schema["$defs"].as_object().unwrap_or(&empty).iter();
    let all = definitions.map(|(name, schema)| (name.as_str(), schema));
    for (name, definition) in all.chain([("Scenario", &schema)]) {
        for (field, schema) in definition["properties"].as_object().unwrap_or(&empty) {
            if schema["description"].as_str().is_none_or(str::is_empty) {
                undocumented.push(format!("{name}.{field}"));
            }
        }
    }
    assert!(undocumented.is_empty(), "without a description: {undocumented:?}");
}
