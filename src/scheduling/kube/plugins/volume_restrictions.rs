//! VolumeRestrictions: disks that can be attached once, and claims that one pod may use at a time.

use std::collections::BTreeSet;

use crate::kubernetes::Volume;
use crate::scheduling::kube::storage::claim_names;
use crate::scheduling::kube::{
    Cache, NodeInfo, Part, Plugin, PodInfo, Prepared, State, Status, state_of,
};

const DISK_TAKEN: &str = "node(s) had no available disk";
const CLAIM_TAKEN: &str = "node has pod using PersistentVolumeClaim with the same name and \
                           ReadWriteOncePod access mode";

/// The plugin.
#[derive(Debug, Clone, Copy, Default)]
pub struct VolumeRestrictions;

/// The claims of the pod that one pod may use at a time, and how often others use them.
#[derive(Debug, Clone, Default)]
struct Exclusive {
    claims: BTreeSet<String>,
    users: i64,
}

impl Exclusive {
    /// Takes into account that `times` pods like `other` came. As upstream, namespaces are not
    /// looked at here.
    fn update(&mut self, other: &PodInfo, times: i64) {
        let named = claim_names(other).filter(|claim| !claim.ephemeral);
        let shared = named.filter(|claim| self.claims.contains(claim.name.as_ref())).count();
        self.users += times * i64::try_from(shared).unwrap_or(i64::MAX);
    }
}

/// True for disks of which a node cannot have two, or not of every kind.
fn is_disk(volume: &Volume) -> bool {
    volume.gce_persistent_disk.is_some()
        || volume.aws_elastic_block_store.is_some()
        || volume.rbd.is_some()
        || volume.iscsi.is_some()
}

/// True if both are the same disk and cannot be on one node.
fn conflict(a: &Volume, b: &Volume) -> bool {
    let gce = a.gce_persistent_disk.as_ref().zip(b.gce_persistent_disk.as_ref());
    let aws = a.aws_elastic_block_store.as_ref().zip(b.aws_elastic_block_store.as_ref());
    let iscsi = a.iscsi.as_ref().zip(b.iscsi.as_ref());
    let rbd = a.rbd.as_ref().zip(b.rbd.as_ref());
    gce.is_some_and(|(a, b)| a.pd_name == b.pd_name && !(a.read_only && b.read_only))
        || aws.is_some_and(|(a, b)| a.volume_id == b.volume_id)
        || iscsi.is_some_and(|(a, b)| a.iqn == b.iqn && !(a.read_only && b.read_only))
        || rbd.is_some_and(|(a, b)| {
            a.monitors.iter().any(|monitor| b.monitors.contains(monitor))
                && a.pool == b.pool
                && a.image == b.image
                && !(a.read_only && b.read_only)
        })
}

impl Plugin for VolumeRestrictions {
    fn name(&self) -> &'static str {
        "VolumeRestrictions"
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
        let namespace = &pod.template.namespace;
        let mut exclusive = Exclusive::default();
        for named in claim_names(pod).filter(|claim| !claim.ephemeral) {
            let Some(claim) = cache.storage().claim(namespace, &named.name) else {
                let missing = format!("persistentvolumeclaim {:?} not found", named.name);
                return Prepared::Rejected(Status::unresolvable(missing));
            };
            let alone = claim.spec.access_modes.iter().any(|mode| mode == "ReadWriteOncePod");
            if alone
                && exclusive.claims.insert(named.name.clone().into_owned())
                && cache.storage().is_used(namespace, &named.name)
            {
                exclusive.users += 1;
            }
        }
        if exclusive.users == 0 && !pod.template.spec.volumes.iter().any(is_disk) {
            return Prepared::Skip;
        }
        Prepared::with(exclusive)
    }

    fn filter(
        &self,
        state: Option<&dyn State>,
        _cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Status {
        let disks = pod.template.spec.volumes.iter().filter(|volume| is_disk(volume));
        for disk in disks {
            let taken = |other: &PodInfo| {
                other.template.spec.volumes.iter().any(|volume| conflict(disk, volume))
            };
            if node.pods.iter().any(|other| taken(other)) {
                return Status::unschedulable(DISK_TAKEN);
            }
        }
        if state_of::<Exclusive>(state).is_some_and(|exclusive| exclusive.users > 0) {
            return Status::unschedulable(CLAIM_TAKEN);
        }
        Status::SUCCESS
    }

    fn add_pod(
        &self,
        state: &mut dyn State,
        _cache: &Cache,
        _pod: &PodInfo,
        other: &PodInfo,
        _node: &NodeInfo,
    ) {
        if let Some(exclusive) = state.as_any_mut().downcast_mut::<Exclusive>() {
            exclusive.update(other, 1);
        }
    }

    fn remove_pod(
        &self,
        state: &mut dyn State,
        _cache: &Cache,
        _pod: &PodInfo,
        other: &PodInfo,
        _node: &NodeInfo,
    ) {
        if let Some(exclusive) = state.as_any_mut().downcast_mut::<Exclusive>() {
            exclusive.update(other, -1);
        }
    }
}
