//! What a scenario may say of the kube-scheduler.

use serde::Deserialize;
use serde_json::Value;

use crate::scheduling::kube::queue::QueueConfig;
use crate::scheduling::kube::{Cache, Profile, Scheduler};

/// The options, for `cellsim policies`.
pub const OPTIONS: &str = "percentageOfNodesToScore: 0 to 100, 0 to let it depend on their number (0); \
                           ties: random or first, who is taken of nodes with equal score (random)";

/// Who is taken of nodes with equal score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ties {
    /// Any, each equally likely, as upstream.
    #[default]
    Random,
    /// The first in the order of nodes.
    First,
}

/// The options as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Written {
    percentage_of_nodes_to_score: i32,
    ties: Ties,
}

/// How the kube-scheduler is set up.
pub struct KubeOptions {
    /// Its profile, over an empty cache.
    pub scheduler: Scheduler,
    /// How long pods wait in its queue.
    pub queue: QueueConfig,
    /// Who is taken of equals.
    pub(super) ties: Ties,
}

impl KubeOptions {
    /// Reads the options of a scenario.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn read(options: &Value) -> Result<Self, String> {
        let written: Written = if options.is_null() {
            Written::default()
        } else {
            serde_json::from_value(options.clone()).map_err(|error| error.to_string())?
        };
        let percentage = written.percentage_of_nodes_to_score;
        if !(0..=100).contains(&percentage) {
            return Err(format!(
                "`percentageOfNodesToScore` is {percentage}; it must be from 0 to 100"
            ));
        }
        let profile = Profile { percentage_of_nodes_to_score: percentage, ..Profile::default() };
        Ok(Self {
            scheduler: Scheduler::new(Cache::new(), profile),
            queue: QueueConfig::default(),
            ties: written.ties,
        })
    }
}
