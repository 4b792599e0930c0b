//! What the volume controller does with claims by itself: those that do not wait for a pod get a
//! volume at once (`pkg/controller/volume/persistentvolume/pv_controller.go` of Kubernetes v1.35).

use std::collections::{BTreeMap, BTreeSet};

use super::bind::Segment;
use super::find::is_allowed;
use super::matching::{Candidate, find, is_bound_to};
use super::{ClaimKey, NO_PROVISIONER, Storage, class_of_claim, class_of_volume, is_fully_bound};
use crate::kubernetes::{ObjectMeta, OwnerReference, PersistentVolumeClaim};
use crate::scheduling::kube::node::NodeInfo;
use crate::scheduling::kube::pod::PodInfo;

/// FNV-1 of 32 bits, with which upstream spreads volumes over zones.
fn fnv32(text: &str) -> u32 {
    text.bytes()
        .fold(2_166_136_261, |hash: u32, byte| hash.wrapping_mul(16_777_619) ^ u32::from(byte))
}

/// Where in the list of zones the volume of a claim is made: claims `data-set-0`, `data-set-1`, … of
/// a StatefulSet one zone after the other, and those of one pod in the same zone
/// (`getPVCNameHashAndIndexOffset` in `pkg/controller/topology.go` of external-provisioner v5).
fn offset(claim: &str) -> u32 {
    if let Some((prefix, ordinal)) = claim.rsplit_once('-')
        && let Ok(index) = ordinal.parse::<u32>()
    {
        let set = prefix.rsplit_once('-').map_or(prefix, |(_, set)| set);
        return fnv32(set).wrapping_add(index);
    }
    fnv32(claim)
}

/// Volumes of a class that may be free, and those of them that are not any more.
#[derive(Default)]
struct Free {
    by_class: BTreeMap<String, Vec<Candidate>>,
    taken: BTreeSet<String>,
}

