//! One round: pending pods, nodes and preferences as a network, and the plan that its cheapest flow
//! stands for.
//!
//! ```text
//! source ─▶ group (pods of one job and class) ─▶ class ─▶ node ─▶ sink
//!                └──────────▶ job waits ─────────────────────────▶ sink
//! ```
//!
//! Classes are the equivalence classes: pods of one class are the same to every node. An arc from a
//! class to a node says that the node admits the class now, and the arc from the node to the sink how
//! many pods it takes in a round. With one pod for each node and round (the default) a flow cannot
//! overfill a node in any resource; with more, pods of different classes can come together that do
//! not fit together, and those that do not are left for the next round when they are bound.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::super::jobs::{Job, Ticket, Tickets};
use super::super::planner::Claim;
use super::costs::{MOST, Model, Waiting};
use super::network::{Arc, Network, Vertex};
use crate::cluster::{ClassId, Cluster, NodeId, PodClass};

/// How networks are made.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// What placements cost.
    pub model: Model,
    /// What waiting costs.
    pub waiting: Waiting,
    /// Most nodes that a class has arcs to: its cheapest.
    pub candidates: usize,
    /// Most pods that a node takes in a round.
    pub per_node: usize,
}

/// What a round came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Pods with a place.
    pub claims: Vec<Claim>,
    /// Classes that no node admits.
    pub hopeless: Vec<ClassId>,
    /// Arcs of the network.
    pub arcs: usize,
    /// What the flow costs.
    pub cost: i64,
}

/// Pods of one job and class.
struct Group {
    class: ClassId,
    tickets: Vec<Ticket>,
    vertex: Vertex,
    to_class: Option<Arc>,
}

/// The network of a round.
struct Builder<'a> {
    cluster: &'a Cluster,
    shape: Shape,
    network: Network,
    sink: Vertex,
    nodes: FxHashMap<NodeId, Vertex>,
    /// Nodes in order of the model, where that is the same for all classes.
    by_load: Vec<NodeId>,
}

/// Makes the network for `jobs` and finds its cheapest flow.
pub fn solve(cluster: &Cluster, tickets: &Tickets, jobs: &[Job], shape: Shape) -> Outcome {
    let mut network = Network::default();
    let (source, sink) = (network.vertex(), network.vertex());
    let by_load = Vec::new();
    let mut builder =
        Builder { cluster, shape, network, sink, nodes: FxHashMap::default(), by_load };
    let mut groups = builder.groups(tickets, jobs, source);
    let mut supply: BTreeMap<ClassId, usize> = BTreeMap::new();
    for group in &groups {
        *supply.entry(group.class).or_default() += group.tickets.len();
    }
    let mut outcome = Outcome::default();
    let mut places: BTreeMap<ClassId, Vec<(Arc, NodeId)>> = BTreeMap::new();
    for (class, pods) in &supply {
        let arcs = builder.connect(*class, *pods, &mut groups);
        if arcs.is_empty() {
            outcome.hopeless.push(*class);
        }
        places.insert(*class, arcs);
    }
    let mut network = builder.network;
    outcome.arcs = network.arcs();
    outcome.cost = network.solve(source, sink).1;
    read_off(&network, &groups, &places, &mut outcome);
    outcome
}

/// Hands the units that flow from each class to its nodes out to the pods of its groups.
fn read_off(
    network: &Network,
    groups: &[Group],
    places: &BTreeMap<ClassId, Vec<(Arc, NodeId)>>,
    outcome: &mut Outcome,
) {
    let mut taken: BTreeMap<ClassId, Vec<NodeId>> = BTreeMap::new();
    for (class, arcs) in places {
        let nodes = arcs.iter().flat_map(|(arc, node)| {
            std::iter::repeat_n(*node, usize::try_from(network.flow(*arc)).unwrap_or(0))
        });
        // The last is handed out first.
        let mut nodes: Vec<NodeId> = nodes.collect();
        nodes.reverse();
        taken.insert(*class, nodes);
    }
    for group in groups {
        let Some(arc) = group.to_class else { continue };
        let units = usize::try_from(network.flow(arc)).unwrap_or(0);
        let Some(nodes) = taken.get_mut(&group.class) else { continue };
        for ticket in group.tickets.iter().take(units) {
            let Some(node) = nodes.pop() else { break };
            outcome.claims.push(Claim { ticket: *ticket, class: group.class, node });
        }
    }
}

