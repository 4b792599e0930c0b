//! What plugins look up besides nodes and pods, from the manifests of the cell.

use std::collections::BTreeMap;

use crate::kubernetes::ObjectMeta;
use crate::scheduling::kube::storage::Storage;
use crate::scheduling::kube::{Cache, Named};
use crate::workload::kubernetes::KubernetesCell;

/// Puts the objects of `cell` into the cache.
pub fn load(cache: &mut Cache, cell: &KubernetesCell) {
    let from = &cell.objects;
    from.namespaces.iter().for_each(|namespace| cache.set_namespace(namespace.clone()));
    cache.disruption_budgets.clone_from(&from.disruption_budgets);
    let objects = cache.objects_mut();
    objects.services = named(&from.services, |one| &one.metadata);
    objects.replica_sets = named(&cell.replica_sets, |one| &one.metadata);
    objects.replication_controllers = named(&from.replication_controllers, |one| &one.metadata);
    objects.stateful_sets = named(&from.stateful_sets, |one| &one.metadata);
    load_storage(cache.storage_mut(), cell);
}

fn load_storage(storage: &mut Storage, cell: &KubernetesCell) {
    let from = &cell.objects;
    storage.claims = named(&cell.claims, |one| &one.metadata);
    storage.volumes = by_name(&from.volumes, |one| &one.metadata);
    storage.classes = by_name(&from.storage_classes, |one| &one.metadata);
    storage.csi_nodes = by_name(&from.csi_nodes, |one| &one.metadata);
    storage.drivers = by_name(&from.csi_drivers, |one| &one.metadata);
    storage.capacities = named(&from.storage_capacities, |one| &one.metadata);
}

fn by_name<T: Clone>(list: &[T], meta: impl Fn(&T) -> &ObjectMeta) -> BTreeMap<String, T> {
    list.iter().map(|one| (meta(one).name.clone(), one.clone())).collect()
}

fn named<T: Clone>(list: &[T], meta: impl Fn(&T) -> &ObjectMeta) -> Named<T> {
    let key = |one: &T| (meta(one).namespace.clone(), meta(one).name.clone());
    list.iter().map(|one| (key(one), one.clone())).collect()
}
