//! Two-level scheduling by offers (Mesos, NSDI'11; as modelled in Omega, EuroSys'13 §3.3).
//!
//! An allocator offers all that nobody holds to one framework at a time: to the one with the least
//! dominant share (DRF) among those that want some. The framework decides on all its jobs within
//! that offer, one after the other, and holds all of it until it answers: pessimistic locking. There
//! are no conflicts, but what one holds the others cannot even see.

mod framework;
mod ledger;

use rustc_hash::FxHashSet;

use self::framework::{Declined, Framework, Handled, Offer};
use self::ledger::{Hold, Ledger};
use super::crew::Crew;
use super::jobs::{Tickets, WaitingPods};
use super::options::Time;
use super::planner::{Plan, Planner};
use super::tally::{Decided, Tally};
use crate::cluster::{Cluster, Fact, NodeId, PodId, ResourceNames, Resources};
use crate::engine::{Purpose, SimDuration, SimTime, Stream, Streams};
use crate::metrics::SchedulerActivity;
use crate::scheduling::config::SchedulerConfig;
use crate::scheduling::scheduler::{Decision, Scheduler, SchedulerCounts, WaitingClasses};

/// Stream of the allocator's own time.
const ALLOCATOR_STREAM: u64 = u64::MAX;

/// How offers are made.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// What the allocator takes to make an offer.
    pub allocator: Time,
    /// A job is given up after so many attempts.
    pub max_attempts: u64,
}

/// Frameworks and their allocator.
pub(super) struct Mesos {
    crew: Crew,
    rules: Rules,
    frameworks: Vec<Framework>,
    ledger: Ledger,
    tickets: Tickets,
    planner: Planner,
    /// When the allocator makes the offer that it is working on, and since when it has been.
    round: Option<(SimTime, SimTime)>,
    allocator_tally: Tally,
    allocator_stream: Stream,
    /// What all nodes can reserve together; `None` where that has to be added up anew.
    capacity: Option<Resources>,
    /// Pods bound by this scheduler of which the facts are still to come.
    launched: FxHashSet<PodId>,
    answering: Option<Answer>,
    offers: u64,
    news: u64,
    next: Option<SimTime>,
    counts: SchedulerCounts,
}

/// An answer that is being carried out.
struct Answer {
    framework: usize,
    offer: Offer,
    placed: bool,
    /// Pods that are given up, the next one last.
    rejected: Vec<PodId>,
}

impl Mesos {
    /// The frameworks of `crew`, without jobs.
    pub fn new(crew: Crew, rules: Rules, config: SchedulerConfig, streams: Streams) -> Self {
        let framework = |number| {
            Framework::new(config.queue, streams.stream(Purpose::DecisionTime, number as u64))
        };
        let frameworks: Vec<Framework> = (0..crew.members.len()).map(framework).collect();
        Self {
            ledger: Ledger::new(frameworks.len()),
            frameworks,
            crew,
            rules,
            tickets: Tickets::default(),
            planner: Planner::new(config.strategy, config.index, streams),
            round: None,
            allocator_tally: Tally::default(),
            allocator_stream: streams.stream(Purpose::DecisionTime, ALLOCATOR_STREAM),
            capacity: None,
            launched: FxHashSet::default(),
            answering: None,
            offers: 0,
            news: 0,
            next: None,
            counts: SchedulerCounts::default(),
        }
    }

    fn someone_wants(&self) -> bool {
        self.ledger.has_loose() && self.frameworks.iter().any(|one| one.wants_offer(self.news))
    }

    fn plan_next_wake(&mut self) {
        let answers = self.frameworks.iter().filter_map(|one| Some(one.offer.as_ref()?.until));
        let round = self.round.map(|(until, _)| until);
        self.next = answers.chain(round).min();
    }

    /// The framework whose answer comes first, if that is at `now` or was before.
    fn due(&self, now: SimTime) -> Option<usize> {
        let until = |(number, one): (usize, &Framework)| Some((one.offer.as_ref()?.until, number));
        let first = self.frameworks.iter().enumerate().filter_map(until).min()?;
        (first.0 <= now).then_some(first.1)
    }

    /// The allocator goes on: begins a round, or makes the offer. False if it has nothing to do
    /// now.
    fn allocate(&mut self, cluster: &Cluster) -> bool {
        let now = cluster.now();
        match self.round {
            None if self.someone_wants() => {
                let took = match now {
                    SimTime::ZERO => SimDuration::ZERO,
                    _ => self.rules.allocator.draw(&mut self.allocator_stream),
                };
                self.round = Some((now.saturating_add(took), now));
                true
            }
            Some((until, began)) if until <= now => {
                self.round = None;
                self.allocator_tally.worked(now.since(began));
                if self.someone_wants() {
                    self.make_offer(cluster);
                }
                true
            }
            None | Some(_) => false,
        }
    }

