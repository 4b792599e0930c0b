//! A scheduler's explanation with names in place of numbers.

use serde::Serialize;

use crate::cluster::{Cluster, NodeId, PodId};
use crate::engine::SimTime;
use crate::scheduling::{Decision, Explanation};
use crate::simulation::Moment;

/// Where a pod could go at one moment, and why not elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlacementAnswer {
    /// When.
    pub time_us: u64,
    /// What came of it: `bound`, `preempts`, `not-placed`; `asked` where nobody tried just then.
    pub outcome: &'static str,
    /// The node that was chosen.
    pub chosen: Option<String>,
    /// Pods that had to go.
    pub victims: Vec<String>,
    /// What keeps it from the other nodes, as kube-scheduler words it.
    pub rejections: String,
    /// How one of several nodes is chosen.
    pub rule: String,
    /// Names of what scores are made of.
    pub parts: Vec<String>,
    /// The nodes that take it, best first.
    pub nodes: Vec<ScoredNode>,
    /// The nodes that do not, with their first reason.
    pub rejected: Vec<RejectedNode>,
}

/// A node that takes the pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScoredNode {
    /// Its name.
    pub node: String,
    /// What it is compared by, where the scheduler scores.
    pub score: Option<i64>,
    /// What the score is made of.
    pub parts: Vec<i64>,
}

/// A node that does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RejectedNode {
    /// Its name.
    pub node: String,
    /// Its first reason.
    pub reason: String,
}

fn node_name(cluster: &Cluster, node: NodeId) -> String {
    cluster.nodes().spec(node).name.clone()
}

impl PlacementAnswer {
    /// Where `pod` could go at `moment`; `decision` is what the scheduler is about to do with it.
    pub fn new(
        moment: Moment<'_>,
        pod: PodId,
        outcome: &'static str,
        decision: Option<&Decision>,
    ) -> Self {
        let cluster = moment.cluster;
        let told = moment.explain(pod);
        let (chosen, victims) = match decision {
            Some(Decision::Bind { node, .. }) => (Some(node_name(cluster, *node)), Vec::new()),
            Some(Decision::Preempt { node, victims, .. }) => {
                let names = victims.iter().map(|victim| cluster.pod_name(cluster.pod(*victim)));
                (Some(node_name(cluster, *node)), names.collect())
            }
            Some(Decision::Enter { alloc, victims, .. }) => {
                let names = victims.iter().map(|victim| cluster.pod_name(cluster.pod(*victim)));
                (Some(node_name(cluster, cluster.pod(*alloc).node)), names.collect())
            }
            Some(Decision::Evict { .. } | Decision::Reject { .. }) | None => (None, Vec::new()),
        };
        Self::with_names(moment, &told, outcome, chosen, victims)
    }

    fn with_names(
        moment: Moment<'_>,
        told: &Explanation,
        outcome: &'static str,
        chosen: Option<String>,
        victims: Vec<String>,
    ) -> Self {
        let cluster = moment.cluster;
        let nodes = told.choices.iter().map(|choice| ScoredNode {
            node: node_name(cluster, choice.node),
            score: choice.score,
            parts: choice.parts.clone(),
        });
        let rejected = told.rejected.iter().map(|(node, reason)| RejectedNode {
            node: node_name(cluster, *node),
            reason: reason.phrase(moment.names),
        });
        Self {
            time_us: cluster.now().0,
            outcome,
            chosen,
            victims,
            rejections: told.rejections.to_string(),
            rule: told.rule.clone(),
            parts: told.parts.clone(),
            nodes: nodes.collect(),
            rejected: rejected.collect(),
        }
    }

    /// When.
    pub fn time(&self) -> SimTime {
        SimTime(self.time_us)
    }
}
