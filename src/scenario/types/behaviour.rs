//! Sections `controlPlane`, `scheduler`, `healing` and `failures`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Distribution, DurationText, PerTier, Ratio};

/// How long the control plane takes: `instant` (decisions and starts take no time), or delays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ControlPlane {
    #[default]
    /// Decisions and starts take no time, failures are seen at once.
    Instant,
    /// Delays; those left out are zero.
    #[serde(untagged)]
    Delays(ControlPlaneDelays),
}

/// Delays between truth, observation and effect.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct ControlPlaneDelays {
    /// From the failure of a node to its being known (Kubernetes: 40 s to 50 s with its default
    /// grace period). A node that is back before was never missed.
    pub detection: Option<Distribution>,
    /// From the repair of a node to its being known.
    pub recovery_detection: Option<Distribution>,
    /// From a pod's being bound to its running (Borg: median about 25 s).
    pub start_delay: Option<Distribution>,
}

/// Who decides where pods go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Scheduler {
    /// Who decides: its name, or `{name: …, options: {…}}`. `cellsim policies` lists them.
    pub architecture: Choice,
    /// Placement policy: its name, or `{name: …, options: {…}}`. `cellsim policies` lists them.
    pub placement: Choice,
    /// Which index looks for the best node. The answer is the same with each, but for a scan that
    /// is told to be content with less; the speed is not.
    pub index: IndexName,
    /// Which of the nodes that suit a pod equally well it gets.
    pub ties: TiesName,
    /// In which order pending pods are tried.
    pub queue: QueueName,
    /// The first pod that does not fit holds up all behind it.
    pub head_of_line_blocking: bool,
    /// Whether pods may displace others.
    pub preemption: PreemptionName,
}

impl Default for Scheduler {
    fn default() -> Self {
        Self {
            architecture: Choice::Name("pod-at-a-time".to_owned()),
            placement: Choice::Name("best-fit".to_owned()),
            index: IndexName::Auto,
            ties: TiesName::Lowest,
            queue: QueueName::Priority,
            head_of_line_blocking: false,
            preemption: PreemptionName::Never,
        }
    }
}

/// Which of the nodes that suit a pod equally well it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TiesName {
    /// The one with the lowest number.
    Lowest,
    /// Any, each equally likely, as in kube-scheduler.
    Random,
}

/// One of several that `cellsim policies` lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Choice {
    /// By name.
    Name(String),
    /// By name and options.
    WithOptions(ChoiceWithOptions),
}

/// One of several, and its options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ChoiceWithOptions {
    /// Its name.
    pub name: String,
    /// Its options (`cellsim policies` lists them).
    #[serde(default)]
    pub options: BTreeMap<String, Value>,
}

impl Choice {
    /// The name.
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::WithOptions(choice) => &choice.name,
        }
    }

    /// The options: an object, or null where there are none.
    pub fn options(&self) -> Value {
        match self {
            Self::WithOptions(choice) if !choice.options.is_empty() => {
                Value::Object(choice.options.clone().into_iter().collect())
            }
            Self::Name(_) | Self::WithOptions(_) => Value::Null,
        }
    }
}

/// Which index looks for the best node: its name, or `{scan: {…}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum IndexName {
    /// The fastest that suits the policy.
    Auto,
    /// No index: looks at every node.
    Naive,
    /// Grid of free cpu × free memory.
    Grid,
    /// A ranking of the nodes for each class of pods.
    Ranking,
    /// No index: looks at nodes one by one, with those of Borg's techniques that are switched on
    /// (EuroSys'15 §3.4; `docs/borg.md`). `scoreCache` keeps feasibility and score of a class of
    /// pods and a node until the node changes; `ignoreChangesBelow` also keeps them while what is
    /// free of each resource has changed by less than this share of what the node has (default: 0,
    /// which is exact). With `equivalenceClasses`, pods of one class that come one after the other
    /// share one scan. With `relaxedRandomization`, nodes are looked at in random order until
    /// `enough` of them are feasible, and the best of those is taken.
    Scan {
        /// Keep scores until the node changes.
        #[serde(default)]
        score_cache: bool,
        /// Keep them also while free amounts changed by less than this share of what the node has.
        ignore_changes_below: Option<Ratio>,
        /// Pods of one class that come one after the other share one scan.
        #[serde(default)]
        equivalence_classes: bool,
        /// Look at nodes in random order until enough are feasible.
        relaxed_randomization: Option<RelaxedRandomization>,
    },
}

