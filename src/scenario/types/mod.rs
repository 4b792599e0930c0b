//! The fields of a scenario. The comments here are the documentation of the file format: they
//! end up in the JSON Schema and in `docs/scenario.md`. It must never compute anything.

mod admission;
mod behaviour;
mod cluster;
mod distribution;
mod pod;
mod topology;
mod workload;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::quantity::{
    ByteQuantity, CpuQuantity, DurationText, FactorText, Quantity, RateText, Ratio,
};
pub use admission::{Admission, QuotaEntry};
pub use behaviour::{
    Choice, ChoiceWithOptions, ControlPlane, ControlPlaneDelays, ControllerProcess, CrashBackoff,
    FailureProcess, Failures, Fault, Healing, IndexName, NodeLifecycle, PreemptionName, QueueName,
    RelaxedRandomization, Scheduler, TiesName,
};
pub use cluster::{Cluster, EffectName, Gpus, Overcommit, OvercommitFactors, Pool, Taint};
pub use distribution::{Distribution, Shape};
pub use pod::{
    AttributeComparison, AttributeRequirement, GpuShare, LabelRequirement, PerTier, Preference,
    SelectorName, Service, TierName, Toleration, Usage,
};
pub use topology::{Domain, Level, OneOrMore, Order, Topology};
pub use workload::{
    ArrivalsName, EstimateName, Generator, Poisson, StartName, TenantName, TierLoad, Trace,
    TraceFormat, Workload, Yardstick,
};

/// A scenario: one experiment, described completely.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Scenario {
    /// Short name, used for the report folder. Default: the name of the file.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"), length(max = 100))]
    pub name: Option<String>,
    /// One line on what it is about.
    #[serde(default)]
    pub title: String,
    /// Seed of every random stream. The same scenario, seed and version give the same run, to the
    /// bit.
    #[serde(default)]
    pub seed: u64,
    /// Length of the run in virtual time. Without it the run ends when a trace is exhausted and no
    /// pod is left that would end by itself.
    pub duration: Option<DurationText>,
    /// What the figures are measured over.
    #[serde(default)]
    pub measure: Measure,
    /// The nodes.
    #[serde(default)]
    pub cluster: Cluster,
    /// Nodes and workloads as Kubernetes objects.
    #[serde(default)]
    pub kubernetes: Kubernetes,
    /// The failure domains that the nodes hang on.
    #[serde(default)]
    pub topology: Topology,
    /// The pods.
    #[serde(default)]
    pub workload: Workload,
    /// Who may bring how much into the cell.
    #[serde(default)]
    pub admission: Admission,
    /// How long the control plane takes to notice and to act: `instant`, or delays.
    #[serde(default)]
    pub control_plane: ControlPlane,
    /// Who decides where pods go.
    #[serde(default)]
    pub scheduler: Scheduler,
    /// What the cell does about failures.
    #[serde(default)]
    pub healing: Healing,
    /// What happens to the cell.
    #[serde(default)]
    pub failures: Failures,
    /// Objectives that the report holds the run against.
    #[serde(default)]
    pub slo: Slo,
    /// Several runs of the same scenario.
    #[serde(default)]
    pub experiment: Experiment,
}

/// Nodes and workloads as Kubernetes objects, besides those that the scenario describes itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Kubernetes {
    /// Manifests, and what `kubectl get nodes,pods,deployments,… -o yaml` writes: YAML or JSON, one
    /// object, many documents or lists. Nodes join the cell; workloads become services, with as
    /// many pods as their controllers would make; pods that are bound go where they were.
    /// Pods of Jobs run for as long as their annotation `pod-complete.stage.kwok.x-k8s.io/delay`
    /// says (`1h30m`), without it for ever. PodGroups and ElasticQuotas (`scheduling.x-k8s.io`)
    /// count where a profile of the scheduler has Coscheduling or CapacityScheduling. Claims,
    /// volumes and storage classes tie pods to zones under the kube-scheduler (`docs/volumes.md`).
    pub files: Vec<String>,
}

/// What the figures are measured over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Measure {
    /// Figures count from here on, so that an empty cell that fills up does not blur them.
    /// Default: from the start.
    pub warmup: Option<DurationText>,
    /// Whether fragmentation is measured: what is free and of no use to the pods that come.
    /// Default: `where-exact`.
    pub fragmentation: Option<FragmentationName>,
}

/// Whether fragmentation is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FragmentationName {
    /// While at most 256 different shapes of pods have come; beyond that not at all.
    WhereExact,
    /// Always; where there are more shapes, amounts are rounded down to leading binary digits.
    Always,
    /// Never.
    Never,
}

/// Service level objectives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Slo {
    /// By service: the share of time in which it is to be available, such as `99.9%`.
    #[serde(default)]
    pub availability: BTreeMap<String, Ratio>,
}

/// Several runs of the same scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Experiment {
    /// Number of runs, each with random streams of its own; figures become means with a 95 %
    /// confidence interval.
    #[schemars(range(min = 1, max = 100_000))]
    pub seeds: u32,
}

impl Default for Experiment {
    fn default() -> Self {
        Self { seeds: 1 }
    }
}