    /// Offers everything loose to the framework with the least dominant share.
    fn make_offer(&mut self, cluster: &Cluster) {
        let nodes = cluster.nodes();
        let capacity = *self.capacity.get_or_insert_with(|| {
            let present = nodes.ids().filter(|node| nodes.condition(*node).present);
            present.fold(Resources::ZERO, |sum, node| sum.plus(nodes.limit(node)))
        });
        let wanting = self.frameworks.iter().enumerate();
        let wanting = wanting.filter(|(_, one)| one.wants_offer(self.news));
        let first = wanting.min_by_key(|(number, one)| (one.dominant_share(&capacity), *number));
        let Some((number, _)) = first else { return };
        self.ledger.offer(number);
        self.offers += 1;
        let offer = self.decide_on_offer(cluster, number);
        self.frameworks[number].declined = None;
        self.frameworks[number].offer = Some(offer);
    }

    /// What the framework will answer, and when.
    fn decide_on_offer(&mut self, cluster: &Cluster, number: usize) -> Offer {
        let among = self.show_offer(cluster, number);
        let framework = &mut self.frameworks[number];
        let mut until = cluster.now();
        let (mut handled, mut is_first) = (Vec::new(), true);
        while let Some(job) = framework.queue.pop(cluster, &self.tickets) {
            let Plan { mut claims, lacking } = self.planner.plan_on_draft(
                cluster,
                &self.tickets,
                &job.pods,
                job.attempts,
                among.as_deref(),
            );
            claims.reverse();
            let tasks = claims.len() + lacking.len();
            let began = until;
            let time = &self.crew.members[number].time;
            until = until.saturating_add(time.draw(until, tasks, &mut framework.stream));
            is_first &= job.attempts == 0;
            let decided = Decided {
                began,
                over: until,
                first_since: (job.attempts == 0).then_some(job.since),
                claims: claims.len() as u64,
                conflicts: 0,
            };
            let lacking = lacking.into_iter().map(|(ticket, _)| ticket).collect();
            handled.push(Handled { job, claims, lacking, decided });
        }
        self.planner.draft().withdraw();
        handled.reverse();
        Offer {
            number: self.offers,
            news: self.news,
            began: cluster.now(),
            until,
            handled,
            is_first,
        }
    }

    /// Shows on the draft what the framework was offered; the nodes, where it is not the bulk.
    fn show_offer(&mut self, cluster: &Cluster, number: usize) -> Option<Vec<NodeId>> {
        let draft = self.planner.draft();
        draft.refresh(cluster);
        let Some(Hold::Some(amounts)) = self.ledger.hold(number) else {
            for (node, held) in self.ledger.held_by_others(number) {
                draft.show_free(node, cluster.nodes().free(node).minus(&held));
            }
            return None;
        };
        for (node, amount) in amounts {
            // Never more than there is: a node may have shrunk.
            let free = cluster.nodes().free(*node);
            let least = std::array::from_fn(|d| amount.0[d].min(free.0[d]));
            draft.show_free(*node, Resources(least));
        }
        Some(amounts.keys().copied().collect())
    }

    /// The next decision of the answer at hand; `None` when it is over.
    fn go_on_with_answer(&mut self, cluster: &Cluster) -> Option<Decision> {
        let mut answer = self.answering.take()?;
        let decision = self.next_decision(cluster, &mut answer);
        if decision.is_some() {
            self.answering = Some(answer);
        } else {
            self.close(&answer);
        }
        decision
    }

    fn next_decision(&mut self, cluster: &Cluster, answer: &mut Answer) -> Option<Decision> {
        loop {
            if let Some(pod) = answer.rejected.pop() {
                return Some(Decision::Reject { pod });
            }
            let handled = answer.offer.handled.last_mut()?;
            while let Some(claim) = handled.claims.pop() {
                let Some(pod) = self.tickets.pending(cluster, claim.ticket) else { continue };
                let class = cluster.classes().get(pod.class);
                // Only what happened to the node itself can have made it impossible.
                if !cluster.admits(class, claim.node) {
                    handled.lacking.push(claim.ticket);
                    continue;
                }
                let pod = claim.ticket.pod.pod;
                self.ledger.use_up(answer.framework, claim.node, &class.requests);
                self.launched.insert(pod);
                answer.placed = true;
                self.counts.attempts += 1;
                self.counts.placed += 1;
                return Some(Decision::Bind { pod, node: claim.node, devices: None });
            }
            if let Some(handled) = answer.offer.handled.pop() {
                self.close_job(cluster, answer, handled);
            }
        }
    }

    /// A job is over within the answer: what is left of it waits for another offer, or is given up.
    fn close_job(&mut self, cluster: &Cluster, answer: &mut Answer, handled: Handled) {
        let Handled { mut job, mut lacking, decided, .. } = handled;
        lacking.retain(|ticket| self.tickets.pending(cluster, *ticket).is_some());
        self.counts.attempts += lacking.len() as u64;
        self.counts.unschedulable += lacking.len() as u64;
        let framework = &mut self.frameworks[answer.framework];
        framework.tally.decided(decided);
        job.attempts += 1;
        if lacking.is_empty() {
            return;
        }
        if job.attempts >= self.rules.max_attempts {
            framework.tally.abandoned();
            answer.rejected = lacking.iter().rev().map(|ticket| ticket.pod.pod).collect();
        } else {
            job.pods = lacking;
            framework.queue.put_back(job, true);
        }
    }

