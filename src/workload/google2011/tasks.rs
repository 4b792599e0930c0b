//! What the rows of `task_events` mean together: attempts, their ends, and what the old scheduler
//! did to them, turned into what the world asks of the cell.
//!
//! Exogenous and therefore kept: SUBMIT, requests, the length of the run that ends an attempt,
//! KILL, updates. Not replayed: EVICT, LOST and placement; an attempt that is resubmitted after
//! them goes on as one attempt, whose run is the one that ends with FINISH or FAIL.

use rustc_hash::FxHashMap;

use super::super::record::{Change, Outcome, PodKey, Work};
use super::lookahead::{LookAhead, Request, Slot, SlotNumber, Submission, run};
use super::notes::{Note, Notes};
use super::rows::{TaskEvent, TaskEventKind};
use super::templates::Templates;
use crate::cluster::AttributeConstraint;
use crate::engine::SimTime;

/// The pod that a task is: `job × 2^24 + index`, which can be told apart again.
pub const fn pod_key(job: u64, index: u32) -> PodKey {
    PodKey(job << 24 | index as u64)
}

/// The job of a [`pod_key`].
pub const fn job_of(key: PodKey) -> u64 {
    key.0 >> 24
}

/// Where an attempt stands in the trace.
#[derive(Clone, Copy, Debug)]
enum State {
    Pending,
    Running { since: u64 },
    Evicted { slot: SlotNumber },
}

/// A task between its SUBMIT and its end.
struct LiveTask {
    /// Where its submission is or was in the window.
    slot: SlotNumber,
    state: State,
    request: Request,
    template: u32,
}

/// What is remembered of a job as long as one of its tasks is alive.
#[derive(Default)]
struct LiveJob {
    tasks: u32,
    /// Last request of any of its tasks.
    request: Request,
}

/// Where the results of a row go.
pub struct Sink<'a> {
    /// The window.
    pub window: &'a mut LookAhead,
    /// The counts.
    pub notes: &'a mut Notes,
}

/// All tasks that are alive in the trace.
#[derive(Default)]
pub struct Tasks {
    live: FxHashMap<PodKey, LiveTask>,
    jobs: FxHashMap<u64, LiveJob>,
    templates: Templates,
}

impl Tasks {
    /// Takes in the next row, with the constraints that belong to it.
    pub fn apply(
        &mut self,
        event: &TaskEvent,
        constraints: Vec<AttributeConstraint>,
        sink: &mut Sink<'_>,
    ) {
        sink.notes.event(event.kind);
        if event.missing.is_some() {
            sink.notes.add(Note::MissingInfo);
        }
        let key = pod_key(event.job, event.index);
        let Some(state) = self.live.get(&key).map(|task| task.state) else {
            return self.first_seen(key, event, constraints, sink);
        };
        match event.kind {
            TaskEventKind::Submit => self.resubmit(key, state, event, constraints, sink),
            TaskEventKind::Schedule => self.schedule(key, state, event, sink),
            TaskEventKind::Evict | TaskEventKind::Lost => self.evict(key, state, event, sink),
            TaskEventKind::Fail => self.end(key, state, event, Outcome::Fail, sink),
            TaskEventKind::Finish => self.end(key, state, event, Outcome::Finish, sink),
            TaskEventKind::Kill => self.stop(key, state, event, sink),
            TaskEventKind::UpdatePending | TaskEventKind::UpdateRunning => {
                if !self.describe_anew(key, event, constraints, sink) {
                    sink.notes.add(Note::UpdateWithoutChange);
                }
            }
        }
    }

    /// A row about a task that is not alive: a new attempt, or the end of an unseen one.
    fn first_seen(
        &mut self,
        key: PodKey,
        event: &TaskEvent,
        constraints: Vec<AttributeConstraint>,
        sink: &mut Sink<'_>,
    ) {
        let state = match event.kind {
            TaskEventKind::Submit | TaskEventKind::UpdatePending => State::Pending,
            TaskEventKind::Schedule | TaskEventKind::UpdateRunning => {
                State::Running { since: event.time }
            }
            TaskEventKind::Evict
            | TaskEventKind::Fail
            | TaskEventKind::Finish
            | TaskEventKind::Kill
            | TaskEventKind::Lost => return sink.notes.add(Note::NotAlive),
        };
        if event.kind != TaskEventKind::Submit {
            sink.notes.add(Note::SubmitMissing);
        }
        let (request, template) = self.describe(event, None, constraints, sink);
        let submission = Submission { request, template, work: None };
        let slot = sink.window.push(SimTime(event.time), Slot::Submit(key, submission));
        self.live.insert(key, LiveTask { slot, state, request, template });
        let job = self.jobs.entry(event.job).or_default();
        job.tasks += 1;
        job.request = request;
    }

    /// A SUBMIT of a task that is alive: it goes on as the same attempt.
    fn resubmit(
        &mut self,
        key: PodKey,
        state: State,
        event: &TaskEvent,
        constraints: Vec<AttributeConstraint>,
        sink: &mut Sink<'_>,
    ) {
        match state {
            State::Pending => return sink.notes.add(Note::SubmitWhilePending),
            State::Running { .. } => sink.notes.add(Note::SubmitWhileRunning),
            State::Evicted { slot } => cancel(slot, sink),
        }
        self.task(key).state = State::Pending;
        if self.describe_anew(key, event, constraints, sink) {
            sink.notes.add(Note::ResubmitChanged);
        }
    }

