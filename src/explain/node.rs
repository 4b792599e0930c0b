//! One node: what is on it, what is free, how it is, what happened to it.

use serde::Serialize;

use super::run::{Replayed, Run};
use super::units::Units;
use super::{ExplainError, HistoryLine, names};
use crate::cluster::{Cluster, DomainId, Fact, NodeId, PodState};
use crate::engine::SimTime;
use crate::metrics::Observer;
use crate::scheduling::Decision;
use crate::simulation::{Moment, Witness};

/// What there is to say of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeAnswer {
    /// Its name.
    pub node: String,
    /// Its pool.
    pub pool: String,
    /// How it is: truth and what the control plane believes.
    pub conditions: Vec<String>,
    /// The failure domains above it.
    pub domains: Vec<DomainState>,
    /// What it has, resource by resource.
    pub resources: Vec<ResourceState>,
    /// Pods bound to it, in the order in which they were submitted.
    pub pods: Vec<PodOnNode>,
    /// What happened to it.
    pub history: Vec<HistoryLine>,
    /// The run.
    pub run: Replayed,
}

/// A failure domain above a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DomainState {
    /// Its name.
    pub domain: String,
    /// What it is.
    pub kind: String,
    /// Faults of its own that hold it down.
    pub faults: u16,
}

/// One resource of a node, as texts with units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResourceState {
    /// Its name.
    pub resource: String,
    /// What the node has for pods.
    pub allocatable: String,
    /// What may be reserved in all.
    pub limit: String,
    /// What is reserved.
    pub reserved: String,
    /// What is not.
    pub free: String,
}

/// A pod on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PodOnNode {
    /// Its name.
    pub pod: String,
    /// Its tier.
    pub tier: String,
    /// Where it is in its life.
    pub state: &'static str,
    /// When it was bound, in microseconds.
    pub bound_us: u64,
    /// What it asks for.
    pub asks: Vec<String>,
}

/// Says of the node called `name` what there is to say at `at`, or at the end of the run.
///
/// # Errors
/// A run that fails, a node that is not there.
pub fn explain_node(
    run: &Run,
    name: &str,
    at: Option<SimTime>,
) -> Result<NodeAnswer, ExplainError> {
    run.check_time(at)?;
    let story =
        NodeStory { wanted: name.to_owned(), units: run.units(), node: None, history: Vec::new() };
    let (told, replayed) = run.replay(at, story, |story, moment| story.tell(moment.cluster))?;
    match told {
        Ok(told) => Ok(NodeAnswer { run: replayed, ..told }),
        Err(known) => Err(names::unknown_node(name, &known)),
    }
}

/// Follows one node.
pub struct NodeStory {
    wanted: String,
    units: Units,
    node: Option<NodeId>,
    history: Vec<HistoryLine>,
}

impl NodeStory {
    /// What there is to say, or the names of the nodes that there are.
    fn tell(&self, cluster: &Cluster) -> Result<NodeAnswer, Vec<String>> {
        let nodes = cluster.nodes();
        let Some(node) = self.node else {
            return Err(nodes.ids().map(|node| nodes.spec(node).name.clone()).collect());
        };
        let (free, limit) = (nodes.free(node), nodes.limit(node));
        let resources = self.units.0.iter().map(|resource| {
            let text = |amounts| self.units.amount(resource, amounts);
            ResourceState {
                resource: resource.name.clone(),
                allocatable: text(nodes.allocatable(node)),
                limit: text(limit),
                reserved: text(&limit.minus(free)),
                free: text(free),
            }
        });
        let domains = domains_above(cluster, node).into_iter().map(|domain| DomainState {
            domain: cluster.domains().name(domain).to_owned(),
            kind: cluster.domains().kind(domain).to_owned(),
            faults: cluster.domains().faults(domain),
        });
        Ok(NodeAnswer {
            node: self.wanted.clone(),
            pool: nodes.spec(node).pool.clone(),
            conditions: conditions(cluster, node),
            domains: domains.collect(),
            resources: resources.collect(),
            pods: self.pods(cluster, node),
            history: self.history.clone(),
            run: Replayed::default(),
        })
    }

