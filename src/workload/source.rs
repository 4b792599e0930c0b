//! What a source tells about itself: errors with their place, and counts of what was skipped.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Why a source cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A row that a strict reader does not accept.
    #[error("{file}:{line}:{column}: {message}")]
    Row {
        /// File as the user named it.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Column of the CSV row, from 1; 0 for the row as a whole.
        column: u32,
        /// What is wrong, what was expected.
        message: String,
    },
    /// A file that cannot be opened, read or unpacked.
    #[error("{file}: {message}")]
    File {
        /// File as the user named it.
        file: String,
        /// What went wrong.
        message: String,
    },
}

/// What a source has read so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceStatistics {
    /// Rows read, over all files.
    pub rows: u64,
    /// Rows skipped because they are broken, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Things worth knowing that are not errors (rows with missing info, late outcomes, …).
    pub noted: BTreeMap<String, u64>,
}
