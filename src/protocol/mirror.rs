//! What a child has been told, so that each turn tells what changed since, once.
//!
//! Messages say what *is*, not what happened: a node that changed ten times is told of once, and
//! a child that sets what it is told needs no bookkeeping of its own.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use super::messages::{
    Matching, NodeDescription, NodeMessage, NodeState, PodDescription, PodMessage, TemplateMessage,
    WorkloadMessage, state_of,
};
use crate::cluster::{
    Cluster, NodeId, NodeSpec, Pod, PodClass, PodId, PodState, TemplateId, Version,
};

/// Fewer changes of pods than this are never compacted.
const LEAST_COMPACTED: usize = 1024;

/// What changed since the last turn.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Turn {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    templates: Vec<TemplateMessage>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nodes: Vec<NodeMessage>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pods: Vec<PodMessage>,
    /// Declared workloads; for controllers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub workloads: Vec<WorkloadMessage>,
}

/// A pod that the child knows, or is about to be told of.
#[derive(Clone, Copy, Debug)]
struct KnownPod {
    pod: PodId,
    /// What it was when it was told of.
    told: Option<PodClass>,
}

/// A node that the child knows.
#[derive(Clone, Debug)]
struct KnownNode {
    spec: Arc<NodeSpec>,
    cordoned: bool,
}

/// What one child knows.
#[derive(Debug, Default)]
pub struct Mirror {
    /// Resources with a name: only these are told of.
    named: usize,
    version: Option<Version>,
    /// `None` for nodes that the child does not know.
    nodes: Vec<Option<KnownNode>>,
    /// Per template: the nodes that match it.
    templates: Vec<Matching>,
    pods: FxHashMap<u64, KnownPod>,
    /// Serials of pods that changed, in order; a serial may occur several times.
    changed: Vec<u64>,
    /// Length of `changed` at which it is compacted.
    compact_at: usize,
}

impl Mirror {
    /// Nothing is told yet; `named` resources have names.
    pub fn new(named: usize) -> Self {
        Self { named, compact_at: LEAST_COMPACTED, ..Self::default() }
    }

    /// A pod came, went, was bound, evicted or resized.
    pub fn note_pod(&mut self, cluster: &Cluster, pod: PodId) {
        let record = cluster.pod(pod);
        if record.state != PodState::Ended {
            self.pods.entry(record.serial).or_insert(KnownPod { pod, told: None });
        }
        self.changed.push(record.serial);
        if self.changed.len() >= self.compact_at {
            self.compact(cluster);
        }
    }

    /// Forgets what need not be told: a child that is rarely asked must not cost more memory than
    /// what it knows and what is alive.
    fn compact(&mut self, cluster: &Cluster) {
        self.changed = last_mentions(std::mem::take(&mut self.changed));
        let pods = &mut self.pods;
        self.changed.retain(|serial| {
            let Some(known) = pods.get(serial) else { return false };
            let matters = known.told.is_some() || alive(cluster, *serial, known.pod).is_some();
            if !matters {
                pods.remove(serial);
            }
            matters
        });
        self.compact_at = LEAST_COMPACTED.max(2 * self.changed.len());
    }

