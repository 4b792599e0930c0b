//! Claims, volumes and what provides them, as the volume plugins look them up.
//!
//! Objects keep the form of the API; what is decided of them here (which volume a claim gets, what a
//! class can provide where) is decided as kube-scheduler v1.35 and the volume controller do.

mod bind;
mod controller;
mod csi;
mod find;
mod matching;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

pub use bind::BIND_COMPLETED;
pub use csi::is_migratable_inline;
pub use find::{Found, PodVolumes};

use super::cache::Named;
use super::pod::PodInfo;
use crate::kubernetes::{
    CsiDriver, CsiNode, CsiStorageCapacity, Object, ObjectMeta, PersistentVolume,
    PersistentVolumeClaim, StorageClass, Volume,
};

/// The namespace and the name of a claim.
pub type ClaimKey = (String, String);

/// The mode of classes whose claims are bound when the first pod that uses them is scheduled.
pub const WAIT_FOR_FIRST_CONSUMER: &str = "WaitForFirstConsumer";
/// The provisioner of classes whose volumes somebody has to make by hand.
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";
/// What stood for the class before there was a field for it.
const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// All that there is of storage.
#[derive(Debug, Clone, Default)]
pub struct Storage {
    /// Claims.
    pub claims: Named<PersistentVolumeClaim>,
    /// Volumes, by name.
    pub volumes: BTreeMap<String, PersistentVolume>,
    /// Storage classes, by name.
    pub classes: BTreeMap<String, StorageClass>,
    /// The CSI drivers of nodes, by the node's name.
    pub csi_nodes: BTreeMap<String, CsiNode>,
    /// CSI drivers, by name.
    pub drivers: BTreeMap<String, CsiDriver>,
    /// How much room there is.
    pub capacities: Named<CsiStorageCapacity>,
    /// How many volumes of pods on nodes name a claim.
    users: BTreeMap<ClaimKey, usize>,
}

impl Storage {
    /// Adds an object, or replaces the one of its name.
    ///
    /// # Errors
    ///
    /// The object, if it is none of storage.
    pub fn set(&mut self, object: Object) -> Result<(), Box<Object>> {
        let key = |meta: &ObjectMeta| (meta.namespace.clone(), meta.name.clone());
        let name = |meta: &ObjectMeta| meta.name.clone();
        match object {
            Object::PersistentVolumeClaim(one) => {
                self.claims.insert(key(&one.metadata), one);
            }
            Object::PersistentVolume(one) => {
                self.volumes.insert(name(&one.metadata), one);
            }
            Object::StorageClass(one) => {
                self.classes.insert(name(&one.metadata), one);
            }
            Object::CsiNode(one) => {
                self.csi_nodes.insert(name(&one.metadata), one);
            }
            Object::CsiDriver(one) => {
                self.drivers.insert(name(&one.metadata), one);
            }
            Object::CsiStorageCapacity(one) => {
                self.capacities.insert(key(&one.metadata), one);
            }
            other => return Err(Box::new(other)),
        }
        Ok(())
    }
}

/// A volume of a pod that is held by a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimName<'a> {
    /// The name of the claim; its namespace is the pod's.
    pub name: Cow<'a, str>,
    /// True if the claim lives and dies with the pod.
    pub ephemeral: bool,
}

/// The claim that a volume of `pod` is held by, if it is held by one
/// (`k8s.io/component-helpers/storage/ephemeral` v0.35).
pub fn claim_name<'a>(pod: &PodInfo, volume: &'a Volume) -> Option<ClaimName<'a>> {
    if let Some(claim) = &volume.persistent_volume_claim {
        return Some(ClaimName { name: Cow::Borrowed(&claim.claim_name), ephemeral: false });
    }
    volume.ephemeral.as_ref()?;
    let name = Cow::Owned(format!("{}-{}", pod.name, volume.name));
    Some(ClaimName { name, ephemeral: true })
}

