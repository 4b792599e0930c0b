//! NodeVolumeLimits: a node can hold so many volumes of each CSI driver.

use std::collections::{BTreeMap, BTreeSet};

use crate::kubernetes::CsiNode;
use crate::scheduling::kube::storage::{Storage, check_owner, claim_name, is_migratable_inline};
use crate::scheduling::kube::{Cache, NodeInfo, Part, Plugin, PodInfo, Prepared, State, Status};

const TOO_MANY: &str = "node(s) exceed max volume count";

/// The plugin. Volumes that are attached and used by no pod (VolumeAttachment) are not known.
#[derive(Debug, Clone, Copy, Default)]
pub struct NodeVolumeLimits;

/// Why volumes cannot be counted.
enum Uncounted {
    /// A claim is missing.
    Missing(String),
    /// Something else is wrong.
    Error(String),
}

/// Volumes as their drivers know them.
type Attached = BTreeSet<(String, String)>;

/// Adds the volumes of `pod` that a node with these drivers would have to attach. Claims that are
/// missing do not count, except where `is_new`: then nothing can be said of the pod.
fn add_volumes(
    storage: &Storage,
    pod: &PodInfo,
    drivers: Option<&CsiNode>,
    is_new: bool,
    attached: &mut Attached,
) -> Result<(), Uncounted> {
    if !pod.template.uses_storage {
        return Ok(());
    }
    let namespace = &pod.template.namespace;
    for volume in &pod.template.spec.volumes {
        let Some(named) = claim_name(pod, volume) else {
            let inline = Storage::attachable_inline(volume, drivers).map_err(Uncounted::Error)?;
            attached.extend(inline);
            continue;
        };
        if named.name.is_empty() {
            return Err(Uncounted::Error("PersistentVolumeClaim had no name".to_owned()));
        }
        let Some(claim) = storage.claim(namespace, &named.name) else {
            if is_new {
                let name = &named.name;
                return Err(Uncounted::Missing(format!(
                    "looking up PVC {namespace}/{name}: persistentvolumeclaim {name:?} not found"
                )));
            }
            continue;
        };
        if named.ephemeral {
            check_owner(pod, claim).map_err(Uncounted::Error)?;
        }
        attached.extend(storage.attachable(claim, drivers));
    }
    Ok(())
}

/// How many volumes of each driver the node can hold; drivers without a limit are left out.
fn limits(drivers: Option<&CsiNode>) -> BTreeMap<&str, i64> {
    let drivers = drivers.map_or(&[][..], |node| &node.spec.drivers);
    let limit = |name, count: Option<i32>| count.map(|count| (name, i64::from(count)));
    drivers
        .iter()
        .filter_map(|one| limit(one.name.as_str(), one.allocatable.as_ref()?.count))
        .collect()
}

/// Volumes by driver.
fn by_driver<'a>(volumes: impl Iterator<Item = &'a (String, String)>) -> BTreeMap<&'a str, i64> {
    let mut counts = BTreeMap::new();
    for (driver, _) in volumes {
        *counts.entry(driver.as_str()).or_default() += 1;
    }
    counts
}

fn check(storage: &Storage, pod: &PodInfo, node: &NodeInfo) -> Result<bool, Uncounted> {
    let drivers = storage.csi_nodes.get(node.name());
    let mut new = Attached::new();
    add_volumes(storage, pod, drivers, true, &mut new)?;
    let limits = limits(drivers);
    if new.is_empty() || limits.is_empty() {
        return Ok(true);
    }
    let mut attached = Attached::new();
    for other in &node.pods {
        add_volumes(storage, other, drivers, false, &mut attached)?;
    }
    let there = by_driver(attached.iter());
    let more = by_driver(new.difference(&attached));
    Ok(more.iter().all(|(driver, count)| {
        let limit = limits.get(driver).copied().unwrap_or(i64::MAX);
        there.get(driver).copied().unwrap_or(0) + count <= limit
    }))
}

impl Plugin for NodeVolumeLimits {
    fn name(&self) -> &'static str {
        "NodeVolumeLimits"
    }

    fn part(&self) -> Part {
        Part::Volumes
    }

    fn filters(&self) -> bool {
        true
    }

    fn pre_filter(&self, _cache: &Cache, pod: &PodInfo) -> Prepared {
        let counts =
            pod.template.uses_storage
                && pod.template.spec.volumes.iter().any(|volume| {
                    claim_name(pod, volume).is_some() || is_migratable_inline(volume)
                });
        if counts { Prepared::State(None) } else { Prepared::Skip }
    }

    fn filter(
        &self,
        _state: Option<&dyn State>,
        cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Status {
        match check(cache.storage(), pod, node) {
            Ok(true) => Status::SUCCESS,
            Ok(false) => Status::unschedulable(TOO_MANY),
            Err(Uncounted::Missing(message)) => Status::unresolvable(message),
            Err(Uncounted::Error(message)) => Status::error(message),
        }
    }
}
