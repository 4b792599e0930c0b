//! VolumeZone: a node is in the zones that the labels of the pod's volumes name.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::kubernetes::{Labels, PersistentVolume};
use crate::scheduling::kube::storage::{
    Storage, WAIT_FOR_FIRST_CONSUMER, claim_names, class_of_claim,
};
use crate::scheduling::kube::{
    Cache, NodeInfo, Part, Plugin, PodInfo, Prepared, State, Status, state_of,
};

const CONFLICT: &str = "node(s) had no available volume zone";
/// Between the zones of a volume that is in several.
const ZONE_SEPARATOR: &str = "__";
/// The labels that count, and what those of old are called now.
const LABELS: [(&str, &str); 4] = [
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("topology.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("topology.kubernetes.io/region", "topology.kubernetes.io/region"),
];

/// The plugin.
#[derive(Debug, Clone, Copy, Default)]
pub struct VolumeZone;

/// What a label of a volume asks of nodes.
#[derive(Debug, Clone)]
struct Zone {
    label: &'static str,
    newer: &'static str,
    values: BTreeSet<String>,
}

/// What the pod's volumes ask of nodes.
type Zones = Arc<Vec<Zone>>;

/// What the labels of `volume` ask; one with an empty part asks nothing.
fn zones_of(volume: &PersistentVolume) -> impl Iterator<Item = Zone> {
    LABELS.iter().filter_map(|(label, newer)| {
        let value = volume.metadata.labels.get(*label)?;
        let values: BTreeSet<String> =
            value.split(ZONE_SEPARATOR).map(|zone| zone.trim().to_owned()).collect();
        (!values.contains("")).then_some(Zone { label, newer, values })
    })
}

/// What the volumes of `pod` ask of nodes.
///
/// # Errors
///
/// In upstream's words, if that cannot be told. Generic ephemeral volumes are not looked at.
fn zones(storage: &Storage, pod: &PodInfo) -> Result<Vec<Zone>, String> {
    let mut zones = Vec::new();
    for named in claim_names(pod).filter(|claim| !claim.ephemeral) {
        if named.name.is_empty() {
            return Err("PersistentVolumeClaim had no name".to_owned());
        }
        let claim = storage.claim(&pod.template.namespace, &named.name);
        let claim =
            claim.ok_or_else(|| format!("persistentvolumeclaim {:?} not found", named.name))?;
        let name = &claim.spec.volume_name;
        if !name.is_empty() {
            let volume = storage.volumes.get(name);
            let volume = volume.ok_or_else(|| format!("persistentvolume {name:?} not found"))?;
            zones.extend(zones_of(volume));
            continue;
        }
        let class = class_of_claim(claim);
        if class.is_empty() {
            return Err("PersistentVolumeClaim had no pv name and storageClass name".to_owned());
        }
        let found = storage.classes.get(class);
        let found =
            found.ok_or_else(|| format!("storageclass.storage.k8s.io {class:?} not found"))?;
        match found.volume_binding_mode.as_deref() {
            None => return Err(format!("VolumeBindingMode not set for StorageClass {class:?}")),
            Some(WAIT_FOR_FIRST_CONSUMER) => {}
            Some(_) => return Err("PersistentVolume had no name".to_owned()),
        }
    }
    Ok(zones)
}

/// True if a node with these labels is in all of `zones`. A node that names no zone is in all.
fn is_within(zones: &[Zone], labels: &Labels) -> bool {
    let holds = |zone: &Zone| {
        let value = labels.get(zone.label).or_else(|| labels.get(zone.newer));
        value.is_some_and(|value| zone.values.contains(value))
    };
    !LABELS.iter().any(|(label, _)| labels.contains_key(*label)) || zones.iter().all(holds)
}

impl Plugin for VolumeZone {
    fn name(&self) -> &'static str {
        "VolumeZone"
    }

    fn part(&self) -> Part {
        Part::Volumes
    }

    fn filters(&self) -> bool {
        true
    }

    fn pre_filter(&self, cache: &Cache, pod: &PodInfo) -> Prepared {
        if !pod.template.uses_storage {
            return Prepared::Skip;
        }
        match zones(cache.storage(), pod) {
            Err(message) => Prepared::Rejected(Status::unresolvable(message)),
            Ok(zones) if zones.is_empty() => Prepared::Skip,
            Ok(zones) => Prepared::with(Zones::new(zones)),
        }
    }

    fn filter(
        &self,
        state: Option<&dyn State>,
        cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Status {
        let zones = match state_of::<Zones>(state) {
            Some(zones) => Ok(Arc::clone(zones)),
            // Without the preparation upstream finds out here.
            None => zones(cache.storage(), pod).map(Zones::new),
        };
        match zones {
            Err(message) => Status::unresolvable(message),
            Ok(zones) if is_within(&zones, &node.node.metadata.labels) => Status::SUCCESS,
            Ok(_) => Status::unresolvable(CONFLICT),
        }
    }
}
