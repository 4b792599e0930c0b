//! The reservation of EASY backfilling: when, by the estimates of the running jobs, the first job
//! can start, and what is left beside it then.
//!
//! Lifka, *The ANL/IBM SP Scheduling System*, JSSPP 1995; Mu'alem and Feitelson, *Utilization,
//! Predictability, Workloads, and User Runtime Estimates in Scheduling the IBM SP2 with
//! Backfilling*, TPDS 12(6), 2001, §2.2. Theirs counts processors; this one counts pods node by
//! node, which is the same where each pod is one processor.

use super::queue::{Jobs, WaitingJob};
use super::slots::{by_pod, free_now, slots, trial};
use crate::cluster::{ClassId, Cluster, NodeId, PodId, Resources};
use crate::engine::SimTime;

/// What is kept for the first job of the queue.
#[derive(Debug)]
pub struct Shadow {
    /// When it can start (the *shadow time*); [`SimTime::MAX`] if no running job's end helps.
    pub time: SimTime,
    /// What is free on each node then.
    free: Vec<Resources>,
    /// Its pods, where they are of one class, and how many of them each node takes then.
    class: Option<ClassId>,
    slots: Vec<u32>,
    total: u64,
    wanted: u64,
    groups: Vec<(ClassId, u32)>,
}

impl Shadow {
    /// The reservation of `head`, which cannot start now.
    pub fn of(cluster: &Cluster, jobs: &Jobs, head: &WaitingJob) -> Self {
        let class = match head.groups[..] {
            [(class, _)] => Some(class),
            _ => None,
        };
        let mut shadow = Self {
            time: SimTime::MAX,
            free: free_now(cluster),
            class,
            slots: Vec::new(),
            total: 0,
            wanted: head.pods.len() as u64,
            groups: head.groups.clone(),
        };
        if let Some(class) = class {
            let class = cluster.classes().get(class);
            let count = |node: NodeId| slots(cluster, class, node, &shadow.free[node.index()]);
            shadow.slots = cluster.nodes().ids().map(count).collect();
            shadow.total = shadow.slots.iter().map(|count| u64::from(*count)).sum();
        }
        shadow.find(cluster, jobs);
        shadow
    }

    /// Lets running jobs end one after the other until there is room.
    fn find(&mut self, cluster: &Cluster, jobs: &Jobs) {
        let now = cluster.now();
        let mut ends: Vec<_> = jobs.running().map(|job| (job.expected_end(now), job)).collect();
        ends.sort_by_key(|(end, _)| *end);
        let mut position = 0;
        while let Some((end, _)) = ends.get(position).copied() {
            if end == SimTime::MAX {
                return;
            }
            while let Some((_, job)) = ends.get(position).filter(|(other, _)| *other == end) {
                for (pod, node) in &job.pods {
                    self.free[node.index()] += cluster.class_of(*pod).requests;
                    self.recount(cluster, *node);
                }
                position += 1;
            }
            if self.has_room(cluster) {
                self.time = end;
                return;
            }
        }
    }

    fn recount(&mut self, cluster: &Cluster, node: NodeId) {
        let Some(class) = self.class else { return };
        let count = slots(cluster, cluster.classes().get(class), node, &self.free[node.index()]);
        let known = &mut self.slots[node.index()];
        self.total = self.total - u64::from(*known) + u64::from(count);
        *known = count;
    }

    fn has_room(&self, cluster: &Cluster) -> bool {
        match self.class {
            Some(_) => self.total >= self.wanted,
            None => trial(cluster, &self.groups, &mut self.free.clone()).is_some(),
        }
    }

    /// Where the pods of `job` can go now and stay beyond the shadow time without being in the way
    /// of the first job; what they take is taken from what is left then. They go to nodes first
    /// where they cost the first job no room.
    pub fn place_beside(
        &mut self,
        cluster: &Cluster,
        job: &WaitingJob,
    ) -> Option<Vec<(PodId, NodeId)>> {
        if self.time == SimTime::MAX {
            // Nobody knows when the first job can start: nobody can be said to delay it.
            let places = trial(cluster, &job.groups, &mut free_now(cluster))?;
            return Some(by_pod(cluster, &job.pods, places));
        }
        let mut free = free_now(cluster);
        let mut places = Vec::with_capacity(job.pods.len());
        let before = (self.free.clone(), self.slots.clone(), self.total);
        for (class, count) in &job.groups {
            for _ in 0..*count {
                let Some(node) = self.least_in_the_way(cluster, *class, &free) else {
                    (self.free, self.slots, self.total) = before;
                    return None;
                };
                let requests = cluster.classes().get(*class).requests;
                free[node.index()] -= requests;
                self.free[node.index()] -= requests;
                self.recount(cluster, node);
                places.push((*class, node));
            }
        }
        if !self.has_room(cluster) {
            (self.free, self.slots, self.total) = before;
            return None;
        }
        Some(by_pod(cluster, &job.pods, places))
    }

    /// The node that takes a pod of `class` now and costs the first job the least room.
    fn least_in_the_way(
        &self,
        cluster: &Cluster,
        class: ClassId,
        free: &[Resources],
    ) -> Option<NodeId> {
        let class = cluster.classes().get(class);
        let head = self.class.map(|class| cluster.classes().get(class));
        let mut best: Option<(u32, NodeId)> = None;
        for node in cluster.nodes().ids() {
            if slots(cluster, class, node, &free[node.index()]) == 0 {
                continue;
            }
            let then = self.free[node.index()].minus(&class.requests);
            let cost = head.map_or(0, |head| {
                self.slots[node.index()].saturating_sub(slots(cluster, head, node, &then))
            });
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, node));
            }
            if cost == 0 {
                break;
            }
        }
        best.map(|(_, node)| node)
    }
}
