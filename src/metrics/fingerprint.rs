//! The fingerprint of a run: every fact becomes words that the engine's hash absorbs.
//!
//! The numbers below are part of what a fingerprint means: they are written out, never reused, and
//! do not follow from the order in which a type happens to be declared. Numbers of tables that are
//! only an artefact of memory (pod slots, classes) are left out.

use crate::cluster::{Cluster, Dimension, Ending, EvictionCause, Fact, PodId, StopReason};
use crate::engine::{Fingerprint, SimTime};

use super::Observer;

/// Hashes all facts in order.
#[derive(Clone, Debug, Default)]
pub struct FingerprintObserver {
    hash: Fingerprint,
}

impl FingerprintObserver {
    /// The fingerprint of all facts so far.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.hash
    }

    /// Absorbs a fact of kind `kind` with a detail below 2²⁴ and a node or the like.
    #[inline]
    fn absorb(&mut self, now: SimTime, (kind, detail, place): (u64, u64, u32), words: [u64; 2]) {
        let head = kind | detail << 8 | u64::from(place) << 32;
        let [first, second] = words;
        self.hash.absorb4([head, now.0, first, second]);
    }

    /// Absorbs amounts of all resources.
    fn absorb_resources(&mut self, amounts: &crate::cluster::Resources) {
        for dimension in Dimension::all() {
            self.hash.absorb(amounts[dimension] as u64);
        }
    }
}

impl Observer for FingerprintObserver {
    #[inline]
    fn observe(&mut self, now: SimTime, fact: &Fact, cluster: &Cluster) {
        let serial = |pod: PodId| cluster.pod(pod).serial;
        match *fact {
            Fact::PodSubmitted { pod } => {
                self.absorb(now, (1, 0, 0), [serial(pod), cluster.pod(pod).new.key]);
            }
            Fact::PodBound { pod, node, class: _ } => {
                self.absorb(now, (2, 0, node.0), [serial(pod), 0]);
            }
            Fact::PodStarted { pod, node } => self.absorb(now, (3, 0, node.0), [serial(pod), 0]),
            Fact::PodStopped { pod, node, ran, kept, reason } => {
                self.absorb(now, (4, reason_code(reason), node.0), [serial(pod), ran.0]);
                self.hash.absorb(kept.0);
            }
            Fact::PodUnbound { pod, node, class: _ } => {
                self.absorb(now, (5, 0, node.0), [serial(pod), 0]);
            }
            Fact::PodEvicted { pod, node, cause } => {
                self.absorb(now, (6, cause_code(cause), node.0), [serial(pod), 0]);
            }
            Fact::PodEnded { pod, ending } => {
                self.absorb(now, (7, ending_code(ending), 0), [serial(pod), 0]);
            }
            Fact::PodResized { pod } => {
                let class = cluster.class_of(pod);
                let priority = i64::from(class.priority) as u64;
                self.absorb(now, (8, class.tier as u64, 0), [serial(pod), priority]);
                self.absorb_resources(&class.requests);
            }
            Fact::NodeAdded { node } => {
                self.absorb(now, (9, 0, node.0), [0, 0]);
                self.absorb_resources(cluster.nodes().allocatable(node));
            }
            Fact::NodeRemoved { node } => self.absorb(now, (10, 0, node.0), [0, 0]),
            Fact::NodeResizing { node } => self.absorb(now, (11, 0, node.0), [0, 0]),
            Fact::NodeResized { node } => {
                self.absorb(now, (12, 0, node.0), [0, 0]);
                self.absorb_resources(cluster.nodes().allocatable(node));
            }
            Fact::NodeDown { node } => self.absorb(now, (13, 0, node.0), [0, 0]),
            Fact::NodeUp { node } => self.absorb(now, (14, 0, node.0), [0, 0]),
            Fact::NodeNotReady { node } => self.absorb(now, (15, 0, node.0), [0, 0]),
            Fact::NodeReady { node } => self.absorb(now, (16, 0, node.0), [0, 0]),
            Fact::NodeCordoned { node, cordoned } => {
                self.absorb(now, (17, u64::from(cordoned), node.0), [0, 0]);
            }
            Fact::DomainDown { domain } => self.absorb(now, (18, 0, domain.0), [0, 0]),
            Fact::DomainUp { domain } => self.absorb(now, (19, 0, domain.0), [0, 0]),
            Fact::WorkloadScaled { workload } => {
                let declared = cluster.workloads().get(workload);
                let size = u64::from(declared.wanted) | u64::from(declared.minimum_ready) << 32;
                self.absorb(now, (20, 0, 0), [declared.key, size]);
            }
            Fact::WorkloadEnded { workload } => {
                self.absorb(now, (21, 0, 0), [cluster.workloads().get(workload).key, 0]);
            }
            Fact::PodEnteredAlloc { pod, alloc } => {
                self.absorb(now, (22, 0, 0), [serial(pod), serial(alloc)]);
            }
        }
    }
}