impl Builder<'_> {
    /// The pods of `jobs` in groups, each with an arc from the source, and for each job the place
    /// where those wait that are not placed.
    fn groups(&mut self, tickets: &Tickets, jobs: &[Job], source: Vertex) -> Vec<Group> {
        let mut groups = Vec::new();
        for job in jobs {
            let mut by_class: BTreeMap<ClassId, Vec<Ticket>> = BTreeMap::new();
            for ticket in &job.pods {
                if let Some(pod) = tickets.pending(self.cluster, *ticket) {
                    by_class.entry(pod.class).or_default().push(*ticket);
                }
            }
            let pods: usize = by_class.values().map(Vec::len).sum();
            let waits = self.network.vertex();
            self.network.arc(waits, self.sink, pods as i64, 0);
            let cost = self.shape.waiting.cost(self.cluster.now(), job.since, job.priority());
            for (class, tickets) in by_class {
                let vertex = self.network.vertex();
                let pods = tickets.len() as i64;
                self.network.arc(source, vertex, pods, 0);
                self.network.arc(vertex, waits, pods, cost);
                groups.push(Group { class, tickets, vertex, to_class: None });
            }
        }
        groups
    }

    /// Connects the groups of `class`, of so many `pods` in all, with its cheapest nodes.
    fn connect(&mut self, class: ClassId, pods: usize, groups: &mut [Group]) -> Vec<(Arc, NodeId)> {
        let content = self.cluster.classes().get(class);
        let preferred = self.preferred(content);
        if preferred.is_empty() {
            return Vec::new();
        }
        let vertex = self.network.vertex();
        for group in groups.iter_mut().filter(|group| group.class == class) {
            let pods = group.tickets.len() as i64;
            group.to_class = Some(self.network.arc(group.vertex, vertex, pods, 0));
        }
        let mut arcs = Vec::with_capacity(preferred.len());
        for (cost, node) in preferred {
            let room = self.room(content, node, pods);
            let node_vertex = self.node(node);
            arcs.push((self.network.arc(vertex, node_vertex, room, cost), node));
        }
        arcs
    }

    /// The cheapest nodes for `class` and what each costs, cheapest first.
    fn preferred(&mut self, class: &PodClass) -> Vec<(i64, NodeId)> {
        let (cluster, model, most) = (self.cluster, self.shape.model, self.shape.candidates);
        let with_cost = |node: NodeId| (model.placement(cluster, class, node), node);
        let admits = |node: &NodeId| cluster.admits(class, *node);
        if model != Model::Quincy {
            // All classes agree on the order.
            if self.by_load.is_empty() {
                self.by_load = cluster.nodes().ids().collect();
                if model == Model::LoadSpreading {
                    let load = |node: &NodeId| (cluster.nodes().pod_count(*node), *node);
                    self.by_load.sort_unstable_by_key(load);
                }
            }
            let fitting = self.by_load.iter().copied().filter(admits);
            return fitting.take(most).map(with_cost).collect();
        }
        let mut all: Vec<(i64, NodeId)> =
            cluster.nodes().ids().filter(admits).map(with_cost).collect();
        if all.len() > most {
            all.select_nth_unstable(most);
            all.truncate(most);
        }
        all.sort_unstable();
        all
    }

    /// How many of `pods` pods of `class` fit on `node` together.
    fn room(&self, class: &PodClass, node: NodeId, pods: usize) -> i64 {
        let most = self.shape.per_node.min(pods) as i64;
        if class.apart_from.is_some() || class.gpu.devices > 0 || most == 1 {
            return 1;
        }
        let nodes = self.cluster.nodes();
        let spare = nodes.free(node).minus(&nodes.demand(class, nodes.group(node)));
        let both = class.requests.0.iter().zip(&spare.0).filter(|(ask, _)| **ask > 0);
        both.map(|(ask, spare)| 1 + spare / ask).min().unwrap_or(most).min(most)
    }

    /// The vertex of `node`, with its way to the sink.
    fn node(&mut self, node: NodeId) -> Vertex {
        if let Some(vertex) = self.nodes.get(&node) {
            return *vertex;
        }
        let vertex = self.network.vertex();
        let units = self.shape.per_node as i64;
        match self.shape.model.step() {
            0 => {
                self.network.arc(vertex, self.sink, units, 0);
            }
            step => {
                for unit in 0..units {
                    self.network.arc(vertex, self.sink, 1, (unit * step).min(MOST));
                }
            }
        }
        self.nodes.insert(node, vertex);
        vertex
    }
}
