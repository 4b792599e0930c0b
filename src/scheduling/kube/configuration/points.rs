//! The points at which plugins are asked, and which plugins have something to say there
//! (`apis/config/v1/default_plugins.go` and `framework/plugins` of kube-scheduler v1.35;
//! Coscheduling, CapacityScheduling and NodeResourcesAllocatable of the scheduler-plugins).

use super::types::{PluginSet, Plugins};

/// A point at which plugins are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExtensionPoint {
    /// Whether a pod may enter the queue.
    PreEnqueue,
    /// Who is first in the queue.
    QueueSort,
    /// Before nodes are filtered.
    PreFilter,
    /// Which nodes will do.
    Filter,
    /// When no node will do.
    PostFilter,
    /// Before nodes are scored.
    PreScore,
    /// Which node is best.
    Score,
    /// When a node is taken.
    Reserve,
    /// Whether the pod may be bound.
    Permit,
    /// Before the pod is bound.
    PreBind,
    /// Binds the pod.
    Bind,
    /// After the pod is bound.
    PostBind,
}

use ExtensionPoint::{
    Bind, Filter, Permit, PostBind, PostFilter, PreBind, PreEnqueue, PreFilter, PreScore,
    QueueSort, Reserve, Score,
};

impl ExtensionPoint {
    /// All points, in the order in which a pod meets them.
    pub const ALL: [Self; 12] = [
        PreEnqueue, QueueSort, PreFilter, Filter, PostFilter, PreScore, Score, Reserve, Permit,
        PreBind, Bind, PostBind,
    ];

    /// Its name in the file.
    pub fn name(self) -> &'static str {
        match self {
            PreEnqueue => "preEnqueue",
            QueueSort => "queueSort",
            PreFilter => "preFilter",
            Filter => "filter",
            PostFilter => "postFilter",
            PreScore => "preScore",
            Score => "score",
            Reserve => "reserve",
            Permit => "permit",
            PreBind => "preBind",
            Bind => "bind",
            PostBind => "postBind",
        }
    }

    /// What a profile says about it.
    pub fn of(self, plugins: &Plugins) -> &PluginSet {
        match self {
            PreEnqueue => &plugins.pre_enqueue,
            QueueSort => &plugins.queue_sort,
            PreFilter => &plugins.pre_filter,
            Filter => &plugins.filter,
            PostFilter => &plugins.post_filter,
            PreScore => &plugins.pre_score,
            Score => &plugins.score,
            Reserve => &plugins.reserve,
            Permit => &plugins.permit,
            PreBind => &plugins.pre_bind,
            Bind => &plugins.bind,
            PostBind => &plugins.post_bind,
        }
    }
}

/// A plugin that upstream has.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// Where it is asked.
    pub points: &'static [ExtensionPoint],
    /// Its place in the default profile counts from the first; `None` if it is not part of it.
    pub default_weight: Option<i32>,
    /// Whether it is modelled here.
    pub modelled: bool,
}

const fn known(
    name: &'static str,
    points: &'static [ExtensionPoint],
    default_weight: Option<i32>,
    modelled: bool,
) -> Known {
    Known { name, points, default_weight, modelled }
}

/// The plugins that are known, those of the default profile first and in their order.
const KNOWN: [Known; 23] = [
    known("SchedulingGates", &[PreEnqueue], Some(0), true),
    known("PrioritySort", &[QueueSort], Some(0), true),
    known("NodeUnschedulable", &[Filter], Some(0), true),
    known("NodeName", &[Filter], Some(0), true),
    known("TaintToleration", &[Filter, PreScore, Score], Some(3), true),
    known("NodeAffinity", &[PreFilter, Filter, PreScore, Score], Some(2), true),
    known("NodePorts", &[PreFilter, Filter], Some(0), true),
    known("NodeResourcesFit", &[PreFilter, Filter, PreScore, Score], Some(1), true),
    known("VolumeRestrictions", &[PreFilter, Filter], Some(0), true),
    known("NodeVolumeLimits", &[PreFilter, Filter], Some(0), true),
    known("VolumeBinding", &[PreFilter, Filter, PreScore, Score, Reserve, PreBind], Some(0), true),
    known("VolumeZone", &[PreFilter, Filter], Some(0), true),
    known("PodTopologySpread", &[PreFilter, Filter, PreScore, Score], Some(2), true),
    known("InterPodAffinity", &[PreFilter, Filter, PreScore, Score], Some(2), true),
    known(
        "DynamicResources",
        &[PreEnqueue, PreFilter, Filter, PostFilter, Reserve, PreBind],
        Some(0),
        false,
    ),
    known("DefaultPreemption", &[PreEnqueue, PostFilter], Some(0), true),
    known("NodeResourcesBalancedAllocation", &[PreScore, Score], Some(1), true),
    known("ImageLocality", &[Score], Some(1), true),
    known("DefaultBinder", &[Bind], Some(0), true),
    known("GangScheduling", &[PreEnqueue, Reserve, Permit], None, false),
    known("NodeResourcesAllocatable", &[Score], None, true),
    known("Coscheduling", &[QueueSort, PreFilter, PostFilter, Permit, Reserve], None, true),
    known("CapacityScheduling", &[PreFilter, PostFilter, Reserve], None, true),
];

/// The plugins that are known, those of the default profile first and in their order.
pub fn known_plugins() -> &'static [Known] {
    &KNOWN
}

/// The plugin called `name`.
pub(super) fn find(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|plugin| plugin.name == name)
}
