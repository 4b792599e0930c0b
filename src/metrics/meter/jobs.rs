//! Jobs: workloads without a declared size, from the first submission to the last end.

use crate::engine::SimTime;
use crate::metrics::durations::Durations;
use crate::metrics::results::JobSummary;

/// Jobs that ended in the window.
#[derive(Clone, Debug, Default)]
pub(super) struct Jobs {
    completion: Durations,
}

impl Jobs {
    /// The last pod of a job ended whose first one was submitted at `since`.
    pub(super) fn end(&mut self, since: SimTime, now: SimTime) {
        self.completion.record(now - since);
    }

    /// The window begins.
    pub(super) fn restart(&mut self) {
        self.completion.reset();
    }

    /// What is reported, with the end of the last pod of the run.
    pub(super) fn summary(&self, last_end: SimTime) -> JobSummary {
        let completion = self.completion.summary();
        JobSummary { ended: completion.count, completion, makespan_s: last_end.as_secs_f64() }
    }
}
