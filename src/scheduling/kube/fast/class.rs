//! A class of pods (one template) and what is known of every node for it.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::effects::{Effect, Subject, effects};
use super::keys::{Keys, NOWHERE};
use super::kinds::Kinds;
use super::load::Load;
use super::local::{Demand, FIXED, Fixed, NEVER, fixed, local};
use super::parts::Parts;
use super::rules::Rules;
use super::survey::Survey;
use super::table::{Kind, MISSING, Table};
use crate::kubernetes::Taint;
use crate::scheduling::kube::cache::Cache;
use crate::scheduling::kube::constraints::{Constraint, has_all_keys};
use crate::scheduling::kube::node::NodeInfo;
use crate::scheduling::kube::template::{Template, TemplateId};

/// With more groups than this a class is built anew, so that those without nodes are forgotten.
const MAX_GROUPS: usize = 16_384;

/// The group of nodes that will not do whatever is on them.
const UNFIT: u16 = 0;

/// Nodes that are the same in all that is set off against other nodes.
#[derive(Debug)]
pub struct Group {
    /// What is fixed, then per table the domain or the value.
    pub tuple: Box<[i32]>,
    /// How many of its nodes will do by themselves.
    pub members: u32,
}

/// A class.
#[derive(Debug)]
pub struct Class {
    pub template: Arc<Template>,
    pub rules: Rules,
    pub tables: Vec<Table>,
    pub groups: Vec<Group>,
    /// Per node, in the order of nodes: what it scores by itself.
    pub local: Vec<i16>,
    /// Per node: its group.
    pub group: Vec<u16>,
    pub numbers: FxHashMap<Box<[i32]>, u16>,
    pub demand: Demand,
    /// True if it has to be built anew.
    pub stale: bool,
    /// The number of the first change of a node that it does not know of.
    pub seen: u64,
    /// When it was used last.
    pub used: u64,
    /// The version of services and controllers that it knows.
    pub objects: u64,
    /// Room for the tuple of a node.
    pub tuple: Vec<i32>,
}

impl Class {
    /// Builds a class; `None` if it has to be left to the plain path.
    pub fn new(
        template: &Arc<Template>,
        parts: &Parts,
        cache: &Cache,
        survey: &Survey,
        keys: &mut Keys,
        cordon: &Taint,
    ) -> Option<Self> {
        if !template.affinity_errors.is_empty() || template.preferred_nodes.is_err() {
            return None;
        }
        let fit = parts.fit.as_ref().map(|(plugin, _)| plugin.scoring());
        let balanced = parts.balanced.as_ref().map(|(plugin, _)| plugin.scoring());
        if fit.is_some_and(|score| score.is_empty())
            || balanced.is_some_and(|score| score.is_empty())
        {
            return None;
        }
        let demand = Demand::new(template, parts, cache);
        let nodes = cache.order().len();
        let mut class = Self {
            rules: Rules::new(template, parts, cache)?,
            template: Arc::clone(template),
            tables: Vec::new(),
            groups: vec![Group { tuple: [0; FIXED].into(), members: 0 }],
            local: vec![NEVER; nodes],
            group: vec![UNFIT; nodes],
            numbers: FxHashMap::default(),
            demand,
            stale: false,
            seen: 0,
            used: 0,
            objects: 0,
            tuple: Vec::new(),
        };
        class.make_tables(parts, cache, keys);
        class.count(parts, cache, keys);
        class.groups[usize::from(UNFIT)].tuple =
            std::iter::repeat_n(MISSING, FIXED + class.tables.len()).collect();
        let mut kinds = Kinds::new(template, parts, survey);
        for (place, (_, node)) in cache.nodes().enumerate() {
            let look = || fixed(template, node, parts, cache, cordon);
            if let Some(fixed) = kinds.fixed(survey.kinds[place], look).ok()? {
                class.group[place] = match kinds.group_like(fixed) {
                    Some(group) if class.tables.is_empty() => group,
                    _ => class.group_of(place, fixed, keys)?,
                };
                kinds.note(fixed, class.group[place]);
                class.refresh_local(place, node, &survey.loads[place], parts, cache);
            }
        }
        Some(class)
    }

