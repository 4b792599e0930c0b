//! Which CSI driver a volume counts for, and by what name: volumes of the plugins that were built
//! into Kubernetes count for the drivers that took over (`k8s.io/csi-translation-lib` v0.35,
//! `nodevolumelimits/utils.go` of kube-scheduler v1.35).

use super::{Storage, class_of_claim};
use crate::kubernetes::{
    CsiNode, PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec, Volume,
};

/// Says of a CSINode which built-in plugins it has handed over.
const MIGRATED: &str = "storage.alpha.kubernetes.io/migrated-plugins";
/// Between the zones of a volume that is in several.
const ZONE_SEPARATOR: &str = "__";

const AWS: &str = "kubernetes.io/aws-ebs";
const GCE: &str = "kubernetes.io/gce-pd";
const AZURE: &str = "kubernetes.io/azure-disk";
const CINDER: &str = "kubernetes.io/cinder";
const PORTWORX: &str = "kubernetes.io/portworx-volume";

/// Built-in plugins and the drivers that took over.
const DRIVERS: [(&str, &str); 5] = [
    (AWS, "ebs.csi.aws.com"),
    (GCE, "pd.csi.storage.gke.io"),
    (AZURE, "disk.csi.azure.com"),
    (CINDER, "cinder.csi.openstack.org"),
    (PORTWORX, "pxd.portworx.com"),
];

/// A volume as a driver counts it: the driver and its name of the volume.
pub type Attachable = (String, String);

/// The driver that took over from a built-in plugin.
pub fn successor(plugin: &str) -> Option<&'static str> {
    DRIVERS.iter().find(|(name, _)| *name == plugin).map(|(_, driver)| *driver)
}

/// True if `node` has handed `plugin` over to its driver.
fn is_migrated(node: Option<&CsiNode>, plugin: &str) -> bool {
    let list = node.and_then(|node| node.metadata.annotations.get(MIGRATED));
    list.is_some_and(|list| list.split(',').any(|name| name == plugin))
}

/// True if the volume is one of a built-in plugin that a driver took over from.
pub fn is_migratable_inline(volume: &Volume) -> bool {
    inline_plugin(volume).is_some()
}

fn inline_plugin(volume: &Volume) -> Option<&'static str> {
    let sources = [
        (volume.gce_persistent_disk.is_some(), GCE),
        (volume.aws_elastic_block_store.is_some(), AWS),
        (volume.cinder.is_some(), CINDER),
        (volume.azure_disk.is_some(), AZURE),
        (volume.portworx_volume.is_some(), PORTWORX),
    ];
    sources.into_iter().find(|(there, _)| *there).map(|(_, plugin)| plugin)
}

fn plugin_of(spec: &PersistentVolumeSpec) -> Option<&'static str> {
    let sources = [
        (spec.gce_persistent_disk.is_some(), GCE),
        (spec.aws_elastic_block_store.is_some(), AWS),
        (spec.cinder.is_some(), CINDER),
        (spec.azure_disk.is_some(), AZURE),
        (spec.portworx_volume.is_some(), PORTWORX),
    ];
    sources.into_iter().find(|(there, _)| *there).map(|(_, plugin)| plugin)
}

/// What AWS calls a volume: `vol-1`, also where Kubernetes says `aws://zone/vol-1`.
fn ebs_id(id: &str) -> Result<String, String> {
    let Some(path) = id.strip_prefix("aws://") else { return Ok(id.to_owned()) };
    // What is before the first slash is a host, and may be missing.
    let path = path.find('/').map_or("", |slash| &path[slash..]).trim_matches('/');
    if path.starts_with("vol-") && !path.contains('/') {
        return Ok(path.to_owned());
    }
    Err(format!("invalid format for AWS volume ({id})"))
}

/// What Google calls a disk in these zones.
fn gce_id(disk: &str, zones: &str) -> Option<String> {
    let list: Vec<&str> = zones.split(ZONE_SEPARATOR).collect();
    match list.as_slice() {
        [""] => None,
        [zone] => Some(format!("projects/UNSPECIFIED/zones/{zone}/disks/{disk}")),
        several => {
            let region = |zone: &&str| match zone.split('-').collect::<Vec<_>>().as_slice() {
                [locale, region, _] => Some(format!("{locale}-{region}")),
                _ => None,
            };
            let regions: Vec<String> = several.iter().map(region).collect::<Option<_>>()?;
            let region = regions.first().filter(|first| regions.iter().all(|one| one == *first))?;
            Some(format!("projects/UNSPECIFIED/regions/{region}/disks/{disk}"))
        }
    }
}

