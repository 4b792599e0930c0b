//! What one scheduler did: the figures by which Omega (EuroSys'13 §4) compares architectures.

use crate::engine::{SimDuration, SimTime};
use crate::metrics::SchedulerActivity;

/// What one scheduler did so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    busy: SimDuration,
    busy_first: SimDuration,
    decisions: u64,
    /// Decisions with a conflict.
    conflicted: u64,
    /// Decisions that placed something without a conflict.
    clean: u64,
    conflicts: u64,
    abandoned: u64,
    waits: u64,
    wait_us: u128,
}

/// A decision that is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decided {
    /// When it began.
    pub began: SimTime,
    /// When it was over.
    pub over: SimTime,
    /// It was the first on its job, which had waited since this time.
    pub first_since: Option<SimTime>,
    /// Placements asked for.
    pub claims: u64,
    /// Of them, those that others had made impossible.
    pub conflicts: u64,
}

impl Tally {
    /// Notes a decision. What is decided at time zero is how the cell was found (see
    /// [`DecisionTime`](super::options::DecisionTime)): it is not counted.
    pub fn decided(&mut self, decided: Decided) {
        if decided.over == SimTime::ZERO {
            return;
        }
        let took = decided.over.since(decided.began);
        self.busy.0 += took.0;
        self.decisions += 1;
        if let Some(since) = decided.first_since {
            self.busy_first.0 += took.0;
            self.waited(since, decided.over);
        }
        self.committed(decided.claims, decided.conflicts);
    }

    /// Notes a round, on many jobs at once.
    pub fn worked_on_round(&mut self, began: SimTime, over: SimTime, claims: u64, conflicts: u64) {
        if over == SimTime::ZERO {
            return;
        }
        self.worked(over.since(began));
        self.decisions += 1;
        self.committed(claims, conflicts);
    }

    fn committed(&mut self, claims: u64, conflicts: u64) {
        self.conflicts += conflicts;
        if conflicts > 0 {
            self.conflicted += 1;
        } else if claims > 0 {
            self.clean += 1;
        }
    }

    /// Notes how long a job waited for the end of the first attempt at it.
    pub fn waited(&mut self, since: SimTime, over: SimTime) {
        if over == SimTime::ZERO {
            return;
        }
        self.waits += 1;
        self.wait_us += u128::from(over.since(since).0);
    }

    /// Notes time spent on something that is no decision on a job.
    pub fn worked(&mut self, took: SimDuration) {
        self.busy.0 += took.0;
        self.busy_first.0 += took.0;
    }

    /// Notes a job that was given up.
    pub fn abandoned(&mut self) {
        self.abandoned += 1;
    }

    /// The figures at `now`. `at_work`: since when the scheduler has been deciding, and whether
    /// that is the first time for its job.
    pub fn activity(
        &self,
        name: &str,
        now: SimTime,
        at_work: Option<(SimTime, bool)>,
    ) -> SchedulerActivity {
        let share = |time: u64| if now.0 == 0 { 0.0 } else { time as f64 / now.0 as f64 };
        let (busy, first) = match at_work {
            Some((began, first)) => {
                let so_far = now.since(began).0;
                (self.busy.0 + so_far, self.busy_first.0 + if first { so_far } else { 0 })
            }
            None => (self.busy.0, self.busy_first.0),
        };
        SchedulerActivity {
            name: name.to_owned(),
            busy: share(busy),
            busy_first_attempts: share(first),
            decisions: self.decisions,
            conflicted: self.conflicted,
            conflicts: self.conflicts,
            conflict_fraction: self.conflicted as f64 / self.clean.max(1) as f64,
            abandoned: self.abandoned,
            wait_mean_s: (self.waits > 0).then(|| self.wait_us as f64 / 1e6 / self.waits as f64),
        }
    }
}
