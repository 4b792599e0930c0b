//! Why no node takes a pod: each node's first reason, counted, said as kube-scheduler says it.

use std::collections::BTreeMap;
use std::fmt;

use super::{Placer, Reason, Strategy};
use crate::cluster::{Cluster, Dimension, NodeId, PodClass, ResourceNames};

/// Why one node does not take a pod. The first that holds, in this order, is what counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rejection {
    /// It is believed not to be ready.
    NotReady,
    /// It takes no new pods, by order, and the pod does not tolerate that.
    Cordoned,
    /// Its labels, taints or attributes do not satisfy the pod's constraints.
    Constraints,
    /// It has too little left of this resource, the first of those that lack.
    Insufficient(Dimension),
    /// Its GPUs have enough left together, but no single devices do.
    DevicesFragmented,
    /// It holds a pod of the same workload, which has to be kept apart.
    KeptApart,
    /// The policy does not want it.
    Policy(Reason),
}

/// How many nodes do not take a pod, by their first reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejections {
    /// Nodes that belong to the cell.
    pub nodes: usize,
    /// Nodes that take the pod.
    pub available: usize,
    /// Nodes per reason.
    pub counts: BTreeMap<Rejection, usize>,
    names: ResourceNames,
}

impl Placer {
    /// Why nodes do not take a pod of `class`; `names` says what resources are called. It looks
    /// at every node, so it is for explanations, not for decisions.
    pub fn rejections(
        &self,
        cluster: &Cluster,
        class: &PodClass,
        names: &ResourceNames,
    ) -> Rejections {
        Rejections::count(cluster, names, |node| self.rejection(cluster, class, node))
    }

    /// Why `node` does not take a pod of `class`, if it does not.
    pub fn rejection(
        &self,
        cluster: &Cluster,
        class: &PodClass,
        node: NodeId,
    ) -> Option<Rejection> {
        rejection(cluster, class, node).or_else(|| match &self.strategy() {
            Strategy::Scored(policy) => {
                policy.feasible(class, cluster.node_view(node)).err().map(Rejection::Policy)
            }
            Strategy::FirstFit | Strategy::RoundRobin | Strategy::Random => None,
        })
    }
}

/// Why `node` does not admit a pod of `class`, whatever the policy, if it does not.
pub fn rejection(cluster: &Cluster, class: &PodClass, node: NodeId) -> Option<Rejection> {
    let nodes = cluster.nodes();
    let condition = nodes.condition(node);
    if !nodes.is_open(node) {
        return Some(Rejection::NotReady);
    }
    if !nodes.is_eligible(class.constraints, node) {
        let constraints = nodes.constraints(class.constraints);
        let held =
            condition.cordoned && crate::cluster::satisfies(constraints, nodes.spec(node), false);
        return Some(if held { Rejection::Cordoned } else { Rejection::Constraints });
    }
    let demand = nodes.demand(class, nodes.group(node));
    if let Some(dimension) = demand.first_lacking(nodes.free(node)) {
        return Some(Rejection::Insufficient(dimension));
    }
    if !nodes.devices(node).fits(class.gpu) {
        return Some(Rejection::DevicesFragmented);
    }
    cluster.is_kept_apart(class, node).then_some(Rejection::KeptApart)
}

impl Rejection {
    /// The words for it, as kube-scheduler has them; `names` says what resources are called.
    pub fn phrase(&self, names: &ResourceNames) -> String {
        match self {
            Self::NotReady => "node(s) were not ready".to_owned(),
            Self::Cordoned => "node(s) were unschedulable".to_owned(),
            Self::Constraints => "node(s) didn't match the pod's constraints".to_owned(),
            Self::Insufficient(Dimension::PODS) => "Too many pods".to_owned(),
            Self::Insufficient(dimension) => format!("Insufficient {}", names.name(*dimension)),
            Self::DevicesFragmented => "node(s) had GPUs too fragmented".to_owned(),
            Self::KeptApart => "node(s) already held a pod of the workload".to_owned(),
            Self::Policy(reason) => reason.0.clone().into_owned(),
        }
    }
}

impl Rejections {
    /// Counts what `of` says of each node of the cell.
    pub fn count(
        cluster: &Cluster,
        names: &ResourceNames,
        of: impl Fn(NodeId) -> Option<Rejection>,
    ) -> Self {
        let present = cluster.nodes().ids().filter(|id| cluster.nodes().condition(*id).present);
        let mut counted = Self::none(names);
        present.for_each(|node| counted.add(of(node)));
        counted
    }

    /// Counts `rejected` nodes beside `available` ones.
    pub fn counted(
        rejected: &[(NodeId, Rejection)],
        available: usize,
        names: &ResourceNames,
    ) -> Self {
        let mut counted = Self { nodes: available, available, ..Self::none(names) };
        rejected.iter().for_each(|(_, reason)| counted.add(Some(reason.clone())));
        counted
    }

    fn none(names: &ResourceNames) -> Self {
        Self { nodes: 0, available: 0, counts: BTreeMap::new(), names: names.clone() }
    }

    fn add(&mut self, reason: Option<Rejection>) {
        self.nodes += 1;
        match reason {
            Some(reason) => *self.counts.entry(reason).or_insert(0) += 1,
            None => self.available += 1,
        }
    }
}

impl fmt::Display for Rejections {
    /// One line in the form of kube-scheduler's `FitError`: the parts are sorted as text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |(reason, count): (&Rejection, &usize)| {
            format!("{count} {}", reason.phrase(&self.names))
        };
        let mut parts: Vec<String> = self.counts.iter().map(part).collect();
        parts.sort_unstable();
        write!(f, "{}/{} nodes are available", self.available, self.nodes)?;
        if !parts.is_empty() {
            write!(f, ": {}", parts.join(", "))?;
        }
        f.write_str(".")
    }
}
