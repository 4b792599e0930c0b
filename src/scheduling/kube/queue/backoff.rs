//! How long a pod that failed is kept back (`backend/queue/backoff_queue.go` of kube-scheduler
//! v1.35).

use crate::engine::{SimDuration, SimTime};

/// Ends of back-off are rounded down to this, so that pods of one second are ordered by who goes
/// first and not by who failed first.
pub const ORDERING_WINDOW: SimDuration = SimDuration::from_secs(1);

/// The back-off after `failures` failures: `initial`, doubled with each further one, at most `max`;
/// all in one unit.
pub fn backoff_duration(initial: u64, max: u64, failures: u32) -> u64 {
    let Some(doublings) = failures.checked_sub(1) else { return 0 };
    if initial > max.checked_shr(doublings).unwrap_or(0) {
        return max;
    }
    initial << doublings
}

/// How pods back off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure (`podInitialBackoffSeconds`).
    pub initial: SimDuration,
    /// At most (`podMaxBackoffSeconds`); nothing to do without back-off.
    pub max: SimDuration,
    /// Whether pods are taken out of back-off when there is nothing else to do
    /// (`SchedulerPopFromBackoffQ`); ends of back-off are whole seconds then.
    pub pop_early: bool,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: SimDuration::from_secs(1),
            max: SimDuration::from_secs(10),
            pop_early: true,
        }
    }
}

/// `time`, rounded down to the ordering window.
pub(super) fn window(time: SimTime) -> SimTime {
    SimTime(time.0 - time.0 % ORDERING_WINDOW.0)
}

impl Backoff {
    fn aligned(&self, time: SimTime) -> SimTime {
        if self.pop_early { window(time) } else { time }
    }

    /// When the back-off of a pod ends that failed for the `failures`-th time at `time`; `None` if
    /// it need not back off.
    pub fn expiry(&self, time: SimTime, failures: u32) -> Option<SimTime> {
        if failures == 0 || self.max == SimDuration::ZERO {
            return None;
        }
        let duration = backoff_duration(self.initial.0, self.max.0, failures);
        Some(self.aligned(time.saturating_add(SimDuration(duration))))
    }

    /// True while a back-off that ends at `expiry` has not ended. A back-off that ends in this
    /// window has not.
    pub fn is_over(&self, expiry: SimTime, now: SimTime) -> bool {
        expiry < self.aligned(now)
    }

    /// The first flush at which a back-off that ends at `expiry` is over: flushes are at whole
    /// seconds.
    pub fn flushed_at(&self, expiry: SimTime) -> SimTime {
        window(expiry).saturating_add(ORDERING_WINDOW)
    }
}
