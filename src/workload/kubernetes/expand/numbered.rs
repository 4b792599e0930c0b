//! Pods with numbers: of StatefulSets and of Jobs.

use std::collections::BTreeSet;

use super::cell::{CellPod, OwnerKind};
use super::pods::pod_of;
use super::{Expansion, controller};
use crate::kubernetes::{
    Condition, Job, ObjectMeta, PersistentVolumeClaim, PersistentVolumeClaimVolumeSource,
    PodTemplateSpec, StatefulSet, Volume,
};
use crate::workload::kubernetes::names::unique;

const INDEX: &str = "batch.kubernetes.io/job-completion-index";

impl Expansion<'_> {
    /// A StatefulSet makes pods with numbers, each with claims of its own.
    pub(super) fn stateful_set(&mut self, one: &StatefulSet) {
        let (kind, meta, spec) = (OwnerKind::StatefulSet, &one.metadata, &one.spec);
        let selector = spec.selector.as_ref();
        let Some(replicas) = self.check(kind, meta, spec.replicas, selector, &spec.template) else {
            return;
        };
        let owner = self.new_owner(kind, meta, replicas, None);
        let (place, _) = self.owner(owner, |pod| {
            controller(&pod.metadata) == Some((kind.name(), &meta.namespace, &meta.name))
        });
        for ordinal in 0..replicas {
            let name = format!("{}-{ordinal}", meta.name);
            // A pod of this name is in the way, whoever made it.
            if !self.names.entry(meta.namespace.clone()).or_default().insert(name.clone()) {
                continue;
            }
            let mut pod = pod_of(kind, meta, &spec.template, name.clone());
            let labels = &mut pod.metadata.labels;
            labels.insert("statefulset.kubernetes.io/pod-name".to_owned(), name.clone());
            labels.insert("apps.kubernetes.io/pod-index".to_owned(), ordinal.to_string());
            for template in &spec.volume_claim_templates {
                let claim = &template.metadata.name;
                self.claim(meta, template, format!("{claim}-{name}"));
                pod.spec.volumes.retain(|volume| volume.name != *claim);
                pod.spec.volumes.push(Volume {
                    name: claim.clone(),
                    persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                        claim_name: format!("{claim}-{name}"),
                        ..PersistentVolumeClaimVolumeSource::default()
                    }),
                    ..Volume::default()
                });
            }
            self.add(pod, Some(place), true, kind.name());
        }
    }

    /// A claim of a StatefulSet, unless there is one of that name. It outlives its pod.
    fn claim(&mut self, set: &ObjectMeta, template: &PersistentVolumeClaim, name: String) {
        let there = |one: &PersistentVolumeClaim| {
            one.metadata.namespace == set.namespace && one.metadata.name == name
        };
        if self.cell.claims.iter().any(there) {
            return;
        }
        let mut claim = template.clone();
        claim.metadata.namespace.clone_from(&set.namespace);
        claim.metadata.name = name;
        self.cell.claims.push(claim);
    }

    /// A Job makes as many pods as may run at a time, as long as so many are missing.
    pub(super) fn job(&mut self, one: &Job) {
        let (kind, meta, spec) = (OwnerKind::Job, &one.metadata, &one.spec);
        let Some(parallelism) =
            self.check(kind, meta, spec.parallelism, spec.selector.as_ref(), &spec.template)
        else {
            return;
        };
        let Ok(completions) = spec.completions.map(u32::try_from).transpose() else {
            return self.error(kind.name(), meta, "a negative number of completions");
        };
        let indexed = spec.completion_mode.as_deref() == Some("Indexed");
        if indexed && completions.is_none() {
            return self.error(kind.name(), meta, "an Indexed Job needs `completions`");
        }
        let over = |condition: &Condition| {
            matches!(condition.kind.as_str(), "Complete" | "Failed") && condition.status == "True"
        };
        let idle = spec.suspend == Some(true) || one.status.conditions.iter().any(over);
        let succeeded = u32::try_from(one.status.succeeded).unwrap_or(0);
        let missing = completions.map_or(parallelism, |all| all.saturating_sub(succeeded));
        let wanted = if idle { 0 } else { parallelism.min(missing) };
        let owner = self.new_owner(kind, meta, wanted, completions);
        let (place, has) = self.owner(owner, |pod| {
            controller(&pod.metadata) == Some((kind.name(), &meta.namespace, &meta.name))
        });
        let template = job_template(one);
        if !indexed {
            self.make_of(kind, meta, &template, place, wanted.saturating_sub(has));
            return;
        }
        let mut free = free_indexes(one, completions.unwrap_or(0), &self.cell.pods, place);
        for _ in has..wanted {
            let Some(index) = free.pop_first() else { return };
            let names = self.names.entry(meta.namespace.clone()).or_default();
            let name = unique(&format!("{}-{index}-", meta.name), names);
            let mut pod = pod_of(kind, meta, &template, name);
            pod.metadata.labels.insert(INDEX.to_owned(), index.to_string());
            pod.metadata.annotations.insert(INDEX.to_owned(), index.to_string());
            self.add(pod, Some(place), true, kind.name());
        }
    }
}

/// The template of a Job with the labels its pods get.
fn job_template(one: &Job) -> PodTemplateSpec {
    let mut template = one.spec.template.clone();
    for key in ["job-name", "batch.kubernetes.io/job-name"] {
        template.metadata.labels.insert(key.to_owned(), one.metadata.name.clone());
    }
    template
}

/// The indexes of an Indexed Job that neither have succeeded nor have a pod.
fn free_indexes(one: &Job, completions: u32, pods: &[CellPod], owner: usize) -> BTreeSet<u32> {
    let mut free: BTreeSet<u32> = (0..completions).collect();
    for part in one.status.completed_indexes.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) {
            free.retain(|index| !(first..=last).contains(index));
        }
    }
    for pod in pods.iter().filter(|one| one.owner == Some(owner)) {
        let annotations = &pod.pod.metadata.annotations;
        let index = annotations.get(INDEX);
        if let Some(index) = index.and_then(|index| index.parse().ok()) {
            free.remove(&index);
        }
    }
    free
}
