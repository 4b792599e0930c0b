//! What a run came to, for people and for programs: a folder of JSON, CSV, plots and a page, and a
//! summary for the terminal. Reads results; must never know how they came about.

pub(crate) mod align;
pub mod multi;

mod facts;
mod figures;
mod folder;
pub mod format;
mod html;
mod plots;
mod statistics;
mod table;
mod tables;
mod text;
mod yaml;

#[cfg(test)]
mod sample;

use std::io;
use std::path::{Path, PathBuf};

pub use figures::{Figure, Kind};
pub use folder::check;
pub use statistics::{Estimate, estimate, student_t_two_sided};
pub use text::text;

use crate::metrics::RunResult;
use folder::FileContent;

/// Why a report could not be written. Nothing of it is left then, and a former report stays.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The target exists and is no folder.
    #[error("{} is not a folder; name a new folder or a former report", path.display())]
    NotAFolder {
        /// The target.
        path: PathBuf,
    },
    /// The target is a folder of something else.
    #[error(
        "{} is not empty and is no former report (it has no summary.json); \
         name a new folder or remove it",
        path.display()
    )]
    NotAReport {
        /// The target.
        path: PathBuf,
    },
    /// The target has no last component to give to a folder (`/`, or nothing at all).
    #[error("\"{}\" does not name a folder to write to", path.display())]
    NoName {
        /// The target.
        path: PathBuf,
    },
    /// A file or folder that cannot be written or moved into place.
    #[error("cannot write {}: {source}", path.display())]
    Unwritable {
        /// The file or folder at fault.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Results that cannot be put into JSON.
    #[error("cannot write summary.json: {0}")]
    Json(#[from] serde_json::Error),
    /// Results that cannot be put into CSV.
    #[error("cannot write a table: {0}")]
    Csv(#[from] csv::Error),
    /// A page that cannot be made.
    #[error("cannot make report.html: {0}")]
    Page(#[from] minijinja::Error),
    /// No run to report on.
    #[error("there is no run to report on")]
    NoRuns,
    /// Runs of more than one scenario where seeds of one are asked for.
    #[error("runs of different scenarios (\"{first}\" and \"{other}\") cannot be averaged")]
    MixedScenarios {
        /// Scenario of the first run.
        first: String,
        /// Another one.
        other: String,
    },
}

/// Writes the report of one run to `folder`, whole or not at all: `report.html`, `summary.json`,
/// the CSV tables and `plots/*.svg`. Every file is described in `docs/results.md`. An empty folder
/// and a former report are replaced.
///
/// # Errors
///
/// [`ReportError`]: something else is in the way, or a file cannot be written.
pub fn write(result: &RunResult, folder: &Path) -> Result<(), ReportError> {
    // First what fails for the user's reasons, before the work.
    folder::check(folder)?;
    let plots = plots::all(result);
    let mut files = vec![file("summary.json", json(result)?)];
    for (name, table) in tables::all(result) {
        files.push(file(format!("{name}.csv"), table.csv()?));
    }
    for plot in &plots {
        files.push(file(format!("plots/{}.svg", plot.name), plots::standalone(&plot.svg)));
    }
    files.push(file("report.html", html::page(result, &plots)?));
    folder::put(folder, &files)
}

fn file(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> FileContent {
    FileContent { path: path.into(), bytes: bytes.into() }
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, ReportError> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;

    #[test]
    fn a_report_folder_holds_every_file() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("report");
        write(&sample::borg_day(), &folder).unwrap();
        let mut names: Vec<String> = ["", "plots"]
            .iter()
            .flat_map(|below| fs::read_dir(folder.join(below)).unwrap())
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        insta::assert_debug_snapshot!(names);
    }

    #[test]
    fn the_summary_reads_back_as_the_result_it_was() {
        for result in [sample::borg_day(), sample::nothing()] {
            let home = tempfile::tempdir().unwrap();
            let folder = home.path().join("report");
            write(&result, &folder).unwrap();
            let text = fs::read_to_string(folder.join("summary.json")).unwrap();
            let read: RunResult = serde_json::from_str(&text).unwrap();
            // Reading floats may be off by their last bit: compare what holds none, and the rest
            // by its text.
            assert_eq!((&read.pods, &read.fingerprint), (&result.pods, &result.fingerprint));
            assert_eq!(read.scenario, result.scenario);
            assert_eq!(read.timeseries.columns.len(), result.timeseries.columns.len());
            assert!(text == serde_json::to_string_pretty(&result).unwrap() + "\n");
        }
    }

    #[test]
    fn the_same_result_makes_the_same_bytes() {
        let home = tempfile::tempdir().unwrap();
        let read = |name: &str| {
            write(&sample::borg_day(), &home.path().join(name)).unwrap();
            ["report.html", "summary.json", "plots/waiting.svg"]
                .map(|file| fs::read(home.path().join(name).join(file)).unwrap())
        };
        assert_eq!(read("one"), read("two"));
    }

    /// The schema of `summary.json`: every path to a value, list items as `[]`.
    #[test]
    fn the_keys_of_the_summary_are_these() {
        let mut value = serde_json::to_value(sample::borg_day()).unwrap();
        value["scenario"]["resolved"] = serde_json::Value::Null;
        value["source"]["skipped"] = serde_json::Value::Null;
        value["source"]["noted"] = serde_json::Value::Null;
        let mut paths = BTreeSet::new();
        collect(&value, "", &mut paths);
        insta::assert_snapshot!(paths.into_iter().collect::<Vec<_>>().join("\n"));
    }

    fn collect(value: &serde_json::Value, path: &str, paths: &mut BTreeSet<String>) {
        match value {
            serde_json::Value::Object(map) => {
                map.iter().for_each(|(key, entry)| collect(entry, &format!("{path}.{key}"), paths));
            }
            serde_json::Value::Array(list) => {
                list.iter().for_each(|entry| collect(entry, &format!("{path}[]"), paths));
            }
            _ => {
                paths.insert(path.to_owned());
            }
        }
    }

    #[test]
    fn the_manual_names_every_file_column_and_key_figure() {
        let manual = include_str!("../../docs/results.md");
        let result = sample::borg_day();
        let mut names: Vec<String> = figures::of(&result).into_iter().map(|f| f.key).collect();
        for (file, table) in tables::all(&result) {
            names.push(format!("{file}.csv"));
            names.extend(table.columns.into_iter().map(|column| column.key));
        }
        let parts = |list: &[&str]| list.iter().map(|&s| s.to_owned()).collect::<Vec<_>>();
        let resources = parts(&["cpu", "memory", "gpu"]);
        let workloads = result.workloads.iter().map(|workload| workload.name.clone()).collect();
        let causes =
            crate::cluster::EvictionCause::ALL.map(|cause| cause.name().to_owned()).to_vec();
        let variable = [
            ("<resource>", resources),
            ("<workload>", workloads),
            ("<cause>", causes),
            ("<stage>", parts(&["detect", "place", "start"])),
        ];
        for name in names {
            let mut forms = vec![name.clone()];
            for (place, values) in &variable {
                forms.extend(values.iter().map(|value| name.replace(value.as_str(), place)));
            }
            let named = forms.iter().any(|form| manual.contains(&format!("`{form}`")));
            assert!(named, "{name} is missing in docs/results.md");
        }
    }

    /// Not a check: leaves sample reports below `target/report-samples` to be looked at.
    #[test]
    #[ignore = "writes sample reports to look at"]
    fn write_samples() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/report-samples");
        write(&sample::borg_day(), &root.join("borg-day")).unwrap();
        write(&sample::nothing(), &root.join("nothing")).unwrap();
        write(&sample::one_bucket(), &root.join("one-bucket")).unwrap();
        write(&sample::very_long(), &root.join("very-long")).unwrap();
        let seeds: Vec<RunResult> = (1..=8).map(sample::borg_day_with_seed).collect();
        multi::write(&seeds, &root.join("seeds")).unwrap();
    }
}