    /// The answer is over: the rest of the offer goes back.
    fn close(&mut self, answer: &Answer) {
        self.ledger.give_back(answer.framework);
        let Offer { number, news, .. } = answer.offer;
        if !answer.placed {
            self.frameworks[answer.framework].declined = Some(Declined { offer: number, news });
        }
        // What goes back is new to those who were made their offer later than this one.
        for other in &mut self.frameworks {
            if other.declined.is_some_and(|declined| declined.offer > number) {
                other.declined = None;
            }
        }
    }
}

impl Scheduler for Mesos {
    fn enqueue(&mut self, cluster: &Cluster, pod: PodId) {
        let ticket = self.tickets.issue(cluster, pod);
        let tier = cluster.class_of(pod).tier;
        let key = cluster.workloads().get(cluster.pod(pod).new.workload).key;
        let framework = &mut self.frameworks[self.crew.in_charge(tier, key)];
        framework.queue.push(cluster, ticket);
        framework.declined = None;
        if self.round.is_none() && framework.offer.is_none() {
            self.next = Some(SimTime::ZERO);
        }
    }

    fn note_improved(&mut self, _: NodeId) {
        self.news += 1;
        if self.round.is_none() && self.frameworks.iter().any(|one| one.wants_offer(self.news)) {
            self.next = Some(SimTime::ZERO);
        }
    }

    fn follows_facts(&self) -> bool {
        true
    }

    fn follow(&mut self, cluster: &Cluster, fact: &Fact) {
        match *fact {
            Fact::PodBound { pod, node, class } | Fact::PodUnbound { pod, node, class } => {
                let class = cluster.classes().get(class);
                let key = cluster.workloads().get(cluster.pod(pod).new.workload).key;
                let framework = &mut self.frameworks[self.crew.in_charge(class.tier, key)];
                if matches!(fact, Fact::PodUnbound { .. }) {
                    framework.allocated -= class.requests;
                    self.ledger.freed(node, &class.requests);
                } else {
                    framework.allocated += class.requests;
                    if !self.launched.remove(&pod) {
                        self.ledger.taken(node, &class.requests);
                    }
                }
            }
            Fact::NodeAdded { node } => {
                self.ledger.joined(cluster, node);
                self.capacity = None;
            }
            Fact::NodeRemoved { .. } | Fact::NodeResized { .. } => self.capacity = None,
            Fact::PodSubmitted { .. }
            | Fact::PodEnteredAlloc { .. }
            | Fact::PodStarted { .. }
            | Fact::PodStopped { .. }
            | Fact::PodEvicted { .. }
            | Fact::PodEnded { .. }
            | Fact::PodResized { .. }
            | Fact::NodeResizing { .. }
            | Fact::NodeDown { .. }
            | Fact::NodeUp { .. }
            | Fact::NodeNotReady { .. }
            | Fact::NodeReady { .. }
            | Fact::NodeCordoned { .. }
            | Fact::DomainDown { .. }
            | Fact::DomainUp { .. }
            | Fact::WorkloadScaled { .. }
            | Fact::WorkloadEnded { .. } => {}
        }
    }

    fn wakes_at(&self) -> Option<SimTime> {
        self.next
    }

    fn decide(&mut self, cluster: &Cluster) -> Option<Decision> {
        loop {
            if self.answering.is_some() {
                if let Some(decision) = self.go_on_with_answer(cluster) {
                    return Some(decision);
                }
            } else if let Some(framework) = self.due(cluster.now()) {
                let offer = self.frameworks[framework].offer.take()?;
                let answer = Answer { framework, offer, placed: false, rejected: Vec::new() };
                self.answering = Some(answer);
            } else if !self.allocate(cluster) {
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
        let round = self.round.map(|(_, began)| (began, true));
        let allocator = self.allocator_tally.activity("allocator", now, round);
        let frameworks = self.crew.members.iter().zip(&self.frameworks).map(|(member, one)| {
            let at_work = one.offer.as_ref().map(|offer| (offer.began, offer.is_first));
            one.tally.activity(&member.name, now, at_work)
        });
        std::iter::once(allocator).chain(frameworks).collect()
    }

    fn waiting(&self, cluster: &Cluster, names: &ResourceNames, most: usize) -> WaitingClasses {
        let mut pods = WaitingPods::default();
        for framework in self.frameworks.iter().filter(|one| !one.wants_offer(self.news)) {
            framework.queue.pending(cluster, &self.tickets, &mut pods);
        }
        pods.summary(cluster, most, |class| self.planner.rejections(cluster, class, names))
    }
}
