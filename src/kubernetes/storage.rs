//! Volumes, claims and what provides them.

use super::object::object;
use super::{LabelSelector, Labels, NodeSelector, ObjectMeta, Quantity, ResourceRequirements};

object! {
    /// A volume of a pod: what the scheduler looks at.
    pub struct Volume {
        pub name: String,
        pub persistent_volume_claim: Option<PersistentVolumeClaimVolumeSource>,
        pub ephemeral: Option<EphemeralVolumeSource>,
        pub csi: Option<CsiVolumeSource>,
        pub gce_persistent_disk: Option<GcePersistentDisk>,
        pub aws_elastic_block_store: Option<VolumeIdSource>,
        pub azure_disk: Option<AzureDiskVolumeSource>,
        pub cinder: Option<VolumeIdSource>,
        pub portworx_volume: Option<VolumeIdSource>,
        pub rbd: Option<RbdVolumeSource>,
        pub iscsi: Option<IscsiVolumeSource>,
    }
}

object! {
    /// A claim that a pod names.
    pub struct PersistentVolumeClaimVolumeSource {
        pub claim_name: String,
        pub read_only: bool,
    }
}

object! {
    /// A claim that lives as long as its pod; it is named `<pod>-<volume>`.
    pub struct EphemeralVolumeSource {
        pub volume_claim_template: Option<PersistentVolumeClaim>,
    }
}

object! {
    /// A volume of a CSI driver.
    pub struct CsiVolumeSource {
        pub driver: String,
        pub volume_handle: String,
        pub read_only: Option<bool>,
    }
}

object! {
    /// A disk of Google Compute Engine.
    pub struct GcePersistentDisk {
        pub pd_name: String,
        pub read_only: bool,
    }
}

object! {
    /// A disk of a cloud, by id.
    pub struct VolumeIdSource {
        #[serde(rename = "volumeID")]
        pub volume_id: String,
        pub read_only: bool,
    }
}

object! {
    /// A disk of Azure.
    pub struct AzureDiskVolumeSource {
        pub disk_name: String,
        #[serde(rename = "diskURI")]
        pub disk_uri: String,
        pub read_only: Option<bool>,
    }
}

object! {
    /// A Ceph block device.
    pub struct RbdVolumeSource {
        pub monitors: Vec<String>,
        pub image: String,
        pub pool: String,
        pub read_only: bool,
    }
}

object! {
    /// An iSCSI disk.
    pub struct IscsiVolumeSource {
        pub target_portal: String,
        pub iqn: String,
        pub lun: i32,
        pub read_only: bool,
    }
}

object! {
    /// A PersistentVolumeClaim.
    pub struct PersistentVolumeClaim {
        pub metadata: ObjectMeta,
        pub spec: PersistentVolumeClaimSpec,
        pub status: PersistentVolumeClaimStatus,
    }
}

object! {
    /// `spec` of a PersistentVolumeClaim.
    pub struct PersistentVolumeClaimSpec {
        pub access_modes: Vec<String>,
        pub resources: ResourceRequirements,
        /// Which volumes will do, by their labels.
        pub selector: Option<LabelSelector>,
        pub storage_class_name: Option<String>,
        pub volume_name: String,
        pub volume_mode: Option<String>,
        pub volume_attributes_class_name: Option<String>,
    }
}

object! {
    /// `status` of a PersistentVolumeClaim.
    pub struct PersistentVolumeClaimStatus {
        pub phase: String,
    }
}

object! {
    /// A PersistentVolume.
    pub struct PersistentVolume {
        pub metadata: ObjectMeta,
        pub spec: PersistentVolumeSpec,
        pub status: PersistentVolumeStatus,
    }
}

object! {
    /// `spec` of a PersistentVolume.
    pub struct PersistentVolumeSpec {
        pub capacity: super::ResourceList,
        pub access_modes: Vec<String>,
        pub storage_class_name: String,
        pub claim_ref: Option<ObjectReference>,
        /// What becomes of it when its claim is deleted: `Retain` (where nothing is said) or
        /// `Delete`.
        pub persistent_volume_reclaim_policy: String,
        pub node_affinity: Option<VolumeNodeAffinity>,
        pub volume_mode: Option<String>,
        pub volume_attributes_class_name: Option<String>,
        pub csi: Option<CsiVolumeSource>,
        pub gce_persistent_disk: Option<GcePersistentDisk>,
        pub aws_elastic_block_store: Option<VolumeIdSource>,
        pub azure_disk: Option<AzureDiskVolumeSource>,
        pub cinder: Option<VolumeIdSource>,
        pub portworx_volume: Option<VolumeIdSource>,
    }
}

object! {
    /// `status` of a PersistentVolume.
    pub struct PersistentVolumeStatus {
        pub phase: String,
    }
}

object! {
    /// The name of another object.
    pub struct ObjectReference {
        pub kind: String,
        pub namespace: String,
        pub name: String,
        pub uid: String,
    }
}

object! {
    /// Where a volume can be reached from.
    pub struct VolumeNodeAffinity {
        pub required: Option<NodeSelector>,
    }
}

object! {
    /// A StorageClass.
    pub struct StorageClass {
        pub metadata: ObjectMeta,
        pub provisioner: String,
        /// What becomes of its volumes when their claims are deleted: `Delete` (where nothing is
        /// said) or `Retain`.
        pub reclaim_policy: Option<String>,
        pub volume_binding_mode: Option<String>,
        pub allowed_topologies: Vec<TopologySelectorTerm>,
        pub parameters: Labels,
    }
}

object! {
    /// Where volumes of a class may be made: all of these must hold.
    pub struct TopologySelectorTerm {
        pub match_label_expressions: Vec<TopologySelectorLabelRequirement>,
    }
}

object! {
    /// A label and its allowed values.
    pub struct TopologySelectorLabelRequirement {
        pub key: String,
        pub values: Vec<String>,
    }
}

object! {
    /// The CSI drivers of a node; it has the node's name.
    pub struct CsiNode {
        pub metadata: ObjectMeta,
        pub spec: CsiNodeSpec,
    }
}

object! {
    /// `spec` of a CSINode.
    pub struct CsiNodeSpec {
        pub drivers: Vec<CsiNodeDriver>,
    }
}

object! {
    /// A driver, and how many of its volumes the node can hold.
    pub struct CsiNodeDriver {
        pub name: String,
        #[serde(rename = "nodeID")]
        pub node_id: String,
        pub topology_keys: Vec<String>,
        pub allocatable: Option<VolumeNodeResources>,
    }
}

object! {
    /// The limit of volumes; absent, there is none.
    pub struct VolumeNodeResources {
        pub count: Option<i32>,
    }
}

object! {
    /// A CSI driver of the cluster; it has the driver's name.
    pub struct CsiDriver {
        pub metadata: ObjectMeta,
        pub spec: CsiDriverSpec,
    }
}

object! {
    /// `spec` of a CSIDriver.
    pub struct CsiDriverSpec {
        /// Whether the driver says how much room it has.
        pub storage_capacity: Option<bool>,
    }
}

object! {
    /// How much room a class has in a part of the cluster.
    pub struct CsiStorageCapacity {
        pub metadata: ObjectMeta,
        pub storage_class_name: String,
        /// Which nodes have access; absent, none.
        pub node_topology: Option<LabelSelector>,
        pub capacity: Option<Quantity>,
        pub maximum_volume_size: Option<Quantity>,
    }
}
