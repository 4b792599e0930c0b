//! The pending queue: pods grouped by class, classes in order of their first pod.
//!
//! Pods of one class are the same to every policy, so what does not fit for one does not fit for
//! any: a class that did not fit is *blocked* as a whole, at no cost per pod, and looked at again
//! only when a node changed that could take it (see `scheduler`).
//!
//! Only classes with something in the queue have an entry in it. Most of the time these are few
//! and stay in the cache, however many classes of running pods there are.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::config::QueueOrder;
use crate::cluster::{ClassId, Cluster, Dimension, PodClass, PodId, PodRef, PodState};

/// Position in the queue: smaller goes first. The band comes from the priority, the sequence from
/// the order of becoming pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueueKey {
    band: i64,
    sequence: u64,
}

/// The pending pods of one class, first come first.
#[derive(Debug, Default)]
struct ClassQueue {
    pods: VecDeque<(u64, PodRef)>,
    /// What the class was when the first of `pods` came: class ids are reused.
    content: Option<PodClass>,
    /// Sequence of its one valid entry in the order of active classes.
    in_order: Option<u64>,
    blocked: bool,
}

/// Stands for "no entry".
const NO_ENTRY: u32 = u32::MAX;
/// Pods that a vacant entry keeps room for.
const KEPT_CAPACITY: usize = 16;

/// All pending pods.
#[derive(Debug)]
pub struct PendingQueue {
    order: QueueOrder,
    sequence: u64,
    /// Per class: its position in `queues`, or `NO_ENTRY`.
    entries: Vec<u32>,
    queues: Vec<ClassQueue>,
    /// Positions in `queues` that no class has.
    vacant: Vec<u32>,
    active: BinaryHeap<Reverse<(QueueKey, ClassId)>>,
    blocked: Blocked,
}

impl PendingQueue {
    /// An empty queue.
    pub fn new(order: QueueOrder) -> Self {
        Self {
            order,
            sequence: 0,
            entries: Vec::new(),
            queues: Vec::new(),
            vacant: Vec::new(),
            active: BinaryHeap::new(),
            blocked: Blocked::default(),
        }
    }

    /// Adds a pod that has become pending.
    pub fn push(&mut self, cluster: &Cluster, pod: PodId) {
        let class = cluster.pod(pod).class;
        let content = cluster.classes().get(class);
        if self.position(class).is_none() {
            self.enter(class, content);
        } else if self.queue(class).content.as_ref() != Some(content) {
            self.reset(class, content);
        }
        self.sequence += 1;
        let sequence = self.sequence;
        let queue = self.queue_mut(class);
        queue.pods.push_back((sequence, cluster.pods().reference(pod)));
        if queue.in_order.is_none() && !queue.blocked {
            queue.in_order = Some(sequence);
            let key = self.key(content, sequence);
            self.active.push(Reverse((key, class)));
        }
    }

    /// Position of the entry of `class`, if it has one.
    #[inline]
    fn position(&self, class: ClassId) -> Option<usize> {
        let position = self.entries.get(class.index()).copied().unwrap_or(NO_ENTRY);
        (position != NO_ENTRY).then_some(position as usize)
    }

    /// The entry of `class`, which has one.
    #[inline]
    fn queue(&self, class: ClassId) -> &ClassQueue {
        &self.queues[self.entries[class.index()] as usize]
    }

    #[inline]
    fn queue_mut(&mut self, class: ClassId) -> &mut ClassQueue {
        &mut self.queues[self.entries[class.index()] as usize]
    }

    /// Makes an empty entry for `class`.
    fn enter(&mut self, class: ClassId, content: &PodClass) {
        let position = self.vacant.pop().unwrap_or_else(|| {
            self.queues.push(ClassQueue::default());
            u32::try_from(self.queues.len() - 1).expect("classes are numbered by 32 bits")
        });
        if class.index() >= self.entries.len() {
            self.entries.resize(class.index() + 1, NO_ENTRY);
        }
        self.entries[class.index()] = position;
        self.queues[position as usize].content = Some(*content);
    }

