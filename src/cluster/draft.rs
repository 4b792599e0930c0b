//! A draft of the cell: a second table of nodes on which a scheduler plans several placements that
//! depend on each other, before any of them is carried out.
//!
//! It is brought up to date from the change log, so a plan costs what changed since the last one
//! and never a copy of the cell. Nothing that is done to it changes the cell: the verbs of
//! [`Cluster`] stay the only gateway.

use super::Cluster;
use super::changes::Version;
use super::gpu::DeviceShare;
use super::ids::{ClassId, NodeId};
use super::resources::Resources;

/// A second table of nodes, with claims that can be withdrawn.
///
/// What it shows as a [`Cluster`] is what placement reads: nodes, and the classes and workloads
/// that were [introduced](Draft::introduce). It has no pods.
#[derive(Debug)]
pub struct Draft {
    cluster: Cluster,
    /// How far it has followed the change log of the cell; `None` before the first time.
    seen: Option<Version>,
    undo: Vec<Undo>,
}

/// What takes back a change of the draft.
#[derive(Clone, Copy, Debug)]
enum Undo {
    Claim { class: ClassId, node: NodeId, devices: DeviceShare },
    Free { node: NodeId, was: Resources },
}

impl Default for Draft {
    fn default() -> Self {
        let nothing = super::DomainGraph::new(&[]).expect("no domains make sense");
        let cluster = Cluster::new(nothing, super::Overcommit::default());
        Self { cluster, seen: None, undo: Vec::new() }
    }
}

impl Draft {
    /// What the draft shows: for placement only.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Withdraws everything and makes the nodes what they are in `cell`.
    pub fn refresh(&mut self, cell: &Cluster) {
        self.withdraw();
        let (nodes, changes) = (&mut self.cluster.nodes, cell.nodes.changes());
        match self.seen {
            None => *nodes = cell.nodes.clone(),
            Some(version) => nodes.follow(&cell.nodes, version),
        }
        self.seen = Some(changes.version());
    }

    /// Makes class `id` of `cell` known, and what pods of it have to be apart from.
    pub fn introduce(&mut self, cell: &Cluster, id: ClassId) {
        let class = cell.classes.get(id);
        self.cluster.classes.mirror(id, class);
        if class.apart_from.is_some() {
            self.cluster.workloads.mirror(class.apart_from, cell.workloads.get(class.apart_from));
        }
    }

    /// Claims a place on `node` for a pod of `class`, which was introduced. False, and nothing
    /// changes, where the draft does not admit it.
    pub fn claim(&mut self, class: ClassId, node: NodeId) -> bool {
        let content = *self.cluster.classes.get(class);
        if !self.cluster.admits(&content, node) {
            return false;
        }
        let i = node.index();
        let Some(devices) = self.cluster.nodes.devices[i].choose(content.gpu) else { return false };
        let nodes = &mut self.cluster.nodes;
        nodes.free[i].0 -= content.requests;
        nodes.devices[i].take(devices);
        nodes.pod_count[i] += 1;
        nodes.changes.push(node);
        self.cluster.mark_apart(class, node, true);
        self.undo.push(Undo::Claim { class, node, devices });
        true
    }

    /// Shows `free` as what is free on `node`, whatever really is.
    pub fn show_free(&mut self, node: NodeId, free: Resources) {
        let nodes = &mut self.cluster.nodes;
        let was = std::mem::replace(&mut nodes.free[node.index()].0, free);
        nodes.changes.push(node);
        self.undo.push(Undo::Free { node, was });
    }

    /// Takes back what was claimed and shown since the last time.
    pub fn withdraw(&mut self) {
        while let Some(undo) = self.undo.pop() {
            self.take_back(undo);
        }
    }

    /// The same for what was done after the first `kept` steps (see [`Draft::steps`]).
    pub fn withdraw_to(&mut self, kept: usize) {
        while self.undo.len() > kept {
            let Some(undo) = self.undo.pop() else { return };
            self.take_back(undo);
        }
    }

    /// Number of claims and shows that are in force.
    pub fn steps(&self) -> usize {
        self.undo.len()
    }

