//! Nodes as they really are: in the cell or not, up or down, and how long it took to notice.

use crate::cluster::{NodeId, PoolId, Resources};
use crate::engine::SimTime;
use crate::metrics::durations::Durations;
use crate::metrics::integral::{Integral, mean, ratio, seconds};
use crate::metrics::results::NodeSummary;

use super::reliability::Spell;

/// What was counted for a node: the cluster may already be further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeTrack {
    pub(super) present: bool,
    pub(super) up: bool,
    pub(super) pool: PoolId,
    pub(super) capacity: Resources,
    joined: SimTime,
    down_since: SimTime,
    /// It is down and the control plane has not noticed.
    unnoticed: bool,
    pub(super) spell: Spell,
}

impl NodeTrack {
    /// It is as it is until `now`.
    fn count_time(&mut self, now: SimTime) {
        self.spell.count(self.present.then_some(self.up), now);
    }
}

/// All nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct Nodes {
    pub(super) tracks: Vec<NodeTrack>,
    pub(super) present: Integral,
    pub(super) up: Integral,
    /// Fewest nodes up; `u64::MAX` before any time passed.
    up_min: u64,
    failures: u64,
    repairs: u64,
    added: u64,
    removed: u64,
    repair_us: u128,
    detection: Durations,
}

impl Nodes {
    /// No nodes yet.
    pub(super) fn new() -> Self {
        Self { up_min: u64::MAX, ..Self::default() }
    }

    /// What was counted for `node`.
    pub(super) fn track(&self, node: NodeId) -> &NodeTrack {
        &self.tracks[node.index()]
    }

    /// A node joins, up; those that are there from the start do not count as added.
    pub(super) fn add(&mut self, node: NodeId, pool: PoolId, capacity: Resources, now: SimTime) {
        let track = NodeTrack {
            present: true,
            up: true,
            pool,
            capacity,
            joined: now,
            down_since: SimTime::MAX,
            unnoticed: false,
            spell: Spell::default(),
        };
        if self.tracks.len() <= node.index() {
            let absent = NodeTrack { present: false, up: false, ..track };
            self.tracks.resize(node.index() + 1, absent);
        }
        let known = &mut self.tracks[node.index()];
        known.count_time(now);
        *known = NodeTrack { spell: known.spell, ..track };
        self.added += u64::from(now > SimTime::ZERO);
        self.present.add(1, now);
        self.up.add(1, now);
    }

    /// A node leaves. Returns what was counted for it until now.
    pub(super) fn remove(&mut self, node: NodeId, now: SimTime) -> NodeTrack {
        let track = &mut self.tracks[node.index()];
        track.count_time(now);
        let before = *track;
        *track = NodeTrack { present: false, up: false, unnoticed: false, ..before };
        self.removed += 1;
        self.present.add(-1, now);
        self.up.add(-i64::from(before.up), now);
        before
    }

    /// Pool and capacity of a node change.
    pub(super) fn describe(&mut self, node: NodeId, pool: PoolId, capacity: Resources) {
        let track = &mut self.tracks[node.index()];
        (track.pool, track.capacity) = (pool, capacity);
    }

    /// A node goes down. One that was down when it joined did not fail here.
    pub(super) fn fail(&mut self, node: NodeId, now: SimTime) -> NodeTrack {
        let track = &mut self.tracks[node.index()];
        track.count_time(now);
        (track.up, track.down_since, track.unnoticed) = (false, now, true);
        let failed = u64::from(track.joined != now);
        track.spell.failures += failed;
        self.failures += failed;
        self.up.add(-1, now);
        *track
    }

    /// A node comes up again.
    pub(super) fn repair(&mut self, node: NodeId, now: SimTime) -> NodeTrack {
        let track = &mut self.tracks[node.index()];
        track.count_time(now);
        (track.up, track.unnoticed) = (true, false);
        let took = now - track.down_since;
        track.spell.repairs += 1;
        track.spell.repair_us += took.0;
        self.repairs += 1;
        self.repair_us += u128::from(took.0);
        self.up.add(1, now);
        *track
    }

    /// The control plane notices that a node is not ready.
    pub(super) fn notice(&mut self, node: NodeId, now: SimTime) {
        let track = &mut self.tracks[node.index()];
        if std::mem::take(&mut track.unnoticed) {
            self.detection.record(now - track.down_since);
        }
    }

    /// Some time passed with the present numbers.
    #[inline]
    pub(super) fn note_minimum(&mut self) {
        self.up_min = self.up_min.min(self.up.value() as u64);
    }

    /// The window begins.
    pub(super) fn restart(&mut self, now: SimTime) {
        self.present.restart(now);
        self.up.restart(now);
        self.up_min = u64::MAX;
        (self.failures, self.repairs, self.added, self.removed) = (0, 0, 0, 0);
        self.repair_us = 0;
        self.tracks.iter_mut().for_each(|track| track.spell.restart(now));
        self.detection.reset();
    }

    /// What is reported of a window of `length_us` that ends at `end`.
    pub(super) fn summary(&self, end: SimTime, length_us: i128) -> NodeSummary {
        let (present_us, up_us) = (self.present.until(end), self.up.until(end));
        let mttf_s = ratio(up_us, i128::from(self.failures)).map(|us| us / 1e6);
        let mttr_s =
            (self.repairs > 0).then(|| seconds(self.repair_us as i128) / self.repairs as f64);
        NodeSummary {
            present_at_end: self.present.value() as u64,
            present_mean: mean(present_us, length_us),
            up_mean: mean(up_us, length_us),
            up_min: if self.up_min < u64::MAX { self.up_min } else { self.up.value() as u64 },
            availability: ratio(up_us, present_us),
            failures: self.failures,
            repairs: self.repairs,
            added: self.added,
            removed: self.removed,
            mttf_s,
            mttr_s,
            mtbf_s: mttf_s.zip(mttr_s).map(|(up, down)| up + down),
            detection: self.detection.summary(),
        }
    }
}
