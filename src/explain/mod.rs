//! Why: replays a run to a moment and says why a pod is where it is, what a node holds, where two
//! runs part.
//!
//! A run is replayed, not read: scenario, seed and version determine it, so nothing has to be
//! written down beforehand. Whatever is asked, the replay is the run itself, only watched. This
//! floor must never change what it watches.

mod decisions;
mod names;
mod node;
mod part;
mod placement;
mod pod;
mod question;
mod run;
mod text;
mod units;
mod workload;

use crate::scenario::ScenarioErrors;
use crate::simulation::SimulationError;
use crate::workload::SourceError;

pub use node::{NodeAnswer, explain_node};
pub use part::{PartAnswer, find_part};
pub use placement::PlacementAnswer;
pub use pod::{PodAnswer, explain_pod};
pub use question::{PodName, Question, parse_time};
pub use run::{Replayed, Run};
pub use text::{node_text, part_text, pod_text, workload_text};
pub use workload::{WorkloadAnswer, explain_workload};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The scenario cannot be run.
    #[error(transparent)]
    Scenario(#[from] ScenarioErrors),
    /// The replay failed.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// A trace cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The question makes no sense for this run; a sentence for the user.
    #[error("{0}")]
    Question(String),
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HistoryLine {
    /// When, in microseconds of virtual time.
    pub time_us: u64,
    /// What: a word for programs.
    pub event: &'static str,
    /// What, for people.
    pub detail: String,
}
