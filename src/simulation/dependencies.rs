//! Jobs that wait for the end of others: their pods stay outside the cell until then.
//!
//! What is waited for is a property of the workload, the same for every scheduler; when it is over
//! depends on the run. Waiting of this kind is not waiting for the scheduler: the pods count as
//! submitted when they come in.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Event, Simulation, SimulationError};
use crate::cluster::{JobSpec, Resources, WorkloadId};
use crate::engine::SimTime;
use crate::workload::{
    PodKey, PodRecord, TemplateIndex, Work, WorkloadKey, describe_cycle, find_cycle,
};

/// A job whose pods wait outside the cell.
struct Held {
    key: u64,
    spec: Arc<JobSpec>,
    /// Jobs that it waits for and that are not over.
    unmet: usize,
    /// Its pods so far, in the order in which they came.
    pods: Vec<PodRecord>,
    /// Pods that their user stopped meanwhile.
    killed: u32,
}

/// Who waits for whom.
#[derive(Default)]
pub struct Dependencies {
    slots: Vec<Option<Held>>,
    vacant: Vec<u32>,
    /// By key of a job that waits.
    held: FxHashMap<u64, u32>,
    /// By key of a job that is not over: those that wait for it, in the order of declaration.
    followers: FxHashMap<u64, Vec<u64>>,
    /// Jobs that are over and that others may yet name, and when that was.
    over: FxHashMap<u64, SimTime>,
    /// Where the pods are that later records may name.
    tracked: FxHashMap<PodKey, u32>,
}

impl Dependencies {
    /// Number of jobs that wait, and of their pods.
    pub fn waiting(&self) -> (usize, usize) {
        let pods = self.slots.iter().flatten().map(|held| held.pods.len()).sum();
        (self.held.len(), pods)
    }

    /// A job that waits and one of those that it waits for, for the notice at the end.
    pub fn example(&self) -> Option<(u64, u64)> {
        let held = self.slots.iter().flatten().next()?;
        let unmet = held.spec.after.iter().find(|key| !self.over.contains_key(key))?;
        Some((held.key, *unmet))
    }

    /// Takes the pod in if its job waits; otherwise gives it back.
    pub fn hold(&mut self, record: PodRecord) -> Option<PodRecord> {
        if self.held.is_empty() {
            return Some(record);
        }
        let Some(slot) = self.held.get(&record.workload.0) else { return Some(record) };
        if record.tracked {
            self.tracked.insert(record.key, *slot);
        }
        let held = self.slots[*slot as usize].as_mut().expect("a job that waits has a slot");
        held.pods.push(record);
        None
    }

    /// The pod called `key`, if it waits here; of several attempts the last.
    fn pod(&mut self, key: PodKey) -> Option<&mut PodRecord> {
        let slot = *self.tracked.get(&key)?;
        let held = self.slots[slot as usize].as_mut()?;
        held.pods.iter_mut().rev().find(|pod| pod.key == key)
    }

    /// The work of a pod becomes known; true if it waits here.
    pub fn set_work(&mut self, key: PodKey, work: Work) -> bool {
        self.pod(key).map(|pod| pod.work = work).is_some()
    }

    /// The requests of a pod change; true if it waits here.
    pub fn resize(&mut self, key: PodKey, template: TemplateIndex, requests: Resources) -> bool {
        let pod = self.pod(key);
        pod.map(|pod| (pod.template, pod.requests) = (template, requests)).is_some()
    }

    /// The user stops a pod; true if it has waited here.
    pub fn kill(&mut self, key: PodKey) -> bool {
        let Some(slot) = self.tracked.remove(&key) else { return false };
        let Some(held) = self.slots[slot as usize].as_mut() else { return false };
        let before = held.pods.len();
        held.pods.retain(|pod| pod.key != key);
        held.killed += (before - held.pods.len()) as u32;
        true
    }

    /// A job that waits for `unmet` others takes a slot.
    fn enter(&mut self, key: u64, spec: Arc<JobSpec>, unmet: usize) -> u32 {
        let held = Some(Held { key, spec, unmet, pods: Vec::new(), killed: 0 });
        let slot = match self.vacant.pop() {
            Some(slot) => {
                self.slots[slot as usize] = held;
                slot
            }
            None => {
                self.slots.push(held);
                u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 jobs wait at a time")
            }
        };
        self.held.insert(key, slot);
        slot
    }

