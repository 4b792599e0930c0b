//! What has changed in the cache, for those who keep something up to date with it.

use std::sync::Arc;

use super::cache::NodeId;
use super::pod::PodInfo;
use crate::kubernetes::{Node, NodeSpec};

/// A change that does not touch the order of nodes or their labels.
#[derive(Debug, Clone)]
pub enum Change {
    /// So many pods like this one came to a node (-1: one left).
    Pod(NodeId, Arc<PodInfo>, i64),
    /// Taints of a node changed, or it was cordoned, or the reverse.
    Taints(NodeId),
}

/// Changes since they were taken last. Nothing is recorded until somebody asks.
#[derive(Debug, Clone, Default)]
pub struct ChangeLog {
    recording: bool,
    changes: Vec<Change>,
    structure: u64,
    objects: u64,
    version: u64,
}

impl ChangeLog {
    /// Begins to record.
    pub fn record(&mut self) {
        self.recording = true;
    }

    /// Takes what has been recorded.
    pub fn take(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Gives a list back, so that its memory is used again.
    pub fn give_back(&mut self, mut changes: Vec<Change>) {
        changes.clear();
        if self.changes.is_empty() {
            self.changes = changes;
        }
    }

    /// How often anything changed.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How often something changed that touches everything: the order of nodes, their labels,
    /// images or sizes, or a namespace.
    pub fn structure_version(&self) -> u64 {
        self.structure
    }

    /// How often services or controllers may have changed.
    pub fn objects_version(&self) -> u64 {
        self.objects
    }

    pub(super) fn structure(&mut self) {
        self.structure += 1;
        self.version += 1;
        self.changes.clear();
    }

    pub(super) fn objects(&mut self) {
        self.objects += 1;
        self.version += 1;
    }

    /// Claims or volumes may have changed. Whoever keeps something up to date asks for them anew.
    pub(super) fn storage(&mut self) {
        self.version += 1;
    }

    pub(super) fn pod(&mut self, node: NodeId, pod: &Arc<PodInfo>, times: i64) {
        self.version += 1;
        if self.recording {
            self.changes.push(Change::Pod(node, Arc::clone(pod), times));
        }
    }

    /// A node was replaced.
    pub(super) fn node(&mut self, id: NodeId, old: &Node, new: &Node) {
        let quiet = |node: &Node| NodeSpec {
            unschedulable: false,
            taints: Vec::new(),
            ..node.spec.clone()
        };
        let same = old.metadata.labels == new.metadata.labels
            && old.status.images == new.status.images
            && old.status.allocatable == new.status.allocatable
            && quiet(old) == quiet(new);
        self.version += 1;
        if !same {
            self.structure();
        } else if self.recording {
            self.changes.push(Change::Taints(id));
        }
    }
}
