//! Nodes and pods of the cell as the Kubernetes objects that the kube-scheduler looks at. What came
//! as an object goes back as it was; the rest is described by an object that means the same.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::attributes;
use crate::cluster::{
    Cluster, Dimension, LabelExpression, NodeConstraints, NodeId, NodeSpec, PodClass,
    ResourceNames, Resources, SelectorOperator, TaintEffect, Toleration, TolerationOperator,
};
use crate::kubernetes::{
    self as api, Affinity, Container, Labels, Node, NodeAffinity, NodeSelector,
    NodeSelectorRequirement, NodeSelectorTerm, ObjectMeta, Pod, PodSpec, Quantity, ResourceList,
    ResourceRequirements,
};

/// What the control plane puts on nodes that it believes are gone (Kubernetes v1.35
/// `TaintNodeNotReady`).
const NOT_READY: &str = "node.kubernetes.io/not-ready";
/// Stands for the milli-GPUs of nodes and pods that are described without Kubernetes.
const GPU: &str = "cellsim/gpu-milli";
/// Before the names of extended resources that have no group of their own.
const GROUP: &str = "cellsim/";

/// A node as the control plane sees it now.
pub fn node(cluster: &Cluster, id: NodeId, names: &ResourceNames) -> Node {
    let spec = cluster.nodes().spec(id);
    let condition = cluster.nodes().condition(id);
    let mut node = match &spec.kubernetes {
        Some(object) => (**object).clone(),
        None => Node {
            metadata: ObjectMeta {
                name: spec.name.clone(),
                labels: all_labels(spec),
                ..ObjectMeta::default()
            },
            spec: api::NodeSpec {
                taints: spec.taints.iter().map(taint).collect(),
                ..api::NodeSpec::default()
            },
            ..Node::default()
        },
    };
    if spec.kubernetes.is_none() {
        node.status.allocatable = amounts(cluster.nodes().limit(id), names);
    }
    node.metadata.name.clone_from(&spec.name);
    node.spec.unschedulable |= condition.cordoned;
    if !condition.ready {
        let effect = "NoSchedule".to_owned();
        let key = NOT_READY.to_owned();
        node.spec.taints.push(api::Taint { key, effect, ..api::Taint::default() });
    }
    node
}

/// The labels of a node, and those that stand for its attributes.
fn all_labels(spec: &NodeSpec) -> Labels {
    let mut labels = attributes::labels(&spec.attributes);
    labels.extend(spec.labels.clone());
    labels
}

/// A pod of `class`, without a name.
pub fn pod(cluster: &Cluster, class: &PodClass, names: &ResourceNames) -> Pod {
    let template = cluster.template(class.template);
    if let Some(object) = &template.kubernetes {
        let mut pod = (**object).clone();
        pod.spec.priority.get_or_insert(class.priority);
        return pod;
    }
    let mut requests = amounts(&class.requests, names);
    requests.remove("pods");
    Pod {
        spec: PodSpec {
            containers: vec![Container {
                resources: ResourceRequirements { requests, ..ResourceRequirements::default() },
                ..Container::default()
            }],
            node_selector: template.constraints.node_selector.clone(),
            affinity: affinity(&template.constraints),
            tolerations: template.constraints.tolerations.iter().map(toleration).collect(),
            priority: Some(class.priority),
            ..PodSpec::default()
        },
        ..Pod::default()
    }
}

fn quantity(text: &str) -> Quantity {
    Quantity::from_str(text).expect("whole numbers are quantities")
}

fn amounts(resources: &Resources, names: &ResourceNames) -> ResourceList {
    let mut list = BTreeMap::new();
    for (dimension, name) in names.iter() {
        let amount = resources[dimension];
        let (name, amount) = match dimension {
            Dimension::CPU => ("cpu".to_owned(), format!("{amount}m")),
            Dimension::MEMORY => ("memory".to_owned(), amount.to_string()),
            Dimension::STORAGE => ("ephemeral-storage".to_owned(), amount.to_string()),
            Dimension::PODS => ("pods".to_owned(), amount.to_string()),
            Dimension::GPU => (GPU.to_owned(), amount.to_string()),
            _ if name.contains('/') => (name.to_owned(), amount.to_string()),
            _ => (format!("{GROUP}{name}"), amount.to_string()),
        };
        // A request of nothing is said: without one, a container counts as a small one.
        let always = matches!(dimension, Dimension::CPU | Dimension::MEMORY);
        if always || resources[dimension] != 0 {
            list.insert(name, quantity(&amount));
        }
    }
    list
}

fn effect(effect: TaintEffect) -> String {
    match effect {
        TaintEffect::NoSchedule => "NoSchedule",
        TaintEffect::PreferNoSchedule => "PreferNoSchedule",
        TaintEffect::NoExecute => "NoExecute",
    }
    .to_owned()
}

fn taint(taint: &crate::cluster::Taint) -> api::Taint {
    api::Taint {
        key: taint.key.clone(),
        value: taint.value.clone(),
        effect: effect(taint.effect),
        ..api::Taint::default()
    }
}

fn toleration(toleration: &Toleration) -> api::Toleration {
    api::Toleration {
        key: toleration.key.clone(),
        operator: match toleration.operator {
            TolerationOperator::Equal => "Equal",
            TolerationOperator::Exists => "Exists",
        }
        .to_owned(),
        value: toleration.value.clone(),
        effect: toleration.effect.map(effect).unwrap_or_default(),
        ..api::Toleration::default()
    }
}

fn affinity(constraints: &NodeConstraints) -> Option<Affinity> {
    if constraints.affinity.is_empty() && constraints.attributes.is_empty() {
        return None;
    }
    let own = constraints.affinity.iter().map(|term| {
        let (fields, labels): (Vec<_>, Vec<_>) =
            term.iter().partition(|expression| expression.key == "metadata.name");
        NodeSelectorTerm {
            match_expressions: labels.into_iter().map(requirement).collect(),
            match_fields: fields.into_iter().map(requirement).collect(),
        }
    });
    let mut own: Vec<NodeSelectorTerm> = own.collect();
    if own.is_empty() {
        own.push(NodeSelectorTerm::default());
    }
    // Terms are alternatives: one for each of the pod's own and each way to meet the attributes.
    let ways = attributes::alternatives(&constraints.attributes);
    let with = |term: &NodeSelectorTerm, way: &Vec<NodeSelectorRequirement>| NodeSelectorTerm {
        match_expressions: [term.match_expressions.as_slice(), way.as_slice()].concat(),
        match_fields: term.match_fields.clone(),
    };
    let terms = own.iter().flat_map(|term| ways.iter().map(|way| with(term, way)));
    let required = NodeSelector { node_selector_terms: terms.collect() };
    Some(Affinity {
        node_affinity: Some(NodeAffinity { required: Some(required), ..NodeAffinity::default() }),
        ..Affinity::default()
    })
}

fn requirement(expression: &LabelExpression) -> NodeSelectorRequirement {
    let operator = match expression.operator {
        SelectorOperator::In => "In",
        SelectorOperator::NotIn => "NotIn",
        SelectorOperator::Exists => "Exists",
        SelectorOperator::DoesNotExist => "DoesNotExist",
        SelectorOperator::Gt => "Gt",
        SelectorOperator::Lt => "Lt",
    };
    NodeSelectorRequirement {
        key: expression.key.clone(),
        operator: operator.to_owned(),
        values: expression.values.clone(),
    }
}
