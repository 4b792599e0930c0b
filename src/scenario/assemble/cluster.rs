//! Section `cluster`: resource names, overcommit, and the nodes of every pool.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::{
    Dimension, NodeSpec, Overcommit, ResourceNames, Resources, Taint, TaintEffect, Tier,
    WHOLE_MILLI,
};
use crate::scenario::document::Path;
use crate::scenario::error::ErrorCode;
use crate::scenario::problems::Problems;
use crate::scenario::types::{self, FactorText};

/// Pod slots of a node without a stated limit: more than any node can fill.
pub const UNLIMITED_PODS: i64 = 1_000_000;
/// Most nodes of one scenario: a slip of the finger beyond that.
const MOST_NODES: u64 = 10_000_000;

/// The names of all resources.
pub fn resource_names(cluster: &types::Cluster, problems: &mut Problems<'_>) -> ResourceNames {
    let path = Path::of(&["cluster", "resources"]);
    let mut names = Vec::new();
    for (index, name) in cluster.resources.iter().enumerate() {
        let mut longer = names.clone();
        longer.push(name.clone());
        if name.is_empty() {
            let message = "a resource must have a name";
            problems.add(ErrorCode::OutOfRange, &path.index(index), message);
        } else if ResourceNames::with_extended(longer.clone()).is_none() {
            let message = format!("the resource \"{name}\" exists already");
            problems.add(ErrorCode::DuplicateName, &path.index(index), message);
        } else {
            names = longer;
        }
    }
    ResourceNames::with_extended(names).unwrap_or_default()
}

/// The amounts of extended resources at `path`, by dimension.
pub fn extended(
    amounts: &BTreeMap<String, u32>,
    names: &ResourceNames,
    path: &Path,
    problems: &mut Problems<'_>,
) -> Vec<(Dimension, i64)> {
    let mut found = Vec::new();
    for (name, amount) in amounts {
        if let Some(dimension) = extended_dimension(name, names, &path.key(name), problems) {
            found.push((dimension, i64::from(*amount)));
        }
    }
    found
}

fn extended_dimension(
    name: &str,
    names: &ResourceNames,
    path: &Path,
    problems: &mut Problems<'_>,
) -> Option<Dimension> {
    let extended = || names.iter().filter(|(dimension, _)| *dimension >= Dimension::FIRST_EXTENDED);
    let found = extended().find(|(_, known)| *known == name).map(|(dimension, _)| dimension);
    if found.is_none() {
        problems.unknown_name(path, "extended resource", name, extended().map(|(_, name)| name));
    }
    found
}

/// The overcommit factors of every tier.
pub fn overcommit(
    given: &types::Overcommit,
    names: &ResourceNames,
    problems: &mut Problems<'_>,
) -> Overcommit {
    let mut overcommit = Overcommit::default();
    let path = Path::of(&["cluster", "overcommit"]);
    let base = types::OvercommitFactors {
        cpu: given.cpu.clone(),
        memory: given.memory.clone(),
        storage: given.storage.clone(),
        resources: given.resources.clone(),
    };
    for (dimension, permille) in factors(&base, names, &path, problems) {
        Tier::ALL.into_iter().for_each(|tier| overcommit.set(tier, dimension, permille));
    }
    for (tier, own) in given.tiers.iter() {
        let tier = Tier::from(tier);
        let path = path.key("tiers").key(tier.name());
        for (dimension, permille) in factors(own, names, &path, problems) {
            overcommit.set(tier, dimension, permille);
        }
    }
    overcommit
}

fn factors(
    given: &types::OvercommitFactors,
    names: &ResourceNames,
    path: &Path,
    problems: &mut Problems<'_>,
) -> Vec<(Dimension, i64)> {
    let built_in = [
        (Dimension::CPU, "cpu", &given.cpu),
        (Dimension::MEMORY, "memory", &given.memory),
        (Dimension::STORAGE, "storage", &given.storage),
    ];
    let mut found = Vec::new();
    for (dimension, name, factor) in built_in {
        if let Some(factor) = factor {
            found.push((dimension, permille(factor, &path.key(name), problems)));
        }
    }
    for (name, factor) in &given.resources {
        let at = path.key("resources").key(name);
        if let Some(dimension) = extended_dimension(name, names, &at, problems) {
            found.push((dimension, permille(factor, &at, problems)));
        }
    }
    found
}

