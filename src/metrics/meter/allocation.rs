//! What pods reserve and use, by pool and tier: the only integrals on the path of every placement.

use crate::cluster::{AllocRole, DIMENSIONS, Dimension, NodeId, PodClass, PoolId, Tier};
use crate::engine::SimTime;
use crate::metrics::integral::Integral;

/// The dimensions whose usage is known where any is.
pub(super) const USED: [Dimension; 2] = [Dimension::CPU, Dimension::MEMORY];

/// Pods of one tier on nodes of one pool. Everything that is asked for a tier, a pool or the cell
/// is a sum of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// Pods bound.
    pub(super) bound: Integral,
    /// Pods running.
    pub(super) running: Integral,
    /// CPU requested by running pods, in millicores: work per µs.
    pub(super) working_cpu: Integral,
    /// Usage of running pods, in thousandths of the unit of the dimension.
    pub(super) usage: [Integral; USED.len()],
    /// Requests of bound pods, by position of the resource; those of pods inside of allocs are in
    /// those of the allocs.
    pub(super) requested: [Integral; DIMENSIONS],
    /// Placements in the window.
    pub(super) placements: u64,
}

/// Millicores that a running pod of `class` works with: a reservation does no work.
#[inline]
pub(super) fn working_cpu(class: &PodClass) -> i64 {
    if class.alloc == AllocRole::Instance { 0 } else { class.requests[Dimension::CPU] }
}

/// All cells, and where each node's are.
#[derive(Clone, Debug)]
pub(super) struct Allocation {
    dimensions: Vec<Dimension>,
    usage_known: bool,
    /// [`Tier::COUNT`] for each pool.
    cells: Vec<Cell>,
    /// Position of the first cell of each node's pool.
    first_cell: Vec<u32>,
    /// Present requests of all bound pods, by position of the resource.
    total: [i128; DIMENSIONS],
}

/// The change that a pod makes where it comes or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// It comes.
    Plus,
    /// It goes.
    Minus,
}

impl Sign {
    #[inline]
    pub(super) fn of(self, amount: i64) -> i64 {
        match self {
            Self::Plus => amount,
            Self::Minus => -amount,
        }
    }
}

impl Allocation {
    pub(super) fn new(dimensions: Vec<Dimension>, usage_known: bool) -> Self {
        Self {
            dimensions,
            usage_known,
            cells: Vec::new(),
            first_cell: Vec::new(),
            total: [0; DIMENSIONS],
        }
    }

    /// Pods on `node` are counted under `pool` from now on.
    pub(super) fn assign(&mut self, node: NodeId, pool: PoolId) {
        let first = pool.index() * Tier::COUNT;
        if self.cells.len() < first + Tier::COUNT {
            self.cells.resize_with(first + Tier::COUNT, Cell::default);
        }
        if self.first_cell.len() <= node.index() {
            self.first_cell.resize(node.index() + 1, 0);
        }
        self.first_cell[node.index()] = u32::try_from(first).expect("pools are few");
    }

    #[inline]
    fn cell(&mut self, node: NodeId, tier: Tier) -> &mut Cell {
        &mut self.cells[self.first_cell[node.index()] as usize + tier as usize]
    }

    /// A pod of `class` is bound to `node`, or no longer.
    #[inline]
    pub(super) fn bind(&mut self, sign: Sign, class: &PodClass, node: NodeId, now: SimTime) {
        let first = self.first_cell[node.index()] as usize;
        let cell = &mut self.cells[first + class.tier as usize];
        cell.bound.add(sign.of(1), now);
        if class.alloc == AllocRole::Inside {
            // The instance that it is in has asked for it.
            return;
        }
        let totals = cell.requested.iter_mut().zip(&mut self.total);
        for (dimension, (requested, total)) in self.dimensions.iter().zip(totals) {
            let amount = sign.of(class.requests[*dimension]);
            requested.add(amount, now);
            *total += i128::from(amount);
        }
    }

    /// Counts a placement in the window.
    #[inline]
    pub(super) fn count_placement(&mut self, class: &PodClass, node: NodeId) {
        self.cell(node, class.tier).placements += 1;
    }

    /// A pod of `class` that uses `usage_permille` of its requests runs on `node`, or no longer.
    /// A request times its permille has to fit into 63 bits: 128 TiB at the largest share.
    #[inline]
    pub(super) fn run(
        &mut self,
        sign: Sign,
        class: &PodClass,
        usage_permille: [u16; USED.len()],
        node: NodeId,
        now: SimTime,
    ) {
        let usage_known = self.usage_known;
        let cell = self.cell(node, class.tier);
        cell.running.add(sign.of(1), now);
        cell.working_cpu.add(sign.of(working_cpu(class)), now);
        if usage_known {
            for ((usage, permille), dimension) in
                cell.usage.iter_mut().zip(usage_permille).zip(USED)
            {
                usage.add(sign.of(class.requests[dimension] * i64::from(permille)), now);
            }
        }
    }

    /// Present requests of all bound pods, by position of the resource.
    #[inline]
    pub(super) fn total(&self) -> &[i128; DIMENSIONS] {
        &self.total
    }

    /// The cell of `tier` in `pool`, if any node was in it.
    pub(super) fn cell_of(&self, pool: PoolId, tier: Tier) -> Option<&Cell> {
        self.cells.get(pool.index() * Tier::COUNT + tier as usize)
    }

    /// The cells with their pool and tier.
    pub(super) fn cells(&self) -> impl Iterator<Item = (PoolId, Tier, &Cell)> {
        self.cells.iter().enumerate().map(|(i, cell)| {
            (PoolId::from_index(i / Tier::COUNT), Tier::ALL[i % Tier::COUNT], cell)
        })
    }

    /// The window begins: integrals and counts restart.
    pub(super) fn restart(&mut self, now: SimTime) {
        for cell in &mut self.cells {
            let requested = cell.requested.iter_mut().chain(&mut cell.usage);
            requested.for_each(|integral| integral.restart(now));
            cell.bound.restart(now);
            cell.running.restart(now);
            cell.working_cpu.restart(now);
            cell.placements = 0;
        }
    }
}
