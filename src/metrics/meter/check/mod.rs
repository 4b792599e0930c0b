//! The meter's own auditor. It reads what an event touched off the cell as it is (not from the
//! facts, as the meter does), keeps books of its own, and holds the meter's values and integrals
//! against them. Now and then it counts the whole cell anew.

mod ledger;
mod rooms;
mod share;
#[cfg(test)]
mod tests;

use crate::cluster::{Cluster, NodeId, PodId, PoolId, Tier, Touched, WorkloadId};
use crate::engine::SimTime;
use crate::metrics::integral::Integral;

use super::Meter;
use super::allocation::USED;
use super::declared::NOT_DECLARED;
use ledger::{AllocPart, Ledger, Part, Quantity};
use share::{NodeShare, PodShare, Scope};

/// A value of the meter that a recount from the cluster does not confirm.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the meter counts {counted} for {what}, a recount gives {recounted}")]
pub struct Disagreement {
    what: String,
    counted: i128,
    recounted: i128,
}

/// Follows a [`Meter`] and audits it. It has to be shown every event from the first one on.
#[derive(Clone, Debug)]
pub struct MeterAuditor {
    scope: Scope,
    warmup: SimTime,
    is_warm: bool,
    ledger: Ledger,
    /// What each pod and node adds to the books now.
    pods: Vec<Option<PodShare>>,
    nodes: Vec<Option<NodeShare>>,
}

impl Meter {
    /// Compares the present values of everything that is integrated with a recount. Call it after
    /// the facts of an event were observed; it takes time in proportion to nodes and pods.
    ///
    /// # Errors
    /// The first value that is wrong.
    pub fn check(&self, cluster: &Cluster) -> Result<(), Disagreement> {
        let books = MeterAuditor::recounted(self, cluster);
        books
            .quantities(cluster)
            .into_iter()
            .try_for_each(|quantity| books.compare_value(quantity, self).map(|_integral_too| ()))?;
        self.check_rooms(cluster)
    }

    /// The present value of `quantity`, and its integral where there is one.
    fn figure(&self, quantity: Quantity) -> (i128, Option<Integral>) {
        let integrated = |integral: &Integral| (integral.value(), Some(*integral));
        let absent = (0, None);
        match quantity {
            Quantity::Pending => (self.population.pending_now.into(), None),
            Quantity::Live => (self.population.live_now.into(), None),
            Quantity::Present => integrated(&self.nodes.present),
            Quantity::Up => integrated(&self.nodes.up),
            Quantity::LiveOfTier(tier) => integrated(&self.population.live[tier as usize]),
            Quantity::Total(k) => (self.allocation.total()[k], None),
            Quantity::Allocs(part) => integrated(match part {
                AllocPart::Instances => &self.allocs.instances,
                AllocPart::Inside => &self.allocs.inside,
                AllocPart::Usage(k) => &self.allocs.usage[k],
                AllocPart::Reserved(k) => &self.allocs.reserved[k],
                AllocPart::Requested(k) => &self.allocs.requested[k],
            }),
            Quantity::Cell(pool, tier, part) => {
                let Some(cell) = self.allocation.cell_of(pool, tier) else { return absent };
                integrated(match part {
                    Part::Bound => &cell.bound,
                    Part::Running => &cell.running,
                    Part::WorkingCpu => &cell.working_cpu,
                    Part::Usage(k) => &cell.usage[k],
                    Part::Requested(k) => &cell.requested[k],
                })
            }
            Quantity::Installed(pool, k) | Quantity::CapacityUp(pool, k) => {
                let Some(capacity) = self.capacity.pools().get(pool.index()) else { return absent };
                let is_up = matches!(quantity, Quantity::CapacityUp(..));
                integrated(if is_up { &capacity.up[k] } else { &capacity.installed[k] })
            }
            Quantity::Ready(id) | Quantity::Wanted(id) => {
                let position = self.declared.position(id);
                if position == NOT_DECLARED {
                    return absent;
                }
                let track = &self.declared.tracks[position as usize];
                let is_wanted = matches!(quantity, Quantity::Wanted(_));
                integrated(if is_wanted { &track.wanted } else { &track.ready })
            }
        }
    }
}

impl MeterAuditor {
    /// An auditor of `meter`, before its first fact.
    pub fn new(meter: &Meter) -> Self {
        let dimensions = meter.config.dimensions().collect();
        Self {
            scope: Scope { dimensions, usage_known: meter.config.usage_known },
            warmup: meter.config.warmup,
            is_warm: meter.config.warmup == SimTime::ZERO,
            ledger: Ledger::following(),
            pods: Vec::new(),
            nodes: Vec::new(),
        }
    }

    /// Audits what `meter` made of an event that touched `touched`.
    ///
    /// # Errors
    /// The first value or integral that is wrong.
    pub fn audit(
        &mut self,
        meter: &Meter,
        touched: &Touched,
        cluster: &Cluster,
    ) -> Result<(), Disagreement> {
        self.follow_window(meter, cluster)?;
        let now = cluster.now();
        touched.nodes.iter().for_each(|node| self.enter_node(*node, cluster, now));
        touched.pods.iter().for_each(|pod| self.enter_pod(*pod, cluster, now));
        touched.workloads.iter().for_each(|id| self.enter_workload(*id, cluster, now));
        let changed = self.ledger.take_changed();
        changed.into_iter().try_for_each(|quantity| self.compare(quantity, meter, now))?;
        if touched.everything { self.audit_all(meter, cluster) } else { Ok(()) }
    }