    /// The tables of its own constraints and terms.
    fn make_tables(&mut self, parts: &Parts, cache: &Cache, keys: &mut Keys) {
        let hard = std::mem::take(&mut self.rules.hard);
        for (index, constraint) in hard.iter().enumerate() {
            let counts = |node: &NodeInfo| has_all_keys(&hard, node);
            self.make_constraint(Kind::Hard(index), constraint, &counts, cache, keys);
        }
        self.rules.hard = hard;
        let soft = std::mem::take(&mut self.rules.soft);
        let constraints: Vec<Constraint> = soft.iter().map(|(one, _)| one.clone()).collect();
        let all_keys = self.rules.all_keys;
        for (index, (constraint, host)) in soft.iter().enumerate() {
            let counts = |node: &NodeInfo| !all_keys || has_all_keys(&constraints, node);
            let kind = if *host { Kind::Host(index) } else { Kind::Soft(index) };
            self.make_constraint(kind, constraint, &counts, cache, keys);
        }
        self.rules.soft = soft;
        if parts.pods.is_some() {
            let template = Arc::clone(&self.template);
            for term in &template.affinity.required {
                self.make_term_table(Kind::Affinity, Some(term.topology_key), cache, keys);
            }
        }
    }

    fn make_constraint(
        &mut self,
        kind: Kind,
        constraint: &Constraint,
        counts: &dyn Fn(&NodeInfo) -> bool,
        cache: &Cache,
        keys: &mut Keys,
    ) {
        let number = keys.number(constraint.topology_key, cache);
        let key = keys.get(number);
        let table = match kind {
            Kind::Host(_) => Table::new(kind, number, true, key.domain.len(), None, Vec::new()),
            _ => {
                let counted: Vec<bool> = cache
                    .nodes()
                    .map(|(_, node)| counts(node) && constraint.includes(&self.template, node))
                    .collect();
                let mut present = vec![false; key.members.len()];
                for (place, counts) in counted.iter().enumerate() {
                    if *counts && key.domain[place] != NOWHERE {
                        present[key.domain[place] as usize] = true;
                    }
                }
                // How many domains the candidates are in has to be known for soft constraints.
                let fine = key.fine && matches!(kind, Kind::Hard(_));
                Table::new(kind, number, fine, key.members.len(), Some(counted), present)
            }
        };
        self.tables.push(table);
    }

    fn make_term_table(
        &mut self,
        kind: Kind,
        symbol: Option<crate::scheduling::kube::symbols::Symbol>,
        cache: &Cache,
        keys: &mut Keys,
    ) -> usize {
        let number = keys.number(symbol, cache);
        if let Some(found) = self.tables.iter().position(|t| t.kind == kind && t.key == number) {
            return found;
        }
        let key = keys.get(number);
        let table = Table::new(kind, number, key.fine, key.members.len(), None, Vec::new());
        self.tables.push(table);
        self.tables.len() - 1
    }

    /// True if only pods that have an affinity to others can mean anything to this class.
    pub fn is_indifferent(&self) -> bool {
        !self.template.has_affinity && self.rules.are_none()
    }

    /// What each pod of `other` means to this class.
    pub fn effects_of(&self, other: &Template, parts: &Parts, cache: &Cache) -> Vec<Effect> {
        let subject =
            Subject { template: &self.template, hard: &self.rules.hard, soft: &self.rules.soft };
        effects(&subject, other, parts, cache)
    }

    /// The table of an effect, if it is there.
    pub fn table_of(&self, effect: &Effect, cache: &Cache, keys: &mut Keys) -> Option<usize> {
        let number = effect.key.map(|key| keys.number(Some(key), cache));
        self.tables.iter().position(|table| {
            table.kind == effect.kind && number.is_none_or(|number| number == table.key)
        })
    }

    /// Counts all pods that are there, and makes tables for terms of theirs.
    fn count(&mut self, parts: &Parts, cache: &Cache, keys: &mut Keys) {
        let mut known: FxHashMap<TemplateId, Vec<(usize, Effect)>> = FxHashMap::default();
        let indifferent = self.is_indifferent();
        for (place, (_, node)) in cache.nodes().enumerate() {
            if indifferent && node.with_affinity == 0 {
                continue;
            }
            for (id, pod) in node.templates().iter().zip(&node.pods) {
                let found = known.entry(*id).or_insert_with(|| {
                    self.effects_of(&pod.template, parts, cache)
                        .into_iter()
                        .map(|effect| {
                            let table = match self.table_of(&effect, cache, keys) {
                                Some(table) => table,
                                None => self.make_term_table(effect.kind, effect.key, cache, keys),
                            };
                            (table, effect)
                        })
                        .collect()
                });
                for (table, effect) in found {
                    if !(effect.live && pod.terminating) {
                        self.tables[*table].add_at(place, effect.amount, keys);
                    }
                }
            }
        }
    }