    /// The circle that `key` closes by waiting for `after`, if it does.
    fn cycle_through(&self, key: u64, after: &[u64]) -> Option<Vec<u64>> {
        // Only a job that somebody waits for already can close one.
        if !self.followers.contains_key(&key) && !after.contains(&key) {
            return None;
        }
        let mut waits: Vec<(u64, u64)> = after.iter().map(|before| (key, *before)).collect();
        let mut seen: FxHashMap<u64, ()> = FxHashMap::default();
        let mut position = 0;
        while let Some((_, before)) = waits.get(position).copied() {
            position += 1;
            let slot = self.held.get(&before).filter(|_| seen.insert(before, ()).is_none());
            if let Some(held) = slot.and_then(|slot| self.slots[*slot as usize].as_ref()) {
                waits.extend(held.spec.after.iter().map(|earlier| (before, *earlier)));
            }
        }
        find_cycle(waits)
    }
}

impl Simulation {
    /// The source declares a job.
    pub(super) fn declare_job(
        &mut self,
        WorkloadKey(key): WorkloadKey,
        spec: Arc<JobSpec>,
    ) -> Result<(), SimulationError> {
        let jobs = &mut self.dependencies;
        if let Some(cycle) = jobs.cycle_through(key, &spec.after) {
            return Err(SimulationError::Cycle(describe_cycle(&cycle)));
        }
        let now = self.cluster.now();
        let (mut unmet, mut free_at) = (0, now);
        for before in &spec.after {
            match jobs.over.get(before) {
                Some(ended) => free_at = free_at.max(ended.saturating_add(spec.delay)),
                None => {
                    unmet += 1;
                    jobs.followers.entry(*before).or_default().push(key);
                }
            }
        }
        if unmet == 0 && free_at <= now {
            self.announce_job(key, spec);
            return Ok(());
        }
        let slot = jobs.enter(key, spec, unmet);
        if unmet == 0 {
            self.expect_job(slot, free_at);
        }
        Ok(())
    }

    fn expect_job(&mut self, slot: u32, time: SimTime) {
        if self.is_in_run(time) {
            self.queue.push(time, Event::JobEligible(slot));
        }
    }

    /// The last pod of a workload has ended.
    pub(super) fn workload_is_over(&mut self, workload: WorkloadId) {
        self.set_is_over(workload);
        let followed = self.cluster.workloads().job(workload).is_some_and(|job| job.spec.followed);
        if followed {
            self.job_is_over(self.cluster.workloads().get(workload).key);
        }
    }

    pub(super) fn job_is_over(&mut self, key: u64) {
        let now = self.cluster.now();
        self.dependencies.over.insert(key, now);
        for follower in self.dependencies.followers.remove(&key).unwrap_or_default() {
            let Some(slot) = self.dependencies.held.get(&follower).copied() else { continue };
            let held = self.dependencies.slots[slot as usize].as_mut();
            let held = held.expect("a job that waits has a slot");
            held.unmet -= 1;
            if held.unmet == 0 {
                let time = now.saturating_add(held.spec.delay);
                self.expect_job(slot, time);
            }
        }
    }

    /// Nothing holds a job back any more: it comes in with the pods that it has so far.
    pub(super) fn job_is_eligible(&mut self, slot: u32) {
        let jobs = &mut self.dependencies;
        let Some(held) = jobs.slots[slot as usize].take() else { return };
        jobs.held.remove(&held.key);
        jobs.vacant.push(slot);
        for pod in held.pods.iter().filter(|pod| pod.tracked) {
            jobs.tracked.remove(&pod.key);
        }
        if held.killed > 0 && held.killed >= held.spec.pods && held.pods.is_empty() {
            // All that it ever was has been stopped while it waited.
            if held.spec.followed {
                self.job_is_over(held.key);
            }
            return;
        }
        let mut spec = held.spec;
        if held.killed > 0 {
            let rest = spec.pods.saturating_sub(held.killed);
            spec = Arc::new(JobSpec { pods: rest, ..(*spec).clone() });
        }
        self.announce_job(held.key, spec);
        self.admit(held.pods);
    }
}
