//! Jobs that wait, and jobs that run: pods put together again into what their users submitted.
//!
//! A pod whose job was declared as a gang waits with its siblings until all of them are there;
//! any other pod is a job by itself.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::slots::{Group, groups_of};
use crate::cluster::{Cluster, NodeId, PodId, Resources, WorkloadId};
use crate::engine::{SimDuration, SimTime};

/// In which order jobs are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JobOrder {
    /// As they came.
    #[default]
    Fifo,
    /// Shortest estimate first.
    ShortestFirst,
    /// Higher priority first, then as they came.
    Priority,
}

/// Place of a job in the queue: smaller goes first. The last part is the order of coming.
pub type Rank = (i64, u64);

/// A job all of whose pods are there.
#[derive(Clone, Debug)]
pub struct WaitingJob {
    /// Its pods, in the order in which they came.
    pub pods: Vec<PodId>,
    /// The same by class.
    pub groups: Vec<Group>,
    /// What they request together.
    pub need: Resources,
    /// How long it runs in the opinion of its user.
    pub estimate: SimDuration,
    /// The workload, where it is a gang.
    gang: Option<WorkloadId>,
}

/// Pods of a gang that are there while others are still to come.
#[derive(Clone, Debug, Default)]
struct Forming {
    pods: Vec<PodId>,
    /// Order of coming, where the job has come before.
    sequence: Option<u64>,
}

/// Where a pod is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Forming(WorkloadId),
    Waiting(Rank),
    Running(u64),
}

/// A job that was started.
#[derive(Clone, Debug)]
pub struct RunningJob {
    /// Its pods that are bound, and where.
    pub pods: Vec<(PodId, NodeId)>,
    /// When it was bound.
    pub started: SimTime,
    /// How long it runs in the opinion of its user.
    pub estimate: SimDuration,
    gang: Option<WorkloadId>,
}

/// Shortest time by which an end that did not come is put off.
const SHORTEST_EXTENSION: SimDuration = SimDuration::from_secs(1);

impl RunningJob {
    /// When it is expected to end. A job that has run for longer than it was said to is expected
    /// to run for twice as long, as often as needed (Tsafrir, Etsion and Feitelson, TPDS 2007,
    /// §5.2, correct predictions that prove too short in the same spirit).
    pub fn expected_end(&self, now: SimTime) -> SimTime {
        let mut length = self.estimate.max(SHORTEST_EXTENSION);
        let mut end = self.started.saturating_add(self.estimate);
        while end <= now {
            end = self.started.saturating_add(length);
            length = SimDuration(length.0.saturating_mul(2));
        }
        end
    }
}

/// All jobs that wait or run.
#[derive(Debug)]
pub struct Jobs {
    order: JobOrder,
    default_estimate: SimDuration,
    sequence: u64,
    forming: FxHashMap<WorkloadId, Forming>,
    waiting: BTreeMap<Rank, WaitingJob>,
    running: BTreeMap<u64, RunningJob>,
    running_gangs: FxHashMap<WorkloadId, u64>,
    places: FxHashMap<PodId, Place>,
    /// Jobs that have come since this was asked last.
    fresh: Vec<Rank>,
    /// Waiting jobs that went or changed without having been started.
    gone: Vec<Rank>,
    /// Pods that have to stop because their gang has lost a member.
    orphans: BTreeSet<PodId>,
}

impl Jobs {
    /// No jobs; those without an estimate are taken to run for `default_estimate`.
    pub fn new(order: JobOrder, default_estimate: SimDuration) -> Self {
        Self {
            order,
            default_estimate,
            sequence: 0,
            forming: FxHashMap::default(),
            waiting: BTreeMap::new(),
            running: BTreeMap::new(),
            running_gangs: FxHashMap::default(),
            places: FxHashMap::default(),
            fresh: Vec::new(),
            gone: Vec::new(),
            orphans: BTreeSet::new(),
        }
    }

    /// A pod has become pending, or is of another class now.
    pub fn enqueue(&mut self, cluster: &Cluster, pod: PodId) {
        if let Some(Place::Waiting(rank)) = self.places.get(&pod).copied() {
            let job = self.waiting.remove(&rank).expect("the place of a pod is a job that waits");
            self.gone.push(rank);
            return self.wait(cluster, job.pods, job.gang, Some(rank.1));
        }
        if self.places.contains_key(&pod) {
            return;
        }
        let workload = cluster.pod(pod).new.workload;
        let job = cluster.workloads().job(workload);
        match job.filter(|job| job.spec.gang_size() > 1) {
            None => self.wait(cluster, vec![pod], None, None),
            Some(job) => {
                let wanted = job.spec.gang_size();
                // Of a gang that comes again some may have done their work already.
                let wanted = if job.to_end > 0 { wanted.min(job.to_end) } else { wanted };
                self.form(cluster, workload, pod, wanted as usize);
            }
        }
    }

