//! The node table: columns by the question that is asked. What placement reads (free, open, group)
//! is dense; names and labels are kept apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bits::BitSet;
use super::changes::{ChangeLog, Version};
use super::class::PodClass;
use super::gpu::{DeviceShare, Devices, MAX_DEVICES};
use super::ids::{ConstraintId, GroupId, NodeId, PodId, PoolId};
use super::matching;
use super::overcommit::{CapacityGroup, Overcommit};
use super::preferences::PreferenceColumn;
use super::resources::Resources;
use super::scale::Scale;
use super::spec::{NodeConstraints, NodeSpec};

/// What is true of a node and what the control plane believes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeCondition {
    /// It belongs to the cell now.
    pub present: bool,
    /// Truth: number of faults (its own and its domains') that hold it down; 0 means up.
    pub faults: u16,
    /// Observed: the control plane believes that it is ready.
    pub ready: bool,
    /// Observed: no new pods, by order.
    pub cordoned: bool,
    /// Bumped whenever truth changes: stale observations are dropped by it.
    pub incarnation: u32,
}

impl NodeCondition {
    /// Truth: it belongs to the cell and works.
    pub const fn is_up(self) -> bool {
        self.present && self.faults == 0
    }
}

/// Amounts that begin with a cache line: they are as long as one, so there is one to read and not
/// two.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct OneLine(pub Resources);

/// All nodes that ever belonged to the cell.
#[derive(Clone, Debug)]
pub struct NodeTable {
    pub(super) free: Vec<OneLine>,
    pub(super) group: Vec<GroupId>,
    pub(super) devices: Vec<Devices>,
    /// How many pods ask for GPUs in which way: a share of one device at 0, `n` whole ones at `n`.
    pub(super) gpu_pods: Vec<[u16; MAX_DEVICES + 1]>,
    pub(super) first_pod: Vec<PodId>,
    pub(super) pod_count: Vec<u32>,
    pub(super) condition: Vec<NodeCondition>,
    /// Present and believed ready.
    open: BitSet,
    /// Described anew since they joined: their pods may exceed what they have now.
    resized: BitSet,
    specs: Vec<Arc<NodeSpec>>,
    pool: Vec<PoolId>,
    pools: Vec<String>,
    groups: Vec<CapacityGroup>,
    /// Per group: weights relative to its own limit.
    own_scales: Vec<Scale>,
    /// The largest limit of any group, per dimension, and weights relative to it.
    largest_limit: Resources,
    scale: Scale,
    overcommit: Overcommit,
    /// All tiers share one factor per resource, so that no tier has to leave room to another.
    uniform: bool,
    constraints: Vec<NodeConstraints>,
    constraint_ids: BTreeMap<NodeConstraints, ConstraintId>,
    /// Per constraint set: the nodes whose labels, taints and attributes satisfy it.
    matching: Vec<BitSet>,
    /// Per constraint set: how much each node has of what is preferred.
    preferences: Vec<PreferenceColumn>,
    pub(super) changes: ChangeLog,
}

impl NodeTable {
    /// An empty table whose capacities are stretched by `overcommit`.
    pub fn new(overcommit: Overcommit) -> Self {
        let mut table = Self {
            free: Vec::new(),
            group: Vec::new(),
            devices: Vec::new(),
            gpu_pods: Vec::new(),
            first_pod: Vec::new(),
            pod_count: Vec::new(),
            condition: Vec::new(),
            open: BitSet::default(),
            resized: BitSet::default(),
            specs: Vec::new(),
            pool: Vec::new(),
            pools: Vec::new(),
            groups: Vec::new(),
            own_scales: Vec::new(),
            largest_limit: Resources::ZERO,
            scale: Scale::of(&Resources::ZERO),
            uniform: overcommit.is_uniform(),
            overcommit,
            constraints: Vec::new(),
            constraint_ids: BTreeMap::new(),
            matching: Vec::new(),
            preferences: Vec::new(),
            changes: ChangeLog::default(),
        };
        table.intern_constraints(&NodeConstraints::default());
        table
    }

    /// Number of nodes, those that left included: ids are below this.
    #[inline]
    pub fn len(&self) -> usize {
        self.free.len()
    }

    /// True while no node was ever added.
    pub fn is_empty(&self) -> bool {
        self.free.is_empty()
    }

