//! Allocs: reserved room on a node that pods run inside (Borg's *alloc*, EuroSys'15 §2.4).
//!
//! An instance of an alloc set is a pod like any other: it reserves its requests on a node whether
//! they are used or not. What runs inside is charged to the envelope of the instance and not to the
//! node, is listed there and not on the node, and goes where the instance goes: nothing is ever
//! inside of an instance that is not bound.
//!
//! Pod slots are not counted inside: an instance takes one slot of its node, whatever it holds.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::class::PodClass;
use super::fact::{EvictionCause, Fact};
use super::gpu::{DeviceShare, Devices};
use super::ids::{NodeId, PodId, WorkloadId};
use super::node_verbs::Checkpoint;
use super::pod::Pod;
use super::resources::{Dimension, Resources};
use super::{Cluster, NotAdmitted};

/// What the pods of a job have to do with allocs, as its source says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum JobAlloc {
    /// Nothing.
    #[default]
    None,
    /// The job is an alloc set: its pods are the instances.
    Set,
    /// Its pods run inside instances of the alloc set with this key.
    Inside(u64),
}

/// What a pod has to do with allocs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum AllocRole {
    /// Nothing.
    #[default]
    None,
    /// It is an instance of an alloc set: a reservation without a process of its own.
    Instance,
    /// It runs inside of one.
    Inside,
}

/// What is inside of one bound instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Requests of the pods inside.
    used: Resources,
    /// What they have left of the devices that the instance holds.
    devices: Devices,
    pods: u32,
    pub(super) first: PodId,
}

impl Envelope {
    /// Nothing is inside of an instance that holds `held` of a node with `count` devices.
    pub(super) fn new(held: DeviceShare, count: usize) -> Self {
        let devices = Devices::of_share(held, count);
        Self { used: Resources::ZERO, devices, pods: 0, first: PodId::NONE }
    }

    /// Requests of the pods inside.
    pub fn used(&self) -> &Resources {
        &self.used
    }

    /// What the pods inside leave of the devices that the instance holds.
    pub fn devices(&self) -> &Devices {
        &self.devices
    }

    /// Takes `share` out of what is left of the devices.
    pub(super) fn take_devices(&mut self, share: DeviceShare) {
        self.devices.take(share);
    }

    #[cfg(test)]
    pub(super) fn use_more(&mut self, amount: &Resources) {
        self.used += *amount;
    }

    /// Number of pods inside.
    pub fn pods(&self) -> u32 {
        self.pods
    }
}

/// True if `used` is within `reserved`; pod slots are not counted.
pub(super) fn is_within(used: &Resources, reserved: &Resources) -> bool {
    Dimension::all().filter(|d| *d != Dimension::PODS).all(|d| used[d] <= reserved[d])
}

/// The allocs of the cell.
#[derive(Clone, Debug, Default)]
pub struct AllocTable {
    /// By slot of the instance, where it is bound. As long as the last such slot.
    envelopes: Vec<Option<Box<Envelope>>>,
    /// Bound instances: key of the set, number in the set, slot.
    bound: BTreeSet<(u64, u32, PodId)>,
    /// The number that the next instance gets, by the key of its set.
    next_number: BTreeMap<u64, u32>,
    /// What jobs have to do with allocs, by key. It stays for the whole run: a task may come back
    /// when its job had none left.
    roles: FxHashMap<u64, JobAlloc>,
}

impl AllocTable {
    /// What is inside of the instance in slot `alloc`; `None` where it is not bound.
    #[inline]
    pub fn envelope(&self, alloc: PodId) -> Option<&Envelope> {
        self.envelopes.get(alloc.index())?.as_deref()
    }

    /// The bound instances of the set with this key, in order of their number.
    pub fn of_set(&self, set: u64) -> impl Iterator<Item = (u32, PodId)> {
        let all = self.bound.range((set, 0, PodId::from_index(0))..=(set, u32::MAX, PodId::NONE));
        all.map(|(_, number, alloc)| (*number, *alloc))
    }

    /// All bound instances, by set.
    pub fn bound(&self) -> impl Iterator<Item = PodId> {
        self.bound.iter().map(|(_, _, alloc)| *alloc)
    }

    /// True if any job of the run has had to do with allocs.
    #[inline]
    pub fn is_used(&self) -> bool {
        !self.roles.is_empty()
    }

    /// What the job with this key has to do with allocs.
    #[inline]
    pub fn role_of(&self, job: u64) -> JobAlloc {
        if self.roles.is_empty() {
            return JobAlloc::None;
        }
        self.roles.get(&job).copied().unwrap_or_default()
    }

    /// Notes what the job with this key has to do with allocs.
    pub(super) fn declare(&mut self, job: u64, alloc: JobAlloc) {
        if alloc != JobAlloc::None {
            self.roles.insert(job, alloc);
        }
    }

