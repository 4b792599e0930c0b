//! The fast path: the same decision as the plain evaluation, without looking at everything anew.
//!
//! Per class of pods (one template) two columns over all nodes are kept up to date: what a node
//! scores by itself, and its *group*: the nodes that are the same in all that is set off against
//! other nodes (raw scores of taints and affinity, domains, counts of single nodes). What pods mean
//! to others is counted per class, topology and domain as they come and go. A decision then works
//! out feasibility and normalized scores once per group, and looks at two numbers per node.
//!
//! What it does not know it leaves to the plain path: pods that name a node or are tied to names,
//! pods with volumes (which matter to nobody but pods with volumes), pods for which room was made
//! (and those that such a pod may keep off nodes by more than what it takes), malformed terms, and
//! pods that fit nowhere, whose failure has to be explained.

mod choose;
mod class;
mod effects;
mod held;
mod keys;
mod kinds;
mod load;
mod local;
mod parts;
mod rules;
mod survey;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use rustc_hash::FxHashMap;

pub use choose::Choice;

use self::choose::{Scratch, choose};
use self::class::Class;
use self::keys::Keys;
use self::load::Load;
use self::parts::Parts;
use self::rules::Rules;
use self::survey::Survey;
use super::cache::{Cache, NodeId};
use super::changes::Change;
use super::cycle::feasible_nodes_to_find;
use super::pod::PodInfo;
use super::profile::Profile;
use super::template::{Template, TemplateId};
use crate::kubernetes::Taint;
use crate::kubernetes::tolerations::NO_SCHEDULE;

/// No more classes are kept than this; the one that was not used for longest goes.
const MAX_CLASSES: usize = 2_048;

/// What a pod of one template does to a class: which table, how much, and whether pods that are
/// being deleted count.
#[derive(Debug, Clone, Copy)]
struct Watch {
    slot: usize,
    table: usize,
    amount: i64,
    live: bool,
}

/// A change of a node.
#[derive(Debug, Clone, Copy)]
struct Touched {
    place: u32,
    number: u64,
}

/// The fast path.
#[derive(Debug)]
pub struct Fast {
    parts: Option<Parts>,
    cordon: Taint,
    structure: Option<u64>,
    keys: Keys,
    classes: Vec<Option<Class>>,
    slots: FxHashMap<TemplateId, usize>,
    /// Classes that have to be left to the plain path until something changes in the large.
    unknown: FxHashMap<TemplateId, ()>,
    /// Per template: what its pods do to the classes there are.
    watches: FxHashMap<TemplateId, Vec<Watch>>,
    /// True if one of these templates has an affinity to pods.
    watches_affinity: bool,
    log: Vec<Touched>,
    /// The number of the first entry of the log.
    base: u64,
    /// Per node: the number of its last change, and of the last one of its taints.
    last: Vec<(u64, u64)>,
    survey: Survey,
    scratch: Scratch,
    clock: u64,
}

impl Fast {
    /// For a profile. One with plugins that are not known here is left to the plain path.
    pub fn new(profile: &Profile) -> Self {
        let key = "node.kubernetes.io/unschedulable".to_owned();
        Self {
            parts: Parts::new(profile),
            cordon: Taint { key, effect: NO_SCHEDULE.to_owned(), ..Taint::default() },
            structure: None,
            keys: Keys::default(),
            classes: Vec::new(),
            slots: FxHashMap::default(),
            unknown: FxHashMap::default(),
            watches: FxHashMap::default(),
            watches_affinity: false,
            log: Vec::new(),
            base: 1,
            last: Vec::new(),
            survey: Survey::default(),
            scratch: Scratch::default(),
            clock: 0,
        }
    }