    /// The pod that the child calls `serial`, if it has been told of it and it is still there.
    pub fn pod<'c>(&self, cluster: &'c Cluster, serial: u64) -> Option<(PodId, &'c Pod)> {
        let known = self.pods.get(&serial).filter(|known| known.told.is_some())?;
        alive(cluster, serial, known.pod).map(|pod| (known.pod, pod))
    }

    /// The node that the child calls `number`, if it has been told of it.
    pub fn node(&self, number: u32) -> Option<NodeId> {
        self.nodes.get(number as usize)?.as_ref().map(|_| NodeId(number))
    }

    /// What changed since the last turn; it counts as told from now on.
    pub fn turn(&mut self, cluster: &Cluster) -> Turn {
        let (nodes, differ) = self.tell_nodes(cluster);
        let templates = self.tell_templates(cluster, differ);
        Turn { templates, nodes, pods: self.tell_pods(cluster), workloads: Vec::new() }
    }

    /// The nodes that changed, and whether any of them may match other templates now.
    fn tell_nodes(&mut self, cluster: &Cluster) -> (Vec<NodeMessage>, bool) {
        let log = cluster.nodes().changes();
        let since = self.version.and_then(|version| log.since(version));
        let mut changed: Vec<NodeId> = match since {
            Some(changed) => changed.to_vec(),
            None => cluster.nodes().ids().collect(),
        };
        changed.sort_unstable();
        changed.dedup();
        self.version = Some(log.version());
        self.nodes.resize(cluster.nodes().len(), None);
        let mut differ = false;
        let messages = changed.into_iter();
        let told = messages.filter_map(|node| self.tell_node(cluster, node, &mut differ)).collect();
        (told, differ)
    }

    fn tell_node(
        &mut self,
        cluster: &Cluster,
        node: NodeId,
        differ: &mut bool,
    ) -> Option<NodeMessage> {
        let known = &mut self.nodes[node.index()];
        let condition = cluster.nodes().condition(node);
        if !condition.present {
            known.take()?;
            *differ = true;
            return Some(NodeMessage { node: node.0, description: None, state: None, gone: true });
        }
        let spec = cluster.nodes().spec(node);
        let is_new = known.as_ref().is_none_or(|known| !Arc::ptr_eq(&known.spec, spec));
        *differ |= is_new || known.as_ref().is_some_and(|k| k.cordoned != condition.cordoned);
        *known = Some(KnownNode { spec: Arc::clone(spec), cordoned: condition.cordoned });
        Some(NodeMessage {
            node: node.0,
            description: is_new.then(|| NodeDescription::of(cluster, node, self.named)),
            state: Some(NodeState::of(cluster, node, self.named)),
            gone: false,
        })
    }

    fn tell_templates(&mut self, cluster: &Cluster, nodes_differ: bool) -> Vec<TemplateMessage> {
        let first = if nodes_differ { 0 } else { self.templates.len() };
        let mut told = Vec::new();
        for index in first..cluster.template_count() {
            let id = TemplateId::from_index(index);
            let matching = matching(cluster, id);
            if self.templates.get(index) != Some(&matching) {
                told.push(TemplateMessage::of(cluster, id, matching.clone()));
            }
            match self.templates.get_mut(index) {
                Some(known) => *known = matching,
                None => self.templates.push(matching),
            }
        }
        told
    }

    fn tell_pods(&mut self, cluster: &Cluster) -> Vec<PodMessage> {
        let last = last_mentions(std::mem::take(&mut self.changed));
        last.into_iter().filter_map(|serial| self.tell_pod(cluster, serial)).collect()
    }

    fn tell_pod(&mut self, cluster: &Cluster, serial: u64) -> Option<PodMessage> {
        let known = self.pods.get_mut(&serial)?;
        let Some(pod) = alive(cluster, serial, known.pod) else {
            let told = self.pods.remove(&serial).is_some_and(|known| known.told.is_some());
            let gone = PodMessage { pod: serial, description: None, state: "gone", node: None };
            return told.then_some(gone);
        };
        let class = cluster.classes().get(pod.class);
        let in_full = known.told.as_ref() != Some(class);
        known.told = Some(*class);
        let (state, node) = state_of(pod);
        let description = in_full.then(|| PodDescription::of(cluster, pod, self.named));
        Some(PodMessage { pod: serial, description, state, node })
    }
}

/// Each serial once, where it occurs last: pods that wait are told of in the order in which they
/// began to.
fn last_mentions(mut serials: Vec<u64>) -> Vec<u64> {
    let mut seen = FxHashSet::default();
    serials.reverse();
    serials.retain(|serial| seen.insert(*serial));
    serials.reverse();
    serials
}

/// The pod with this serial, unless its slot is another's by now.
fn alive(cluster: &Cluster, serial: u64, id: PodId) -> Option<&Pod> {
    let pod = cluster.pod(id);
    (pod.serial == serial && pod.state != PodState::Ended).then_some(pod)
}