    /// All ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.len()).map(NodeId::from_index)
    }

    /// What is free on `node` under the widest overcommit of any tier. May be negative on a node
    /// whose capacity shrank.
    #[inline]
    pub fn free(&self, node: NodeId) -> &Resources {
        &self.free[node.index()].0
    }

    /// The group of nodes with equal capacity that `node` is in.
    #[inline]
    pub fn group(&self, node: NodeId) -> GroupId {
        self.group[node.index()]
    }

    /// All capacity groups, by id.
    #[inline]
    pub fn groups(&self) -> &[CapacityGroup] {
        &self.groups
    }

    /// The largest limit that any node ever had, per dimension. It changes only when the number
    /// of groups does.
    #[inline]
    pub fn largest_limit(&self) -> &Resources {
        &self.largest_limit
    }

    /// Weights relative to the largest limit: equal for all nodes.
    #[inline]
    pub fn scale(&self) -> &Scale {
        &self.scale
    }

    /// Weights relative to the limit of the nodes of `group`.
    #[inline]
    pub fn own_scale(&self, group: GroupId) -> &Scale {
        &self.own_scales[group.index()]
    }

    /// What may be reserved on `node` in all, under the widest overcommit of any tier.
    #[inline]
    pub fn limit(&self, node: NodeId) -> &Resources {
        &self.groups[self.group(node).index()].limit
    }

    /// What `node` has for pods, without overcommit.
    #[inline]
    pub fn allocatable(&self, node: NodeId) -> &Resources {
        &self.groups[self.group(node).index()].allocatable
    }

    /// GPU devices of `node`.
    #[inline]
    pub fn devices(&self, node: NodeId) -> &Devices {
        &self.devices[node.index()]
    }

    /// True if capacity or labels of `node` ever changed while it was known.
    pub(super) fn was_resized(&self, node: NodeId) -> bool {
        self.resized.contains(node.index())
    }

    /// Number of pods bound to `node`.
    pub fn pod_count(&self, node: NodeId) -> u32 {
        self.pod_count[node.index()]
    }

    /// Truth and observation of `node`.
    #[inline]
    pub fn condition(&self, node: NodeId) -> NodeCondition {
        self.condition[node.index()]
    }

    /// What `node` was described by.
    pub fn spec(&self, node: NodeId) -> &Arc<NodeSpec> {
        &self.specs[node.index()]
    }

    /// The pool that `node` is reported under.
    #[inline]
    pub fn pool(&self, node: NodeId) -> PoolId {
        self.pool[node.index()]
    }

    /// Names of the pools, by id, in order of first appearance.
    pub fn pools(&self) -> &[String] {
        &self.pools
    }

    /// How capacities are stretched.
    pub fn overcommit(&self) -> &Overcommit {
        &self.overcommit
    }

    /// Which nodes changed.
    #[inline]
    pub fn changes(&self) -> &ChangeLog {
        &self.changes
    }

    /// The constraint set `id`.
    pub fn constraints(&self, id: ConstraintId) -> &NodeConstraints {
        &self.constraints[id.index()]
    }

    /// Number of constraint sets: ids are below this.
    pub fn constraint_count(&self) -> usize {
        self.constraints.len()
    }

    /// True if `node` belongs to the cell and is believed ready.
    #[inline]
    pub fn is_open(&self, node: NodeId) -> bool {
        self.open.contains(node.index())
    }

    /// True if pods with `constraints` may go to `node` at all: it is there, believed ready, and
    /// its labels, taints and attributes are right.
    #[inline]
    pub fn is_eligible(&self, constraints: ConstraintId, node: NodeId) -> bool {
        self.open.contains(node.index())
            && self.matching[constraints.index()].contains(node.index())
    }

    /// True if labels, taints and attributes of `node` satisfy `constraints`, ready or not.
    pub fn is_matching(&self, constraints: ConstraintId, node: NodeId) -> bool {
        self.matching[constraints.index()].contains(node.index())
    }

    /// The nodes, by index, whose labels, taints and attributes satisfy `constraints`, ready or
    /// not.
    #[inline]
    pub fn matching(&self, constraints: ConstraintId) -> &BitSet {
        &self.matching[constraints.index()]
    }

    /// Weight of the preferences among `constraints`: those that hold on `node`.
    #[inline]
    pub fn preferred(&self, constraints: ConstraintId, node: NodeId) -> u32 {
        self.preferences[constraints.index()].met(node.index())
    }

    /// Weight of all preferences among `constraints`; zero if there are none.
    #[inline]
    pub fn preference_weight(&self, constraints: ConstraintId) -> u32 {
        self.preferences[constraints.index()].total()
    }

    /// Every weight that [`NodeTable::preferred`] may have for `constraints`, the largest first.
    pub fn preference_levels(&self, constraints: ConstraintId) -> &[u32] {
        self.preferences[constraints.index()].levels()
    }

    /// What a pod of `class` needs to find free on nodes of `group`: its requests, and what its
    /// tier must leave to tiers with a wider overcommit.
    #[inline]
    pub fn demand(&self, class: &PodClass, group: GroupId) -> Resources {
        if self.uniform {
            return class.requests;
        }
        class.requests.plus(&self.groups[group.index()].reserve[class.tier as usize])
    }

    /// True if resources and GPU devices of `node` have room for a pod of `class` now.
    #[inline]
    pub fn has_room(&self, class: &PodClass, node: NodeId) -> bool {
        self.demand(class, self.group(node)).fits_in(self.free(node))
            && self.devices(node).fits(class.gpu)
    }

    /// The nodes that are open, for tests that break the books.
    #[cfg(test)]
    pub(super) fn open_mut(&mut self) -> &mut BitSet {
        &mut self.open
    }

    /// The nodes that satisfy `constraints`, for tests that break the books.
    #[cfg(test)]
    pub(super) fn matching_mut(&mut self, constraints: ConstraintId) -> &mut BitSet {
        &mut self.matching[constraints.index()]
    }

    /// A pod takes devices of `node`.
    #[inline]
    pub(super) fn take_devices(&mut self, node: NodeId, share: DeviceShare) {
        self.devices[node.index()].take(share);
        if share.devices != 0 {
            self.gpu_pods[node.index()][share.way()] += 1;
        }
    }

    /// A pod gives back devices of `node`.
    #[inline]
    pub(super) fn give_devices(&mut self, node: NodeId, share: DeviceShare) {
        self.devices[node.index()].give(share);
        if share.devices != 0 {
            self.gpu_pods[node.index()][share.way()] -= 1;
        }
    }

    /// Interns a constraint set; a new one is evaluated on every node.
    pub(super) fn intern_constraints(&mut self, constraints: &NodeConstraints) -> ConstraintId {
        if let Some(id) = self.constraint_ids.get(constraints) {
            return *id;
        }
        let id = ConstraintId::from_index(self.constraints.len());
        let mut matching = BitSet::default();
        let mut preferences = PreferenceColumn::new(constraints.preference_weight());
        for node in self.ids() {
            matching.set(node.index(), self.satisfies(constraints, node));
            if preferences.total() > 0 {
                let weight = matching::preferred(constraints, &self.specs[node.index()]);
                preferences.set(node.index(), weight);
            }
        }
        self.constraints.push(constraints.clone());
        self.constraint_ids.insert(constraints.clone(), id);
        self.matching.push(matching);
        self.preferences.push(preferences);
        id
    }

    /// Makes this table, a copy of `other` as it was at `version`, what `other` is now. Its own log
    /// tells which nodes were brought up to date.
    pub(super) fn follow(&mut self, other: &Self, version: Version) {
        let Some(changed) = other.changes.since(version) else {
            let mut changes = std::mem::take(&mut self.changes);
            changes.start_over();
            *self = Self { changes, ..other.clone() };
            return;
        };
        if self.groups.len() < other.groups.len() {
            self.groups.clone_from(&other.groups);
            self.own_scales.clone_from(&other.own_scales);
            self.largest_limit = other.largest_limit;
            self.scale = other.scale;
        }
        if self.pools.len() < other.pools.len() {
            self.pools.clone_from(&other.pools);
        }
        if self.constraints.len() < other.constraints.len() {
            self.constraints.clone_from(&other.constraints);
            self.constraint_ids.clone_from(&other.constraint_ids);
            let new = &other.matching[self.matching.len()..];
            self.matching.extend_from_slice(new);
            let new = &other.preferences[self.preferences.len()..];
            self.preferences.extend_from_slice(new);
        }
        for node in changed {
            self.copy_row(other, *node);
        }
    }

    /// Makes `node`, one of the table's or the next, what it is in `other`.
    fn copy_row(&mut self, other: &Self, node: NodeId) {
        let i = node.index();
        // Nodes are logged when they are added, so the next is the only one that can be missing.
        if i == self.len() {
            self.free.push(other.free[i]);
            self.group.push(other.group[i]);
            self.devices.push(other.devices[i]);
            self.first_pod.push(PodId::NONE);
            self.pod_count.push(0);
            self.condition.push(other.condition[i]);
            self.pool.push(other.pool[i]);
            self.specs.push(Arc::clone(&other.specs[i]));
        }
        self.free[i] = other.free[i];
        self.group[i] = other.group[i];
        self.devices[i] = other.devices[i];
        self.pod_count[i] = other.pod_count[i];
        self.pool[i] = other.pool[i];
        self.condition[i] = other.condition[i];
        if !Arc::ptr_eq(&self.specs[i], &other.specs[i]) {
            self.specs[i] = Arc::clone(&other.specs[i]);
        }
        self.open.set(i, other.open.contains(i));
        self.resized.set(i, other.resized.contains(i));
        for (own, others) in self.matching.iter_mut().zip(&other.matching) {
            own.set(i, others.contains(i));
        }
        for (own, others) in self.preferences.iter_mut().zip(&other.preferences) {
            if own.total() > 0 {
                own.set(i, others.met(i));
            }
        }
        self.changes.push(node);
    }

    /// Adds a node that is up and believed ready.
    pub(super) fn add(&mut self, spec: Arc<NodeSpec>) -> NodeId {
        let node = NodeId::from_index(self.len());
        let group = self.intern_group(&spec.allocatable);
        self.free.push(OneLine(self.groups[group.index()].limit));
        self.group.push(group);
        self.devices.push(Devices::new(spec.gpu_devices));
        self.gpu_pods.push([0; MAX_DEVICES + 1]);
        self.first_pod.push(PodId::NONE);
        self.pod_count.push(0);
        let present = NodeCondition {
            present: true,
            faults: 0,
            ready: true,
            cordoned: false,
            incarnation: 0,
        };
        self.condition.push(present);
        let pool = self.intern_pool(&spec.pool);
        self.pool.push(pool);
        self.specs.push(spec);
        self.refresh(node);
        node
    }

    /// Replaces the description of `node`; what is reserved on it stays reserved. The number of
    /// GPU devices stays what it was while pods hold some.
    pub(super) fn describe(&mut self, node: NodeId, spec: Arc<NodeSpec>) {
        let i = node.index();
        self.resized.set(i, true);
        let requested = self.limit(node).minus(self.free(node));
        let group = self.intern_group(&spec.allocatable);
        self.free[i] = OneLine(self.groups[group.index()].limit.minus(&requested));
        self.group[i] = group;
        self.pool[i] = self.intern_pool(&spec.pool);
        if self.pod_count[i] == 0 {
            self.devices[i] = Devices::new(spec.gpu_devices);
        }
        self.specs[i] = spec;
        self.refresh(node);
    }

    /// Changes the condition of `node` and all that follows from it.
    pub(super) fn set_condition(&mut self, node: NodeId, condition: NodeCondition) {
        self.condition[node.index()] = condition;
        self.refresh(node);
    }

    /// Re-evaluates everything derived from condition and description, and logs the change.
    fn refresh(&mut self, node: NodeId) {
        let condition = self.condition[node.index()];
        self.open.set(node.index(), condition.present && condition.ready);
        for id in 0..self.constraints.len() {
            let satisfied = self.satisfies(&self.constraints[id], node);
            self.matching[id].set(node.index(), satisfied);
            if self.preferences[id].total() > 0 {
                let weight = matching::preferred(&self.constraints[id], &self.specs[node.index()]);
                self.preferences[id].set(node.index(), weight);
            }
        }
        self.changes.push(node);
    }

    fn satisfies(&self, constraints: &NodeConstraints, node: NodeId) -> bool {
        let cordoned = self.condition[node.index()].cordoned;
        matching::satisfies(constraints, &self.specs[node.index()], cordoned)
    }

    fn intern_group(&mut self, allocatable: &Resources) -> GroupId {
        let known = self.groups.iter().position(|group| group.allocatable == *allocatable);
        let index = known.unwrap_or_else(|| {
            let group = self.overcommit.group(allocatable);
            self.own_scales.push(Scale::of(&group.limit));
            self.largest_limit = self.largest_limit.max(&group.limit);
            self.scale = Scale::of(&self.largest_limit);
            self.groups.push(group);
            self.groups.len() - 1
        });
        GroupId::from_index(index)
    }

    fn intern_pool(&mut self, name: &str) -> PoolId {
        let known = self.pools.iter().position(|pool| pool == name);
        let index = known.unwrap_or_else(|| {
            self.pools.push(name.to_owned());
            self.pools.len() - 1
        });
        PoolId::from_index(index)
    }
}
