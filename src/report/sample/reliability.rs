//! Failures by node of the made-up day.

use super::{DAY_S, durations};
use crate::metrics::{NodeReliability, ReliabilitySummary};

/// Nine nodes that failed once and one that did so three times and is still down.
pub fn spread() -> ReliabilitySummary {
    let length = DAY_S - 7_200.0;
    let node = |i: u64| {
        let (failures, down_s) = if i == 4 { (3, 7_200.0) } else { (1, 5_400.0) };
        let repairs = if i == 4 { 2 } else { 1 };
        let mttf_s = (length - down_s) / failures as f64;
        let mttr_s = 5_400.0 / repairs as f64;
        NodeReliability {
            node: format!("node-{:04}", 40 + i),
            pool: "standard".to_owned(),
            failures,
            repairs,
            up_s: length - down_s,
            down_s,
            availability: Some(1.0 - down_s / length),
            mttf_s: Some(mttf_s),
            mttr_s: Some(mttr_s),
            mtbf_s: Some(mttf_s + mttr_s),
        }
    };
    let nodes: Vec<NodeReliability> = (0..10).map(node).collect();
    let mut worst = nodes.clone();
    worst.sort_by_key(|node| std::cmp::Reverse(node.failures));
    ReliabilitySummary {
        nodes_failed: 10,
        failures_max: 3,
        mttf: durations(10, 68_760.0, 73_800.0),
        mttr: durations(10, 5_130.0, 5_400.0),
        mtbf: durations(10, 73_890.0, 79_200.0),
        worst,
        nodes,
    }
}
