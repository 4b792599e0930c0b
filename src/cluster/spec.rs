//! What pods and nodes are described by: the plain data that readers and scenarios produce.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::resources::Resources;
use crate::kubernetes;

/// The priority tiers of Borg, lowest first (EuroSys'15 §2.5, EuroSys'20 Table 1).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Tier {
    /// Testing and free work: no promise at all.
    Free = 0,
    /// Work run by the batch scheduler.
    BestEffortBatch = 1,
    /// Between batch and production.
    #[default]
    Mid = 2,
    /// Services that users wait for.
    Production = 3,
    /// What watches over the rest.
    Monitoring = 4,
}

impl Tier {
    /// Number of tiers.
    pub const COUNT: usize = 5;
    /// All tiers, lowest first.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Free, Self::BestEffortBatch, Self::Mid, Self::Production, Self::Monitoring];

    /// The name used in scenarios and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::BestEffortBatch => "best-effort-batch",
            Self::Mid => "mid",
            Self::Production => "production",
            Self::Monitoring => "monitoring",
        }
    }

    /// Production and monitoring: together Borg's *prod* (EuroSys'15 §2.5).
    pub const fn is_prod(self) -> bool {
        matches!(self, Self::Production | Self::Monitoring)
    }
}

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TaintEffect {
    /// New pods stay away.
    NoSchedule,
    /// New pods prefer to stay away.
    PreferNoSchedule,
    /// New pods stay away and running ones are evicted.
    NoExecute,
}

/// A mark on a node that keeps pods away unless they tolerate it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Taint {
    /// Key of the taint.
    pub key: String,
    /// Value, possibly empty.
    pub value: String,
    /// What it does.
    pub effect: TaintEffect,
}

/// How a toleration compares a taint's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TolerationOperator {
    /// Key and value must be equal.
    Equal,
    /// The key suffices.
    Exists,
}

/// A pod's leave to run on a tainted node (kube v1.35 `Toleration`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Toleration {
    /// Key of the taint; empty means any key and needs `Exists`.
    pub key: String,
    /// How the value is compared.
    pub operator: TolerationOperator,
    /// The value, for `Equal`.
    pub value: String,
    /// The effect tolerated; `None` means all.
    pub effect: Option<TaintEffect>,
}

/// An operator of a node-affinity expression (kube v1.35 `NodeSelectorOperator`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SelectorOperator {
    /// The label's value is one of those given.
    In,
    /// The label is absent or its value is none of those given.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is not there.
    DoesNotExist,
    /// The label's value, as an integer, is greater than the one given.
    Gt,
    /// The label's value, as an integer, is less than the one given.
    Lt,
}

/// One expression of a node-affinity term.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LabelExpression {
    /// Label key; `metadata.name` stands for the node's name.
    pub key: String,
    /// The comparison.
    pub operator: SelectorOperator,
    /// Values compared with.
    pub values: Vec<String>,
}

/// Comparison of a Google-style attribute constraint (trace formats v2.1 and v3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttributeOperator {
    /// Equal as strings; an absent attribute is the empty string.
    Equal,
    /// Not equal as strings; an absent attribute is the empty string.
    NotEqual,
    /// Strictly less as integers; an absent attribute is 0.
    LessThan,
    /// Strictly greater as integers; an absent attribute is 0.
    GreaterThan,
    /// At most, as integers (v3).
    LessThanEqual,
    /// At least, as integers (v3).
    GreaterThanEqual,
    /// The attribute is there (v3).
    Present,
    /// The attribute is not there (v3).
    NotPresent,
}

/// A constraint on a machine attribute, as Google's traces have them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttributeConstraint {
    /// Name of the attribute.
    pub name: String,
    /// The comparison.
    pub operator: AttributeOperator,
    /// What it is compared with.
    pub value: String,
}

/// A soft constraint (EuroSys'15 §2.3: it "acts like a preference"): a node on which all of it
/// holds counts for more than others.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preference {
    /// How much more.
    pub weight: u16,
    /// Labels that the node should have; all must hold.
    pub labels: Vec<LabelExpression>,
    /// Attributes that the node should have; all must hold.
    pub attributes: Vec<AttributeConstraint>,
}

/// Every constraint, hard or soft, that depends on the pod and on what is *fixed* about a node:
/// what is interned once and evaluated once per node, whatever the number of pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeConstraints {
    /// Taints that are tolerated.
    pub tolerations: Vec<Toleration>,
    /// Labels a node must have.
    pub node_selector: BTreeMap<String, String>,
    /// Required node affinity: terms are alternatives, the expressions of one term all hold.
    /// No terms at all means no constraint; a term without expressions matches nothing.
    pub affinity: Vec<Vec<LabelExpression>>,
    /// Google-style constraints; all must hold.
    pub attributes: Vec<AttributeConstraint>,
    /// GPU models that will do; empty means any.
    pub gpu_models: Vec<String>,
    /// What it would like of a node beyond that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preferences: Vec<Preference>,
}

impl NodeConstraints {
    /// Weight of all preferences together.
    pub fn preference_weight(&self) -> u32 {
        self.preferences.iter().map(|preference| u32::from(preference.weight)).sum()
    }
}

/// What many pods have in common apart from their requests: declared once by a source and then
/// named by number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PodTemplate {
    /// Scheduling priority; higher goes first and may preempt lower.
    pub priority: i32,
    /// Tier for preemption bands, overcommit and reports.
    pub tier: Tier,
    /// Constraints on nodes.
    pub constraints: NodeConstraints,
    /// Not on a node that runs another pod of the same workload of which the same is asked (the
    /// `different machines` flag of the Google 2011 trace, `max_per_machine` 1 of 2019).
    pub one_per_node: bool,
    /// The pod as a Kubernetes object, where it came as one: what the kube-scheduler looks at
    /// beyond all of the above (labels, spreading, affinity to pods, ports, images).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<Arc<kubernetes::Pod>>,
}

/// What a pod asks of GPU devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GpuRequest {
    /// Number of devices; 0 means none.
    pub devices: u8,
    /// Share of each device in milli-GPU, 1..=1000; below 1000 only where `devices` is 1.
    pub milli: u16,
}

impl GpuRequest {
    /// All devices together, in milli-GPU.
    pub fn total_milli(self) -> i64 {
        i64::from(self.devices) * i64::from(self.milli)
    }
}

/// A node as it is described by a trace, a scenario or a Kubernetes object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSpec {
    /// Unique name.
    pub name: String,
    /// The pool it is reported under.
    pub pool: String,
    /// What pods may use: cpu in millicores, memory in bytes, …
    pub allocatable: Resources,
    /// Number of GPU devices.
    pub gpu_devices: u8,
    /// Model of its GPUs; empty without GPUs or where it is not known.
    pub gpu_model: String,
    /// Kubernetes labels.
    pub labels: BTreeMap<String, String>,
    /// Taints.
    pub taints: Vec<Taint>,
    /// Google-style attributes.
    pub attributes: BTreeMap<String, String>,
    /// Names of the failure domains it hangs on directly (its rack, its power bus, …).
    pub domains: Vec<String>,
    /// The node as a Kubernetes object, where it came as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<Arc<kubernetes::Node>>,
}
