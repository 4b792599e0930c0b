//! The grid: nodes in cells by free cpu and free memory, so that a policy whose score is bounded
//! by these finds its best node by looking into few cells.
//!
//! It holds the nodes that are present and believed ready. Labels and taints are looked at per
//! candidate. It is brought up to date from the change log, and must never be asked before.

mod axis;
mod bucket;
mod walk;

use self::axis::{Axis, STEPS};
use self::bucket::{Bucket, Entry};
use super::region::INDEXED;
use crate::cluster::{CapacityGroup, Cluster, NodeId, NodeTable, Resources, Scale, Tier, Version};

/// Stands for a cell without a bucket, and for a node outside the grid.
const NOWHERE: u32 = u32::MAX;

/// An index of nodes by what is free of cpu and memory.
pub(super) struct Grid {
    /// One table for each capacity group, or for all groups that have the same dimensions.
    by_capacity: bool,
    tables: Vec<Table>,
    /// Per capacity group: the table its nodes are in.
    table_of: Vec<u16>,
    places: Vec<Place>,
    /// Per node: its position in its bucket, if that is a list.
    positions: Vec<u32>,
    buckets: Vec<Bucket>,
    vacant: Vec<u32>,
    version: Version,
}

/// The cells for nodes of like capacity.
struct Table {
    /// No node in it has more in all; all have this much if tables are by capacity.
    limit: Resources,
    own_scale: Scale,
    /// Per tier: the least of what must be left alone on any of its nodes.
    reserve: [Resources; Tier::COUNT],
    axes: [Axis; 2],
    /// Steps of cpu with nodes.
    rows: u128,
    /// Per step of cpu: the steps of memory with nodes.
    columns: Box<[u128; STEPS]>,
    /// Per cell: its bucket.
    bucket_of: Box<[u32]>,
}

/// Where in the grid a node is.
#[derive(Clone, Copy)]
struct Place {
    free: [i64; 2],
    /// `NOWHERE` while it is in no table.
    bucket: u32,
    table: u16,
    row: u8,
    column: u8,
}

const OUTSIDE: Place = Place { free: [0; 2], bucket: NOWHERE, table: 0, row: 0, column: 0 };

impl Grid {
    /// An empty grid, of which `refresh` makes one of `cluster`.
    pub fn new(by_capacity: bool) -> Self {
        Self {
            by_capacity,
            tables: Vec::new(),
            table_of: Vec::new(),
            places: Vec::new(),
            positions: Vec::new(),
            buckets: Vec::new(),
            vacant: Vec::new(),
            version: Version::default(),
        }
    }

    /// Brings the grid up to date with `cluster`.
    pub fn refresh(&mut self, cluster: &Cluster) {
        let nodes = cluster.nodes();
        let changes = nodes.changes();
        let known = if nodes.groups().len() == self.table_of.len() {
            changes.since(self.version)
        } else {
            None
        };
        match known {
            Some(changed) => changed.iter().for_each(|node| self.update(nodes, *node)),
            None => self.rebuild(nodes),
        }
        self.version = changes.version();
    }

    /// Reads what is kept for `node`, which may change soon.
    #[inline]
    pub fn touch(&self, node: NodeId) {
        let (Some(place), Some(position)) =
            (self.places.get(node.index()), self.positions.get(node.index()))
        else {
            return;
        };
        if let Some(bucket) = self.buckets.get(place.bucket as usize) {
            std::hint::black_box(bucket.few.get(*position as usize).map(|entry| entry.node));
        }
    }

    fn rebuild(&mut self, nodes: &NodeTable) {
        *self = Self::new(self.by_capacity);
        self.lay_out(nodes.groups());
        nodes.ids().for_each(|node| self.update(nodes, node));
    }

