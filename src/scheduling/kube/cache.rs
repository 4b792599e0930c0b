//! What the scheduler knows of the cell (`backend/cache` of kube-scheduler v1.35).
//!
//! Nodes live in slots with dense numbers; pods of one kind share a compiled template. Nothing
//! here decides anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::changes::ChangeLog;
use super::images::Images;
use super::node::NodeInfo;
use super::node_tree::{NodeTree, zone_key};
use super::nominator::Nominator;
use super::pod::PodInfo;
use super::storage::{ClaimKey, Storage};
use super::symbols::{Symbol, Symbols};
use super::template::{Template, TemplateId, TemplateKey};
use crate::kubernetes::{
    Labels, Namespace, Node, Pod, PodDisruptionBudget, ReplicaSet, ReplicationController, Service,
    StatefulSet,
};

/// The slot of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Objects by namespace and name.
pub type Named<T> = BTreeMap<(String, String), T>;

/// Objects that plugins look up, but for those of storage.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    /// By namespace and name, as all that follow.
    pub services: Named<Service>,
    /// ReplicaSets.
    pub replica_sets: Named<ReplicaSet>,
    /// ReplicationControllers.
    pub replication_controllers: Named<ReplicationController>,
    /// StatefulSets.
    pub stateful_sets: Named<StatefulSet>,
}

/// What a cache holds, as a number of changes and one of nominations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheVersion(u64, u64);

/// What the scheduler knows.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    symbols: Symbols,
    templates: FxHashMap<TemplateKey, Arc<Template>>,
    nodes: Vec<Option<NodeInfo>>,
    vacant: Vec<NodeId>,
    by_name: FxHashMap<String, NodeId>,
    tree: NodeTree,
    order: Vec<NodeId>,
    /// Per slot: its place in `order`.
    position: Vec<u32>,
    images: Images,
    /// Pods that are expected on a node and not there yet.
    pub nominator: Nominator,
    /// In the order in which they came.
    pub disruption_budgets: Vec<PodDisruptionBudget>,
    namespaces: BTreeMap<String, Namespace>,
    objects: Objects,
    storage: Storage,
    changes: ChangeLog,
}

