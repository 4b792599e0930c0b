//! Scheduling as a minimum-cost flow, in rounds (Quincy, SOSP'09; Firmament, OSDI'16).
//!
//! A round takes the pending pods, as many as it may, and places all of them at once such that what
//! placements and waiting cost together is least. Pods that are running stay where they are.

mod costs;
mod network;
mod round;

pub(super) use self::costs::{Model, Waiting};
pub(super) use self::round::Shape;
use self::round::{Outcome, solve};
use super::jobs::{Job, JobQueue, Ticket, Tickets, WaitingPods};
use super::options::DecisionTime;
use super::planner::Claim;
use super::tally::Tally;
use crate::cluster::{ClassId, Cluster, Dimension, NodeId, PodClass, PodId, ResourceNames};
use crate::engine::{Purpose, SimDuration, SimTime, Stream, Streams};
use crate::metrics::SchedulerActivity;
use crate::scheduling::config::SchedulerConfig;
use crate::scheduling::placement::{Index, Placer, Strategy};
use crate::scheduling::scheduler::{Decision, Scheduler, SchedulerCounts, WaitingClasses};

/// Between rounds in which everybody prefers to wait: costs of waiting change by the second.
const PATIENCE: SimDuration = SimDuration::from_secs(1);

/// How rounds go.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// How networks are made.
    pub shape: Shape,
    /// Most pods in a round.
    pub batch: usize,
    /// What a round takes: a constant, and more for each pod.
    pub time: DecisionTime,
    /// From the beginning of one round to that of the next, at least.
    pub interval: SimDuration,
}

/// A round that is on.
struct Round {
    jobs: Vec<Job>,
    outcome: Outcome,
    /// Of the claims, how many have been carried out.
    position: usize,
    /// Pods that were in it.
    pods: u64,
    began: SimTime,
    until: SimTime,
    refused: u64,
}

/// The flow scheduler.
pub(super) struct Flow {
    rules: Rules,
    queue: JobQueue,
    tickets: Tickets,
    round: Option<Round>,
    /// Not before this does the next round begin.
    not_before: SimTime,
    improved: Vec<NodeId>,
    stream: Stream,
    tally: Tally,
    counts: SchedulerCounts,
    /// For explanations only.
    placer: Placer,
}

impl Flow {
    /// A scheduler without jobs.
    pub fn new(rules: Rules, config: &SchedulerConfig, streams: Streams) -> Self {
        Self {
            rules,
            queue: JobQueue::new(config.queue),
            tickets: Tickets::default(),
            round: None,
            not_before: SimTime::ZERO,
            improved: Vec::new(),
            stream: streams.stream(Purpose::DecisionTime, 0),
            tally: Tally::default(),
            counts: SchedulerCounts::default(),
            placer: Placer::new(Strategy::Random, Index::Auto, streams),
        }
    }

    /// Tries again the jobs that nodes which have improved could take.
    fn look_at_improved(&mut self, cluster: &Cluster) {
        let mut improved = std::mem::take(&mut self.improved);
        improved.sort_unstable();
        improved.dedup();
        let free = |node: &NodeId| cluster.nodes().free(*node);
        let most = |d| improved.iter().map(|node| free(node)[d]).max().unwrap_or(i64::MIN);
        let widest = (most(Dimension::CPU), most(Dimension::MEMORY));
        let could_help = |class: &PodClass| improved.iter().any(|n| cluster.admits(class, *n));
        self.queue.reactivate(cluster, |_| widest, could_help);
    }

    /// Begins a round; false if there is nobody to be placed, or it is too soon.
    fn begin(&mut self, cluster: &Cluster) -> bool {
        let now = cluster.now();
        if self.not_before > now {
            return false;
        }
        self.look_at_improved(cluster);
        let (mut jobs, mut pods) = (Vec::new(), 0);
        while pods < self.rules.batch {
            let Some(mut job) = self.queue.pop(cluster, &self.tickets) else { break };
            let rest = job.pods.split_off(job.pods.len().min(self.rules.batch - pods));
            pods += job.pods.len();
            if !rest.is_empty() {
                self.queue.put_back(job.share(rest), false);
            }
            jobs.push(job);
        }
        if jobs.is_empty() {
            return false;
        }
        let outcome = solve(cluster, &self.tickets, &jobs, self.rules.shape);
        self.counts.examined += outcome.arcs as u64;
        let until = now.saturating_add(self.rules.time.draw(now, pods, &mut self.stream));
        self.not_before = now.saturating_add(self.rules.interval);
        let (position, refused, pods) = (0, 0, pods as u64);
        self.round = Some(Round { jobs, outcome, position, pods, began: now, until, refused });
        true
    }

