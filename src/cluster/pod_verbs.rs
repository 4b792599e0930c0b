//! The verbs that change pods.

use std::sync::Arc;

use super::alloc::{AllocRole, AllocTable};
use super::class::PodClass;
use super::fact::{Ending, EvictionCause, Fact, StopReason};
use super::gpu::DeviceShare;
use super::ids::{ClassId, NodeId, PodId, TemplateId, WorkloadId};
use super::job::JobSpec;
use super::pod::{NewPod, Pod, PodState, WorkEnd};
use super::resources::Resources;
use super::spec::{GpuRequest, PodTemplate};
use super::{Cluster, WorkloadTable};
use crate::engine::{SimDuration, SimTime};

/// Why a binding was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node does not admit the pod")]
pub struct NotAdmitted;

impl Cluster {
    /// Declares what pods have in common.
    pub fn declare_template(&mut self, template: &PodTemplate) -> TemplateId {
        let constraints = self.nodes.intern_constraints(&template.constraints);
        self.templates.push((template.clone(), constraints));
        TemplateId::from_index(self.templates.len() - 1)
    }

    /// The job that its source calls `key`; it is forgotten when its last pod ends.
    pub fn workload_of_key(&mut self, key: u64) -> WorkloadId {
        self.workloads.of_key(key, self.now)
    }

    /// A job for a single pod, which its source calls `key`: like [`Cluster::workload_of_key`], but
    /// nothing will ask for it by that key.
    pub fn workload_of_one(&mut self, key: u64) -> WorkloadId {
        self.workloads.of_one(key, self.now)
    }

    /// Declares a job before its first pod comes; it stays until as many pods have ended as it says
    /// (at least one).
    pub fn declare_job(&mut self, key: u64, spec: Arc<JobSpec>) -> WorkloadId {
        let id = self.workloads.of_key(key, self.now);
        self.describe_workload(id, spec);
        id
    }

    /// Notes what is known of a workload as a job: its queue, its gangs, its allocs.
    pub fn describe_workload(&mut self, workload: WorkloadId, spec: Arc<JobSpec>) {
        self.allocs.declare(self.workloads.get(workload).key, spec.alloc);
        self.workloads.describe(workload, spec);
    }

    /// Declares (or resizes) a workload that wants `wanted` pods and counts as available with
    /// `minimum_ready` of them.
    pub fn scale_workload(
        &mut self,
        key: u64,
        name: &Arc<str>,
        wanted: u32,
        minimum_ready: u32,
    ) -> WorkloadId {
        let id = self.workloads.declare(key, Arc::clone(name), self.now);
        let workload = self.workloads.get_mut(id);
        workload.wanted = wanted;
        workload.minimum_ready = minimum_ready;
        self.facts.push(Fact::WorkloadScaled { workload: id });
        id
    }

    /// A pod arrives.
    pub fn submit(
        &mut self,
        new: NewPod,
        template: TemplateId,
        requests: Resources,
        gpu: GpuRequest,
    ) -> PodId {
        let class = self.class(template, requests, gpu, new.workload);
        let class = self.classes.acquire(&class);
        let pod = self.pods.insert(new, class, self.now);
        self.workloads.get_mut(new.workload).pods += 1;
        self.facts.push(Fact::PodSubmitted { pod });
        pod
    }

    /// The class of a pod of `template` with such requests that need not be apart from others.
    pub fn class_like(
        &self,
        template: TemplateId,
        requests: Resources,
        gpu: GpuRequest,
    ) -> PodClass {
        let class = self.class(template, requests, gpu, WorkloadId::NONE);
        PodClass { apart_from: WorkloadId::NONE, ..class }
    }

    pub(super) fn class(
        &self,
        template: TemplateId,
        requests: Resources,
        gpu: GpuRequest,
        workload: WorkloadId,
    ) -> PodClass {
        let (spec, constraints) = &self.templates[template.index()];
        PodClass {
            requests,
            gpu,
            template,
            constraints: *constraints,
            apart_from: if spec.one_per_node { workload } else { WorkloadId::NONE },
            priority: spec.priority,
            tier: spec.tier,
            alloc: self.alloc_role(workload),
        }
    }

    /// Binds a pending pod to a node that admits it.
    ///
    /// # Errors
    /// The node does not admit it (no room, not eligible …), or it has to run inside of an alloc;
    /// nothing has changed then.
    pub fn bind(&mut self, pod: PodId, node: NodeId) -> Result<(), NotAdmitted> {
        self.bind_to(pod, node, None)
    }

