//! Pod classes: the interned, immutable spec that pods share. Two pods of one class are the same
//! to every placement policy.

use std::hash::BuildHasher;

use hashbrown::HashTable;
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

/// All classes of which pods exist. Bounded by live pods.
#[derive(Clone, Debug, Default)]
pub struct ClassTable {
    classes: Vec<PodClass>,
    pods: Vec<u32>,
    vacant: Vec<ClassId>,
    by_content: HashTable<ClassId>,
}

impl ClassTable {
    /// The class `id`; it must be one that pods are of.
    #[inline]
    pub fn get(&self, id: ClassId) -> &PodClass {
        &self.classes[id.index()]
    }

    /// Number of slots ever used: ids are below this.
    pub fn slots(&self) -> usize {
        self.classes.len()
    }

    /// Number of pods of class `id`.
    pub fn pods(&self, id: ClassId) -> u32 {
        self.pods[id.index()]
    }

    /// Interns `class` and counts one more pod of it.
    pub(super) fn acquire(&mut self, class: &PodClass) -> ClassId {
        let hash = FxBuildHasher.hash_one(class);
        if let Some(id) = self.by_content.find(hash, |id| self.classes[id.index()] == *class) {
            self.pods[id.index()] += 1;
            return *id;
        }
        let id = if let Some(id) = self.vacant.pop() {
            self.classes[id.index()] = *class;
            self.pods[id.index()] = 1;
            id
        } else {
            self.classes.push(*class);
            self.pods.push(1);
            ClassId::from_index(self.classes.len() - 1)
        };
        let classes = &self.classes;
        self.by_content.insert_unique(hash, id, |id| FxBuildHasher.hash_one(classes[id.index()]));
        id
    }

    /// One pod fewer of class `id`; the last one frees the slot.
    pub(super) fn release(&mut self, id: ClassId) {
        let pods = &mut self.pods[id.index()];
        *pods -= 1;
        if *pods > 0 {
            return;
        }
        let hash = FxBuildHasher.hash_one(self.classes[id.index()]);
        let entry = self.by_content.find_entry(hash, |known| *known == id);
        entry.expect("a class in use is in the table of contents").remove();
        self.vacant.push(id);
    }
}
