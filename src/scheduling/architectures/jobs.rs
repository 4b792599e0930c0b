//! Jobs: the pods of one workload that are pending together, in the order of the queue.
//!
//! A job whose pods fit nowhere is *blocked*: it is looked at again when a node has changed that
//! could take one of them, so that a full cell costs nothing while nothing changes in it.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::cluster::{
    ClassId, Cluster, Dimension, Pod, PodClass, PodId, PodRef, PodState, WorkloadId,
};
use crate::engine::SimTime;
use crate::scheduling::config::QueueOrder;
use crate::scheduling::scheduler::{Waiting, WaitingClasses};

/// A pending pod, and which time it was enqueued: a pod that was changed while pending is enqueued
/// again, and only the last time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    /// The pod.
    pub pod: PodRef,
    number: u64,
}

/// Which ticket of each pod counts.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    /// Per slot of the pod table.
    valid: Vec<u64>,
    last: u64,
}

impl Tickets {
    /// The ticket of a pod that has become pending, or was changed.
    pub fn issue(&mut self, cluster: &Cluster, pod: PodId) -> Ticket {
        if pod.index() >= self.valid.len() {
            self.valid.resize(pod.index() + 1, 0);
        }
        self.last += 1;
        self.valid[pod.index()] = self.last;
        Ticket { pod: cluster.pods().reference(pod), number: self.last }
    }

    /// The pod of `ticket`, if it is pending still.
    pub fn pending<'a>(&self, cluster: &'a Cluster, ticket: Ticket) -> Option<&'a Pod> {
        let pod = cluster.pods().resolve(ticket.pod)?;
        let counts = self.valid[ticket.pod.pod.index()] == ticket.number;
        (counts && pod.state == PodState::Pending).then_some(pod)
    }
}

/// Position in the queue: smaller goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    band: i64,
    sequence: u64,
}

/// What makes pods one job. Slots of workloads are reused, so the workload's name belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Name {
    workload: WorkloadId,
    key: u64,
    priority: i32,
}

/// Pods that are decided on together.
#[derive(Clone, Debug)]
pub(super) struct Job {
    name: Name,
    key: Key,
    /// Its pods, in the order in which they came.
    pub pods: Vec<Ticket>,
    /// How often it was tried.
    pub attempts: u64,
    /// When its first pod became pending.
    pub since: SimTime,
    /// Classes of which no pod had room, where it is blocked.
    lacking: Vec<ClassId>,
    /// The least cpu and memory that any of them asks for.
    least: (i64, i64),
}

impl Job {
    /// Its priority.
    pub fn priority(&self) -> i32 {
        self.name.priority
    }

    /// The same job with `pods` only.
    pub fn share(&self, pods: Vec<Ticket>) -> Self {
        Self { pods, lacking: Vec::new(), ..*self }
    }

    /// Stands where a job was taken away.
    pub fn nobody() -> Self {
        Self {
            name: Name { workload: WorkloadId::NONE, key: 0, priority: 0 },
            key: Key { band: 0, sequence: 0 },
            pods: Vec::new(),
            attempts: 0,
            since: SimTime::ZERO,
            lacking: Vec::new(),
            least: (0, 0),
        }
    }
}

/// The jobs of one scheduler.
#[derive(Debug)]
pub(super) struct JobQueue {
    order: QueueOrder,
    sequence: u64,
    active: BTreeMap<Key, Job>,
    blocked: BTreeMap<Key, Job>,
    /// Where the job is that further pods join.
    open: FxHashMap<Name, Key>,
    /// With so many blocked jobs, those whose pods are all gone are looked for.
    prune_at: usize,
}

/// Fewest blocked jobs with which it is worth looking for those whose pods are gone.
const PRUNE_FROM: usize = 256;

impl JobQueue {
    /// An empty queue.
    pub fn new(order: QueueOrder) -> Self {
        Self {
            order,
            sequence: 0,
            active: BTreeMap::new(),
            blocked: BTreeMap::new(),
            open: FxHashMap::default(),
            prune_at: PRUNE_FROM,
        }
    }

    /// True if some job is to be tried.
    pub fn has_active(&self) -> bool {
        !self.active.is_empty()
    }

    /// True if some job waits for room.
    pub fn has_blocked(&self) -> bool {
        !self.blocked.is_empty()
    }

    /// What stands at the head: the number of the job and of its pods.
    pub fn first(&self) -> Option<(u64, usize)> {
        self.active.first_key_value().map(|(key, job)| (key.sequence, job.pods.len()))
    }

    fn next_key(&mut self, priority: i32) -> Key {
        self.sequence += 1;
        let band = match self.order {
            QueueOrder::Fifo => 0,
            QueueOrder::Priority => -i64::from(priority),
        };
        Key { band, sequence: self.sequence }
    }

    /// Adds a pending pod: to the job of its workload that waits, or as a new one.
    pub fn push(&mut self, cluster: &Cluster, ticket: Ticket) {
        let pod = cluster.pod(ticket.pod.pod);
        let name = Name {
            workload: pod.new.workload,
            key: cluster.workloads().get(pod.new.workload).key,
            priority: cluster.classes().get(pod.class).priority,
        };
        if let Some(key) = self.open.get(&name).copied() {
            if let Some(job) = self.blocked.remove(&key) {
                self.active.insert(key, job);
            }
            if let Some(job) = self.active.get_mut(&key) {
                job.pods.push(ticket);
                return;
            }
        }
        let key = self.next_key(name.priority);
        let job = Job {
            name,
            key,
            pods: vec![ticket],
            attempts: 0,
            since: cluster.now(),
            lacking: Vec::new(),
            least: (0, 0),
        };
        self.open.insert(name, key);
        self.active.insert(key, job);
    }

