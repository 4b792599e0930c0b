//! Declared workloads: are there enough ready pods? Outages, availability, where recovery goes.
//!
//! Whether a workload is in outage is decided per instant, not per fact: a dip that is over at the
//! instant at which it began is none. A workload is in outage from its declaration until it first
//! has its minimum; what lies before the window is cut off.

use std::sync::Arc;

use crate::cluster::{Workload, WorkloadId};
use crate::engine::{SimDuration, SimTime};
use crate::metrics::integral::{Integral, seconds};
use crate::metrics::results::{MAX_OUTAGES, Outage};

use super::allocation::Sign;

/// Position of a declared workload; `NOT_DECLARED` for the others.
pub(super) const NOT_DECLARED: u32 = u32::MAX;

/// Parts of the recovery of a displaced pod, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecoveryPart {
    /// From the failure under it to its eviction.
    Detect,
    /// From its eviction to its binding.
    Place,
    /// From its binding to its start.
    Start,
}

/// Names of the parts of recovery, in order.
pub(super) const RECOVERY_PARTS: [&str; 3] = ["detect", "place", "start"];

/// An outage under way.
#[derive(Clone, Copy, Debug)]
struct Ongoing {
    start: SimTime,
    ready_min: u32,
    /// Position in the list of outages, if there was room.
    listed: Option<usize>,
}

/// What is known of one declared workload.
#[derive(Clone, Debug)]
pub(super) struct DeclaredTrack {
    pub(super) name: Arc<str>,
    pub(super) since: SimTime,
    pub(super) wanted_now: u32,
    pub(super) minimum_ready: u32,
    pub(super) ready_now: u32,
    pub(super) ready: Integral,
    pub(super) wanted: Integral,
    /// The lesser of ready and wanted: a pod too many makes up for no pod missing at another time.
    pub(super) served: Integral,
    served_now: u32,
    dirty: bool,
    ongoing: Option<Ongoing>,
    pub(super) outages: u64,
    pub(super) outage_us: u64,
    pub(super) longest_us: u64,
    pub(super) crashes: u64,
    pub(super) evictions: u64,
    recovery: [(u128, u64); RECOVERY_PARTS.len()],
}

/// All declared workloads, in order of declaration.
#[derive(Clone, Debug, Default)]
pub(super) struct Declared {
    pub(super) tracks: Vec<DeclaredTrack>,
    /// Position by workload id.
    position: Vec<u32>,
    dirty: Vec<u32>,
    outages: Vec<Outage>,
}

impl Declared {
    /// Position of `workload`, or [`NOT_DECLARED`].
    #[inline]
    pub(super) fn position(&self, workload: WorkloadId) -> u32 {
        self.position.get(workload.index()).copied().unwrap_or(NOT_DECLARED)
    }

    /// A workload is declared or wants another number of pods. True if it is new, so that its pods
    /// have to be found.
    pub(super) fn scale(&mut self, id: WorkloadId, workload: &Workload, now: SimTime) -> bool {
        let known = self.position(id);
        let position = if known == NOT_DECLARED { self.declare(id, workload, now) } else { known };
        let track = &mut self.tracks[position as usize];
        track.wanted.add(i64::from(workload.wanted) - i64::from(track.wanted_now), now);
        track.wanted_now = workload.wanted;
        track.minimum_ready = workload.minimum_ready;
        self.mark(position);
        known == NOT_DECLARED
    }

    fn declare(&mut self, id: WorkloadId, workload: &Workload, now: SimTime) -> u32 {
        let position = u32::try_from(self.tracks.len()).expect("declared workloads are few");
        if self.position.len() <= id.index() {
            self.position.resize(id.index() + 1, NOT_DECLARED);
        }
        self.position[id.index()] = position;
        let unnamed = || Arc::from(workload.key.to_string());
        self.tracks.push(DeclaredTrack {
            name: workload.name.clone().unwrap_or_else(unnamed),
            since: now,
            wanted_now: 0,
            minimum_ready: 0,
            ready_now: 0,
            ready: Integral::default(),
            wanted: Integral::default(),
            served: Integral::default(),
            served_now: 0,
            dirty: false,
            ongoing: None,
            outages: 0,
            outage_us: 0,
            longest_us: 0,
            crashes: 0,
            evictions: 0,
            recovery: Default::default(),
        });
        position
    }

