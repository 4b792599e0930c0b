//! Batch scheduling of parallel jobs: all processors of a job at once, in the order of a queue,
//! with or without backfilling.
//!
//! A job is a gang of pods (`JobSpec::gang`); its estimate is the user's, never its true run time.
//! Whether there is room is counted exactly, node by node; which of the nodes that do are taken is
//! up to the placement policy, but where a choice could be in the way of a reservation.

mod conservative;
mod easy;
mod options;
mod profile;
mod queue;
pub(super) mod slots;

use std::collections::VecDeque;
use std::ops::Bound;

use rustc_hash::FxHashMap;

use self::conservative::Reservations;
use self::easy::Shadow;
use self::queue::{Jobs, Rank, WaitingJob};
use self::slots::{by_pod, count_now, free_now, total_free, trial};
use super::config::{QueueOrder, SchedulerConfig};
use super::explanation::Explanation;
use super::placement::Placer;
use super::scheduler::{Decision, Scheduler, SchedulerCounts, Waiting, WaitingClasses};
use crate::cluster::{
    ClassId, Cluster, EvictionCause, Fact, NodeId, PodId, ResourceNames, Resources,
};
use crate::engine::{SimDuration, SimTime, Streams};

pub use options::{BatchOptions, OPTIONS};
pub use queue::JobOrder;

/// Which jobs may go before others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backfill {
    /// None: the first job that does not fit holds up all behind it.
    #[default]
    None,
    /// Whoever fits (list scheduling): large jobs may starve.
    Greedy,
    /// Those that do not delay the first job of the queue.
    Easy,
    /// Those that delay no job before them.
    Conservative,
}

/// A scheduler of parallel jobs.
pub struct BatchScheduler {
    backfill: Backfill,
    placer: Placer,
    jobs: Jobs,
    reservations: Reservations,
    /// Pods of the job that is being started, and their nodes where these are fixed.
    starting: VecDeque<(PodId, Option<NodeId>)>,
    /// What each pod being started has of the plan: until when.
    starting_until: SimTime,
    pass: Option<Pass>,
    has_news: bool,
    wakes_at: Option<SimTime>,
    counts: SchedulerCounts,
}

/// How far a pass has come.
#[derive(Default)]
struct Pass {
    /// Jobs up to here have been looked at.
    cursor: Option<Rank>,
    shadow: Option<Shadow>,
    /// What is free in the whole cell: what exceeds that needs no closer look.
    free: Option<Resources>,
    /// Room for pods of a class, as far as it was counted.
    room: FxHashMap<ClassId, (u64, u64)>,
}

impl Pass {
    /// A job has been started: what was counted holds no longer.
    fn forget(&mut self) {
        self.free = None;
        self.room.clear();
    }
}

impl BatchScheduler {
    /// A scheduler without jobs.
    pub fn new(options: BatchOptions, config: SchedulerConfig, streams: Streams) -> Self {
        let order = options.order.unwrap_or(match config.queue {
            QueueOrder::Fifo => JobOrder::Fifo,
            QueueOrder::Priority => JobOrder::Priority,
        });
        Self {
            backfill: options.backfill,
            placer: Placer::new(config.strategy, config.index, streams).with_ties(config.ties),
            jobs: Jobs::new(order, options.default_estimate.unwrap_or(SimDuration::MAX)),
            reservations: Reservations::default(),
            starting: VecDeque::new(),
            starting_until: SimTime::MAX,
            pass: None,
            has_news: false,
            wakes_at: None,
            counts: SchedulerCounts::default(),
        }
    }

    /// Lets the next job start, if there is one that may; false ends the pass.
    fn start_next(&mut self, cluster: &Cluster, pass: &mut Pass) -> bool {
        match self.backfill {
            Backfill::Conservative => self.start_due(cluster, pass),
            Backfill::None | Backfill::Greedy | Backfill::Easy => self.start_first(cluster, pass),
        }
    }