    fn take_back(&mut self, undo: Undo) {
        let nodes = &mut self.cluster.nodes;
        match undo {
            Undo::Claim { class, node, devices } => {
                let i = node.index();
                nodes.free[i].0 += self.cluster.classes.get(class).requests;
                nodes.devices[i].give(devices);
                nodes.pod_count[i] -= 1;
                nodes.changes.push(node);
                self.cluster.mark_apart(class, node, false);
            }
            Undo::Free { node, was } => {
                nodes.free[node.index()].0 = was;
                nodes.changes.push(node);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cluster::{
        DomainGraph, GpuRequest, NewPod, NodeSpec, Overcommit, PodId, PodTemplate, WorkEnd,
    };
    use crate::engine::{Purpose, SimDuration, Streams};

    fn node(cpu: i64) -> Arc<NodeSpec> {
        let allocatable = Resources([cpu, 1000, 0, 10, 0, 0, 0, 0]);
        Arc::new(NodeSpec { allocatable, ..NodeSpec::default() })
    }

    fn cell() -> Cluster {
        let mut cell = Cluster::new(DomainGraph::new(&[]).expect("none"), Overcommit::default());
        (0..4).for_each(|i| {
            cell.add_node(node(1000 + i * 500));
        });
        for one_per_node in [false, true] {
            cell.declare_template(&PodTemplate { one_per_node, ..PodTemplate::default() });
        }
        cell
    }

    fn submit(cell: &mut Cluster, key: u64, template: u32, cpu: i64) -> PodId {
        let workload = cell.workload_of_key(key / 4);
        let new = NewPod {
            key,
            workload,
            work: SimDuration::ZERO,
            work_end: WorkEnd::Never,
            usage_permille: [0, 0],
        };
        let requests = Resources::pod(cpu, 10);
        cell.submit(new, super::super::TemplateId(template), requests, GpuRequest::default())
    }

    fn same(draft: &Draft, cell: &Cluster) {
        let shown = draft.cluster().nodes();
        assert_eq!(shown.len(), cell.nodes().len());
        for id in cell.nodes().ids() {
            assert_eq!(shown.free(id), cell.nodes().free(id), "node {id:?}");
            assert_eq!(shown.limit(id), cell.nodes().limit(id), "node {id:?}");
            assert_eq!(shown.pod_count(id), cell.nodes().pod_count(id));
            assert_eq!(shown.is_open(id), cell.nodes().is_open(id));
            assert_eq!(shown.devices(id), cell.nodes().devices(id));
        }
    }

    #[test]
    fn a_claim_takes_room_and_gives_it_back() {
        let mut cell = cell();
        let pod = submit(&mut cell, 0, 1, 800);
        let class = cell.pod(pod).class;
        let mut draft = Draft::default();
        draft.refresh(&cell);
        draft.introduce(&cell, class);
        assert!(draft.claim(class, NodeId(2)));
        assert!(!draft.claim(class, NodeId(2)), "there is room, but it has to be apart");
        assert_eq!(draft.cluster().nodes().free(NodeId(2)).0[0], 1200);
        draft.show_free(NodeId(0), Resources::ZERO);
        assert!(!draft.claim(class, NodeId(0)));
        draft.withdraw();
        same(&draft, &cell);
        assert!(draft.claim(class, NodeId(2)));
    }

    #[test]
    fn it_follows_the_cell_through_anything() {
        let mut dice = Streams { seed: 3, run: 0 }.stream(Purpose::Custom(1), 0);
        let mut cell = cell();
        let (mut draft, mut behind) = (Draft::default(), Draft::default());
        behind.refresh(&cell);
        let mut bound: Vec<PodId> = Vec::new();
        for step in 0..2_000 {
            let at = NodeId(dice.below(cell.nodes().len() as u64) as u32);
            match dice.below(9) {
                0 if bound.len() > 3 => {
                    let pod = bound.swap_remove(dice.below(bound.len() as u64) as usize);
                    cell.end(pod, super::super::Ending::Killed);
                }
                1 if step % 50 == 0 => {
                    cell.add_node(node(500 + dice.below(4) as i64 * 500));
                }
                2 => cell.update_node(at, node(700 + dice.below(4) as i64 * 500)),
                3 => {
                    cell.cordon(at, dice.below(2) == 0);
                }
                _ => {
                    let template = dice.below(2) as u32;
                    let pod = submit(&mut cell, step, template, 10 * dice.below(9) as i64);
                    let class = cell.pod(pod).class;
                    draft.refresh(&cell);
                    draft.introduce(&cell, class);
                    let admits = cell.admits(cell.class_of(pod), at);
                    assert_eq!(draft.claim(class, at), admits, "step {step}");
                    if cell.bind(pod, at).is_ok() {
                        bound.push(pod);
                    } else {
                        cell.end(pod, super::super::Ending::Killed);
                    }
                }
            }
            cell.settle();
            draft.refresh(&cell);
            same(&draft, &cell);
        }
        // The log is only so long: one that comes late starts afresh.
        for _ in 0..200_000 {
            cell.nodes.changes.push(NodeId(0));
        }
        cell.update_node(NodeId(1), node(4000));
        let before = behind.cluster().nodes().changes().version();
        behind.refresh(&cell);
        same(&behind, &cell);
        assert_eq!(behind.cluster().nodes().changes().since(before), None, "readers must notice");
    }
}