    /// So many pods of a kind with these effects came to the node at `place`.
    pub fn apply(&mut self, table: usize, place: usize, amount: i64, keys: &Keys) {
        let changed = self.tables[table].add_at(place, amount, keys);
        if !changed || !self.tables[table].fine {
            return;
        }
        if matches!(self.tables[table].kind, Kind::Host(_)) {
            self.regroup(place, keys);
            return;
        }
        let key = keys.get(self.tables[table].key);
        for member in &key.members[key.domain[place] as usize] {
            self.regroup(*member as usize, keys);
        }
    }

    /// The group of the node at `place`; `None` if there are too many.
    fn group_of(&mut self, place: usize, fixed: Fixed, keys: &Keys) -> Option<u16> {
        let mut tuple = std::mem::take(&mut self.tuple);
        tuple.clear();
        tuple.extend(fixed);
        tuple.extend(self.tables.iter().map(|table| table.of_node(place, keys)));
        let number = match self.numbers.get(tuple.as_slice()) {
            Some(number) => Some(*number),
            None => self.new_group(&tuple),
        };
        self.tuple = tuple;
        number
    }

    fn new_group(&mut self, tuple: &[i32]) -> Option<u16> {
        let number = u16::try_from(self.groups.len()).ok()?;
        let key: Box<[i32]> = tuple.into();
        self.groups.push(Group { tuple: key.clone(), members: 0 });
        self.numbers.insert(key, number);
        self.stale |= self.groups.len() > MAX_GROUPS.max(2 * self.local.len());
        Some(number)
    }

    /// What the node at `place` keeps of a table changed.
    fn regroup(&mut self, place: usize, keys: &Keys) {
        let old = self.group[place];
        if old == UNFIT {
            return;
        }
        let tuple = &self.groups[usize::from(old)].tuple;
        let fixed = std::array::from_fn(|column| tuple[column]);
        match self.group_of(place, fixed, keys) {
            Some(new) => self.move_to(place, new),
            None => self.stale = true,
        }
    }

    fn move_to(&mut self, place: usize, new: u16) {
        let old = std::mem::replace(&mut self.group[place], new);
        if old != new && self.local[place] != NEVER {
            self.groups[usize::from(old)].members -= 1;
            self.groups[usize::from(new)].members += 1;
        }
    }

    /// The pods on the node at `place` changed.
    pub fn refresh_local(
        &mut self,
        place: usize,
        node: &NodeInfo,
        load: &Load,
        parts: &Parts,
        cache: &Cache,
    ) {
        let new = match &self.demand.quick {
            _ if self.group[place] == UNFIT => NEVER,
            Some(quick) if !load.odd => {
                quick.score(load).and_then(|score| i16::try_from(score).ok()).unwrap_or(NEVER)
            }
            _ => local(&self.template, node, &self.demand, parts, cache),
        };
        let old = std::mem::replace(&mut self.local[place], new);
        if (old == NEVER) != (new == NEVER) {
            let members = &mut self.groups[usize::from(self.group[place])].members;
            *members = if new == NEVER { *members - 1 } else { *members + 1 };
        }
    }

    /// The taints of the node at `place` changed.
    pub fn refresh_fixed(
        &mut self,
        place: usize,
        node: &NodeInfo,
        parts: &Parts,
        cache: &Cache,
        keys: &Keys,
        cordon: &Taint,
    ) {
        let new = match fixed(&self.template, node, parts, cache, cordon) {
            Ok(Some(new)) => self.group_of(place, new, keys),
            Ok(None) => Some(UNFIT),
            Err(()) => None,
        };
        match new {
            Some(new) if !self.rules.honor_taints() => {
                // Nodes that will not do are nobody's members.
                if new == UNFIT && self.local[place] != NEVER {
                    self.groups[usize::from(self.group[place])].members -= 1;
                    self.local[place] = NEVER;
                }
                self.move_to(place, new);
            }
            // Which nodes count depends on taints, or the plain path has to see to it.
            _ => self.stale = true,
        }
    }
}