    fn start_first(&mut self, cluster: &Cluster, pass: &mut Pass) -> bool {
        while let Some(rank) = self.after(pass.cursor) {
            let job = &self.jobs.waiting()[&rank];
            let fits = fits_now(cluster, job, pass);
            if fits && pass.shadow.is_none() {
                self.start(cluster, rank, None, pass);
                return true;
            }
            match self.backfill {
                Backfill::None => return false,
                Backfill::Greedy | Backfill::Conservative => {}
                Backfill::Easy if pass.shadow.is_none() => {
                    pass.shadow = Some(Shadow::of(cluster, &self.jobs, job));
                }
                Backfill::Easy => {
                    if fits && let Some(places) = self.backfilled(cluster, rank, pass) {
                        pass.cursor = Some(rank);
                        self.start(cluster, rank, places, pass);
                        return true;
                    }
                }
            }
            self.counts.unschedulable += job_len(&self.jobs, rank);
            pass.cursor = Some(rank);
            if pass.free.is_some_and(|free| free[crate::cluster::Dimension::PODS] == 0) {
                return false;
            }
        }
        false
    }

    /// The first waiting job after `cursor`.
    fn after(&self, cursor: Option<Rank>) -> Option<Rank> {
        let from = cursor.map_or(Bound::Unbounded, Bound::Excluded);
        self.jobs.waiting().range((from, Bound::Unbounded)).next().map(|(rank, _)| *rank)
    }

    /// Whether the job of `rank`, which fits now, delays the first one (`None` if so), and where
    /// its pods have to go so that it does not.
    #[expect(clippy::option_option, reason = "may it, and if so, does it matter where")]
    fn backfilled(
        &self,
        cluster: &Cluster,
        rank: Rank,
        pass: &mut Pass,
    ) -> Option<Option<Vec<(PodId, NodeId)>>> {
        let job = &self.jobs.waiting()[&rank];
        let shadow = pass.shadow.as_mut().expect("the first job has a reservation by now");
        if cluster.now().saturating_add(job.estimate) <= shadow.time {
            return Some(None);
        }
        shadow.place_beside(cluster, job).map(Some)
    }

    fn start_due(&mut self, cluster: &Cluster, pass: &mut Pass) -> bool {
        let now = cluster.now();
        let due: Vec<Rank> =
            self.reservations.due(now).filter(|rank| Some(*rank) > pass.cursor).collect();
        for rank in due {
            pass.cursor = Some(rank);
            if fits_now(cluster, &self.jobs.waiting()[&rank], pass) {
                self.starting_until = self.reservations.start(rank, now);
                self.start(cluster, rank, None, pass);
                return true;
            }
            self.counts.unschedulable += job_len(&self.jobs, rank);
        }
        false
    }

    /// Starts a job that fits.
    fn start(
        &mut self,
        cluster: &Cluster,
        rank: Rank,
        places: Option<Vec<(PodId, NodeId)>>,
        pass: &mut Pass,
    ) {
        pass.forget();
        let job = self.jobs.start(rank, cluster.now());
        self.counts.attempts += job.pods.len() as u64;
        self.counts.placed += job.pods.len() as u64;
        self.starting = match places {
            Some(places) => places.into_iter().map(|(pod, node)| (pod, Some(node))).collect(),
            // Alike, they find room in whatever order nodes are filled.
            None if job.groups.len() == 1 => job.pods.iter().map(|pod| (*pod, None)).collect(),
            None => {
                let places = trial(cluster, &job.groups, &mut free_now(cluster));
                let places =
                    by_pod(cluster, &job.pods, places.expect("it has just been found to fit"));
                places.into_iter().map(|(pod, node)| (pod, Some(node))).collect()
            }
        };
    }

    /// The next pod of the job that is being started.
    fn bind_next(&mut self, cluster: &Cluster) -> Option<Decision> {
        let (pod, place) = self.starting.pop_front()?;
        let record = cluster.pod(pod);
        let node = place.or_else(|| self.placer.choose(cluster, record.class, record.serial));
        let node = node.expect("room was counted for every pod of the job");
        self.jobs.bound(pod, node);
        if self.backfill == Backfill::Conservative {
            let requests = cluster.class_of(pod).requests;
            self.reservations.bound(pod, requests, self.starting_until);
        }
        Some(Decision::Bind { pod, node, devices: None })
    }

    fn end_pass(&mut self, cluster: &Cluster) {
        self.pass = None;
        self.has_news = false;
        self.wakes_at = match self.backfill {
            Backfill::Conservative => self.reservations.next_start(cluster.now()),
            Backfill::None | Backfill::Greedy | Backfill::Easy => None,
        };
    }
}

fn job_len(jobs: &Jobs, rank: Rank) -> u64 {
    jobs.waiting()[&rank].pods.len() as u64
}