    fn pods(&self, cluster: &Cluster, node: NodeId) -> Vec<PodOnNode> {
        let on_it = cluster.all_pods_on(node).into_iter().map(|id| {
            let (pod, class) = (cluster.pod(id), cluster.class_of(id));
            let host = pod.alloc.is_some().then(|| cluster.pod_name(cluster.pod(pod.alloc)));
            let inside = host.map(|host| format!(" inside of {host}")).unwrap_or_default();
            PodOnNode {
                pod: cluster.pod_name(pod) + &inside,
                tier: class.tier.name().to_owned(),
                state: match pod.state {
                    PodState::Pending | PodState::Ended => "gone",
                    PodState::Starting => "starting",
                    PodState::Running => "running",
                    PodState::BackingOff => "backing off",
                    PodState::Stranded => "stranded",
                },
                bound_us: pod.bound_at.0,
                asks: self.units.asks(class),
            }
        });
        on_it.collect()
    }
}

/// How a node is, in a few words each.
fn conditions(cluster: &Cluster, node: NodeId) -> Vec<String> {
    let condition = cluster.nodes().condition(node);
    if !condition.present {
        return vec!["not in the cell".to_owned()];
    }
    let mut told = vec![match condition.faults {
        0 => "up".to_owned(),
        1 => "down (1 fault)".to_owned(),
        faults => format!("down ({faults} faults)"),
    }];
    told.push(if condition.ready { "believed ready" } else { "believed not ready" }.to_owned());
    told.extend(condition.cordoned.then(|| "cordoned: takes no new pods".to_owned()));
    told
}

/// The failure domains that `node` hangs on and what contains these, nearest first.
fn domains_above(cluster: &Cluster, node: NodeId) -> Vec<DomainId> {
    let graph = cluster.domains();
    let names = &cluster.nodes().spec(node).domains;
    let mut above: Vec<DomainId> = names.iter().filter_map(|name| graph.find(name)).collect();
    let mut next = 0;
    while let Some(domain) = above.get(next).copied() {
        next += 1;
        let mut parents: Vec<DomainId> = graph.parents(domain).collect();
        parents.sort_unstable();
        above.extend(parents);
        let mut seen = std::collections::BTreeSet::new();
        above.retain(|domain| seen.insert(*domain));
    }
    above
}

/// What holds a node down, of what is above it.
fn culprits(cluster: &Cluster, node: NodeId) -> String {
    let graph = cluster.domains();
    let down = domains_above(cluster, node).into_iter().filter(|domain| graph.faults(*domain) > 0);
    let names: Vec<&str> = down.map(|domain| graph.name(domain)).collect();
    if names.is_empty() { String::new() } else { format!(" with {}", names.join(", ")) }
}

impl Observer for NodeStory {
    fn observe(&mut self, now: SimTime, fact: &Fact, cluster: &Cluster) {
        if let Fact::NodeAdded { node } = *fact
            && self.node.is_none()
            && cluster.nodes().spec(node).name == self.wanted
        {
            self.node = Some(node);
        }
        let Some(wanted) = self.node else { return };
        let (node, event, detail) = match *fact {
            Fact::NodeAdded { node } => (node, "added", "joined the cell".to_owned()),
            Fact::NodeRemoved { node } => (node, "removed", "left the cell".to_owned()),
            Fact::NodeResized { node } => (node, "resized", "was described anew".to_owned()),
            Fact::NodeDown { node } if node == wanted => {
                (node, "down", format!("went down{}", culprits(cluster, node)))
            }
            Fact::NodeUp { node } => (node, "up", "works again".to_owned()),
            Fact::NodeNotReady { node } => (node, "not-ready", "was noticed to be down".to_owned()),
            Fact::NodeReady { node } => (node, "ready", "was noticed to work again".to_owned()),
            Fact::NodeCordoned { node, cordoned: true } => {
                (node, "cordoned", "takes no new pods, by order".to_owned())
            }
            Fact::NodeCordoned { node, cordoned: false } => {
                (node, "uncordoned", "takes pods again".to_owned())
            }
            _ => return,
        };
        if node == wanted {
            self.history.push(HistoryLine { time_us: now.0, event, detail });
        }
    }
}

impl Witness for NodeStory {
    fn decides(&mut self, _moment: Moment<'_>, _decision: &Decision) {}
}
