//! Volumes for the claims of a pod on a node
//! (`plugins/volumebinding/binder.go` of kube-scheduler v1.35).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::matching::{Candidate, Reach, find, requested};
use super::{
    ClaimKey, NO_PROVISIONER, Storage, check_owner, claim_names, class_of_claim, class_of_volume,
    is_fully_bound,
};
use crate::kubernetes::labels::{Operator, Requirement, Selector};
use crate::kubernetes::{
    CsiStorageCapacity, Labels, PersistentVolumeClaim, StorageClass, TopologySelectorTerm,
};
use crate::scheduling::kube::node::NodeInfo;
use crate::scheduling::kube::pod::PodInfo;
use crate::scheduling::kube::status::Reason;

/// On a claim: the node for which its volume is being made.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

const UNREACHABLE: &str = "node(s) didn't match PersistentVolume's node affinity";
const NO_VOLUME: &str = "node(s) didn't find available persistent volumes to bind";
const NO_ROOM: &str = "node(s) did not have enough free storage";
const GONE: &str = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";

/// The claims of a pod by what is to be done about them.
#[derive(Debug, Clone, Default)]
pub struct PodVolumes {
    /// Of each claim that is bound: where its volume can be reached from; `None` if that is gone.
    bound: Vec<Option<Reach>>,
    /// Claims that get their volume with the node, the smallest first.
    waiting: Vec<Arc<PersistentVolumeClaim>>,
    /// The volumes of their classes, by class.
    candidates: BTreeMap<String, Vec<Candidate>>,
    /// True if a claim should have been bound before.
    pub late: bool,
}

/// What the claims that wait would get on a node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Claims and the volumes that are there for them.
    pub volumes: Vec<(ClaimKey, String)>,
    /// Claims whose volumes have to be made.
    pub provisions: Vec<ClaimKey>,
    /// Why the node will not do; empty if it will.
    pub reasons: Vec<Reason>,
}

/// The name of a claim as a key.
pub fn key_of(claim: &PersistentVolumeClaim) -> ClaimKey {
    (claim.metadata.namespace.clone(), claim.metadata.name.clone())
}

impl PodVolumes {
    /// Sorts the claims of `pod`.
    ///
    /// # Errors
    ///
    /// In upstream's words, if a claim is missing or made for another pod, or a class has no mode.
    pub fn new(storage: &Storage, pod: &PodInfo) -> Result<Self, String> {
        let namespace = &pod.template.namespace;
        let mut volumes = Self::default();
        for named in claim_names(pod) {
            let claim = storage.claim(namespace, &named.name).ok_or_else(|| {
                format!("error getting PVC \"{namespace}/{}\": not found", named.name)
            })?;
            if named.ephemeral {
                check_owner(pod, claim)?;
            }
            if is_fully_bound(claim) {
                let volume = storage.volumes.get(&claim.spec.volume_name);
                volumes.bound.push(volume.map(Reach::new));
            } else if storage.waits_for_consumer(claim)? && claim.spec.volume_name.is_empty() {
                volumes.waiting.push(Arc::new(claim.clone()));
            } else {
                volumes.late = true;
            }
        }
        volumes.waiting.sort_by_key(|claim| requested(claim));
        for claim in &volumes.waiting {
            let class = class_of_claim(claim);
            let of_class = storage.volumes.values().filter(|one| class_of_volume(one) == class);
            let candidates = || of_class.map(Candidate::new).collect();
            volumes.candidates.entry(class.to_owned()).or_insert_with(candidates);
        }
        Ok(volumes)
    }

    /// What the claims would get on `node`.
    ///
    /// # Errors
    ///
    /// In upstream's words, if a claim that waits has no class or a malformed selector.
    pub fn find(&self, storage: &Storage, node: &NodeInfo) -> Result<Found, String> {
        let mut found = Found::default();
        let mut gone = false;
        for reach in &self.bound {
            match reach {
                None => gone = true,
                Some(reach) if !reach.includes(&node.node.metadata.labels) => {
                    found.reasons.push(UNREACHABLE.into());
                }
                Some(_) => continue,
            }
            break;
        }
        let problem = self.find_for_waiting(storage, node, &mut found)?;
        found.reasons.extend(problem.map(Reason::from));
        if gone {
            found.reasons.push(GONE.into());
        }
        Ok(found)
    }

