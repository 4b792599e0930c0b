//! A pod on every node: of DaemonSets (`pkg/controller/daemon` of Kubernetes v1.35).

use std::collections::BTreeSet;

use super::cell::OwnerKind;
use super::pods::pod_of;
use super::{Expansion, controller};
use crate::kubernetes::node_selector::RequiredNodes;
use crate::kubernetes::tolerations::{
    NO_EXECUTE, NO_SCHEDULE, find_untolerated, forbids_scheduling,
};
use crate::kubernetes::{
    Affinity, DaemonSet, Node, NodeAffinity, NodeSelector, NodeSelectorRequirement,
    NodeSelectorTerm, PodSpec, Toleration,
};
use crate::workload::kubernetes::names::unique;

impl Expansion<'_> {
    /// A DaemonSet makes a pod for every node that takes it.
    pub(super) fn daemon_set(&mut self, one: &DaemonSet, nodes: &[Node]) {
        let (kind, meta, spec) = (OwnerKind::DaemonSet, &one.metadata, &one.spec);
        let selector = spec.selector.as_ref();
        if self.check(kind, meta, Some(0), selector, &spec.template).is_none() {
            return;
        }
        let mut template = spec.template.clone();
        tolerate_trouble(&mut template.spec);
        let willing: Vec<&Node> = nodes.iter().filter(|node| takes(node, &template.spec)).collect();
        let replicas = u32::try_from(willing.len()).unwrap_or(u32::MAX);
        let owner = self.new_owner(kind, meta, replicas, None);
        let (place, _) = self.owner(owner, |pod| {
            controller(&pod.metadata) == Some((kind.name(), &meta.namespace, &meta.name))
        });
        let served: BTreeSet<String> = self
            .cell
            .pods
            .iter()
            .filter(|one| one.owner == Some(place))
            .map(|one| target_node(&one.pod.spec))
            .collect();
        for node in willing.into_iter().filter(|node| !served.contains(&node.metadata.name)) {
            let names = self.names.entry(meta.namespace.clone()).or_default();
            let name = unique(&format!("{}-", meta.name), names);
            let mut pod = pod_of(kind, meta, &template, name);
            pin_to(&mut pod.spec, &node.metadata.name);
            self.add(pod, Some(place), true, kind.name());
        }
    }
}

/// Lets the pods of a DaemonSet put up with nodes in trouble.
fn tolerate_trouble(spec: &mut PodSpec) {
    let mut taints = vec![
        ("not-ready", NO_EXECUTE),
        ("unreachable", NO_EXECUTE),
        ("disk-pressure", NO_SCHEDULE),
        ("memory-pressure", NO_SCHEDULE),
        ("pid-pressure", NO_SCHEDULE),
        ("unschedulable", NO_SCHEDULE),
    ];
    if spec.host_network {
        taints.push(("network-unavailable", NO_SCHEDULE));
    }
    for (taint, effect) in taints {
        let toleration = Toleration {
            key: format!("node.kubernetes.io/{taint}"),
            operator: "Exists".to_owned(),
            effect: effect.to_owned(),
            ..Toleration::default()
        };
        let same =
            |other: &Toleration| other.key == toleration.key && other.effect == toleration.effect;
        spec.tolerations.retain(|other| !same(other));
        spec.tolerations.push(toleration);
    }
}

/// True if a DaemonSet with pods like `spec` wants one on `node`.
fn takes(node: &Node, spec: &PodSpec) -> bool {
    let Node { metadata, spec: node_spec, .. } = node;
    let named = spec.node_name.is_empty() || spec.node_name == metadata.name;
    let wanted = RequiredNodes::new(spec).matches(&metadata.labels, &metadata.name);
    let tolerated =
        find_untolerated(&node_spec.taints, &spec.tolerations, forbids_scheduling, false).is_none();
    named && wanted.unwrap_or(false) && tolerated
}

/// Lets a pod run on one node only. Its required affinity has been heeded already.
fn pin_to(spec: &mut PodSpec, node: &str) {
    let term = NodeSelectorTerm {
        match_fields: vec![NodeSelectorRequirement {
            key: "metadata.name".to_owned(),
            operator: "In".to_owned(),
            values: vec![node.to_owned()],
        }],
        ..NodeSelectorTerm::default()
    };
    let affinity = spec.affinity.get_or_insert_with(Affinity::default);
    let nodes = affinity.node_affinity.get_or_insert_with(NodeAffinity::default);
    nodes.required = Some(NodeSelector { node_selector_terms: vec![term] });
}

/// The node a pod is on or pinned to; nothing if it is neither.
fn target_node(spec: &PodSpec) -> String {
    if !spec.node_name.is_empty() {
        return spec.node_name.clone();
    }
    let affinity = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let terms = affinity.and_then(|nodes| nodes.required.as_ref());
    let fields = terms.into_iter().flat_map(|selector| &selector.node_selector_terms);
    let mut fields = fields.flat_map(|term| &term.match_fields);
    let name = fields.find(|field| field.key == "metadata.name" && field.operator == "In");
    name.and_then(|field| field.values.first()).cloned().unwrap_or_default()
}