    fn mark(&mut self, position: u32) {
        let track = &mut self.tracks[position as usize];
        if !std::mem::replace(&mut track.dirty, true) {
            self.dirty.push(position);
        }
    }

    /// A pod of the workload at `position` becomes ready, or is ready no longer.
    pub(super) fn count_ready(&mut self, sign: Sign, position: u32, now: SimTime) {
        let track = &mut self.tracks[position as usize];
        match sign {
            Sign::Plus => track.ready_now += 1,
            Sign::Minus => track.ready_now -= 1,
        }
        track.ready.add(sign.of(1), now);
        self.mark(position);
    }

    /// A part of the recovery of a displaced pod took `time`.
    pub(super) fn note_recovery(&mut self, position: u32, part: RecoveryPart, time: SimDuration) {
        let (sum_us, count) = &mut self.tracks[position as usize].recovery[part as usize];
        *sum_us += u128::from(time.0);
        *count += 1;
    }

    /// The instant `now` is over: what changed in it counts from it on.
    #[inline]
    pub(super) fn close_instant(&mut self, now: SimTime) {
        if !self.dirty.is_empty() {
            self.evaluate(now);
        }
    }

    fn evaluate(&mut self, now: SimTime) {
        for position in std::mem::take(&mut self.dirty) {
            let track = &mut self.tracks[position as usize];
            track.dirty = false;
            let served = track.ready_now.min(track.wanted_now);
            track.served.add(i64::from(served) - i64::from(track.served_now), now);
            track.served_now = served;
            let short = track.ready_now < track.minimum_ready;
            match (&mut track.ongoing, short) {
                (Some(outage), true) => outage.ready_min = outage.ready_min.min(track.ready_now),
                (None, true) => self.begin_outage(position, now),
                (Some(_), false) => self.end_outage(position, now),
                (None, false) => {}
            }
        }
    }

    fn begin_outage(&mut self, position: u32, now: SimTime) {
        let track = &mut self.tracks[position as usize];
        let ready_min = track.ready_now;
        let listed = (self.outages.len() < MAX_OUTAGES).then_some(self.outages.len());
        track.ongoing = Some(Ongoing { start: now, ready_min, listed });
        track.outages += 1;
        if listed.is_some() {
            let (workload, start_s) = (track.name.to_string(), now.as_secs_f64());
            self.outages.push(Outage { workload, start_s, end_s: start_s, ready_min });
        }
    }

    fn end_outage(&mut self, position: u32, now: SimTime) {
        let track = &mut self.tracks[position as usize];
        let Some(outage) = track.ongoing.take() else { return };
        let length_us = (now - outage.start).0;
        track.outage_us += length_us;
        track.longest_us = track.longest_us.max(length_us);
        if let Some(listed) = outage.listed {
            self.outages[listed].end_s = now.as_secs_f64();
            self.outages[listed].ready_min = outage.ready_min;
        }
    }

    /// The window begins at `now`. An outage under way counts as one that begins here.
    pub(super) fn restart(&mut self, now: SimTime) {
        self.outages.clear();
        for position in 0..self.tracks.len() {
            let track = &mut self.tracks[position];
            track.ready.restart(now);
            track.wanted.restart(now);
            track.served.restart(now);
            track.ongoing = None;
            (track.outages, track.outage_us, track.longest_us) = (0, 0, 0);
            (track.crashes, track.evictions) = (0, 0);
            track.recovery = Default::default();
            self.mark(u32::try_from(position).expect("declared workloads are few"));
        }
    }

    /// The run is over: outages under way end with it. Returns the outages of the window.
    pub(super) fn finish(&mut self, end: SimTime) -> Vec<Outage> {
        for position in 0..self.tracks.len() {
            self.end_outage(u32::try_from(position).expect("declared workloads are few"), end);
        }
        std::mem::take(&mut self.outages)
    }
}

impl DeclaredTrack {
    /// Mean time of the parts of recovery that occurred, in seconds.
    pub(super) fn recovery(&self) -> Vec<(String, f64)> {
        let parts = RECOVERY_PARTS.iter().zip(&self.recovery);
        let occurred = parts.filter(|(_, (_, count))| *count > 0);
        occurred
            .map(|(name, (sum_us, count))| {
                ((*name).to_owned(), seconds(*sum_us as i128) / *count as f64)
            })
            .collect()
    }
}
