//! GPU packing: devices in use before idle ones, nodes in use before idle ones.

use super::super::{Placement, Score};
use crate::cluster::{NodeView, PodClass, WHOLE_MILLI};

/// GPU packing as FGD is compared with (Weng et al., USENIX ATC 2023, §6.1, from Alibaba's
/// scheduler; kubernetes-scheduler-simulator, `gpu_packing_score.go`). From high to low:
///
/// - devices in use suffice: 100 − (percent free of these) / 10, at least 50;
/// - idle devices are needed on a node in use: 50 − their number, at least 33;
/// - all devices of the node are idle: 33 − their number, at least that number.
///
/// To pods without GPU all nodes are equal. On the node, the devices with the least free share
/// that holds the pod.
#[derive(Clone, Copy, Debug, Default)]
pub struct GpuPacking;

impl Placement for GpuPacking {
    fn score(&self, class: &PodClass, node: NodeView<'_>) -> Score {
        if class.gpu.devices == 0 {
            return 0;
        }
        let free = node.gpu_free_milli();
        let idle = free.iter().filter(|milli| **milli == WHOLE_MILLI).count();
        if idle == free.len() {
            let idle = idle as Score;
            return (33 - idle).max(idle);
        }
        let Some(share) = node.devices().choose(class.gpu) else { return 0 };
        let taken = || (0..free.len()).filter(|i| share.devices & (1 << i) != 0).map(|i| free[i]);
        let idle_taken = taken().filter(|milli| *milli == WHOLE_MILLI).count() as Score;
        if idle_taken > 0 {
            return (50 - idle_taken).max(33);
        }
        let percent: Score = taken().map(|milli| Score::from(milli) / 10).sum();
        (100 - percent / 10).max(50)
    }
}