#[expect(clippy::cast_possible_truncation, reason = "factors are at most 1000")]
fn permille(factor: &FactorText, path: &Path, problems: &mut Problems<'_>) -> i64 {
    let permille = (factor.amount() * 1000.0).round() as i64;
    if permille == 0 {
        problems.add(ErrorCode::OutOfRange, path, format!("{path} must be above 0"));
    }
    permille
}

/// The nodes of one pool, without their failure domains: what each is, and how many.
pub struct PoolNodes {
    /// What each of them is, but for its name and domains.
    pub spec: NodeSpec,
    /// How many there are.
    pub count: u32,
}

/// The pools, in order.
pub fn pools(
    cluster: &types::Cluster,
    names: &ResourceNames,
    problems: &mut Problems<'_>,
) -> Vec<PoolNodes> {
    let mut pools = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, pool) in cluster.pools.iter().enumerate() {
        let path = Path::of(&["cluster", "pools"]).index(index);
        if !seen.insert(pool.name.as_str()) {
            let message = format!("there are two pools called \"{}\"", pool.name);
            problems.add(ErrorCode::DuplicateName, &path.key("name"), message);
        }
        pools.push(PoolNodes { spec: node_spec(pool, names, &path, problems), count: pool.count });
    }
    let total: u64 = pools.iter().map(|pool| u64::from(pool.count)).sum();
    if total > MOST_NODES {
        let message = format!("{total} nodes in all; at most {MOST_NODES} are allowed");
        problems.add(ErrorCode::OutOfRange, &Path::of(&["cluster", "pools"]), message);
        pools.clear();
    }
    pools
}

fn node_spec(
    pool: &types::Pool,
    names: &ResourceNames,
    path: &Path,
    problems: &mut Problems<'_>,
) -> NodeSpec {
    let mut allocatable = Resources::ZERO;
    allocatable[Dimension::CPU] = pool.cpu.amount();
    allocatable[Dimension::MEMORY] = pool.memory.amount();
    allocatable[Dimension::STORAGE] = pool.storage.as_ref().map_or(0, types::Quantity::amount);
    allocatable[Dimension::PODS] = pool.pods.map_or(UNLIMITED_PODS, i64::from);
    for (dimension, amount) in extended(&pool.resources, names, &path.key("resources"), problems) {
        allocatable[dimension] = amount;
    }
    for (field, amount) in [("cpu", pool.cpu.amount()), ("memory", pool.memory.amount())] {
        if amount == 0 {
            let path = path.key(field);
            problems.add(ErrorCode::OutOfRange, &path, format!("{path} must be above 0"));
        }
    }
    let (gpu_devices, gpu_model) =
        pool.gpus.as_ref().map_or((0, String::new()), |gpus| (gpus.count, gpus.model.clone()));
    allocatable[Dimension::GPU] = i64::from(gpu_devices) * i64::from(WHOLE_MILLI);
    NodeSpec {
        name: String::new(),
        pool: pool.name.clone(),
        allocatable,
        gpu_devices,
        gpu_model,
        labels: pool.labels.clone(),
        taints: pool.taints.iter().map(taint).collect(),
        attributes: pool.attributes.clone(),
        domains: pool.domains.clone(),
        kubernetes: None,
    }
}

fn taint(taint: &types::Taint) -> Taint {
    Taint {
        key: taint.key.clone(),
        value: taint.value.clone(),
        effect: TaintEffect::from(taint.effect),
    }
}

impl From<types::EffectName> for TaintEffect {
    fn from(name: types::EffectName) -> Self {
        match name {
            types::EffectName::NoSchedule => Self::NoSchedule,
            types::EffectName::PreferNoSchedule => Self::PreferNoSchedule,
            types::EffectName::NoExecute => Self::NoExecute,
        }
    }
}

impl From<types::TierName> for Tier {
    fn from(name: types::TierName) -> Self {
        match name {
            types::TierName::Free => Self::Free,
            types::TierName::BestEffortBatch => Self::BestEffortBatch,
            types::TierName::Mid => Self::Mid,
            types::TierName::Production => Self::Production,
            types::TierName::Monitoring => Self::Monitoring,
        }
    }
}