    /// Makes the tables for `groups`.
    fn lay_out(&mut self, groups: &[CapacityGroup]) {
        let mut kinds: Vec<(u32, usize)> = Vec::new();
        let mut members: Vec<Vec<&CapacityGroup>> = Vec::new();
        for (index, group) in groups.iter().enumerate() {
            let kind = (dimensions_of(group), if self.by_capacity { index } else { 0 });
            let known = kinds.iter().position(|other| *other == kind);
            let table = known.unwrap_or_else(|| {
                kinds.push(kind);
                members.push(Vec::new());
                kinds.len() - 1
            });
            members[table].push(group);
            self.table_of.push(u16::try_from(table).expect("the placer limits their number"));
        }
        self.tables = members.iter().map(|groups| Table::new(groups)).collect();
    }

    /// Moves `node` to where it belongs.
    #[inline]
    fn update(&mut self, nodes: &NodeTable, node: NodeId) {
        if node.index() >= self.places.len() {
            self.places.resize(node.index() + 1, OUTSIDE);
            self.positions.resize(node.index() + 1, 0);
        }
        if !nodes.is_open(node) {
            self.take_out(node);
            return;
        }
        let amounts = nodes.free(node);
        let free = INDEXED.map(|dimension| amounts[dimension]);
        let table = self.table_of[nodes.group(node).index()];
        let place = self.places[node.index()];
        if place.bucket != NOWHERE && place.free == free && place.table == table {
            return;
        }
        self.take_out(node);
        self.put_in(node, table, free);
    }

    #[expect(clippy::cast_possible_truncation, reason = "a step is less than 128")]
    fn put_in(&mut self, node: NodeId, table: u16, free: [i64; 2]) {
        let cells = &mut self.tables[usize::from(table)];
        let row = cells.axes[0].step(free[0]);
        let column = cells.axes[1].step(free[1]);
        let bucket = &mut cells.bucket_of[row * STEPS + column];
        if *bucket == NOWHERE {
            *bucket = self.vacant.pop().unwrap_or_else(|| {
                self.buckets.push(Bucket::default());
                self.buckets.len() as u32 - 1
            });
            cells.rows |= 1 << row;
            cells.columns[row] |= 1 << column;
        }
        self.buckets[*bucket as usize].insert(Entry { free, node }, &mut self.positions);
        let (row, column) = (row as u8, column as u8);
        self.places[node.index()] = Place { free, bucket: *bucket, table, row, column };
    }

    fn take_out(&mut self, node: NodeId) {
        let place = std::mem::replace(&mut self.places[node.index()], OUTSIDE);
        if place.bucket == NOWHERE {
            return;
        }
        let bucket = &mut self.buckets[place.bucket as usize];
        bucket.remove(Entry { free: place.free, node }, &mut self.positions);
        if !bucket.is_empty() {
            return;
        }
        self.vacant.push(place.bucket);
        let cells = &mut self.tables[usize::from(place.table)];
        let (row, column) = (usize::from(place.row), usize::from(place.column));
        cells.bucket_of[row * STEPS + column] = NOWHERE;
        cells.columns[row] &= !(1 << column);
        if cells.columns[row] == 0 {
            cells.rows &= !(1 << row);
        }
    }
}

impl Table {
    fn new(groups: &[&CapacityGroup]) -> Self {
        let all = |tier: usize| groups.iter().map(move |group| group.reserve[tier]);
        let least = |a: Resources, b: Resources| {
            Resources(std::array::from_fn(|dimension| a.0[dimension].min(b.0[dimension])))
        };
        let limits = groups.iter().map(|group| group.limit);
        let limit = limits.reduce(|a, b| a.max(&b)).unwrap_or_default();
        Self {
            own_scale: Scale::of(&limit),
            reserve: std::array::from_fn(|tier| all(tier).reduce(least).unwrap_or_default()),
            axes: INDEXED.map(|dimension| Axis::new(limit[dimension])),
            rows: 0,
            columns: Box::new([0; STEPS]),
            bucket_of: vec![NOWHERE; STEPS * STEPS].into_boxed_slice(),
            limit,
        }
    }
}

/// A bit for each dimension that nodes of `group` have any of: nodes without GPUs need not be
/// looked at for a pod that wants some.
fn dimensions_of(group: &CapacityGroup) -> u32 {
    group.limit.0.iter().fold(0, |bits, amount| bits << 1 | u32::from(*amount > 0))
}
