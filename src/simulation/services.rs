//! Declared workloads: what their pods are like, and the pods that their controller asks for.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::Simulation;
use crate::cluster::{Ending, NewPod, TemplateId, WorkEnd, WorkloadId};
use crate::engine::SimDuration;
use crate::healing::Service;

/// Keys of declared workloads count down from here; traces number theirs from below.
const FIRST_KEY: u64 = u64::MAX;

/// The declared workloads of a run.
pub struct Services {
    list: Vec<Service>,
    templates: Vec<TemplateId>,
    /// Pods created so far, by service.
    created: Vec<u64>,
    by_workload: FxHashMap<WorkloadId, usize>,
}

impl Services {
    /// Nothing is declared to the cluster yet.
    pub fn new(list: Vec<Service>) -> Self {
        let created = vec![0; list.len()];
        Self { list, templates: Vec::new(), created, by_workload: FxHashMap::default() }
    }

    /// The service that `workload` is, if it is one.
    #[inline]
    pub fn of(&self, workload: WorkloadId) -> Option<&Service> {
        if self.list.is_empty() {
            return None;
        }
        self.by_workload.get(&workload).map(|index| &self.list[*index])
    }
}

impl Simulation {
    /// Declares all services to the cluster.
    pub(super) fn declare_services(&mut self) {
        for index in 0..self.services.list.len() {
            let service = self.services.list[index].clone();
            self.services.templates.push(self.cluster.declare_template(&service.template));
            if !self.admits_service(&service) {
                self.notices.push(format!("Service {} was turned away for quota.", service.name));
                continue;
            }
            let key = FIRST_KEY - index as u64;
            let (wanted, minimum) = (service.replicas, service.minimum_ready);
            let id = self.cluster.scale_workload(key, &service.name, wanted, minimum);
            if let Some(spec) = &service.job {
                self.cluster.describe_workload(id, Arc::clone(spec));
            }
            self.services.by_workload.insert(id, index);
        }
    }

    /// One more pod of a declared workload.
    pub(super) fn create_replica(&mut self, workload: WorkloadId) {
        let index = self.services.by_workload[&workload];
        let service = &self.services.list[index];
        let new = NewPod {
            key: self.services.created[index],
            workload,
            work: service.run.unwrap_or(SimDuration::ZERO),
            work_end: if service.run.is_some() { WorkEnd::Succeeds } else { WorkEnd::Never },
            usage_permille: service.usage_permille,
        };
        self.services.created[index] += 1;
        let template = self.services.templates[index];
        let pod = self.cluster.submit(new, template, service.requests, service.gpu);
        self.cluster.enrol_in_allocs(pod, None);
    }

    /// A pod of a declared workload left the cell. One whose work is done is not replaced.
    pub(super) fn replica_is_gone(&mut self, id: WorkloadId, ending: Ending) {
        if ending != Ending::Succeeded {
            self.trigger_workload(id);
            return;
        }
        let workload = self.cluster.workloads().get(id);
        let (key, wanted, minimum) = (workload.key, workload.wanted, workload.minimum_ready);
        let index = self.services.by_workload[&id];
        let name = Arc::clone(&self.services.list[index].name);
        let wanted = wanted.saturating_sub(1);
        self.cluster.scale_workload(key, &name, wanted, minimum.min(wanted));
    }
}
