//! Recounts what is free on nodes and what of it is usable, shape by shape, as
//! [`fragmentation`](super::super::fragmentation) defines it.

use super::Disagreement;
use crate::cluster::{Cluster, Dimension, NodeId};
use crate::metrics::meter::Meter;
use crate::metrics::meter::fragmentation::{PARTS_PER_UNIT, Room};
use crate::workload::target::{Shape, usable_part};

impl Meter {
    /// Holds what was counted against a recount, node by node, and the sums against the nodes. A
    /// node that changed in this instant is counted when the instant is over.
    ///
    /// # Errors
    /// The first value that is wrong.
    pub(super) fn check_rooms(&self, cluster: &Cluster) -> Result<(), Disagreement> {
        let Some(target) = self.fragmentation.target() else { return Ok(()) };
        let unsettled = self.fragmentation.unsettled();
        for (i, dimension) in self.config.dimensions().enumerate() {
            let mut sums = Room::default();
            for node in cluster.nodes().ids() {
                let of_node = self.fragmentation.counted(node).get(i).copied().unwrap_or_default();
                sums.free += of_node.free;
                sums.usable += of_node.usable;
                if !unsettled.contains(&node) {
                    let naive = naive_room(cluster, target.shapes(), node, dimension);
                    let place = format!("of dimension {} on node {}", dimension.0, node.0);
                    compare(of_node, naive, &place)?;
                }
            }
            let counted = Room {
                free: self.fragmentation.free[i].value() as i64,
                usable: self.fragmentation.usable[i].value() as i64,
            };
            compare(counted, sums, &format!("of dimension {} in all", dimension.0))?;
        }
        Ok(())
    }
}

fn compare(counted: Room, recounted: Room, place: &str) -> Result<(), Disagreement> {
    let free = ("free amount", counted.free, recounted.free);
    let usable = ("usable amount", counted.usable, recounted.usable);
    [free, usable].into_iter().try_for_each(|(kind, counted, recounted)| {
        if counted == recounted {
            return Ok(());
        }
        let what = format!("the {kind} {place}");
        Err(Disagreement { what, counted: counted.into(), recounted: recounted.into() })
    })
}

/// Room of `dimension` on `node`, shape by shape.
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
