//! Failure domains by kind: failures of their own (not of what contains them), and repairs.

use crate::cluster::{DomainGraph, DomainId};
use crate::engine::SimTime;
use crate::metrics::integral::{Integral, ratio, seconds};
use crate::metrics::results::DomainSummary;

#[derive(Clone, Debug)]
struct Kind {
    name: String,
    count: u64,
    up: Integral,
    failures: u64,
    repairs: u64,
    repair_us: i128,
}

#[derive(Clone, Copy, Debug)]
struct DomainTrack {
    kind: usize,
    /// Faults of its own; they may overlap.
    faults: u32,
    down_since: SimTime,
}

/// All failure domains.
#[derive(Clone, Debug, Default)]
pub(super) struct Domains {
    kinds: Vec<Kind>,
    tracks: Vec<DomainTrack>,
}

impl Domains {
    /// Takes in domains that are new in `graph`, which are up.
    pub(super) fn register(&mut self, graph: &DomainGraph, now: SimTime) {
        for id in (self.tracks.len()..graph.len()).map(DomainId::from_index) {
            let kind = self.kind(graph.kind(id));
            self.kinds[kind].count += 1;
            self.kinds[kind].up.add(1, now);
            self.tracks.push(DomainTrack { kind, faults: 0, down_since: SimTime::MAX });
        }
    }

    fn kind(&mut self, name: &str) -> usize {
        if let Some(known) = self.kinds.iter().position(|kind| kind.name == name) {
            return known;
        }
        self.kinds.push(Kind {
            name: name.to_owned(),
            count: 0,
            up: Integral::default(),
            failures: 0,
            repairs: 0,
            repair_us: 0,
        });
        self.kinds.len() - 1
    }

    /// One fault more of `domain`: it fails with the first.
    pub(super) fn fail(&mut self, domain: DomainId, now: SimTime) {
        let track = &mut self.tracks[domain.index()];
        track.faults += 1;
        if track.faults == 1 {
            track.down_since = now;
            self.kinds[track.kind].failures += 1;
            self.kinds[track.kind].up.add(-1, now);
        }
    }

    /// One fault fewer of `domain`: it is repaired with the last.
    pub(super) fn repair(&mut self, domain: DomainId, now: SimTime) {
        let track = &mut self.tracks[domain.index()];
        track.faults -= 1;
        if track.faults == 0 {
            let kind = &mut self.kinds[track.kind];
            kind.repairs += 1;
            kind.repair_us += i128::from((now - track.down_since).0);
            kind.up.add(1, now);
        }
    }

    /// The window begins.
    pub(super) fn restart(&mut self, now: SimTime) {
        for kind in &mut self.kinds {
            kind.up.restart(now);
            (kind.failures, kind.repairs, kind.repair_us) = (0, 0, 0);
        }
    }

    /// What is reported at `end`, in order of first appearance.
    pub(super) fn summary(&self, end: SimTime) -> Vec<DomainSummary> {
        let of_kind = |kind: &Kind| {
            let mttf_s = ratio(kind.up.until(end), i128::from(kind.failures)).map(|us| us / 1e6);
            let mttr_s = (kind.repairs > 0).then(|| seconds(kind.repair_us) / kind.repairs as f64);
            DomainSummary {
                kind: kind.name.clone(),
                count: kind.count,
                failures: kind.failures,
                mttf_s,
                mttr_s,
                mtbf_s: mttf_s.zip(mttr_s).map(|(up, down)| up + down),
            }
        };
        self.kinds.iter().map(of_kind).collect()
    }
}