    #[cfg(test)]
    pub(super) fn corrupt(&mut self, alloc: PodId, change: impl FnOnce(&mut Envelope)) {
        change(self.envelopes[alloc.index()].as_deref_mut().expect("the instance is bound"));
    }

    fn envelope_mut(&mut self, alloc: PodId) -> &mut Envelope {
        let slot = self.envelopes.get_mut(alloc.index()).and_then(Option::as_deref_mut);
        slot.expect("pods are inside of bound instances only")
    }

    /// Takes note of the set that ended: its numbers begin anew.
    pub(super) fn forget_set(&mut self, set: u64) {
        self.next_number.remove(&set);
    }
}

impl Cluster {
    /// The allocs.
    #[inline]
    pub fn allocs(&self) -> &AllocTable {
        &self.allocs
    }

    /// Key of the alloc set that the pods of `workload` run inside, if they do.
    pub fn alloc_set_of(&self, workload: WorkloadId) -> Option<u64> {
        match self.allocs.role_of(self.workloads.get(workload).key) {
            JobAlloc::Inside(set) => Some(set),
            JobAlloc::None | JobAlloc::Set => None,
        }
    }

    /// What pods of `workload` have to do with allocs.
    pub(super) fn alloc_role(&self, workload: WorkloadId) -> AllocRole {
        if !workload.is_some() || !self.allocs.is_used() {
            return AllocRole::None;
        }
        match self.allocs.role_of(self.workloads.get(workload).key) {
            JobAlloc::None => AllocRole::None,
            JobAlloc::Set => AllocRole::Instance,
            JobAlloc::Inside(_) => AllocRole::Inside,
        }
    }

    /// Pods inside of the instance in slot `alloc`, newest first.
    pub fn pods_inside(&self, alloc: PodId) -> impl Iterator<Item = (PodId, &Pod)> {
        let first = self.allocs.envelope(alloc).map_or(PodId::NONE, |envelope| envelope.first);
        let chain = std::iter::successors(first.is_some().then_some(first), |id| {
            let next = self.pods.links(*id).next;
            next.is_some().then_some(next)
        });
        chain.map(|id| (id, self.pods.get(id)))
    }

    /// Pods on `node` in the order in which they were submitted, those inside of an instance right
    /// before it.
    pub fn all_pods_on(&self, node: NodeId) -> Vec<PodId> {
        let listed = self.pod_ids_on(node);
        if !self.allocs.is_used() {
            return listed;
        }
        listed.into_iter().flat_map(|pod| self.ids_inside(pod).into_iter().chain([pod])).collect()
    }

    /// Pods inside of the instance in slot `alloc`, in the order in which they were submitted.
    pub fn ids_inside(&self, alloc: PodId) -> Vec<PodId> {
        let mut pods: Vec<PodId> = self.pods_inside(alloc).map(|(id, _)| id).collect();
        pods.sort_unstable_by_key(|id| self.pod(*id).serial);
        pods
    }

    /// What the pods inside of the instance in slot `alloc` leave of its requests; `None` where it
    /// is not bound.
    pub fn room_inside(&self, alloc: PodId) -> Option<Resources> {
        let envelope = self.allocs.envelope(alloc)?;
        Some(self.class_of(alloc).requests.minus(&envelope.used))
    }

    /// True if a pod of `class` may go into the instance in slot `alloc` now: the instance is bound
    /// and has room for it, and its node would take the pod were it not for room.
    pub fn admits_inside(&self, class: &PodClass, alloc: PodId) -> bool {
        let Some(envelope) = self.allocs.envelope(alloc) else { return false };
        let node = self.pods.get(alloc).node;
        let used = envelope.used.plus(&class.requests);
        is_within(&used, &self.class_of(alloc).requests)
            && envelope.devices.fits(class.gpu)
            && self.nodes.is_eligible(class.constraints, node)
            && !self.is_kept_apart(class, node)
    }

    /// Notes what a pod that has just been submitted has to do with allocs, if anything. An instance
    /// gets its number in the set (`None`: the next one) and uses nothing itself; of a pod that runs
    /// inside, `number` is that of the instance that it asks for (`None`: any).
    pub fn enrol_in_allocs(&mut self, pod: PodId, number: Option<u32>) {
        if !self.allocs.is_used() {
            return;
        }
        let record = self.pods.get(pod);
        let number = match self.classes.get(record.class).alloc {
            AllocRole::None => return,
            AllocRole::Inside => number,
            AllocRole::Instance => {
                let set = self.workloads.get(record.new.workload).key;
                let next = self.allocs.next_number.entry(set).or_default();
                let number = number.unwrap_or(*next);
                *next = (*next).max(number.saturating_add(1));
                Some(number)
            }
        };
        let is_instance = self.classes.get(record.class).alloc == AllocRole::Instance;
        let record = self.pods.get_mut(pod);
        record.alloc_number = number;
        if is_instance {
            record.new.usage_permille = [0, 0];
        }
    }

