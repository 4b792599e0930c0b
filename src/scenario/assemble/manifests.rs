//! Kubernetes manifests (`kubernetes.files`): their nodes become nodes of the cell, their workloads
//! services, and the kube-scheduler gets the objects as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

use super::cluster::UNLIMITED_PODS;
use super::files::Files;
use super::topology::Cell;
use crate::cluster::{
    Dimension, DomainSpec, GpuRequest, LabelExpression, NodeConstraints, NodeSpec, PodTemplate,
    ResourceNames, Resources, SelectorOperator, Taint, TaintEffect, Tier, Toleration,
    TolerationOperator, WHOLE_MILLI,
};
use crate::healing::Service;
use crate::kubernetes::requests::{RequestOptions, pod_requests};
use crate::kubernetes::{self as api, Node, NodeSelectorRequirement, Pod, ResourceList};
use crate::scenario::document::Path;
use crate::scenario::error::ErrorCode;
use crate::scenario::problems::Problems;
use crate::scenario::types;
use crate::workload::kubernetes::{KubernetesCell, Manifests, OwnerKind, run_time};

/// Whole GPUs, as the device plugin of their maker calls them.
const WHOLE_GPUS: &str = "nvidia.com/gpu";
/// Labels that name failure domains, with what these are called, outermost first.
const DOMAIN_LABELS: [(&str, &str); 2] =
    [("topology.kubernetes.io/region", "region"), ("topology.kubernetes.io/zone", "zone")];

/// Reads all files of the section; `None` where there are none or something is wrong with them.
pub fn read(
    given: &types::Kubernetes,
    files: &Files,
    problems: &mut Problems<'_>,
) -> Option<Arc<KubernetesCell>> {
    if given.files.is_empty() {
        return None;
    }
    let path = Path::of(&["kubernetes", "files"]);
    let mut manifests = Manifests::default();
    for (index, name) in given.files.iter().enumerate() {
        let at = path.index(index);
        let Some(file) = files.find(name, &at, problems) else { continue };
        let added = match fs::read_to_string(&file) {
            Ok(text) => manifests.add(name, &text).map_err(|wrong| wrong.to_string()),
            Err(error) => Err(format!("{name}: {error}")),
        };
        if let Err(message) = added {
            problems.add(ErrorCode::File, &at, message);
        }
    }
    match KubernetesCell::new(manifests) {
        Ok(cell) => Some(Arc::new(cell)),
        Err(errors) => {
            for error in errors {
                problems.add(ErrorCode::File, &path, error.to_string());
            }
            None
        }
    }
}

/// The names of the extended resources that nodes of the files have, where the scenario names none.
pub fn resource_names(
    names: ResourceNames,
    cell: &KubernetesCell,
    problems: &mut Problems<'_>,
) -> ResourceNames {
    if names != ResourceNames::default() {
        return names;
    }
    let plain = ["cpu", "memory", "ephemeral-storage", "pods", WHOLE_GPUS];
    let lists = cell.objects.nodes.iter().map(|node| &node.status.allocatable);
    let found: BTreeSet<&String> = lists
        .flat_map(BTreeMap::keys)
        .filter(|name| !plain.contains(&name.as_str()) && !name.starts_with("hugepages-"))
        .filter(|name| !name.starts_with("attachable-volumes-"))
        .collect();
    ResourceNames::with_extended(found.iter().map(|name| (*name).clone()).collect()).unwrap_or_else(
        || {
            let message = format!(
                "the nodes have {} extended resources; at most three can be told apart: name those \
                 that matter in cluster.resources",
                found.len()
            );
            problems.add(ErrorCode::OutOfRange, &Path::of(&["kubernetes", "files"]), message);
            names
        },
    )
}

/// Adds the nodes of the files to the cell, and the regions and zones that they are in.
pub fn add_nodes(cell: &mut Cell, from: &KubernetesCell, names: &ResourceNames) {
    let mut known: BTreeSet<String> =
        cell.domains.iter().map(|domain| domain.name.clone()).collect();
    for node in &from.objects.nodes {
        let mut inside: Option<String> = None;
        for (label, kind) in DOMAIN_LABELS {
            let Some(name) = node.metadata.labels.get(label) else { continue };
            if known.insert(name.clone()) {
                let parents = inside.iter().cloned().collect();
                let (name, kind) = (name.clone(), kind.to_owned());
                cell.domains.push(DomainSpec { name, kind, parents });
            }
            inside = Some(name.clone());
        }
        let domains = inside.into_iter().collect();
        cell.nodes.push(Arc::new(NodeSpec { domains, ..node_spec(node, names) }));
    }
}

