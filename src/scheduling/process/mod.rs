//! A scheduler in another language: a child process that is asked once for each pass.
//!
//! What it decides is checked before it is carried out: a decision that makes no sense ends the
//! run with an error that says which line of the child is wrong.

mod check;
mod options;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::placement::{Rejections, rejection};
use super::scheduler::{Decision, Scheduler, SchedulerCounts, Waiting, WaitingClasses};
use crate::cluster::{Cluster, Fact, NodeId, PodClass, PodId, ResourceNames};
use crate::engine::{SimTime, Streams};
use crate::protocol::{Conversation, Mirror, ProcessSpec, Role};

use check::Asked;
pub use options::process_spec;

/// A scheduler that is a child process.
pub struct ProcessScheduler {
    spec: ProcessSpec,
    streams: Streams,
    names: ResourceNames,
    /// `None` before the run begins, and once it failed.
    conversation: Option<Conversation>,
    failure: Option<String>,
    mirror: Mirror,
    /// Serials of the pods that wait.
    pending: BTreeSet<u64>,
    has_news: bool,
    wake_at: Option<SimTime>,
    /// What it asked for in this pass and is not done yet, with its position in the reply.
    asked: VecDeque<(usize, Asked)>,
    in_pass: bool,
    counts: SchedulerCounts,
}

impl ProcessScheduler {
    /// A scheduler that will be started when the run begins.
    pub fn new(spec: ProcessSpec, streams: Streams) -> Self {
        Self {
            spec,
            streams,
            names: ResourceNames::default(),
            conversation: None,
            failure: None,
            mirror: Mirror::default(),
            pending: BTreeSet::new(),
            has_news: false,
            wake_at: None,
            asked: VecDeque::new(),
            in_pass: false,
            counts: SchedulerCounts::default(),
        }
    }

    /// Asks what to do, and is told.
    fn ask(&mut self, cluster: &Cluster) -> Result<(), String> {
        let Some(conversation) = &mut self.conversation else { return Ok(()) };
        let now = cluster.now();
        let turn = self.mirror.turn(cluster);
        self.counts.attempts += self.pending.len() as u64;
        let reply = conversation.turn(now, &turn)?;
        self.wake_at = reply.wake_at();
        self.asked = reply.actions.into_iter().enumerate().collect();
        Ok(())
    }

    /// The next decision of the pass, if there is one more.
    fn next(&mut self, cluster: &Cluster) -> Result<Option<Decision>, String> {
        if !self.in_pass {
            self.in_pass = true;
            self.has_news = false;
            self.wake_at = None;
            self.ask(cluster)?;
        }
        let Some((position, asked)) = self.asked.pop_front() else {
            self.in_pass = false;
            return Ok(None);
        };
        let checked = asked.check(cluster, &self.mirror, &self.names);
        let decision = match (checked, &self.conversation) {
            (Ok(decision), _) => decision,
            (Err(reason), Some(talk)) => return Err(talk.wrong_action(position, &reason)),
            (Err(reason), None) => return Err(reason),
        };
        self.count(&decision);
        Ok(Some(decision))
    }

    fn count(&mut self, decision: &Decision) {
        match decision {
            Decision::Bind { .. } => self.counts.placed += 1,
            Decision::Preempt { victims, .. } => {
                self.counts.placed += 1;
                self.counts.preempted += victims.len() as u64;
            }
            Decision::Evict { .. } => self.counts.preempted += 1,
            Decision::Enter { .. } | Decision::Reject { .. } => {}
        }
    }
}

impl Scheduler for ProcessScheduler {
    fn begin(&mut self, names: &ResourceNames) {
        self.names = names.clone();
        self.mirror = Mirror::new(names.iter().count());
        let name = "the scheduler process";
        match Conversation::begin(name, Role::Scheduler, &self.spec, names, self.streams) {
            Ok((conversation, _)) => self.conversation = Some(conversation),
            Err(reason) => self.failure = Some(reason),
        }
    }

    fn failure(&mut self) -> Option<String> {
        self.failure.take()
    }

    fn enqueue(&mut self, cluster: &Cluster, pod: PodId) {
        self.pending.insert(cluster.pod(pod).serial);
        self.has_news = true;
    }

    fn note_improved(&mut self, _node: NodeId) {
        self.has_news |= !self.pending.is_empty();
    }

    fn follows_facts(&self) -> bool {
        true
    }

    fn follow(&mut self, cluster: &Cluster, fact: &Fact) {
        let Some(pod) = fact.changed_pod() else { return };
        if matches!(fact, Fact::PodBound { .. } | Fact::PodEnded { .. }) {
            self.pending.remove(&cluster.pod(pod).serial);
        }
        self.mirror.note_pod(cluster, pod);
    }

    fn wakes_at(&self) -> Option<SimTime> {
        if self.has_news { Some(SimTime::ZERO) } else { self.wake_at }
    }

    fn decide(&mut self, cluster: &Cluster) -> Option<Decision> {
        self.next(cluster).unwrap_or_else(|reason| {
            self.failure = Some(reason);
            self.conversation = None;
            self.asked.clear();
            (self.in_pass, self.wake_at) = (false, None);
            None
        })
    }

    fn counts(&self) -> SchedulerCounts {
        let unplaced = self.counts.attempts.saturating_sub(self.counts.placed);
        SchedulerCounts { unschedulable: unplaced, ..self.counts }
    }

    fn waiting(&self, cluster: &Cluster, names: &ResourceNames, most: usize) -> WaitingClasses {
        let mut classes: BTreeMap<u32, (PodClass, usize)> = BTreeMap::new();
        let waiting = cluster.pods().iter().filter(|(_, pod)| self.pending.contains(&pod.serial));
        for (_, pod) in waiting {
            let class = *cluster.classes().get(pod.class);
            classes.entry(pod.class.0).or_insert((class, 0)).1 += 1;
        }
        let mut sorted: Vec<(PodClass, usize)> = classes.into_values().collect();
        sorted.sort_by_key(|(class, pods)| {
            (std::cmp::Reverse(*pods), class.template, class.requests.0)
        });
        let listed = sorted.iter().take(most).map(|(class, pods)| Waiting {
            pods: *pods,
            tier: class.tier,
            why: Rejections::count(cluster, names, |node| rejection(cluster, class, node))
                .to_string(),
        });
        WaitingClasses { listed: listed.collect(), classes: sorted.len() }
    }
}
