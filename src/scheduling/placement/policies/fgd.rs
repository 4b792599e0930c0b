//! Fragmentation gradient descent: the node on which GPU fragmentation grows least.

use std::sync::Arc;

use super::super::{Placement, Score};
use crate::cluster::{DeviceShare, GpuRequest, MAX_DEVICES, NodeView, PodClass, WHOLE_MILLI};
use crate::workload::target::Target;

/// How finely FGD tells nodes apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resolution {
    /// In hundredths of a sigmoid, as the authors' simulator has it: about 40 milli-GPU are one
    /// step, and less makes nodes equal.
    #[default]
    Hundredths,
    /// Exactly, as the paper has it.
    Exact,
}

/// Fragmentation gradient descent (Weng et al., *Beware of Fragmentation: Scheduling GPU-Sharing
/// Workloads with Fragmentation Gradient Descent*, USENIX ATC 2023, §4, Algorithm 1): the node, and
/// on it the device, where placing the pod makes the fragmentation F_n(M) of the target workload
/// grow least. F_n(M) is Σ p_m F_n(m) over the shapes m of the target: all that is free of the GPUs
/// of node n if m does not fit there or asks for no GPU, else what is free of the devices that have
/// too little for m. Pods that want whole devices get those with the least free share that do.
///
/// The score is minus the growth in milli-GPU, times 2³²; in [`Resolution::Hundredths`] it is
/// ⌊100 / (1 + e^(growth / 1000))⌋ (kubernetes-scheduler-simulator, `fgd_score.go`).
#[derive(Clone, Debug, Default)]
pub struct Fgd {
    resolution: Resolution,
    target: Option<Arc<Target>>,
}

impl Fgd {
    /// With scores of the given resolution; it has no target yet.
    pub fn new(resolution: Resolution) -> Self {
        Self { resolution, target: None }
    }

    /// The best score on `node`, and the devices for it.
    fn best(&self, class: &PodClass, node: NodeView<'_>) -> (Score, Option<DeviceShare>) {
        let Some(target) = &self.target else { return (0, None) };
        let before = target.usable_gpu(node, node.free(), node.gpu_free_milli());
        let free = node.free().minus(&class.requests);
        let after = |share: DeviceShare| {
            let mut devices = *node.devices();
            devices.take(share);
            let after = target.usable_gpu(node, &free, devices.free_milli());
            self.score_of(before, after, class.gpu.total_milli())
        };
        if !is_share(class.gpu) {
            let share = node.devices().choose(class.gpu);
            return (share.map_or(Score::MIN, after), share);
        }
        let mut best: (Score, Option<DeviceShare>) = (Score::MIN, None);
        let mut seen = [0u16; MAX_DEVICES];
        for (i, milli) in node.gpu_free_milli().iter().enumerate() {
            // Devices with as much free are as good; the first of them counts.
            if *milli < class.gpu.milli || seen[..i].contains(milli) {
                continue;
            }
            seen[i] = *milli;
            let share = DeviceShare { devices: 1 << i, milli: class.gpu.milli };
            let score = after(share);
            if best.1.is_none() || score > best.0 {
                best = (score, Some(share));
            }
        }
        best
    }

    /// Of a node where so much was usable before and is after, in milli-GPU times popularity, and
    /// `taken` milli-GPU are taken.
    fn score_of(&self, before: u64, after: u64, taken: i64) -> Score {
        // What is free shrinks by what is taken; fragmentation is what of it is not usable.
        let decrease = (taken << 32) - (before as i64 - after as i64);
        match self.resolution {
            Resolution::Exact => decrease,
            Resolution::Hundredths => {
                let devices = decrease as f64 / (1u64 << 32) as f64 / f64::from(WHOLE_MILLI);
                (100.0 / (1.0 + libm::exp(-devices))) as Score
            }
        }
    }
}

fn is_share(gpu: GpuRequest) -> bool {
    gpu.devices == 1 && gpu.milli < WHOLE_MILLI
}

impl Placement for Fgd {
    fn score(&self, class: &PodClass, node: NodeView<'_>) -> Score {
        self.best(class, node).0
    }

    fn devices(&self, class: &PodClass, node: NodeView<'_>) -> Option<DeviceShare> {
        self.best(class, node).1
    }

    fn wants_target(&self) -> bool {
        true
    }

    fn set_target(&mut self, target: &Arc<Target>) {
        self.target = Some(Arc::clone(target));
    }
}
