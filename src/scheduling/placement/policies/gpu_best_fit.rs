//! Best fit over cpu and GPUs.

use super::super::{Placement, Score};
use super::left_of;
use crate::cluster::{Dimension, NodeView, PodClass};

/// Best fit as FGD is compared with: ⌊100 − 50 · (cpu left / C + GPU left / G)⌋ with C and G the
/// most that any node of the cell has (Weng et al., USENIX ATC 2023, §6.1;
/// kubernetes-scheduler-simulator, `best_fit_score.go`, whose C and G are 128 cores and 8 GPUs).
/// Unlike [`super::BestFit`] it weighs GPUs for every pod, and memory for none: a pod without GPU
/// rather goes to a node without any. On the node, the device with the least free share that
/// holds the pod.
#[derive(Clone, Copy, Debug, Default)]
pub struct GpuBestFit;

impl Placement for GpuBestFit {
    fn score(&self, class: &PodClass, node: NodeView<'_>) -> Score {
        let most = node.largest_limit();
        let shares = [Dimension::CPU, Dimension::GPU].map(|dimension| {
            (i128::from(left_of(dimension, class, node)), i128::from(most[dimension].max(1)))
        });
        let [(cpu, most_cpu), (gpu, most_gpu)] = shares;
        let whole = most_cpu * most_gpu;
        let score = (100 * whole - 50 * cpu * most_gpu - 50 * gpu * most_cpu).div_euclid(whole);
        score as Score
    }
}