/// What the driver that took over calls a volume; `None` if it cannot be told.
fn translated(volume: &PersistentVolume) -> Option<String> {
    let spec = &volume.spec;
    match plugin_of(spec)? {
        AWS => ebs_id(&spec.aws_elastic_block_store.as_ref()?.volume_id).ok(),
        GCE => {
            let label = |name: &str| volume.metadata.labels.get(name).filter(|one| !one.is_empty());
            let zones = label("failure-domain.beta.kubernetes.io/zone")
                .or_else(|| label("topology.kubernetes.io/zone"))?;
            gce_id(&spec.gce_persistent_disk.as_ref()?.pd_name, zones)
        }
        AZURE => Some(spec.azure_disk.as_ref()?.disk_uri.clone()),
        CINDER => Some(spec.cinder.as_ref()?.volume_id.clone()),
        _ => Some(spec.portworx_volume.as_ref()?.volume_id.clone()),
    }
}

impl Storage {
    /// The driver's volume that `volume` of a pod is by itself, on a node with these drivers.
    ///
    /// # Errors
    ///
    /// In upstream's words, if its name is malformed.
    pub fn attachable_inline(
        volume: &Volume,
        node: Option<&CsiNode>,
    ) -> Result<Option<Attachable>, String> {
        let Some(plugin) = inline_plugin(volume).filter(|plugin| is_migrated(node, plugin)) else {
            return Ok(None);
        };
        let id = |source: &Option<crate::kubernetes::VolumeIdSource>| {
            source.as_ref().map_or(String::new(), |source| source.volume_id.clone())
        };
        let handle = match plugin {
            AWS => ebs_id(&id(&volume.aws_elastic_block_store)).map_err(|error| {
                format!("converting volume({}) from inline to csi: {error}", volume.name)
            })?,
            GCE => {
                let disk = volume.gce_persistent_disk.as_ref();
                let name = disk.map_or("", |disk| disk.pd_name.as_str());
                format!("projects/UNSPECIFIED/zones/UNSPECIFIED/disks/{name}")
            }
            AZURE => volume.azure_disk.as_ref().map_or(String::new(), |one| one.disk_uri.clone()),
            CINDER => id(&volume.cinder),
            _ => id(&volume.portworx_volume),
        };
        Ok(successor(plugin).map(|driver| (driver.to_owned(), handle)))
    }

    /// The driver's volume that `claim` is, or would be, on a node with these drivers; `None` if it
    /// does not count.
    pub fn attachable(
        &self,
        claim: &PersistentVolumeClaim,
        node: Option<&CsiNode>,
    ) -> Option<Attachable> {
        let volume = self.volumes.get(&claim.spec.volume_name);
        let Some(volume) = volume.filter(|_| !claim.spec.volume_name.is_empty()) else {
            return self.attachable_of_class(claim, node);
        };
        let (driver, handle) = match &volume.spec.csi {
            Some(csi) => (csi.driver.clone(), csi.volume_handle.clone()),
            None => {
                let plugin = plugin_of(&volume.spec).filter(|plugin| is_migrated(node, plugin))?;
                (successor(plugin)?.to_owned(), translated(volume)?)
            }
        };
        (!driver.is_empty() && !handle.is_empty()).then_some((driver, handle))
    }

    /// The volume that `claim` would get from its class. Its name is one that no driver gives.
    fn attachable_of_class(
        &self,
        claim: &PersistentVolumeClaim,
        node: Option<&CsiNode>,
    ) -> Option<Attachable> {
        let class = self.classes.get(class_of_claim(claim))?;
        let provisioner = class.provisioner.as_str();
        let driver = match successor(provisioner) {
            Some(driver) => is_migrated(node, provisioner).then_some(driver)?,
            None => provisioner,
        };
        let handle = format!("\0{}/{}", claim.metadata.namespace, claim.metadata.name);
        (!driver.is_empty()).then(|| (driver.to_owned(), handle))
    }
}