    /// Takes the first job out, with those of its pods that are pending still.
    pub fn pop(&mut self, cluster: &Cluster, tickets: &Tickets) -> Option<Job> {
        loop {
            let (key, mut job) = self.active.pop_first()?;
            if self.open.get(&job.name) == Some(&key) {
                self.open.remove(&job.name);
            }
            job.pods.retain(|ticket| tickets.pending(cluster, *ticket).is_some());
            if !job.pods.is_empty() {
                return Some(job);
            }
        }
    }

    /// Puts a job back: to its old place, or `behind` all others.
    pub fn put_back(&mut self, mut job: Job, behind: bool) {
        if behind {
            job.key = self.next_key(job.name.priority);
        }
        job.lacking.clear();
        if let Some(job) = self.unite(job) {
            self.open.insert(job.name, job.key);
            self.active.insert(job.key, job);
        }
    }

    /// Lets a job wait until something changes for one of the classes in `lacking`.
    pub fn block(
        &mut self,
        cluster: &Cluster,
        tickets: &Tickets,
        mut job: Job,
        lacking: Vec<ClassId>,
    ) {
        if self.blocked.len() >= self.prune_at {
            self.prune(cluster, tickets);
        }
        let requests = |class: &ClassId| cluster.classes().get(*class).requests;
        let least = |dimension| lacking.iter().map(|c| requests(c)[dimension]).min().unwrap_or(0);
        job.least = (least(Dimension::CPU), least(Dimension::MEMORY));
        job.lacking = lacking;
        if let Some(job) = self.unite(job) {
            self.open.insert(job.name, job.key);
            self.blocked.insert(job.key, job);
        }
    }

    fn prune(&mut self, cluster: &Cluster, tickets: &Tickets) {
        let open = &mut self.open;
        self.blocked.retain(|_, job| {
            let alive = job.pods.iter().any(|ticket| tickets.pending(cluster, *ticket).is_some());
            if !alive {
                open.remove(&job.name);
            }
            alive
        });
        self.prune_at = PRUNE_FROM.max(2 * self.blocked.len());
    }

    /// Pods of the workload that came while the job was decided on join it, and it is tried again
    /// with them; otherwise the job is handed back.
    fn unite(&mut self, mut job: Job) -> Option<Job> {
        let Some(key) = self.open.get(&job.name).copied() else { return Some(job) };
        let later = self.active.remove(&key).or_else(|| self.blocked.remove(&key));
        let Some(later) = later else { return Some(job) };
        job.pods.extend(later.pods);
        job.lacking.clear();
        self.open.insert(job.name, job.key);
        self.active.insert(job.key, job);
        None
    }

    /// Tries those blocked jobs again that `could_help` says may have room now. `most` is what of
    /// cpu and memory a job of a priority can hope for.
    pub fn reactivate(
        &mut self,
        cluster: &Cluster,
        most: impl Fn(i32) -> (i64, i64),
        mut could_help: impl FnMut(&PodClass) -> bool,
    ) {
        let within = |job: &Job| {
            let (cpu, memory) = most(job.name.priority);
            job.least.0 <= cpu && job.least.1 <= memory
        };
        let near = self.blocked.iter().filter(|(_, job)| within(job));
        let helped: Vec<Key> = near
            .filter(|(_, job)| job.lacking.iter().any(|c| could_help(cluster.classes().get(*c))))
            .map(|(key, _)| *key)
            .collect();
        for key in helped {
            if let Some(job) = self.blocked.remove(&key) {
                self.active.insert(key, job);
            }
        }
    }

    /// The pending pods of jobs that wait for room, by class.
    pub fn waiting(&self, cluster: &Cluster, tickets: &Tickets, into: &mut WaitingPods) {
        self.blocked.values().for_each(|job| into.add_job(cluster, tickets, job));
    }

    /// The pending pods of all jobs, by class.
    pub fn pending(&self, cluster: &Cluster, tickets: &Tickets, into: &mut WaitingPods) {
        self.active.values().for_each(|job| into.add_job(cluster, tickets, job));
        self.waiting(cluster, tickets, into);
    }
}

/// Pods that wait because no node takes them, by class.
#[derive(Debug, Default)]
pub(super) struct WaitingPods(BTreeMap<ClassId, usize>);

impl WaitingPods {
    /// One more pod of `class`.
    pub fn add(&mut self, class: ClassId) {
        *self.0.entry(class).or_insert(0) += 1;
    }

    fn add_job(&mut self, cluster: &Cluster, tickets: &Tickets, job: &Job) {
        for ticket in &job.pods {
            if let Some(pod) = tickets.pending(cluster, *ticket) {
                self.add(pod.class);
            }
        }
    }

    /// The classes with the most pods, with what `why` says of them.
    pub fn summary(
        &self,
        cluster: &Cluster,
        most: usize,
        why: impl Fn(&PodClass) -> String,
    ) -> WaitingClasses {
        let classes = self.0.iter().map(|(id, pods)| (cluster.classes().get(*id), *pods));
        let mut classes: Vec<(&PodClass, usize)> = classes.collect();
        classes.sort_by_key(|(class, pods)| {
            (std::cmp::Reverse(*pods), class.template, class.requests.0)
        });
        let listed = classes.iter().take(most).map(|(class, pods)| Waiting {
            pods: *pods,
            tier: class.tier,
            why: why(class),
        });
        WaitingClasses { listed: listed.collect(), classes: classes.len() }
    }
}
