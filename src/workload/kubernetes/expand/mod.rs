//! Workloads as the pods their controllers make (`pkg/controller` of Kubernetes v1.35).

mod cell;
mod daemons;
mod numbered;
mod pods;
mod sharing;

use std::collections::{BTreeMap, BTreeSet};

pub use cell::{CellPod, ExpandError, KubernetesCell, Owner, OwnerKind};

use super::defaults::{Priorities, fill_in, fill_in_storage};
use super::label_keys::merge_label_keys;
use super::names::unique;
use super::read::Manifests;
use crate::kubernetes::labels::Selector;
use crate::kubernetes::{Deployment, LabelSelector, ObjectMeta, Pod, PodTemplateSpec, ReplicaSet};
use pods::{new_replica_set, pod_of};

/// True for a pod that has come to its end.
fn has_ended(pod: &Pod) -> bool {
    matches!(pod.status.phase.as_str(), "Succeeded" | "Failed")
}

/// The owner that manages an object: kind, namespace and name.
fn controller(meta: &ObjectMeta) -> Option<(&str, &str, &str)> {
    let owner = meta.controller()?;
    Some((&owner.kind, &meta.namespace, &owner.name))
}

struct Expansion<'a> {
    cell: KubernetesCell,
    priorities: Priorities<'a>,
    errors: Vec<ExpandError>,
    /// Names of pods, by namespace.
    names: BTreeMap<String, BTreeSet<String>>,
    /// UIDs are made up here.
    made: usize,
}

impl KubernetesCell {
    /// Expands the workloads of `manifests`.
    ///
    /// # Errors
    ///
    /// Every workload that makes no sense: a selector that does not select its own pods, a negative
    /// number of replicas, a priority class that is not there.
    pub fn new(manifests: Manifests) -> Result<Self, Vec<ExpandError>> {
        let classes = manifests.priority_classes.clone();
        let mut expansion = Expansion {
            cell: Self::default(),
            priorities: Priorities::new(&classes),
            errors: Vec::new(),
            names: BTreeMap::new(),
            made: 0,
        };
        expansion.cell.replica_sets.clone_from(&manifests.replica_sets);
        expansion.cell.claims.clone_from(&manifests.claims);
        expansion.take_pods(&manifests);
        manifests.deployments.iter().for_each(|one| expansion.deployment(one));
        expansion.replica_sets(&manifests);
        for one in &manifests.replication_controllers {
            let template = one.spec.template.clone().unwrap_or_default();
            let selector = LabelSelector {
                match_labels: one.spec.selector.clone(),
                ..LabelSelector::default()
            };
            let kind = OwnerKind::ReplicationController;
            let wanted = one.spec.replicas;
            let selector = (!one.spec.selector.is_empty()).then_some(&selector);
            expansion.replicated(kind, &one.metadata, wanted, selector, &template);
        }
        manifests.stateful_sets.iter().for_each(|one| expansion.stateful_set(one));
        for one in &manifests.daemon_sets {
            expansion.daemon_set(one, &manifests.nodes);
        }
        manifests.jobs.iter().for_each(|one| expansion.job(one));
        expansion.check_sharing(&manifests);
        expansion.check_run_times();
        expansion.cell.objects = manifests;
        fill_in_storage(&mut expansion.cell);
        if expansion.errors.is_empty() { Ok(expansion.cell) } else { Err(expansion.errors) }
    }
}

