//! Elastic quotas: every namespace is sure of its *min*, may borrow what others leave over up to
//! its *max*, and gives it back to them by preemption (`pkg/capacityscheduling` of the
//! scheduler-plugins, built on Kubernetes v1.35).

mod preemption;
mod quota;

use std::collections::BTreeMap;

pub use quota::{ElasticQuota, pod_request};

use crate::kubernetes::amounts::Amounts;
use crate::scheduling::kube::{PodInfo, Status};

/// The quotas of all namespaces; a namespace has at most one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ElasticQuotas(BTreeMap<String, ElasticQuota>);

/// What is known of a pod and the quotas at the beginning of its cycle.
#[derive(Debug, Clone)]
pub struct QuotaState {
    /// The quotas as they were then; those who try out who would have to go change them.
    pub quotas: ElasticQuotas,
    /// What the pod asks for.
    pub request: Amounts,
    /// The same, with what pods of its namespace ask for that are no less important and for which
    /// room was made.
    pub request_in_quota: Amounts,
    /// The same, with what such pods of other namespaces ask for that keep within their min.
    pub request_in_all: Amounts,
}

impl ElasticQuotas {
    /// Sets the quota of its namespace. What is used stays, if there was one before.
    pub fn set(&mut self, mut quota: ElasticQuota) {
        if let Some(old) = self.0.remove(&quota.namespace) {
            quota.take_over(old);
        }
        self.0.insert(quota.namespace.clone(), quota);
    }

    /// Takes the quota of a namespace away.
    pub fn remove(&mut self, namespace: &str) {
        self.0.remove(namespace);
    }

    /// The quota of a namespace.
    pub fn get(&self, namespace: &str) -> Option<&ElasticQuota> {
        self.0.get(namespace)
    }

    /// Counts a pod that is bound, or about to be (Reserve). A pod is counted once.
    pub fn add_pod(&mut self, pod: &PodInfo) {
        if let Some(quota) = self.0.get_mut(&pod.template.namespace) {
            quota.add_pod(pod);
        }
    }

    /// Counts a pod no more: it is gone, has ended, or is not bound after all (Unreserve).
    pub fn remove_pod(&mut self, pod: &PodInfo) {
        if let Some(quota) = self.0.get_mut(&pod.template.namespace) {
            quota.remove_pod(pod);
        }
    }

    /// True if all namespaces together use more than the sum of their mins once `request` is added:
    /// then there is nothing left to borrow.
    pub fn used_over_min_with(&self, request: &Amounts) -> bool {
        let (mut used, mut min) = (request.clone(), Amounts::default());
        for quota in self.0.values() {
            used.add(&quota.used);
            if let Some(own) = &quota.min {
                min.add(own);
            }
        }
        quota::exceeds(&used, &Amounts::default(), &min, 0)
    }

    /// What a pod asks for by itself, with others of its namespace, and with all others for which
    /// room was made: see [`QuotaState`].
    fn requests<'a>(
        &self,
        pod: &PodInfo,
        nominated: impl IntoIterator<Item = &'a PodInfo>,
    ) -> [Amounts; 3] {
        let request = pod_request(pod);
        let (mut in_quota, mut in_all) = (Amounts::default(), Amounts::default());
        let namespace = &pod.template.namespace;
        if self.get(namespace).is_none() {
            return [request, in_quota, in_all];
        }
        for other in nominated {
            let Some(others) = self.get(&other.template.namespace) else { continue };
            if other.uid == pod.uid {
                continue;
            }
            let same = other.template.namespace == *namespace;
            if same && other.priority() >= pod.priority() {
                in_quota.add(&pod_request(other));
                in_all.add(&pod_request(other));
            } else if !same && !others.used_over_min() {
                in_all.add(&pod_request(other));
            }
        }
        in_quota.add(&request);
        in_all.add(&request);
        [request, in_quota, in_all]
    }

    fn judge(&self, pod: &PodInfo, in_quota: &Amounts, in_all: &Amounts) -> Status {
        let namespace = &pod.template.namespace;
        let Some(quota) = self.get(namespace) else { return Status::SUCCESS };
        let rejected = |why: &str| {
            let name = &pod.name;
            Status::unschedulable(format!("Pod {namespace}/{name} is rejected in PreFilter {why}"))
        };
        if quota.used_over_max_with(in_quota) {
            rejected(&format!("because ElasticQuota {namespace} is more than Max"))
        } else if self.used_over_min_with(in_all) {
            rejected("because total ElasticQuota used is more than min")
        } else {
            Status::SUCCESS
        }
    }

    /// Whether the quotas allow a pod (PreFilter). `nominated` are the pods for which room was made
    /// on any node.
    pub fn verdict<'a>(
        &self,
        pod: &PodInfo,
        nominated: impl IntoIterator<Item = &'a PodInfo>,
    ) -> Status {
        let [_, in_quota, in_all] = self.requests(pod, nominated);
        self.judge(pod, &in_quota, &in_all)
    }

    /// As [`Self::verdict`], with the state for the rest of the pod's cycle.
    pub fn pre_filter<'a>(
        &self,
        pod: &PodInfo,
        nominated: impl IntoIterator<Item = &'a PodInfo>,
    ) -> (QuotaState, Status) {
        let [request, in_quota, in_all] = self.requests(pod, nominated);
        let status = self.judge(pod, &in_quota, &in_all);
        let quotas = self.clone();
        let state =
            QuotaState { quotas, request, request_in_quota: in_quota, request_in_all: in_all };
        (state, status)
    }
}

#[cfg(test)]
mod tests;
