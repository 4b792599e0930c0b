//! What the API server and its admission plugins fill in that matters to scheduling
//! (`pkg/apis/core/v1/defaults.go`, `plugin/pkg/admission/{priority,defaulttolerationseconds}` of
//! Kubernetes v1.35).

use std::collections::BTreeMap;

use super::expand::KubernetesCell;
use crate::kubernetes::requests::is_pod_level_resource;
use crate::kubernetes::{
    DEFAULT_SCHEDULER, PodSpec, PriorityClass, ResourceRequirements, StorageClass, Toleration,
};

/// Pods stay so many seconds on a node that is not ready or cannot be reached.
const TOLERATION_SECONDS: i64 = 300;
/// Classes that every cluster has.
const SYSTEM_CLASSES: [(&str, i32); 2] =
    [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];

/// Priority classes by name.
pub(super) struct Priorities<'a> {
    classes: BTreeMap<&'a str, &'a PriorityClass>,
    default: Option<&'a PriorityClass>,
}

impl<'a> Priorities<'a> {
    pub(super) fn new(classes: &'a [PriorityClass]) -> Self {
        let by_name = |class: &'a PriorityClass| (class.metadata.name.as_str(), class);
        // Of several default classes the lowest counts.
        let defaults = classes.iter().filter(|class| class.global_default);
        Self {
            classes: classes.iter().map(by_name).collect(),
            default: defaults.min_by_key(|class| class.value),
        }
    }

    /// Gives a pod the priority of its class.
    fn resolve(&self, spec: &mut PodSpec) -> Result<(), String> {
        let name = spec.priority_class_name.clone();
        let class = if name.is_empty() {
            self.default
        } else if let Some((_, value)) = SYSTEM_CLASSES.iter().find(|(one, _)| *one == name) {
            spec.priority.get_or_insert(*value);
            return Ok(());
        } else {
            match self.classes.get(name.as_str()) {
                Some(class) => Some(*class),
                // A pod of a dump has its priority already.
                None if spec.priority.is_some() => return Ok(()),
                None => return Err(format!("there is no PriorityClass `{name}`")),
            }
        };
        let Some(class) = class else { return Ok(()) };
        if spec.priority.is_none() {
            spec.priority = Some(class.value);
            class.metadata.name.clone_into(&mut spec.priority_class_name);
        }
        if spec.preemption_policy.is_none() {
            spec.preemption_policy.clone_from(&class.preemption_policy);
        }
        Ok(())
    }
}

/// Who is limited and asks for nothing asks for its limit.
fn requests_from_limits(resources: &mut ResourceRequirements) {
    for (name, limit) in &resources.limits {
        resources.requests.entry(name.clone()).or_insert(*limit);
    }
}

/// Fills in a pod's specification.
///
/// # Errors
///
/// If its priority class is not there.
pub(super) fn fill_in(spec: &mut PodSpec, priorities: &Priorities<'_>) -> Result<(), String> {
    priorities.resolve(spec)?;
    if spec.scheduler_name.is_empty() {
        DEFAULT_SCHEDULER.clone_into(&mut spec.scheduler_name);
    }
    for container in spec.containers.iter_mut().chain(&mut spec.init_containers) {
        requests_from_limits(&mut container.resources);
        if spec.host_network {
            for port in &mut container.ports {
                if port.host_port == 0 {
                    port.host_port = port.container_port;
                }
            }
        }
    }
    pod_level_requests(spec);
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerated = |toleration: &Toleration| {
            (toleration.key == key || toleration.key.is_empty())
                && (toleration.effect == "NoExecute" || toleration.effect.is_empty())
        };
        if !spec.tolerations.iter().any(tolerated) {
            spec.tolerations.push(Toleration {
                key: key.to_owned(),
                operator: "Exists".to_owned(),
                effect: "NoExecute".to_owned(),
                toleration_seconds: Some(TOLERATION_SECONDS),
                ..Toleration::default()
            });
        }
    }
    Ok(())
}

/// A pod that is limited as a whole and asks for nothing as a whole asks for what its containers
/// ask for, or, where none does, for its limit.
fn pod_level_requests(spec: &mut PodSpec) {
    let Some(resources) = &mut spec.resources else { return };
    for (name, limit) in &resources.limits {
        // Where containers ask, their sum counts; but huge pages cannot be overcommitted.
        let asked = spec.containers.iter().any(|one| one.resources.requests.contains_key(name));
        if is_pod_level_resource(name) && (!asked || name.starts_with("hugepages-")) {
            resources.requests.entry(name.clone()).or_insert(*limit);
        }
    }
}

/// Says of a StorageClass that claims without a class are of it.
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

/// Fills in what storage leaves out: claims are bound at once where their class says nothing else,
/// volumes of nobody are free, and claims that name no class are of the default one
/// (`plugin/pkg/admission/storage/storageclass/setdefault`: the youngest of several, of equally old
/// ones the first by name). A claim that names the class `` (nothing) wants none.
pub(super) fn fill_in_storage(cell: &mut KubernetesCell) {
    for class in &mut cell.objects.storage_classes {
        class.volume_binding_mode.get_or_insert("Immediate".to_owned());
    }
    for volume in &mut cell.objects.volumes {
        if volume.status.phase.is_empty() {
            "Available".clone_into(&mut volume.status.phase);
        }
    }
    let is_default = |class: &&StorageClass| {
        class.metadata.annotations.get(DEFAULT_CLASS).is_some_and(|value| value == "true")
    };
    let age = |class: &&StorageClass| {
        (std::cmp::Reverse(class.metadata.creation_timestamp), class.metadata.name.clone())
    };
    let default = cell.objects.storage_classes.iter().filter(is_default).min_by_key(age);
    let Some(default) = default.map(|class| class.metadata.name.clone()) else { return };
    let templates = cell.pods.iter_mut().flat_map(|one| &mut one.pod.spec.volumes);
    let templates = templates.filter_map(|volume| volume.ephemeral.as_mut());
    let templates = templates.filter_map(|source| source.volume_claim_template.as_mut());
    for claim in cell.claims.iter_mut().chain(templates) {
        if claim.spec.volume_name.is_empty() {
            claim.spec.storage_class_name.get_or_insert_with(|| default.clone());
        }
    }
}