    fn form(&mut self, cluster: &Cluster, workload: WorkloadId, pod: PodId, wanted: usize) {
        let gang = self.running_gangs.get(&workload).copied();
        let rest = |sequence: u64| self.running[&sequence].pods.len();
        if gang.is_some_and(|sequence| rest(sequence) >= wanted) {
            // The gang has all that it needs: this one is beyond that.
            return self.wait(cluster, vec![pod], None, None);
        }
        let broken = gang;
        let forming = self.forming.entry(workload).or_default();
        forming.pods.push(pod);
        self.places.insert(pod, Place::Forming(workload));
        if let Some(sequence) = broken {
            forming.sequence = Some(sequence);
            let rest = &self.running[&sequence].pods;
            self.orphans.extend(rest.iter().map(|(pod, _)| *pod));
        } else if forming.pods.len() >= wanted {
            let forming = self.forming.remove(&workload).expect("it is there");
            self.wait(cluster, forming.pods, Some(workload), forming.sequence);
        }
    }

    fn wait(
        &mut self,
        cluster: &Cluster,
        pods: Vec<PodId>,
        gang: Option<WorkloadId>,
        sequence: Option<u64>,
    ) {
        self.sequence += u64::from(sequence.is_none());
        let sequence = sequence.unwrap_or(self.sequence);
        let first = cluster.pod(pods[0]);
        let estimate = cluster.workloads().job(first.new.workload).and_then(|j| j.spec.estimate);
        let estimate = estimate.unwrap_or(self.default_estimate);
        let mut need = Resources::ZERO;
        for pod in &pods {
            need += cluster.class_of(*pod).requests;
        }
        let band = match self.order {
            JobOrder::Fifo => 0,
            JobOrder::ShortestFirst => i64::try_from(estimate.0).unwrap_or(i64::MAX),
            JobOrder::Priority => -i64::from(cluster.class_of(pods[0]).priority),
        };
        let rank = (band, sequence);
        for pod in &pods {
            self.places.insert(*pod, Place::Waiting(rank));
        }
        let groups = groups_of(cluster, &pods);
        self.waiting.insert(rank, WaitingJob { pods, groups, need, estimate, gang });
        self.fresh.push(rank);
    }

    /// A pod has left the cell.
    pub fn ended(&mut self, cluster: &Cluster, pod: PodId) {
        match self.places.remove(&pod) {
            None => {}
            Some(Place::Running(sequence)) => self.leave(pod, sequence),
            Some(Place::Forming(workload)) => {
                if let Some(forming) = self.forming.get_mut(&workload) {
                    forming.pods.retain(|known| *known != pod);
                }
            }
            Some(Place::Waiting(rank)) => {
                let mut job = self.waiting.remove(&rank).expect("its place is a job that waits");
                self.gone.push(rank);
                job.pods.retain(|known| *known != pod);
                if !job.pods.is_empty() {
                    self.wait(cluster, job.pods, job.gang, Some(rank.1));
                }
            }
        }
    }

    /// A pod is bound no longer; it may come again.
    pub fn unbound(&mut self, pod: PodId) {
        self.orphans.remove(&pod);
        if let Some(Place::Running(sequence)) = self.places.get(&pod).copied() {
            self.places.remove(&pod);
            self.leave(pod, sequence);
        }
    }

    fn leave(&mut self, pod: PodId, sequence: u64) {
        let Some(job) = self.running.get_mut(&sequence) else { return };
        job.pods.retain(|(known, _)| *known != pod);
        if job.pods.is_empty()
            && let Some(gang) = self.running.remove(&sequence).and_then(|job| job.gang)
        {
            self.running_gangs.remove(&gang);
        }
    }

    /// The job of `rank` starts: it leaves the queue, its pods are about to be bound.
    pub fn start(&mut self, rank: Rank, now: SimTime) -> WaitingJob {
        let job = self.waiting.remove(&rank).expect("only jobs that wait are started");
        let running = RunningJob {
            pods: Vec::with_capacity(job.pods.len()),
            started: now,
            estimate: job.estimate,
            gang: job.gang,
        };
        self.running.insert(rank.1, running);
        if let Some(gang) = job.gang {
            self.running_gangs.insert(gang, rank.1);
        }
        for pod in &job.pods {
            self.places.insert(*pod, Place::Running(rank.1));
        }
        job
    }

    /// A pod of a job that was started is bound to `node`.
    pub fn bound(&mut self, pod: PodId, node: NodeId) {
        if let Some(Place::Running(sequence)) = self.places.get(&pod)
            && let Some(job) = self.running.get_mut(sequence)
        {
            job.pods.push((pod, node));
        }
    }

    /// A pod that has to stop because its gang has lost a member.
    pub fn next_orphan(&mut self) -> Option<PodId> {
        self.orphans.pop_first()
    }

    /// Jobs that wait, first to be looked at first.
    pub fn waiting(&self) -> &BTreeMap<Rank, WaitingJob> {
        &self.waiting
    }

    /// Jobs that run, in the order in which they came.
    pub fn running(&self) -> impl Iterator<Item = &RunningJob> {
        self.running.values()
    }

    /// Jobs that have come since this was asked last, those that went again included.
    pub fn take_fresh(&mut self) -> Vec<Rank> {
        std::mem::take(&mut self.fresh)
    }

    /// Jobs that left the queue without being started since this was asked last.
    pub fn take_gone(&mut self) -> Vec<Rank> {
        std::mem::take(&mut self.gone)
    }

    /// True if there is nothing to decide about.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.orphans.is_empty()
    }
}
