//! `KubeSchedulerConfiguration` files (`kubescheduler.config.k8s.io/v1`, as kube-scheduler v1.35
//! reads them): which plugins decide, with which arguments, and how pods back off.

mod extensions;
mod points;
mod read;
mod resolve;
mod types;

use std::fmt;

pub use extensions::{Extension, Extensions};
pub use points::{ExtensionPoint, known_plugins};
pub use read::read;
pub use types::{
    KubeSchedulerConfiguration, PluginConfig, PluginRef, PluginSet, Plugins, SchedulerProfile,
};

use super::profile::Profile;
use crate::engine::SimDuration;

/// Something in the file that is not right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigurationError {
    /// The line it stands in, from 1.
    pub line: usize,
    /// The field, such as `profiles[0].plugins.score.enabled[1].name`; empty for the whole file.
    pub field: String,
    /// What is wrong, and what was expected.
    pub message: String,
}

impl fmt::Display for ConfigurationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, field, message } = self;
        if field.is_empty() {
            return write!(formatter, "line {line}: {message}");
        }
        write!(formatter, "line {line}: {field}: {message}")
    }
}

/// A profile, ready to decide.
#[derive(Debug)]
pub struct ConfiguredProfile {
    /// The name pods choose it by.
    pub scheduler_name: String,
    /// Its plugins.
    pub profile: Profile,
    /// What orders the queue: `PrioritySort` or `Coscheduling`.
    pub queue_sort: String,
    /// What is done beside filtering and scoring.
    pub extensions: Extensions,
    /// Plugins that are enabled and known, and that are not modelled: what they would reject is
    /// not rejected.
    pub not_modelled: Vec<String>,
}

/// A configuration, ready to run.
#[derive(Debug)]
pub struct Configured {
    /// The profiles, in their order.
    pub profiles: Vec<ConfiguredProfile>,
    /// How long a pod backs off after its first failure.
    pub initial_backoff: SimDuration,
    /// How long it backs off at most.
    pub max_backoff: SimDuration,
}

#[cfg(test)]
mod tests;
