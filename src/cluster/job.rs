//! What is known of a job as a whole, beyond its pods: how many belong together, who pays for
//! them, how long they are said to take, and what has to be over before they come.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::alloc::JobAlloc;

use crate::engine::{SimDuration, SimTime};

/// A job as its source declares it, before its first pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct JobSpec {
    /// Pods (attempts) that it comes to: when so many have ended, it is over. 0 where that is not
    /// known beforehand; it is over then when none of its pods is left.
    pub pods: u32,
    /// Fewest pods that are of use together (`minMember` of a PodGroup, `minAvailable` of Volcano):
    /// schedulers that know gangs bind so many at once or none. 0 and 1: each is of use alone.
    pub gang: u32,
    /// Name of the queue (tenant, quota) that it belongs to; levels are parted by `/`. Empty: none.
    pub queue: Arc<str>,
    /// How long its pods run in the opinion of the user; schedulers plan with it.
    pub estimate: Option<SimDuration>,
    /// Keys of the jobs that have to be over before its pods come into the cell.
    pub after: Vec<u64>,
    /// Time from the end of the last of these to the coming of its pods.
    pub delay: SimDuration,
    /// Another job names it in `after`: its end has to be remembered.
    pub followed: bool,
    /// Whether it is an alloc set, or runs inside of one.
    pub alloc: JobAlloc,
}

impl JobSpec {
    /// Pods that schedulers have to bind at once, at least one.
    pub fn gang_size(&self) -> u32 {
        self.gang.max(1)
    }
}

/// A declared job that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What its source says of it.
    pub spec: Arc<JobSpec>,
    /// Pods that have still to end, as far as the source told their number.
    pub to_end: u32,
    /// When the first of its pods began to run; [`SimTime::MAX`] before.
    pub started_at: SimTime,
}

impl Job {
    pub(super) fn new(spec: Arc<JobSpec>) -> Self {
        Self { to_end: spec.pods, spec, started_at: SimTime::MAX }
    }
}
