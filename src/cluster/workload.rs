//! The workload table: what owns pods. Jobs of a trace come and go; declared workloads stay.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::bits::BitSet;
use super::ids::{NodeId, WorkloadId};
use super::job::{Job, JobSpec};
use crate::engine::SimTime;

/// What owns pods and, where it is declared, wants a number of them. It is on one cache line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct Workload {
    /// Its name in the source.
    pub key: u64,
    /// Its name for people; trace jobs have none.
    pub name: Option<Arc<str>>,
    /// Pods wanted, for a declared workload.
    pub wanted: u32,
    /// Fewest ready pods with which the service counts as available.
    pub minimum_ready: u32,
    /// When its first pod was submitted, or it was declared.
    pub since: SimTime,
    /// Pods alive.
    pub pods: u32,
    /// Pods running.
    pub ready: u32,
    /// Nodes that hold a pod of it which has to be apart from its like (`one_per_node`).
    /// Boxed: few workloads have such pods, and all have to fit on a line.
    apart: Option<Box<BitSet>>,
    declared: bool,
    /// It can be found by its key.
    keyed: bool,
}

/// The line that a workload is on, in bytes.
const _: () = assert!(size_of::<Workload>() == 64);

impl Workload {
    /// True for a workload with a wanted number of pods, which stays when all of them are gone.
    pub fn is_declared(&self) -> bool {
        self.declared
    }

    /// True if `node` holds a pod of it that has to be apart from its like.
    #[inline]
    pub(super) fn is_apart_on(&self, node: NodeId) -> bool {
        self.apart.as_ref().is_some_and(|nodes| nodes.contains(node.index()))
    }

    /// Notes that `node` holds a pod of it that has to be apart from its like (no longer).
    pub(super) fn mark_apart(&mut self, node: NodeId, held: bool) {
        self.apart.get_or_insert_default().set(node.index(), held);
    }

    /// Number of nodes that hold a pod of it which has to be apart from its like.
    pub(super) fn apart_count(&self) -> usize {
        self.apart.as_ref().map_or(0, |nodes| nodes.count())
    }
}

/// All workloads that are alive.
#[derive(Clone, Debug, Default)]
pub struct WorkloadTable {
    slots: Vec<Workload>,
    vacant: Vec<WorkloadId>,
    retired: Vec<WorkloadId>,
    by_key: FxHashMap<u64, WorkloadId>,
    /// Per slot: what was declared of it as a job. Shorter than `slots` where no later one was, so
    /// that it costs nothing where there are none.
    jobs: Vec<Option<Box<Job>>>,
}

impl WorkloadTable {
    /// The workload `id`.
    #[inline]
    pub fn get(&self, id: WorkloadId) -> &Workload {
        &self.slots[id.index()]
    }

    /// Number of slots ever used: ids are below this.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// What was declared of `id` as a job, if anything was. Like the workload itself it can be read
    /// until the slot is used again.
    #[inline]
    pub fn job(&self, id: WorkloadId) -> Option<&Job> {
        self.jobs.get(id.index())?.as_deref()
    }

    /// The job or service called `key`, if it is in the cell.
    pub fn find(&self, key: u64) -> Option<WorkloadId> {
        self.by_key.get(&key).copied()
    }

    #[inline]
    pub(super) fn job_mut(&mut self, id: WorkloadId) -> Option<&mut Job> {
        self.jobs.get_mut(id.index())?.as_deref_mut()
    }

    /// Notes what is known of `id` as a job.
    pub(super) fn describe(&mut self, id: WorkloadId, spec: Arc<JobSpec>) {
        if id.index() >= self.jobs.len() {
            self.jobs.resize_with(id.index() + 1, || None);
        }
        self.jobs[id.index()] = Some(Box::new(Job::new(spec)));
    }

    /// One pod of `id` has ended; true if that was the last one to come.
    #[inline]
    pub(super) fn count_end(&mut self, id: WorkloadId) -> bool {
        let workload = &mut self.slots[id.index()];
        workload.pods -= 1;
        let over = workload.pods == 0 && !workload.declared;
        match self.job_mut(id) {
            Some(job) => {
                job.to_end = job.to_end.saturating_sub(1);
                over && job.to_end == 0
            }
            None => over,
        }
    }

    /// Declared workloads, in order of declaration.
    pub fn declared(&self) -> impl Iterator<Item = (WorkloadId, &Workload)> {
        let all = self.slots.iter().enumerate().filter(|(_, workload)| workload.declared);
        all.map(|(slot, workload)| (WorkloadId::from_index(slot), workload))
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: WorkloadId) -> &mut Workload {
        &mut self.slots[id.index()]
    }

    /// The job called `key`, new if its first pod is about to come.
    pub(super) fn of_key(&mut self, key: u64, now: SimTime) -> WorkloadId {
        if let Some(id) = self.by_key.get(&key) {
            return *id;
        }
        let id = self.insert(key, true, now);
        self.by_key.insert(key, id);
        id
    }

    /// A job for a single pod. It costs no look at the keys, which is a cache miss each time.
    pub(super) fn of_one(&mut self, key: u64, now: SimTime) -> WorkloadId {
        self.insert(key, false, now)
    }

    fn insert(&mut self, key: u64, keyed: bool, now: SimTime) -> WorkloadId {
        let workload = Workload {
            key,
            name: None,
            wanted: 0,
            minimum_ready: 0,
            since: now,
            pods: 0,
            ready: 0,
            apart: None,
            declared: false,
            keyed,
        };
        let id = self.vacant.pop().unwrap_or(WorkloadId::from_index(self.slots.len()));
        if let Some(job) = self.jobs.get_mut(id.index()) {
            *job = None;
        }
        if id.index() == self.slots.len() {
            self.slots.push(workload);
        } else {
            self.slots[id.index()] = workload;
        }
        id
    }

    /// Gives the workload called `key` a name and a size, from now on.
    pub(super) fn declare(&mut self, key: u64, name: Arc<str>, now: SimTime) -> WorkloadId {
        let id = self.of_key(key, now);
        let workload = self.get_mut(id);
        workload.name = Some(name);
        workload.declared = true;
        id
    }

    /// Forgets a workload without pods; its slot stays readable until [`WorkloadTable::recycle`].
    pub(super) fn retire(&mut self, id: WorkloadId) {
        let workload = &mut self.slots[id.index()];
        // Its pods are gone, and so are the marks; a slot in waiting holds no memory.
        workload.apart = None;
        if workload.keyed {
            self.by_key.remove(&workload.key);
        }
        self.retired.push(id);
    }

    /// Frees the slots of retired workloads.
    pub(super) fn recycle(&mut self) {
        self.vacant.append(&mut self.retired);
    }
}
