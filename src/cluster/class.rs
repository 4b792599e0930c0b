//! Pod classes: the interned, immutable spec that pods share. Two pods of one class are the same
//! to every placement policy.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;

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
}

/// A slot of the table: all that the first and the last pod of a class touch, on the same lines.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Slot {
    class: PodClass,
    /// Hash of `class`.
    hash: u64,
    /// Pods of it.
    pods: u32,
}

/// All classes of which pods exist. Bounded by live pods.
#[derive(Clone, Debug, Default)]
pub struct ClassTable {
    slots: Vec<Slot>,
    vacant: Vec<ClassId>,
    by_content: HashTable<ClassId>,
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
        let hash = FxBuildHasher.hash_one(class);
        let slots = &mut self.slots;
        let found = self.by_content.entry(
            hash,
            |id| slots[id.index()].hash == hash && slots[id.index()].class == *class,
            |id| slots[id.index()].hash,
        );
        let free = match found {
            Entry::Occupied(known) => {
                let id = *known.get();
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
        free.insert(id);
        id
    }

    /// One pod fewer of class `id`; the last one frees the slot.
    pub(super) fn release(&mut self, id: ClassId) {
        let slot = &mut self.slots[id.index()];
        slot.pods -= 1;
        if slot.pods > 0 {
            return;
        }
        let entry = self.by_content.find_entry(slot.hash, |known| *known == id);
        entry.expect("a class in use is in the table of contents").remove();
        self.vacant.push(id);
    }
}
