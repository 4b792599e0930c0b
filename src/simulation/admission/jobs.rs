//! How jobs and services meet the admission of the cell.

use std::sync::Arc;

use super::super::{Simulation, SimulationError};
use crate::cluster::{JobSpec, PodId, Resources, Tier};
use crate::engine::SimTime;
use crate::healing::Service;
use crate::workload::{Change, PodKey, PodRecord};

impl Simulation {
    /// A job is known before its pods. It is declared to the cell when they are let in.
    pub(in super::super) fn announce_job(&mut self, key: u64, spec: Arc<JobSpec>) {
        match &mut self.admission {
            Some(admission) => _ = admission.announced.insert(key, spec),
            None => _ = self.cluster.declare_job(key, spec),
        }
    }

    /// A pod arrives, and with it all pods of its job that the source submits at the same time
    /// right after it. Those of a job that waits for another are asked for when it comes in.
    pub(in super::super) fn job_arrives(
        &mut self,
        first: PodRecord,
        time: SimTime,
    ) -> Result<(), SimulationError> {
        self.arrivals.advance()?;
        let (job, alone) = (first.workload, first.alone);
        let mut pods = vec![first];
        while !alone && let Some(change) = self.arrivals.take_next(time, job)? {
            match change {
                Change::Template(template) => self.declare_template(&template),
                Change::Submit(pod) => pods.push(pod),
                _ => unreachable!("only templates and pods of the job are taken"),
            }
        }
        let jobs = &mut self.dependencies;
        let pods = pods.into_iter().filter_map(|pod| jobs.hold(pod)).collect();
        self.admit(pods);
        Ok(())
    }

    /// True if `key` names a pod that was turned away.
    pub(in super::super) fn was_turned_away(&self, key: PodKey) -> bool {
        self.admission.as_ref().is_some_and(|admission| admission.refused_pods.contains(&key))
    }

    /// The user stops a pod: nothing will name it again. True if it was turned away.
    pub(in super::super) fn forget_turned_away(&mut self, key: PodKey) -> bool {
        self.admission.as_mut().is_some_and(|admission| admission.refused_pods.remove(&key))
    }

    /// Pods of one job come together: all of them are let in, or none.
    pub(in super::super) fn admit(&mut self, pods: Vec<PodRecord>) {
        let Some(first) = pods.first() else { return };
        let (job, alone) = (first.workload.0, first.alone);
        if !self.admits(job, alone, &pods) {
            return self.turn_away(job, alone, &pods);
        }
        let announced = self.admission.as_mut().and_then(|a| a.announced.remove(&job));
        if let Some(spec) = announced {
            self.cluster.declare_job(job, spec);
        }
        pods.into_iter().for_each(|pod| self.let_in(pod));
    }

    fn admits(&mut self, job: u64, alone: bool, pods: &[PodRecord]) -> bool {
        let is_in_cell = !alone && self.cluster.workloads().find(job).is_some();
        let user = self.user_of(job, alone);
        let now = self.cluster.now();
        let asked: Vec<(Tier, Resources)> =
            pods.iter().map(|pod| (self.tier_of(pod), pod.requests)).collect();
        let Some(admission) = &mut self.admission else { return true };
        let was_refused = !alone && admission.refused_jobs.contains(&job);
        let settled = if is_in_cell { Some(true) } else { was_refused.then_some(false) };
        admission.ask(&user, asked.into_iter(), settled, now)
    }

    /// The name that quota of `job` goes by: that of its queue.
    fn user_of(&self, job: u64, alone: bool) -> Arc<str> {
        let announced = self.admission.as_ref().and_then(|a| a.announced.get(&job));
        let workloads = self.cluster.workloads();
        let declared = || workloads.find(job).and_then(|id| workloads.job(id)).map(|job| &job.spec);
        let spec = if alone { None } else { announced.or_else(declared) };
        spec.map_or_else(|| Arc::from(""), |spec| Arc::clone(&spec.queue))
    }

    fn tier_of(&self, pod: &PodRecord) -> Tier {
        self.cluster.class_like(self.template(pod.template), pod.requests, pod.gpu).tier
    }

    fn turn_away(&mut self, job: u64, alone: bool, pods: &[PodRecord]) {
        let Some(admission) = &mut self.admission else { return };
        if !alone {
            admission.refused_jobs.insert(job);
        }
        let named = pods.iter().filter(|pod| pod.tracked).map(|pod| pod.key);
        admission.refused_pods.extend(named);
        // Those that wait for it wait for nothing.
        let announced = admission.announced.remove(&job);
        if announced.is_some_and(|spec| spec.followed) {
            self.job_is_over(job);
        }
    }

    /// A pod of a job that was let in: it comes at once, or after the attempt before it.
    fn let_in(&mut self, pod: PodRecord) {
        if let Some(admission) = &mut self.admission {
            admission.refused_pods.remove(&pod.key);
        }
        self.submit_in_turn(pod);
    }

    /// A pod came into the cell: it is charged.
    pub(in super::super) fn charge(&mut self, pod: PodId) {
        let class = *self.cluster.class_of(pod);
        let workload = self.cluster.pod(pod).new.workload;
        let Some(admission) = &mut self.admission else { return };
        if self.cluster.workloads().get(workload).is_declared() {
            return;
        }
        let job = self.cluster.workloads().job(workload);
        let user = job.map_or_else(|| Arc::from(""), |job| Arc::clone(&job.spec.queue));
        let account = admission.accounts.of(&user, class.tier);
        admission.charge(pod.index(), account, class.requests);
    }

    /// A pod requests something else now: it is charged that, and nobody is asked.
    pub(in super::super) fn recharge(&mut self, pod: PodId) {
        if let Some(admission) = &mut self.admission {
            admission.recharge(pod.index(), self.cluster.class_of(pod).requests);
        }
    }

    /// Whether a service is let in. It holds what it wants for as long as the run lasts, whatever
    /// becomes of its pods.
    pub(in super::super) fn admits_service(&mut self, service: &Service) -> bool {
        let now = self.cluster.now();
        let Some(admission) = &mut self.admission else { return true };
        let tier = service.template.tier;
        let user = service.job.as_ref().map_or_else(|| Arc::from(""), |job| Arc::clone(&job.queue));
        let pods = (0..service.replicas).map(|_| (tier, service.requests));
        let admitted = admission.ask(&user, pods.clone(), None, now);
        if admitted {
            let account = admission.accounts.of(&user, tier);
            pods.for_each(|(_, requests)| admission.accounts.take(account, &requests));
        }
        admitted
    }
}
