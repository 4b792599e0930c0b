//! The ledger of what is taken away from pods: evictions by tier and cause, and work that has to
//! be done again.

use rustc_hash::FxHashMap;

use crate::cluster::{EvictionCause, PodId, StopReason, Tier};
use crate::engine::{SimDuration, SimTime};

/// What stops a pod and can cost work: crash, node down, the causes of eviction.
pub(super) const LOSSES: usize = 2 + EvictionCause::COUNT;

/// Part of the present run of a pod with requests that it no longer has.
#[derive(Clone, Copy, Debug)]
struct FormerRequest {
    until: SimTime,
    cpu_milli: i64,
}

/// Evictions and lost work in the window.
#[derive(Clone, Debug, Default)]
pub(super) struct Disruption {
    pub(super) evictions: [[u64; EvictionCause::COUNT]; Tier::COUNT],
    /// Millicore × µs, by what stopped the pod.
    pub(super) lost: [i128; LOSSES],
    /// Running pods whose requests changed since they were started: few, looked up by key only.
    resized: FxHashMap<PodId, Vec<FormerRequest>>,
}

/// The end of a run of a pod.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    pub(super) pod: PodId,
    /// Millicores that it requested at the end.
    pub(super) cpu_milli: i64,
    /// Time at the end of the run that does not count.
    pub(super) lost: SimDuration,
    pub(super) reason: StopReason,
}

impl Disruption {
    /// A pod of `tier` is evicted.
    pub(super) fn evict(&mut self, tier: Tier, cause: EvictionCause) {
        self.evictions[tier as usize][cause as usize] += 1;
    }

    /// Evictions for each cause, whatever the tier.
    pub(super) fn evictions_by_cause(&self) -> [u64; EvictionCause::COUNT] {
        std::array::from_fn(|cause| self.evictions.iter().map(|tier| tier[cause]).sum())
    }

    /// A running pod with `cpu_milli` requested gets other requests at `now`.
    pub(super) fn resize(&mut self, pod: PodId, cpu_milli: i64, now: SimTime) {
        self.resized.entry(pod).or_default().push(FormerRequest { until: now, cpu_milli });
    }

    /// A run ends at `now`. Work lost before `window` is not counted: what a checkpoint keeps is
    /// the first part of a run, what is lost is the last.
    #[inline]
    pub(super) fn stop(&mut self, stop: Stop, now: SimTime, window: SimTime) {
        let former = if self.resized.is_empty() { None } else { self.resized.remove(&stop.pod) };
        let Some(loss) = loss_index(stop.reason) else { return };
        let mut from = SimTime(now.0 - stop.lost.0).max(window);
        for request in former.into_iter().flatten() {
            let until = request.until.max(from);
            self.lost[loss] += i128::from(request.cpu_milli) * i128::from((until - from).0);
            from = until;
        }
        self.lost[loss] += i128::from(stop.cpu_milli) * i128::from(now.since(from).0);
    }

    /// The window begins.
    pub(super) fn restart(&mut self) {
        self.evictions = Default::default();
        self.lost = Default::default();
    }
}

/// Position of what stopped a pod in the ledger; what ends of itself loses nothing.
fn loss_index(reason: StopReason) -> Option<usize> {
    match reason {
        StopReason::Ended(_) => None,
        StopReason::Crashed => Some(0),
        StopReason::NodeDown => Some(1),
        StopReason::Evicted(cause) => Some(2 + cause as usize),
    }
}

/// Names of the positions of the ledger.
pub(super) fn loss_names() -> impl Iterator<Item = &'static str> {
    ["crash", "node-down"].into_iter().chain(EvictionCause::ALL.iter().map(|cause| cause.name()))
}