    /// Chooses a node for `pod` as the plain path would. `None` if that has to be asked. `start`
    /// is where the circle of nodes begins, `percentage` how many are scored, `pick` which of so
    /// many equals is taken.
    pub fn choose(
        &mut self,
        cache: &Cache,
        pod: &PodInfo,
        start: usize,
        percentage: i32,
        pick: &mut dyn FnMut(usize) -> usize,
    ) -> Option<(NodeId, Choice)> {
        let simple =
            pod.node_name.is_empty() && pod.nominated_node.is_empty() && !pod.template.uses_storage;
        if !simple || cache.order().is_empty() {
            return None;
        }
        let slot = self.class(&pod.template, cache)?;
        let parts = self.parts.as_ref()?;
        let class = self.classes[slot].as_mut()?;
        let taken = class.held_for_others(pod, parts, cache)?;
        let enough = feasible_nodes_to_find(percentage, cache.order().len());
        let scratch = &mut self.scratch;
        let choice = class
            .without(&taken, |class| choose(class, parts, cache, start, enough, scratch, pick))?;
        Some((cache.order()[choice.place], choice))
    }

    /// Lets all of `fasts`, one for each profile over `cache`, take in what has changed. To be
    /// called before they choose.
    pub fn catch_up<'a>(fasts: impl Iterator<Item = &'a mut Self>, cache: &mut Cache) {
        cache.changes().record();
        let structure = cache.changes().structure_version();
        let changes = cache.changes().take();
        fasts.for_each(|fast| fast.follow(cache, structure, &changes));
        cache.changes().give_back(changes);
    }

    fn follow(&mut self, cache: &Cache, structure: u64, changes: &[Change]) {
        if self.structure != Some(structure) {
            self.begin_anew(cache, structure);
            return;
        }
        for change in changes {
            match change {
                Change::Pod(node, pod, times) => self.pod_changed(cache, *node, pod, *times),
                Change::Taints(node) => {
                    let place = cache.position(*node);
                    let number = self.touch(place);
                    self.last[place].1 = number;
                    self.survey.refresh_kind(place, cache.node(*node));
                }
            }
        }
        if self.log.len() > (4 * self.last.len()).max(4_096) {
            self.base += self.log.len() as u64;
            self.log.clear();
        }
    }

    fn begin_anew(&mut self, cache: &Cache, structure: u64) {
        self.structure = Some(structure);
        self.keys = Keys::default();
        self.classes.clear();
        self.slots.clear();
        self.unknown.clear();
        self.forget_watches(false);
        self.log.clear();
        self.base = 1;
        self.last.clear();
        self.last.resize(cache.order().len(), (0, 0));
        self.survey = Survey::new(cache);
    }

    fn touch(&mut self, place: usize) -> u64 {
        let number = self.base + self.log.len() as u64;
        self.log.push(Touched { place: u32::try_from(place).expect("few nodes"), number });
        self.last[place].0 = number;
        number
    }

    fn pod_changed(&mut self, cache: &Cache, node: NodeId, pod: &Arc<PodInfo>, times: i64) {
        let place = cache.position(node);
        self.touch(place);
        self.survey.loads[place] = Load::new(cache.node(node));
        if self.slots.is_empty() {
            return;
        }
        if !self.watches.contains_key(&pod.template.id) {
            let watches = self.watches_of(&pod.template, cache);
            self.watches.insert(pod.template.id, watches);
            self.watches_affinity |= pod.template.has_affinity;
        }
        for watch in &self.watches[&pod.template.id] {
            if let Some(class) = &mut self.classes[watch.slot]
                && !(watch.live && pod.terminating)
                && !class.stale
            {
                class.apply(watch.table, place, watch.amount * times, &self.keys);
            }
        }
    }

    /// What pods of `template` do to the classes there are. One that has no table for it yet is
    /// built anew.
    fn watches_of(&mut self, template: &Template, cache: &Cache) -> Vec<Watch> {
        let mut watches = Vec::new();
        let Some(parts) = &self.parts else { return watches };
        for (slot, class) in self.classes.iter_mut().enumerate() {
            let Some(class) = class else { continue };
            if class.is_indifferent() && !template.has_affinity {
                continue;
            }
            for effect in class.effects_of(template, parts, cache) {
                match class.table_of(&effect, cache, &mut self.keys) {
                    Some(table) => watches.push(Watch {
                        slot,
                        table,
                        amount: effect.amount,
                        live: effect.live,
                    }),
                    None => class.stale = true,
                }
            }
        }
        watches
    }

    /// The slot of the class of a template, up to date; `None` for the plain path.
    fn class(&mut self, template: &Arc<Template>, cache: &Cache) -> Option<usize> {
        if self.unknown.contains_key(&template.id) {
            return None;
        }
        self.clock += 1;
        let objects = cache.objects_version();
        let found = self.slots.get(&template.id).copied();
        if let Some(slot) = found
            && self.is_current(slot, objects, cache)
        {
            return Some(slot);
        }
        let Some(class) = self.build(template, cache) else {
            self.forget(template.id);
            self.unknown.insert(template.id, ());
            return None;
        };
        let slot = found.unwrap_or_else(|| self.vacant());
        let indifferent = class.is_indifferent();
        self.classes[slot] = Some(Class { seen: self.next(), used: self.clock, objects, ..class });
        self.slots.insert(template.id, slot);
        self.forget_watches(indifferent);
        Some(slot)
    }

    /// The number that the next change of a node will have.
    fn next(&self) -> u64 {
        self.base + self.log.len() as u64
    }

    fn build(&mut self, template: &Arc<Template>, cache: &Cache) -> Option<Class> {
        let parts = self.parts.as_ref()?;
        let tied_to_names = super::plugins::node_names(&template.spec).is_some();
        if tied_to_names && parts.affinity.is_some() {
            return None;
        }
        Class::new(template, parts, cache, &self.survey, &mut self.keys, &self.cordon)
    }

    fn forget(&mut self, template: TemplateId) {
        if let Some(slot) = self.slots.remove(&template) {
            let class = self.classes[slot].take();
            self.forget_watches(class.is_some_and(|class| class.is_indifferent()));
        }
    }

    /// What pods do to a class that came or went is not known any more. Pods without an affinity do
    /// nothing to one that is indifferent to them.
    fn forget_watches(&mut self, indifferent: bool) {
        if !indifferent || self.watches_affinity {
            self.watches.clear();
            self.watches_affinity = false;
        }
    }

    fn vacant(&mut self) -> usize {
        if self.slots.len() >= MAX_CLASSES {
            let oldest = self.classes.iter().flatten().min_by_key(|class| class.used);
            if let Some(template) = oldest.map(|class| class.template.id) {
                self.forget(template);
            }
        }
        let vacant = self.classes.iter().position(Option::is_none);
        vacant.unwrap_or_else(|| {
            self.classes.push(None);
            self.classes.len() - 1
        })
    }

    /// Brings a class up to date; false if it has to be built anew.
    fn is_current(&mut self, slot: usize, objects: u64, cache: &Cache) -> bool {
        let (Some(parts), Some(class)) = (&self.parts, &mut self.classes[slot]) else {
            return false;
        };
        if class.stale {
            return false;
        }
        if class.objects != objects {
            if Rules::new(&class.template, parts, cache).as_ref() != Some(&class.rules) {
                return false;
            }
            class.objects = objects;
        }
        let next = self.base + self.log.len() as u64;
        if class.seen < self.base {
            // Too long ago: every node may have changed.
            for (place, id) in cache.order().iter().enumerate() {
                let node = cache.node(*id);
                if self.last[place].1 >= class.seen {
                    class.refresh_fixed(place, node, parts, cache, &self.keys, &self.cordon);
                }
                class.refresh_local(place, node, &self.survey.loads[place], parts, cache);
            }
        } else {
            let from = usize::try_from(class.seen - self.base).unwrap_or(0);
            for touched in &self.log[from..] {
                let place = touched.place as usize;
                let (last, taints) = self.last[place];
                // Of several changes the last one tells all.
                if last != touched.number {
                    continue;
                }
                let node = cache.node(cache.order()[place]);
                if taints >= class.seen {
                    class.refresh_fixed(place, node, parts, cache, &self.keys, &self.cordon);
                }
                class.refresh_local(place, node, &self.survey.loads[place], parts, cache);
            }
        }
        class.seen = next;
        class.used = self.clock;
        !class.stale
    }
}
