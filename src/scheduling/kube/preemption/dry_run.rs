//! Trying out who would have to go.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{candidates_to_find, more_important};
use crate::kubernetes::labels::Selector;
use crate::kubernetes::{PodDisruptionBudget, Time};
use crate::scheduling::kube::cache::NodeId;
use crate::scheduling::kube::cycle::{CycleState, Scheduler};
use crate::scheduling::kube::filters::{added, filter_with_nominated, removed};
use crate::scheduling::kube::node::NodeInfo;
use crate::scheduling::kube::pod::PodInfo;
use crate::scheduling::kube::status::{NodeStatuses, Status};

/// A node, and who would have to go.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The node.
    pub node: NodeId,
    /// Who would have to go, the most important first.
    pub victims: Vec<Arc<PodInfo>>,
    /// How many of them a disruption budget protects.
    pub budget_violations: usize,
}

/// What was tried.
#[derive(Debug, Clone, Default)]
pub struct DryRun {
    /// Nodes on which it works: those that violate no budget first.
    pub candidates: Vec<Candidate>,
    /// Why it does not work on others.
    pub statuses: NodeStatuses,
}

/// A node on which pods come and go for trying.
pub struct Trial<'a> {
    scheduler: &'a Scheduler,
    pod: &'a PodInfo,
    node: NodeInfo,
    state: CycleState,
}

impl<'a> Trial<'a> {
    /// A copy of `node`, to try out who would have to go for `pod`.
    pub fn new(
        scheduler: &'a Scheduler,
        pod: &'a PodInfo,
        state: &CycleState,
        node: NodeId,
    ) -> Self {
        Self { scheduler, pod, node: scheduler.cache.node(node).clone(), state: state.clone() }
    }

    /// Takes a pod off the node.
    pub fn remove(&mut self, other: &Arc<PodInfo>) {
        let (profile, cache) = (self.scheduler.profile_of(self.pod), &self.scheduler.cache);
        self.node.remove_pod(other);
        removed(profile, cache, &mut self.state, self.pod, other, &self.node);
    }

    /// Puts a pod back on the node.
    pub fn add(&mut self, other: &Arc<PodInfo>) {
        let (profile, cache) = (self.scheduler.profile_of(self.pod), &self.scheduler.cache);
        self.node.add_pod(Arc::clone(other));
        added(profile, cache, &mut self.state, self.pod, other, &self.node);
    }

    /// Whether the pod fits now.
    pub fn status(&self) -> Status {
        let (profile, cache) = (self.scheduler.profile_of(self.pod), &self.scheduler.cache);
        filter_with_nominated(profile, cache, &self.state, self.pod, &self.node)
    }

    /// Lets `other` stay if the pod fits all the same; false if it has to go.
    fn reprieve(&mut self, other: &Arc<PodInfo>) -> bool {
        self.add(other);
        let fits = self.status().is_success();
        if !fits {
            self.remove(other);
        }
        fits
    }
}

/// Puts important pods first.
pub fn by_importance(pods: &mut [Arc<PodInfo>], now: Time) {
    pods.sort_by(|a, b| {
        if more_important(a, b, now) {
            Ordering::Less
        } else if more_important(b, a, now) {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    });
}

/// Pods that a budget protects, and the others. Budgets are used up in the order of the pods.
pub fn split_by_budget(
    pods: &[Arc<PodInfo>],
    budgets: &[PodDisruptionBudget],
) -> (Vec<Arc<PodInfo>>, Vec<Arc<PodInfo>>) {
    let mut allowed: Vec<i32> =
        budgets.iter().map(|budget| budget.status.disruptions_allowed).collect();
    // Empty, absent and malformed selectors protect nobody.
    let selectors: Vec<Selector> = budgets
        .iter()
        .map(|budget| Selector::new(budget.spec.selector.as_ref()).unwrap_or(Selector::nothing()))
        .collect();
    pods.iter().cloned().partition(|pod| {
        let template = &pod.template;
        let mut violated = false;
        for (index, budget) in budgets.iter().enumerate() {
            let protects = !template.labels.is_empty()
                && budget.metadata.namespace == template.namespace
                && !selectors[index].is_empty()
                && selectors[index].matches(&template.labels)
                // Its disruption is counted already.
                && !budget.status.disrupted_pods.contains_key(&pod.name);
            if protects {
                allowed[index] -= 1;
                violated |= allowed[index] < 0;
            }
        }
        violated
    })
}

impl Scheduler {
    /// Who would have to go for `pod` to fit on a node.
    ///
    /// # Errors
    ///
    /// Why nobody's going would do.
    pub fn victims_on(
        &self,
        pod: &PodInfo,
        state: &CycleState,
        node: NodeId,
        now: Time,
    ) -> Result<Candidate, Status> {
        let info = self.cache.node(node);
        let mut lower: Vec<Arc<PodInfo>> =
            info.pods.iter().filter(|other| other.priority() < pod.priority()).cloned().collect();
        if lower.is_empty() {
            return Err(Status::unresolvable("No preemption victims found for incoming pod"));
        }
        let mut trial = Trial::new(self, pod, state, node);
        for other in &lower {
            trial.remove(other);
        }
        let status = trial.status();
        if !status.is_success() {
            return Err(status);
        }
        by_importance(&mut lower, now);
        let (protected, others) = split_by_budget(&lower, &self.cache.disruption_budgets);
        let mixed = !protected.is_empty() && !others.is_empty();
        let mut victims: Vec<_> =
            protected.into_iter().filter(|other| !trial.reprieve(other)).collect();
        let budget_violations = victims.len();
        victims.extend(others.into_iter().filter(|other| !trial.reprieve(other)));
        if mixed {
            by_importance(&mut victims, now);
        }
        if victims.is_empty() {
            let name = self.cache.node(node).name();
            return Err(Status::error(format!(
                "expected at least one victim pod on node {name:?}"
            )));
        }
        Ok(Candidate { node, victims, budget_violations })
    }

    /// Tries out who would have to go on each of `nodes`, beginning at the one at `offset`, until
    /// there are enough candidates and one of them violates no budget. Of either kind no more than
    /// enough are kept.
    pub fn dry_run(
        &self,
        pod: &PodInfo,
        state: &CycleState,
        nodes: &[NodeId],
        offset: usize,
        now: Time,
    ) -> DryRun {
        let args = self.profile_of(pod).preemption.clone().unwrap_or_default();
        let enough = candidates_to_find(&args, nodes.len());
        let mut statuses = NodeStatuses::default();
        let (mut clean, mut violating) = (Vec::new(), Vec::new());
        for place in 0..nodes.len() {
            let node = nodes[(offset + place) % nodes.len()];
            let candidate = match self.victims_on(pod, state, node, now) {
                Ok(candidate) => candidate,
                Err(status) => {
                    statuses.set(node, status);
                    continue;
                }
            };
            let list = if candidate.budget_violations == 0 { &mut clean } else { &mut violating };
            if list.len() < enough {
                list.push(candidate);
            }
            if !clean.is_empty() && clean.len() + violating.len() >= enough {
                break;
            }
        }
        clean.append(&mut violating);
        DryRun { candidates: clean, statuses }
    }
}
