//! The pod table: slots that are reused, so that memory is bounded by what is alive.

use super::gpu::DeviceShare;
use super::ids::{ClassId, NodeId, PodId, PodRef, WorkloadId};
use crate::engine::{SimDuration, SimTime};
use serde::{Deserialize, Serialize};

/// Where a pod is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum PodState {
    /// Waits to be placed.
    Pending,
    /// Bound; its start takes time.
    Starting,
    /// Runs and is ready.
    Running,
    /// Bound, crashed, waits for its kubelet to start it again.
    BackingOff,
    /// Bound to a node that is down, which nobody has noticed yet.
    Stranded,
    /// Left the cell; the slot is about to be reused.
    Ended,
}

impl PodState {
    /// True for the states in which a pod reserves resources on a node.
    pub const fn is_bound(self) -> bool {
        match self {
            Self::Starting | Self::Running | Self::BackingOff | Self::Stranded => true,
            Self::Pending | Self::Ended => false,
        }
    }
}

/// How a pod's work ends when it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WorkEnd {
    /// It succeeds.
    Succeeds,
    /// It fails.
    Fails,
    /// It never is: a service, or a trace that stopped too early to tell.
    Never,
}

/// What the outside world says of a new pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewPod {
    /// Its name in the source (see `workload::PodKey`); replicas of a controller have an ordinal.
    pub key: u64,
    /// The workload that it belongs to.
    pub workload: WorkloadId,
    /// How long it has to run; ignored where `work_end` is `Never`.
    pub work: SimDuration,
    /// How its work ends.
    pub work_end: WorkEnd,
    /// Mean usage in permille of its request, for cpu and memory.
    pub usage_permille: [u16; 2],
}

/// A pod. It begins with a cache line, so that there are two to read and not three.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct Pod {
    /// It is the `serial`-th pod of the run, from 0.
    pub serial: u64,
    /// What the outside world said of it.
    pub new: NewPod,
    /// Its class.
    pub class: ClassId,
    /// Where it is in its life.
    pub state: PodState,
    /// Bumped whenever an event meant for it may have become stale, and when its slot is reused.
    pub incarnation: u32,
    /// Node it is bound to, or none.
    pub node: NodeId,
    /// GPU devices that it holds there.
    pub devices: DeviceShare,
    /// The instance that it is inside of, or none.
    pub alloc: PodId,
    /// Its number as an instance of an alloc set, or that of the instance it asks to be inside of.
    pub alloc_number: Option<u32>,
    /// When it was submitted.
    pub submitted_at: SimTime,
    /// When it became pending last.
    pub queued_at: SimTime,
    /// When it was bound last.
    pub bound_at: SimTime,
    /// When it began to run last.
    pub started_at: SimTime,
    /// Work done in former runs that counts.
    pub done: SimDuration,
    /// Crashes since it was submitted.
    pub restarts: u32,
    /// Crashes in a row since it was bound, for the back-off.
    pub crash_streak: u32,
    /// Times it began to run.
    pub starts: u32,
    /// Times it was evicted.
    pub evictions: u32,
}

/// The lines that a pod is on, in bytes.
const _: () = assert!(size_of::<Pod>() == 128);

/// Neighbours of a pod in the list of its node, or of the alloc instance that it is inside of. Kept apart from the pods: pods of one node lie far
/// apart, and to unlink one must not cost a look at two more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Links {
    pub previous: PodId,
    pub next: PodId,
}

impl Links {
    /// In no list.
    pub const NONE: Self = Self { previous: PodId::NONE, next: PodId::NONE };
}

impl Pod {
    /// What is left to do of its work, at the moment it was (or is) started.
    pub fn remaining_work(&self) -> SimDuration {
        SimDuration(self.new.work.0.saturating_sub(self.done.0))
    }
}

/// All pods that are alive.
#[derive(Clone, Debug, Default)]
pub struct PodTable {
    slots: Vec<Pod>,
    /// Per slot.
    links: Vec<Links>,
    vacant: Vec<PodId>,
    retired: Vec<PodId>,
    submitted: u64,
}

