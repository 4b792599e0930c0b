//! Host ports (`HostPortInfo` of kube-scheduler v1.35).

use std::collections::BTreeSet;

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
    /// A port on an address; no protocol is TCP, no address all of them. `None` if it is no port.
    pub fn on(ip: &str, protocol: &str, port: i32) -> Option<Self> {
        let or = |text: &str, default: &str| {
            if text.is_empty() { default.to_owned() } else { text.to_owned() }
        };
        (port > 0).then(|| Self { protocol: or(protocol, "TCP"), ip: or(ip, EVERY_ADDRESS), port })
    }

    /// The host port of a container's port; `None` if it has none.
    pub fn new(port: &ContainerPort) -> Option<Self> {
        Self::on(&port.host_ip, &port.protocol, port.host_port)
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

/// The host ports that are taken on a node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostPorts(BTreeSet<HostPort>);

impl HostPorts {
    /// Takes a port.
    pub fn add(&mut self, port: HostPort) {
        self.0.insert(port);
    }

    /// Gives a port back.
    pub fn remove(&mut self, port: &HostPort) {
        self.0.remove(port);
    }

    /// True if `port` cannot be taken.
    pub fn conflicts(&self, port: &HostPort) -> bool {
        self.0.iter().any(|taken| taken.conflicts(port))
    }

    /// How many ports are taken.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if no port is taken.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{HostPort, HostPorts};

    fn port(ip: &str, protocol: &str, port: i32) -> HostPort {
        HostPort::on(ip, protocol, port).expect("a port")
    }

    #[test]
    fn an_address_and_every_address_conflict() {
        let mut taken = HostPorts::default();
        taken.add(port("10.0.0.1", "", 80));
        taken.add(port("10.0.0.1", "TCP", 80));
        assert_eq!(taken.len(), 1);
        assert!(taken.conflicts(&port("", "TCP", 80)));
        assert!(!taken.conflicts(&port("10.0.0.2", "TCP", 80)));
        assert!(!taken.conflicts(&port("", "UDP", 80)));
        taken.remove(&port("10.0.0.1", "TCP", 80));
        assert!(taken.is_empty());
        assert_eq!(HostPort::on("", "", 0), None);
    }
}