    /// Binds a pending pod that runs inside of allocs into a bound instance of its set.
    ///
    /// # Errors
    /// The instance is of another set or number, or does not admit it; nothing has changed then.
    pub fn bind_inside(&mut self, pod: PodId, alloc: PodId) -> Result<(), NotAdmitted> {
        let record = self.pending(pod);
        let class = self.classes.get(record.class);
        let host = self.pods.get(alloc);
        let own = class.alloc == AllocRole::Inside
            && self.alloc_set_of(record.new.workload)
                == Some(self.workloads.get(host.new.workload).key)
            && record.alloc_number.is_none_or(|number| host.alloc_number == Some(number));
        if !own || !self.admits_inside(class, alloc) {
            return Err(NotAdmitted);
        }
        let (node, gpu) = (host.node, class.gpu);
        let devices = self.allocs.envelope_mut(alloc).devices.choose(gpu).ok_or(NotAdmitted)?;
        self.enter(pod, alloc, devices);
        self.begin_on(pod, node);
        Ok(())
    }

    /// Charges a pod to the envelope of `alloc`.
    pub(super) fn enter(&mut self, pod: PodId, alloc: PodId, devices: DeviceShare) {
        let node = self.pods.get(alloc).node;
        let class = self.pods.get(pod).class;
        let envelope = self.allocs.envelope_mut(alloc);
        envelope.used += self.classes.get(class).requests;
        envelope.devices.take(devices);
        envelope.pods += 1;
        self.pods.link(&mut envelope.first, pod);
        let record = self.pods.get_mut(pod);
        (record.node, record.alloc, record.devices) = (node, alloc, devices);
        self.mark_apart(class, node, true);
        self.facts.push(Fact::PodBound { pod, node, class });
        self.facts.push(Fact::PodEnteredAlloc { pod, alloc });
    }

    /// Takes a pod out of the envelope that it is charged to; returns its node.
    pub(super) fn leave(&mut self, pod: PodId) -> NodeId {
        let record = self.pods.get_mut(pod);
        let (node, class) = (record.node, record.class);
        let alloc = std::mem::replace(&mut record.alloc, PodId::NONE);
        let devices = std::mem::take(&mut record.devices);
        record.node = NodeId::NONE;
        let envelope = self.allocs.envelope_mut(alloc);
        envelope.used -= self.classes.get(class).requests;
        envelope.devices.give(devices);
        envelope.pods -= 1;
        self.pods.unlink(&mut envelope.first, pod);
        self.mark_apart(class, node, false);
        self.facts.push(Fact::PodUnbound { pod, node, class });
        node
    }

    /// An instance was bound: pods may go inside.
    pub(super) fn open_alloc(&mut self, alloc: PodId) {
        let record = self.pods.get(alloc);
        let count = self.nodes.devices(record.node).free_milli().len();
        let envelope = Envelope::new(record.devices, count);
        let number = record.alloc_number.unwrap_or_default();
        let set = self.workloads.get(record.new.workload).key;
        self.allocs.bound.insert((set, number, alloc));
        if self.allocs.envelopes.len() <= alloc.index() {
            self.allocs.envelopes.resize_with(alloc.index() + 1, || None);
        }
        self.allocs.envelopes[alloc.index()] = Some(Box::new(envelope));
    }

    /// An instance is being unbound; returns what was inside.
    pub(super) fn close_alloc(&mut self, alloc: PodId) -> Option<Box<Envelope>> {
        let record = self.pods.get(alloc);
        let set = self.workloads.get(record.new.workload).key;
        self.allocs.bound.remove(&(set, record.alloc_number.unwrap_or_default(), alloc));
        self.allocs.envelopes.get_mut(alloc.index())?.take()
    }

    /// Puts back what is inside of an instance that was bound anew where it had been.
    pub(super) fn refill_alloc(&mut self, alloc: PodId, inside: Option<Box<Envelope>>) {
        if let Some(inside) = inside {
            self.allocs.envelopes[alloc.index()] = Some(inside);
        }
    }

    /// Panics if pods are inside of `alloc`, which is about to leave its node.
    pub(super) fn assert_empty(&self, alloc: PodId) {
        let inside = self.allocs.envelope(alloc).map_or(0, Envelope::pods);
        assert!(inside == 0, "pod {} leaves with {inside} pods inside", self.pod(alloc).serial);
    }

    /// Evicts every pod inside of the instance in slot `alloc`, which is about to leave its node.
    pub fn clear_alloc(&mut self, alloc: PodId, cause: EvictionCause, checkpoint: Checkpoint<'_>) {
        for pod in self.ids_inside(alloc) {
            let interval = checkpoint(self, self.pod(pod));
            self.evict(pod, cause, interval);
        }
    }
}
