//! VolumeBinding: the claims of a pod have volumes that the node reaches, or can get some there.

use std::sync::Arc;

use crate::scheduling::kube::storage::{PodVolumes, Storage, check_owner, claim_names};
use crate::scheduling::kube::{
    Cache, Code, NodeInfo, Part, Plugin, PodInfo, Prepared, State, Status, state_of,
};

/// The plugin. It does not score: upstream's score is behind a gate that is off by default
/// (`StorageCapacityScoring`).
#[derive(Debug, Clone, Copy, Default)]
pub struct VolumeBinding;

/// Whether the claims of `pod` can be used at all; `false` if it has none.
fn has_claims(storage: &Storage, pod: &PodInfo) -> Result<bool, String> {
    let mut has = false;
    for named in claim_names(pod) {
        has = true;
        let Some(claim) = storage.claim(&pod.template.namespace, &named.name) else {
            let name = &named.name;
            return Err(if named.ephemeral {
                format!(
                    "waiting for ephemeral volume controller to create the persistentvolumeclaim \
                     {name:?}"
                )
            } else {
                format!("persistentvolumeclaim {name:?} not found")
            });
        };
        let name = &claim.metadata.name;
        if claim.status.phase == "Lost" {
            return Err(format!(
                "persistentvolumeclaim {name:?} bound to non-existent persistentvolume {:?}",
                claim.spec.volume_name
            ));
        }
        if claim.metadata.deletion_timestamp.is_some() {
            return Err(format!("persistentvolumeclaim {name:?} is being deleted"));
        }
        if named.ephemeral {
            check_owner(pod, claim)?;
        }
    }
    Ok(has)
}

impl Plugin for VolumeBinding {
    fn name(&self) -> &'static str {
        "VolumeBinding"
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
        match has_claims(cache.storage(), pod) {
            Err(message) => return Prepared::Rejected(Status::unresolvable(message)),
            Ok(false) => return Prepared::Skip,
            Ok(true) => {}
        }
        match PodVolumes::new(cache.storage(), pod) {
            Err(message) => Prepared::Rejected(Status::error(message)),
            Ok(volumes) if volumes.late => Prepared::Rejected(Status::unresolvable(
                "pod has unbound immediate PersistentVolumeClaims",
            )),
            Ok(volumes) => Prepared::with(Arc::new(volumes)),
        }
    }

    fn filter(
        &self,
        state: Option<&dyn State>,
        cache: &Cache,
        _pod: &PodInfo,
        node: &NodeInfo,
    ) -> Status {
        let Some(volumes) = state_of::<Arc<PodVolumes>>(state) else { return Status::SUCCESS };
        match volumes.find(cache.storage(), node) {
            Err(message) => Status::error(message),
            Ok(found) if found.reasons.is_empty() => Status::SUCCESS,
            Ok(found) => Status {
                code: Code::UnschedulableAndUnresolvable,
                reasons: found.reasons,
                ..Status::SUCCESS
            },
        }
    }
}