impl Expansion<'_> {
    fn error(&mut self, kind: &'static str, meta: &ObjectMeta, message: impl Into<String>) {
        self.errors.push(ExpandError {
            kind,
            namespace: meta.namespace.clone(),
            name: meta.name.clone(),
            message: message.into(),
        });
    }

    /// Takes the pods that the files have.
    fn take_pods(&mut self, manifests: &Manifests) {
        for pod in &manifests.pods {
            if has_ended(pod) {
                self.cell.ended += 1;
                continue;
            }
            let names = self.names.entry(pod.metadata.namespace.clone()).or_default();
            let mut pod = pod.clone();
            if pod.metadata.name.is_empty() {
                pod.metadata.name = unique(&pod.metadata.generate_name, names);
            } else if !names.insert(pod.metadata.name.clone()) {
                self.error("Pod", &pod.metadata, "is there twice");
                continue;
            }
            self.add(pod, None, false, "Pod");
        }
    }

    /// Adds one pod.
    fn add(&mut self, pod: Pod, owner: Option<usize>, made: bool, kind: &'static str) {
        self.add_copies(CellPod { pod, copies: 1, owner, made }, kind);
    }

    /// Adds pods after what is missing in them was filled in.
    fn add_copies(&mut self, mut added: CellPod, kind: &'static str) {
        let CellPod { pod, .. } = &mut added;
        if let Err(message) = fill_in(&mut pod.spec, &self.priorities) {
            return self.error(kind, &pod.metadata, message);
        }
        merge_label_keys(pod);
        if pod.metadata.uid.is_empty() {
            self.made += 1;
            pod.metadata.uid = format!("pod-{}", self.made);
        }
        self.cell.pods.push(added);
    }

    /// Notes a workload, and that it owns the pods of the files that it manages. Returns its place,
    /// and how many pods it has that are not leaving.
    fn owner(&mut self, owner: Owner, is_own: impl Fn(&Pod) -> bool) -> (usize, u32) {
        let place = self.cell.owners.len();
        let namespace = owner.namespace.clone();
        self.cell.owners.push(owner);
        let mut has = 0;
        for one in &mut self.cell.pods {
            if one.owner.is_none() && one.pod.metadata.namespace == namespace && is_own(&one.pod) {
                one.owner = Some(place);
                has += if one.pod.metadata.deletion_timestamp.is_none() { one.copies } else { 0 };
            }
        }
        (place, has)
    }

    /// Checks a workload: its number of replicas, and that it selects the pods of its template.
    fn check(
        &mut self,
        kind: OwnerKind,
        meta: &ObjectMeta,
        replicas: Option<i32>,
        selector: Option<&LabelSelector>,
        template: &PodTemplateSpec,
    ) -> Option<u32> {
        let Ok(replicas) = u32::try_from(replicas.unwrap_or(1)) else {
            self.error(kind.name(), meta, "a negative number of replicas");
            return None;
        };
        if template.spec.containers.is_empty() {
            self.error(kind.name(), meta, "its template has no containers");
            return None;
        }
        let Some(selector) = selector else { return Some(replicas) };
        match Selector::new(Some(selector)) {
            Err(message) => self.error(kind.name(), meta, format!("selector: {message}")),
            Ok(selector) if !selector.matches(&template.metadata.labels) => {
                self.error(kind.name(), meta, "its selector does not select its own template");
            }
            Ok(_) => return Some(replicas),
        }
        None
    }

    /// A Deployment makes a ReplicaSet, unless the files have one of it. Pods of the files whose
    /// ReplicaSet is not there are its own if it selects them.
    fn deployment(&mut self, one: &Deployment) {
        let meta = &one.metadata;
        let (kind, selector) = (OwnerKind::Deployment, one.spec.selector.as_ref());
        let Some(replicas) =
            self.check(kind, meta, one.spec.replicas, selector, &one.spec.template)
        else {
            return;
        };
        let of_this = |owned: &ObjectMeta| {
            controller(owned) == Some(("Deployment", &meta.namespace, &meta.name))
        };
        let sets: Vec<ReplicaSet> =
            self.cell.replica_sets.iter().filter(|set| of_this(&set.metadata)).cloned().collect();
        let set_names: BTreeSet<&str> = sets.iter().map(|set| set.metadata.name.as_str()).collect();
        let compiled = Selector::new(selector).unwrap_or(Selector::nothing());
        let prefix = format!("{}-", meta.name);
        let owner = self.new_owner(kind, meta, replicas, None);
        let (place, has) = self.owner(owner, |pod| match controller(&pod.metadata) {
            Some(("ReplicaSet", _, set)) if set_names.is_empty() => {
                set.starts_with(&prefix) && compiled.matches(&pod.metadata.labels)
            }
            Some(("ReplicaSet", _, set)) => set_names.contains(set),
            _ => false,
        });
        if sets.is_empty() {
            let set = new_replica_set(one, replicas);
            self.make_replicas(&set.metadata, &set.spec.template, place, replicas, has);
            self.cell.replica_sets.push(set);
            return;
        }
        for set in sets {
            let wanted = u32::try_from(set.spec.replicas.unwrap_or(1)).unwrap_or(0);
            let has = self.active_of("ReplicaSet", &set.metadata);
            self.make_replicas(&set.metadata, &set.spec.template, place, wanted, has);
        }
    }

    /// How many pods an object manages that are not leaving.
    fn active_of(&self, kind: &str, meta: &ObjectMeta) -> u32 {
        let own = |one: &&CellPod| {
            one.pod.metadata.deletion_timestamp.is_none()
                && controller(&one.pod.metadata) == Some((kind, &meta.namespace, &meta.name))
        };
        self.cell.pods.iter().filter(own).map(|one| one.copies).sum()
    }

    /// ReplicaSets of nobody, or of a Deployment that the files do not have.
    fn replica_sets(&mut self, manifests: &Manifests) {
        for one in &manifests.replica_sets {
            let owned = manifests.deployments.iter().any(|deployment| {
                let meta = &deployment.metadata;
                controller(&one.metadata) == Some(("Deployment", &meta.namespace, &meta.name))
            });
            if !owned {
                let (kind, spec) = (OwnerKind::ReplicaSet, &one.spec);
                let selector = spec.selector.as_ref();
                self.replicated(kind, &one.metadata, spec.replicas, selector, &spec.template);
            }
        }
    }

    fn new_owner(
        &self,
        kind: OwnerKind,
        meta: &ObjectMeta,
        replicas: u32,
        completions: Option<u32>,
    ) -> Owner {
        let (namespace, name) = (meta.namespace.clone(), meta.name.clone());
        Owner { kind, namespace, name, replicas, completions }
    }

    /// A workload that wants a number of pods that are all the same.
    fn replicated(
        &mut self,
        kind: OwnerKind,
        meta: &ObjectMeta,
        replicas: Option<i32>,
        selector: Option<&LabelSelector>,
        template: &PodTemplateSpec,
    ) {
        let Some(replicas) = self.check(kind, meta, replicas, selector, template) else { return };
        let owner = self.new_owner(kind, meta, replicas, None);
        let (place, has) = self.owner(owner, |pod| {
            controller(&pod.metadata) == Some((kind.name(), &meta.namespace, &meta.name))
        });
        self.make_of(kind, meta, template, place, replicas.saturating_sub(has));
    }

    fn make_replicas(
        &mut self,
        set: &ObjectMeta,
        template: &PodTemplateSpec,
        place: usize,
        wanted: u32,
        has: u32,
    ) {
        self.make_of(OwnerKind::ReplicaSet, set, template, place, wanted.saturating_sub(has));
    }

    /// Makes `count` pods that only the names generated for them would tell apart.
    fn make_of(
        &mut self,
        kind: OwnerKind,
        meta: &ObjectMeta,
        template: &PodTemplateSpec,
        place: usize,
        count: u32,
    ) {
        if count == 0 {
            return;
        }
        let mut pod = pod_of(kind, meta, template, String::new());
        pod.metadata.generate_name = format!("{}-", meta.name);
        let made = CellPod { pod, copies: count, owner: Some(place), made: true };
        self.add_copies(made, kind.name());
    }
}
