//! What is taken of each node, in one place, and the score that follows from cpu and memory.
//!
//! The usual profile scores cpu and memory alone. What such a score needs of a node fits into a
//! cache line, as floats: they are exact for the amounts that are let in here.

use crate::scheduling::kube::node::NodeInfo;
use crate::scheduling::kube::plugins::QuickScore;
use crate::scheduling::kube::template::Template;

/// Below this, a quotient of floats in hundredths has the same whole part as one of integers.
const EXACT: i64 = 1 << 45;

/// What there is of a node and what is taken, of cpu and memory.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    total: [f64; 2],
    used: [f64; 2],
    non_zero: [f64; 2],
    free_pods: i64,
    /// True if floats will not do.
    pub odd: bool,
}

impl Load {
    pub fn new(node: &NodeInfo) -> Self {
        let (all, used) = (&node.allocatable, &node.requested);
        let exact = |amounts: [i64; 2]| amounts.iter().all(|amount| (0..EXACT).contains(amount));
        let float = |amounts: [i64; 2]| amounts.map(|amount| amount as f64);
        let total = [all.milli_cpu, all.memory];
        let taken = [used.milli_cpu, used.memory];
        let non_zero = node.non_zero_requested;
        Self {
            total: float(total),
            used: float(taken),
            non_zero: float(non_zero),
            free_pods: all.pods - i64::try_from(node.pods.len()).unwrap_or(i64::MAX),
            odd: total.contains(&0) || !exact(total) || !exact(taken) || !exact(non_zero),
        }
    }
}

/// How the Fit plugin scores.
#[derive(Debug, Clone, Copy)]
enum Strategy {
    Least,
    Most,
}

/// A class whose score follows from cpu and memory alone.
#[derive(Debug, Clone, Copy)]
pub struct Quick {
    needed: [f64; 2],
    /// Weight in the total, weights of cpu and memory, and what is asked for.
    fit: Option<(Strategy, i32, [i32; 2], [f64; 2])>,
    /// Weight in the total, and what is asked for.
    balanced: Option<(i32, [f64; 2])>,
    /// False if pods are let in whatever is free.
    filters: bool,
}

impl Quick {
    /// For pods of `template`; `None` if more than cpu and memory matters. The scores come with
    /// their weights in the total.
    pub fn new(
        template: &Template,
        fit: Option<(QuickScore, i64)>,
        balanced: Option<(QuickScore, i64)>,
        filters: bool,
    ) -> Option<Self> {
        let requests = &template.requests;
        let plain = requests.ephemeral_storage == 0
            && requests.scalars().is_empty()
            && template.host_ports.is_empty();
        let needed = [requests.milli_cpu, requests.memory];
        let exact = |amounts: &[i64; 2]| amounts.iter().all(|amount| (0..EXACT).contains(amount));
        let float = |amounts: [i64; 2]| amounts.map(|amount| amount as f64);
        let small = |weight: i64| i32::try_from(weight).ok();
        if !plain || !exact(&needed) {
            return None;
        }
        let fit = match fit {
            None => None,
            Some((score, weight)) => {
                let strategy = match score {
                    QuickScore { balanced: true, .. } => return None,
                    QuickScore { most: true, .. } => Strategy::Most,
                    _ => Strategy::Least,
                };
                let weights = [small(score.weights[0])?, small(score.weights[1])?];
                exact(&score.amounts).then_some(())?;
                Some((strategy, small(weight)?, weights, float(score.amounts)))
            }
        };
        let balanced = match balanced {
            None => None,
            Some((score, weight)) => {
                exact(&score.amounts).then_some(())?;
                Some((small(weight)?, float(score.amounts)))
            }
        };
        Some(Self { needed: float(needed), fit, balanced, filters })
    }

    /// The weighted score of a node; `None` if too little is free.
    pub fn score(&self, load: &Load) -> Option<i32> {
        if self.filters {
            let enough = |kind: usize| {
                self.needed[kind] <= 0.0 || self.needed[kind] <= load.total[kind] - load.used[kind]
            };
            if load.free_pods < 1 || !enough(0) || !enough(1) {
                return None;
            }
        }
        let mut score = 0;
        if let Some((strategy, weight, weights, amounts)) = &self.fit {
            let part = |kind: usize| {
                let (total, used) = (load.total[kind], load.non_zero[kind] + amounts[kind]);
                let counted = match strategy {
                    Strategy::Least => (total - used).max(0.0),
                    Strategy::Most => used.min(total),
                };
                (counted * 100.0 / total) as i32
            };
            let sum = part(0) * weights[0] + part(1) * weights[1];
            score += weight * (sum / (weights[0] + weights[1]));
        }
        if let Some((weight, amounts)) = &self.balanced {
            let share =
                |kind: usize| ((load.used[kind] + amounts[kind]) / load.total[kind]).min(1.0);
            let deviation = ((share(0) - share(1)) / 2.0).abs();
            score += weight * (((1.0 - deviation) * 100.0) as i32);
        }
        Some(score)
    }
}