/// When a scan in random order may end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RelaxedRandomization {
    /// So many feasible nodes are enough.
    #[schemars(range(min = 1))]
    pub enough: u32,
}

/// In which order pending pods are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QueueName {
    /// By time of becoming pending.
    Fifo,
    /// Higher priority first, then by time.
    Priority,
}

/// Whether pods may displace others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PreemptionName {
    /// Never.
    Never,
    /// A pod may displace pods of lower priority.
    LowerPriority,
    /// As `lower-priority`, but production never displaces production (as in Borg).
    Borg,
}

/// What the cell does about failures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Healing {
    /// What happens to the pods of a node that is lost.
    pub node_lifecycle: NodeLifecycle,
    /// Create pods of services that are missing, delete those that are too many.
    pub replicas: bool,
    /// Controllers of your own, in any language, each a child process (`docs/protocol.md`). They
    /// are woken after those that come with cellsim, in this order.
    pub processes: Vec<ControllerProcess>,
    /// Delays before pods that crash are started again.
    pub crash_backoff: CrashBackoff,
    /// By tier, how often pods save their work: after a stop they go on from the last save. `0`
    /// means that nothing is ever lost; a tier that is left out begins anew.
    pub checkpoint: PerTier<DurationText>,
}

impl Default for Healing {
    fn default() -> Self {
        Self {
            node_lifecycle: NodeLifecycle::default(),
            replicas: true,
            processes: Vec::new(),
            crash_backoff: CrashBackoff::default(),
            checkpoint: PerTier::default(),
        }
    }
}

/// What happens to the pods of a node that is lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct NodeLifecycle {
    /// Evict pods of lost nodes, so that they are placed anew. Otherwise they wait for the node.
    pub enabled: bool,
    /// How long pods stay bound to a node that is known to be lost. Borg reschedules at once;
    /// Kubernetes waits for 300 s by default.
    pub toleration: Option<DurationText>,
}

impl Default for NodeLifecycle {
    fn default() -> Self {
        Self { enabled: true, toleration: None }
    }
}

/// A controller that is a child process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ControllerProcess {
    /// Unique name, for messages.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// The program and its arguments. It runs in the folder of the scenario; a program with a
    /// slash in its name is looked up there.
    pub command: Vec<String>,
    /// What it is told as its options.
    #[serde(default)]
    pub options: BTreeMap<String, Value>,
    /// Seconds of real time that it has for a reply: one that takes longer ends the run with an
    /// error. Default: 60.
    #[schemars(range(min = 1, max = 86400))]
    pub reply_within: Option<u32>,
}

/// Delays before pods that crash are started again; the defaults are the kubelet's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct CrashBackoff {
    /// Delay before the second restart; the first is at once. It doubles each time. Default: 10s.
    pub initial: Option<DurationText>,
    /// The longest delay. Default: 5min.
    pub maximum: Option<DurationText>,
    /// A run of this length makes the next crash count as the first. Default: 10min.
    pub reset_after: Option<DurationText>,
}

/// What happens to the cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Failures {
    /// Things that fail and are repaired at random.
    pub processes: Vec<FailureProcess>,
    /// Faults at exact times.
    pub faults: Vec<Fault>,
    /// By tier, the time from a start of a pod to a crash of its own, for pods that belong to no
    /// service. Default: they crash only as a trace says.
    pub crashes: PerTier<Distribution>,
}

/// Things that fail and are repaired at random, each on its own clock. Faults of several
/// processes overlap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FailureProcess {
    /// Unique name.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// Every failure domain of this kind fails, as a whole. Default: single nodes fail.
    pub domains: Option<String>,
    /// Only nodes of this pool fail. Default: all nodes.
    pub pool: Option<String>,
    /// From a repair (or the start of the run) to the next failure.
    pub time_to_failure: Distribution,
    /// From a failure to its repair.
    pub time_to_repair: Distribution,
}

/// A fault at an exact time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Fault {
    /// When it begins, from the start of the run.
    pub at: DurationText,
    /// How long it lasts. Default: to the end of the run.
    pub lasts: Option<DurationText>,
    /// Failure domains that go down, by name (`rack-17`).
    #[serde(default)]
    pub domains: Vec<String>,
    /// Nodes that go down, by name (`pool-3`).
    #[serde(default)]
    pub nodes: Vec<String>,
}
