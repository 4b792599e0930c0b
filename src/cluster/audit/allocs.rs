//! What is promised of allocs: what is inside of an instance is on its node, fits into what the
//! instance reserves, and adds up to what is kept of it.

use super::super::alloc::{AllocRole, Envelope, is_within};
use super::super::bits::BitSet;
use super::super::ids::PodId;
use super::super::pod::Pod;
use super::super::resources::Resources;
use super::super::{Cluster, WorkloadId};
use super::auditor::Auditor;
use super::shadow::Shadow;
use super::{Violation, broken, ensure};

impl Cluster {
    /// Checks every instance; marks the pods inside as seen.
    ///
    /// # Errors
    /// The first promise found broken.
    pub(super) fn audit_allocs(&self, seen: &mut BitSet) -> Result<(), Violation> {
        for (id, pod) in self.pods.iter() {
            let is_open = self.is_bound_instance(pod);
            ensure(is_open == self.allocs.envelope(id).is_some(), || {
                format!("whether pods can be inside of pod {} is out of date", pod.serial)
            })?;
            if !is_open {
                continue;
            }
            let number = pod.alloc_number.unwrap_or_default();
            let set = self.workloads.get(pod.new.workload).key;
            ensure(self.allocs.of_set(set).any(|entry| entry == (number, id)), || {
                format!("pod {} is not listed among the instances of its set", pod.serial)
            })?;
            self.audit_envelope(id, &mut |inside, other| {
                let is_new = !seen.contains(inside.index());
                seen.set(inside.index(), true);
                ensure(is_new, || format!("pod {} is listed in two places", other.serial))
            })?;
        }
        let bound = self.allocs.bound().count();
        let counted = self.pods.iter().filter(|(_, pod)| self.is_bound_instance(pod)).count();
        ensure(bound == counted, || format!("{bound} instances are listed and {counted} are bound"))
    }

    pub(super) fn is_bound_instance(&self, pod: &Pod) -> bool {
        pod.node.is_some() && self.classes.get(pod.class).alloc == AllocRole::Instance
    }

    /// Walks the pods inside of the bound instance `alloc`, shows each to `visit` and holds what
    /// is kept of it against what they add up to.
    pub(super) fn audit_envelope(
        &self,
        alloc: PodId,
        visit: &mut dyn FnMut(PodId, &Pod) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        let host = self.pods.get(alloc);
        let serial = host.serial;
        let Some(envelope) = self.allocs.envelope(alloc) else {
            return broken(format!("pod {serial} is a bound instance that is closed"));
        };
        let mut counted =
            Envelope::new(host.devices, self.nodes.devices(host.node).free_milli().len());
        let (mut used, mut pods, mut previous) = (Resources::ZERO, 0, PodId::NONE);
        for (id, pod) in self.pods_inside(alloc) {
            let listed = pod.alloc == alloc
                && pod.node == host.node
                && self.pods.links(id).previous == previous;
            ensure(listed, || format!("pod {} is listed inside of a wrong instance", pod.serial))?;
            visit(id, pod)?;
            let class = self.classes.get(pod.class);
            let held = pod.devices.devices.count_ones() == u32::from(class.gpu.devices)
                && counted.devices().can_give(class.gpu, pod.devices);
            ensure(held || class.gpu.devices == 0, || {
                format!("pod {} holds devices that its alloc has not", pod.serial)
            })?;
            counted.take_devices(pod.devices);
            used += class.requests;
            pods += 1;
            previous = id;
        }
        ensure(used == *envelope.used() && pods == envelope.pods(), || {
            format!("what is used inside of pod {serial} disagrees with the pods there")
        })?;
        ensure(counted.devices() == envelope.devices(), || {
            format!("devices left inside of pod {serial} disagree with the pods there")
        })?;
        ensure(is_within(&used, &self.class_of(alloc).requests), || {
            format!("more is used inside of pod {serial} than it reserves")
        })
    }

    /// What is promised of where a pod is as to allocs.
    pub(super) fn audit_role(&self, id: PodId, pod: &Pod) -> Result<(), Violation> {
        let role = self.classes.get(pod.class).alloc;
        let belongs = role == AllocRole::Inside && pod.node.is_some();
        ensure(belongs == pod.alloc.is_some(), || {
            format!("pod {} is inside of an alloc, or is not, as it should not be", pod.serial)
        })?;
        if belongs {
            let host = self.pods.get(pod.alloc);
            let same = self.is_bound_instance(host) && host.node == pod.node && pod.alloc != id;
            ensure(same, || format!("pod {} is not where its alloc is", pod.serial))?;
        }
        Ok(())
    }

    /// True if another pod on the node of `pod`, wherever, is kept apart as it is.
    pub(super) fn has_double(&self, id: PodId, pod: &Pod, apart_from: WorkloadId) -> bool {
        let alike = |other: &Pod| self.classes.get(other.class).apart_from == apart_from;
        self.pods_on(pod.node).any(|(other, there)| {
            (other != id && alike(there))
                || self.pods_inside(other).any(|(inside, there)| inside != id && alike(there))
        })
    }
}

impl Shadow {
    /// A pod goes into an instance of its set that is where it was bound to and has room for it.
    pub fn entered(&mut self, id: PodId, alloc: PodId, cluster: &Cluster) -> Result<(), Violation> {
        let (pod, host) = (self.pod(id), self.pod(alloc));
        let serial = pod.serial;
        let possible = pod.live
            && pod.role == AllocRole::Inside
            && !pod.alloc.is_some()
            && pod.node.is_some()
            && host.live
            && host.role == AllocRole::Instance
            && host.node == pod.node;
        ensure(possible, || format!("pod {serial} went into an alloc that is not there"))?;
        let set = cluster.workloads().get(host.workload).key;
        ensure(cluster.alloc_set_of(pod.workload) == Some(set), || {
            format!("pod {serial} went into an alloc of a set that it does not belong to")
        })?;
        let used = host.inside_used.plus(&pod.requests);
        ensure(is_within(&used, &host.requests), || {
            format!("pod {serial} went into an alloc that has no room for it")
        })?;
        self.pod_mut(id).alloc = alloc;
        let host = self.pod_mut(alloc);
        host.inside_used = used;
        host.inside_pods += 1;
        Ok(())
    }

    /// The instance that the pod in slot `id` is inside of.
    pub fn alloc_of(&self, id: PodId) -> Option<PodId> {
        Some(self.pod(id).alloc).filter(|alloc| alloc.is_some())
    }
}

impl Auditor {
    /// Compares an instance with what the facts say of it; none where it is not bound.
    pub(super) fn compare_alloc(&mut self, id: PodId, cluster: &Cluster) -> Result<(), Violation> {
        let shadow = self.shadow.pod(id);
        let pod = cluster.pod(id);
        if !shadow.live || !cluster.is_bound_instance(pod) {
            let empty = shadow.inside_pods == 0 && cluster.allocs().envelope(id).is_none();
            return ensure(empty, || format!("pods are inside of pod {}", pod.serial));
        }
        let mut listed = 0;
        cluster.audit_envelope(id, &mut |inside, other| {
            listed += 1;
            let there = self.shadow.pod(inside).alloc == id && listed <= shadow.inside_pods;
            ensure(there, || format!("pod {} is listed inside of an alloc", other.serial))
        })?;
        self.spent += 1 + u64::from(listed);
        let used = cluster.allocs().envelope(id).map(|envelope| *envelope.used());
        ensure(listed == shadow.inside_pods && used == Some(shadow.inside_used), || {
            format!("pods inside of pod {} are not those that went there", pod.serial)
        })
    }
}
