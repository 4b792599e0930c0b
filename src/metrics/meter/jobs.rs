//! Jobs: workloads without a declared size, from the first submission to the last end.

use crate::engine::{SimDuration, SimTime};
use crate::metrics::durations::Durations;
use crate::metrics::results::{BatchSummary, JobSummary};

/// Runs shorter than this count as this long in the bounded slowdown (Feitelson et al., JSSPP
/// 1997, §3.2).
const SLOWDOWN_THRESHOLD: SimDuration = SimDuration::from_secs(10);

/// Jobs that ended in the window.
#[derive(Clone, Debug, Default)]
pub(super) struct Jobs {
    completion: Durations,
    waiting: Durations,
    slowdown: Mean,
    bounded_slowdown: Mean,
}

/// A mean of numbers that come in the order of the run.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: f64,
    count: u64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

impl Jobs {
    /// The last pod of a job ended whose first one was submitted at `since`.
    pub(super) fn end(&mut self, since: SimTime, now: SimTime) {
        self.completion.record(now - since);
    }

    /// The same of a job that was declared as a whole and began to run at `started`, if it did.
    pub(super) fn end_declared(&mut self, since: SimTime, started: SimTime, now: SimTime) {
        if started == SimTime::MAX {
            return;
        }
        self.waiting.record(started - since);
        let (response, run) = (now - since, now - started);
        if run > SimDuration::ZERO {
            self.slowdown.add(response.0 as f64 / run.0 as f64);
        }
        let bounded = response.0 as f64 / run.max(SLOWDOWN_THRESHOLD).0 as f64;
        self.bounded_slowdown.add(bounded.max(1.0));
    }

    /// The window begins.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    /// What is reported, with the end of the last pod of the run.
    pub(super) fn summary(&self, last_end: SimTime) -> JobSummary {
        let completion = self.completion.summary();
        JobSummary { ended: completion.count, completion, makespan_s: last_end.as_secs_f64() }
    }

    /// What is reported of declared jobs; `None` where none ended.
    pub(super) fn batch_summary(&self) -> Option<BatchSummary> {
        let waiting = self.waiting.summary();
        (waiting.count > 0).then(|| BatchSummary {
            ended: waiting.count,
            waiting,
            slowdown_mean: self.slowdown.value(),
            bounded_slowdown_mean: self.bounded_slowdown.value(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slowdown_is_bounded_for_short_jobs_and_counts_each_job_once() {
        let mut jobs = Jobs::default();
        let at = SimTime::from_secs;
        assert_eq!(jobs.batch_summary(), None);
        // Waits 90 s, runs 10 s: 10. Waits 9 s, runs 1 s: 10, bounded to 1. Runs at once: 1.
        jobs.end_declared(at(0), at(90), at(100));
        jobs.end_declared(at(0), at(9), at(10));
        jobs.end_declared(at(5), at(5), at(7));
        // Killed before it ran.
        jobs.end_declared(at(5), SimTime::MAX, at(7));
        let summary = jobs.batch_summary().unwrap();
        assert_eq!((summary.ended, summary.waiting.max_s), (3, 90.0));
        assert_eq!(summary.slowdown_mean, Some(7.0));
        assert_eq!(summary.bounded_slowdown_mean, Some(4.0));
    }
}
