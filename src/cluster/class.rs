//! Pod classes: the interned, immutable spec that pods share. Two pods of one class are the same
//! to every placement policy.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;

use super::alloc::AllocRole;
use super::ids::{ClassId, ConstraintId, TemplateId, WorkloadId};
use super::resources::Resources;
use super::spec::{GpuRequest, Tier};

/// What a placement policy may know of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PodClass {
    /// What it reserves.
    pub requests: Resources,
    /// What it asks of GPU devices.
    pub gpu: GpuRequest,
    /// Its template.
    pub template: TemplateId,
    /// Its node constraints, interned.
    pub constraints: ConstraintId,
    /// Set where no two pods of this workload may share a node.
    pub apart_from: WorkloadId,
    /// Scheduling priority.
    pub priority: i32,
    /// Tier.
    pub tier: Tier,
    /// What it has to do with allocs: the room of pods inside of one is not a node's.
    pub alloc: AllocRole,
}

/// A hash of what is rarely the same in two classes: what they ask for, and their template.
fn hash_of(class: &PodClass) -> u32 {
    let [cpu, memory, storage, _, gpu, ..] = class.requests.0;
    let names = (class.template, class.apart_from);
    FxBuildHasher.hash_one((cpu, memory, storage, gpu, class.gpu, names)) as u32
}

/// The same over as many bits as a table wants: it looks at both ends.
#[inline]
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// A slot of the table: all that the first and the last pod of a class touch, on the same lines.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Slot {
    class: PodClass,
    /// Hash of `class`.
    hash: u32,
    /// Pods of it.
    pods: u32,
}

/// A class in the table of contents. The hash is here as well, so that a slot is looked at only if
/// it is the right one, bar accidents.
#[derive(Clone, Copy, Debug)]
struct Known {
    hash: u32,
    id: ClassId,
}

/// All classes of which pods exist. Bounded by live pods.
#[derive(Clone, Debug, Default)]
pub struct ClassTable {
    slots: Vec<Slot>,
    vacant: Vec<ClassId>,
    by_content: HashTable<Known>,
}

impl ClassTable {
    /// The class `id`; it must be one that pods are of.
    #[inline]
    pub fn get(&self, id: ClassId) -> &PodClass {
        &self.slots[id.index()].class
    }

    /// Number of slots ever used: ids are below this.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Number of pods of class `id`.
    pub fn pods(&self, id: ClassId) -> u32 {
        self.slots[id.index()].pods
    }

    /// Interns `class` and counts one more pod of it.
    pub(super) fn acquire(&mut self, class: &PodClass) -> ClassId {
        let hash = hash_of(class);
        let slots = &mut self.slots;
        let found = self.by_content.entry(
            spread(hash),
            |known| known.hash == hash && slots[known.id.index()].class == *class,
            |known| spread(known.hash),
        );
        let free = match found {
            Entry::Occupied(known) => {
                let id = known.get().id;
                slots[id.index()].pods += 1;
                return id;
            }
            Entry::Vacant(free) => free,
        };
        let slot = Slot { class: *class, hash, pods: 1 };
        let id = if let Some(id) = self.vacant.pop() {
            slots[id.index()] = slot;
            id
        } else {
            slots.push(slot);
            ClassId::from_index(slots.len() - 1)
        };
        free.insert(Known { hash, id });
        id
    }

    /// Shows `class` as what is in slot `id`, in a table that interns none of its own (see
    /// [`Draft`](super::Draft)).
    pub(super) fn mirror(&mut self, id: ClassId, class: &PodClass) {
        let slot = Slot { class: *class, hash: 0, pods: 0 };
        if id.index() >= self.slots.len() {
            self.slots.resize(id.index() + 1, slot.clone());
        }
        self.slots[id.index()] = slot;
    }

    /// One pod fewer of class `id`; the last one frees the slot.
    pub(super) fn release(&mut self, id: ClassId) {
        let slot = &mut self.slots[id.index()];
        slot.pods -= 1;
        if slot.pods > 0 {
            return;
        }
        let entry = self.by_content.find_entry(spread(slot.hash), |known| known.id == id);
        entry.expect("a class in use is in the table of contents").remove();
        self.vacant.push(id);
    }
}
