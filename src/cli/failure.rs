//! Why a command did not do what it was asked to, and the exit code for it.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use crate::explain::ExplainError;
use crate::report::ReportError;
use crate::scenario::ScenarioErrors;
use crate::simulation::SimulationError;
use crate::workload::SourceError;

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// The goal of the run was missed: code 1.
    Goal(String),
    /// Something is wrong with what was given: code 2. Already one line for each mistake.
    Input(String),
    /// Nobody reads the output any more: code 0.
    BrokenPipe,
}

impl Failure {
    /// A mistake in the input.
    pub fn input(error: impl Display) -> Self {
        Self::Input(error.to_string())
    }

    /// Tells the user, and gives the exit code.
    pub fn report(self) -> ExitCode {
        match self {
            Self::Goal(message) => {
                eprintln!("failed: {message}");
                ExitCode::from(1)
            }
            Self::Input(message) => {
                eprintln!("{message}");
                ExitCode::from(2)
            }
            Self::BrokenPipe => ExitCode::SUCCESS,
        }
    }
}

impl From<ScenarioErrors> for Failure {
    fn from(errors: ScenarioErrors) -> Self {
        let count = errors.count();
        let noun = if count == 1 { "problem" } else { "problems" };
        Self::Input(format!("{errors}\n{count} {noun}; nothing was run"))
    }
}

impl From<SimulationError> for Failure {
    fn from(error: SimulationError) -> Self {
        match error {
            SimulationError::Source(error) => error.into(),
            SimulationError::Cycle(_) => Self::input(format!("error: {error}")),
            SimulationError::Domains(error) => Self::input(format!("error: {error}")),
            SimulationError::Policy(reason) => Self::input(format!("error: {reason}")),
            SimulationError::Audit { .. } => Self::Goal(error.to_string()),
        }
    }
}

impl From<ExplainError> for Failure {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::Scenario(errors) => errors.into(),
            ExplainError::Simulation(error) => error.into(),
            ExplainError::Source(error) => error.into(),
            ExplainError::Question(message) => Self::input(format!("error: {message}")),
        }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::input(format!("error: {error}"))
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        Self::input(format!("error: {error}"))
    }
}

/// From writing to stdout.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::input(format!("error: cannot write the output: {error}")),
        }
    }
}