/// The claims that hold volumes of `pod`, in the order of its volumes.
pub fn claim_names(pod: &PodInfo) -> impl Iterator<Item = ClaimName<'_>> {
    pod.template.spec.volumes.iter().filter_map(|volume| claim_name(pod, volume))
}

/// True if one of the volume plugins may have something to say about `volume`.
pub fn is_restricted(volume: &Volume) -> bool {
    volume.persistent_volume_claim.is_some()
        || volume.ephemeral.is_some()
        || volume.rbd.is_some()
        || volume.iscsi.is_some()
        || is_migratable_inline(volume)
}

/// The class of a claim; empty if it names none.
pub fn class_of_claim(claim: &PersistentVolumeClaim) -> &str {
    let beta = claim.metadata.annotations.get(BETA_CLASS);
    beta.or(claim.spec.storage_class_name.as_ref()).map_or("", String::as_str)
}

/// The class of a volume; empty if it has none.
pub fn class_of_volume(volume: &PersistentVolume) -> &str {
    volume.metadata.annotations.get(BETA_CLASS).unwrap_or(&volume.spec.storage_class_name)
}

/// True if `claim` has been bound to its volume for good.
pub fn is_fully_bound(claim: &PersistentVolumeClaim) -> bool {
    !claim.spec.volume_name.is_empty() && claim.metadata.annotations.contains_key(BIND_COMPLETED)
}

/// Checks that a claim was made for a volume of `pod`.
///
/// # Errors
///
/// In upstream's words, if it was made for something else.
pub fn check_owner(pod: &PodInfo, claim: &PersistentVolumeClaim) -> Result<(), String> {
    let meta = &claim.metadata;
    let namespace = &pod.template.namespace;
    let owned = meta.controller().is_some_and(|owner| owner.uid == pod.uid);
    if meta.namespace == *namespace && owned {
        return Ok(());
    }
    Err(format!(
        "PVC {}/{} was not created for pod {namespace}/{} (pod is not owner)",
        meta.namespace, meta.name, pod.name
    ))
}

impl Storage {
    /// A claim.
    pub fn claim(&self, namespace: &str, name: &str) -> Option<&PersistentVolumeClaim> {
        self.claims.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// True if a pod on a node has a volume that names the claim. As upstream, generic ephemeral
    /// volumes do not count: nobody else can use their claims.
    pub fn is_used(&self, namespace: &str, name: &str) -> bool {
        self.users.contains_key(&(namespace.to_owned(), name.to_owned()))
    }

    /// A pod came to a node.
    pub(super) fn pod_added(&mut self, pod: &PodInfo) {
        for key in named_claims(pod) {
            *self.users.entry(key).or_default() += 1;
        }
    }

    /// A pod left its node.
    pub(super) fn pod_removed(&mut self, pod: &PodInfo) {
        for key in named_claims(pod) {
            let Some(users) = self.users.get_mut(&key) else { continue };
            *users -= 1;
            if *users == 0 {
                self.users.remove(&key);
            }
        }
    }

    /// True if claims of the class of `claim` are bound when a pod is scheduled; those of a class
    /// that is not there are not.
    ///
    /// # Errors
    ///
    /// In upstream's words, if the class has no mode.
    pub fn waits_for_consumer(&self, claim: &PersistentVolumeClaim) -> Result<bool, String> {
        let name = class_of_claim(claim);
        let Some(class) = self.classes.get(name).filter(|_| !name.is_empty()) else {
            return Ok(false);
        };
        match &class.volume_binding_mode {
            Some(mode) => Ok(mode == WAIT_FOR_FIRST_CONSUMER),
            None => Err(format!("VolumeBindingMode not set for StorageClass {name:?}")),
        }
    }
}

/// The claims that volumes of `pod` name, each once.
fn named_claims(pod: &PodInfo) -> BTreeSet<ClaimKey> {
    let key = |claim: ClaimName<'_>| (pod.template.namespace.clone(), claim.name.into_owned());
    claim_names(pod).filter(|claim| !claim.ephemeral).map(key).collect()
}
