//! A placement policy of one's own, with the whole command line around it:
//!
//!     cargo run --release --example custom_policy -- \
//!         run scenarios/quick-start.yaml --set scheduler.placement=few-pods

use cellsim::Registry;
use cellsim::cluster::{Dimension, NodeView, PodClass};
use cellsim::scheduling::placement::{Placement, Reason, Score};
use serde_json::Value;

/// The node with the fewest pods, so that a machine that fails takes few down with it; `reserve`
/// percent of each node's cpu stay free for a rush.
struct FewPods {
    reserve_percent: i64,
}

impl FewPods {
    fn from_options(options: &Value) -> Result<Self, String> {
        let reserve = options.get("reserve").map_or(Some(5), Value::as_i64);
        let reserve_percent = reserve
            .filter(|percent| (0..100).contains(percent))
            .ok_or("`reserve` must be a whole number of percent from 0 to 99")?;
        Ok(Self { reserve_percent })
    }
}

impl Placement for FewPods {
    fn feasible(&self, pod: &PodClass, node: NodeView<'_>) -> Result<(), Reason> {
        let left = node.free()[Dimension::CPU] - pod.requests[Dimension::CPU];
        let reserve = node.limit()[Dimension::CPU] / 100 * self.reserve_percent;
        if left < reserve { Err(Reason("kept for a rush".into())) } else { Ok(()) }
    }

    fn score(&self, _pod: &PodClass, node: NodeView<'_>) -> Score {
        -Score::from(node.pod_count())
    }
}

fn main() -> std::process::ExitCode {
    let registry = Registry::default()
        .placement("few-pods", FewPods::from_options)
        .described("the node with the fewest pods", "reserve: percent of cpu kept free (5)");
    cellsim::cli::main(registry)
}
