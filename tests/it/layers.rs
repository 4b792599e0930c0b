//! The floors of the house: a file imports from its own floor or from below.

use std::fs;
use std::path::{Path, PathBuf};

/// The floors, lowest first. A floor may import from itself and from those before it.
const FLOORS: [&str; 15] = [
    "engine",
    "kubernetes",
    "cluster",
    "workload",
    "failure",
    "metrics",
    "protocol",
    "healing",
    "scheduling",
    "simulation",
    "scenario",
    "report",
    "explain",
    "experiment",
    "cli",
];

fn source_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the source folder can be listed") {
        let path = entry.expect("its entries can be read").path();
        if path.is_dir() {
            source_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| *floor == name)
}

#[test]
fn no_file_imports_from_a_floor_above() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    source_files(&root, &mut files);
    files.sort();
    let mut broken = Vec::new();
    for file in &files {
        let relative = file.strip_prefix(&root).expect("found below the root");
        let top = relative.components().next().expect("not empty").as_os_str().to_string_lossy();
        let Some(own) = floor(top.trim_end_matches(".rs")) else { continue };
        let text = fs::read_to_string(file).expect("a source file can be read");
        for (number, line) in text.lines().enumerate() {
            for after in line.split("crate::").skip(1) {
                let name: String =
                    after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if floor(&name).is_some_and(|imported| imported > own) {
                    broken.push(format!("{}:{}: {line}", relative.display(), number + 1));
                }
            }
        }
    }
    assert!(files.len() > 50, "only {} source files were found", files.len());
    assert!(broken.is_empty(), "imports from a floor above:\n{}", broken.join("\n"));
}
