//! The order of nodes: one of each zone in turn (`backend/cache/node_tree.go` of v1.35).

use super::cache::NodeId;
use crate::kubernetes::Node;

/// Nodes by zone, in order of arrival.
#[derive(Debug, Clone, Default)]
pub struct NodeTree {
    zones: Vec<(String, Vec<NodeId>)>,
}

impl NodeTree {
    /// Adds a node.
    pub fn add(&mut self, zone: String, node: NodeId) {
        match self.zones.iter_mut().find(|(name, _)| *name == zone) {
            Some((_, nodes)) if nodes.contains(&node) => {}
            Some((_, nodes)) => nodes.push(node),
            None => self.zones.push((zone, vec![node])),
        }
    }

    /// Removes a node; false if it is not there. A zone without nodes goes with it.
    pub fn remove(&mut self, zone: &str, node: NodeId) -> bool {
        let Some(place) = self.zones.iter().position(|(name, _)| name == zone) else {
            return false;
        };
        let nodes = &mut self.zones[place].1;
        let Some(position) = nodes.iter().position(|other| *other == node) else { return false };
        nodes.remove(position);
        if nodes.is_empty() {
            self.zones.remove(place);
        }
        true
    }

    /// Moves a node whose labels have changed to its new zone, whether it was there before or not.
    /// In the same zone it keeps its place.
    pub fn update(&mut self, old_zone: &str, new_zone: String, node: NodeId) {
        if *old_zone != new_zone {
            self.remove(old_zone, node);
            self.add(new_zone, node);
        }
    }

    /// The zones in their order, with their nodes.
    pub fn zones(&self) -> impl Iterator<Item = (&str, &[NodeId])> {
        self.zones.iter().map(|(zone, nodes)| (zone.as_str(), nodes.as_slice()))
    }

    /// All nodes: the first of every zone, then the second of every zone that has one, and so on.
    pub fn list(&self) -> Vec<NodeId> {
        let rounds = self.zones.iter().map(|(_, nodes)| nodes.len()).max().unwrap_or(0);
        (0..rounds)
            .flat_map(|round| self.zones.iter().filter_map(move |(_, nodes)| nodes.get(round)))
            .copied()
            .collect()
    }
}

/// The zone of a node: its region and zone labels together; nothing if it has neither.
pub fn zone_key(node: &Node) -> String {
    let labels = &node.metadata.labels;
    let either = |name: &str| {
        labels
            .get(&format!("failure-domain.beta.kubernetes.io/{name}"))
            .or_else(|| labels.get(&format!("topology.kubernetes.io/{name}")))
            .map_or("", String::as_str)
    };
    let (region, zone) = (either("region"), either("zone"));
    if region.is_empty() && zone.is_empty() {
        return String::new();
    }
    format!("{region}:\u{0}:{zone}")
}
