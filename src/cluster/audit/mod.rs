//! The auditor: a second opinion on the state of the cell, by other means than the verbs.
//!
//! `recount` counts everything anew from the pods alone, which takes time in proportion to the
//! cell. `shadow` is a small model of the cell, folded from the facts alone; `compare` holds what
//! an event touched against it. [`Auditor`] does the second after every event and the first
//! whenever the work done since the last time has come to a few times the size of the cell: so
//! auditing takes time in proportion to what happens, however large the cell is.

mod allocs;
mod auditor;
mod compare;
mod recount;
mod shadow;
#[cfg(test)]
mod tests;

use std::fmt;

pub use auditor::{Auditor, Touched};

/// A broken promise of the cluster state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Violation(String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn broken<T>(sentence: String) -> Result<T, Violation> {
    Err(Violation(sentence))
}

/// `Ok` if `holds`, else what `sentence` says.
fn ensure(holds: bool, sentence: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { broken(sentence()) }
}
