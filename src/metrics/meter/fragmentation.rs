//! Free capacity, and how much of it the workload could use: fragmentation as Weng et al. define
//! it (*Beware of Fragmentation*, USENIX ATC 2023, §3.2), for every resource. A node is looked at
//! when an instant in which it changed is over: states between facts of one instant last no time.

use std::collections::BTreeSet;

use crate::cluster::{Cluster, DIMENSIONS, Dimension, NodeId, PodClass};
use crate::engine::SimTime;
use crate::metrics::integral::Integral;
use crate::metrics::results::TargetWorkload;
use crate::workload::target::{Census, Shape, Target, Usable, usable_part};

use super::config::FragmentationRule;

/// Amounts are counted in 2⁻⁸ths of their unit: what is usable of a node is rounded down.
pub(super) const PARTS_PER_UNIT: i64 = 1 << 8;
/// More than this is free nowhere; larger numbers would not fit.
const MOST_FREE: i64 = i64::MAX / PARTS_PER_UNIT;

/// What is free of one resource, and what of it is usable, in 2⁻⁸ths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) free: i64,
    pub(super) usable: i64,
}

/// Free and usable capacity of the cell.
#[derive(Clone, Debug)]
pub(super) struct Fragmentation {
    dimensions: Vec<Dimension>,
    rule: FragmentationRule,
    /// There were too many shapes for what the rule allows.
    gave_up: bool,
    census: Census,
    /// The target workload, from the end of the first instant with arrivals on.
    target: Option<Target>,
    pods_in_target: u64,
    /// Nodes that changed in this instant; a node may occur many times.
    changed: Vec<NodeId>,
    /// What was counted, by node, then by position of the resource.
    counted: Vec<Room>,
    pub(super) free: [Integral; DIMENSIONS],
    pub(super) usable: [Integral; DIMENSIONS],
}

impl Fragmentation {
    pub(super) fn new(dimensions: Vec<Dimension>, rule: FragmentationRule) -> Self {
        Self {
            dimensions,
            rule,
            gave_up: rule == FragmentationRule::Never,
            census: Census::default(),
            target: None,
            pods_in_target: 0,
            changed: Vec::new(),
            counted: Vec::new(),
            free: Default::default(),
            usable: Default::default(),
        }
    }

    /// All that will come is known.
    pub(super) fn declare_population(&mut self, population: &[(Shape, u64)]) {
        if !self.gave_up {
            self.census.declare(population);
            self.check_rule();
        }
    }

    /// A pod of `class` arrived.
    #[inline]
    pub(super) fn arrive(&mut self, class: &PodClass, cluster: &Cluster) {
        if !self.gave_up {
            self.census.add(Shape::of(class, cluster.nodes().overcommit().is_uniform()), 1);
            self.check_rule();
        }
    }

    #[inline]
    fn check_rule(&mut self) {
        if self.rule == FragmentationRule::WhereExact && self.census.digits().is_some() {
            self.give_up();
        }
    }

    #[cold]
    fn give_up(&mut self) {
        *self = Self::new(std::mem::take(&mut self.dimensions), FragmentationRule::Never);
    }

    /// `node` changed.
    #[inline]
    pub(super) fn change(&mut self, node: NodeId) {
        if !self.gave_up {
            self.changed.push(node);
        }
    }

    /// The instant `now` is over, and `cluster` is as it left it.
    #[inline]
    pub(super) fn end_instant(&mut self, now: SimTime, cluster: &Cluster) {
        if self.gave_up {
            return;
        }
        if self.census.is_due() {
            self.renew(cluster);
        }
        while let Some(node) = self.changed.pop() {
            self.count(node, now, cluster);
        }
    }

    /// The pods that arrived so far become the target.
    #[cold]
    fn renew(&mut self, cluster: &Cluster) {
        self.target = Some(Target::new(&self.census.renew()));
        self.pods_in_target = self.census.pods();
        self.changed.clear();
        self.changed.extend(cluster.nodes().ids());
    }

    fn count(&mut self, node: NodeId, now: SimTime, cluster: &Cluster) {
        let Some(target) = &self.target else { return };
        let width = self.dimensions.len();
        let first = node.index() * width;
        if self.counted.len() < first + width {
            self.counted.resize(first + width, Room::default());
        }
        let is_up = cluster.nodes().condition(node).is_up();
        let usable = if is_up { target.usable(cluster.node_view(node)) } else { Usable::default() };
        for (i, dimension) in self.dimensions.iter().enumerate() {
            let room =
                if is_up { room(&usable, *dimension, node, cluster) } else { Room::default() };
            let before = std::mem::replace(&mut self.counted[first + i], room);
            self.free[i].add(room.free - before.free, now);
            self.usable[i].add(room.usable - before.usable, now);
        }
    }

    /// The window begins.
    pub(super) fn restart(&mut self, now: SimTime) {
        let all = self.free.iter_mut().chain(&mut self.usable);
        all.for_each(|integral| integral.restart(now));
    }

    /// What was measured against; `None` where nothing was.
    pub(super) fn summary(&self) -> Option<TargetWorkload> {
        let target = self.target.as_ref()?;
        Some(TargetWorkload {
            pods: self.pods_in_target,
            shapes: target.shapes().len() as u64,
            significant_bits: self.census.digits(),
        })
    }

    /// True if the target is as of the last instant.
    pub(super) fn is_measured(&self) -> bool {
        self.target.is_some()
    }

    /// What was counted for `node`, by position of the resource; empty before the first time.
    pub(super) fn counted(&self, node: NodeId) -> &[Room] {
        let width = self.dimensions.len();
        self.counted.get(node.index() * width..(node.index() + 1) * width).unwrap_or_default()
    }

    /// The nodes that changed in this instant.
    pub(super) fn unsettled(&self) -> BTreeSet<NodeId> {
        self.changed.iter().copied().collect()
    }

    /// The target workload.
    pub(super) fn target(&self) -> Option<&Target> {
        self.target.as_ref()
    }
}

/// Room of `dimension` on `node`, which is up.
fn room(usable: &Usable, dimension: Dimension, node: NodeId, cluster: &Cluster) -> Room {
    if dimension == Dimension::GPU {
        let devices = cluster.nodes().devices(node).free_milli();
        let each =
            devices.iter().zip(usable.devices).map(|(free, share)| of(i64::from(*free), share));
        return each.fold(Room::default(), |sum, device| Room {
            free: sum.free + device.free,
            usable: sum.usable + device.usable,
        });
    }
    of(cluster.nodes().free(node)[dimension], usable.amounts[usize::from(dimension.0)])
}

fn of(free: i64, popularity: u64) -> Room {
    let free = free.clamp(0, MOST_FREE) * PARTS_PER_UNIT;
    Room { free, usable: usable_part(free, popularity) }
}
