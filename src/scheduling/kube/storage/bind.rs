//! What becomes of claims when a pod is placed, and of volumes when a claim is deleted: Reserve and
//! PreBind of VolumeBinding (`plugins/volumebinding` of kube-scheduler v1.35), and what the volume
//! controller and the provisioner of a CSI driver do then, in no time.

use super::csi::successor;
use super::find::PodVolumes;
use super::{ClaimKey, Storage, class_of_claim};
use crate::kubernetes::{
    CsiVolumeSource, Labels, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, ObjectMeta,
    ObjectReference, PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec,
    PersistentVolumeStatus, VolumeNodeAffinity,
};
use crate::scheduling::kube::node::NodeInfo;
use crate::scheduling::kube::pod::PodInfo;

/// On a claim: it has been bound for good.
pub const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// On a volume that was made for its claim: who made it.
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
/// The labels of nodes that name their zone, the one that counts first.
const ZONE_LABELS: [&str; 2] =
    ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"];

/// A label and a value that a node needs to reach a volume.
pub type Segment = (String, String);

impl Storage {
    /// Binds the claims of `pod` that waited for a node: each to the volume that is there for it, or
    /// to one that is made where `node` is. Returns the claims; none if the node will not do.
    ///
    /// # Errors
    ///
    /// In upstream's words, if a claim is missing or its class says nothing of use.
    pub(in crate::scheduling::kube) fn bind(
        &mut self,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Result<Vec<ClaimKey>, String> {
        let found = PodVolumes::new(self, pod)?.find(self, node)?;
        if !found.reasons.is_empty() {
            return Ok(Vec::new());
        }
        let mut bound = Vec::new();
        for (claim, volume) in found.volumes {
            // Two volumes of a pod may name one claim; upstream looks for two volumes then, too.
            if !bound.contains(&claim) {
                self.bind_to(&claim, &volume);
                bound.push(claim);
            }
        }
        for claim in found.provisions {
            if !bound.contains(&claim) {
                self.provision(&claim, &self.segments(&claim, node));
                bound.push(claim);
            }
        }
        Ok(bound)
    }

    /// Binds a claim and a volume to each other for good.
    pub(super) fn bind_to(&mut self, key: &ClaimKey, volume: &str) {
        let (Some(claim), Some(volume)) = (self.claims.get_mut(key), self.volumes.get_mut(volume))
        else {
            return;
        };
        claim.spec.volume_name.clone_from(&volume.metadata.name);
        claim.metadata.annotations.insert(BIND_COMPLETED.to_owned(), "yes".to_owned());
        "Bound".clone_into(&mut claim.status.phase);
        volume.spec.claim_ref = Some(reference(claim));
        "Bound".clone_into(&mut volume.status.phase);
    }

    /// Makes a volume for a claim that nodes with all of `segments` reach, and binds it.
    pub(super) fn provision(&mut self, key: &ClaimKey, segments: &[Segment]) {
        let Some(claim) = self.claims.get(key) else { return };
        let Some(class) = self.classes.get(class_of_claim(claim)) else { return };
        let name = self.unused_name(key);
        let driver = successor(&class.provisioner).unwrap_or(&class.provisioner);
        let provisioned_by = (PROVISIONED_BY.to_owned(), driver.to_owned());
        let volume = PersistentVolume {
            metadata: ObjectMeta {
                name: name.clone(),
                annotations: Labels::from([provisioned_by]),
                ..ObjectMeta::default()
            },
            spec: PersistentVolumeSpec {
                capacity: claim.spec.resources.requests.clone(),
                access_modes: claim.spec.access_modes.clone(),
                storage_class_name: class.metadata.name.clone(),
                persistent_volume_reclaim_policy: class
                    .reclaim_policy
                    .clone()
                    .unwrap_or("Delete".to_owned()),
                node_affinity: reach(segments),
                volume_mode: claim.spec.volume_mode.clone(),
                volume_attributes_class_name: claim.spec.volume_attributes_class_name.clone(),
                csi: Some(CsiVolumeSource {
                    driver: driver.to_owned(),
                    volume_handle: name.clone(),
                    ..CsiVolumeSource::default()
                }),
                ..PersistentVolumeSpec::default()
            },
            status: PersistentVolumeStatus::default(),
        };
        self.volumes.insert(name.clone(), volume);
        self.bind_to(key, &name);
    }

    /// A name for a new volume. Upstream takes the claim's UID for it.
    fn unused_name(&self, (namespace, claim): &ClaimKey) -> String {
        let first = format!("pvc-{namespace}-{claim}");
        let more = (2_usize..).map(|number| format!("{first}-{number}"));
        let mut names = std::iter::once(first.clone()).chain(more);
        names.find(|name| !self.volumes.contains_key(name)).unwrap_or(first)
    }

    /// The part of the cluster in which a volume for a claim is made for a pod on `node`: by the
    /// topology keys that the driver has there; where no CSINode tells them, the node's zone.
    pub(super) fn segments(&self, key: &ClaimKey, node: &NodeInfo) -> Vec<Segment> {
        let labels = &node.node.metadata.labels;
        let class = self.claims.get(key).and_then(|claim| self.classes.get(class_of_claim(claim)));
        let provisioner = class.map_or("", |class| class.provisioner.as_str());
        let driver = successor(provisioner).unwrap_or(provisioner);
        let drivers = self.csi_nodes.get(node.name()).map(|one| one.spec.drivers.as_slice());
        let known = drivers.into_iter().flatten().find(|one| one.name == driver);
        let of = |key: &str| labels.get(key).map(|value| (key.to_owned(), value.clone()));
        match known {
            Some(driver) => driver.topology_keys.iter().filter_map(|key| of(key)).collect(),
            None => ZONE_LABELS.iter().find_map(|key| of(key)).into_iter().collect(),
        }
    }

    /// Deletes a claim. Its volume is deleted with it, or kept for nobody, as its policy says.
    pub(super) fn delete_claim(&mut self, key: &ClaimKey) {
        let Some(claim) = self.claims.remove(key) else { return };
        let name = &claim.spec.volume_name;
        let Some(volume) = self.volumes.get_mut(name) else { return };
        if volume.spec.persistent_volume_reclaim_policy == "Delete" {
            self.volumes.remove(name);
        } else {
            "Released".clone_into(&mut volume.status.phase);
        }
    }
}

fn reference(claim: &PersistentVolumeClaim) -> ObjectReference {
    ObjectReference {
        kind: "PersistentVolumeClaim".to_owned(),
        namespace: claim.metadata.namespace.clone(),
        name: claim.metadata.name.clone(),
        uid: claim.metadata.uid.clone(),
    }
}

/// Node affinity to all of `segments`; none if there are none.
fn reach(segments: &[Segment]) -> Option<VolumeNodeAffinity> {
    let requirement = |(key, value): &Segment| NodeSelectorRequirement {
        key: key.clone(),
        operator: "In".to_owned(),
        values: vec![value.clone()],
    };
    let term = NodeSelectorTerm {
        match_expressions: segments.iter().map(requirement).collect(),
        ..NodeSelectorTerm::default()
    };
    let required = NodeSelector { node_selector_terms: vec![term] };
    (!segments.is_empty()).then_some(VolumeNodeAffinity { required: Some(required) })
}