    /// Counts the cell anew and holds both the books and the meter against it.
    fn audit_all(&self, meter: &Meter, cluster: &Cluster) -> Result<(), Disagreement> {
        let recounted = Self::recounted(meter, cluster);
        for quantity in self.quantities(cluster) {
            let (counted, anew) =
                (self.ledger.step(quantity).value, recounted.ledger.step(quantity).value);
            disagree_unless(counted == anew, quantity, "the auditor's own ", counted, anew)?;
            self.compare(quantity, meter, cluster.now())?;
        }
        meter.check_rooms(cluster)
    }

    /// The window opens with the first fact at the end of the warm-up or after it.
    fn follow_window(&mut self, meter: &Meter, cluster: &Cluster) -> Result<(), Disagreement> {
        let due = cluster.now() >= self.warmup;
        let late = due && !meter.is_warm && !cluster.facts().is_empty();
        if late || (meter.is_warm && !due) {
            let (counted, recounted) = (i128::from(meter.is_warm), i128::from(due));
            let what = "windows open".to_owned();
            return Err(Disagreement { what, counted, recounted });
        }
        if meter.is_warm && !self.is_warm {
            self.is_warm = true;
            self.ledger.restart(self.warmup);
        }
        Ok(())
    }

    fn recounted(meter: &Meter, cluster: &Cluster) -> Self {
        let (mut books, now) = (Self::new(meter), cluster.now());
        books.ledger = Ledger::default();
        cluster.nodes().ids().for_each(|node| books.enter_node(node, cluster, now));
        cluster.pods().iter().for_each(|(pod, _)| books.enter_pod(pod, cluster, now));
        for (id, _) in cluster.workloads().declared() {
            books.enter_workload(id, cluster, now);
        }
        books
    }

    fn enter_pod(&mut self, id: PodId, cluster: &Cluster, now: SimTime) {
        let after = PodShare::of(id, cluster);
        let before = replace(&mut self.pods, id.index(), after);
        if before != after {
            before.iter().for_each(|share| share.enter(-1, &self.scope, &mut self.ledger, now));
            after.iter().for_each(|share| share.enter(1, &self.scope, &mut self.ledger, now));
        }
    }

    fn enter_node(&mut self, node: NodeId, cluster: &Cluster, now: SimTime) {
        let after = NodeShare::of(node, cluster);
        let before = replace(&mut self.nodes, node.index(), after);
        if before != after {
            before.iter().for_each(|share| share.enter(-1, &self.scope, &mut self.ledger, now));
            after.iter().for_each(|share| share.enter(1, &self.scope, &mut self.ledger, now));
        }
    }

    fn enter_workload(&mut self, id: WorkloadId, cluster: &Cluster, now: SimTime) {
        let workload = cluster.workloads().get(id);
        if workload.is_declared() {
            self.ledger.set(Quantity::Ready(id), workload.ready.into(), now);
            self.ledger.set(Quantity::Wanted(id), workload.wanted.into(), now);
        }
    }

    fn compare(&self, quantity: Quantity, meter: &Meter, now: SimTime) -> Result<(), Disagreement> {
        let Some(integral) = self.compare_value(quantity, meter)? else { return Ok(()) };
        let (counted, recounted) = (integral.until(now), self.ledger.step(quantity).until(now));
        disagree_unless(counted == recounted, quantity, "the integral of ", counted, recounted)
    }

    /// Compares the present value; returns the integral, if there is one.
    fn compare_value(
        &self,
        quantity: Quantity,
        meter: &Meter,
    ) -> Result<Option<Integral>, Disagreement> {
        let (counted, integral) = meter.figure(quantity);
        let recounted = self.ledger.step(quantity).value;
        disagree_unless(counted == recounted, quantity, "", counted, recounted)?;
        Ok(integral)
    }

    /// All quantities of `cluster`.
    fn quantities(&self, cluster: &Cluster) -> Vec<Quantity> {
        let mut all = vec![Quantity::Pending, Quantity::Live, Quantity::Present, Quantity::Up];
        let resources = || 0..self.scope.dimensions.len();
        all.extend(Tier::ALL.map(Quantity::LiveOfTier));
        all.extend(resources().map(Quantity::Total));
        let of_allocs = [AllocPart::Instances, AllocPart::Inside].into_iter();
        let of_allocs = of_allocs.chain((0..USED.len()).map(AllocPart::Usage));
        let of_allocs = of_allocs.chain(resources().map(AllocPart::Reserved));
        let of_allocs = of_allocs.chain(resources().map(AllocPart::Requested));
        all.extend(of_allocs.map(Quantity::Allocs));
        for pool in (0..cluster.nodes().pools().len()).map(PoolId::from_index) {
            all.extend(resources().map(|k| Quantity::Installed(pool, k)));
            all.extend(resources().map(|k| Quantity::CapacityUp(pool, k)));
            for tier in Tier::ALL {
                let parts = [Part::Bound, Part::Running, Part::WorkingCpu].into_iter();
                let parts = parts.chain((0..USED.len()).map(Part::Usage));
                let parts = parts.chain(resources().map(Part::Requested));
                all.extend(parts.map(|part| Quantity::Cell(pool, tier, part)));
            }
        }
        for (id, _) in cluster.workloads().declared() {
            all.extend([Quantity::Ready(id), Quantity::Wanted(id)]);
        }
        all
    }
}

fn replace<T: Clone>(table: &mut Vec<Option<T>>, index: usize, value: Option<T>) -> Option<T> {
    if table.len() <= index {
        table.resize(index + 1, None);
    }
    std::mem::replace(&mut table[index], value)
}

fn disagree_unless(
    same: bool,
    quantity: Quantity,
    of: &str,
    counted: i128,
    recounted: i128,
) -> Result<(), Disagreement> {
    if same {
        return Ok(());
    }
    Err(Disagreement { what: format!("{of}{quantity}"), counted, recounted })
}
