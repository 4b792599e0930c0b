//! Collects what is wrong with a scenario while it is being assembled.

use super::document::{Document, Path};
use super::error::{ErrorCode, ScenarioError, ScenarioErrors};
use super::suggest::{did_you_mean, listed};

/// The mistakes found so far in one document.
pub struct Problems<'a> {
    document: &'a Document,
    errors: Vec<ScenarioError>,
}

impl<'a> Problems<'a> {
    /// None yet.
    pub fn new(document: &'a Document) -> Self {
        Self { document, errors: Vec::new() }
    }

    /// One more, at what stands at `path`.
    pub fn add(&mut self, code: ErrorCode, path: &Path, message: impl Into<String>) {
        let place = self.document.place(path);
        self.errors.push(self.document.error(code, place, message));
    }

    /// One more, with advice.
    pub fn add_with_help(
        &mut self,
        code: ErrorCode,
        path: &Path,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(code, path, message);
        let last = self.errors.last_mut().expect("one has just been added");
        last.help = Some(help.into());
    }

    /// A name at `path` that is not among those `known`.
    pub fn unknown_name<'n>(
        &mut self,
        path: &Path,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        let known: Vec<&str> = known.into_iter().collect();
        let proposal = did_you_mean(name, known.iter().copied());
        let message = format!("unknown {what} \"{name}\"{proposal}");
        if !proposal.is_empty() {
            return self.add(ErrorCode::UnknownName, path, message);
        }
        let help = match known[..] {
            [] => format!("this scenario has no {what}"),
            _ => format!("known: {}", listed(known)),
        };
        self.add_with_help(ErrorCode::UnknownName, path, message, help);
    }

    /// Fails if there are any.
    ///
    /// # Errors
    /// All of them.
    pub fn check(self) -> Result<(), ScenarioErrors> {
        ScenarioErrors::check(self.errors)
    }
}
