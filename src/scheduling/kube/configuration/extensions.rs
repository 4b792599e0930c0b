//! What a profile asks of those who carry its decisions out: plugins that are no part of
//! [`Profile`](crate::scheduling::kube::Profile), by the point at which they are enabled.

use std::collections::BTreeMap;

use serde_json::Value;

use super::points::ExtensionPoint;
use super::read::Problems;
use super::resolve::{Enabling, args_pointer};
use crate::scheduling::kube::args::CoschedulingArgs;

/// A plugin beside those that filter and score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// DefaultPreemption.
    Preemption,
    /// Coscheduling.
    Coscheduling,
    /// CapacityScheduling.
    Capacity,
}

impl Extension {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Preemption => "DefaultPreemption",
            Self::Coscheduling => "Coscheduling",
            Self::Capacity => "CapacityScheduling",
        }
    }
}

/// Such plugins, by the point at which they are asked, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extensions {
    /// Before nodes are filtered.
    pub pre_filter: Vec<Extension>,
    /// When no node will do.
    pub post_filter: Vec<Extension>,
    /// When a node is taken, or given back.
    pub reserve: Vec<Extension>,
    /// Whether the pod may be bound.
    pub permit: Vec<Extension>,
    /// How gangs are treated.
    pub coscheduling: CoschedulingArgs,
}

impl Extensions {
    /// The default profile's.
    pub fn standard() -> Self {
        Self { post_filter: vec![Extension::Preemption], ..Self::default() }
    }

    /// Those that are enabled; what is wrong with their arguments is added to `problems`.
    pub(super) fn new(
        enabling: &Enabling,
        args: &BTreeMap<String, Value>,
        pointer: &str,
        problems: &mut Problems,
    ) -> Self {
        let all = [Extension::Preemption, Extension::Coscheduling, Extension::Capacity];
        let at = |point: ExtensionPoint| {
            let names = enabling.get(&point).into_iter().flatten();
            names.filter_map(|(name, _)| all.into_iter().find(|one| one.name() == name)).collect()
        };
        Self {
            pre_filter: at(ExtensionPoint::PreFilter),
            post_filter: at(ExtensionPoint::PostFilter),
            reserve: at(ExtensionPoint::Reserve),
            permit: at(ExtensionPoint::Permit),
            coscheduling: coscheduling(args, pointer, problems),
        }
    }
}

fn coscheduling(
    args: &BTreeMap<String, Value>,
    pointer: &str,
    problems: &mut Problems,
) -> CoschedulingArgs {
    let name = Extension::Coscheduling.name();
    let Some(given) = args.get(name).filter(|args| !args.is_null()) else {
        return CoschedulingArgs::default();
    };
    let at = args_pointer(pointer);
    match serde_json::from_value::<CoschedulingArgs>(given.clone()) {
        Err(error) => {
            problems.add(&at, format!("arguments of {name}: {error}"));
            CoschedulingArgs::default()
        }
        Ok(args) => {
            for error in args.validate().err().into_iter().flatten() {
                problems.add(&at, format!("arguments of {name}: {error}"));
            }
            args
        }
    }
}
