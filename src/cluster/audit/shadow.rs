//! The shadow: a small model of the cell, folded from the facts of each event in order. It knows
//! who is where and what that adds up to, and complains of a fact that cannot be true. It takes
//! from the cluster only what a fact names and no verb changes: the content of a class, a pod's
//! serial and workload, the description of a node.

use super::super::alloc::AllocRole;
use super::super::class::PodClass;
use super::super::fact::{Fact, StopReason};
use super::super::ids::{ClassId, DomainId, NodeId, PodId, WorkloadId};
use super::super::matching;
use super::super::resources::{Dimension, Resources};
use super::super::{Cluster, Ending};
use super::{Violation, broken, ensure};
use crate::engine::{SimDuration, SimTime};

/// What the facts say of the pod in one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShadowPod {
    pub live: bool,
    pub running: bool,
    pub serial: u64,
    pub workload: WorkloadId,
    /// Where it is bound, or none.
    pub node: NodeId,
    /// Set from its unbinding until what that was for is known.
    unbound_from: NodeId,
    /// The class that it is counted under; brought up to date by the comparison.
    pub class: ClassId,
    /// What it reserves while bound, and what it has to be apart from there.
    pub requests: Resources,
    apart_from: WorkloadId,
    /// What it has to do with allocs, while bound.
    pub role: AllocRole,
    /// The instance that it is inside of, or none.
    pub alloc: PodId,
    /// Of an instance: what is inside of it.
    pub inside_used: Resources,
    pub inside_pods: u32,
    pub started_at: SimTime,
    pub done: SimDuration,
}

impl ShadowPod {
    const ABSENT: Self = Self {
        live: false,
        running: false,
        serial: 0,
        workload: WorkloadId::NONE,
        node: NodeId::NONE,
        unbound_from: NodeId::NONE,
        class: ClassId::NONE,
        requests: Resources::ZERO,
        apart_from: WorkloadId::NONE,
        role: AllocRole::None,
        alloc: PodId::NONE,
        inside_used: Resources::ZERO,
        inside_pods: 0,
        started_at: SimTime::MAX,
        done: SimDuration::ZERO,
    };

    /// True if the event left it between two states.
    pub fn is_adrift(&self) -> bool {
        let nowhere = self.role == AllocRole::Inside && self.node.is_some() != self.alloc.is_some();
        self.unbound_from.is_some() || nowhere
    }
}

/// What the facts say of one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ShadowNode {
    pub present: bool,
    pub up: bool,
    pub ready: bool,
    pub cordoned: bool,
    pub reserved: Resources,
    pub pods: u32,
}

/// What the facts say of one workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ShadowWorkload {
    pub pods: u32,
    pub ready: u32,
    /// Pods bound that have to be apart from their like.
    pub apart: usize,
}

/// The model.
#[derive(Clone, Debug, Default)]
pub(super) struct Shadow {
    pub pods: Vec<ShadowPod>,
    pub nodes: Vec<ShadowNode>,
    pub workloads: Vec<ShadowWorkload>,
    pub domain_faults: Vec<u16>,
    /// Pods counted under each class.
    pub classes: Vec<u32>,
    pub live: usize,
    pub submitted: u64,
}

/// The row at `index` of a table that grows on demand.
pub(super) fn row<T: Clone>(table: &mut Vec<T>, index: usize, vacant: T) -> &mut T {
    if table.len() <= index {
        table.resize(index + 1, vacant);
    }
    &mut table[index]
}

impl Shadow {
    /// What is known of the pod in slot `id`.
    pub fn pod(&self, id: PodId) -> ShadowPod {
        self.pods.get(id.index()).copied().unwrap_or(ShadowPod::ABSENT)
    }

    /// What is known of `node`.
    pub fn node(&self, node: NodeId) -> ShadowNode {
        self.nodes.get(node.index()).copied().unwrap_or_default()
    }

    /// What is known of `workload`.
    pub fn workload(&self, workload: WorkloadId) -> ShadowWorkload {
        self.workloads.get(workload.index()).copied().unwrap_or_default()
    }

    pub fn pod_mut(&mut self, id: PodId) -> &mut ShadowPod {
        row(&mut self.pods, id.index(), ShadowPod::ABSENT)
    }

    fn node_mut(&mut self, node: NodeId) -> &mut ShadowNode {
        row(&mut self.nodes, node.index(), ShadowNode::default())
    }

    fn workload_mut(&mut self, workload: WorkloadId) -> &mut ShadowWorkload {
        row(&mut self.workloads, workload.index(), ShadowWorkload::default())
    }

