//! Which plugins decide, and with what weight (`apis/config/v1/default_plugins.go` of v1.35).

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::args::{
    BalancedAllocationArgs, InterPodAffinityArgs, NodeAffinityArgs, PreemptionArgs,
    ResourcesFitArgs, TopologySpreadArgs, VolumeBindingArgs,
};
use super::plugin::Plugin;
use super::plugins::{
    Allocatable, AllocatableArgs, BalancedAllocation, ImageLocality, InterPodAffinity,
    NodeAffinity, NodeName, NodePorts, NodeUnschedulable, NodeVolumeLimits, ResourcesFit,
    SchedulingGates, TaintToleration, TopologySpread, VolumeBinding, VolumeRestrictions,
    VolumeZone,
};
use super::validation::FieldError;

/// The plugins of the default profile, in their order, with their weights.
pub const DEFAULT_PLUGINS: [(&str, i64); 15] = [
    ("SchedulingGates", 0),
    ("NodeUnschedulable", 0),
    ("NodeName", 0),
    ("TaintToleration", 3),
    ("NodeAffinity", 2),
    ("NodePorts", 0),
    ("NodeResourcesFit", 1),
    ("VolumeRestrictions", 0),
    ("NodeVolumeLimits", 0),
    ("VolumeBinding", 0),
    ("VolumeZone", 0),
    ("PodTopologySpread", 2),
    ("InterPodAffinity", 2),
    ("NodeResourcesBalancedAllocation", 1),
    ("ImageLocality", 1),
];

/// A plugin in a profile.
pub struct Enabled {
    /// The plugin.
    pub plugin: Box<dyn Plugin>,
    /// What its score counts.
    pub weight: i64,
}

impl fmt::Debug for Enabled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} × {}", self.plugin.name(), self.weight)
    }
}

/// Which plugins decide.
#[derive(Debug)]
pub struct Profile {
    /// The plugins, in the order in which they are asked.
    pub plugins: Vec<Enabled>,
    /// How preemption searches; `None` if pods are not preempted.
    pub preemption: Option<PreemptionArgs>,
    /// How many of the nodes are scored; 0 to let it depend on their number.
    pub percentage_of_nodes_to_score: i32,
}

/// Why a plugin cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// There is none of that name.
    #[error("there is no plugin `{0}`")]
    Unknown(String),
    /// Its arguments have the wrong form.
    #[error("arguments of {plugin}: {problem}")]
    Malformed {
        /// The plugin.
        plugin: String,
        /// What is wrong.
        problem: String,
    },
    /// Its arguments have values that are not allowed.
    #[error("arguments of {plugin}: {}", fields.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid {
        /// The plugin.
        plugin: String,
        /// The fields.
        fields: Vec<FieldError>,
    },
}

fn read<T: DeserializeOwned + Default>(name: &str, args: &Value) -> Result<T, PluginError> {
    if args.is_null() {
        return Ok(T::default());
    }
    serde_json::from_value(args.clone()).map_err(|error| PluginError::Malformed {
        plugin: name.to_owned(),
        problem: error.to_string(),
    })
}

fn valid(name: &str, checked: Result<(), Vec<FieldError>>) -> Result<(), PluginError> {
    checked.map_err(|fields| PluginError::Invalid { plugin: name.to_owned(), fields })
}

/// Makes a plugin by name. Arguments are as in the API, `null` for the defaults; nothing is filled
/// in where they are given, see [`with_defaults`].
///
/// # Errors
///
/// If there is no such plugin, or the arguments are not valid.
pub fn plugin(name: &str, args: &Value) -> Result<Box<dyn Plugin>, PluginError> {
    Ok(match name {
        "SchedulingGates" => Box::new(SchedulingGates),
        "NodeUnschedulable" => Box::new(NodeUnschedulable::default()),
        "NodeName" => Box::new(NodeName),
        "TaintToleration" => Box::new(TaintToleration),
        "NodeAffinity" => {
            let args: NodeAffinityArgs = read(name, args)?;
            valid(name, args.validate())?;
            Box::new(
                NodeAffinity::new(&args).map_err(|problem| PluginError::Malformed {
                    plugin: name.to_owned(),
                    problem,
                })?,
            )
        }
        "NodePorts" => Box::new(NodePorts),
        "NodeResourcesFit" => {
            let args: ResourcesFitArgs = read(name, args)?;
            valid(name, args.validate())?;
            Box::new(ResourcesFit::new(&args))
        }
        "VolumeRestrictions" => Box::new(VolumeRestrictions),
        "NodeVolumeLimits" => Box::new(NodeVolumeLimits),
        "VolumeBinding" => {
            let args: VolumeBindingArgs = read(name, args)?;
            valid(name, args.validate())?;
            Box::new(VolumeBinding)
        }
        "VolumeZone" => Box::new(VolumeZone),
        "PodTopologySpread" => {
            let args: TopologySpreadArgs = read(name, args)?;
            valid(name, args.validate())?;
            Box::new(TopologySpread::new(&args))
        }
        "InterPodAffinity" => {
            let args: InterPodAffinityArgs = read(name, args)?;
            valid(name, args.validate())?;
            Box::new(InterPodAffinity::new(&args))
        }
        "NodeResourcesBalancedAllocation" => {
            let mut args: BalancedAllocationArgs = read(name, args)?;
            if args.resources.is_none() {
                args = args.defaulted();
            }
            valid(name, args.validate())?;
            Box::new(BalancedAllocation::new(&args))
        }
        "ImageLocality" => Box::new(ImageLocality),
        "NodeResourcesAllocatable" => {
            let args: AllocatableArgs = read(name, args)?;
            valid(name, args.validate())?;
            Box::new(Allocatable::new(&args))
        }
        other => return Err(PluginError::Unknown(other.to_owned())),
    })
}

/// Makes a plugin by name, after what its arguments leave out was filled in.
///
/// # Errors
///
/// See [`plugin`].
pub fn with_defaults(name: &str, args: &Value) -> Result<Box<dyn Plugin>, PluginError> {
    match name {
        "NodeResourcesFit" => {
            let args = read::<ResourcesFitArgs>(name, args)?.defaulted();
            valid(name, args.validate())?;
            Ok(Box::new(ResourcesFit::new(&args)))
        }
        "NodeResourcesBalancedAllocation" => {
            let args = read::<BalancedAllocationArgs>(name, args)?.defaulted();
            valid(name, args.validate())?;
            Ok(Box::new(BalancedAllocation::new(&args)))
        }
        _ => plugin(name, args),
    }
}

impl Profile {
    /// A profile of plugins by name and weight (0 counts as 1 for those that score).
    ///
    /// # Errors
    ///
    /// If there is no plugin of a name.
    pub fn of<'a>(plugins: impl IntoIterator<Item = (&'a str, i64)>) -> Result<Self, PluginError> {
        let enabled = |(name, weight): (&str, i64)| {
            Ok(Enabled { plugin: with_defaults(name, &Value::Null)?, weight: weight.max(1) })
        };
        Ok(Self {
            plugins: plugins.into_iter().map(enabled).collect::<Result<_, PluginError>>()?,
            preemption: Some(PreemptionArgs::default()),
            percentage_of_nodes_to_score: 0,
        })
    }
}

impl Default for Profile {
    /// The default profile.
    fn default() -> Self {
        Self::of(DEFAULT_PLUGINS).expect("the default plugins exist")
    }
}
