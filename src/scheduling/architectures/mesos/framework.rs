//! A framework: a scheduler with a queue of its own, which decides on what it is offered.

use super::super::jobs::{Job, JobQueue, Ticket};
use super::super::planner::Claim;
use super::super::tally::{Decided, Tally};
use crate::cluster::Resources;
use crate::engine::{SimTime, Stream};
use crate::scheduling::config::QueueOrder;

/// A job decided on within an offer.
#[derive(Debug)]
pub(super) struct Handled {
    /// The job.
    pub job: Job,
    /// Where its pods are to go, the next one last.
    pub claims: Vec<Claim>,
    /// Its pods without a place.
    pub lacking: Vec<Ticket>,
    /// What its decision came to.
    pub decided: Decided,
}

/// An offer that is being decided on.
#[derive(Debug)]
pub(super) struct Offer {
    /// Which one, counted over all frameworks.
    pub number: u64,
    /// Changes to the better that the cell had seen when it was made.
    pub news: u64,
    /// When it was made.
    pub began: SimTime,
    /// When it is answered.
    pub until: SimTime,
    /// The jobs, the next one last.
    pub handled: Vec<Handled>,
    /// True while every job in it is tried for the first time.
    pub is_first: bool,
}

/// An offer of which nothing was used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Declined {
    /// [`Offer::number`].
    pub offer: u64,
    /// [`Offer::news`].
    pub news: u64,
}

/// A framework.
#[derive(Debug)]
pub(super) struct Framework {
    /// Its jobs.
    pub queue: JobQueue,
    /// What it did.
    pub tally: Tally,
    /// What it is deciding on.
    pub offer: Option<Offer>,
    /// The offer that was of no use to it, unless something has changed since.
    pub declined: Option<Declined>,
    /// What its pods have reserved.
    pub allocated: Resources,
    /// Its decision times.
    pub stream: Stream,
}

impl Framework {
    /// A framework without jobs.
    pub fn new(order: QueueOrder, stream: Stream) -> Self {
        Self {
            queue: JobQueue::new(order),
            tally: Tally::default(),
            offer: None,
            declined: None,
            allocated: Resources::ZERO,
            stream,
        }
    }

    /// True if an offer would be of use to it, after so many `news`.
    pub fn wants_offer(&self, news: u64) -> bool {
        let knows_better = self.declined.is_none_or(|declined| declined.news < news);
        self.offer.is_none() && self.queue.has_active() && knows_better
    }

    /// Its dominant share of `capacity` in 2⁻³²ths (DRF, NSDI'11 §4).
    pub fn dominant_share(&self, capacity: &Resources) -> i128 {
        let both = self.allocated.0.iter().zip(&capacity.0).filter(|(_, all)| **all > 0);
        both.map(|(own, all)| (i128::from(*own) << 32) / i128::from(*all)).max().unwrap_or(0)
    }
}
