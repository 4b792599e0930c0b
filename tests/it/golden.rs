//! What every scenario comes to, held to the digit: the fingerprint and the key figures of one
//! run, in every build profile. `CELLSIM_ACCEPT=1 cargo test --release --test it golden` accepts
//! what has changed; `git diff tests/golden` then shows what did.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use cellsim::metrics::RunResult;
use cellsim::scenario::{Plan, load};
use cellsim::workload::data_folder;
use cellsim::{Registry, simulation::Simulation};
use serde::Serialize;
use serde_json::Value;

/// How far the two sides of Little's law may be apart: they are sums of the same times in a
/// different order.
const LITTLES_LAW_TOLERANCE: f64 = 1e-9;

/// A run that is held against its golden summary.
struct Golden {
    /// Name of the summary.
    name: &'static str,
    scenario: &'static str,
    overrides: &'static [&'static str],
}

const A_SMALL_MONTH: &[&str] =
    &["duration=2d", "workload.generator.nodes=200", "workload.generator.tasks=40000"];

/// Every scenario has one at least. What is too much for a test stands in for itself, cut short.
const GOLDENS: [Golden; 20] = [
    golden("quick-start", "quick-start", &[]),
    golden("quick-start-12h", "quick-start", &["duration=12h", "measure.warmup=3h"]),
    golden("rack-failure-game-day", "rack-failure-game-day", &[]),
    golden("single-server-vs-replicated", "single-server-vs-replicated", &[]),
    golden("yardstick-100k", "yardstick", &["workload.yardstick.tasks=100000"]),
    golden("borg-cell-6h", "borg-cell", &["duration=6h", "measure.warmup=1h"]),
    golden("openb", "openb", &[]),
    golden("fgd-openb", "fgd-openb", &[]),
    golden("google-2011", "google-2011", &[]),
    golden("month-of-200-machines", "month", A_SMALL_MONTH),
    golden("swf-nasa", "swf-nasa", &[]),
    golden("fair-share", "fair-share", &[]),
    golden("quota", "quota", &[]),
    golden("kubernetes", "kubernetes", &[]),
    golden("shared-cluster", "shared-cluster", &[]),
    golden("kubernetes-volumes", "kubernetes-volumes", &[]),
    golden("omega-3h", "omega", &["duration=3h"]),
    golden("alloc-sets", "alloc-sets", &[]),
    golden("alloc-sets-without", "alloc-sets", &["workload.trace.path=alloc-sets/without"]),
    golden("sparrow-3min", "sparrow", &["duration=3min"]),
];

const fn golden(
    name: &'static str,
    scenario: &'static str,
    overrides: &'static [&'static str],
) -> Golden {
    Golden { name, scenario, overrides }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn scenario_file(name: &str) -> PathBuf {
    root().join("scenarios").join(format!("{name}.yaml"))
}

fn run(scenario: &str, overrides: &[&str], check: bool) -> RunResult {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    let loaded = load(&scenario_file(scenario), &overrides);
    let loaded = loaded.unwrap_or_else(|errors| panic!("{errors}"));
    let plan = Plan::new(&loaded, &Registry::default());
    let plan = plan.unwrap_or_else(|errors| panic!("{errors}"));
    let run = plan.prepare(plan.seed, 0, check).expect("its files can be read");
    let simulation = Simulation::new(run.config).expect("the scenario makes sense");
    let result = simulation.run(&|_| {});
    result.unwrap_or_else(|error| panic!("{scenario} {overrides:?}: {error}"))
}

/// Says past the capture of the test runner that something was not done.
fn skip(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped {what}: {why}");
}

/// True if the traces in `folder` are on this machine; says so if not.
fn has_trace(folder: &str, name: &str) -> bool {
    let found = data_folder().is_some_and(|data| data.join("traces").join(folder).is_dir());
    if !found {
        skip(name, &format!("no traces/{folder} in the folder that CELLSIM_DATA names"));
    }
    found
}

/// The key figures, one to a line, under names with dots.
#[derive(Default)]
struct Digest(BTreeMap<String, String>);

impl Digest {
    fn of(result: &RunResult) -> Self {
        let mut digest = Self::default();
        digest.put("fingerprint", &result.fingerprint);
        digest.put("window", &result.window);
        digest.put("pods", &result.pods);
        digest.put("nodes", &result.nodes);
        digest.put("littles_law", &result.littles_law);
        digest.put("goodput", &result.work.goodput);
        digest.put("jobs", &result.jobs);
        if let Some(batch) = &result.batch {
            digest.put("batch", batch);
        }
        for alloc in result.allocs.iter().flat_map(|allocs| &allocs.resources) {
            digest.put(&format!("allocs.{}", alloc.resource), alloc);
        }
        for resource in &result.resources {
            digest.put(&format!("resources.{}", resource.resource), resource);
        }
        for waiting in result.waiting.iter().filter(|waiting| waiting.name == "all") {
            digest.put("waiting.from_submit", &waiting.from_submit);
            digest.put("waiting.from_eviction", &waiting.from_eviction);
        }
        for evictions in &result.evictions {
            let key = format!("evictions.{}.{}", evictions.tier, evictions.cause);
            digest.put(&key, &evictions.count);
        }
        for workload in &result.workloads {
            digest.put(&format!("workloads.{}", workload.name), workload);
        }
        digest
    }

    fn put(&mut self, key: &str, value: &impl Serialize) {
        self.flatten(key, &serde_json::to_value(value).expect("results are plain data"));
    }

    fn flatten(&mut self, key: &str, value: &Value) {
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(name, entry)| self.flatten(&format!("{key}.{name}"), entry));
            }
            Value::Array(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_) => {
                self.0.insert(key.to_owned(), value.to_string());
            }
        }
    }

    fn write(&self, file: &Path) {
        let lines: Vec<String> =
            self.0.iter().map(|(key, value)| format!("  \"{key}\": {value}")).collect();
        fs::write(file, format!("{{\n{}\n}}\n", lines.join(",\n"))).expect("it can be written");
    }

    /// Reads what [`Self::write`] wrote. Values stay text: equal means equal to the last digit.
    fn read(file: &Path) -> Option<Self> {
        let text = fs::read_to_string(file).ok()?;
        let entries = text.lines().filter_map(|line| line.trim().split_once("\": "));
        let entry = |(key, value): (&str, &str)| {
            (key.trim_start_matches('"').to_owned(), value.trim_end_matches(',').to_owned())
        };
        Some(Self(entries.map(entry).collect()))
    }

    /// Line by line what is different from `self` in `now`; empty if nothing is.
    fn difference(&self, now: &Self) -> String {
        let keys: BTreeSet<&String> = self.0.keys().chain(now.0.keys()).collect();
        let mut text = String::new();
        for key in keys {
            let (golden, found) = (self.0.get(key), now.0.get(key));
            if golden != found {
                let shown = |value: Option<&String>| value.map_or("nothing", |v| v).to_owned();
                let _ = writeln!(text, "  {key}: {}, was {}", shown(found), shown(golden));
            }
        }
        text
    }
}

