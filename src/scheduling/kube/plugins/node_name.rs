//! NodeName: a pod that names a node goes there and nowhere else.

use crate::scheduling::kube::{Cache, NodeInfo, Part, Plugin, PodInfo, State, Status};

/// The plugin.
#[derive(Debug, Clone, Copy, Default)]
pub struct NodeName;

impl Plugin for NodeName {
    fn name(&self) -> &'static str {
        "NodeName"
    }

    fn part(&self) -> Part {
        Part::Name
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
        if pod.node_name.is_empty() || pod.node_name == node.name() {
            return Status::SUCCESS;
        }
        Status::unresolvable("node(s) didn't match the requested node name")
    }
}
