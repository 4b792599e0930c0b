//! Schedulers side by side on shared state (Omega, EuroSys'13 §3.4), and the monolithic scheduler,
//! which is one of them alone.
//!
//! Each takes a job from its queue and works on the cell as it was when the decision began. When the
//! time of the decision is over, the placements are committed: optimistic concurrency, by which
//! whoever comes second finds a conflict and tries again. The plan is made when the decision begins
//! and kept until the commit, so that no copy of the cell is needed.

mod commit;
mod worker;

use self::commit::Commit;
use self::worker::Worker;
use super::crew::Crew;
use super::jobs::{Tickets, WaitingPods};
use super::planner::Planner;
use crate::cluster::{Cluster, Dimension, NodeId, PodId, ResourceNames};
use crate::engine::{Purpose, SimTime, Streams};
use crate::metrics::SchedulerActivity;
use crate::scheduling::config::{PreemptionRule, SchedulerConfig};
use crate::scheduling::preemption::Preemption;
use crate::scheduling::scheduler::{Decision, Scheduler, SchedulerCounts, WaitingClasses};

/// What counts as a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detection {
    /// The node has no room for the pod any more (fine-grained).
    ResourceFit,
    /// Another scheduler placed anything on the node since the decision began (coarse-grained).
    SequenceNumbers,
}

/// What a conflict does to the rest of the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nothing: what has no conflict is committed.
    Incremental,
    /// All of it is tried again, and nothing is committed before there is room for all (gang).
    AllOrNothing,
}

/// The rules of commits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// What counts as a conflict.
    pub detection: Detection,
    /// What a conflict does.
    pub mode: Mode,
    /// A job is given up after so many attempts; `u64::MAX`: never.
    pub max_attempts: u64,
}

/// Schedulers on shared state.
pub(super) struct SharedState {
    crew: Crew,
    rules: Rules,
    head_of_line_blocking: bool,
    workers: Vec<Worker>,
    tickets: Tickets,
    planner: Planner,
    preemption: Option<Preemption>,
    /// Per node: placements made there so far, its sequence number.
    placements: Vec<u64>,
    commit: Option<Commit>,
    /// When somebody has something to do next.
    next: Option<SimTime>,
    counts: SchedulerCounts,
}

impl SharedState {
    /// The schedulers of `crew`, all idle.
    pub fn new(crew: Crew, rules: Rules, config: SchedulerConfig, streams: Streams) -> Self {
        let worker = |number| {
            let stream = streams.stream(Purpose::DecisionTime, number as u64);
            Worker::new(config.queue, stream)
        };
        Self {
            workers: (0..crew.members.len()).map(worker).collect(),
            crew,
            rules,
            head_of_line_blocking: config.head_of_line_blocking,
            tickets: Tickets::default(),
            planner: Planner::new(config.strategy, config.index, streams),
            preemption: match config.preemption {
                PreemptionRule::Never => None,
                PreemptionRule::LowerPriority => Some(Preemption::new(false)),
                PreemptionRule::BorgBands => Some(Preemption::new(true)),
            },
            placements: Vec::new(),
            commit: None,
            next: None,
            counts: SchedulerCounts::default(),
        }
    }

    fn plan_next_wake(&mut self) {
        self.next = self.workers.iter().filter_map(Worker::wakes_at).min();
    }

    /// The scheduler whose decision is over first, if that is at `now` or was before.
    fn due(&self, now: SimTime) -> Option<usize> {
        let over = |(number, worker): (usize, &Worker)| Some((worker.decides_until()?, number));
        let first = self.workers.iter().enumerate().filter_map(over).min()?;
        (first.0 <= now).then_some(first.1)
    }

    /// Lets idle schedulers begin; true if any did.
    fn begin_decisions(&mut self, cluster: &Cluster) -> bool {
        let mut any = false;
        for number in 0..self.workers.len() {
            if self.workers[number].is_idle() {
                self.look_at_improved(cluster, number);
                any |= self.begin(cluster, number);
            }
            // How the cell was found: one after the other, so that nobody is in anybody's way.
            if any && cluster.now() == SimTime::ZERO {
                break;
            }
        }
        any
    }