fn golden_file(name: &str) -> PathBuf {
    root().join("tests/golden").join(format!("{name}.json"))
}

/// Whether what has changed is meant to.
fn accepting() -> bool {
    env::var_os("CELLSIM_ACCEPT").is_some()
}

/// Runs the golden called `name` and holds it against its summary.
fn compare(name: &str) {
    let golden = GOLDENS.iter().find(|golden| golden.name == name).expect("it is in the table");
    let result = run(golden.scenario, golden.overrides, false);
    let law = result.littles_law.relative_difference;
    assert!(law < LITTLES_LAW_TOLERANCE, "{name}: the sides of Little's law differ by {law:e}");
    let now = Digest::of(&result);
    let file = golden_file(name);
    if accepting() {
        now.write(&file);
    }
    let hint = "if it is meant to: CELLSIM_ACCEPT=1 cargo test --release --test it golden";
    let was = Digest::read(&file);
    let was = was.unwrap_or_else(|| panic!("there is no {}; {hint}", file.display()));
    let difference = was.difference(&now);
    assert!(difference.is_empty(), "{name} comes to something else now:\n{difference}{hint}");
}

/// As [`compare`], for runs that take too long without optimisation.
fn compare_in_release(name: &str) {
    if cfg!(debug_assertions) {
        return skip(name, "too long for a debug build");
    }
    compare(name);
}

#[test]
fn quick_start() {
    compare_in_release("quick-start");
}

#[test]
fn twelve_hours_of_the_quick_start() {
    compare("quick-start-12h");
}

#[test]
fn alloc_sets() {
    compare("alloc-sets");
}

#[test]
fn the_same_without_alloc_sets() {
    compare("alloc-sets-without");
}

#[test]
fn rack_failure_game_day() {
    compare("rack-failure-game-day");
}

#[test]
fn single_server_vs_replicated() {
    compare("single-server-vs-replicated");
}

#[test]
fn a_tenth_of_the_yardstick() {
    compare("yardstick-100k");
}

#[test]
fn six_hours_of_the_borg_cell() {
    compare_in_release("borg-cell-6h");
}

#[test]
fn a_small_cell_under_the_load_of_the_month() {
    compare("month-of-200-machines");
}

#[test]
fn three_hours_of_schedulers_on_shared_state() {
    compare("omega-3h");
}

#[test]
fn three_minutes_of_sampling() {
    compare("sparrow-3min");
}

#[test]
fn openb() {
    if has_trace("alibaba-gpu-v2023", "openb") {
        compare("openb");
    }
}

#[test]
fn kubernetes() {
    compare("kubernetes");
}

#[test]
fn quota() {
    compare("quota");
}

#[test]
fn shared_cluster() {
    compare("shared-cluster");
}

#[test]
fn kubernetes_volumes() {
    compare("kubernetes-volumes");
}

