//! Pods as the scheduler keeps them.

use std::sync::Arc;

use super::template::Template;
use crate::kubernetes::{DEFAULT_SCHEDULER, Pod, Time};

/// A pod: what it shares with others of its kind, and what is its own.
#[derive(Debug, Clone)]
pub struct PodInfo {
    /// What it is a copy of.
    pub template: Arc<Template>,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// `spec.nodeName`: where it is, or has to go.
    pub node_name: String,
    /// `status.nominatedNodeName`.
    pub nominated_node: String,
    /// When it was started.
    pub start_time: Option<Time>,
    /// True while it is being deleted.
    pub terminating: bool,
    /// True while it is being deleted because it was preempted.
    pub preempted: bool,
}

impl PodInfo {
    /// `pod` as a copy of `template`.
    pub fn new(pod: &Pod, template: Arc<Template>) -> Self {
        let terminating = pod.metadata.deletion_timestamp.is_some();
        let target =
            pod.status.conditions.iter().find(|condition| condition.kind == "DisruptionTarget");
        Self {
            template,
            name: pod.metadata.name.clone(),
            uid: pod.metadata.uid.clone(),
            node_name: pod.spec.node_name.clone(),
            nominated_node: pod.status.nominated_node_name.clone(),
            start_time: pod.status.start_time,
            terminating,
            preempted: terminating
                && target.is_some_and(|condition| {
                    condition.status == "True" && condition.reason == "PreemptionByScheduler"
                }),
        }
    }

    /// The scheduler that it asks for; the default one if it names none.
    pub fn scheduler_name(&self) -> &str {
        match self.template.spec.scheduler_name.as_str() {
            "" => DEFAULT_SCHEDULER,
            name => name,
        }
    }

    /// Its priority.
    pub fn priority(&self) -> i32 {
        self.template.priority
    }
}
