//! What a child asks for, held against the cell.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::super::placement::rejection;
use super::super::scheduler::Decision;
use crate::cluster::{
    Cluster, EvictionCause, NodeId, Pod, PodClass, PodId, PodState, ResourceNames,
};
use crate::protocol::Mirror;

/// One thing that the child asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Asked {
    Bind(Bind),
    Preempt(Preempt),
    Evict(Evict),
    Reject(Reject),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bind {
    pod: u64,
    node: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preempt {
    pod: u64,
    node: u32,
    victims: Vec<u64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evict {
    pod: u64,
    cause: Option<EvictionCause>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    pod: u64,
}

impl Asked {
    /// The decision that it comes to.
    ///
    /// # Errors
    /// Why it cannot be carried out.
    pub fn check(
        &self,
        cluster: &Cluster,
        mirror: &Mirror,
        names: &ResourceNames,
    ) -> Result<Decision, String> {
        let known = Known { cluster, mirror };
        match self {
            Self::Bind(Bind { pod, node }) => {
                let (id, record) = known.pending(*pod)?;
                let node = known.node(*node)?;
                let class = cluster.classes().get(record.class);
                match rejection(cluster, class, node) {
                    None => Ok(Decision::Bind { pod: id, node, devices: None }),
                    Some(reason) => Err(known.does_not_fit(*pod, node, &reason.phrase(names))),
                }
            }
            Self::Preempt(asked) => known.preempt(asked, names),
            Self::Evict(Evict { pod, cause }) => {
                let (id, _) = known.bound(*pod)?;
                Ok(Decision::Evict { pod: id, cause: cause.unwrap_or(EvictionCause::Preemption) })
            }
            Self::Reject(Reject { pod }) => Ok(Decision::Reject { pod: known.pending(*pod)?.0 }),
        }
    }
}

/// The cell, and what the child knows of it.
struct Known<'a> {
    cluster: &'a Cluster,
    mirror: &'a Mirror,
}

impl<'a> Known<'a> {
    fn pod(&self, serial: u64) -> Result<(PodId, &'a Pod), String> {
        let found = self.mirror.pod(self.cluster, serial);
        found.ok_or_else(|| format!("there is no pod {serial}"))
    }

    fn pending(&self, serial: u64) -> Result<(PodId, &'a Pod), String> {
        let (id, pod) = self.pod(serial)?;
        if pod.state == PodState::Pending {
            return Ok((id, pod));
        }
        let node = &self.cluster.nodes().spec(pod.node).name;
        Err(format!("pod {serial} is not pending: it is bound to node {} ({node})", pod.node.0))
    }

    fn bound(&self, serial: u64) -> Result<(PodId, &'a Pod), String> {
        let (id, pod) = self.pod(serial)?;
        let bound = pod.state.is_bound();
        bound.then_some((id, pod)).ok_or_else(|| format!("pod {serial} is not bound to a node"))
    }

    fn node(&self, number: u32) -> Result<NodeId, String> {
        self.mirror.node(number).ok_or_else(|| format!("there is no node {number}"))
    }

    fn does_not_fit(&self, pod: u64, node: NodeId, why: &str) -> String {
        let name = &self.cluster.nodes().spec(node).name;
        format!("pod {pod} does not fit on node {} ({name}): {why}", node.0)
    }

    fn preempt(&self, asked: &Preempt, names: &ResourceNames) -> Result<Decision, String> {
        let (pod, record) = self.pending(asked.pod)?;
        let node = self.node(asked.node)?;
        let mut victims = Vec::new();
        for serial in &asked.victims {
            let (id, victim) = self.bound(*serial)?;
            if victim.node != node {
                return Err(format!("victim {serial} is not on node {}", node.0));
            }
            if victims.contains(&id) {
                return Err(format!("victim {serial} is named twice"));
            }
            victims.push(id);
        }
        let class = self.cluster.classes().get(record.class);
        match self.rejection_without(class, node, &victims, names) {
            None => Ok(Decision::Preempt { pod, node, victims }),
            Some(why) => Err(self.does_not_fit(asked.pod, node, &why)),
        }
    }

    /// Why `node` would not admit a pod of `class` even without `victims`.
    fn rejection_without(
        &self,
        class: &PodClass,
        node: NodeId,
        victims: &[PodId],
        names: &ResourceNames,
    ) -> Option<String> {
        let nodes = self.cluster.nodes();
        if !nodes.is_eligible(class.constraints, node) {
            return rejection(self.cluster, class, node).map(|reason| reason.phrase(names));
        }
        let (mut free, mut devices) = (*nodes.free(node), *nodes.devices(node));
        for victim in victims {
            let pod = self.cluster.pod(*victim);
            free += self.cluster.classes().get(pod.class).requests;
            devices.give(pod.devices);
        }
        if let Some(lacking) = nodes.demand(class, nodes.group(node)).first_lacking(&free) {
            return Some(format!("Insufficient {} even without the victims", names.name(lacking)));
        }
        if !devices.fits(class.gpu) {
            return Some("its GPUs are too fragmented even without the victims".to_owned());
        }
        let leaving: BTreeSet<PodId> = victims.iter().copied().collect();
        let mut staying = self.cluster.pods_on(node).filter(|(id, _)| !leaving.contains(id));
        let alike = |pod: &Pod| {
            class.apart_from.is_some()
                && self.cluster.classes().get(pod.class).apart_from == class.apart_from
        };
        let held = staying.any(|(_, pod)| alike(pod));
        held.then(|| "it holds a pod of the workload that stays".to_owned())
    }
}
