//! Exponential back-off of crashing pods (CrashLoopBackOff).

use crate::engine::SimDuration;

/// Delays before the restarts of a crashing pod. The defaults are the kubelet's (v1.35,
/// `MaxContainerBackOff`): the first restart at once, then 10 s, doubled up to 300 s, forgotten
/// after a run of 10 minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Delay before the second restart.
    pub initial: SimDuration,
    /// Longest delay.
    pub maximum: SimDuration,
    /// A run of this length makes the next crash count as the first.
    pub reset_after: SimDuration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: SimDuration::from_secs(10),
            maximum: SimDuration::from_secs(300),
            reset_after: SimDuration::from_secs(600),
        }
    }
}

impl Backoff {
    /// Delay before the restart after the `crashes`-th crash in a row, from 1.
    pub fn delay(&self, crashes: u32) -> SimDuration {
        if crashes <= 1 {
            return SimDuration::ZERO;
        }
        let doublings = (crashes - 2).min(63);
        let delay = self.initial.0.saturating_mul(1 << doublings);
        SimDuration(delay.min(self.maximum.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delays_are_those_of_the_kubelet() {
        let delays: Vec<u64> =
            (1..=8).map(|crash| Backoff::default().delay(crash).0 / 1_000_000).collect();
        assert_eq!(delays, [0, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(Backoff::default().delay(u32::MAX), SimDuration::from_secs(300));
    }
}
