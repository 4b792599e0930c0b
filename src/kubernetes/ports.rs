//! Host ports (`HostPortInfo` of kube-scheduler v1.35).

use super::{ContainerPort, PodSpec};

/// Stands for every address of a node.
const EVERY_ADDRESS: &str = "0.0.0.0";

/// A port that a pod occupies on its node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// The address, `0.0.0.0` for all of them.
    pub ip: String,
    /// The port.
    pub port: i32,
}

impl HostPort {
    /// The host port of a container's port; `None` if it has none.
    pub fn new(port: &ContainerPort) -> Option<Self> {
        let or = |text: &str, default: &str| {
            if text.is_empty() { default.to_owned() } else { text.to_owned() }
        };
        (port.host_port > 0).then(|| Self {
            protocol: or(&port.protocol, "TCP"),
            ip: or(&port.host_ip, EVERY_ADDRESS),
            port: port.host_port,
        })
    }

    /// True if both cannot be on one node.
    pub fn conflicts(&self, other: &Self) -> bool {
        self.port == other.port
            && self.protocol == other.protocol
            && (self.ip == other.ip || self.ip == EVERY_ADDRESS || other.ip == EVERY_ADDRESS)
    }
}

/// The host ports of a pod: of its containers and of its sidecars.
pub fn host_ports(spec: &PodSpec) -> Vec<HostPort> {
    let sidecars = spec.init_containers.iter().filter(|container| container.is_sidecar());
    let containers = spec.containers.iter().chain(sidecars);
    containers.flat_map(|container| &container.ports).filter_map(HostPort::new).collect()
}