/// Numbers of the reasons why a pod stops.
fn reason_code(reason: StopReason) -> u64 {
    match reason {
        StopReason::Ended(ending) => 0x100 + ending_code(ending),
        StopReason::Crashed => 0x200,
        StopReason::NodeDown => 0x300,
        StopReason::Evicted(cause) => 0x400 + cause_code(cause),
    }
}

/// Numbers of the ways in which a pod ends.
fn ending_code(ending: Ending) -> u64 {
    match ending {
        Ending::Succeeded => 1,
        Ending::Failed => 2,
        Ending::Killed => 3,
        Ending::Deleted => 4,
        Ending::Rejected => 5,
    }
}

/// Numbers of the causes of evictions.
fn cause_code(cause: EvictionCause) -> u64 {
    match cause {
        EvictionCause::Preemption => 1,
        EvictionCause::MachineFailure => 2,
        EvictionCause::MachineShutdown => 3,
        EvictionCause::OutOfResources => 4,
        EvictionCause::Other => 5,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cluster::{DomainGraph, NodeSpec, Overcommit, Resources};
    use crate::engine::FingerprintValue;

    /// A cell with two nodes to which something happens at 1 s.
    fn fingerprint(happens: impl Fn(&mut Cluster)) -> FingerprintValue {
        let mut cluster = Cluster::new(DomainGraph::default(), Overcommit::default());
        for name in ["a", "b"] {
            let allocatable = Resources::pod(4000, 1 << 30);
            let spec = NodeSpec { name: name.to_owned(), allocatable, ..NodeSpec::default() };
            cluster.add_node(Arc::new(spec));
        }
        cluster.advance_to(SimTime::from_secs(1));
        happens(&mut cluster);
        let mut observer = FingerprintObserver::default();
        for fact in cluster.facts() {
            observer.observe(cluster.now(), fact, &cluster);
        }
        FingerprintValue::from(observer.fingerprint())
    }

    #[test]
    fn equal_facts_have_equal_fingerprints() {
        let down = |cluster: &mut Cluster| {
            cluster.begin_node_fault(crate::cluster::NodeId(1), &|_, _| None);
        };
        assert_eq!(fingerprint(down), fingerprint(down));
    }

    #[test]
    fn node_kind_and_order_of_facts_are_told_apart() {
        let node = crate::cluster::NodeId;
        let all = [
            fingerprint(|_| {}),
            fingerprint(|cluster| {
                cluster.begin_node_fault(node(0), &|_, _| None);
            }),
            fingerprint(|cluster| {
                cluster.begin_node_fault(node(1), &|_, _| None);
            }),
            fingerprint(|cluster| {
                cluster.observe_readiness(node(1), false);
            }),
            fingerprint(|cluster| {
                cluster.cordon(node(0), true);
                cluster.observe_readiness(node(1), false);
            }),
            fingerprint(|cluster| {
                cluster.observe_readiness(node(1), false);
                cluster.cordon(node(0), true);
            }),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(!all[..i].contains(one), "story {i} has the fingerprint of an earlier one");
        }
    }

    #[test]
    fn codes_are_distinct() {
        let reasons = Ending::ALL.map(StopReason::Ended).into_iter();
        let causes = EvictionCause::ALL.map(StopReason::Evicted);
        let mut codes: Vec<u64> = reasons
            .chain(causes)
            .chain([StopReason::Crashed, StopReason::NodeDown])
            .map(reason_code)
            .collect();
        codes.sort_unstable();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
    }
}
