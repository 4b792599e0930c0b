//! The auditor's own books: every quantity that the meter integrates, with its area added up from
//! step to step. (The meter keeps a moment instead and never looks back at the last step.)

use std::fmt;

use crate::cluster::{DIMENSIONS, PoolId, Tier, WorkloadId};
use crate::engine::SimTime;
use crate::metrics::meter::allocation::USED;

/// Figures of the pods of one tier in one pool.
const PER_CELL: usize = 3 + USED.len() + DIMENSIONS;
/// Figures of one pool.
const PER_POOL: usize = Tier::COUNT * PER_CELL + 2 * DIMENSIONS;
/// Figures of no pool.
const GENERAL: usize = 4 + Tier::COUNT + DIMENSIONS + PER_ALLOCS;
/// Figures of allocs.
const PER_ALLOCS: usize = 2 + USED.len() + 2 * DIMENSIONS;

/// Figures of pods of one tier on nodes of one pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Bound,
    Running,
    WorkingCpu,
    /// Usage, by position in [`USED`].
    Usage(usize),
    /// Requests, by position of the resource.
    Requested(usize),
}

/// Figures of all allocs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AllocPart {
    Instances,
    Inside,
    /// Usage of the pods inside, by position in [`USED`].
    Usage(usize),
    /// By position of the resource.
    Reserved(usize),
    /// By position of the resource.
    Requested(usize),
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Quantity {
    Pending,
    Live,
    Present,
    Up,
    LiveOfTier(Tier),
    /// Requests of all bound pods, by position of the resource.
    Total(usize),
    Allocs(AllocPart),
    Cell(PoolId, Tier, Part),
    /// Capacity of a pool, by position of the resource.
    Installed(PoolId, usize),
    CapacityUp(PoolId, usize),
    Ready(WorkloadId),
    Wanted(WorkloadId),
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending => f.write_str("pending pods"),
            Self::Live => f.write_str("pods in the cell"),
            Self::Present => f.write_str("nodes in the cell"),
            Self::Up => f.write_str("nodes up"),
            Self::LiveOfTier(tier) => write!(f, "pods of tier {}", tier.name()),
            Self::Total(k) => write!(f, "requests of resource {k} in all"),
            Self::Allocs(part) => match part {
                AllocPart::Instances => f.write_str("bound alloc instances"),
                AllocPart::Inside => f.write_str("pods inside of allocs"),
                AllocPart::Usage(k) => write!(f, "usage of resource {k} inside of allocs"),
                AllocPart::Reserved(k) => write!(f, "resource {k} reserved by allocs"),
                AllocPart::Requested(k) => write!(f, "requests of resource {k} inside of allocs"),
            },
            Self::Cell(pool, tier, part) => {
                match part {
                    Part::Bound => f.write_str("bound pods")?,
                    Part::Running => f.write_str("running pods")?,
                    Part::WorkingCpu => f.write_str("working cpu")?,
                    Part::Usage(k) => write!(f, "usage of resource {k}")?,
                    Part::Requested(k) => write!(f, "requests of resource {k}")?,
                }
                write!(f, " of tier {} in pool {}", tier.name(), pool.0)
            }
            Self::Installed(pool, k) => {
                write!(f, "installed capacity of resource {k} in pool {}", pool.0)
            }
            Self::CapacityUp(pool, k) => {
                write!(f, "capacity up of resource {k} in pool {}", pool.0)
            }
            Self::Ready(workload) => write!(f, "ready pods of workload {}", workload.0),
            Self::Wanted(workload) => write!(f, "wanted pods of workload {}", workload.0),
        }
    }
}

/// A value and the area below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    pub value: i128,
    area: i128,
    since: SimTime,
}

impl Step {
    fn add(&mut self, delta: i128, now: SimTime) {
        self.area = self.until(now);
        self.since = now;
        self.value += delta;
    }

    /// The area until `now`.
    pub(super) fn until(&self, now: SimTime) -> i128 {
        self.area + self.value * i128::from(now.since(self.since).0)
    }

    fn restart(&mut self, now: SimTime) {
        (self.area, self.since) = (0, now);
    }
}