    /// Tries again the jobs that nodes could take which have improved since they were blocked.
    fn look_at_improved(&mut self, cluster: &Cluster, number: usize) {
        let worker = &mut self.workers[number];
        let improved = worker.take_improved();
        if improved.is_empty() {
            return;
        }
        let free = |node: &NodeId| cluster.nodes().free(*node);
        let most = |d| improved.iter().map(|node| free(node)[d]).max().unwrap_or(i64::MIN);
        let widest = (most(Dimension::CPU), most(Dimension::MEMORY));
        let preemption = &mut self.preemption;
        let reach = preemption.as_mut().map(|rule| rule.reach(cluster, &improved));
        let most = |priority| match reach.as_ref().and_then(|reach| reach.of(priority)) {
            Some((cpu, memory)) => (widest.0.max(cpu), widest.1.max(memory)),
            None => widest,
        };
        worker.queue.reactivate(cluster, most, |class| {
            improved.iter().any(|node| {
                cluster.admits(class, *node)
                    || preemption.as_mut().is_some_and(|r| r.could_help(cluster, class, *node))
            })
        });
    }

    /// Lets an idle scheduler begin with its first job; false if there is none.
    fn begin(&mut self, cluster: &Cluster, number: usize) -> bool {
        let worker = &mut self.workers[number];
        if worker.is_held_up {
            return false;
        }
        let Some(job) = worker.queue.pop(cluster, &self.tickets) else { return false };
        let plan = self.planner.plan(cluster, &self.tickets, &job.pods, job.attempts);
        let seen = match self.rules.detection {
            Detection::ResourceFit => Vec::new(),
            Detection::SequenceNumbers => {
                plan.claims.iter().map(|claim| self.placements_on(claim.node)).collect()
            }
        };
        let tasks = plan.claims.len() + plan.lacking.len();
        let time = &self.crew.members[number].time;
        self.workers[number].begin(cluster.now(), job, plan, seen, time, tasks);
        true
    }

    fn placements_on(&self, node: NodeId) -> u64 {
        self.placements.get(node.index()).copied().unwrap_or(0)
    }

    fn count_placement(&mut self, node: NodeId) {
        if node.index() >= self.placements.len() {
            self.placements.resize(node.index() + 1, 0);
        }
        self.placements[node.index()] += 1;
    }
}

impl Scheduler for SharedState {
    fn enqueue(&mut self, cluster: &Cluster, pod: PodId) {
        let ticket = self.tickets.issue(cluster, pod);
        let class = cluster.class_of(pod);
        let key = cluster.workloads().get(cluster.pod(pod).new.workload).key;
        let worker = &mut self.workers[self.crew.in_charge(class.tier, key)];
        worker.push(cluster, ticket);
        if worker.is_idle() {
            self.next = Some(SimTime::ZERO);
        }
    }

    fn note_improved(&mut self, node: NodeId) {
        for worker in &mut self.workers {
            if worker.note_improved(node) {
                self.next = Some(SimTime::ZERO);
            }
        }
    }

    fn wakes_at(&self) -> Option<SimTime> {
        self.next
    }

    fn decide(&mut self, cluster: &Cluster) -> Option<Decision> {
        loop {
            if self.commit.is_some() {
                if let Some(decision) = self.go_on_with_commit(cluster) {
                    return Some(decision);
                }
            } else if let Some(number) = self.due(cluster.now()) {
                self.begin_commit(cluster, number);
            } else if !self.begin_decisions(cluster) {
                break;
            }
        }
        self.plan_next_wake();
        None
    }

    fn counts(&self) -> SchedulerCounts {
        self.counts.with_work(self.planner.counters())
    }

    fn activity(&self, now: SimTime) -> Vec<SchedulerActivity> {
        let both = self.crew.members.iter().zip(&self.workers);
        both.map(|(member, worker)| worker.activity(&member.name, now)).collect()
    }

    fn waiting(&self, cluster: &Cluster, names: &ResourceNames, most: usize) -> WaitingClasses {
        let mut pods = WaitingPods::default();
        for worker in &self.workers {
            worker.queue.waiting(cluster, &self.tickets, &mut pods);
        }
        pods.summary(cluster, most, |class| self.planner.rejections(cluster, class, names))
    }
}