impl Storage {
    /// Gives volumes to all claims that do not wait for a pod, in the order of their names.
    pub(in crate::scheduling::kube) fn settle<'a>(
        &mut self,
        claims: &[ClaimKey],
        nodes: impl Iterator<Item = &'a NodeInfo> + Clone,
    ) {
        let mut free = Free::default();
        for key in claims {
            self.settle_claim(key, &mut free, nodes.clone());
        }
    }

    fn settle_claim<'a>(
        &mut self,
        key: &ClaimKey,
        free: &mut Free,
        nodes: impl Iterator<Item = &'a NodeInfo>,
    ) {
        let Some(claim) = self.claims.get(key) else { return };
        let named = claim.spec.volume_name.clone();
        if is_fully_bound(claim) {
            if !self.volumes.contains_key(&named) {
                self.lose(key);
            }
            return;
        }
        if !named.is_empty() {
            let volume = self.volumes.get(&named);
            if volume.is_some_and(|one| one.spec.claim_ref.is_none() || is_bound_to(one, claim)) {
                self.bind_to(key, &named);
            }
            return;
        }
        if let Some(volume) = self.volume_for(key, free) {
            free.taken.insert(volume.clone());
            self.bind_to(key, &volume);
        } else if self.is_provisioned_at_once(key) {
            let segments = self.spread(key, nodes);
            self.provision(key, &segments);
        }
    }

    /// The volume of a claim is gone.
    fn lose(&mut self, key: &ClaimKey) {
        if let Some(claim) = self.claims.get_mut(key) {
            "Lost".clone_into(&mut claim.status.phase);
        }
    }

    /// The volume that is there for a claim. One that waits for a pod gets none but the one that is
    /// reserved for it.
    fn volume_for(&self, key: &ClaimKey, free: &mut Free) -> Option<String> {
        let claim = self.claims.get(key)?;
        let class = class_of_claim(claim);
        let candidates = free.by_class.entry(class.to_owned()).or_insert_with(|| {
            let of_class = self.volumes.values().filter(|one| class_of_volume(one) == class);
            of_class.map(Candidate::new).collect()
        });
        let waits = self.waits_for_consumer(claim).unwrap_or(true);
        let candidates = candidates.iter().filter(|one| !waits || is_bound_to(&one.volume, claim));
        let found = find(claim, candidates, None, &free.taken).ok().flatten();
        found.map(|one| one.volume.metadata.name.clone())
    }

    /// True if a volume for the claim is made without waiting for a pod.
    fn is_provisioned_at_once(&self, key: &ClaimKey) -> bool {
        let Some(claim) = self.claims.get(key) else { return false };
        let class = self.classes.get(class_of_claim(claim));
        let makes = |provisioner: &str| !matches!(provisioner, "" | NO_PROVISIONER);
        class.is_some_and(|class| makes(&class.provisioner))
            && self.waits_for_consumer(claim) == Ok(false)
    }

    /// The part of the cluster in which the volume of a claim is made that waits for no pod.
    fn spread<'a>(
        &self,
        key: &ClaimKey,
        nodes: impl Iterator<Item = &'a NodeInfo>,
    ) -> Vec<Segment> {
        let class = self.claims.get(key).and_then(|claim| self.classes.get(class_of_claim(claim)));
        let Some(class) = class else { return Vec::new() };
        let allowed =
            nodes.filter(|node| is_allowed(&class.allowed_topologies, &node.node.metadata.labels));
        let parts: BTreeSet<Vec<Segment>> =
            allowed.map(|node| self.segments(key, node)).filter(|part| !part.is_empty()).collect();
        let place = offset(&key.1) as usize % parts.len().max(1);
        parts.into_iter().nth(place).unwrap_or_default()
    }

    /// Makes the claims of a pod's generic ephemeral volumes. Returns those that are new.
    pub(in crate::scheduling::kube) fn add_ephemeral_claims(
        &mut self,
        pod: &PodInfo,
    ) -> Vec<ClaimKey> {
        let mut made = Vec::new();
        for (key, template) in ephemeral_claims(pod) {
            if self.claims.contains_key(&key) {
                continue;
            }
            let owner = OwnerReference {
                api_version: "v1".to_owned(),
                kind: "Pod".to_owned(),
                name: pod.name.clone(),
                uid: pod.uid.clone(),
                controller: Some(true),
                ..OwnerReference::default()
            };
            let metadata = ObjectMeta {
                name: key.1.clone(),
                namespace: key.0.clone(),
                labels: template.metadata.labels.clone(),
                annotations: template.metadata.annotations.clone(),
                owner_references: vec![owner],
                ..ObjectMeta::default()
            };
            let claim = PersistentVolumeClaim { metadata, ..template.clone() };
            self.claims.insert(key.clone(), claim);
            made.push(key);
        }
        made
    }

    /// Deletes the claims of the generic ephemeral volumes of a pod that is gone.
    pub fn delete_ephemeral_claims(&mut self, pod: &PodInfo) {
        for (key, _) in ephemeral_claims(pod) {
            let own = |claim: &PersistentVolumeClaim| super::check_owner(pod, claim).is_ok();
            if self.claims.get(&key).is_some_and(own) {
                self.delete_claim(&key);
            }
        }
    }
}

/// The claims of the generic ephemeral volumes of `pod`, and what they are made of.
fn ephemeral_claims(pod: &PodInfo) -> impl Iterator<Item = (ClaimKey, &PersistentVolumeClaim)> {
    pod.template.spec.volumes.iter().filter_map(|volume| {
        let template = volume.ephemeral.as_ref()?.volume_claim_template.as_ref()?;
        let key = (pod.template.namespace.clone(), format!("{}-{}", pod.name, volume.name));
        (volume.persistent_volume_claim.is_none()).then_some((key, template))
    })
}

#[cfg(test)]
mod tests {
    use super::{fnv32, offset};

    #[test]
    fn claims_of_a_stateful_set_go_round() {
        // FNV-1, from its authors' test vectors.
        assert_eq!(fnv32(""), 0x811c_9dc5);
        assert_eq!(fnv32("a"), 0x050c_5d7e);
        assert_eq!(fnv32("foobar"), 0x31f0_b262);
        let first = offset("data-db-0");
        assert_eq!(offset("data-db-2"), first.wrapping_add(2));
        assert_eq!(offset("log-db-0"), first, "the claims of one pod go together");
        assert_eq!(offset("data"), fnv32("data"));
    }
}
