//! How long single nodes were up and down, and how often they failed.

use crate::cluster::{Cluster, NodeId};
use crate::engine::{SimDuration, SimTime};
use crate::metrics::durations::Durations;
use crate::metrics::integral::{ratio, seconds};
use crate::metrics::reliability::{NodeReliability, ReliabilitySummary, WORST_NODES};

use super::nodes::Nodes;

/// What a node did in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spell {
    pub(super) failures: u64,
    pub(super) repairs: u64,
    pub(super) repair_us: u64,
    up_us: u64,
    down_us: u64,
    /// Until when time was counted.
    counted_to: SimTime,
}

impl Spell {
    /// The node was in the cell, and `up`, until `now`; `None`: it was not in the cell.
    pub(super) fn count(&mut self, up: Option<bool>, now: SimTime) {
        let passed = now.since(self.counted_to).0;
        match up {
            Some(true) => self.up_us += passed,
            Some(false) => self.down_us += passed,
            None => {}
        }
        self.counted_to = now;
    }

    /// The window begins.
    pub(super) fn restart(&mut self, now: SimTime) {
        *self = Self { counted_to: now, ..Self::default() };
    }

    fn reliability(&self, node: NodeId, cluster: &Cluster) -> NodeReliability {
        let spec = cluster.nodes().spec(node);
        let (up_us, down_us) = (i128::from(self.up_us), i128::from(self.down_us));
        let mttf_s = ratio(up_us, self.failures.into()).map(|us| us / 1e6);
        let mttr_s = ratio(self.repair_us.into(), self.repairs.into()).map(|us| us / 1e6);
        NodeReliability {
            node: spec.name.clone(),
            pool: spec.pool.clone(),
            failures: self.failures,
            repairs: self.repairs,
            up_s: seconds(up_us),
            down_s: seconds(down_us),
            availability: ratio(up_us, up_us + down_us),
            mttf_s,
            mttr_s,
            mtbf_s: mttf_s.zip(mttr_s).map(|(up, down)| up + down),
        }
    }

    /// Mean times to failure and to repair, where there was one.
    fn means(&self) -> (Option<SimDuration>, Option<SimDuration>) {
        let mean = |sum: u64, count| (count > 0).then(|| SimDuration(sum / count));
        (mean(self.up_us, self.failures), mean(self.repair_us, self.repairs))
    }
}

impl Nodes {
    /// What is reported at `end` of single nodes.
    pub(super) fn reliability(&self, end: SimTime, cluster: &Cluster) -> ReliabilitySummary {
        let mut failed: Vec<(NodeId, Spell)> = Vec::new();
        let [mut mttf, mut mttr, mut mtbf] = [(); 3].map(|()| Durations::default());
        for (i, track) in self.tracks.iter().enumerate() {
            let mut spell = track.spell;
            spell.count(track.present.then_some(track.up), end);
            if spell.failures == 0 {
                continue;
            }
            let (up, down) = spell.means();
            up.iter().for_each(|time| mttf.record(*time));
            down.iter().for_each(|time| mttr.record(*time));
            up.zip(down).iter().for_each(|(up, down)| mtbf.record(SimDuration(up.0 + down.0)));
            failed.push((NodeId::from_index(i), spell));
        }
        let listed = |(node, spell): &(NodeId, Spell)| spell.reliability(*node, cluster);
        let nodes = failed.iter().map(listed).collect();
        let failures_max = failed.iter().map(|(_, spell)| spell.failures).max().unwrap_or(0);
        let nodes_failed = failed.len() as u64;
        failed.sort_by_key(|(node, spell)| (std::cmp::Reverse(spell.failures), spell.up_us, *node));
        ReliabilitySummary {
            nodes_failed,
            failures_max,
            mttf: mttf.summary(),
            mttr: mttr.summary(),
            mtbf: mtbf.summary(),
            worst: failed.iter().take(WORST_NODES).map(listed).collect(),
            nodes,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::cluster::{Cluster, EvictionCause, NodeId, Pod};
    use crate::engine::SimDuration;
    use crate::metrics::meter::stage::{Stage, config};

    fn never(_: &Cluster, _: &Pod) -> Option<SimDuration> {
        None
    }

    #[test]
    fn time_of_a_node_counts_in_the_window_and_while_it_is_in_the_cell() {
        let (a, b) = (NodeId(0), NodeId(1));
        let mut stage = Stage::with_nodes(config(100, false));
        stage.at(50, |c| c.begin_node_fault(a, &never));
        stage.at(80, |c| _ = c.end_node_fault(a, &never));
        stage.at(90, |c| c.begin_node_fault(b, &never));
        stage.at(130, |c| _ = c.end_node_fault(b, &never));
        stage.at(140, |c| c.begin_node_fault(b, &never));
        stage.at(160, |c| _ = c.end_node_fault(b, &never));
        stage.at(170, |c| c.remove_node(b, EvictionCause::MachineShutdown, &never));
        stage.at(180, |c| {
            let spec = c.nodes().spec(b).clone();
            c.return_node(b, spec);
        });
        stage.at(195, |c| c.begin_node_fault(b, &never));
        let nodes = stage.finish(200).reliability.nodes;
        assert_eq!(nodes.len(), 1, "the failure of a was over before the window");
        let node = &nodes[0];
        assert_eq!((node.node.as_str(), node.failures, node.repairs), ("b", 2, 2));
        // Down 100 to 130, 140 to 160, 195 to 200; gone 170 to 180; the first repair took 40 s.
        assert_eq!((node.up_s, node.down_s), (35.0, 55.0));
        assert_eq!((node.mttf_s, node.mttr_s), (Some(17.5), Some(30.0)));
        assert_eq!(node.mtbf_s, Some(47.5));
    }
}