#[test]
fn fair_share() {
    compare("fair-share");
}

#[test]
fn swf_nasa() {
    if has_trace("swf", "swf-nasa") {
        compare("swf-nasa");
    }
}

#[test]
fn fgd_openb() {
    if has_trace("alibaba-gpu-v2023", "fgd-openb") {
        compare("fgd-openb");
    }
}

#[test]
fn google_2011() {
    if has_trace("google2011", "google-2011") {
        compare_in_release("google-2011");
    }
}

#[test]
fn every_scenario_has_a_golden_summary_and_every_summary_a_scenario() {
    let names = |folder: &str, extension: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(root().join(folder)).expect("the folder is there");
        let paths = entries.map(|entry| entry.expect("it can be listed").path());
        let files = paths.filter(|path| path.extension().is_some_and(|e| e == extension));
        files.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect()
    };
    let table = |field: fn(&Golden) -> &str| -> BTreeSet<String> {
        GOLDENS.iter().map(|golden| field(golden).to_owned()).collect()
    };
    assert_eq!(table(|golden| golden.scenario), names("scenarios", "yaml"));
    // While summaries are being accepted, they come into being beside this test.
    if !accepting() {
        assert_eq!(table(|golden| golden.name), names("tests/golden", "json"));
    }
}

/// What is too much under the auditor for a test, even at full optimisation: the same rules in a
/// smaller cell or for a shorter time. `cellsim run --check` is for the rest.
const AUDITED_SHORTER: [(&str, &[&str]); 4] = [
    ("borg-cell", &["duration=1h", "measure.warmup=10min"]),
    ("month", A_SMALL_MONTH),
    ("omega", &["duration=1h", "workload.generator.nodes=400"]),
    ("sparrow", &["duration=1min", "measure.warmup=10s"]),
];

/// Scenarios cut to what the auditor can follow within seconds without optimisation.
const AUDITED_IN_DEBUG: [(&str, &[&str]); 9] = [
    ("fair-share", &["duration=1h"]),
    ("quick-start", &["duration=1h", "measure.warmup=10min"]),
    (
        "borg-cell",
        &[
            "duration=20min",
            "measure.warmup=0s",
            "workload.generator.nodes=50",
            "topology.levels.1.count=20",
            "failures.processes.0.timeToFailure={exponential: {mean: 8h}}",
        ],
    ),
    ("rack-failure-game-day", &[]),
    ("single-server-vs-replicated", &[]),
    ("alloc-sets", &[]),
    ("alloc-sets", &["workload.trace.path=alloc-sets/without"]),
    ("omega", &["duration=30min", "workload.generator.nodes=30"]),
    (
        "sparrow",
        &[
            "duration=20s",
            "measure.warmup=0s",
            "cluster.pools.0.count=20",
            "workload.poisson.arrivals=0.64/s",
        ],
    ),
];

/// Runs `scenario` under the auditor, and without it: it must have nothing to say and no influence.
fn audit(scenario: &str, overrides: &[&str]) {
    let audited = run(scenario, overrides, true);
    assert_eq!(audited, run(scenario, overrides, false), "{scenario} under the auditor");
    assert!(audited.pods.started > 0, "{scenario}: nothing was audited");
}

/// The scenario called `name` at full size, unless that is too much.
fn audit_in_release(name: &str) {
    if cfg!(debug_assertions) {
        return skip(&format!("{name} under the auditor"), "too long for a debug build");
    }
    let shorter = AUDITED_SHORTER.iter().find(|(scenario, _)| *scenario == name);
    audit(name, shorter.map_or(&[], |(_, overrides)| overrides));
}

#[test]
fn the_auditor_is_quiet_on_small_cells_and_changes_nothing() {
    AUDITED_IN_DEBUG.iter().for_each(|(scenario, overrides)| audit(scenario, overrides));
}

#[test]
fn the_auditor_is_quiet_on_every_scenario_that_needs_no_trace() {
    let scenarios: BTreeSet<&str> = GOLDENS.iter().map(|golden| golden.scenario).collect();
    let traced = ["fgd-openb", "google-2011", "openb", "swf-nasa"];
    scenarios.into_iter().filter(|name| !traced.contains(name)).for_each(audit_in_release);
}

#[test]
fn the_auditor_is_quiet_on_openb() {
    if has_trace("alibaba-gpu-v2023", "openb under the auditor") {
        audit("openb", &[]);
    }
}

#[test]
fn the_auditor_is_quiet_on_fgd_openb() {
    if has_trace("alibaba-gpu-v2023", "fgd-openb under the auditor") {
        audit_in_release("fgd-openb");
    }
}

#[test]
fn the_auditor_is_quiet_on_swf_nasa() {
    if has_trace("swf", "swf-nasa under the auditor") {
        audit_in_release("swf-nasa");
    }
}

#[test]
fn the_auditor_is_quiet_on_google_2011() {
    if has_trace("google2011", "google-2011 under the auditor") {
        audit_in_release("google-2011");
    }
}
