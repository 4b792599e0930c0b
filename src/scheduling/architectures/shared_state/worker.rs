//! One of the schedulers: its queue, and what it is at work on.

use super::super::jobs::{Job, JobQueue, Ticket};
use super::super::options::DecisionTime;
use super::super::planner::Plan;
use super::super::tally::Tally;
use crate::cluster::{Cluster, NodeId};
use crate::engine::{SimTime, Stream};
use crate::metrics::SchedulerActivity;
use crate::scheduling::config::QueueOrder;

/// A decision that is being made.
#[derive(Debug)]
pub(super) struct AtWork {
    /// The job.
    pub job: Job,
    /// Where its pods are to go.
    pub plan: Plan,
    /// Sequence number of the node of each claim when the decision began, where these count.
    pub seen: Vec<u64>,
    /// When it began.
    pub began: SimTime,
    /// When it is over.
    pub until: SimTime,
}

/// A scheduler.
#[derive(Debug)]
pub(super) struct Worker {
    /// Its jobs.
    pub queue: JobQueue,
    /// What it did.
    pub tally: Tally,
    /// Its first job had no room, and nobody may overtake it.
    pub is_held_up: bool,
    at_work: Option<AtWork>,
    /// Nodes that may take more than when jobs were found to have no room.
    improved: Vec<NodeId>,
    stream: Stream,
}

impl Worker {
    /// An idle scheduler.
    pub fn new(order: QueueOrder, stream: Stream) -> Self {
        Self {
            queue: JobQueue::new(order),
            tally: Tally::default(),
            is_held_up: false,
            at_work: None,
            improved: Vec::new(),
            stream,
        }
    }

    /// True while it decides on nothing.
    pub fn is_idle(&self) -> bool {
        self.at_work.is_none()
    }

    /// When its decision is over, if it is making one.
    pub fn decides_until(&self) -> Option<SimTime> {
        self.at_work.as_ref().map(|at_work| at_work.until)
    }

    /// When it has something to do: at once (zero) if it could begin.
    pub fn wakes_at(&self) -> Option<SimTime> {
        let can_begin = self.queue.has_active() && !self.is_held_up;
        let has_news = can_begin || !self.improved.is_empty();
        self.decides_until().or_else(|| has_news.then_some(SimTime::ZERO))
    }

    /// A node may take more than before; true if the scheduler wants to look at it now.
    pub fn note_improved(&mut self, node: NodeId) -> bool {
        let lacks = self.at_work.as_ref().is_some_and(|at_work| !at_work.plan.lacking.is_empty());
        if self.is_held_up && !lacks {
            self.is_held_up = false;
            return self.is_idle();
        }
        if !lacks && !self.queue.has_blocked() {
            return false;
        }
        self.improved.push(node);
        self.is_idle()
    }

    /// The nodes that have improved since the last time, each once.
    pub fn take_improved(&mut self) -> Vec<NodeId> {
        let mut improved = std::mem::take(&mut self.improved);
        improved.sort_unstable();
        improved.dedup();
        improved
    }

    /// Puts `job`, which had no room, back to the head of the queue. Nobody overtakes it; it is
    /// tried again when a node has improved, which may have happened while it was decided on.
    pub fn hold_up(&mut self, job: Job) {
        self.queue.put_back(job, false);
        self.is_held_up = self.take_improved().is_empty();
    }

    /// Adds a pending pod; a job that is first in the queue now is not held up.
    pub fn push(&mut self, cluster: &Cluster, ticket: Ticket) {
        let before = self.queue.first();
        self.queue.push(cluster, ticket);
        self.is_held_up &= self.queue.first() == before;
    }

    /// Begins to decide on `job`, for as long as `time` says of so many `tasks`.
    pub fn begin(
        &mut self,
        now: SimTime,
        job: Job,
        plan: Plan,
        seen: Vec<u64>,
        time: &DecisionTime,
        tasks: usize,
    ) {
        let until = now.saturating_add(time.draw(now, tasks, &mut self.stream));
        self.at_work = Some(AtWork { job, plan, seen, began: now, until });
    }

    /// The decision is over.
    pub fn finish(&mut self) -> Option<AtWork> {
        self.at_work.take()
    }

    /// What it did until `now`.
    pub fn activity(&self, name: &str, now: SimTime) -> SchedulerActivity {
        let at_work =
            self.at_work.as_ref().map(|at_work| (at_work.began, at_work.job.attempts == 0));
        self.tally.activity(name, now, at_work)
    }
}