fn node_spec(node: &Node, names: &ResourceNames) -> NodeSpec {
    let allocatable = &node.status.allocatable;
    let gpus = allocatable.get(WHOLE_GPUS).map_or(0, |amount| amount.value());
    let mut amounts = resources(allocatable, names);
    if !allocatable.contains_key("pods") {
        amounts[Dimension::PODS] = UNLIMITED_PODS;
    }
    let labels = node.metadata.labels.clone();
    NodeSpec {
        name: node.metadata.name.clone(),
        pool: labels.get("node.kubernetes.io/instance-type").cloned().unwrap_or("nodes".to_owned()),
        allocatable: amounts,
        gpu_devices: u8::try_from(gpus).unwrap_or(u8::MAX),
        gpu_model: labels.get("nvidia.com/gpu.product").cloned().unwrap_or_default(),
        labels,
        taints: node.spec.taints.iter().filter_map(taint).collect(),
        kubernetes: Some(Arc::new(node.clone())),
        ..NodeSpec::default()
    }
}

/// Amounts by dimension; what has no dimension is left out.
fn resources(list: &ResourceList, names: &ResourceNames) -> Resources {
    let mut amounts = Resources::ZERO;
    for (name, amount) in list {
        match name.as_str() {
            "cpu" => amounts[Dimension::CPU] = amount.milli_value(),
            "memory" => amounts[Dimension::MEMORY] = amount.value(),
            "ephemeral-storage" => amounts[Dimension::STORAGE] = amount.value(),
            "pods" => amounts[Dimension::PODS] = amount.value(),
            WHOLE_GPUS => {
                amounts[Dimension::GPU] = amount.value().saturating_mul(i64::from(WHOLE_MILLI));
            }
            other => {
                if let Some(dimension) = names.dimension(other) {
                    amounts[dimension] = amount.value();
                }
            }
        }
    }
    amounts
}

fn effect(text: &str) -> Option<TaintEffect> {
    match text {
        "NoSchedule" => Some(TaintEffect::NoSchedule),
        "PreferNoSchedule" => Some(TaintEffect::PreferNoSchedule),
        "NoExecute" => Some(TaintEffect::NoExecute),
        _ => None,
    }
}

fn taint(taint: &api::Taint) -> Option<Taint> {
    let effect = effect(&taint.effect)?;
    Some(Taint { key: taint.key.clone(), value: taint.value.clone(), effect })
}

/// Pods of one owner that ask for the same.
struct Alike<'a> {
    pod: Pod,
    /// The name of the first of them.
    first: &'a str,
    replicas: u32,
}

/// The workloads of the files as services: pods of one owner that ask for the same are one. Members
/// of a StatefulSet that have claims of their own are services by their own names.
pub fn services(cell: &KubernetesCell, names: &ResourceNames) -> Vec<Service> {
    let mut groups: BTreeMap<(Option<usize>, u64), Alike<'_>> = BTreeMap::new();
    let mut kinds: Vec<Pod> = Vec::new();
    for one in &cell.pods {
        let plain = without_name(&one.pod);
        // Pods of one owner are mostly the same; those that are not get a number of their own.
        let number = kinds.iter().rposition(|known| *known == plain).unwrap_or_else(|| {
            kinds.push(plain.clone());
            kinds.len() - 1
        });
        let first = one.pod.metadata.name.as_str();
        let alike = || Alike { pod: plain, first, replicas: 0 };
        groups.entry((one.owner, number as u64)).or_insert_with(alike).replicas += one.copies;
    }
    let mut seen = BTreeMap::new();
    let named = groups.into_iter().map(|((owner, _), Alike { pod, first, replicas })| {
        let name = match owner.map(|owner| &cell.owners[owner]) {
            Some(owner) if owner.kind == OwnerKind::StatefulSet && owner.replicas > replicas => {
                format!("{}/{first}", owner.namespace)
            }
            Some(owner) => format!("{}/{}", owner.namespace, owner.name),
            None => format!("{}/pods", pod.metadata.namespace),
        };
        let kind = owner.map(|owner| cell.owners[owner].kind);
        let times = seen.entry(name.clone()).or_insert(0_u32);
        *times += 1;
        let name = if *times == 1 { name } else { format!("{name}#{times}") };
        service(&name, pod, replicas, kind, names)
    });
    named.collect()
}

