//! The line protocol for policies in other languages: JSON lines over the standard input and
//! output of a child process. `docs/protocol.md` describes it.
//!
//! Who speaks first is always cellsim: one line, one reply. Virtual time only: however long the
//! child takes, the answer counts at the instant at which it was asked for. Real time decides one
//! thing, whether a child that does not answer has the run ended with an error.
//!
//! This floor knows the cell and how to tell of it, and neither schedulers nor controllers. It must
//! never tell what the control plane cannot know.

mod child;
mod conversation;
mod messages;
mod mirror;

use std::path::PathBuf;

use serde_json::Value;

pub use conversation::{Conversation, Reply, Role, WakeOn};
pub use messages::WorkloadMessage;
pub use mirror::{Mirror, Turn};

/// Version of the protocol: a child that speaks another one is refused.
pub const VERSION: u32 = 1;

/// How many times a child may be asked at one instant: one that is asked more often chases its own
/// tail.
const MOST_TURNS_AT_ONCE: u64 = 100_000;

/// Longest line that a child may write, in bytes.
const LONGEST_LINE: u64 = 64 << 20;

/// How a child is started.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessSpec {
    /// Program and arguments. A program with a slash in it is relative to `folder`.
    pub command: Vec<String>,
    /// Working folder of the child.
    pub folder: PathBuf,
    /// Seconds of real time that it has for a reply.
    pub reply_within_s: u64,
    /// What it is told as its options.
    pub options: Value,
}

impl ProcessSpec {
    /// Seconds of real time for a reply where nothing else is said.
    pub const REPLY_WITHIN_S: u64 = 60;

    /// The command as one text, for messages.
    pub fn words(&self) -> String {
        self.command.join(" ")
    }
}
