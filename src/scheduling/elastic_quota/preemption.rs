//! Who has to go for a pod of a namespace with a quota: within its min it takes back what others
//! have borrowed, beyond it only pods of its own namespace make way.

use std::sync::Arc;

use super::{ElasticQuotas, QuotaState};
use crate::kubernetes::Time;
use crate::kubernetes::amounts::Amounts;
use crate::scheduling::kube::preemption::{
    Candidate, DryRun, Preemption, Trial, by_importance, split_by_budget,
};
use crate::scheduling::kube::{
    Code, CycleState, NodeId, NodeInfo, NodeStatuses, PodInfo, Scheduler, Status,
};

const LEAVING: &str = "not eligible due to a terminating pod on the nominated node.";

/// A node on which pods come and go, and the quotas with them.
struct QuotaTrial<'a> {
    node: Trial<'a>,
    quotas: ElasticQuotas,
    pod: &'a PodInfo,
    state: &'a QuotaState,
}

impl QuotaTrial<'_> {
    fn remove(&mut self, other: &Arc<PodInfo>) {
        self.node.remove(other);
        self.quotas.remove_pod(other);
    }

    fn add(&mut self, other: &Arc<PodInfo>) {
        self.node.add(other);
        self.quotas.add_pod(other);
    }

    /// True if `other` on this node may have to go.
    fn may_go(&self, other: &PodInfo, over_min: bool) -> bool {
        let (own, theirs) = (&self.pod.template.namespace, &other.template.namespace);
        let lower = other.priority() < self.pod.priority();
        match (self.quotas.get(own), self.quotas.get(theirs)) {
            (Some(_), None) | (None, Some(_)) => false,
            (None, None) => lower,
            (Some(_), Some(_)) if over_min => own == theirs && lower,
            (Some(_), Some(quota)) => own != theirs && quota.used_over_min(),
        }
    }

    /// True if the quotas do not allow a pod with these requests, its own and all together.
    fn exceeded(&self, in_quota: &Amounts, in_all: &Amounts) -> bool {
        self.quotas.get(&self.pod.template.namespace).is_some_and(|quota| {
            quota.used_over_max_with(in_quota) || self.quotas.used_over_min_with(in_all)
        })
    }

    /// Takes off everyone who may have to go, the least important first. Who that is depends on
    /// who went before: a quota that is back within its min loses no more.
    fn clear(&mut self, mut pods: Vec<Arc<PodInfo>>, now: Time) -> Vec<Arc<PodInfo>> {
        by_importance(&mut pods, now);
        pods.reverse();
        let over_min = self
            .quotas
            .get(&self.pod.template.namespace)
            .is_some_and(|quota| quota.used_over_min_with(&self.state.request_in_quota));
        let mut gone = Vec::new();
        for other in pods {
            if self.may_go(&other, over_min) {
                self.remove(&other);
                gone.push(other);
            }
        }
        gone
    }

    /// Lets `other` stay if the pod fits all the same and the quotas allow both. Returns whether
    /// it stays, and whether the node had room for it.
    fn reprieve(&mut self, other: &Arc<PodInfo>) -> (bool, bool) {
        self.add(other);
        let fits = self.node.status().is_success();
        let stays =
            fits && !self.exceeded(&self.state.request_in_quota, &self.state.request_in_all);
        if !stays {
            self.remove(other);
        }
        (stays, fits)
    }
}

impl QuotaState {
    /// Why `pod` may not preempt others: it does not want to, or somebody is leaving the node it is
    /// nominated to already, whose room it may have. `nominated` is that node and what filters
    /// said of it.
    pub fn not_eligible(
        &self,
        pod: &PodInfo,
        nominated: Option<(&NodeInfo, &Status)>,
    ) -> Option<&'static str> {
        if pod.template.spec.preemption_policy.as_deref() == Some("Never") {
            return Some("not eligible due to preemptionPolicy=Never.");
        }
        let (node, status) = nominated?;
        if status.code == Code::UnschedulableAndUnresolvable {
            return None;
        }
        let own = self.quotas.get(&pod.template.namespace);
        let over_min = own.is_some_and(|own| own.used_over_min_with(&self.request_in_quota));
        let makes_room = |other: &Arc<PodInfo>| {
            let theirs = self.quotas.get(&other.template.namespace);
            let same = other.template.namespace == pod.template.namespace;
            let lower = other.priority() < pod.priority();
            other.terminating
                && match (own, theirs) {
                    (Some(_), None) | (None, Some(_)) => false,
                    (None, None) => lower,
                    (Some(_), Some(_)) if same => lower,
                    (Some(_), Some(theirs)) => !over_min && theirs.used_over_min(),
                }
        };
        node.pods.iter().any(makes_room).then_some(LEAVING)
    }

    /// Who would have to go for `pod` to fit on a node.
    ///
    /// # Errors
    ///
    /// Why nobody's going would do.
    pub fn victims_on(
        &self,
        scheduler: &Scheduler,
        pod: &PodInfo,
        state: &CycleState,
        node: NodeId,
        now: Time,
    ) -> Result<Candidate, Status> {
        let info = scheduler.cache.node(node);
        let mut trial = QuotaTrial {
            node: Trial::new(scheduler, pod, state, node),
            quotas: self.quotas.clone(),
            pod,
            state: self,
        };
        let mut gone = trial.clear(info.pods.clone(), now);
        if gone.is_empty() {
            let (name, preemptor) = (info.name(), &pod.name);
            return Err(Status::unresolvable(format!(
                "No victims found on node {name} for preemptor pod {preemptor}"
            )));
        }
        let status = trial.node.status();
        if !status.is_success() {
            return Err(status);
        }
        if trial.exceeded(&self.request, &self.request) {
            return Err(Status::unschedulable("global quota max exceeded"));
        }
        by_importance(&mut gone, now);
        let budgets = &scheduler.cache.disruption_budgets;
        let (protected, others) = split_by_budget(&gone, budgets);
        let mixed = !protected.is_empty() && !others.is_empty();
        let (mut victims, mut budget_violations) = (Vec::new(), 0);
        for other in protected {
            let (stays, fits) = trial.reprieve(&other);
            // As upstream: who has to go because of a quota alone does not count.
            budget_violations += usize::from(!fits);
            if !stays {
                victims.push(other);
            }
        }
        victims.extend(others.into_iter().filter(|other| !trial.reprieve(other).0));
        if mixed {
            by_importance(&mut victims, now);
        }
        Ok(Candidate { node, victims, budget_violations })
    }

    /// Looks for victims on all nodes that filters rejected (PostFilter). `now` is when pods
    /// without a start time count as started.
    pub fn preempt(
        &self,
        scheduler: &Scheduler,
        pod: &PodInfo,
        state: &CycleState,
        statuses: &NodeStatuses,
        now: Time,
    ) -> Preemption {
        let nominated = scheduler.cache.node_id(&pod.nominated_node);
        let nominated = nominated.map(|node| (scheduler.cache.node(node), statuses.get(node)));
        let not_eligible = self.not_eligible(pod, nominated);
        Preemption::search(scheduler, statuses, not_eligible, now, |potential| {
            let mut dry_run = DryRun::default();
            for node in potential {
                match self.victims_on(scheduler, pod, state, *node, now) {
                    Ok(candidate) => dry_run.candidates.push(candidate),
                    Err(status) => dry_run.statuses.set(*node, status),
                }
            }
            // Those that violate no budget first, as everywhere.
            dry_run.candidates.sort_by_key(|one| one.budget_violations > 0);
            dry_run
        })
    }
}
