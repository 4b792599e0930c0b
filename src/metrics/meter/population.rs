//! Pods as they come, wait, run and go: counts, waiting times, slowdown, Little's law.

use crate::cluster::{Ending, Tier};
use crate::engine::{SimDuration, SimTime};
use crate::metrics::durations::Durations;
use crate::metrics::integral::Integral;
use crate::metrics::results::PodCounts;

/// Waiting of the pods of one tier.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting {
    /// From submission to the first time running.
    pub(super) from_submit: Durations,
    /// From the first eviction since it last ran to running again.
    pub(super) from_eviction: Durations,
    /// Σ of time in the cell / time of useful work, over pods that succeeded.
    pub(super) slowdown_sum: f64,
    /// Pods in that sum.
    pub(super) slowdown_count: u64,
}

impl Waiting {
    /// All of `other` too.
    pub(super) fn merge(&mut self, other: &Self) {
        self.from_submit.merge(&other.from_submit);
        self.from_eviction.merge(&other.from_eviction);
        self.slowdown_sum += other.slowdown_sum;
        self.slowdown_count += other.slowdown_count;
    }

    fn reset(&mut self) {
        self.from_submit.reset();
        self.from_eviction.reset();
        self.slowdown_sum = 0.0;
        self.slowdown_count = 0;
    }
}

/// The pods of the cell, seen as a queueing system.
#[derive(Clone, Debug, Default)]
pub(super) struct Population {
    /// Events in the window; the fields on the end of the run are filled in there.
    pub(super) counts: PodCounts,
    /// Pods submitted in the window, by tier.
    pub(super) submitted: [u64; Tier::COUNT],
    /// Pods between submission and end, by tier.
    pub(super) live: [Integral; Tier::COUNT],
    pub(super) live_now: u64,
    pub(super) pending_now: u64,
    pub(super) pending_peak: u64,
    pub(super) waiting: [Waiting; Tier::COUNT],
    /// Σ over pods that ended in the window of the time they spent in the cell within it, in µs.
    pub(super) sojourn_us: u128,
    /// End of the last pod that ended, window or not.
    pub(super) last_end: SimTime,
}

impl Population {
    /// A pod of `tier` arrives.
    #[inline]
    pub(super) fn submit(&mut self, tier: Tier, now: SimTime) {
        self.counts.submitted += 1;
        self.submitted[tier as usize] += 1;
        self.live[tier as usize].add(1, now);
        self.live_now += 1;
        self.pending_now += 1;
    }

    /// A pod is of another tier now.
    pub(super) fn change_tier(&mut self, old: Tier, new: Tier, now: SimTime) {
        self.live[old as usize].add(-1, now);
        self.live[new as usize].add(1, now);
    }

    /// A pod of `tier` ends after it spent `sojourn` of the window in the cell.
    #[inline]
    pub(super) fn end(&mut self, tier: Tier, ending: Ending, sojourn: SimDuration, now: SimTime) {
        match ending {
            Ending::Succeeded => self.counts.succeeded += 1,
            Ending::Failed => self.counts.failed += 1,
            Ending::Killed => self.counts.killed += 1,
            Ending::Deleted => self.counts.deleted += 1,
            Ending::Rejected => self.counts.rejected += 1,
        }
        self.live[tier as usize].add(-1, now);
        self.live_now -= 1;
        self.pending_now -= 1;
        self.sojourn_us += u128::from(sojourn.0);
        self.last_end = now;
    }

    /// A pod of `tier` succeeded `response` after its submission, having worked for `useful`.
    #[inline]
    pub(super) fn note_slowdown(&mut self, tier: Tier, response: SimDuration, useful: SimDuration) {
        if useful > SimDuration::ZERO {
            let waiting = &mut self.waiting[tier as usize];
            waiting.slowdown_sum += response.0 as f64 / useful.0 as f64;
            waiting.slowdown_count += 1;
        }
    }

    /// Some time passed with the present numbers.
    #[inline]
    pub(super) fn note_peaks(&mut self) {
        self.counts.live_peak = self.counts.live_peak.max(self.live_now);
        self.pending_peak = self.pending_peak.max(self.pending_now);
    }

    /// The window begins.
    pub(super) fn restart(&mut self, now: SimTime) {
        self.counts = PodCounts::default();
        self.submitted = [0; Tier::COUNT];
        self.live.iter_mut().for_each(|integral| integral.restart(now));
        self.pending_peak = 0;
        self.waiting.iter_mut().for_each(Waiting::reset);
        self.sojourn_us = 0;
    }
}