    /// Takes in one fact.
    ///
    /// # Errors
    /// The fact cannot be true after those before it.
    pub fn fold(&mut self, fact: &Fact, cluster: &Cluster) -> Result<(), Violation> {
        match *fact {
            Fact::PodSubmitted { pod } => self.submitted(pod, cluster),
            Fact::PodBound { pod, node, class } => self.bound(pod, node, class, cluster),
            Fact::PodEnteredAlloc { pod, alloc } => self.entered(pod, alloc, cluster),
            Fact::PodStarted { pod, node } => self.started(pod, node, cluster),
            Fact::PodStopped { pod, node, ran, kept, reason } => {
                self.stopped(pod, node, (ran, kept), reason, cluster)
            }
            Fact::PodUnbound { pod, node, class } => self.unbound(pod, node, class, cluster),
            Fact::PodEvicted { pod, node, cause: _ } => self.evicted(pod, node),
            Fact::PodResized { pod } => {
                ensure(self.pod(pod).live, || "a pod that is not there was resized".to_owned())
            }
            Fact::PodEnded { pod, ending } => self.ended(pod, ending, cluster),
            Fact::DomainDown { domain } => self.count_domain_fault(domain, true),
            Fact::DomainUp { domain } => self.count_domain_fault(domain, false),
            Fact::WorkloadScaled { workload: _ } => Ok(()),
            Fact::WorkloadEnded { workload } => {
                let left = self.workload(workload).pods;
                ensure(left == 0, || format!("a workload ended that has {left} pods"))
            }
            Fact::NodeAdded { node }
            | Fact::NodeRemoved { node }
            | Fact::NodeResizing { node }
            | Fact::NodeResized { node }
            | Fact::NodeDown { node }
            | Fact::NodeUp { node }
            | Fact::NodeNotReady { node }
            | Fact::NodeReady { node }
            | Fact::NodeCordoned { node, .. } => self.node_changed(fact, node),
        }
    }

    fn submitted(&mut self, id: PodId, cluster: &Cluster) -> Result<(), Violation> {
        let record = cluster.pod(id);
        let workload = record.new.workload;
        let expected = self.submitted;
        self.submitted += 1;
        self.live += 1;
        self.workload_mut(workload).pods += 1;
        let pod = self.pod_mut(id);
        let was = std::mem::replace(
            pod,
            ShadowPod { live: true, serial: record.serial, workload, ..ShadowPod::ABSENT },
        );
        ensure(!was.live, || format!("pod {} got the slot of a live one", record.serial))?;
        ensure(record.serial == expected, || {
            format!("pod {} is the {expected}-th that was submitted", record.serial)
        })
    }

    fn bound(
        &mut self,
        id: PodId,
        node: NodeId,
        class: ClassId,
        cluster: &Cluster,
    ) -> Result<(), Violation> {
        let class = *cluster.classes().get(class);
        let pod = self.pod(id);
        let serial = pod.serial;
        ensure(pod.live && !pod.node.is_some(), || format!("pod {serial} was bound twice"))?;
        if pod.unbound_from.is_some() {
            ensure(pod.unbound_from == node, || format!("pod {serial} moved while resized"))?;
        } else {
            ensure(!pod.running, || format!("pod {serial} ran before it was bound"))?;
            self.check_admission(serial, &class, node, cluster)?;
        }
        let entry = self.pod_mut(id);
        (entry.node, entry.unbound_from) = (node, NodeId::NONE);
        (entry.requests, entry.apart_from) = (class.requests, class.apart_from);
        entry.role = class.alloc;
        if class.apart_from.is_some() {
            self.workload_mut(class.apart_from).apart += 1;
        }
        if class.alloc == AllocRole::Inside {
            // It is the instance that it enters which has to have the room.
            return Ok(());
        }
        let host = self.node_mut(node);
        host.reserved += class.requests;
        host.pods += 1;
        Ok(())
    }

    /// Nobody is bound beyond what policy lets its tier fill a node to, nor to a node that is not
    /// open or that its constraints forbid.
    fn check_admission(
        &self,
        serial: u64,
        class: &PodClass,
        node: NodeId,
        cluster: &Cluster,
    ) -> Result<(), Violation> {
        let (host, nodes) = (self.node(node), cluster.nodes());
        let spec = nodes.spec(node);
        let name = &spec.name;
        ensure(host.present && host.ready, || {
            format!("pod {serial} was bound to node {name}, which takes none")
        })?;
        let constraints = nodes.constraints(class.constraints);
        ensure(matching::satisfies(constraints, spec, host.cordoned), || {
            format!("pod {serial} was bound to node {name}, which its constraints forbid")
        })?;
        if class.alloc == AllocRole::Inside {
            return Ok(());
        }
        for dimension in Dimension::all() {
            let factor = i128::from(nodes.overcommit().permille(class.tier, dimension));
            let most = i128::from(spec.allocatable[dimension]) * factor / 1000;
            let wanted = i128::from(host.reserved[dimension] + class.requests[dimension]);
            ensure(wanted <= most, || {
                format!("pod {serial} was bound to node {name} beyond what its tier may fill")
            })?;
        }
        Ok(())
    }

    fn started(&mut self, id: PodId, node: NodeId, cluster: &Cluster) -> Result<(), Violation> {
        let (pod, up) = (self.pod(id), self.node(node).up);
        let possible = pod.live && !pod.running && pod.node == node && up;
        ensure(possible, || format!("pod {} started where it cannot run", pod.serial))?;
        let entry = self.pod_mut(id);
        (entry.running, entry.started_at) = (true, cluster.now());
        self.workload_mut(pod.workload).ready += 1;
        Ok(())
    }

