//! Scripted faults: what fails at an exact time and for how long (game days).

use crate::engine::{SimDuration, SimTime};

/// A fault at an exact time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptedFault {
    /// When it begins.
    pub at: SimTime,
    /// How long it lasts; [`SimDuration::MAX`] means to the end of the run.
    pub lasts: SimDuration,
    /// Names of the failure domains that go down.
    pub domains: Vec<String>,
    /// Names of the nodes that go down.
    pub nodes: Vec<String>,
}