    /// Gives up the entry of `class` if nothing is left in it.
    fn leave_if_empty(&mut self, class: ClassId) {
        let queue = self.queue_mut(class);
        if queue.pods.is_empty() && queue.in_order.is_none() && !queue.blocked {
            // A vacant entry must not hold on to the room that some large job once needed.
            queue.pods.shrink_to(KEPT_CAPACITY);
            self.vacant.push(std::mem::replace(&mut self.entries[class.index()], NO_ENTRY));
        }
    }

    /// Forgets what the slot of `class` held for a class that is gone.
    fn reset(&mut self, class: ClassId, content: &PodClass) {
        if self.queue(class).blocked {
            self.blocked.remove(class);
        }
        let queue = self.queue_mut(class);
        queue.pods.clear();
        queue.in_order = None;
        queue.blocked = false;
        queue.content = Some(*content);
    }

    fn key(&self, class: &PodClass, sequence: u64) -> QueueKey {
        let band = match self.order {
            QueueOrder::Fifo => 0,
            QueueOrder::Priority => -i64::from(class.priority),
        };
        QueueKey { band, sequence }
    }

    /// Key of the first class that is not blocked.
    pub fn first_active(&self) -> Option<QueueKey> {
        self.active.peek().map(|Reverse((key, _))| *key)
    }

    /// Takes the first class that is not blocked out of the order; `None` if the pod that stood
    /// there is gone.
    pub fn pop_active(&mut self, cluster: &Cluster) -> Option<(ClassId, PodId)> {
        let Reverse((key, class)) = self.active.pop()?;
        let position = self.position(class)?;
        let queue = &mut self.queues[position];
        if queue.in_order != Some(key.sequence) {
            return None;
        }
        queue.in_order = None;
        self.drop_stale(cluster, class);
        if let Some((sequence, reference)) = self.queues[position].pods.front()
            && *sequence == key.sequence
        {
            return Some((class, reference.pod));
        }
        // Its successor waits its own turn.
        self.reactivate(cluster, class);
        None
    }

    /// Drops pods from the head of a class that are pending no longer, or of another class now.
    fn drop_stale(&mut self, cluster: &Cluster, class: ClassId) {
        let queue = self.queue_mut(class);
        while let Some((_, reference)) = queue.pods.front() {
            let pod = cluster.pods().resolve(*reference);
            if pod.is_some_and(|pod| pod.state == PodState::Pending && pod.class == class) {
                return;
            }
            queue.pods.pop_front();
        }
    }

    /// Puts a class back into the order of those that are not blocked, if it has pods.
    pub fn reactivate(&mut self, cluster: &Cluster, class: ClassId) {
        self.drop_stale(cluster, class);
        match self.head_key(class) {
            Some(key) => {
                self.queue_mut(class).in_order = Some(key.sequence);
                self.active.push(Reverse((key, class)));
            }
            None => self.leave_if_empty(class),
        }
    }

    fn head_key(&self, class: ClassId) -> Option<QueueKey> {
        let queue = self.queue(class);
        let (sequence, _) = queue.pods.front()?;
        Some(self.key(queue.content.as_ref()?, *sequence))
    }

    /// The first pod of `class` leaves the queue because it is about to be bound.
    pub fn take_head(&mut self, class: ClassId) {
        self.queue_mut(class).pods.pop_front();
    }

    /// Blocks `class`, whose first pod has just been found to fit nowhere. Returns its position
    /// among the blocked.
    pub fn block(&mut self, class: ClassId) -> usize {
        let key = self.head_key(class).expect("a class is blocked while its pod is at hand");
        let queue = &mut self.queues[self.entries[class.index()] as usize];
        queue.blocked = true;
        let content = queue.content.as_ref().expect("a class with pods has content");
        self.blocked.insert(key, class, content)
    }

