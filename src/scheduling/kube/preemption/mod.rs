//! Preemption: where lower pods could make room (`framework/preemption`,
//! `plugins/defaultpreemption` of kube-scheduler v1.35).

mod dry_run;
mod pick;

use std::sync::Arc;

pub use dry_run::{Candidate, DryRun, Trial, by_importance, split_by_budget};
pub use pick::{earliest_start, more_important, pick};

use super::args::PreemptionArgs;
use super::cache::NodeId;
use super::cycle::{Cycle, CycleState, Scheduler};
use super::pod::PodInfo;
use super::status::{Code, NodeStatuses, Status};
use crate::kubernetes::Time;

/// What came of a search for victims.
pub struct Preemption {
    /// Why the pod may not preempt at all.
    pub not_eligible: Option<&'static str>,
    /// Nodes on which somebody's leaving could help.
    pub potential: Vec<NodeId>,
    /// What was tried.
    pub dry_run: DryRun,
    /// Places of the candidates of which one is to be taken.
    pub best: Vec<usize>,
    /// Success, or why there is no candidate.
    pub status: Status,
}

impl Preemption {
    /// A search on all nodes that could help, unless the pod may not preempt. `dry_run` tries them
    /// out; `now` is when pods without a start time count as started.
    pub fn search(
        scheduler: &Scheduler,
        statuses: &NodeStatuses,
        not_eligible: Option<&'static str>,
        now: Time,
        dry_run: impl FnOnce(&[NodeId]) -> DryRun,
    ) -> Self {
        let mut preemption = Self {
            not_eligible,
            potential: Vec::new(),
            dry_run: DryRun::default(),
            best: Vec::new(),
            status: Status::SUCCESS,
        };
        if let Some(reason) = not_eligible {
            preemption.status = Status::unschedulable(format!("preemption: {reason}"));
            return preemption;
        }
        preemption.potential = scheduler.potential_nodes(statuses);
        preemption.dry_run = dry_run(&preemption.potential);
        preemption.best = pick(&preemption.dry_run.candidates, now);
        if preemption.best.is_empty() {
            let mut statuses = preemption.dry_run.statuses.clone();
            statuses.set_absent(Status::unresolvable("Preemption is not helpful for scheduling"));
            let text = statuses.fit_error(scheduler.cache.order().len());
            preemption.status = Status::unschedulable(format!("preemption: {text}"));
        }
        preemption
    }

    /// The candidate to take if the first of equals is.
    pub fn first(&self) -> Option<&Candidate> {
        self.best.first().map(|place| &self.dry_run.candidates[*place])
    }
}

/// How many candidates are enough, of `nodes` nodes.
pub fn candidates_to_find(args: &PreemptionArgs, nodes: usize) -> usize {
    let share = |value: i32| usize::try_from(value).unwrap_or(0);
    let wanted = nodes * share(args.min_candidate_nodes_percentage) / 100;
    wanted.max(share(args.min_candidate_nodes_absolute)).min(nodes)
}

impl Scheduler {
    /// Why `pod` may not preempt others: it does not want to, or others are leaving for it
    /// already. `nominated_status` is what filters said of the node it is nominated to.
    pub fn not_eligible(&self, pod: &PodInfo, nominated_status: &Status) -> Option<&'static str> {
        if pod.template.spec.preemption_policy.as_deref() == Some("Never") {
            return Some("not eligible due to preemptionPolicy=Never.");
        }
        if pod.nominated_node.is_empty()
            || nominated_status.code == Code::UnschedulableAndUnresolvable
        {
            return None;
        }
        let node = self.cache.node(self.cache.node_id(&pod.nominated_node)?);
        let leaving = |other: &Arc<PodInfo>| other.priority() < pod.priority() && other.preempted;
        node.pods
            .iter()
            .any(leaving)
            .then_some("not eligible due to a terminating pod on the nominated node.")
    }

    /// The nodes on which somebody's leaving could help.
    pub fn potential_nodes(&self, statuses: &NodeStatuses) -> Vec<NodeId> {
        let helps = |node: &&NodeId| statuses.get(**node).code == Code::Unschedulable;
        self.cache.order().iter().filter(helps).copied().collect()
    }

    /// Looks for victims after a failed cycle. The search begins at the node `offset` of those
    /// that could help (upstream draws it by lot); `now` is when pods without a start time count
    /// as started.
    pub fn preempt(&self, pod: &PodInfo, failed: &Cycle, offset: usize, now: Time) -> Preemption {
        self.preempt_from(pod, &failed.state, &failed.diagnosis.statuses, offset, now)
    }

    /// As [`Scheduler::preempt`], from the state and the statuses of a cycle.
    pub fn preempt_from(
        &self,
        pod: &PodInfo,
        state: &CycleState,
        statuses: &NodeStatuses,
        offset: usize,
        now: Time,
    ) -> Preemption {
        let nominated = self
            .cache
            .node_id(&pod.nominated_node)
            .map_or(statuses.absent(), |node| statuses.get(node));
        let not_eligible = self.not_eligible(pod, nominated);
        Preemption::search(self, statuses, not_eligible, now, |potential| {
            self.dry_run(pod, state, potential, offset, now)
        })
    }

    /// The pods of lower priority that were nominated to `node`: they lose it to `pod`.
    pub fn outranked(&self, pod: &PodInfo, node: &str) -> Vec<Arc<PodInfo>> {
        let nominated = self.cache.nominator.on(node).iter();
        nominated.filter(|other| other.priority() < pod.priority()).cloned().collect()
    }
}
