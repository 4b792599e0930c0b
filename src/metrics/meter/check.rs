//! The meter's own auditor: recounts from the cluster what the meter believes at this moment.

use std::collections::BTreeMap;

use crate::cluster::{Cluster, Dimension, NodeId, PodState, PoolId, Tier};
use crate::workload::target::{Shape, usable_part};

use super::Meter;
use super::allocation::USED;
use super::fragmentation::{PARTS_PER_UNIT, Room};

/// A value of the meter that a recount from the cluster does not confirm.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the meter counts {counted} for {what}, a recount gives {recounted}")]
pub struct Disagreement {
    what: String,
    counted: i128,
    recounted: i128,
}

/// Values by what they count, in a fixed order.
type Counts = BTreeMap<String, i128>;

impl Meter {
    /// Compares the present values of everything that is integrated with a recount. Call it after
    /// the facts of an event were observed; it takes time in proportion to nodes and pods.
    ///
    /// # Errors
    /// The first value that is wrong.
    pub fn check(&self, cluster: &Cluster) -> Result<(), Disagreement> {
        let mut counted = Counts::new();
        self.count_pods(&mut counted);
        self.count_nodes(&mut counted);
        let mut recounted = Counts::new();
        self.recount_pods(cluster, &mut recounted);
        self.recount_nodes(cluster, &mut recounted);
        self.compare_rooms(cluster, &mut counted, &mut recounted);
        counted.retain(|_, value| *value != 0);
        recounted.retain(|_, value| *value != 0);
        for what in counted.keys().chain(recounted.keys()) {
            let of = |counts: &Counts| counts.get(what).copied().unwrap_or(0);
            let (counted, recounted) = (of(&counted), of(&recounted));
            if counted != recounted {
                return Err(Disagreement { what: what.clone(), counted, recounted });
            }
        }
        Ok(())
    }

    fn count_pods(&self, counts: &mut Counts) {
        counts.insert("pending pods".to_owned(), self.population.pending_now.into());
        counts.insert("pods in the cell".to_owned(), self.population.live_now.into());
        for (tier, live) in Tier::ALL.iter().zip(&self.population.live) {
            counts.insert(format!("pods of tier {}", tier.name()), live.value());
        }
        for (pool, tier, cell) in self.allocation.cells() {
            let mut count = |what: &str, value| counts.insert(in_cell(what, pool, tier), value);
            count("bound pods", cell.bound.value());
            count("running pods", cell.running.value());
            count("working cpu", cell.working_cpu.value());
            for (k, usage) in USED.iter().zip(&cell.usage) {
                count(&format!("usage of dimension {}", k.0), usage.value());
            }
            for (dimension, requested) in self.config.dimensions().zip(&cell.requested) {
                count(&format!("requests of dimension {}", dimension.0), requested.value());
            }
        }
        for (dimension, total) in self.config.dimensions().zip(self.allocation.total()) {
            counts.insert(format!("requests of dimension {} in all", dimension.0), *total);
        }
        for track in &self.declared.tracks {
            counts.insert(format!("ready pods of {}", track.name), track.ready.value());
            counts.insert(format!("wanted pods of {}", track.name), track.wanted.value());
        }
    }

    fn count_nodes(&self, counts: &mut Counts) {
        counts.insert("nodes in the cell".to_owned(), self.nodes.present.value());
        counts.insert("nodes up".to_owned(), self.nodes.up.value());
        for (i, pool) in self.capacity.pools().iter().enumerate() {
            for (k, dimension) in self.config.dimensions().enumerate() {
                let what = |state| of_pool(state, dimension, PoolId::from_index(i));
                counts.insert(what("installed"), pool.installed[k].value());
                counts.insert(what("up"), pool.up[k].value());
            }
        }
    }

    fn recount_pods(&self, cluster: &Cluster, counts: &mut Counts) {
        for (_, pod) in cluster.pods().iter() {
            let class = cluster.classes().get(pod.class);
            let mut count = |what: String, value: i64| {
                *counts.entry(what).or_default() += i128::from(value);
            };
            count("pods in the cell".to_owned(), 1);
            count(format!("pods of tier {}", class.tier.name()), 1);
            if !pod.node.is_some() {
                count("pending pods".to_owned(), 1);
                continue;
            }
            let pool = cluster.nodes().pool(pod.node);
            let here = |what: &str| in_cell(what, pool, class.tier);
            count(here("bound pods"), 1);
            for dimension in self.config.dimensions() {
                let requested = class.requests[dimension];
                count(here(&format!("requests of dimension {}", dimension.0)), requested);
                count(format!("requests of dimension {} in all", dimension.0), requested);
            }
            if pod.state != PodState::Running {
                continue;
            }
            count(here("running pods"), 1);
            count(here("working cpu"), class.requests[Dimension::CPU]);
            if self.config.usage_known {
                for (dimension, permille) in USED.iter().zip(pod.new.usage_permille) {
                    let usage = class.requests[*dimension] * i64::from(permille);
                    count(here(&format!("usage of dimension {}", dimension.0)), usage);
                }
            }
        }
        for (_, workload) in cluster.workloads().declared() {
            let name = workload.name.as_deref().unwrap_or_default();
            counts.insert(format!("ready pods of {name}"), workload.ready.into());
            counts.insert(format!("wanted pods of {name}"), workload.wanted.into());
        }
    }