/// All quantities, and which of them changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    steps: Vec<Step>,
    /// Ready and wanted, by workload.
    workloads: Vec<[Step; 2]>,
    /// Where the integrals begin: zero, or the end of the warm-up.
    start: SimTime,
    changed: Vec<Quantity>,
    follows_changes: bool,
}

fn general(quantity: Quantity) -> usize {
    match quantity {
        Quantity::Pending => 0,
        Quantity::Live => 1,
        Quantity::Present => 2,
        Quantity::Up => 3,
        Quantity::LiveOfTier(tier) => 4 + tier as usize,
        Quantity::Total(k) => 4 + Tier::COUNT + k,
        Quantity::Allocs(part) => {
            let part = match part {
                AllocPart::Instances => 0,
                AllocPart::Inside => 1,
                AllocPart::Usage(k) => 2 + k,
                AllocPart::Reserved(k) => 2 + USED.len() + k,
                AllocPart::Requested(k) => 2 + USED.len() + DIMENSIONS + k,
            };
            4 + Tier::COUNT + DIMENSIONS + part
        }
        Quantity::Cell(pool, tier, part) => {
            let part = match part {
                Part::Bound => 0,
                Part::Running => 1,
                Part::WorkingCpu => 2,
                Part::Usage(k) => 3 + k,
                Part::Requested(k) => 3 + USED.len() + k,
            };
            GENERAL + pool.index() * PER_POOL + tier as usize * PER_CELL + part
        }
        Quantity::Installed(pool, k) => {
            GENERAL + pool.index() * PER_POOL + Tier::COUNT * PER_CELL + k
        }
        Quantity::CapacityUp(pool, k) => {
            GENERAL + pool.index() * PER_POOL + Tier::COUNT * PER_CELL + DIMENSIONS + k
        }
        Quantity::Ready(_) | Quantity::Wanted(_) => unreachable!("workloads have their own table"),
    }
}

impl Ledger {
    /// Empty books that remember what changed.
    pub(super) fn following() -> Self {
        Self { follows_changes: true, ..Self::default() }
    }

    fn step_mut(&mut self, quantity: Quantity) -> &mut Step {
        let vacant = Step { since: self.start, ..Step::default() };
        if let Quantity::Ready(id) | Quantity::Wanted(id) = quantity {
            if self.workloads.len() <= id.index() {
                self.workloads.resize(id.index() + 1, [vacant; 2]);
            }
            let which = usize::from(matches!(quantity, Quantity::Wanted(_)));
            return &mut self.workloads[id.index()][which];
        }
        let index = general(quantity);
        if self.steps.len() <= index {
            self.steps.resize(index + 1, vacant);
        }
        &mut self.steps[index]
    }

    /// `quantity` changes by `delta` at `now`.
    pub(super) fn add(&mut self, quantity: Quantity, delta: i128, now: SimTime) {
        if delta != 0 {
            self.step_mut(quantity).add(delta, now);
            if self.follows_changes {
                self.changed.push(quantity);
            }
        }
    }

    /// `quantity` is `value` from `now` on.
    pub(super) fn set(&mut self, quantity: Quantity, value: i128, now: SimTime) {
        let before = self.step(quantity).value;
        self.add(quantity, value - before, now);
    }

    /// What is known of `quantity`.
    pub(super) fn step(&self, quantity: Quantity) -> Step {
        let known = match quantity {
            Quantity::Ready(id) => self.workloads.get(id.index()).map(|pair| pair[0]),
            Quantity::Wanted(id) => self.workloads.get(id.index()).map(|pair| pair[1]),
            _ => self.steps.get(general(quantity)).copied(),
        };
        known.unwrap_or(Step { since: self.start, ..Step::default() })
    }

    /// Quantities that changed since the last call, each once.
    pub(super) fn take_changed(&mut self) -> Vec<Quantity> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        changed
    }

    /// Integrals begin at `start`.
    pub(super) fn restart(&mut self, start: SimTime) {
        self.start = start;
        let all = self.steps.iter_mut().chain(self.workloads.iter_mut().flatten());
        all.for_each(|step| step.restart(start));
    }
}
