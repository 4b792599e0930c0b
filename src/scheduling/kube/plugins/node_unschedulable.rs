//! NodeUnschedulable: cordoned nodes take only pods that tolerate it.

use crate::kubernetes::Taint;
use crate::kubernetes::tolerations::{NO_SCHEDULE, tolerates};
use crate::scheduling::kube::{Cache, NodeInfo, Part, Plugin, PodInfo, State, Status};

/// The plugin.
#[derive(Debug, Clone)]
pub struct NodeUnschedulable {
    /// The taint that stands for a cordoned node.
    taint: Taint,
}

impl Default for NodeUnschedulable {
    fn default() -> Self {
        let key = "node.kubernetes.io/unschedulable".to_owned();
        Self { taint: Taint { key, effect: NO_SCHEDULE.to_owned(), ..Taint::default() } }
    }
}

impl Plugin for NodeUnschedulable {
    fn name(&self) -> &'static str {
        "NodeUnschedulable"
    }

    fn part(&self) -> Part {
        Part::Unschedulable
    }

    fn filters(&self) -> bool {
        true
    }

    fn filter(
        &self,
        _state: Option<&dyn State>,
        _cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Status {
        let tolerations = &pod.template.spec.tolerations;
        if !node.node.spec.unschedulable
            || tolerations.iter().any(|toleration| tolerates(toleration, &self.taint, false))
        {
            return Status::SUCCESS;
        }
        Status::unresolvable("node(s) were unschedulable")
    }
}
