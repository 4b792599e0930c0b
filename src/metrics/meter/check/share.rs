//! What one pod or node adds to the books, read off the cell as it is.

use crate::cluster::{
    AllocRole, Cluster, DIMENSIONS, Dimension, NodeId, PodId, PodState, PoolId, Resources, Tier,
};
use crate::engine::SimTime;
use crate::metrics::meter::allocation::USED;

use super::ledger::{AllocPart, Ledger, Part, Quantity};

/// What is counted of a run.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub dimensions: Vec<Dimension>,
    pub usage_known: bool,
}

/// The share of one pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PodShare {
    tier: Tier,
    /// Pool of its node, where it is bound.
    pool: Option<PoolId>,
    running: bool,
    requests: Resources,
    /// An alloc instance, inside of one, or neither.
    alloc: AllocRole,
    usage_permille: [u16; USED.len()],
}

/// The share of one node that is in the cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeShare {
    pool: PoolId,
    up: bool,
    capacity: [i64; DIMENSIONS],
}

impl PodShare {
    /// The share of the pod in slot `id`; none where it has ended.
    pub(super) fn of(id: PodId, cluster: &Cluster) -> Option<Self> {
        let pod = cluster.pod(id);
        if pod.state == PodState::Ended {
            return None;
        }
        let class = cluster.classes().get(pod.class);
        Some(Self {
            tier: class.tier,
            pool: pod.node.is_some().then(|| cluster.nodes().pool(pod.node)),
            running: pod.state == PodState::Running,
            requests: class.requests,
            alloc: if pod.alloc.is_some() { AllocRole::Inside } else { class.alloc },
            usage_permille: pod.new.usage_permille,
        })
    }

    /// Adds it `times` (1 or −1) times to the books.
    pub(super) fn enter(&self, times: i128, scope: &Scope, ledger: &mut Ledger, now: SimTime) {
        ledger.add(Quantity::Live, times, now);
        ledger.add(Quantity::LiveOfTier(self.tier), times, now);
        let Some(pool) = self.pool else { return ledger.add(Quantity::Pending, times, now) };
        let cell = |part| Quantity::Cell(pool, self.tier, part);
        ledger.add(cell(Part::Bound), times, now);
        self.enter_allocs(times, scope, ledger, now);
        for (k, dimension) in scope.dimensions.iter().enumerate() {
            let of_node = self.alloc != AllocRole::Inside;
            let amount = times * i128::from(of_node) * i128::from(self.requests[*dimension]);
            ledger.add(cell(Part::Requested(k)), amount, now);
            ledger.add(Quantity::Total(k), amount, now);
        }
        if !self.running {
            return;
        }
        ledger.add(cell(Part::Running), times, now);
        let works = self.alloc != AllocRole::Instance;
        let cpu = i128::from(works) * i128::from(self.requests[Dimension::CPU]);
        ledger.add(cell(Part::WorkingCpu), times * cpu, now);
        if scope.usage_known {
            for (k, (dimension, permille)) in USED.iter().zip(self.usage_permille).enumerate() {
                let usage = i128::from(self.requests[*dimension]) * i128::from(permille);
                ledger.add(cell(Part::Usage(k)), times * usage, now);
            }
        }
    }
}

impl PodShare {
    /// Adds what it is to allocs.
    fn enter_allocs(&self, times: i128, scope: &Scope, ledger: &mut Ledger, now: SimTime) {
        let is_instance = self.alloc == AllocRole::Instance;
        if self.alloc == AllocRole::None {
            return;
        }
        let count = if is_instance { AllocPart::Instances } else { AllocPart::Inside };
        ledger.add(Quantity::Allocs(count), times, now);
        for (k, dimension) in scope.dimensions.iter().enumerate() {
            let part = if is_instance { AllocPart::Reserved(k) } else { AllocPart::Requested(k) };
            let amount = times * i128::from(self.requests[*dimension]);
            ledger.add(Quantity::Allocs(part), amount, now);
        }
        if is_instance || !self.running || !scope.usage_known {
            return;
        }
        for (k, (dimension, permille)) in USED.iter().zip(self.usage_permille).enumerate() {
            let usage = i128::from(self.requests[*dimension]) * i128::from(permille);
            ledger.add(Quantity::Allocs(AllocPart::Usage(k)), times * usage, now);
        }
    }
}

impl NodeShare {
    /// The share of `node`; none where it is not in the cell.
    pub(super) fn of(node: NodeId, cluster: &Cluster) -> Option<Self> {
        let nodes = cluster.nodes();
        let condition = nodes.condition(node);
        condition.present.then(|| Self {
            pool: nodes.pool(node),
            up: condition.is_up(),
            capacity: nodes.spec(node).allocatable.0,
        })
    }

    /// Adds it `times` (1 or −1) times to the books.
    pub(super) fn enter(&self, times: i128, scope: &Scope, ledger: &mut Ledger, now: SimTime) {
        ledger.add(Quantity::Present, times, now);
        ledger.add(Quantity::Up, times * i128::from(self.up), now);
        for (k, dimension) in scope.dimensions.iter().enumerate() {
            let amount = times * i128::from(self.capacity[usize::from(dimension.0)]);
            ledger.add(Quantity::Installed(self.pool, k), amount, now);
            ledger.add(Quantity::CapacityUp(self.pool, k), amount * i128::from(self.up), now);
        }
    }
}
