//! GPU clustering: pods that use GPUs in the same way go to the same nodes.

use super::super::{Placement, Score};
use crate::cluster::{Dimension, NodeView, PodClass, WHOLE_MILLI};

/// GPU clustering as FGD is compared with (after Gandiva: Xiao et al., OSDI 2018; Weng et al.,
/// USENIX ATC 2023, §6.1; kubernetes-scheduler-simulator, `gpu_clustering_score.go`). The ways to
/// use GPUs are a share of one, one, two, … From high to low: nodes with pods of this way only,
/// with these and others, without any, with others only; within each, 25 points by how few of the
/// GPUs are free, relative to the most that any node of the cell has. To pods without GPU all nodes
/// are equal. On the node, the devices with the least free share that holds the pod.
#[derive(Clone, Copy, Debug, Default)]
pub struct GpuClustering;

impl Placement for GpuClustering {
    fn score(&self, class: &PodClass, node: NodeView<'_>) -> Score {
        let gpu = class.gpu;
        if gpu.devices == 0 {
            return 0;
        }
        let way = if gpu.milli < WHOLE_MILLI { 0 } else { usize::from(gpu.devices) };
        let ways = node.gpu_pods();
        let kinds = ways.iter().filter(|pods| **pods > 0).count();
        let has_own = ways.get(way).is_some_and(|pods| *pods > 0);
        let base = match (has_own, kinds) {
            (true, 1) => 75,
            (true, _) => 50,
            (false, 0) => 25,
            (false, _) => 0,
        };
        let most = node.largest_limit()[Dimension::GPU].max(1);
        let free: Score = node.gpu_free_milli().iter().map(|milli| Score::from(*milli)).sum();
        base + 25 * (most - free) / most
    }
}
