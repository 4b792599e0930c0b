//! From text to objects.

use std::collections::BTreeMap;

use crate::kubernetes::text::documents;
use crate::kubernetes::{
    CsiDriver, CsiNode, CsiStorageCapacity, DaemonSet, Deployment, ElasticQuota, Job, List,
    Namespace, Node, Object, ObjectMeta, PersistentVolume, PersistentVolumeClaim, Pod,
    PodDisruptionBudget, PodGroup, PriorityClass, ReplicaSet, ReplicationController, Service,
    StatefulSet, StorageClass,
};

/// The namespace of objects that name none.
const DEFAULT_NAMESPACE: &str = "default";

/// A file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: line {line}: {message}")]
pub struct ManifestError {
    /// The file as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// The objects of any number of files, in their order.
#[derive(Debug, Clone, PartialEq, Default)]
#[expect(missing_docs, reason = "each holds the objects of the kind it is called by")]
pub struct Manifests {
    pub nodes: Vec<Node>,
    pub pods: Vec<Pod>,
    pub deployments: Vec<Deployment>,
    pub replica_sets: Vec<ReplicaSet>,
    pub replication_controllers: Vec<ReplicationController>,
    pub stateful_sets: Vec<StatefulSet>,
    pub daemon_sets: Vec<DaemonSet>,
    pub jobs: Vec<Job>,
    pub namespaces: Vec<Namespace>,
    pub services: Vec<Service>,
    pub disruption_budgets: Vec<PodDisruptionBudget>,
    pub priority_classes: Vec<PriorityClass>,
    pub volumes: Vec<PersistentVolume>,
    pub claims: Vec<PersistentVolumeClaim>,
    pub storage_classes: Vec<StorageClass>,
    pub pod_groups: Vec<PodGroup>,
    pub elastic_quotas: Vec<ElasticQuota>,
    pub csi_nodes: Vec<CsiNode>,
    pub csi_drivers: Vec<CsiDriver>,
    pub storage_capacities: Vec<CsiStorageCapacity>,
    /// How many objects there are of kinds that nothing looks at.
    pub other_kinds: BTreeMap<String, usize>,
}

/// Gives an object a namespace that names none.
fn in_namespace(meta: &mut ObjectMeta) {
    if meta.namespace.is_empty() {
        DEFAULT_NAMESPACE.clone_into(&mut meta.namespace);
    }
}

impl Manifests {
    /// Adds the objects of a file.
    ///
    /// # Errors
    ///
    /// If it is neither YAML nor JSON, or an object in it has no kind or a malformed field.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), ManifestError> {
        let error = |line, message: String| ManifestError { file: file.to_owned(), line, message };
        let found = documents(text).map_err(|wrong| {
            let place = format!("column {}: {}", wrong.column, wrong.message);
            error(wrong.line, place)
        })?;
        for document in found.iter().filter(|document| !document.value.is_null()) {
            let list = List::from_value(&document.value)
                .map_err(|wrong| error(document.line, wrong.to_string()))?;
            for object in list.items {
                self.insert(object);
            }
        }
        Ok(())
    }

    /// Adds an object. Objects of a namespace that name none are in `default`.
    pub fn insert(&mut self, object: Object) {
        macro_rules! put {
            ($list:ident, $object:ident) => {{
                let mut object = $object;
                in_namespace(&mut object.metadata);
                self.$list.push(object);
            }};
        }
        match object {
            Object::Node(one) => self.nodes.push(one),
            Object::Namespace(one) => self.namespaces.push(one),
            Object::PriorityClass(one) => self.priority_classes.push(one),
            Object::PersistentVolume(one) => self.volumes.push(one),
            Object::StorageClass(one) => self.storage_classes.push(one),
            Object::Pod(one) => put!(pods, one),
            Object::Deployment(one) => put!(deployments, one),
            Object::ReplicaSet(one) => put!(replica_sets, one),
            Object::ReplicationController(one) => put!(replication_controllers, one),
            Object::StatefulSet(one) => put!(stateful_sets, one),
            Object::DaemonSet(one) => put!(daemon_sets, one),
            Object::Job(one) => put!(jobs, one),
            Object::Service(one) => put!(services, one),
            Object::PodDisruptionBudget(one) => put!(disruption_budgets, one),
            Object::PersistentVolumeClaim(one) => put!(claims, one),
            Object::PodGroup(one) => put!(pod_groups, one),
            Object::ElasticQuota(one) => put!(elastic_quotas, one),
            Object::CsiNode(one) => self.csi_nodes.push(one),
            Object::CsiDriver(one) => self.csi_drivers.push(one),
            Object::CsiStorageCapacity(one) => put!(storage_capacities, one),
            Object::Other(kind) => self.count_other(&kind),
        }
    }

    fn count_other(&mut self, kind: &str) {
        *self.other_kinds.entry(kind.to_owned()).or_default() += 1;
    }
}
