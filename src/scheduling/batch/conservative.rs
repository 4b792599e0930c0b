//! Conservative backfilling: every job has a reservation from the moment it comes, and may start
//! earlier only where that moves no other job's reservation back.
//!
//! Mu'alem and Feitelson, TPDS 12(6), 2001, §2.1 and figure 1; when a job ends before its time,
//! the schedule is *compressed*: each waiting job in turn gives up its reservation and takes the
//! earliest there is, which is never later.
//!
//! Reservations count what is free in the whole cell. Where pods leave unusable rests on nodes, a
//! job may find that it does not fit when its time has come; it then starts as soon as it does.

use std::collections::BTreeMap;

use super::profile::Profile;
use super::queue::{Jobs, Rank};
use super::slots::total_free;
use crate::cluster::{Cluster, PodId, Resources};
use crate::engine::{SimDuration, SimTime};

/// A promise to a job that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reservation {
    start: SimTime,
    duration: SimDuration,
    need: Resources,
}

impl Reservation {
    fn end(&self) -> SimTime {
        self.start.saturating_add(self.duration)
    }
}

/// Who runs until when, and who starts when.
#[derive(Debug)]
pub struct Reservations {
    profile: Profile,
    by_job: BTreeMap<Rank, Reservation>,
    /// What pods that are bound take, and until when it was taken from the profile.
    held: BTreeMap<PodId, (Resources, SimTime)>,
    /// Room came back before its time.
    loose: bool,
    /// Times that everything had to be planned anew.
    pub rebuilt: u64,
}

impl Default for Reservations {
    fn default() -> Self {
        Self {
            profile: Profile::new(SimTime::ZERO, Resources::ZERO),
            by_job: BTreeMap::new(),
            held: BTreeMap::new(),
            loose: false,
            rebuilt: 0,
        }
    }
}

impl Reservations {
    /// A pod of a job that was started has been bound: what its job had reserved is now its own.
    pub fn bound(&mut self, pod: PodId, requests: Resources, end: SimTime) {
        self.held.insert(pod, (requests, end));
    }

    /// A pod is bound no longer.
    pub fn unbound(&mut self, pod: PodId, now: SimTime) {
        if let Some((requests, end)) = self.held.remove(&pod)
            && end > now
        {
            self.profile.advance(now);
            self.profile.give(now, end, &requests);
            self.loose = true;
        }
    }

    /// Brings the plan up to date with what happened since.
    pub fn update(&mut self, cluster: &Cluster, jobs: &mut Jobs) {
        let now = cluster.now();
        self.profile.advance(now);
        for rank in jobs.take_gone() {
            if let Some(gone) = self.by_job.remove(&rank) {
                self.profile.give(gone.start, gone.end(), &gone.need);
                self.loose = true;
            }
        }
        let fresh = jobs.take_fresh();
        if *self.profile.free_now() != self.free_for_profile(cluster, now) {
            return self.rebuild(cluster, jobs);
        }
        if self.loose {
            self.compress();
        }
        for rank in fresh {
            self.reserve(jobs, rank);
        }
    }

    /// What the profile has to show for now: what is free, but for what is promised for now.
    fn free_for_profile(&self, cluster: &Cluster, now: SimTime) -> Resources {
        let due = self.by_job.values().filter(|job| job.start <= now && job.end() > now);
        due.fold(total_free(cluster), |free, job| free.minus(&job.need))
    }

    /// The earliest reservation for the job of `rank`.
    fn reserve(&mut self, jobs: &Jobs, rank: Rank) {
        let Some(job) = jobs.waiting().get(&rank) else { return };
        let (need, duration) = (job.need, job.estimate.max(SimDuration(1)));
        let start = self.profile.earliest(duration, &need);
        let reservation = Reservation { start, duration, need };
        self.profile.take(start, reservation.end(), &need);
        self.by_job.insert(rank, reservation);
    }

    /// Lets each job in turn take an earlier reservation, if there is one.
    fn compress(&mut self) {
        self.loose = false;
        for reservation in self.by_job.values_mut() {
            let Reservation { start, duration, need } = *reservation;
            self.profile.give(start, reservation.end(), &need);
            let earlier = self.profile.earliest(duration, &need);
            // What was promised stays promised, even where a job that started late is in its way.
            reservation.start = earlier.min(start);
            self.profile.take(reservation.start, reservation.end(), &need);
        }
    }

    /// Plans everything anew: nodes came or went, or a job runs for longer than it was said to.
    fn rebuild(&mut self, cluster: &Cluster, jobs: &Jobs) {
        let now = cluster.now();
        self.rebuilt += 1;
        self.loose = false;
        self.by_job.clear();
        self.held.clear();
        self.profile = Profile::new(now, total_free(cluster));
        for job in jobs.running() {
            let end = job.expected_end(now);
            for (pod, node) in &job.pods {
                if cluster.nodes().is_open(*node) {
                    let requests = cluster.class_of(*pod).requests;
                    // It is not free now, and will be from its end on.
                    self.profile.give(end, SimTime::MAX, &requests);
                    self.held.insert(*pod, (requests, end));
                }
            }
        }
        for rank in jobs.waiting().keys() {
            self.reserve(jobs, *rank);
        }
    }

    /// Jobs whose time has come, in the order of the queue.
    pub fn due(&self, now: SimTime) -> impl Iterator<Item = Rank> {
        let due = self.by_job.iter().filter(move |(_, job)| job.start <= now);
        due.map(|(rank, _)| *rank)
    }

    /// The job of `rank` starts now; what it had reserved from now on becomes its pods'. Returns
    /// until when that is.
    pub fn start(&mut self, rank: Rank, now: SimTime) -> SimTime {
        let job = self.by_job.remove(&rank).expect("a job that is due has a reservation");
        let end = now.saturating_add(job.duration);
        // Where it could not start in time, it runs on beyond what was reserved.
        if end > job.end() {
            self.profile.take(job.end().max(now), end, &job.need);
        }
        end
    }

    /// When the next reservation begins after `now`.
    pub fn next_start(&self, now: SimTime) -> Option<SimTime> {
        let starts = self.by_job.values().map(|job| job.start);
        starts.filter(|start| *start > now && *start < SimTime::MAX).min()
    }
}
