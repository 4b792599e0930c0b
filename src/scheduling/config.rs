//! What a scenario says of the scheduler.

use std::sync::Arc;

use super::placement::{BestFit, Index, Strategy, Ties};
use crate::workload::kubernetes::KubernetesCell;

/// In which order pending pods are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueueOrder {
    /// By time of becoming pending.
    Fifo,
    /// Higher priority first, then by time.
    #[default]
    Priority,
}

/// Whether pods may displace others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PreemptionRule {
    /// Never.
    #[default]
    Never,
    /// A pod may displace pods of lower priority.
    LowerPriority,
    /// As `LowerPriority`, but the production band never displaces itself (EuroSys'15 §2.5).
    BorgBands,
}

/// Placement, queue and preemption, as a scenario gives them.
pub struct SchedulerConfig {
    /// Name of the placement policy, for reports.
    pub placement_name: String,
    /// The placement policy.
    pub strategy: Strategy,
    /// Which index looks for the best node; the answer is the same with each.
    pub index: Index,
    /// Which of equally good nodes a pod gets.
    pub ties: Ties,
    /// In which order pods are tried.
    pub queue: QueueOrder,
    /// Whether the first pod that does not fit holds up all behind it.
    pub head_of_line_blocking: bool,
    /// Whether pods may displace others.
    pub preemption: PreemptionRule,
    /// Kubernetes objects of the cell, where it has some.
    pub manifests: Option<Arc<KubernetesCell>>,
}

impl Default for SchedulerConfig {
    /// Best fit by priority, without preemption.
    fn default() -> Self {
        Self {
            placement_name: "best-fit".to_owned(),
            strategy: Strategy::Scored(Box::new(BestFit)),
            index: Index::Auto,
            ties: Ties::default(),
            queue: QueueOrder::default(),
            head_of_line_blocking: false,
            preemption: PreemptionRule::default(),
            manifests: None,
        }
    }
}
