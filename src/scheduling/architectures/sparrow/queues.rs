//! The queues of the nodes: what stands at their heads, and what becomes of it.

use std::collections::VecDeque;

use super::super::jobs::Ticket;
use super::batch::{Batch, BatchId};
use super::sample::is_candidate;
use super::{Message, Sparrow};
use crate::cluster::{Cluster, NodeId, PodClass, PodId, Resources};
use crate::scheduling::scheduler::Decision;

/// What stands in the queue of a node.
#[derive(Clone, Copy, Debug)]
enum Entry {
    /// A reservation for any pod of a batch.
    Reservation(BatchId),
    /// A pod that was sent there.
    Pod(Ticket),
}

/// A worker: what waits for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Worker {
    queue: VecDeque<Entry>,
    /// What it keeps free for pods that it has asked for.
    kept: Resources,
    /// It is among the nodes to be looked at.
    pub is_dirty: bool,
}

impl Worker {
    /// A reservation joins the queue.
    pub fn push_reservation(&mut self, batch: BatchId) {
        self.queue.push_back(Entry::Reservation(batch));
    }

    /// A pod joins the queue.
    pub fn push_pod(&mut self, pod: Ticket) {
        self.queue.push_back(Entry::Pod(pod));
    }

    /// True if something is in the queue.
    pub fn has_queue(&self) -> bool {
        !self.queue.is_empty()
    }
}

impl Sparrow {
    /// Sends the pods to the nodes with the shortest queues, one to each.
    pub(super) fn measure(
        &mut self,
        cluster: &Cluster,
        pods: &[Ticket],
        class: &PodClass,
        nodes: &[NodeId],
    ) {
        let mut loads: Vec<(u64, usize)> = Vec::with_capacity(nodes.len());
        for (order, node) in nodes.iter().enumerate() {
            let waiting = self.worker(*node).queue.len() as u64;
            let pods = u64::from(cluster.nodes().pod_count(*node)) + waiting;
            loads.push(((pods << 20) / slots(cluster, class, *node), order));
        }
        loads.sort_unstable();
        let arrival = self.after(cluster, 2);
        for (pod, (_, order)) in pods.iter().zip(loads) {
            self.send(arrival, Message::Place { node: nodes[order], pod: *pod });
        }
    }

    /// The next pod of a batch that no node has got yet.
    pub(super) fn next_pod(&mut self, cluster: &Cluster, batch: BatchId) -> Option<Ticket> {
        let waiting = &mut self.batches.get_mut(batch).waiting;
        while let Some(ticket) = waiting.pop_front() {
            if self.tickets.pending(cluster, ticket).is_some() {
                if waiting.is_empty() {
                    self.batches.get_mut(batch).done_at = Some(cluster.now());
                }
                return Some(ticket);
            }
        }
        self.batches.get_mut(batch).done_at.get_or_insert(cluster.now());
        None
    }

    /// A node got its answer.
    pub(super) fn launch(
        &mut self,
        cluster: &Cluster,
        node: NodeId,
        batch: BatchId,
        pod: Option<Ticket>,
    ) -> Option<Decision> {
        let class = self.batches.get_mut(batch).class;
        self.worker(node).kept -= class.requests;
        self.mark_dirty(node);
        let pod = pod.filter(|ticket| self.tickets.pending(cluster, *ticket).is_some());
        let Some(ticket) = pod else {
            self.lose_reservation(batch);
            return None;
        };
        if cluster.admits(&class, node) {
            self.lose_reservation(batch);
            self.counts.placed += 1;
            return Some(Decision::Bind { pod: ticket.pod.pod, node, devices: None });
        }
        // Something happened to the node meanwhile: it waits, or looks elsewhere.
        self.batches.get_mut(batch).waiting.push_front(ticket);
        if is_candidate(cluster, &class, node) {
            self.worker(node).queue.push_front(Entry::Reservation(batch));
        } else {
            self.lose_reservation(batch);
        }
        None
    }

    fn lose_reservation(&mut self, batch: BatchId) {
        let orphans = self.batches.drop_reservation(batch);
        self.incoming.extend(orphans);
    }

    /// Looks at the head of the queue of `node`, as long as there is something to do there.
    pub(super) fn work_off(&mut self, cluster: &Cluster, node: NodeId) -> Option<Decision> {
        loop {
            let head = self.worker(node).queue.front().copied()?;
            let ready = match head {
                Entry::Reservation(batch) => self.look_at_reservation(cluster, node, batch),
                Entry::Pod(ticket) => self.look_at_pod(cluster, node, ticket),
            };
            match ready {
                Head::Waits => return None,
                Head::Gone => {
                    self.worker(node).queue.pop_front();
                }
                Head::Starts(pod) => {
                    self.worker(node).queue.pop_front();
                    self.counts.placed += 1;
                    return Some(Decision::Bind { pod, node, devices: None });
                }
            }
        }
    }

    fn look_at_reservation(&mut self, cluster: &Cluster, node: NodeId, batch: BatchId) -> Head {
        let &mut Batch { class, done_at, .. } = self.batches.get_mut(batch);
        let told = done_at.is_some_and(|time| {
            self.rules.cancellation && time.saturating_add(self.rules.delay) <= cluster.now()
        });
        if told {
            self.lose_reservation(batch);
            return Head::Gone;
        }
        if !is_candidate(cluster, &class, node) {
            self.lose_reservation(batch);
            return Head::Gone;
        }
        if !self.has_room(cluster, &class, node) {
            return Head::Waits;
        }
        self.worker(node).kept += class.requests;
        let arrival = self.after(cluster, 1);
        self.send(arrival, Message::Ask { node, batch });
        Head::Gone
    }

    fn look_at_pod(&mut self, cluster: &Cluster, node: NodeId, ticket: Ticket) -> Head {
        let Some(pod) = self.tickets.pending(cluster, ticket) else { return Head::Gone };
        let class = cluster.classes().get(pod.class);
        if !is_candidate(cluster, class, node) {
            self.incoming.push(ticket);
            return Head::Gone;
        }
        if !cluster.admits(class, node) {
            return Head::Waits;
        }
        Head::Starts(ticket.pod.pod)
    }

    /// True if there is room on `node` for a pod of `class` besides what it keeps free.
    fn has_room(&mut self, cluster: &Cluster, class: &PodClass, node: NodeId) -> bool {
        let kept = self.worker(node).kept;
        let nodes = cluster.nodes();
        let demand = nodes.demand(class, nodes.group(node)).plus(&kept);
        demand.fits_in(nodes.free(node)) && cluster.admits(class, node)
    }
}

/// What becomes of the head of a queue.
enum Head {
    /// There is no room for it yet.
    Waits,
    /// It leaves the queue.
    Gone,
    /// It is bound.
    Starts(PodId),
}

/// How many pods of `class` an empty `node` holds, at least one.
fn slots(cluster: &Cluster, class: &PodClass, node: NodeId) -> u64 {
    let limit = cluster.nodes().limit(node);
    let both = class.requests.0.iter().zip(&limit.0).filter(|(ask, _)| **ask > 0);
    both.map(|(ask, all)| u64::try_from(all / ask).unwrap_or(0)).min().unwrap_or(1).max(1)
}
