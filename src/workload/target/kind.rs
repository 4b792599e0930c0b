//! Kinds of shapes: those that differ only in cpu, memory and what they ask of GPUs. Whether one
//! fits is a question of the kind first, then of two numbers, so all of them are answered by one
//! look into a table; its row says how popular those are that fit, by what they ask of GPUs.

use std::collections::BTreeMap;

use super::shape::Shape;
use crate::cluster::{Dimension, GpuRequest, NodeView, PodClass, Resources, WHOLE_MILLI};

/// Tables larger than this are split: one for each request of GPUs.
const MOST_ENTRIES: usize = 1 << 17;

const CPU: Dimension = Dimension::CPU;
const MEMORY: Dimension = Dimension::MEMORY;
const GPU: Dimension = Dimension::GPU;

/// Shapes that differ only in cpu, memory and what they ask of GPUs.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    /// One of them, without cpu, memory and GPUs.
    class: PodClass,
    /// What all of them request some of, GPUs aside.
    uses: Vec<Dimension>,
    cpu: Axis,
    memory: Axis,
    levels: Levels,
    /// A row for each rank of cpu and of memory: the popularity of all that request at most so
    /// much of both, by level.
    rows: Vec<u64>,
}

/// Amounts that are requested, in rising order. The rank of an amount is the number of them that it
/// covers.
#[derive(Clone, Debug)]
struct Axis {
    thresholds: Vec<i64>,
}

/// What is asked of GPUs: first nothing, then rising shares of one device, then rising numbers of
/// devices. In a row, a level counts those before it of the same sort too.
#[derive(Clone, Debug)]
struct Levels {
    /// Shares of one device, rising; a whole device is one of them.
    shares: Vec<u16>,
    /// Number of shares up to each amount.
    rank_of_share: Vec<u16>,
    /// Numbers of devices above one, rising.
    counts: Vec<u8>,
    /// What pods that ask for several devices want of each.
    count_milli: u16,
}

/// How popular the pods are that fit on a node, by what they ask of GPUs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fitting<'a> {
    row: &'a [u64],
    levels: &'a Levels,
}

impl Kind {
    /// The kinds of `shapes`, which come with their popularities.
    pub fn all(shapes: &[(Shape, u64)]) -> Vec<Self> {
        let mut kinds: BTreeMap<_, Vec<(Shape, u64)>> = BTreeMap::new();
        for (shape, popularity) in shapes {
            let [has_cpu, has_memory] = [CPU, MEMORY].map(|d| shape.requests[d] > 0);
            // Amounts of GPU that are no requests of devices are like those of any resource.
            let extended = if shape.gpu.devices == 0 { shape.requests[GPU] } else { 0 };
            let key = (bare(shape).key(), has_cpu, has_memory, extended, several_milli(shape));
            kinds.entry(key).or_default().push((*shape, *popularity));
        }
        kinds.values().flat_map(|members| Self::of(members)).collect()
    }

    fn of(members: &[(Shape, u64)]) -> Vec<Self> {
        let [cpu, memory] = [CPU, MEMORY].map(|dimension| Axis::new(members, dimension));
        let levels = Levels::new(members);
        let rows = (cpu.thresholds.len() + 1) * (memory.thresholds.len() + 1);
        if rows * levels.width() <= MOST_ENTRIES {
            return vec![Self::new(members, cpu, memory, levels)];
        }
        let mut split: BTreeMap<(u8, u16), Vec<(Shape, u64)>> = BTreeMap::new();
        for member in members {
            let GpuRequest { devices, milli } = member.0.gpu;
            split.entry((devices, milli)).or_default().push(*member);
        }
        let each = |members: &Vec<(Shape, u64)>| {
            let [cpu, memory] = [CPU, MEMORY].map(|dimension| Axis::new(members, dimension));
            Self::new(members, cpu, memory, Levels::new(members))
        };
        split.values().map(each).collect()
    }

    fn new(members: &[(Shape, u64)], cpu: Axis, memory: Axis, levels: Levels) -> Self {
        let width = levels.width();
        let columns = memory.thresholds.len() + 1;
        let mut rows = vec![0; (cpu.thresholds.len() + 1) * columns * width];
        for (shape, popularity) in members {
            let [i, j] = [cpu.rank(shape.requests[CPU]), memory.rank(shape.requests[MEMORY])];
            rows[(i * columns + j) * width + levels.position(shape.gpu)] += popularity;
        }
        // Sums over smaller amounts of memory, then of cpu, then over lower levels of one sort.
        for line in rows.chunks_mut(columns * width) {
            (width..line.len()).for_each(|position| line[position] += line[position - width]);
        }
        let line = columns * width;
        (line..rows.len()).for_each(|position| rows[position] += rows[position - line]);
        for row in rows.chunks_mut(width) {
            let (shares, counts) = row[1..].split_at_mut(levels.shares.len());
            (1..shares.len()).for_each(|level| shares[level] += shares[level - 1]);
            (1..counts.len()).for_each(|level| counts[level] += counts[level - 1]);
        }
        let first = &members[0].0;
        let mut uses: Vec<_> = Dimension::all().filter(|d| first.requests[*d] > 0).collect();
        let mut class = bare(first).class();
        if first.gpu.devices == 0 {
            class.requests[GPU] = first.requests[GPU];
        } else {
            uses.retain(|dimension| *dimension != GPU);
        }
        Self { class, uses, cpu, memory, levels, rows }
    }

