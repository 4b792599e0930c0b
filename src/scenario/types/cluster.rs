//! Section `cluster`: nodes by pool, overcommit, extended resources.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ByteQuantity, CpuQuantity, FactorText, PerTier};

/// The nodes of the cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Cluster {
    /// Names of extended resources (besides cpu, memory, storage, pods, gpu), at most three.
    #[schemars(length(max = 3))]
    pub resources: Vec<String>,
    /// Groups of equal nodes. A trace may bring nodes of its own besides.
    pub pools: Vec<Pool>,
    /// How requests are held against capacity.
    pub overcommit: Overcommit,
}

/// A number of equal nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Pool {
    /// Unique name; its nodes are called `name-0`, `name-1`, …
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// How many nodes.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub count: u32,
    /// What pods may use of each node's cpu: `64`, `500m`.
    pub cpu: CpuQuantity,
    /// What pods may use of each node's memory: `256Gi`.
    pub memory: ByteQuantity,
    /// Local storage of each node. Default: none.
    pub storage: Option<ByteQuantity>,
    /// Most pods on each node. Default: no limit (the kubelet's own default is 110).
    #[schemars(range(min = 1, max = 1_000_000))]
    pub pods: Option<u32>,
    /// GPU devices of each node.
    pub gpus: Option<Gpus>,
    /// Amounts of the extended resources that `cluster.resources` names.
    #[serde(default)]
    pub resources: BTreeMap<String, u32>,
    /// Kubernetes labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Kubernetes taints.
    #[serde(default)]
    pub taints: Vec<Taint>,
    /// Attributes as in Google's traces.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Failure domains (from `topology.domains`) that every node of the pool hangs on.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Failure domains (from `topology.domains`) over which the nodes of the pool are dealt out
    /// in turn.
    #[serde(default)]
    pub spread_over: Vec<String>,
}

/// GPU devices of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Gpus {
    /// How many devices each node has.
    #[schemars(range(min = 1, max = 8))]
    pub count: u8,
    /// Their model, such as `V100M16`.
    #[serde(default)]
    pub model: String,
}

/// A mark on a node that keeps pods away unless they tolerate it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Taint {
    /// Key of the taint.
    #[schemars(length(min = 1))]
    pub key: String,
    /// Its value.
    #[serde(default)]
    pub value: String,
    /// What it does.
    pub effect: EffectName,
}

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum EffectName {
    /// New pods stay away.
    NoSchedule,
    /// New pods prefer to stay away.
    PreferNoSchedule,
    /// New pods stay away and running ones are evicted.
    NoExecute,
}

/// How requests are held against capacity: with `cpu: 1.5`, a node takes pods until their
/// requests reach 1.5 times what it has. Default: 1 for everything. Real cells need more: in the
/// Google 2011 trace the running tasks request 1.12 to 1.16 of all cpu there is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Overcommit {
    /// Factor for cpu.
    pub cpu: Option<FactorText>,
    /// Factor for memory.
    pub memory: Option<FactorText>,
    /// Factor for local storage.
    pub storage: Option<FactorText>,
    /// Factors for extended resources, by name.
    pub resources: BTreeMap<String, FactorText>,
    /// Factors of single tiers, where they differ from those above. A tier with a smaller factor
    /// finds less room on a node, whoever fills it.
    pub tiers: PerTier<OvercommitFactors>,
}

/// Overcommit factors of one tier.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct OvercommitFactors {
    /// Factor for cpu.
    pub cpu: Option<FactorText>,
    /// Factor for memory.
    pub memory: Option<FactorText>,
    /// Factor for local storage.
    pub storage: Option<FactorText>,
    /// Factors for extended resources, by name.
    pub resources: BTreeMap<String, FactorText>,
}
