//! The plugins of the default profile, one file each.

mod allocatable;
mod balanced_allocation;
mod image_locality;
mod inter_pod_affinity;
mod logarithm;
mod node_affinity;
mod node_name;
mod node_ports;
mod node_unschedulable;
mod node_volume_limits;
mod resource_score;
mod resources_fit;
mod scheduling_gates;
mod spread_defaults;
mod spread_filter;
pub mod spread_score;
mod taint_toleration;
mod topology_spread;
mod volume_binding;
mod volume_restrictions;
#[cfg(test)]
mod volume_tests;
mod volume_zone;

pub use allocatable::{Allocatable, AllocatableArgs, AllocatableMode};
pub use balanced_allocation::BalancedAllocation;
pub use image_locality::ImageLocality;
pub use inter_pod_affinity::{AffinityCounts, InterPodAffinity, TermCounts, spread_out};
pub use node_affinity::{NodeAffinity, node_names};
pub use node_name::NodeName;
pub use node_ports::NodePorts;
pub use node_unschedulable::NodeUnschedulable;
pub use node_volume_limits::NodeVolumeLimits;
pub use resource_score::{Amounts, QuickScore, ResourceScore, broken_linear};
pub use resources_fit::{Insufficient, ResourcesFit, insufficient_resources};
pub use scheduling_gates::SchedulingGates;
pub use spread_filter::{CriticalPaths, SpreadCounts};
pub use spread_score::SpreadScores;
pub use taint_toleration::TaintToleration;
pub use topology_spread::TopologySpread;
pub use volume_binding::VolumeBinding;
pub use volume_restrictions::VolumeRestrictions;
pub use volume_zone::VolumeZone;