    /// Volumes for the claims that wait. Returns why there are none for one of them.
    fn find_for_waiting(
        &self,
        storage: &Storage,
        node: &NodeInfo,
        found: &mut Found,
    ) -> Result<Option<&'static str>, String> {
        let selected = |claim: &PersistentVolumeClaim| {
            claim.metadata.annotations.get(SELECTED_NODE).map(String::as_str) == Some(node.name())
        };
        let (started, open): (Vec<_>, Vec<_>) = self
            .waiting
            .iter()
            .partition(|claim| claim.metadata.annotations.contains_key(SELECTED_NODE));
        if started.iter().any(|claim| !selected(claim)) {
            return Ok(Some(NO_VOLUME));
        }
        let mut to_make: Vec<&PersistentVolumeClaim> = started.into_iter().map(|x| &**x).collect();
        let mut taken = BTreeSet::new();
        for claim in open {
            let candidates = self.candidates.get(class_of_claim(claim)).into_iter().flatten();
            match find(claim, candidates, Some(&node.node.metadata.labels), &taken)? {
                Some(candidate) => {
                    let name = candidate.volume.metadata.name.clone();
                    taken.insert(name.clone());
                    found.volumes.push((key_of(claim), name));
                }
                None => to_make.push(claim),
            }
        }
        for claim in to_make {
            if let Some(problem) = storage.provisions(claim, node)? {
                return Ok(Some(problem));
            }
            found.provisions.push(key_of(claim));
        }
        Ok(None)
    }
}

/// True if a node with these labels is within the topologies of a class; all are within none.
pub fn is_allowed(terms: &[TopologySelectorTerm], labels: &Labels) -> bool {
    let holds = |term: &TopologySelectorTerm| {
        !term.match_label_expressions.is_empty()
            && term.match_label_expressions.iter().all(|one| {
                Requirement::new(&one.key, Operator::In, one.values.clone())
                    .is_ok_and(|requirement| requirement.matches(labels))
            })
    };
    terms.is_empty() || terms.iter().any(holds)
}

impl Storage {
    /// Why a volume for `claim` cannot be made for a pod on `node`; `None` if it can.
    fn provisions(
        &self,
        claim: &PersistentVolumeClaim,
        node: &NodeInfo,
    ) -> Result<Option<&'static str>, String> {
        let name = class_of_claim(claim);
        if name.is_empty() {
            let (namespace, claim) = key_of(claim);
            return Err(format!("no class for claim \"{namespace}/{claim}\""));
        }
        let class = self.classes.get(name);
        let class = class.ok_or_else(|| format!("failed to find storage class {name:?}"))?;
        if matches!(class.provisioner.as_str(), "" | NO_PROVISIONER)
            || !is_allowed(&class.allowed_topologies, &node.node.metadata.labels)
        {
            return Ok(Some(NO_VOLUME));
        }
        Ok((!self.has_room(claim, class, node)).then_some(NO_ROOM))
    }

    /// True if the driver of `class` does not say how much room it has, or has enough.
    fn has_room(
        &self,
        claim: &PersistentVolumeClaim,
        class: &StorageClass,
        node: &NodeInfo,
    ) -> bool {
        let driver = self.drivers.get(&class.provisioner);
        let says = driver.is_some_and(|driver| driver.spec.storage_capacity == Some(true));
        if !says || !claim.spec.resources.requests.contains_key("storage") {
            return true;
        }
        let size = requested(claim).value();
        let enough = |capacity: &CsiStorageCapacity| {
            let limit = capacity.maximum_volume_size.or(capacity.capacity);
            capacity.storage_class_name == class.metadata.name
                && limit.is_some_and(|limit| limit.value() >= size)
                && capacity.node_topology.is_some()
                && Selector::new(capacity.node_topology.as_ref())
                    .is_ok_and(|selector| selector.matches(&node.node.metadata.labels))
        };
        self.capacities.values().any(enough)
    }
}
