//! The window between reading and handing over: changes in order of time, some of which wait for
//! what comes later in the trace (a pod for the length of its run, an eviction for a resubmission).
//!
//! It knows times and slots only; what a row means is decided in `tasks`.

use std::collections::VecDeque;

use super::super::record::{Change, Outcome, PodKey, Record, Work};
use crate::engine::{SimDuration, SimTime};

/// What a task asks for, in units of the largest machine; a third of a `Resources` vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Cpu.
    pub cpu: u32,
    /// Memory.
    pub memory: u32,
    /// Disk space.
    pub disk: u32,
}

/// A pod on its way out; becomes a `PodRecord` when it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Requests of the task.
    pub request: Request,
    /// Number of its template.
    pub template: u32,
    /// `None` as long as the end has not been read.
    pub work: Option<Work>,
}

/// What waits in the window.
#[derive(Debug)]
pub enum Slot {
    /// A pod; may leave once its work is known.
    Submit(PodKey, Submission),
    /// An eviction: nothing if a resubmission follows, the end of the pod if none does.
    Evict(PodKey),
    /// Nothing any more.
    Cancelled,
    /// A pod's new description.
    Resize(PodKey, Request, u32),
    /// A pod is stopped.
    Kill(PodKey),
    /// Anything that waits for nothing: templates and nodes.
    Ready(Box<Change>),
}

/// Number of a slot, counted from the beginning of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SlotNumber(u64);

/// What the window hands over next.
#[derive(Debug)]
pub enum Released {
    /// A late answer about a pod that went out with its work unknown.
    Work(Record),
    /// The head of the window.
    Slot(SimTime, Slot),
    /// An eviction that nothing followed within the horizon. The head stays until
    /// [`LookAhead::settle_eviction`] is called.
    EvictedForGood(PodKey),
}

/// The window.
pub struct LookAhead {
    slots: VecDeque<(SimTime, Slot)>,
    /// Number of the head.
    head: u64,
    horizon: SimDuration,
    /// Time of the newest row read.
    clock: SimTime,
    /// True once everything has been read: nothing is worth waiting for.
    closed: bool,
    /// Answers about pods that are out; they leave before the head, at the head's time.
    late: VecDeque<(PodKey, Work)>,
}

impl LookAhead {
    /// An empty window that waits at most `horizon` of trace time.
    pub fn new(horizon: SimDuration) -> Self {
        Self {
            slots: VecDeque::new(),
            head: 0,
            horizon,
            clock: SimTime::ZERO,
            closed: false,
            late: VecDeque::new(),
        }
    }

    /// Appends a change; times never go back.
    pub fn push(&mut self, time: SimTime, slot: Slot) -> SlotNumber {
        debug_assert!(time >= self.clock, "rows are read in order of time");
        self.clock = self.clock.max(time);
        self.slots.push_back((time, slot));
        SlotNumber(self.head + self.slots.len() as u64 - 1)
    }

    /// Notes that everything up to `time` has been read.
    pub fn read_up_to(&mut self, time: SimTime) {
        self.clock = self.clock.max(time);
    }

    /// Notes that there is nothing more to read.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// The slot of that number, unless it has left.
    pub fn slot_mut(&mut self, number: SlotNumber) -> Option<&mut Slot> {
        let index = number.0.checked_sub(self.head)?;
        self.slots.get_mut(usize::try_from(index).ok()?).map(|(_, slot)| slot)
    }

    /// Tells the work of the pod submitted in slot `number`: in place, or late if it has left.
    pub fn tell(&mut self, number: SlotNumber, key: PodKey, work: Work) {
        match self.slot_mut(number) {
            Some(Slot::Submit(_, submission)) => submission.work = Some(work),
            Some(_) => unreachable!("slot {number:?} of {key:?} is not its submission"),
            None => self.late.push_back((key, work)),
        }
    }

    /// Makes the eviction at the head the end of its pod.
    pub fn settle_eviction(&mut self, key: PodKey) {
        let head = self.slots.front_mut().expect("an eviction is at the head");
        head.1 = Slot::Kill(key);
    }

    /// The next thing that may leave; `None` where more has to be read first (or, once closed,
    /// at the end).
    pub fn release(&mut self) -> Option<Released> {
        let (time, slot) = self.slots.front().map_or((self.clock, None), |(t, s)| (*t, Some(s)));
        if let Some((key, work)) = self.late.pop_front() {
            return Some(Released::Work(Record { time, change: Change::Work { key, work } }));
        }
        let slot = slot?;
        let expired = self.closed || self.clock >= time.saturating_add(self.horizon);
        match slot {
            Slot::Submit(_, Submission { work: None, .. }) if !expired => return None,
            Slot::Evict(_) if !expired => return None,
            Slot::Evict(key) => return Some(Released::EvictedForGood(*key)),
            Slot::Submit(..)
            | Slot::Cancelled
            | Slot::Resize(..)
            | Slot::Kill(_)
            | Slot::Ready(_) => {}
        }
        let (time, mut slot) = self.slots.pop_front().expect("there is a head");
        self.head += 1;
        if let Slot::Submit(_, submission) = &mut slot {
            let unknown = if self.closed { Work::UntilStopped } else { Work::Unknown };
            submission.work.get_or_insert(unknown);
        }
        Some(Released::Slot(time, slot))
    }
}

/// The work of a run from `since` to `until`.
pub fn run(since: u64, until: u64, outcome: Outcome) -> Work {
    Work::For { run: SimDuration(until.saturating_sub(since)), outcome }
}
