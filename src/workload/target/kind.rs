//! Kinds of shapes: those that differ in cpu and memory only. Whether one fits is a question of
//! the kind first and then of two numbers, so all of them are answered by one look into a table.

use std::collections::BTreeMap;

use super::shape::Shape;
use crate::cluster::{Dimension, NodeId, NodeTable, PodClass};

/// Shapes that differ in cpu and memory only.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    /// One of them, without cpu and memory.
    class: PodClass,
    /// What all of them request some of.
    uses: Vec<Dimension>,
    cpu: Axis,
    memory: Axis,
    /// Popularity of all that request at most so much of both, by rank of cpu, then of memory.
    table: Vec<u64>,
}

/// Amounts that are requested, in rising order. The rank of an amount is the number of them that it
/// covers.
#[derive(Clone, Debug)]
struct Axis {
    thresholds: Vec<i64>,
}

const CPU: Dimension = Dimension::CPU;
const MEMORY: Dimension = Dimension::MEMORY;

impl Kind {
    /// The kinds of `shapes`, which come with their popularities.
    pub fn all(shapes: &[(Shape, u64)]) -> Vec<Self> {
        let mut kinds: BTreeMap<_, Vec<(Shape, u64)>> = BTreeMap::new();
        for (shape, popularity) in shapes {
            let [has_cpu, has_memory] = [CPU, MEMORY].map(|d| shape.requests[d] > 0);
            let key = (without_indexed(shape).key(), has_cpu, has_memory);
            kinds.entry(key).or_default().push((*shape, *popularity));
        }
        kinds.values().map(|members| Self::new(members)).collect()
    }

    fn new(members: &[(Shape, u64)]) -> Self {
        let [cpu, memory] = [CPU, MEMORY].map(|dimension| Axis::new(members, dimension));
        let width = memory.thresholds.len() + 1;
        let mut table = vec![0; (cpu.thresholds.len() + 1) * width];
        for (shape, popularity) in members {
            let [row, column] =
                [cpu.rank(shape.requests[CPU]), memory.rank(shape.requests[MEMORY])];
            table[row * width + column] += popularity;
        }
        for position in width..table.len() {
            table[position] += table[position - width];
        }
        for row in table.chunks_mut(width) {
            for column in 1..width {
                row[column] += row[column - 1];
            }
        }
        let first = &members[0].0;
        let uses = Dimension::all().filter(|d| first.requests[*d] > 0).collect();
        Self { class: without_indexed(first).class(), uses, cpu, memory, table }
    }

    /// What all of them request some of.
    pub fn uses(&self) -> impl Iterator<Item = Dimension> {
        self.uses.iter().copied()
    }

    /// The share of a device that it has to have free to do for them, if they ask for any.
    pub fn device_milli(&self) -> Option<u16> {
        (self.class.gpu.devices > 0).then_some(self.class.gpu.milli)
    }

    /// Popularity of those that `node` has room for now.
    pub fn fitting(&self, nodes: &NodeTable, node: NodeId) -> u64 {
        let free = nodes.free(node);
        let demand = nodes.demand(&self.class, nodes.group(node));
        let fits = demand.fits_in(free)
            && nodes.devices(node).fits(self.class.gpu)
            && nodes.is_eligible(self.class.constraints, node);
        if !fits {
            return 0;
        }
        let row = self.cpu.rank(free[CPU] - demand[CPU]);
        let column = self.memory.rank(free[MEMORY] - demand[MEMORY]);
        self.table[row * (self.memory.thresholds.len() + 1) + column]
    }
}

fn without_indexed(shape: &Shape) -> Shape {
    let mut shape = *shape;
    (shape.requests[CPU], shape.requests[MEMORY]) = (0, 0);
    shape
}

impl Axis {
    fn new(members: &[(Shape, u64)], dimension: Dimension) -> Self {
        let mut thresholds: Vec<i64> =
            members.iter().map(|(shape, _)| shape.requests[dimension]).collect();
        thresholds.sort_unstable();
        thresholds.dedup();
        Self { thresholds }
    }

    /// How many of the amounts are covered by `amount`.
    #[inline]
    fn rank(&self, amount: i64) -> usize {
        self.thresholds.partition_point(|threshold| *threshold <= amount)
    }
}
