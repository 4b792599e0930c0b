//! PodGroups, ElasticQuotas and how long pods of Jobs run: whether they make sense.

use std::collections::BTreeSet;

use super::Expansion;
use crate::workload::kubernetes::read::Manifests;
use crate::workload::kubernetes::run_time::run_time;

impl Expansion<'_> {
    /// Notes what is wrong with PodGroups and ElasticQuotas.
    pub(super) fn check_sharing(&mut self, manifests: &Manifests) {
        let mut names = BTreeSet::new();
        for group in &manifests.pod_groups {
            let (kind, meta, spec) = ("PodGroup", &group.metadata, &group.spec);
            if !names.insert((&meta.namespace, &meta.name)) {
                self.error(kind, meta, "is there twice");
            }
            if spec.min_member < 1 {
                let given = spec.min_member;
                self.error(kind, meta, format!("minMember is {given}; expected at least 1"));
            }
            if spec.schedule_timeout_seconds.is_some_and(|seconds| seconds < 0) {
                self.error(kind, meta, "scheduleTimeoutSeconds is negative; expected 0 or more");
            }
        }
        let mut namespaces = BTreeSet::new();
        for quota in &manifests.elastic_quotas {
            if !namespaces.insert(&quota.metadata.namespace) {
                let message = "its namespace has an ElasticQuota already; expected one at most";
                self.error("ElasticQuota", &quota.metadata, message);
            }
        }
    }

    /// Notes pods that say in vain how long they run.
    pub(super) fn check_run_times(&mut self) {
        let mut wrong = BTreeSet::new();
        for one in &self.cell.pods {
            let meta = &one.pod.metadata;
            if let Err(message) = run_time(&one.pod)
                && wrong.insert((one.owner, message.clone()))
            {
                let (namespace, name) = (meta.namespace.clone(), meta.name.clone());
                self.errors.push(super::ExpandError { kind: "Pod", namespace, name, message });
            }
        }
    }
}
