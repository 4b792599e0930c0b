//! What controllers make of templates.

use super::cell::OwnerKind;
use crate::kubernetes::{
    Deployment, Labels, ObjectMeta, OwnerReference, Pod, PodTemplateSpec, ReplicaSet,
    ReplicaSetSpec,
};
use crate::workload::kubernetes::names::word;

/// The ReplicaSet that a Deployment makes of its template.
pub(super) fn new_replica_set(one: &Deployment, replicas: u32) -> ReplicaSet {
    let meta = &one.metadata;
    let content = serde_json::to_string(&one.spec.template).unwrap_or_default();
    let hash = word(&content, 10);
    let mark = |labels: &mut Labels| {
        labels.insert("pod-template-hash".to_owned(), hash.clone());
    };
    let mut template = one.spec.template.clone();
    mark(&mut template.metadata.labels);
    let mut selector = one.spec.selector.clone().unwrap_or_default();
    mark(&mut selector.match_labels);
    let mut set_meta = owned_by(OwnerKind::Deployment, meta, format!("{}-{hash}", meta.name));
    set_meta.labels = template.metadata.labels.clone();
    ReplicaSet {
        metadata: set_meta,
        spec: ReplicaSetSpec {
            replicas: i32::try_from(replicas).ok(),
            min_ready_seconds: one.spec.min_ready_seconds,
            selector: Some(selector),
            template,
        },
        ..ReplicaSet::default()
    }
}

/// The metadata of something that an object manages.
pub(super) fn owned_by(kind: OwnerKind, meta: &ObjectMeta, name: String) -> ObjectMeta {
    ObjectMeta {
        name,
        namespace: meta.namespace.clone(),
        owner_references: vec![OwnerReference {
            api_version: kind.api_version().to_owned(),
            kind: kind.name().to_owned(),
            name: meta.name.clone(),
            uid: meta.uid.clone(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        }],
        ..ObjectMeta::default()
    }
}

pub(super) fn pod_of(
    kind: OwnerKind,
    meta: &ObjectMeta,
    template: &PodTemplateSpec,
    name: String,
) -> Pod {
    let mut pod_meta = owned_by(kind, meta, name);
    pod_meta.labels = template.metadata.labels.clone();
    pod_meta.annotations = template.metadata.annotations.clone();
    Pod { metadata: pod_meta, spec: template.spec.clone(), ..Pod::default() }
}
