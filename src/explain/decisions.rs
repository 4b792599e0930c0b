//! The decisions of a run, one after another, by name.

use std::collections::VecDeque;

use serde::Serialize;

use super::placement::PlacementAnswer;
use crate::cluster::{Cluster, Fact, NodeId, PodId};
use crate::engine::SimTime;
use crate::metrics::Observer;
use crate::scheduling::Decision;
use crate::simulation::{Moment, Witness};

/// A decision by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedDecision {
    /// When, in microseconds.
    pub time_us: u64,
    /// `bind`, `preempt`, `evict` or `reject`.
    pub kind: &'static str,
    /// The pod.
    pub pod: String,
    /// The node.
    pub node: Option<String>,
    /// Pods that have to go.
    pub victims: Vec<String>,
}

impl NamedDecision {
    fn new(cluster: &Cluster, decision: &Decision) -> Self {
        let pod_name = |id: PodId| cluster.pod_name(cluster.pod(id));
        let node_name = |node: NodeId| Some(cluster.nodes().spec(node).name.clone());
        let (kind, pod, node, victims) = match decision {
            Decision::Bind { pod, node, .. } => ("bind", *pod, node_name(*node), Vec::new()),
            Decision::Preempt { pod, node, victims } => {
                let victims = victims.iter().map(|victim| pod_name(*victim)).collect();
                ("preempt", *pod, node_name(*node), victims)
            }
            Decision::Enter { pod, alloc, victims } => {
                let victims = victims.iter().map(|victim| pod_name(*victim)).collect();
                ("enter", *pod, node_name(cluster.pod(*alloc).node), victims)
            }
            Decision::Evict { pod, .. } => ("evict", *pod, None, Vec::new()),
            Decision::Reject { pod } => ("reject", *pod, None, Vec::new()),
        };
        Self { time_us: cluster.now().0, kind, pod: pod_name(pod), node, victims }
    }
}

/// Notes decisions as they come.
#[derive(Default)]
pub struct Tape {
    /// Those that nobody has taken off yet.
    pub fresh: VecDeque<NamedDecision>,
}

impl Observer for Tape {
    fn observe(&mut self, _now: SimTime, _fact: &Fact, _cluster: &Cluster) {}
}

impl Witness for Tape {
    fn decides(&mut self, moment: Moment<'_>, decision: &Decision) {
        self.fresh.push_back(NamedDecision::new(moment.cluster, decision));
    }
}

/// Explains one pod just before the decision with a certain number, if it comes at a certain time.
pub struct Snapshot {
    /// The pod, by name.
    pub pod: String,
    /// Number of the decision, from 0.
    pub number: u64,
    /// When it is expected.
    pub time: SimTime,
    /// Decisions seen so far.
    pub seen: u64,
    /// What was to be said.
    pub taken: Option<PlacementAnswer>,
}

impl Snapshot {
    /// The pod, if it is there.
    pub fn find(&self, cluster: &Cluster) -> Option<PodId> {
        let mut alive = cluster.pods().iter();
        alive.find(|(_, pod)| cluster.pod_name(pod) == self.pod).map(|(id, _)| id)
    }
}

impl Observer for Snapshot {
    fn observe(&mut self, _now: SimTime, _fact: &Fact, _cluster: &Cluster) {}
}

impl Witness for Snapshot {
    fn decides(&mut self, moment: Moment<'_>, decision: &Decision) {
        if self.seen == self.number && moment.cluster.now() == self.time {
            let own = NamedDecision::new(moment.cluster, decision);
            let of_it = own.pod == self.pod;
            let outcome = match decision {
                Decision::Bind { .. } if of_it => "bound",
                Decision::Enter { victims, .. } if of_it && victims.is_empty() => "bound",
                Decision::Preempt { .. } | Decision::Enter { .. } if of_it => "preempts",
                _ => "asked",
            };
            self.taken = self
                .find(moment.cluster)
                .map(|pod| PlacementAnswer::new(moment, pod, outcome, of_it.then_some(decision)));
        }
        self.seen += 1;
    }
}
