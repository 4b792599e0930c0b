//! Printing to stdout, and places to write files to.

use std::io::{self, Write};
use std::path::Path;

use super::failure::Failure;

/// Widest line of text output, however wide the terminal is.
const WIDEST: usize = 110;
/// Width of text output where nothing else is said.
const USUAL_WIDTH: usize = 100;

/// Prints `text` to stdout.
///
/// # Errors
/// As [`Failure`] has it for a broken pipe.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

/// Prints `value` as JSON.
///
/// # Errors
/// As [`print`].
pub fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).expect("results are plain data");
    print(&(text + "\n"))
}

/// How many characters a line on stdout may have: what `COLUMNS` says, within reason.
pub fn width() -> usize {
    let stated = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    stated.unwrap_or(USUAL_WIDTH).min(WIDEST)
}

/// Finds out, before a long run, whether something can be written at `target`: the nearest folder
/// above it that exists must take a file.
///
/// # Errors
/// The folder that does not, and why.
pub fn check_writable(target: &Path) -> Result<(), Failure> {
    let above = target.ancestors().skip(1);
    let existing = above.map(|path| if path == Path::new("") { Path::new(".") } else { path });
    let folder = existing.into_iter().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let failed = |reason: String| {
        Failure::input(format!("error: cannot write {}: {reason}", target.display()))
    };
    if !folder.is_dir() {
        return Err(failed(format!("{} is not a folder", folder.display())));
    }
    match tempfile::tempfile_in(folder) {
        Ok(_) => Ok(()),
        Err(error) => Err(failed(format!("{}: {error}", folder.display()))),
    }
}