/// True if all pods of `job` find room now.
fn fits_now(cluster: &Cluster, job: &WaitingJob, pass: &mut Pass) -> bool {
    let free = pass.free.get_or_insert_with(|| total_free(cluster));
    if !job.need.fits_in(free) {
        return false;
    }
    for (class, count) in &job.groups {
        let wanted = u64::from(*count);
        let (enough, found) = pass.room.get(class).copied().unwrap_or((0, 0));
        // What was counted up to fewer than are wanted now has to be counted further.
        let found = if enough < wanted && found >= enough {
            let found = count_now(cluster, *class, wanted);
            pass.room.insert(*class, (wanted, found));
            found
        } else {
            found
        };
        if found < wanted {
            return false;
        }
    }
    job.groups.len() == 1 || trial(cluster, &job.groups, &mut free_now(cluster)).is_some()
}

impl Scheduler for BatchScheduler {
    fn enqueue(&mut self, cluster: &Cluster, pod: PodId) {
        self.jobs.enqueue(cluster, pod);
        self.has_news = true;
    }

    fn note_improved(&mut self, _node: NodeId) {
        self.has_news |= !self.jobs.is_idle();
    }

    fn follows_facts(&self) -> bool {
        true
    }

    fn follow(&mut self, cluster: &Cluster, fact: &Fact) {
        match *fact {
            Fact::PodUnbound { pod, .. } => {
                self.jobs.unbound(pod);
                self.reservations.unbound(pod, cluster.now());
            }
            Fact::PodEnded { pod, .. } => {
                self.jobs.ended(cluster, pod);
                self.has_news |= !self.jobs.is_idle();
            }
            _ => {}
        }
    }

    fn wakes_at(&self) -> Option<SimTime> {
        if self.has_news { Some(SimTime::ZERO) } else { self.wakes_at }
    }

    fn decide(&mut self, cluster: &Cluster) -> Option<Decision> {
        if let Some(decision) = self.bind_next(cluster) {
            return Some(decision);
        }
        while let Some(pod) = self.jobs.next_orphan() {
            if cluster.pod(pod).state.is_bound() {
                return Some(Decision::Evict { pod, cause: EvictionCause::Other });
            }
        }
        let mut pass = match self.pass.take() {
            Some(pass) => pass,
            None => {
                if self.backfill == Backfill::Conservative {
                    self.reservations.update(cluster, &mut self.jobs);
                } else {
                    self.jobs.take_fresh();
                    self.jobs.take_gone();
                }
                Pass::default()
            }
        };
        if self.start_next(cluster, &mut pass) {
            self.pass = Some(pass);
            return self.bind_next(cluster);
        }
        self.end_pass(cluster);
        None
    }

    fn touch(&self, node: NodeId) {
        self.placer.touch(node);
    }

    fn counts(&self) -> SchedulerCounts {
        self.counts.with_work(self.placer.counters())
    }

    fn explain(&self, cluster: &Cluster, pod: PodId, names: &ResourceNames) -> Option<Explanation> {
        let told = self.placer.explain(cluster, cluster.class_of(pod), names);
        let rule = format!("{}; a job starts when there is room for all of it", told.rule);
        Some(Explanation { rule, ..told })
    }

    fn waiting(&self, cluster: &Cluster, names: &ResourceNames, most: usize) -> WaitingClasses {
        let mut by_class: std::collections::BTreeMap<ClassId, (usize, usize)> =
            std::collections::BTreeMap::new();
        for job in self.jobs.waiting().values() {
            for (class, count) in &job.groups {
                let entry = by_class.entry(*class).or_default();
                entry.0 += *count as usize;
                entry.1 = entry.1.max(job.pods.len());
            }
        }
        let classes = by_class.len();
        let mut sorted: Vec<_> = by_class.into_iter().collect();
        sorted.sort_by_key(|(class, (pods, _))| (std::cmp::Reverse(*pods), *class));
        let listed = sorted.into_iter().take(most).map(|(class, (pods, largest))| {
            let class = cluster.classes().get(class);
            let why = self.placer.rejections(cluster, class, names);
            Waiting {
                pods,
                tier: class.tier,
                why: format!("jobs of up to {largest} pods at once wait; one pod now: {why}"),
            }
        });
        WaitingClasses { classes, listed: listed.collect() }
    }
}