/// A pod without what tells it from its siblings.
fn without_name(pod: &Pod) -> Pod {
    let mut plain = pod.clone();
    plain.metadata.name.clear();
    plain.metadata.generate_name.clear();
    plain.metadata.uid.clear();
    plain.status = api::PodStatus::default();
    for label in ["statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"] {
        plain.metadata.labels.remove(label);
    }
    plain
}

fn service(
    name: &str,
    pod: Pod,
    replicas: u32,
    kind: Option<OwnerKind>,
    names: &ResourceNames,
) -> Service {
    let asked = pod_requests(&pod, &RequestOptions::default());
    let mut requests = resources(&asked, names);
    requests[Dimension::PODS] = 1;
    let devices =
        u8::try_from(requests[Dimension::GPU] / i64::from(WHOLE_MILLI)).unwrap_or(u8::MAX);
    let gpu = if devices > 0 {
        GpuRequest { devices, milli: WHOLE_MILLI }
    } else {
        GpuRequest::default()
    };
    let tier = match kind {
        Some(OwnerKind::Job) => Tier::BestEffortBatch,
        Some(OwnerKind::DaemonSet) => Tier::Monitoring,
        Some(_) => Tier::Production,
        None => Tier::Mid,
    };
    // What makes no sense was told when the files were read.
    let run = run_time(&pod).ok().flatten().filter(|_| kind == Some(OwnerKind::Job));
    Service {
        name: name.into(),
        replicas,
        minimum_ready: 1,
        template: PodTemplate {
            priority: pod.spec.priority.unwrap_or(0),
            tier,
            constraints: constraints(&pod),
            one_per_node: false,
            kubernetes: Some(Arc::new(pod)),
        },
        requests,
        gpu,
        usage_permille: [1000, 1000],
        time_to_crash: None,
        start_delay: None,
        objective: None,
        run,
        job: None,
    }
}

/// Hard constraints on nodes, for schedulers that do not read the object.
fn constraints(pod: &Pod) -> NodeConstraints {
    let affinity = pod.spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let terms = affinity.and_then(|affinity| affinity.required.as_ref());
    let terms = terms.map_or(&[][..], |required| &required.node_selector_terms);
    let mut expressions: Vec<Vec<LabelExpression>> = terms
        .iter()
        .map(|term| term.match_expressions.iter().chain(&term.match_fields))
        .map(|conditions| conditions.filter_map(expression).collect())
        .collect();
    if !pod.spec.node_name.is_empty() {
        let here = LabelExpression {
            key: "metadata.name".to_owned(),
            operator: SelectorOperator::In,
            values: vec![pod.spec.node_name.clone()],
        };
        expressions = vec![vec![here]];
    }
    NodeConstraints {
        tolerations: pod.spec.tolerations.iter().map(toleration).collect(),
        node_selector: pod.spec.node_selector.clone(),
        affinity: expressions,
        ..NodeConstraints::default()
    }
}

fn expression(condition: &NodeSelectorRequirement) -> Option<LabelExpression> {
    let operator = match condition.operator.as_str() {
        "In" => SelectorOperator::In,
        "NotIn" => SelectorOperator::NotIn,
        "Exists" => SelectorOperator::Exists,
        "DoesNotExist" => SelectorOperator::DoesNotExist,
        "Gt" => SelectorOperator::Gt,
        "Lt" => SelectorOperator::Lt,
        _ => return None,
    };
    let (key, values) = (condition.key.clone(), condition.values.clone());
    Some(LabelExpression { key, operator, values })
}

fn toleration(given: &api::Toleration) -> Toleration {
    Toleration {
        key: given.key.clone(),
        operator: match given.operator.as_str() {
            "Exists" => TolerationOperator::Exists,
            _ => TolerationOperator::Equal,
        },
        value: given.value.clone(),
        effect: effect(&given.effect),
    }
}
