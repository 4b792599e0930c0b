//! Pods of groups that back off, and what they knew when they failed. A try ends as the last one did
//! while nothing has happened since, so nobody has to be woken for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::PodRef;

/// By pod: how much had happened when it failed.
#[derive(Default)]
pub struct Resting {
    by_pod: BTreeMap<PodRef, u64>,
    by_news: BTreeSet<(u64, PodRef)>,
}

impl Resting {
    /// `pod` failed when so much had happened.
    pub fn insert(&mut self, pod: PodRef, news: u64) {
        self.remove(pod);
        self.by_pod.insert(pod, news);
        self.by_news.insert((news, pod));
    }

    /// It is tried, or gone.
    pub fn remove(&mut self, pod: PodRef) {
        if let Some(news) = self.by_pod.remove(&pod) {
            self.by_news.remove(&(news, pod));
        }
    }

    /// How much had happened when the first of them failed.
    pub fn oldest(&self) -> Option<u64> {
        self.by_news.first().map(|(news, _)| *news)
    }
}
