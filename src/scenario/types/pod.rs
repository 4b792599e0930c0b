//! Services: what their pods ask for and where they may go.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ByteQuantity, CpuQuantity, Distribution, DurationText, EffectName, Ratio};

/// A workload that wants a number of equal pods, all the time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Service {
    /// Unique name.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// Pods wanted.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub replicas: u32,
    /// Fewest ready pods with which it counts as available. Default: 1.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min_ready: Option<u32>,
    /// Priority tier.
    #[serde(default = "TierName::production")]
    pub tier: TierName,
    /// Scheduling priority. Default: one of the tier's band (Borg 2019: free 25, best-effort-batch
    /// 112, mid 117, production 200, monitoring 360).
    pub priority: Option<i32>,
    /// Cpu that each pod requests.
    pub cpu: CpuQuantity,
    /// Memory that each pod requests.
    pub memory: ByteQuantity,
    /// Local storage that each pod requests. Default: none.
    pub storage: Option<ByteQuantity>,
    /// GPUs that each pod requests.
    pub gpus: Option<GpuShare>,
    /// Amounts of extended resources that each pod requests.
    #[serde(default)]
    pub resources: BTreeMap<String, u32>,
    /// What each pod really uses of what it requests.
    pub usage: Option<Usage>,
    /// No two of its pods on one node.
    #[serde(default)]
    pub one_per_node: bool,
    /// Labels that a node must have.
    #[serde(default)]
    pub node_selector: BTreeMap<String, String>,
    /// Required node affinity: the terms are alternatives, the expressions of one term all hold.
    #[serde(default)]
    pub affinity: Vec<Vec<LabelRequirement>>,
    /// Taints that its pods tolerate.
    #[serde(default)]
    pub tolerations: Vec<Toleration>,
    /// Attributes that a node must have, as in Google's traces.
    #[serde(default)]
    pub attributes: Vec<AttributeRequirement>,
    /// What a node should have: soft constraints. Of the nodes that admit a pod, those that meet
    /// the most of them, by weight, are chosen among (`docs/borg.md`).
    #[serde(default)]
    pub preferences: Vec<Preference>,
    /// Time from a start of a pod to a crash of its own. Default: pods do not crash.
    pub time_to_crash: Option<Distribution>,
    /// Time from being bound to being ready. Default: `controlPlane.startDelay`.
    pub start_delay: Option<Distribution>,
    /// How long each pod runs before it succeeds and a new one takes its place. Default: for ever.
    pub run: Option<DurationText>,
    /// Queue (tenant) that its pods are in, for schedulers that have queues; levels are parted by
    /// `/`. Default: none.
    pub queue: Option<String>,
    /// Fewest of its pods that are of use together: schedulers that know gangs bind so many at once
    /// or none. Default: 1.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub gang: Option<u32>,
}

/// What a pod asks of GPU devices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GpuShare {
    /// Number of devices.
    #[schemars(range(min = 1, max = 8))]
    pub count: u8,
    /// Share of the device, where it is one: `0.5`, `50%`. Default: all of it.
    pub share: Option<Ratio>,
    /// Models that will do. Default: any.
    #[serde(default)]
    pub models: Vec<String>,
}

/// What a pod really uses of what it requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Usage {
    /// Of cpu.
    pub cpu: Ratio,
    /// Of memory.
    pub memory: Ratio,
}

/// The priority tiers of Borg.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum TierName {
    /// Testing and free work: no promise at all.
    Free,
    /// Work run by the batch scheduler.
    BestEffortBatch,
    /// Between batch and production.
    Mid,
    /// Services that users wait for.
    Production,
    /// What watches over the rest.
    Monitoring,
}

impl TierName {
    fn production() -> Self {
        Self::Production
    }
}

/// Something for each tier; tiers that are left out have the default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PerTier<T> {
    /// Testing and free work.
    pub free: Option<T>,
    /// Work run by the batch scheduler.
    pub best_effort_batch: Option<T>,
    /// Between batch and production.
    pub mid: Option<T>,
    /// Services that users wait for.
    pub production: Option<T>,
    /// What watches over the rest.
    pub monitoring: Option<T>,
}

impl<T> Default for PerTier<T> {
    fn default() -> Self {
        Self { free: None, best_effort_batch: None, mid: None, production: None, monitoring: None }
    }
}

impl<T> PerTier<T> {
    /// The tiers that have something, lowest first.
    pub fn iter(&self) -> impl Iterator<Item = (TierName, &T)> {
        let all = [
            (TierName::Free, &self.free),
            (TierName::BestEffortBatch, &self.best_effort_batch),
            (TierName::Mid, &self.mid),
            (TierName::Production, &self.production),
            (TierName::Monitoring, &self.monitoring),
        ];
        all.into_iter().filter_map(|(tier, value)| Some((tier, value.as_ref()?)))
    }
}

/// One expression of a node-affinity term.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LabelRequirement {
    /// Label key.
    #[schemars(length(min = 1))]
    pub key: String,
    /// The comparison.
    pub operator: SelectorName,
    /// Values compared with.
    #[serde(default)]
    pub values: Vec<String>,
}

/// How a label is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SelectorName {
    /// The value is one of those given.
    In,
    /// The label is absent or its value is none of those given.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is not there.
    DoesNotExist,
    /// The value, as an integer, is greater than the one given.
    Gt,
    /// The value, as an integer, is less than the one given.
    Lt,
}

/// Leave to run on a tainted node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Toleration {
    /// Key of the taint. Default: any key.
    #[serde(default)]
    pub key: String,
    /// Value of the taint. Default: any value.
    pub value: Option<String>,
    /// The effect that is tolerated. Default: all.
    pub effect: Option<EffectName>,
}

/// A constraint on an attribute of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AttributeRequirement {
    /// Name of the attribute.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The comparison.
    pub operator: AttributeComparison,
    /// What it is compared with.
    #[serde(default)]
    pub value: String,
}

/// A soft constraint: everything in it should hold on a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Preference {
    /// How much it counts.
    #[schemars(range(min = 1, max = 10000))]
    pub weight: u16,
    /// Labels that a node should have; all must hold.
    #[serde(default)]
    pub labels: Vec<LabelRequirement>,
    /// Attributes that a node should have, as in Google's traces; all must hold.
    #[serde(default)]
    pub attributes: Vec<AttributeRequirement>,
}

/// How an attribute is compared (as in the traces of Google).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AttributeComparison {
    /// Equal as text.
    Equal,
    /// Not equal as text.
    NotEqual,
    /// Strictly less as integers.
    LessThan,
    /// Strictly greater as integers.
    GreaterThan,
    /// At most, as integers.
    LessThanEqual,
    /// At least, as integers.
    GreaterThanEqual,
    /// The attribute is there.
    Present,
    /// The attribute is not there.
    NotPresent,
}
