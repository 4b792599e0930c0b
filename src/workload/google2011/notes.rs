//! What the reader of the Google 2011 trace counts on its way, beside broken rows.

use super::super::source::SourceStatistics;
use super::rows::TaskEventKind;

/// Things worth knowing that are not errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A row with a code in its missing-info column.
    MissingInfo,
    /// A row without requests; those of the task or its job, or zero, were taken.
    BlankRequests,
    /// A row at 2^63−1, after the window.
    AfterTheWindow,
    /// A SCHEDULE or update of a task that was not submitted; it counts as submitted then.
    SubmitMissing,
    /// A row about a task that is not alive.
    NotAlive,
    /// A SUBMIT of a task that waits already.
    SubmitWhilePending,
    /// A SUBMIT of a task that runs: the end of its run is missing.
    SubmitWhileRunning,
    /// A SCHEDULE of a task that runs: the end of its run is missing.
    ScheduleWhileRunning,
    /// A FINISH or FAIL of a task that does not run; it is stopped at that time.
    EndWhileNotRunning,
    /// An EVICT or LOST; the old scheduler's doing, not replayed.
    EvictionNotReplayed,
    /// An EVICT or LOST that no SUBMIT followed; the pod is stopped at its time.
    EvictedForGood,
    /// A SUBMIT after EVICT or LOST with another description; the pod is resized.
    ResubmitChanged,
    /// An update that changes nothing that is modelled.
    UpdateWithoutChange,
    /// A pod that went out before its end was read.
    WorkUnknownAtFirst,
    /// Tasks alive where the data end; they run until stopped.
    AliveAtTheEnd,
    /// Constraints without a task event at the same time.
    ConstraintWithoutEvent,
    /// A machine event that changes nothing.
    MachineWithoutChange,
    /// A machine event without capacity; the former one was kept.
    MachineCapacityBlank,
    /// An ADD of a machine that is there.
    MachineAddedTwice,
    /// A REMOVE or UPDATE of a machine that is not there.
    MachineNotThere,
}

impl Note {
    const COUNT: usize = Self::MachineNotThere as usize + 1;

    /// The wording in statistics.
    const TEXTS: [&'static str; Self::COUNT] = [
        "rows with missing info",
        "rows without requests",
        "rows after the window",
        "SCHEDULE or update without SUBMIT",
        "rows about tasks that are not alive",
        "SUBMIT of a pending task",
        "SUBMIT of a running task",
        "SCHEDULE of a running task",
        "FINISH or FAIL of a task that does not run",
        "EVICT or LOST not replayed",
        "EVICT or LOST without a later SUBMIT",
        "SUBMIT after EVICT with other requests",
        "updates without change",
        "pods whose run length was not known in time",
        "tasks alive where the data end",
        "constraints without a task event",
        "machine events without change",
        "machine events without capacity",
        "ADD of a machine that is there",
        "REMOVE or UPDATE of a machine that is not there",
    ];
}

/// Counts per note and per kind of task event.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    notes: [u64; Note::COUNT],
    events: [u64; TaskEventKind::COUNT],
}

impl Notes {
    /// Counts a note.
    pub fn add(&mut self, note: Note) {
        self.add_many(note, 1);
    }

    /// Counts a note several times.
    pub fn add_many(&mut self, note: Note, count: u64) {
        self.notes[note as usize] += count;
    }

    /// Counts a task event.
    pub fn event(&mut self, kind: TaskEventKind) {
        self.events[kind as usize] += 1;
    }

    /// Adds the counts that are not zero to `statistics`.
    pub fn add_to(&self, statistics: &mut SourceStatistics) {
        let notes = Note::TEXTS.iter().map(ToString::to_string).zip(self.notes);
        let kinds = TaskEventKind::ALL.iter().map(|kind| format!("task events {kind}"));
        for (text, count) in notes.chain(kinds.zip(self.events)).filter(|(_, count)| *count > 0) {
            statistics.noted.insert(text, count);
        }
    }
}