    /// Work is conserved: what was run is the time since the start, and no more of it counts.
    fn stopped(
        &mut self,
        id: PodId,
        node: NodeId,
        (ran, kept): (SimDuration, SimDuration),
        reason: StopReason,
        cluster: &Cluster,
    ) -> Result<(), Violation> {
        let pod = self.pod(id);
        let serial = pod.serial;
        let possible = pod.live && pod.running && pod.node == node;
        ensure(possible, || format!("pod {serial} stopped and did not run"))?;
        let elapsed = cluster.now().since(pod.started_at);
        let all_counts = matches!(reason, StopReason::Ended(_));
        ensure(ran == elapsed && kept <= ran && (kept == ran || !all_counts), || {
            format!("pod {serial} ran {elapsed:?}, and {ran:?} is told of which {kept:?} counts")
        })?;
        let entry = self.pod_mut(id);
        (entry.running, entry.started_at) = (false, SimTime::MAX);
        entry.done = SimDuration(entry.done.0 + kept.0);
        self.workload_mut(pod.workload).ready -= 1;
        Ok(())
    }

    fn unbound(
        &mut self,
        id: PodId,
        node: NodeId,
        class: ClassId,
        cluster: &Cluster,
    ) -> Result<(), Violation> {
        let pod = self.pod(id);
        let serial = pod.serial;
        let nested = pod.role == AllocRole::Inside;
        let possible =
            pod.live && pod.node == node && node.is_some() && nested == pod.alloc.is_some();
        ensure(possible, || format!("pod {serial} was unbound from where it was not"))?;
        let requests = cluster.classes().get(class).requests;
        ensure(requests == pod.requests, || {
            format!("pod {serial} gives back something else than it reserved")
        })?;
        let entry = self.pod_mut(id);
        (entry.node, entry.unbound_from) = (NodeId::NONE, node);
        entry.requests = Resources::ZERO;
        if entry.apart_from.is_some() {
            entry.apart_from = WorkloadId::NONE;
            self.workload_mut(pod.apart_from).apart -= 1;
        }
        if pod.role == AllocRole::Inside {
            self.pod_mut(id).alloc = PodId::NONE;
            let host = self.pod_mut(pod.alloc);
            host.inside_used -= pod.requests;
            host.inside_pods -= 1;
            return Ok(());
        }
        let host = self.node_mut(node);
        host.reserved -= pod.requests;
        host.pods -= 1;
        Ok(())
    }

    fn evicted(&mut self, id: PodId, node: NodeId) -> Result<(), Violation> {
        let pod = self.pod_mut(id);
        let possible = pod.live && !pod.running && pod.unbound_from == node && pod.inside_pods == 0;
        let serial = pod.serial;
        pod.unbound_from = NodeId::NONE;
        ensure(possible, || format!("pod {serial} was evicted from where it was not"))
    }

    fn ended(&mut self, id: PodId, ending: Ending, cluster: &Cluster) -> Result<(), Violation> {
        let pod = self.pod(id);
        let serial = pod.serial;
        let possible = pod.live && !pod.running && !pod.node.is_some() && pod.inside_pods == 0;
        ensure(possible, || format!("pod {serial} ended while it still was somewhere"))?;
        let enough = ending != Ending::Succeeded || pod.done >= cluster.pod(id).new.work;
        ensure(enough, || format!("pod {serial} succeeded before its work was done"))?;
        let entry = self.pod_mut(id);
        (entry.live, entry.unbound_from) = (false, NodeId::NONE);
        self.live -= 1;
        self.workload_mut(pod.workload).pods -= 1;
        Ok(())
    }

    fn count_domain_fault(&mut self, domain: DomainId, begins: bool) -> Result<(), Violation> {
        let faults = row(&mut self.domain_faults, domain.index(), 0);
        let after = if begins { faults.checked_add(1) } else { faults.checked_sub(1) };
        match after {
            Some(after) => *faults = after,
            None => return broken("a domain was repaired that had not failed".to_owned()),
        }
        Ok(())
    }

    fn node_changed(&mut self, fact: &Fact, id: NodeId) -> Result<(), Violation> {
        let node = self.node_mut(id);
        let before = *node;
        let possible = match *fact {
            Fact::NodeAdded { .. } => {
                (node.present, node.up, node.ready) = (true, true, true);
                !before.present
            }
            Fact::NodeRemoved { .. } => {
                (node.present, node.up, node.ready) = (false, false, false);
                before.present && before.pods == 0
            }
            Fact::NodeDown { .. } => {
                node.up = false;
                before.up
            }
            Fact::NodeUp { .. } => {
                node.up = true;
                before.present && !before.up
            }
            Fact::NodeNotReady { .. } => {
                node.ready = false;
                before.ready
            }
            Fact::NodeReady { .. } => {
                node.ready = true;
                before.present && !before.ready
            }
            Fact::NodeCordoned { cordoned, .. } => {
                node.cordoned = cordoned;
                before.cordoned != cordoned
            }
            _ => before.present,
        };
        ensure(possible, || format!("{fact:?} cannot be of a node that was {before:?}"))
    }
}
