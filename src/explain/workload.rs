//! One workload: its pods, and how each is.

use std::collections::BTreeMap;

use serde::Serialize;

use super::run::{Replayed, Run};
use super::{ExplainError, names};
use crate::cluster::{Cluster, Fact, PodId, PodState};
use crate::engine::SimTime;
use crate::metrics::Observer;
use crate::scheduling::Decision;
use crate::simulation::{Moment, Witness};

/// What there is to say of a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorkloadAnswer {
    /// Its name.
    pub workload: String,
    /// Its pods in the order in which they were submitted, those that ended included.
    pub pods: Vec<PodOfWorkload>,
    /// The run.
    pub run: Replayed,
}

/// A pod of a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PodOfWorkload {
    /// Its name.
    pub pod: String,
    /// Its serial number in the run.
    pub serial: u64,
    /// Where it is in its life, or how it ended.
    pub state: String,
    /// Its node, the last one if it ended.
    pub node: Option<String>,
    /// When it was submitted, in microseconds.
    pub submitted_us: u64,
    /// When it ended, in microseconds.
    pub ended_us: Option<u64>,
    /// Times it was evicted.
    pub evictions: u32,
}

/// Lists the pods of the workload called `name` as they are at `at`, or at the end of the run.
///
/// # Errors
/// A run that fails, a workload that is not there.
pub fn explain_workload(
    run: &Run,
    name: &str,
    at: Option<SimTime>,
) -> Result<WorkloadAnswer, ExplainError> {
    run.check_time(at)?;
    let roll = Roll { wanted: name.to_owned(), pods: BTreeMap::new() };
    let (pods, replayed) = run.replay(at, roll, |roll, moment| roll.tell(moment.cluster))?;
    if pods.is_empty() {
        return Err(names::unknown_workload(run, name, at)?);
    }
    Ok(WorkloadAnswer { workload: name.to_owned(), pods, run: replayed })
}

/// The pods of a workload by serial, with their slot while they are alive.
struct Roll {
    wanted: String,
    pods: BTreeMap<u64, (PodOfWorkload, Option<PodId>)>,
}

impl Roll {
    fn tell(&mut self, cluster: &Cluster) -> Vec<PodOfWorkload> {
        for (listed, alive) in self.pods.values_mut() {
            if let Some(id) = alive {
                let pod = cluster.pod(*id);
                listed.evictions = pod.evictions;
                listed.state = match pod.state {
                    PodState::Pending => "pending",
                    PodState::Starting => "starting",
                    PodState::Running => "running",
                    PodState::BackingOff => "backing off",
                    PodState::Stranded => "stranded",
                    PodState::Ended => "ended",
                }
                .to_owned();
                let node = pod.node.is_some().then(|| cluster.nodes().spec(pod.node).name.clone());
                listed.node = node;
            }
        }
        self.pods.values().map(|(listed, _)| listed.clone()).collect()
    }
}

impl Observer for Roll {
    fn observe(&mut self, now: SimTime, fact: &Fact, cluster: &Cluster) {
        match *fact {
            Fact::PodSubmitted { pod } => {
                let record = cluster.pod(pod);
                if cluster.workload_name(record.new.workload) != self.wanted {
                    return;
                }
                let listed = PodOfWorkload {
                    pod: cluster.pod_name(record),
                    serial: record.serial,
                    state: String::new(),
                    node: None,
                    submitted_us: now.0,
                    ended_us: None,
                    evictions: 0,
                };
                self.pods.insert(record.serial, (listed, Some(pod)));
            }
            Fact::PodBound { pod, node, .. } => {
                if let Some((listed, _)) = self.pods.get_mut(&cluster.pod(pod).serial) {
                    listed.node = Some(cluster.nodes().spec(node).name.clone());
                }
            }
            Fact::PodEnded { pod, ending } => {
                let record = cluster.pod(pod);
                if let Some((listed, alive)) = self.pods.get_mut(&record.serial) {
                    *alive = None;
                    listed.ended_us = Some(now.0);
                    listed.evictions = record.evictions;
                    listed.state = ending.name().to_owned();
                }
            }
            _ => {}
        }
    }
}

impl Witness for Roll {
    fn decides(&mut self, _moment: Moment<'_>, _decision: &Decision) {}
}