    /// The same, with GPU devices that somebody chose; `None`: those with the least free share
    /// that holds it.
    ///
    /// # Errors
    /// The node does not admit it, or the devices are not what it asks for or have no room; nothing
    /// has changed then.
    pub fn bind_to(
        &mut self,
        pod: PodId,
        node: NodeId,
        devices: Option<DeviceShare>,
    ) -> Result<(), NotAdmitted> {
        let class = self.classes.get(self.pending(pod).class);
        if class.alloc == AllocRole::Inside || !self.admits(class, node) {
            return Err(NotAdmitted);
        }
        let free = self.nodes.devices(node);
        let devices = match devices {
            Some(chosen) if free.can_give(class.gpu, chosen) => chosen,
            Some(_) => return Err(NotAdmitted),
            None => free.choose(class.gpu).ok_or(NotAdmitted)?,
        };
        self.reserve(pod, node, devices);
        self.begin_on(pod, node);
        Ok(())
    }

    /// A pod that is to be bound.
    ///
    /// # Panics
    /// If it is not pending.
    pub(super) fn pending(&self, pod: PodId) -> &Pod {
        let record = self.pods.get(pod);
        assert!(
            record.state == PodState::Pending,
            "pod {} is {:?} and cannot be bound at {}",
            record.serial,
            record.state,
            self.now
        );
        record
    }

    /// A pod was bound, and starts if `node` is up.
    pub(super) fn begin_on(&mut self, pod: PodId, node: NodeId) {
        let up = self.nodes.condition(node).is_up();
        let record = self.pods.get_mut(pod);
        record.state = if up { PodState::Starting } else { PodState::Stranded };
        record.bound_at = self.now;
    }

    pub(super) fn reserve(&mut self, pod: PodId, node: NodeId, devices: DeviceShare) {
        let i = node.index();
        self.pods.link(&mut self.nodes.first_pod[i], pod);
        let record = self.pods.get_mut(pod);
        record.node = node;
        record.devices = devices;
        let class = record.class;
        self.nodes.free[i].0 -= self.classes.get(class).requests;
        self.nodes.take_devices(node, devices);
        self.nodes.pod_count[i] += 1;
        self.mark_apart(class, node, true);
        self.nodes.changes.push(node);
        if self.classes.get(class).alloc == AllocRole::Instance {
            self.open_alloc(pod);
        }
        self.facts.push(Fact::PodBound { pod, node, class });
    }

    fn release(&mut self, pod: PodId) -> NodeId {
        let record = self.pods.get_mut(pod);
        let (node, class) = (record.node, record.class);
        match self.classes.get(class).alloc {
            AllocRole::None => {}
            AllocRole::Inside => return self.leave(pod),
            AllocRole::Instance => {
                self.assert_empty(pod);
                self.close_alloc(pod);
            }
        }
        self.unlink(pod, node, class);
        node
    }

    /// Gives back what a pod has reserved on its node.
    pub(super) fn unlink(&mut self, pod: PodId, node: NodeId, class: ClassId) {
        let record = self.pods.get_mut(pod);
        let i = node.index();
        record.node = NodeId::NONE;
        let devices = std::mem::take(&mut record.devices);
        self.nodes.free[i].0 += self.classes.get(class).requests;
        self.nodes.give_devices(node, devices);
        self.nodes.pod_count[i] -= 1;
        self.mark_apart(class, node, false);
        self.pods.unlink(&mut self.nodes.first_pod[i], pod);
        self.nodes.changes.push(node);
        self.facts.push(Fact::PodUnbound { pod, node, class });
    }

    /// Notes that `node` holds a pod that has to be apart from its like (no longer).
    #[inline]
    pub(super) fn mark_apart(&mut self, class: ClassId, node: NodeId, held: bool) {
        let workload = self.classes.get(class).apart_from;
        if workload.is_some() {
            self.workloads.get_mut(workload).mark_apart(node, held);
        }
    }

    /// A bound pod that is not running begins to run; returns the incarnation that runs.
    pub fn start(&mut self, pod: PodId) -> u32 {
        let now = self.now;
        let record = self.pods.get_mut(pod);
        assert!(
            matches!(record.state, PodState::Starting | PodState::BackingOff),
            "pod {} is {:?} and cannot be started at {now}",
            record.serial,
            record.state
        );
        record.state = PodState::Running;
        record.started_at = now;
        record.starts += 1;
        record.incarnation = record.incarnation.wrapping_add(1);
        let (incarnation, node) = (record.incarnation, record.node);
        let workload = record.new.workload;
        self.workloads.get_mut(workload).ready += 1;
        if let Some(job) = self.workloads.job_mut(workload) {
            job.started_at = job.started_at.min(now);
        }
        self.facts.push(Fact::PodStarted { pod, node });
        incarnation
    }