    fn schedule(&mut self, key: PodKey, state: State, event: &TaskEvent, sink: &mut Sink<'_>) {
        match state {
            State::Pending => {}
            State::Running { .. } => sink.notes.add(Note::ScheduleWhileRunning),
            State::Evicted { slot } => {
                sink.notes.add(Note::SubmitMissing);
                cancel(slot, sink);
            }
        }
        self.task(key).state = State::Running { since: event.time };
    }

    /// EVICT or LOST: nothing is replayed unless no SUBMIT follows.
    fn evict(&mut self, key: PodKey, state: State, event: &TaskEvent, sink: &mut Sink<'_>) {
        match state {
            State::Evicted { .. } => sink.notes.add(Note::NotAlive),
            State::Pending | State::Running { .. } => {
                sink.notes.add(Note::EvictionNotReplayed);
                let slot = sink.window.push(SimTime(event.time), Slot::Evict(key));
                self.task(key).state = State::Evicted { slot };
            }
        }
    }

    /// FINISH or FAIL.
    fn end(
        &mut self,
        key: PodKey,
        state: State,
        event: &TaskEvent,
        outcome: Outcome,
        sink: &mut Sink<'_>,
    ) {
        match state {
            State::Running { since } => {
                let task = self.remove(key);
                sink.window.tell(task.slot, key, run(since, event.time, outcome));
            }
            State::Pending | State::Evicted { .. } => {
                sink.notes.add(Note::EndWhileNotRunning);
                self.stop(key, state, event, sink);
            }
        }
    }

    /// KILL: at its own time, whether the task runs or waits.
    fn stop(&mut self, key: PodKey, state: State, event: &TaskEvent, sink: &mut Sink<'_>) {
        if let State::Evicted { slot } = state {
            cancel(slot, sink);
        }
        let task = self.remove(key);
        sink.window.tell(task.slot, key, Work::UntilStopped);
        sink.window.push(SimTime(event.time), Slot::Kill(key));
    }

    /// Takes over a new description; true if it differs from the former one.
    fn describe_anew(
        &mut self,
        key: PodKey,
        event: &TaskEvent,
        constraints: Vec<AttributeConstraint>,
        sink: &mut Sink<'_>,
    ) -> bool {
        let former = (self.task(key).request, self.task(key).template);
        let (request, template) = self.describe(event, Some(former.0), constraints, sink);
        if former == (request, template) {
            return false;
        }
        let task = self.task(key);
        (task.request, task.template) = (request, template);
        self.jobs.entry(event.job).or_default().request = request;
        sink.window.push(SimTime(event.time), Slot::Resize(key, request, template));
        true
    }

    /// Requests and template of a row; what is blank is taken from the task, from its job, or is
    /// zero.
    fn describe(
        &mut self,
        event: &TaskEvent,
        former: Option<Request>,
        constraints: Vec<AttributeConstraint>,
        sink: &mut Sink<'_>,
    ) -> (Request, u32) {
        let blank = event.cpu.is_none() || event.memory.is_none() || event.disk.is_none();
        let known = if blank {
            sink.notes.add(Note::BlankRequests);
            former.or_else(|| self.jobs.get(&event.job).map(|job| job.request)).unwrap_or_default()
        } else {
            Request::default()
        };
        let request = Request {
            cpu: event.cpu.unwrap_or(known.cpu),
            memory: event.memory.unwrap_or(known.memory),
            disk: event.disk.unwrap_or(known.disk),
        };
        let (template, declared) =
            self.templates.intern(event.priority, event.different_machines, constraints);
        if let Some(declared) = declared {
            let change = Box::new(Change::Template(declared));
            sink.window.push(SimTime(event.time), Slot::Ready(change));
        }
        (request, template)
    }

    /// Everything has been read: what is alive runs until stopped.
    #[expect(clippy::disallowed_methods, reason = "sorted before anything depends on the order")]
    pub fn close(&mut self, sink: &mut Sink<'_>) {
        sink.notes.add_many(Note::AliveAtTheEnd, self.live.len() as u64);
        let mut rest: Vec<_> = self.live.drain().map(|(key, task)| (key, task.slot)).collect();
        rest.sort_unstable_by_key(|(key, _)| *key);
        self.jobs.clear();
        for (key, slot) in rest {
            sink.window.tell(slot, key, Work::UntilStopped);
        }
        sink.window.close();
    }

    /// No SUBMIT followed the eviction at the head of the window: it is the end of the pod.
    pub fn give_up(&mut self, key: PodKey, sink: &mut Sink<'_>) {
        sink.notes.add(Note::EvictedForGood);
        // Where the data end, nobody is alive any more and the pod has been told already.
        if self.live.contains_key(&key) {
            let task = self.remove(key);
            sink.window.tell(task.slot, key, Work::UntilStopped);
        }
        sink.window.settle_eviction(key);
    }

    fn task(&mut self, key: PodKey) -> &mut LiveTask {
        self.live.get_mut(&key).expect("the caller found the task alive")
    }

    fn remove(&mut self, key: PodKey) -> LiveTask {
        if let Some(job) = self.jobs.get_mut(&job_of(key)) {
            job.tasks -= 1;
            if job.tasks == 0 {
                self.jobs.remove(&job_of(key));
            }
        }
        self.live.remove(&key).expect("the caller found the task alive")
    }
}

/// The eviction in `slot` was followed by something: it is not the end of the pod.
fn cancel(slot: SlotNumber, sink: &mut Sink<'_>) {
    if let Some(slot) = sink.window.slot_mut(slot) {
        *slot = Slot::Cancelled;
    }
}