    /// The first blocked class at position `from` or later that asks for no more cpu and memory
    /// than `most` says there is for its priority.
    pub fn next_blocked(&self, from: usize, most: impl Fn(i32) -> (i64, i64)) -> Option<usize> {
        self.blocked.next(from, most)
    }

    /// Key and class of the blocked class at `position`.
    pub fn blocked_at(&self, position: usize) -> (QueueKey, ClassId) {
        (self.blocked.keys[position], self.blocked.classes[position])
    }

    /// Number of blocked classes.
    pub fn blocked_len(&self) -> usize {
        self.blocked.classes.len()
    }

    /// The first pod of the blocked class at `position`. `None` if the pod that the class stood
    /// there for is gone: then the class moved to the place of its next pod, or out of the blocked
    /// if it has none.
    pub fn blocked_head(&mut self, cluster: &Cluster, position: usize) -> Option<PodId> {
        let (key, class) = self.blocked_at(position);
        self.drop_stale(cluster, class);
        let Some(head_key) = self.head_key(class) else {
            self.unblock(position);
            self.leave_if_empty(class);
            return None;
        };
        if head_key == key {
            return self.queue(class).pods.front().map(|(_, reference)| reference.pod);
        }
        self.unblock(position);
        self.block(class);
        None
    }

    /// Takes the class at `position` out of the blocked. It has to be reactivated then.
    pub fn unblock(&mut self, position: usize) -> ClassId {
        let class = self.blocked.remove_at(position);
        self.queue_mut(class).blocked = false;
        class
    }

    /// Blocked classes and how many of their pods are pending, for diagnostics.
    pub fn blocked_classes(&self, cluster: &Cluster) -> Vec<(PodClass, usize)> {
        let counted = self.blocked.classes.iter().filter_map(|class| {
            let queue = self.queue(*class);
            let pending = |reference: PodRef| {
                let pod = cluster.pods().resolve(reference);
                pod.is_some_and(|pod| pod.state == PodState::Pending && pod.class == *class)
            };
            let pods = queue.pods.iter().filter(|(_, reference)| pending(*reference)).count();
            queue.content.filter(|_| pods > 0).map(|content| (content, pods))
        });
        counted.collect()
    }
}

/// Blocked classes in order of their keys, in columns: what asks "who could use this node?" reads
/// cpu and memory only.
#[derive(Debug, Default)]
struct Blocked {
    keys: Vec<QueueKey>,
    classes: Vec<ClassId>,
    cpu: Vec<i64>,
    memory: Vec<i64>,
    priority: Vec<i32>,
}

impl Blocked {
    fn insert(&mut self, key: QueueKey, class: ClassId, content: &PodClass) -> usize {
        let position = self.keys.partition_point(|known| *known < key);
        self.keys.insert(position, key);
        self.classes.insert(position, class);
        self.cpu.insert(position, content.requests[Dimension::CPU]);
        self.memory.insert(position, content.requests[Dimension::MEMORY]);
        self.priority.insert(position, content.priority);
        position
    }

    fn remove_at(&mut self, position: usize) -> ClassId {
        self.keys.remove(position);
        self.cpu.remove(position);
        self.memory.remove(position);
        self.priority.remove(position);
        self.classes.remove(position)
    }

    fn remove(&mut self, class: ClassId) {
        if let Some(position) = self.classes.iter().position(|known| *known == class) {
            self.remove_at(position);
        }
    }

    fn next(&self, from: usize, most: impl Fn(i32) -> (i64, i64)) -> Option<usize> {
        // In a priority queue equal priorities stand together, so `most` is asked once for each.
        let mut known = None;
        (from..self.keys.len()).find(|position| {
            let priority = self.priority[*position];
            let (cpu, memory) = match known {
                Some((of, most)) if of == priority => most,
                Some(_) | None => most(priority),
            };
            known = Some((priority, (cpu, memory)));
            self.cpu[*position] <= cpu && self.memory[*position] <= memory
        })
    }
}