    /// Ends the run of a pod, if it runs. Of the work done since it was started, all counts where
    /// its work is over, else what was done up to the last multiple of `checkpoint` (nothing
    /// without one).
    fn stop(&mut self, pod: PodId, reason: StopReason, checkpoint: Option<SimDuration>) {
        let now = self.now;
        let record = self.pods.get_mut(pod);
        record.incarnation = record.incarnation.wrapping_add(1);
        if record.state != PodState::Running {
            return;
        }
        let ran = now - record.started_at;
        let kept = match reason {
            StopReason::Ended(_) => ran,
            StopReason::Crashed | StopReason::NodeDown | StopReason::Evicted(_) => {
                kept_work(record.done, ran, checkpoint)
            }
        };
        record.done = SimDuration(record.done.0 + kept.0);
        record.started_at = SimTime::MAX;
        let node = record.node;
        self.workloads.get_mut(record.new.workload).ready -= 1;
        self.facts.push(Fact::PodStopped { pod, node, ran, kept, reason });
    }

    /// A pod, pending or bound, leaves the cell.
    pub fn end(&mut self, pod: PodId, ending: Ending) {
        self.stop(pod, StopReason::Ended(ending), None);
        if self.pods.get(pod).state.is_bound() {
            self.release(pod);
        }
        self.pods.retire(pod);
        self.facts.push(Fact::PodEnded { pod, ending });
        let workload = self.pods.get(pod).new.workload;
        release_workload(&mut self.workloads, &mut self.allocs, workload, &mut self.facts);
    }

    /// A running pod crashes; it stays bound and backs off. `forgotten`: it ran long enough for
    /// this crash to count as the first in a row.
    pub fn crash(&mut self, pod: PodId, checkpoint: Option<SimDuration>, forgotten: bool) {
        self.stop(pod, StopReason::Crashed, checkpoint);
        let record = self.pods.get_mut(pod);
        record.state = PodState::BackingOff;
        record.restarts += 1;
        record.crash_streak = if forgotten { 1 } else { record.crash_streak + 1 };
    }

    /// A bound pod is stopped and is pending again.
    pub fn evict(&mut self, pod: PodId, cause: EvictionCause, checkpoint: Option<SimDuration>) {
        let record = self.pods.get(pod);
        assert!(
            record.state.is_bound(),
            "pod {} is {:?} and cannot be evicted at {}",
            record.serial,
            record.state,
            self.now
        );
        self.stop(pod, StopReason::Evicted(cause), checkpoint);
        let node = self.release(pod);
        let now = self.now;
        let record = self.pods.get_mut(pod);
        record.state = PodState::Pending;
        record.queued_at = now;
        record.bound_at = SimTime::MAX;
        record.crash_streak = 0;
        record.evictions += 1;
        self.facts.push(Fact::PodEvicted { pod, node, cause });
    }

    /// Truth: the node of a bound pod went down under it.
    pub(super) fn strand(&mut self, pod: PodId, checkpoint: Option<SimDuration>) {
        self.stop(pod, StopReason::NodeDown, checkpoint);
        self.pods.get_mut(pod).state = PodState::Stranded;
    }

    /// Truth: the node of a stranded pod works again; the pod has to be started there once more.
    pub(super) fn unstrand(&mut self, pod: PodId) {
        let record = self.pods.get_mut(pod);
        record.incarnation = record.incarnation.wrapping_add(1);
        record.state = PodState::Starting;
    }

    /// What was not known of a pod's work when it came becomes known.
    pub fn set_work(&mut self, pod: PodId, work: SimDuration, work_end: WorkEnd) {
        let record = self.pods.get_mut(pod);
        record.new.work = work;
        record.new.work_end = work_end;
    }
}

/// How much of `ran` counts after a stop from outside, with `done` kept from former runs.
fn kept_work(done: SimDuration, ran: SimDuration, checkpoint: Option<SimDuration>) -> SimDuration {
    match checkpoint {
        Some(interval) if interval.0 > 0 => {
            let reached = (done.0 + ran.0) / interval.0 * interval.0;
            SimDuration(reached.saturating_sub(done.0).min(ran.0))
        }
        Some(_) => ran,
        None => SimDuration::ZERO,
    }
}

fn release_workload(
    workloads: &mut WorkloadTable,
    allocs: &mut AllocTable,
    id: WorkloadId,
    facts: &mut Vec<Fact>,
) {
    if workloads.count_end(id) {
        facts.push(Fact::WorkloadEnded { workload: id });
        workloads.retire(id);
        allocs.forget_set(workloads.get(id).key);
    }
}
