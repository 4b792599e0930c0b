//! Who waits to go inside of allocs, by set, and in which order they are tried.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::choice;
use crate::cluster::{AllocRole, ClassId, Cluster, Fact, PodId, PodRef, PodState, ResourceNames};
use crate::scheduling::config::PreemptionRule;
use crate::scheduling::scheduler::{Decision, SchedulerCounts, Waiting};

/// Pods that are the same to the instances of one set: of one class, asking for one number.
type Alike = (ClassId, Option<u32>);

/// The pods of one set that wait, first come first. Some have moved on since.
type Queue = BTreeMap<Alike, VecDeque<PodRef>>;

/// Pods that wait for room inside of an alloc set: higher priority first, then by time. A set is
/// looked at when something happened that could let a pod of it in.
#[derive(Clone, Debug)]
pub struct Desk {
    rule: PreemptionRule,
    /// By key of the set; only sets for which somebody waits, or did when last looked at.
    queues: BTreeMap<u64, Queue>,
    /// Sets to be looked at.
    stirred: BTreeSet<u64>,
    /// The set that this pass is at, and who found no room there.
    at: Option<(u64, BTreeSet<Alike>)>,
    counts: SchedulerCounts,
}

impl Desk {
    /// Nobody waits yet.
    pub fn new(rule: PreemptionRule) -> Self {
        Self {
            rule,
            queues: BTreeMap::new(),
            stirred: BTreeSet::new(),
            at: None,
            counts: SchedulerCounts::default(),
        }
    }

    /// What was done so far.
    pub fn counts(&self) -> SchedulerCounts {
        self.counts
    }

    /// True if something happened that could let a pod in.
    #[inline]
    pub fn has_news(&self) -> bool {
        !self.stirred.is_empty()
    }

    /// A pod that runs inside of allocs is pending.
    pub fn enqueue(&mut self, cluster: &Cluster, id: PodId) {
        let pod = cluster.pod(id);
        let Some(set) = cluster.alloc_set_of(pod.new.workload) else { return };
        let queue = self.queues.entry(set).or_default();
        let alike = queue.entry((pod.class, pod.alloc_number)).or_default();
        alike.push_back(cluster.pods().reference(id));
        self.stirred.insert(set);
    }

    /// Notes what could let a pod in: an instance is bound, a pod inside is gone, a node takes pods
    /// again.
    pub fn follow(&mut self, cluster: &Cluster, fact: &Fact) {
        let role = |class: ClassId| cluster.classes().get(class).alloc;
        match *fact {
            Fact::PodBound { pod, class, .. } if role(class) == AllocRole::Instance => {
                self.stir(cluster.workloads().get(cluster.pod(pod).new.workload).key);
            }
            Fact::PodUnbound { pod, class, .. } if role(class) == AllocRole::Inside => {
                if let Some(set) = cluster.alloc_set_of(cluster.pod(pod).new.workload) {
                    self.stir(set);
                }
            }
            Fact::NodeReady { .. } | Fact::NodeCordoned { .. } | Fact::NodeResized { .. } => {
                self.stirred.extend(self.queues.keys());
            }
            _ => {}
        }
    }

    /// Takes off the pods that wait for `set`: all, or those that ask for the instance `number`.
    pub fn give_up(&mut self, cluster: &Cluster, set: u64, number: Option<u32>) -> Vec<PodId> {
        let Some(queue) = self.queues.get_mut(&set) else { return Vec::new() };
        let mut gone = Vec::new();
        queue.retain(|alike, pods| {
            let concerned = number.is_none() || alike.1 == number;
            if concerned {
                gone.extend(pods.iter().filter_map(|pod| waits(cluster, *pod, *alike)));
            }
            !concerned
        });
        gone.sort_unstable_by_key(|id| cluster.pod(*id).serial);
        gone.dedup();
        gone
    }

    fn stir(&mut self, set: u64) {
        if self.queues.contains_key(&set) {
            self.stirred.insert(set);
        }
    }

    /// The next decision; `None` where nobody else can go in now.
    pub fn decide(&mut self, cluster: &Cluster) -> Option<Decision> {
        loop {
            let (set, failed) = match self.at.take() {
                Some(at) => at,
                None => (self.stirred.pop_first()?, BTreeSet::new()),
            };
            if let Some(decision) = self.decide_for(cluster, set, failed) {
                return Some(decision);
            }
        }
    }

    /// Tries the pods that wait for `set`, but those like the ones that have `failed`.
    fn decide_for(
        &mut self,
        cluster: &Cluster,
        set: u64,
        mut failed: BTreeSet<Alike>,
    ) -> Option<Decision> {
        loop {
            let queue = self.queues.get_mut(&set)?;
            let Some((alike, pod)) = first(cluster, queue, &failed) else {
                if queue.is_empty() {
                    self.queues.remove(&set);
                }
                return None;
            };
            self.counts.attempts += 1;
            self.counts.examined += cluster.allocs().of_set(set).count() as u64;
            let Some((alloc, victims)) = choice::choose(cluster, pod, set, self.rule) else {
                self.counts.unschedulable += 1;
                failed.insert(alike);
                continue;
            };
            queue.get_mut(&alike).and_then(VecDeque::pop_front);
            self.counts.placed += 1;
            self.counts.preempted += victims.len() as u64;
            self.at = Some((set, failed));
            return Some(Decision::Enter { pod, alloc, victims });
        }
    }

    /// Who waits, with the reason.
    pub fn waiting(&self, cluster: &Cluster, names: &ResourceNames) -> Vec<Waiting> {
        let mut listed = Vec::new();
        for (set, queue) in &self.queues {
            for (alike, pods) in queue {
                let mut there: Vec<PodId> =
                    pods.iter().filter_map(|pod| waits(cluster, *pod, *alike)).collect();
                there.sort_unstable();
                there.dedup();
                let Some(first) = there.first() else { continue };
                listed.push(Waiting {
                    pods: there.len(),
                    tier: cluster.class_of(*first).tier,
                    why: choice::why_not(cluster, *first, *set, names),
                });
            }
        }
        listed
    }
}

/// The pod that is next, of those unlike the ones that have `failed`. Forgets who has moved on.
fn first(cluster: &Cluster, queue: &mut Queue, failed: &BTreeSet<Alike>) -> Option<(Alike, PodId)> {
    queue.retain(|alike, pods| {
        while pods.front().is_some_and(|pod| waits(cluster, *pod, *alike).is_none()) {
            pods.pop_front();
        }
        !pods.is_empty()
    });
    let heads = queue.iter().filter(|(alike, _)| !failed.contains(*alike));
    let heads = heads.filter_map(|(alike, pods)| Some((*alike, pods.front()?.pod)));
    heads.min_by_key(|(_, id)| {
        let pod = cluster.pod(*id);
        (Reverse(cluster.class_of(*id).priority), pod.queued_at, pod.serial)
    })
}

/// The pod that `reference` means, if it still waits among those `alike`.
fn waits(cluster: &Cluster, reference: PodRef, (class, number): Alike) -> Option<PodId> {
    let pod = cluster.pods().resolve(reference)?;
    let there = pod.state == PodState::Pending && (pod.class, pod.alloc_number) == (class, number);
    there.then_some(reference.pod)
}
