//! Which volume a claim can have (`k8s.io/component-helpers/storage/volume/pv_helpers.go` v0.35).

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::{class_of_claim, class_of_volume};
use crate::kubernetes::labels::Selector;
use crate::kubernetes::node_selector::NodeMatcher;
use crate::kubernetes::{Labels, PersistentVolume, PersistentVolumeClaim, Quantity, ResourceList};

/// The resource that claims ask for and volumes have.
const STORAGE: &str = "storage";
/// The mode of volumes and claims that name none.
const FILESYSTEM: &str = "Filesystem";

/// A volume, and where it can be reached from.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub volume: Arc<PersistentVolume>,
    pub reach: Reach,
}

/// From which nodes a volume can be reached.
#[derive(Debug, Clone)]
pub struct Reach(Option<NodeMatcher>);

impl Reach {
    /// Where `volume` can be reached from.
    pub fn new(volume: &PersistentVolume) -> Self {
        let affinity = volume.spec.node_affinity.as_ref();
        Self(affinity.and_then(|affinity| affinity.required.as_ref()).map(NodeMatcher::new))
    }

    /// True if a node with these labels reaches it; what is malformed reaches nothing. As upstream,
    /// terms on fields are not looked at.
    pub fn includes(&self, labels: &Labels) -> bool {
        self.0.as_ref().is_none_or(|matcher| matcher.matches(labels, "").unwrap_or(false))
    }
}

impl Candidate {
    /// The volume with what it takes to hold nodes against it.
    pub fn new(volume: &PersistentVolume) -> Self {
        Self { volume: Arc::new(volume.clone()), reach: Reach::new(volume) }
    }
}

/// How much `claim` asks for.
pub fn requested(claim: &PersistentVolumeClaim) -> Quantity {
    storage(&claim.spec.resources.requests)
}

fn storage(list: &ResourceList) -> Quantity {
    list.get(STORAGE).copied().unwrap_or_default()
}

/// True if `volume` is bound to `claim`, or reserved for it.
pub fn is_bound_to(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    volume.spec.claim_ref.as_ref().is_some_and(|reference| {
        reference.name == claim.metadata.name
            && reference.namespace == claim.metadata.namespace
            && (reference.uid.is_empty() || reference.uid == claim.metadata.uid)
    })
}

/// True if `volume` can hold what `claim` asks for, whoever it is reserved for.
fn suits(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> bool {
    let attributes = |name: &Option<String>| name.clone().unwrap_or_default();
    let mode = |mode: &Option<String>| mode.clone().unwrap_or(FILESYSTEM.to_owned());
    storage(&volume.spec.capacity).cmp(&requested(claim)) != Ordering::Less
        && mode(&claim.spec.volume_mode) == mode(&volume.spec.volume_mode)
        && attributes(&claim.spec.volume_attributes_class_name)
            == attributes(&volume.spec.volume_attributes_class_name)
        && volume.metadata.deletion_timestamp.is_none()
}

/// True if `volume` is free and meets all that `claim` says.
fn is_free_for(
    claim: &PersistentVolumeClaim,
    selector: Option<&Selector>,
    volume: &PersistentVolume,
) -> bool {
    volume.status.phase == "Available"
        && selector.is_none_or(|selector| selector.matches(&volume.metadata.labels))
        && class_of_volume(volume) == class_of_claim(claim)
        && claim.spec.access_modes.iter().all(|mode| volume.spec.access_modes.contains(mode))
}

/// The volume that is reserved for `claim`, or else the smallest that will do; the first of equals
/// (upstream takes any). `labels` are those of the node from which it has to be reached, if any;
/// volumes of `taken` are left out. `None` too if the volume that is reserved cannot be reached.
///
/// # Errors
///
/// If the selector of the claim is malformed.
pub fn find<'a>(
    claim: &PersistentVolumeClaim,
    candidates: impl IntoIterator<Item = &'a Candidate>,
    labels: Option<&Labels>,
    taken: &BTreeSet<String>,
) -> Result<Option<&'a Candidate>, String> {
    let selector = claim.spec.selector.as_ref().map(|selector| Selector::new(Some(selector)));
    let selector = selector.transpose().map_err(|error| {
        let (namespace, name) = (&claim.metadata.namespace, &claim.metadata.name);
        format!("error creating internal label selector for claim: {namespace}/{name}: {error}")
    })?;
    let mut smallest: Option<&Candidate> = None;
    for candidate in candidates {
        let volume = &candidate.volume;
        let reserved = is_bound_to(volume, claim);
        if taken.contains(&volume.metadata.name)
            || (volume.spec.claim_ref.is_some() && !reserved)
            || !suits(claim, volume)
        {
            continue;
        }
        let reached = labels.is_none_or(|labels| candidate.reach.includes(labels));
        if reserved {
            return Ok(reached.then_some(candidate));
        }
        if !reached || !is_free_for(claim, selector.as_ref(), volume) {
            continue;
        }
        let size = |one: &Candidate| storage(&one.volume.spec.capacity);
        if smallest.is_none_or(|best| size(best) > size(candidate)) {
            smallest = Some(candidate);
        }
    }
    Ok(smallest)
}
