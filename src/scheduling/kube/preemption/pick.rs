//! Which candidate to take.

use std::cmp::Reverse;

use super::Candidate;
use crate::kubernetes::Time;
use crate::scheduling::kube::pod::PodInfo;

/// Priorities are added up from zero, so that more victims are always worse.
const PRIORITY_OFFSET: i64 = 1 << 31;

/// When a pod was started; now if it was not.
fn start(pod: &PodInfo, now: Time) -> Time {
    pod.start_time.unwrap_or(now)
}

/// True if `a` is rather kept than `b`: it has the higher priority, or has run for longer.
pub fn more_important(a: &PodInfo, b: &PodInfo, now: Time) -> bool {
    (Reverse(a.priority()), start(a, now)) < (Reverse(b.priority()), start(b, now))
}

/// When the first of those with the highest priority was started.
pub fn earliest_start<'a>(pods: impl IntoIterator<Item = &'a PodInfo>, now: Time) -> Option<Time> {
    let most = pods.into_iter().map(|pod| (Reverse(pod.priority()), start(pod, now))).min();
    most.map(|(_, start)| start)
}

/// The places of the best candidates: fewest budget violations, lowest highest priority, lowest
/// sum of priorities, fewest victims, latest start of the most important victims. Upstream takes
/// any of them.
pub fn pick(candidates: &[Candidate], now: Time) -> Vec<usize> {
    let rank = |candidate: &Candidate| {
        let victims = &candidate.victims;
        let priorities = victims.iter().map(|victim| i64::from(victim.priority()));
        (
            candidate.budget_violations,
            victims.first().map(|victim| victim.priority()),
            priorities.map(|priority| priority + PRIORITY_OFFSET).sum::<i64>(),
            victims.len(),
            Reverse(earliest_start(victims.iter().map(AsRef::as_ref), now)),
        )
    };
    let ranks: Vec<_> = candidates.iter().map(rank).collect();
    let best = ranks.iter().min();
    let places = (0..ranks.len()).filter(|place| Some(&ranks[*place]) == best);
    places.collect()
}