/// The nodes of the cell that satisfy the constraints of a template.
fn matching(cluster: &Cluster, id: TemplateId) -> Matching {
    let nodes = cluster.nodes();
    let constraints = cluster.constraints_of(id);
    let present = || nodes.ids().filter(|node| nodes.condition(*node).present);
    let listed: Vec<u32> =
        present().filter(|node| nodes.is_matching(constraints, *node)).map(|node| node.0).collect();
    if listed.len() == present().count() { Matching::All("all") } else { Matching::Listed(listed) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::{
        DomainGraph, Ending, EvictionCause, GpuRequest, NewPod, Overcommit, PodTemplate, Resources,
        WorkEnd,
    };
    use crate::engine::SimDuration;

    fn cell() -> Cluster {
        let mut cluster = Cluster::new(DomainGraph::default(), Overcommit::default());
        let allocatable = Resources([4000, 1 << 30, 0, 10, 0, 0, 0, 0]);
        let spec = NodeSpec { name: "n".to_owned(), allocatable, ..NodeSpec::default() };
        cluster.add_node(Arc::new(spec));
        cluster.declare_template(&PodTemplate::default());
        cluster
    }

    fn submit(cluster: &mut Cluster, key: u64) -> PodId {
        let workload = cluster.workload_of_key(key);
        let (work, work_end) = (SimDuration::ZERO, WorkEnd::Never);
        let new = NewPod { key, workload, work, work_end, usage_permille: [0, 0] };
        cluster.submit(new, TemplateId(0), Resources::pod(1000, 1), GpuRequest::default())
    }

    fn told(mirror: &mut Mirror, cluster: &Cluster) -> Value {
        serde_json::to_value(mirror.turn(cluster)).unwrap()
    }

    #[test]
    fn each_thing_that_changed_is_told_once_as_it_is() {
        let (mut cluster, mut mirror) = (cell(), Mirror::new(4));
        let (first, second) = (submit(&mut cluster, 7), submit(&mut cluster, 8));
        for pod in [first, second] {
            mirror.note_pod(&cluster, pod);
        }
        let turn = told(&mut mirror, &cluster);
        assert_eq!(turn["templates"][0]["nodes"], "all");
        assert_eq!(turn["nodes"][0]["free"], json!([4000, 1 << 30, 0, 10]));
        assert_eq!(turn["pods"][0]["name"], "7/7");
        assert_eq!(told(&mut mirror, &cluster), json!({}), "nothing changed since");
        // Bound, evicted, and so behind the other; the node is as it was but is told of.
        cluster.bind(first, NodeId(0)).unwrap();
        mirror.note_pod(&cluster, first);
        cluster.evict(first, EvictionCause::Other, None);
        mirror.note_pod(&cluster, second);
        mirror.note_pod(&cluster, first);
        let turn = told(&mut mirror, &cluster);
        let expected = json!([{"pod": 1, "state": "pending"}, {"pod": 0, "state": "pending"}]);
        assert_eq!(turn["pods"], expected);
        assert_eq!(turn["nodes"].as_array().unwrap().len(), 1);
        assert!(turn["nodes"][0].get("name").is_none(), "it is known by now");
        cluster.cordon(NodeId(0), true);
        cluster.end(second, Ending::Killed);
        mirror.note_pod(&cluster, second);
        cluster.settle();
        let turn = told(&mut mirror, &cluster);
        assert_eq!(turn["pods"], json!([{"pod": 1, "state": "gone"}]));
        assert_eq!(turn["templates"][0]["nodes"], json!([]), "nobody tolerates the cordon");
        assert!(mirror.pod(&cluster, 1).is_none() && mirror.pod(&cluster, 0).is_some());
        assert!(mirror.node(0).is_some() && mirror.node(1).is_none());
    }

    #[test]
    fn a_child_that_is_never_asked_costs_no_more_than_what_is_alive() {
        let (mut cluster, mut mirror) = (cell(), Mirror::new(4));
        let lasting = submit(&mut cluster, 0);
        for key in 1..20_000 {
            let pod = submit(&mut cluster, key);
            mirror.note_pod(&cluster, pod);
            mirror.note_pod(&cluster, lasting);
            cluster.end(pod, Ending::Killed);
            mirror.note_pod(&cluster, pod);
            cluster.settle();
        }
        assert!(mirror.changed.len() <= LEAST_COMPACTED && mirror.pods.len() <= LEAST_COMPACTED);
        let turn = told(&mut mirror, &cluster);
        assert_eq!(turn["pods"].as_array().unwrap().len(), 1, "the others came and went unseen");
        assert_eq!(turn["pods"][0]["pod"], 0);
    }
}
