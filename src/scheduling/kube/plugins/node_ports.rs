//! NodePorts: host ports can be taken once per node.

use crate::scheduling::kube::{Cache, NodeInfo, Part, Plugin, PodInfo, Prepared, State, Status};

/// The plugin.
#[derive(Debug, Clone, Copy, Default)]
pub struct NodePorts;

impl Plugin for NodePorts {
    fn name(&self) -> &'static str {
        "NodePorts"
    }

    fn part(&self) -> Part {
        Part::Ports
    }

    fn filters(&self) -> bool {
        true
    }

    fn pre_filter(&self, _cache: &Cache, pod: &PodInfo) -> Prepared {
        if pod.template.host_ports.is_empty() { Prepared::Skip } else { Prepared::State(None) }
    }

    fn filter(
        &self,
        _state: Option<&dyn State>,
        _cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Status {
        let wanted = &pod.template.host_ports;
        if wanted.iter().any(|port| node.used_ports.iter().any(|used| used.conflicts(port))) {
            return Status::unschedulable(
                "node(s) didn't have free ports for the requested pod ports",
            );
        }
        Status::SUCCESS
    }
}
