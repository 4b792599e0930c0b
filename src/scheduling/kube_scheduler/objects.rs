//! What plugins look up besides nodes and pods, from the manifests of the cell.

use crate::kubernetes::ObjectMeta;
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
    objects.claims = named(&from.claims, |one| &one.metadata);
    let by_name = |meta: &ObjectMeta| meta.name.clone();
    objects.volumes =
        from.volumes.iter().map(|one| (by_name(&one.metadata), one.clone())).collect();
    objects.storage_classes =
        from.storage_classes.iter().map(|one| (by_name(&one.metadata), one.clone())).collect();
}

fn named<T: Clone>(list: &[T], meta: impl Fn(&T) -> &ObjectMeta) -> Named<T> {
    let key = |one: &T| (meta(one).namespace.clone(), meta(one).name.clone());
    list.iter().map(|one| (key(one), one.clone())).collect()
}