impl Cache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// The symbols of labels, images and resources.
    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    /// The symbols, to add to.
    pub fn symbols_mut(&mut self) -> &mut Symbols {
        &mut self.symbols
    }

    /// A pod with its compiled template.
    ///
    /// # Panics
    ///
    /// If there are more than 2³² templates.
    pub fn intern(&mut self, pod: &Pod) -> Arc<PodInfo> {
        let key = TemplateKey::new(pod);
        let template = if let Some(template) = self.templates.get(&key) {
            Arc::clone(template)
        } else {
            let id = TemplateId(u32::try_from(self.templates.len()).expect("few templates"));
            let template = Arc::new(Template::new(id, &key, &mut self.symbols));
            self.templates.insert(key, Arc::clone(&template));
            template
        };
        Arc::new(PodInfo::new(pod, template))
    }

    /// How many templates there are; their numbers are lower.
    pub fn template_count(&self) -> usize {
        self.templates.len()
    }

    /// Adds a node, or replaces the one of that name; its pods stay.
    ///
    /// # Panics
    ///
    /// If there are more than 2³² nodes.
    pub fn set_node(&mut self, node: &Node) -> NodeId {
        let zone = zone_key(node);
        if let Some(id) = self.by_name.get(&node.metadata.name).copied() {
            let old = Arc::clone(&self.node(id).node);
            let old_images = Arc::clone(&self.node(id).images);
            self.images.remove(&old_images);
            let old_zone = zone_key(&old);
            let info = self.nodes[id.index()].as_mut().expect("a node with a name is there");
            info.replace(node, &mut self.symbols);
            self.images.add_node(node, &self.symbols);
            self.changes.node(id, &old, node);
            if old_zone != zone {
                self.tree.remove(&old_zone, id);
                self.tree.add(zone, id);
                self.reorder();
            }
            return id;
        }
        let info = NodeInfo::new(node, &mut self.symbols);
        self.images.add_node(node, &self.symbols);
        let id = self.vacant.pop().unwrap_or_else(|| {
            self.nodes.push(None);
            NodeId(u32::try_from(self.nodes.len() - 1).expect("fewer than 2^32 nodes"))
        });
        self.nodes[id.index()] = Some(info);
        self.by_name.insert(node.metadata.name.clone(), id);
        self.tree.add(zone, id);
        self.reorder();
        id
    }

    /// Removes a node with its pods; false if there is none of that name.
    pub fn remove_node(&mut self, name: &str) -> bool {
        let Some(id) = self.by_name.remove(name) else { return false };
        let Some(info) = self.nodes[id.index()].take() else { return false };
        for pod in info.pods.iter().filter(|pod| pod.template.uses_storage) {
            self.storage.pod_removed(pod);
        }
        self.images.remove(&info.images);
        self.tree.remove(&zone_key(&info.node), id);
        self.vacant.push(id);
        self.reorder();
        true
    }

    fn reorder(&mut self) {
        self.changes.structure();
        self.order = self.tree.list();
        self.position.clear();
        self.position.resize(self.nodes.len(), u32::MAX);
        for (place, node) in (0..).zip(&self.order) {
            self.position[node.index()] = place;
        }
    }

    /// All nodes in the order in which they are tried.
    pub fn order(&self) -> &[NodeId] {
        &self.order
    }

    /// The place of a node in that order.
    pub fn position(&self, node: NodeId) -> usize {
        self.position[node.index()] as usize
    }

    /// How many slots there are, vacant ones included.
    pub fn slots(&self) -> usize {
        self.nodes.len()
    }

    /// The node of a name.
    pub fn node_id(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(name).copied()
    }

    /// A node.
    ///
    /// # Panics
    ///
    /// If the slot is vacant.
    pub fn node(&self, id: NodeId) -> &NodeInfo {
        self.nodes[id.index()].as_ref().expect("the slot of a node is in use")
    }

    /// All nodes, in the order in which they are tried.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &NodeInfo)> {
        self.order.iter().map(|id| (*id, self.node(*id)))
    }

    /// Puts a pod on a node. If it was nominated, it is no longer.
    ///
    /// # Panics
    ///
    /// If the slot is vacant.
    pub fn add_pod(&mut self, pod: Arc<PodInfo>, node: NodeId) {
        self.nominator.remove(&pod);
        self.changes.pod(node, &pod, 1);
        if pod.template.uses_storage {
            self.storage.pod_added(&pod);
        }
        self.nodes[node.index()].as_mut().expect("the slot of a node is in use").add_pod(pod);
    }

    /// Takes a pod off its node; false if it is not there.
    ///
    /// # Panics
    ///
    /// If the slot is vacant.
    pub fn remove_pod(&mut self, pod: &Arc<PodInfo>, node: NodeId) -> bool {
        let info = self.nodes[node.index()].as_mut().expect("the slot of a node is in use");
        let there = info.remove_pod(pod);
        if there {
            if pod.template.uses_storage {
                self.storage.pod_removed(pod);
            }
            self.changes.pod(node, pod, -1);
        }
        there
    }

    /// Replaces a pod on its node by a new version; false if it is not there.
    pub fn replace_pod(&mut self, old: &Arc<PodInfo>, new: Arc<PodInfo>, node: NodeId) -> bool {
        let there = self.remove_pod(old, node);
        if there {
            self.add_pod(new, node);
        }
        there
    }

    /// The size of an image and on how many nodes it is.
    pub fn image(&self, name: Symbol) -> Option<(i64, usize)> {
        self.images.get(name)
    }

    /// The labels of a namespace; none if it is not there.
    pub fn namespace_labels(&self, name: &str) -> Labels {
        self.namespaces
            .get(name)
            .map_or_else(Labels::new, |namespace| namespace.metadata.labels.clone())
    }

    /// Namespaces by name.
    pub fn namespaces(&self) -> &BTreeMap<String, Namespace> {
        &self.namespaces
    }

    /// Adds a namespace, or replaces the one of that name.
    pub fn set_namespace(&mut self, namespace: Namespace) {
        self.changes.structure();
        self.namespaces.insert(namespace.metadata.name.clone(), namespace);
    }

    /// Removes a namespace.
    pub fn remove_namespace(&mut self, name: &str) {
        self.changes.structure();
        self.namespaces.remove(name);
    }

    /// What plugins look up.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// What plugins look up, to change.
    pub fn objects_mut(&mut self) -> &mut Objects {
        self.changes.objects();
        &mut self.objects
    }

    /// Stands for what the cache holds: as long as it is the same, so is every decision.
    pub fn version(&self) -> CacheVersion {
        CacheVersion(self.changes.version(), self.nominator.version())
    }

    /// Claims, volumes and what provides them.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// The same, to change. Nothing of it is kept anywhere else.
    pub fn storage_mut(&mut self) -> &mut Storage {
        self.changes.storage();
        &mut self.storage
    }

    /// Binds the claims of `pod` that waited for a node, now that it goes to `node`: each to the
    /// volume that is there for it, or to one that is made in the node's part of the cluster. What
    /// upstream does for this in the background takes no time. Returns the claims.
    ///
    /// # Errors
    ///
    /// In upstream's words, if a claim is missing or its class says nothing of use.
    ///
    /// # Panics
    ///
    /// If the slot is vacant.
    pub fn bind_volumes(&mut self, pod: &PodInfo, node: NodeId) -> Result<Vec<ClaimKey>, String> {
        let info = self.nodes[node.index()].as_ref().expect("the slot of a node is in use");
        self.changes.storage();
        self.storage.bind(pod, info)
    }

    /// Gives volumes to the claims that do not wait for a pod, as the volume controller does.
    pub fn settle_volumes(&mut self) {
        let claims: Vec<ClaimKey> = self.storage.claims.keys().cloned().collect();
        self.settle(&claims);
    }

    /// Makes the claims of the generic ephemeral volumes of `pod`, which is new.
    pub fn add_ephemeral_claims(&mut self, pod: &PodInfo) {
        let made = self.storage_mut().add_ephemeral_claims(pod);
        self.settle(&made);
    }

    fn settle(&mut self, claims: &[ClaimKey]) {
        self.changes.storage();
        let nodes = self.order.iter().filter_map(|id| self.nodes[id.index()].as_ref());
        self.storage.settle(claims, nodes);
    }

    /// How often services or controllers may have changed.
    pub fn objects_version(&self) -> u64 {
        self.changes.objects_version()
    }

    /// What has changed.
    pub fn changes(&mut self) -> &mut ChangeLog {
        &mut self.changes
    }
}
