//! What a scenario may say of the kube-scheduler.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::served::Served;
use super::sharing::SharingOptions;
use crate::engine::Stream;
use crate::kubernetes::DEFAULT_SCHEDULER;
use crate::scheduling::kube::configuration::{self, ConfiguredProfile, Extensions};
use crate::scheduling::kube::queue::{Backoff, QueueConfig};
use crate::scheduling::kube::{Cache, Profile, Scheduler};

/// The options, for `cellsim policies`.
pub const OPTIONS: &str = "config: a KubeSchedulerConfiguration file, whose profiles pods choose by \
                           their schedulerName; profile: the one of them that decides about all \
                           pods, whatever they choose; percentageOfNodesToScore: 0 to 100, 0 to \
                           let it depend on their number (0); ties: random or first, who is taken \
                           of nodes with equal score (random)";

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

impl Ties {
    /// Which of `equals` (at least one) is taken.
    pub(super) fn draw(self, equals: usize, lots: &mut Stream) -> usize {
        match self {
            Self::First => 0,
            Self::Random => lots.below(equals as u64) as usize,
        }
    }
}

/// The options as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Written {
    config: Option<String>,
    profile: Option<String>,
    percentage_of_nodes_to_score: Option<i32>,
    ties: Ties,
}

/// How the kube-scheduler is set up.
pub struct KubeOptions {
    /// Its profiles, over an empty cache.
    pub scheduler: Scheduler,
    /// The pods that it looks at.
    pub(super) served: Served,
    /// Gangs and quotas.
    pub(super) sharing: SharingOptions,
    /// How long pods wait in its queue.
    pub queue: QueueConfig,
    /// Who is taken of equals.
    pub(super) ties: Ties,
}

impl KubeOptions {
    /// Reads the options of a scenario; files are relative to `folder`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn read(options: &Value, folder: &Path) -> Result<Self, String> {
        let written: Written = if options.is_null() {
            Written::default()
        } else {
            serde_json::from_value(options.clone()).map_err(|error| error.to_string())?
        };
        let (mut profiles, served, queue) = match &written.config {
            Some(file) => configured(&folder.join(file), file, written.profile.as_deref())?,
            None if written.profile.is_some() => {
                return Err("`profile` needs a `config` that it is in".to_owned());
            }
            None => {
                let name = DEFAULT_SCHEDULER.to_owned();
                let served = Served::named([name.clone()]);
                let profile = ConfiguredProfile {
                    scheduler_name: name,
                    profile: Profile::default(),
                    queue_sort: String::new(),
                    extensions: Extensions::standard(),
                    not_modelled: Vec::new(),
                };
                (vec![profile], served, QueueConfig::default())
            }
        };
        if let Some(percentage) = written.percentage_of_nodes_to_score {
            if !(0..=100).contains(&percentage) {
                return Err(format!(
                    "`percentageOfNodesToScore` is {percentage}; it must be from 0 to 100"
                ));
            }
            for one in &mut profiles {
                one.profile.percentage_of_nodes_to_score = percentage;
            }
        }
        let sharing = SharingOptions {
            profiles: profiles
                .iter()
                .map(|one| (one.scheduler_name.clone(), one.extensions.clone()))
                .collect(),
            sorts_by_group: profiles.iter().any(|one| one.queue_sort == "Coscheduling"),
        };
        let mut profiles = profiles.into_iter();
        let first = profiles.next().expect("a configuration has a profile");
        let mut scheduler = Scheduler::new(Cache::new(), first.profile);
        profiles.for_each(|one| scheduler.add_profile(&one.scheduler_name, one.profile));
        Ok(Self { scheduler, served, sharing, queue, ties: written.ties })
    }
}

/// The profiles of a configuration file (or the one called `wanted`, for all pods), and its queue.
fn configured(
    file: &Path,
    name: &str,
    wanted: Option<&str>,
) -> Result<(Vec<ConfiguredProfile>, Served, QueueConfig), String> {
    let text = fs::read_to_string(file).map_err(|error| format!("`config` {name}: {error}"))?;
    let configured = configuration::read(&text).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        format!("`config` {name}: {}", errors.join("; "))
    })?;
    let queue = QueueConfig {
        backoff: Backoff {
            initial: configured.initial_backoff,
            max: configured.max_backoff,
            ..Backoff::default()
        },
        ..QueueConfig::default()
    };
    let names: Vec<String> =
        configured.profiles.iter().map(|profile| profile.scheduler_name.clone()).collect();
    let Some(wanted) = wanted else {
        return Ok((configured.profiles, Served::named(names), queue));
    };
    let mut profiles = configured.profiles.into_iter();
    let found = profiles
        .find(|profile| profile.scheduler_name == wanted)
        .ok_or_else(|| format!("`profile` is not in {name}, which has: {}", names.join(", ")))?;
    Ok((vec![found], Served::Everyone, queue))
}
