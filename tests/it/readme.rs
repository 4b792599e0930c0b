//! The README keeps its word: its commands exist and run, its code is the example's, the output
//! that it shows is what the program prints.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Marks the next block of commands as one that a test runs.
const RUN: &str = "<!-- run by a test -->";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("there is a README.md")
}

/// One line of a block of shell commands.
struct Line {
    text: String,
    /// Whether the block is marked as one that a test runs.
    run: bool,
}

/// The lines of all blocks of shell commands, continued lines joined, comments left out.
fn shell_lines(markdown: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let (mut shell, mut run) = (false, false);
    let mut joined = String::new();
    for line in markdown.lines() {
        if line.starts_with("```") {
            shell = line == "```sh" && !shell;
            run &= shell;
        } else if shell {
            joined += line.trim();
            if let Some(before) = joined.strip_suffix('\\') {
                joined = before.to_owned();
                continue;
            }
            let text = std::mem::take(&mut joined);
            let text = text.split(" #").next().unwrap_or_default().trim().to_owned();
            if !text.is_empty() && !text.starts_with('#') {
                lines.push(Line { text, run });
            }
        } else if !line.trim().is_empty() {
            run = line == RUN;
        }
    }
    lines
}

/// The arguments of `cellsim` in a line that calls it, by its name or through cargo.
fn cellsim_arguments(line: &str) -> Option<Vec<String>> {
    let after = line
        .strip_prefix("cargo run --release -- ")
        .or_else(|| line.strip_prefix("cellsim "))
        .or_else(|| line.strip_prefix("CELLSIM_DATA=~/cluster-data cellsim "))?;
    let mut arguments = vec![String::new()];
    let mut quoted = false;
    for c in after.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => arguments.push(String::new()),
            _ => arguments.last_mut().expect("there is always one").push(c),
        }
    }
    arguments.retain(|argument| !argument.is_empty());
    Some(arguments)
}

fn cellsim(folder: &Path, arguments: &[String]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_cellsim"));
    program.args(arguments).current_dir(folder);
    program.output().expect("the program can be started")
}

fn must_succeed(output: &Output, line: &str) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_command_of_the_readme_parses_and_names_files_that_exist() {
    let lines = shell_lines(&readme());
    let commands: Vec<_> =
        lines.iter().filter_map(|line| Some((line, cellsim_arguments(&line.text)?))).collect();
    assert!(commands.len() >= 12, "only {} commands were found", commands.len());
    for (line, arguments) in &commands {
        // The parser reads everything before it prints the help.
        let with_help = [arguments.as_slice(), &["--help".to_owned()]].concat();
        must_succeed(&cellsim(&root(), &with_help), &line.text);
        for argument in arguments.iter().filter(|text| text.starts_with("scenarios/")) {
            assert!(root().join(argument).is_file(), "{}: no {argument}", line.text);
        }
    }
    let used: BTreeSet<&str> = commands.iter().map(|(_, words)| words[0].as_str()).collect();
    let all = ["explain", "policies", "run", "schema", "trace", "validate"];
    assert_eq!(used, BTreeSet::from(all), "the README shows every command");
}

#[test]
fn every_other_command_of_the_readme_is_cargos_or_known() {
    for line in shell_lines(&readme()) {
        let known =
            ["cargo ", "CELLSIM_ACCEPT=1 cargo test ", "mkdir ", "gsutil ", "git ", "zstd "];
        let fine = cellsim_arguments(&line.text).is_some()
            || known.iter().any(|start| line.text.starts_with(start));
        assert!(fine, "nothing checks this command: {}", line.text);
        if let Some(bench) = line.text.strip_prefix("cargo bench --bench ") {
            let file = root().join("benches").join(format!("{bench}.rs"));
            assert!(file.is_file(), "{}: there is no such bench", line.text);
        }
        if let Some((_, rest)) = line.text.split_once("--example ") {
            let name = rest.split_whitespace().next().unwrap_or_default();
            let file = root().join("examples").join(format!("{name}.rs"));
            assert!(file.is_file(), "{}: there is no such example", line.text);
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("it is new");
    for entry in fs::read_dir(from).expect("it can be listed") {
        let path = entry.expect("it can be read").path();
        let copy = to.join(path.file_name().expect("it has a name"));
        if path.is_dir() {
            copy_folder(&path, &copy);
        } else {
            fs::copy(&path, copy).expect("it is copied");
        }
    }
}

#[test]
fn the_marked_commands_of_the_readme_run() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let scenarios = folder.path().join("scenarios");
    copy_folder(&root().join("scenarios"), &scenarios);
    let lines = shell_lines(&readme());
    let mut count = 0;
    for line in lines.iter().filter(|line| line.run) {
        let Some(arguments) = cellsim_arguments(&line.text) else { continue };
        must_succeed(&cellsim(folder.path(), &arguments), &line.text);
        count += 1;
    }
    assert!(count >= 6, "only {count} commands are marked");
}

#[test]
fn the_policy_in_the_readme_is_that_of_the_example() {
    let example = fs::read_to_string(root().join("examples/custom_policy.rs")).unwrap();
    let code = &example[example.find("use cellsim").expect("it has imports")..];
    assert!(readme().contains(&format!("```rust\n{code}```\n")), "copy the example's code anew");
}

#[test]
fn the_output_in_the_readme_is_that_of_the_golden_run() {
    let golden = fs::read_to_string(root().join("tests/golden/quick-start.json")).unwrap();
    let golden: serde_json::Value = serde_json::from_str(&golden).unwrap();
    let fingerprint = golden["fingerprint"].as_str().expect("a fingerprint");
    assert!(
        readme().contains(&format!("fingerprint {fingerprint} ")),
        "the results of the quick start have changed: copy its output into the README, and \
         plots/allocation-cpu.svg of its report to docs/quick-start-allocation.svg"
    );
}

#[test]
fn every_link_of_the_readme_to_a_file_leads_somewhere() {
    let text = readme();
    let mut count = 0;
    for rest in text.split("](").skip(1) {
        let target = rest.split([')', '#']).next().unwrap_or_default();
        if !target.is_empty() && !target.starts_with("http") {
            assert!(root().join(target).exists(), "there is no {target}");
            count += 1;
        }
    }
    assert!(count >= 5, "only {count} links were found");
}