    /// The next decision of a round that is over; `None` when all are carried out.
    fn carry_out(&mut self, cluster: &Cluster) -> Option<Decision> {
        let round = self.round.as_mut()?;
        while let Some(Claim { ticket, node, .. }) = round.outcome.claims.get(round.position) {
            round.position += 1;
            let Some(pod) = self.tickets.pending(cluster, *ticket) else { continue };
            // Here is seen what the network cannot say: whether all that came together on a node
            // fits there, in every resource, and whether the node has changed since.
            if cluster.admits(cluster.classes().get(pod.class), *node) {
                self.counts.placed += 1;
                return Some(Decision::Bind { pod: ticket.pod.pod, node: *node, devices: None });
            }
            round.refused += 1;
        }
        self.close(cluster);
        None
    }

    /// The round is over: who is not placed waits for room or for the next round.
    fn close(&mut self, cluster: &Cluster) {
        let Some(round) = self.round.take() else { return };
        let Outcome { claims, hopeless, .. } = &round.outcome;
        let (now, claimed) = (cluster.now(), claims.len() as u64);
        self.tally.worked_on_round(round.began, now, claimed, round.refused);
        self.counts.attempts += round.pods;
        let nobody_moves = claims.is_empty();
        let mut somebody_could = false;
        for mut job in round.jobs {
            if job.attempts == 0 {
                self.tally.waited(job.since, now);
            }
            job.attempts += 1;
            let left = |ticket: &Ticket| self.tickets.pending(cluster, *ticket).is_some();
            job.pods.retain(left);
            if job.pods.is_empty() {
                continue;
            }
            let mut lacking: Vec<ClassId> =
                job.pods.iter().map(|ticket| cluster.pod(ticket.pod.pod).class).collect();
            lacking.sort_unstable();
            lacking.dedup();
            if lacking.iter().all(|class| hopeless.contains(class)) {
                self.counts.unschedulable += job.pods.len() as u64;
                self.queue.block(cluster, &self.tickets, job, lacking);
            } else {
                somebody_could = true;
                self.queue.put_back(job, false);
            }
        }
        if nobody_moves && somebody_could {
            // They prefer to wait, until that costs more than the dearest node.
            let later = round.began.saturating_add(self.rules.interval.max(PATIENCE));
            self.not_before = self.not_before.max(later);
        }
    }
}

impl Scheduler for Flow {
    fn enqueue(&mut self, cluster: &Cluster, pod: PodId) {
        let ticket = self.tickets.issue(cluster, pod);
        self.queue.push(cluster, ticket);
    }

    fn note_improved(&mut self, node: NodeId) {
        if self.queue.has_blocked() || self.round.is_some() {
            self.improved.push(node);
        }
    }

    fn wakes_at(&self) -> Option<SimTime> {
        match &self.round {
            Some(round) => Some(round.until),
            None if self.queue.has_active() => Some(self.not_before),
            None => (!self.improved.is_empty()).then_some(self.not_before),
        }
    }

    fn decide(&mut self, cluster: &Cluster) -> Option<Decision> {
        loop {
            if let Some(round) = &self.round {
                if round.until > cluster.now() {
                    return None;
                }
                if let Some(decision) = self.carry_out(cluster) {
                    return Some(decision);
                }
            } else if !self.begin(cluster) {
                return None;
            }
        }
    }

    fn counts(&self) -> SchedulerCounts {
        self.counts
    }

    fn activity(&self, now: SimTime) -> Vec<SchedulerActivity> {
        let at_work = self.round.as_ref().map(|round| (round.began, true));
        vec![self.tally.activity("flow", now, at_work)]
    }

    fn waiting(&self, cluster: &Cluster, names: &ResourceNames, most: usize) -> WaitingClasses {
        let mut pods = WaitingPods::default();
        self.queue.waiting(cluster, &self.tickets, &mut pods);
        let why = |class: &PodClass| self.placer.rejections(cluster, class, names).to_string();
        pods.summary(cluster, most, why)
    }
}
