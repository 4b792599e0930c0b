//! The programs in `examples/`: cargo builds them with the tests, these run them.

use std::path::PathBuf;
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo puts the example called `name`: beside the folder of the test's own program.
fn example(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a program knows where it is");
    let profile = own.parent().and_then(|deps| deps.parent()).expect("tests are in PROFILE/deps");
    let program =
        profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.is_file(), "build it first: cargo build --examples ({})", program.display());
    program
}

/// What the example called `name` prints, and what it says of errors; whether it ended well.
fn run(name: &str, arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(example(name)).args(arguments).current_dir(root()).output();
    let output = output.expect("the example can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

/// Six hours of the quick start under the example's policy.
fn run_under_it(more: &[&str]) -> (bool, String, String) {
    let always = [
        "run",
        "scenarios/quick-start.yaml",
        "--no-report",
        "--json",
        "--set",
        "duration=6h",
        "--set",
        "measure.warmup=1h",
        "--set",
        "scheduler.placement={name: few-pods}",
    ];
    run("custom_policy", &[&always, more].concat())
}

#[test]
fn a_policy_of_a_third_party_is_listed_with_its_options() {
    let (fine, text, _) = run("custom_policy", &["policies"]);
    assert!(fine);
    assert!(text.contains("few-pods") && text.contains("reserve: percent"), "{text}");
    assert!(text.contains("best-fit"), "those that come with cellsim are still there");
}

#[test]
fn a_policy_of_a_third_party_places_the_pods_of_a_scenario() {
    let placement = |text: &str| -> (String, u64, String) {
        let result: serde_json::Value = serde_json::from_str(text).expect("it prints JSON");
        let name = result["scenario"]["placement"].as_str().expect("a name").to_owned();
        let fingerprint = result["fingerprint"].as_str().expect("a fingerprint").to_owned();
        (name, result["pods"]["started"].as_u64().expect("a count"), fingerprint)
    };
    let (fine, text, errors) = run_under_it(&[]);
    assert!(fine, "{errors}");
    let (name, started, fingerprint) = placement(&text);
    assert_eq!(name, "few-pods");
    assert!(started > 10_000, "{started} pods started");
    let (fine, text, errors) =
        run_under_it(&["--set", "scheduler.placement.options={reserve: 40}"]);
    assert!(fine, "{errors}");
    assert_ne!(placement(&text).2, fingerprint, "the option changes what happens");
}

#[test]
fn a_wrong_option_of_a_third_party_is_bad_input_like_any_other() {
    let (fine, _, errors) = run_under_it(&["--set", "scheduler.placement.options={reserve: 200}"]);
    assert!(!fine);
    assert!(errors.contains("`reserve` must be a whole number of percent"), "{errors}");
}

#[test]
fn the_policy_is_short() {
    let text = std::fs::read_to_string(root().join("examples/custom_policy.rs")).unwrap();
    let lines = text.lines().skip_while(|line| !line.starts_with("struct"));
    let code = lines.take_while(|line| !line.starts_with("fn main")).filter(|l| !l.is_empty());
    assert!((10..30).contains(&code.count()), "a policy is under thirty lines");
}

#[test]
fn a_program_without_the_command_line_compares_three_policies() {
    let (fine, text, errors) = run("embed", &[]);
    assert!(fine, "{errors}");
    let failures: Vec<&str> =
        text.lines().skip(1).filter_map(|line| line.split_whitespace().last()).collect();
    assert_eq!(failures.len(), 3, "{text}");
    assert!(failures.iter().all(|count| *count == failures[0]), "the weather is the same: {text}");
}

#[test]
fn a_kubernetes_cell_of_any_size_can_be_written_and_filled() {
    for terms in ["none", "preferred", "required"] {
        let folder = tempfile::tempdir().expect("a folder");
        let name = folder.path().to_str().expect("a plain name");
        let (fine, scenario, errors) = run("kubernetes_cell", &[name, "30", "4", "20", terms]);
        assert!(fine, "{errors}");
        let output = Command::new(env!("CARGO_BIN_EXE_cellsim"))
            .args(["run", scenario.trim(), "--no-report", "--json", "--check"])
            .output()
            .expect("cellsim can be started");
        let result: serde_json::Value =
            serde_json::from_slice(&output.stdout).expect("it prints JSON");
        assert_eq!(result["pods"]["started"], 80, "{terms}");
    }
    assert!(!run("kubernetes_cell", &["folder", "many"]).0);
}