impl PodTable {
    /// The pod in slot `id`.
    #[inline]
    pub fn get(&self, id: PodId) -> &Pod {
        &self.slots[id.index()]
    }

    /// The pod that `reference` means, unless it moved on since.
    #[inline]
    pub fn resolve(&self, reference: PodRef) -> Option<&Pod> {
        let pod = self.slots.get(reference.pod.index())?;
        (pod.incarnation == reference.incarnation && pod.state != PodState::Ended).then_some(pod)
    }

    /// A reference to the present incarnation of the pod in slot `id`.
    #[inline]
    pub fn reference(&self, id: PodId) -> PodRef {
        PodRef { pod: id, incarnation: self.get(id).incarnation }
    }

    /// Number of pods alive.
    pub fn live(&self) -> usize {
        self.slots.len() - self.vacant.len() - self.retired.len()
    }

    /// Number of pods submitted since the start of the run.
    pub fn submitted(&self) -> u64 {
        self.submitted
    }

    /// Pods that are alive, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (PodId, &Pod)> {
        let all = self.slots.iter().enumerate();
        all.filter(|(_, pod)| pod.state != PodState::Ended)
            .map(|(slot, pod)| (PodId::from_index(slot), pod))
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: PodId) -> &mut Pod {
        &mut self.slots[id.index()]
    }

    /// Neighbours of the pod in slot `id` in the list of its node.
    #[inline]
    pub(super) fn links(&self, id: PodId) -> Links {
        self.links[id.index()]
    }

    /// The same, to break them.
    #[cfg(test)]
    pub(super) fn links_mut(&mut self, id: PodId) -> &mut Links {
        &mut self.links[id.index()]
    }

    /// Puts a pod at the head of the list that begins with `first`.
    #[inline]
    pub(super) fn link(&mut self, first: &mut PodId, id: PodId) {
        let next = std::mem::replace(first, id);
        if next.is_some() {
            self.links[next.index()].previous = id;
        }
        self.links[id.index()] = Links { previous: PodId::NONE, next };
    }

    /// Takes a pod out of the list that begins with `first`.
    #[inline]
    pub(super) fn unlink(&mut self, first: &mut PodId, id: PodId) {
        let Links { previous, next } = self.links[id.index()];
        if previous.is_some() {
            self.links[previous.index()].next = next;
        } else {
            *first = next;
        }
        if next.is_some() {
            self.links[next.index()].previous = previous;
        }
    }

    /// Puts a pending pod into a slot.
    pub(super) fn insert(&mut self, new: NewPod, class: ClassId, now: SimTime) -> PodId {
        let pod = Pod {
            serial: self.submitted,
            new,
            class,
            state: PodState::Pending,
            incarnation: 0,
            node: NodeId::NONE,
            devices: DeviceShare::default(),
            alloc: PodId::NONE,
            alloc_number: None,
            submitted_at: now,
            queued_at: now,
            bound_at: SimTime::MAX,
            started_at: SimTime::MAX,
            done: SimDuration::ZERO,
            restarts: 0,
            crash_streak: 0,
            starts: 0,
            evictions: 0,
        };
        self.submitted += 1;
        let Some(id) = self.vacant.pop() else {
            self.slots.push(pod);
            self.links.push(Links::NONE);
            return PodId::from_index(self.slots.len() - 1);
        };
        let incarnation = self.slots[id.index()].incarnation.wrapping_add(1);
        self.slots[id.index()] = Pod { incarnation, ..pod };
        id
    }

    /// Marks a pod as gone; its slot stays readable until [`PodTable::recycle`].
    pub(super) fn retire(&mut self, id: PodId) {
        self.get_mut(id).state = PodState::Ended;
        self.retired.push(id);
    }

    /// Pods that are gone and whose slots wait to be freed.
    pub(super) fn retired(&self) -> &[PodId] {
        &self.retired
    }

    /// Number of slots ever used: ids are below this.
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Frees the slots of retired pods and yields their classes.
    pub(super) fn recycle(&mut self) -> impl Iterator<Item = ClassId> {
        let slots = &self.slots;
        let vacant = &mut self.vacant;
        self.retired.drain(..).map(move |id| {
            vacant.push(id);
            slots[id.index()].class
        })
    }
}
