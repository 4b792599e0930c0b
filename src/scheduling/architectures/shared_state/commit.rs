//! Commits: what of a plan is carried out when the decision is over, what is tried again, and what
//! is given up.

use super::super::jobs::{Job, Ticket};
use super::super::planner::Claim;
use super::super::tally::Decided;
use super::{Mode, SharedState};
use crate::cluster::{ClassId, Cluster, PodId};
use crate::engine::SimTime;
use crate::scheduling::scheduler::Decision;

/// A plan that is being carried out.
#[derive(Debug)]
pub(super) struct Commit {
    /// Number of the scheduler.
    worker: usize,
    job: Job,
    began: SimTime,
    /// Claims without a known conflict, the next one last.
    claims: Vec<Claim>,
    /// Pods without a place that may still preempt others, the next one last.
    preempting: Vec<(Ticket, ClassId)>,
    /// Pods to be tried again: those in conflict, and what has to be placed together with others.
    again: Vec<Ticket>,
    /// Pods without a place.
    lacking: Vec<(Ticket, ClassId)>,
    /// Pods that are given up, the next one last.
    rejected: Vec<Ticket>,
    /// Placements that were asked for.
    asked: u64,
    /// Of them, those in conflict.
    conflicts: u64,
    closed: bool,
}

impl SharedState {
    /// The decision of scheduler `worker` is over: finds the conflicts.
    pub(super) fn begin_commit(&mut self, cluster: &Cluster, worker: usize) {
        let Some(work) = self.workers[worker].finish() else { return };
        let tickets = &self.tickets;
        let pending = |ticket| tickets.pending(cluster, ticket).is_some();
        let seen = work.seen.iter().copied().map(Some).chain(std::iter::repeat(None));
        let claims = work.plan.claims.into_iter().zip(seen);
        let claims: Vec<_> = claims.filter(|(claim, _)| pending(claim.ticket)).collect();
        let lacking = work.plan.lacking.into_iter();
        let lacking: Vec<_> = lacking.filter(|(ticket, _)| pending(*ticket)).collect();
        let mut commit = Commit {
            worker,
            job: work.job,
            began: work.began,
            asked: claims.len() as u64,
            claims: Vec::new(),
            preempting: Vec::new(),
            again: Vec::new(),
            lacking: Vec::new(),
            rejected: Vec::new(),
            conflicts: 0,
            closed: false,
        };
        for (claim, seen) in claims {
            if seen.is_some_and(|seen| seen != self.placements_on(claim.node)) {
                commit.again.push(claim.ticket);
            } else {
                commit.claims.push(claim);
            }
        }
        commit.conflicts = commit.again.len() as u64;
        match self.rules.mode {
            Mode::Incremental => commit.preempting = lacking,
            // A gang starts as one, so it waits for room instead of making some for a part.
            Mode::AllOrNothing => commit.lacking = lacking,
        }
        if self.rules.mode == Mode::AllOrNothing {
            self.all_or_nothing(cluster, &mut commit);
        }
        commit.claims.reverse();
        commit.preempting.reverse();
        self.commit = Some(commit);
    }

    /// Takes all claims back where not all pods of the job can be placed.
    fn all_or_nothing(&mut self, cluster: &Cluster, commit: &mut Commit) {
        if !commit.lacking.is_empty() {
            // It could not have been committed anyhow.
            (commit.asked, commit.conflicts) = (0, 0);
        } else {
            let refused = self.planner.conflicts(cluster, &commit.claims);
            commit.conflicts += refused as u64;
            if commit.conflicts == 0 {
                return;
            }
        }
        commit.again.extend(commit.claims.drain(..).map(|claim| claim.ticket));
    }

    /// The next decision of the commit at hand; `None` when it is over.
    pub(super) fn go_on_with_commit(&mut self, cluster: &Cluster) -> Option<Decision> {
        let mut commit = self.commit.take()?;
        let decision = self.next_decision(cluster, &mut commit);
        if decision.is_some() {
            self.commit = Some(commit);
        }
        decision
    }

    fn next_decision(&mut self, cluster: &Cluster, commit: &mut Commit) -> Option<Decision> {
        while let Some(claim) = commit.claims.pop() {
            let Some(pod) = self.tickets.pending(cluster, claim.ticket) else { continue };
            if cluster.admits(cluster.classes().get(pod.class), claim.node) {
                return Some(self.place(Decision::Bind {
                    pod: claim.ticket.pod.pod,
                    node: claim.node,
                    devices: None,
                }));
            }
            commit.again.push(claim.ticket);
            commit.conflicts += 1;
        }
        while let Some((ticket, class)) = commit.preempting.pop() {
            let Some(pod) = self.tickets.pending(cluster, ticket) else { continue };
            match self.preempt(cluster, ticket.pod.pod, class, pod.serial) {
                Some(decision) => return Some(self.place(decision)),
                None => commit.lacking.push((ticket, class)),
            }
        }
        if !commit.closed {
            commit.closed = true;
            self.close(cluster, commit);
        }
        let ticket = commit.rejected.pop()?;
        Some(Decision::Reject { pod: ticket.pod.pod })
    }

    /// Counts a placement.
    fn place(&mut self, decision: Decision) -> Decision {
        if let Decision::Bind { node, .. } | Decision::Preempt { node, .. } = &decision {
            self.count_placement(*node);
            self.counts.attempts += 1;
            self.counts.placed += 1;
        }
        if let Decision::Preempt { victims, .. } = &decision {
            self.counts.preempted += victims.len() as u64;
        }
        decision
    }

    /// Makes room for a pod that had none, where that is allowed; what became free meanwhile does
    /// as well.
    fn preempt(
        &mut self,
        cluster: &Cluster,
        pod: PodId,
        class: ClassId,
        serial: u64,
    ) -> Option<Decision> {
        let rule = self.preemption.as_mut()?;
        if let Some(node) = self.planner.choose(cluster, class, serial) {
            return Some(Decision::Bind { pod, node, devices: None });
        }
        let (node, victims) = rule.search(cluster, cluster.classes().get(class))?;
        Some(Decision::Preempt { pod, node, victims })
    }

    /// What could be placed is placed; the rest of the job goes back into the queue, waits for
    /// room, or is given up.
    fn close(&mut self, cluster: &Cluster, commit: &mut Commit) {
        self.counts.attempts += (commit.again.len() + commit.lacking.len()) as u64;
        self.counts.unschedulable += commit.lacking.len() as u64;
        let mut job = std::mem::replace(&mut commit.job, Job::nobody());
        let worker = &mut self.workers[commit.worker];
        worker.tally.decided(Decided {
            began: commit.began,
            over: cluster.now(),
            first_since: (job.attempts == 0).then_some(job.since),
            claims: commit.asked,
            conflicts: commit.conflicts,
        });
        job.attempts += 1;
        let lacking = commit.lacking.iter().map(|(ticket, _)| *ticket);
        job.pods = commit.again.drain(..).chain(lacking).collect();
        if job.pods.is_empty() {
            return;
        }
        if job.attempts >= self.rules.max_attempts {
            worker.tally.abandoned();
            job.pods.reverse();
            commit.rejected = job.pods;
        } else if commit.lacking.is_empty() || commit.conflicts > 0 {
            worker.queue.put_back(job, true);
        } else if self.head_of_line_blocking {
            worker.hold_up(job);
        } else {
            let mut classes: Vec<ClassId> =
                commit.lacking.iter().map(|(_, class)| *class).collect();
            classes.sort_unstable();
            classes.dedup();
            worker.queue.block(cluster, &self.tickets, job, classes);
        }
    }
}