    /// What all of them request some of, GPU devices aside.
    pub fn uses(&self) -> &[Dimension] {
        &self.uses
    }

    /// True if some of them ask for GPU devices.
    pub fn asks_for_devices(&self) -> bool {
        self.levels.width() > 1
    }

    /// Those that `node` would have room for if `free` were free, and how much of the GPUs is free
    /// in all then. `None` where none of them can come.
    #[inline]
    pub fn fitting(&self, node: NodeView<'_>, free: &Resources) -> Option<(Fitting<'_>, i64)> {
        let demand = node.demand(&self.class);
        if !demand.fits_in(free) || !node.is_eligible(self.class.constraints) {
            return None;
        }
        let row = self.cpu.rank(free[CPU] - demand[CPU]);
        let column = self.memory.rank(free[MEMORY] - demand[MEMORY]);
        let width = self.levels.width();
        let position = (row * (self.memory.thresholds.len() + 1) + column) * width;
        let row = &self.rows[position..position + width];
        Some((Fitting { row, levels: &self.levels }, free[GPU] - demand[GPU]))
    }
}

impl Fitting<'_> {
    /// The popularity of those that ask for no GPU.
    pub fn without_devices(self) -> u64 {
        self.row[0]
    }

    /// The popularity of those that ask for a share of one device that `milli` covers.
    #[inline]
    pub fn of_share(self, milli: i64) -> u64 {
        let milli = milli.clamp(0, i64::from(WHOLE_MILLI)) as usize;
        match self.levels.rank_of_share[milli] {
            0 => 0,
            rank => self.row[usize::from(rank)],
        }
    }

    /// The popularity of those that ask for several devices and find enough among `devices`, which
    /// have `free_in_all` free.
    #[inline]
    pub fn of_several(self, devices: &[u16], free_in_all: i64) -> u64 {
        let Levels { shares, counts, count_milli, .. } = self.levels;
        if counts.is_empty() {
            return 0;
        }
        let enough = devices.iter().filter(|free| **free >= *count_milli).count() as i64;
        let enough = enough.min(free_in_all / i64::from((*count_milli).max(1)));
        match counts.partition_point(|count| i64::from(*count) <= enough) {
            0 => 0,
            rank => self.row[shares.len() + rank],
        }
    }

    /// What each device of those that ask for several has to have free.
    pub fn several_milli(self) -> u16 {
        self.levels.count_milli
    }
}

/// What pods that ask for several devices want of each; the same for all others.
fn several_milli(shape: &Shape) -> u16 {
    if shape.gpu.devices > 1 { shape.gpu.milli } else { WHOLE_MILLI }
}

/// `shape` without cpu, memory and GPUs.
fn bare(shape: &Shape) -> Shape {
    let mut shape = *shape;
    [CPU, MEMORY, GPU].iter().for_each(|dimension| shape.requests[*dimension] = 0);
    shape.gpu = GpuRequest::default();
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

impl Levels {
    fn new(members: &[(Shape, u64)]) -> Self {
        let of = |several: bool| {
            let all = members.iter().map(|(shape, _)| shape.gpu);
            let mut gpus: Vec<GpuRequest> = all
                .filter(|gpu| if several { gpu.devices > 1 } else { gpu.devices == 1 })
                .collect();
            gpus.sort_unstable_by_key(|gpu| (gpu.devices, gpu.milli));
            gpus.dedup();
            gpus
        };
        let shares: Vec<u16> = of(false).iter().map(|gpu| gpu.milli).collect();
        let rank = |milli: u16| shares.partition_point(|share| *share <= milli);
        let rank_of_share = (0..=WHOLE_MILLI).map(|milli| rank(milli) as u16).collect();
        let counts = of(true).iter().map(|gpu| gpu.devices).collect();
        Self { shares, rank_of_share, counts, count_milli: several_milli_of(members) }
    }

    fn width(&self) -> usize {
        1 + self.shares.len() + self.counts.len()
    }

    fn position(&self, gpu: GpuRequest) -> usize {
        match gpu.devices {
            0 => 0,
            1 => 1 + self.shares.partition_point(|share| *share < gpu.milli),
            _ => 1 + self.shares.len() + self.counts.partition_point(|count| *count < gpu.devices),
        }
    }
}

fn several_milli_of(members: &[(Shape, u64)]) -> u16 {
    members.first().map_or(WHOLE_MILLI, |(shape, _)| several_milli(shape))
}
