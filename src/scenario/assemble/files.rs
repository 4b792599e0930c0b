//! Where the files that a scenario names are: beside it, or in the folder of recorded traces.

use std::path::{Path as FilePath, PathBuf};

use crate::scenario::document::Path;
use crate::scenario::error::ErrorCode;
use crate::scenario::problems::Problems;
use crate::workload::data_folder;

/// Where relative paths may begin.
#[derive(Clone, Debug)]
pub struct Files {
    beside: PathBuf,
    data: Option<PathBuf>,
}

impl Files {
    /// Relative paths begin in `beside`, or else in the folder that `CELLSIM_DATA` names.
    pub fn beside(beside: PathBuf) -> Self {
        let in_working_folder = || Some(PathBuf::from("../shared")).filter(|path| path.is_dir());
        Self { beside, data: data_folder().or_else(in_working_folder) }
    }

    /// The folder in which relative paths begin.
    pub fn folder(&self) -> &FilePath {
        &self.beside
    }

    /// The file or folder that the scenario calls `name`; if there is none, that is a problem.
    pub fn find(&self, name: &str, path: &Path, problems: &mut Problems<'_>) -> Option<PathBuf> {
        let beside = self.beside.join(name);
        if beside.exists() {
            return Some(beside);
        }
        let in_data = self.data.as_ref().map(|data| data.join(name)).filter(|path| path.exists());
        if in_data.is_none() {
            self.report_missing(name, path, problems);
        }
        in_data
    }

    fn report_missing(&self, name: &str, path: &Path, problems: &mut Problems<'_>) {
        if FilePath::new(name).is_absolute() || !name.starts_with("traces/") {
            let message = format!("there is no file or folder \"{name}\"");
            return problems.add(ErrorCode::File, path, message);
        }
        let looked = match &self.data {
            Some(data) => format!(" (looked in {})", data.display()),
            None => String::new(),
        };
        problems.add_with_help(
            ErrorCode::TraceMissing,
            path,
            format!("the recorded trace \"{name}\" is not on this machine{looked}"),
            "set CELLSIM_DATA to the folder that holds traces/; README.md tells how to get the \
             traces",
        );
    }
}