    /// What is free and what of it is usable: node by node, and whether the sums are those of the
    /// nodes. A node that changed in this instant is counted when the instant is over.
    fn compare_rooms(&self, cluster: &Cluster, counted: &mut Counts, recounted: &mut Counts) {
        let Some(target) = self.fragmentation.target() else { return };
        let shapes = target.shapes();
        for (i, dimension) in self.config.dimensions().enumerate() {
            let mut sums = Room::default();
            for node in cluster.nodes().ids() {
                let of_node = self.fragmentation.counted(node).get(i).copied().unwrap_or_default();
                sums.free += of_node.free;
                sums.usable += of_node.usable;
                if self.fragmentation.is_settled(node) {
                    let naive = naive_room(cluster, shapes, node, dimension);
                    let what = |kind| format!("{kind} of dimension {} on {}", dimension.0, node.0);
                    counted.insert(what("free amount"), of_node.free.into());
                    counted.insert(what("usable amount"), of_node.usable.into());
                    recounted.insert(what("free amount"), naive.free.into());
                    recounted.insert(what("usable amount"), naive.usable.into());
                }
            }
            let what = |kind| format!("{kind} of dimension {} in all", dimension.0);
            counted.insert(what("free amount"), self.fragmentation.free[i].value());
            counted.insert(what("usable amount"), self.fragmentation.usable[i].value());
            recounted.insert(what("free amount"), sums.free.into());
            recounted.insert(what("usable amount"), sums.usable.into());
        }
    }

    fn recount_nodes(&self, cluster: &Cluster, counts: &mut Counts) {
        let nodes = cluster.nodes();
        let present = |node: &NodeId| nodes.condition(*node).present;
        for node in nodes.ids().filter(present) {
            let up = nodes.condition(node).is_up();
            let mut count = |what: String, value: i64| {
                *counts.entry(what).or_default() += i128::from(value);
            };
            count("nodes in the cell".to_owned(), 1);
            count("nodes up".to_owned(), i64::from(up));
            for dimension in self.config.dimensions() {
                let amount = nodes.allocatable(node)[dimension];
                count(of_pool("installed", dimension, nodes.pool(node)), amount);
                if up {
                    count(of_pool("up", dimension, nodes.pool(node)), amount);
                }
            }
        }
    }
}

/// Room on `node` as [`super::fragmentation`] defines it, shape by shape.
fn naive_room(
    cluster: &Cluster,
    shapes: &[(Shape, u64)],
    node: NodeId,
    dimension: Dimension,
) -> Room {
    let nodes = cluster.nodes();
    if !nodes.condition(node).is_up() {
        return Room::default();
    }
    let fitting = shapes
        .iter()
        .filter(|(shape, _)| shape.requests[dimension] > 0 && cluster.admits(&shape.class(), node));
    let free_of = |amount: i64| amount.max(0) * PARTS_PER_UNIT;
    if dimension != Dimension::GPU {
        let free = free_of(nodes.free(node)[dimension]);
        let share: u64 = fitting.map(|(_, share)| share).sum();
        return Room { free, usable: usable_part(free, share) };
    }
    let mut room = Room::default();
    for milli in nodes.devices(node).free_milli() {
        let would_do = fitting.clone().filter(|(shape, _)| shape.gpu.milli <= *milli);
        let share: u64 = would_do.map(|(_, share)| share).sum();
        let free = free_of((*milli).into());
        room.free += free;
        room.usable += usable_part(free, share);
    }
    room
}

fn in_cell(what: &str, pool: PoolId, tier: Tier) -> String {
    format!("{what} of tier {} in pool {}", tier.name(), pool.0)
}

fn of_pool(state: &str, dimension: Dimension, pool: PoolId) -> String {
    format!("capacity {state} of dimension {} in pool {}", dimension.0, pool.0)
}
