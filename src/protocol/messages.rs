//! What is said, as it is written: the serde types of the protocol. `docs/protocol.md` describes
//! every field; amounts are whole numbers, in the order of the hello's `resources`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cluster::{
    AttributeConstraint, Cluster, LabelExpression, NodeConstraints, NodeId, Pod, PodState, Taint,
    TemplateId, Tier, Toleration, WorkloadId,
};

/// The first line.
#[derive(Serialize)]
pub struct Hello<'a> {
    pub protocol: u32,
    pub cellsim: &'static str,
    pub role: &'static str,
    pub seed: u64,
    pub run: u64,
    pub resources: Vec<&'a str>,
    pub units: Vec<&'static str>,
    pub options: &'a Value,
}

#[derive(Serialize)]
pub struct HelloLine<'a> {
    pub hello: Hello<'a>,
}

/// A turn: what changed since the last one.
#[derive(Serialize)]
pub struct TurnLine<'a> {
    pub turn: u64,
    pub time: u64,
    pub changes: &'a super::Turn,
}

/// The reply to the first line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadyLine {
    pub ready: Ready,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Ready {
    pub protocol: u32,
    pub wake_on: Option<Vec<super::WakeOn>>,
}

/// What pods have in common.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TemplateMessage {
    pub template: u32,
    pub priority: i32,
    pub tier: Tier,
    pub one_per_node: bool,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub constraints: Value,
    /// The nodes that satisfy the constraints, ready or not.
    pub nodes: Matching,
}

/// The nodes that satisfy the constraints of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Matching {
    /// `"all"`.
    All(&'static str),
    Listed(Vec<u32>),
}

impl TemplateMessage {
    pub fn of(cluster: &Cluster, id: TemplateId, nodes: Matching) -> Self {
        let template = cluster.template(id);
        Self {
            template: id.0,
            priority: template.priority,
            tier: template.tier,
            one_per_node: template.one_per_node,
            constraints: constraints(&template.constraints),
            nodes,
        }
    }
}

/// Null where there are none.
fn constraints(given: &NodeConstraints) -> Value {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Constraints<'a> {
        tolerations: &'a [Toleration],
        node_selector: &'a BTreeMap<String, String>,
        affinity: &'a [Vec<LabelExpression>],
        attributes: &'a [AttributeConstraint],
        gpu_models: &'a [String],
    }
    if *given == NodeConstraints::default() {
        return Value::Null;
    }
    let message = Constraints {
        tolerations: &given.tolerations,
        node_selector: &given.node_selector,
        affinity: &given.affinity,
        attributes: &given.attributes,
        gpu_models: &given.gpu_models,
    };
    serde_json::to_value(message).expect("constraints are plain data")
}

/// A node: all of it, or what changes with every pod.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeMessage {
    pub node: u32,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub description: Option<NodeDescription>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub state: Option<NodeState>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeDescription {
    name: String,
    pool: String,
    allocatable: Vec<i64>,
    /// What may be reserved in all: allocatable, stretched by the widest overcommit.
    limit: Vec<i64>,
    /// By tier, what of the limit it must leave alone; only where tiers differ.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    reserve: BTreeMap<&'static str, Vec<i64>>,
    labels: BTreeMap<String, String>,
    taints: Vec<Taint>,
    attributes: BTreeMap<String, String>,
    domains: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    gpu_model: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeState {
    free: Vec<i64>,
    /// Of each GPU device, in milli-GPU.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gpu_free: Vec<u16>,
    ready: bool,
    cordoned: bool,
}

impl NodeDescription {
    /// `named` resources are told of.
    pub fn of(cluster: &Cluster, node: NodeId, named: usize) -> Self {
        let nodes = cluster.nodes();
        let spec = nodes.spec(node);
        let mut reserve = BTreeMap::new();
        if !nodes.overcommit().is_uniform() {
            let group = &nodes.groups()[nodes.group(node).index()];
            for tier in Tier::ALL {
                reserve.insert(tier.name(), group.reserve[tier as usize].0[..named].to_vec());
            }
        }
        Self {
            name: spec.name.clone(),
            pool: spec.pool.clone(),
            allocatable: nodes.allocatable(node).0[..named].to_vec(),
            limit: nodes.limit(node).0[..named].to_vec(),
            reserve,
            labels: spec.labels.clone(),
            taints: spec.taints.clone(),
            attributes: spec.attributes.clone(),
            domains: spec.domains.clone(),
            gpu_model: spec.gpu_model.clone(),
        }
    }
}

impl NodeState {
    pub fn of(cluster: &Cluster, node: NodeId, named: usize) -> Self {
        let nodes = cluster.nodes();
        let condition = nodes.condition(node);
        Self {
            free: nodes.free(node).0[..named].to_vec(),
            gpu_free: nodes.devices(node).free_milli().to_vec(),
            ready: condition.ready,
            cordoned: condition.cordoned,
        }
    }
}

/// A pod: all of it at first and when it was resized, then where it is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodMessage {
    pub pod: u64,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub description: Option<PodDescription>,
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodDescription {
    name: String,
    workload: u32,
    template: u32,
    requests: Vec<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gpu: Option<GpuMessage>,
    submitted: u64,
}

#[derive(Debug, Serialize)]
struct GpuMessage {
    devices: u8,
    milli: u16,
}

impl PodDescription {
    pub fn of(cluster: &Cluster, pod: &Pod, named: usize) -> Self {
        let class = cluster.classes().get(pod.class);
        let gpu = GpuMessage { devices: class.gpu.devices, milli: class.gpu.milli };
        Self {
            name: cluster.pod_name(pod),
            workload: pod.new.workload.0,
            template: class.template.0,
            requests: class.requests.0[..named].to_vec(),
            gpu: (gpu.devices > 0).then_some(gpu),
            submitted: pod.submitted_at.0,
        }
    }
}

/// Where a pod is, as the control plane knows it.
pub fn state_of(pod: &Pod) -> (&'static str, Option<u32>) {
    match pod.state {
        PodState::Pending => ("pending", None),
        PodState::Starting | PodState::Running | PodState::BackingOff | PodState::Stranded => {
            ("bound", Some(pod.node.0))
        }
        PodState::Ended => ("gone", None),
    }
}

/// A declared workload.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadMessage {
    /// Its number, which its pods name.
    pub workload: u32,
    /// Its name in the scenario.
    pub name: String,
    /// Pods wanted.
    pub wanted: u32,
    /// Fewest ready pods with which it counts as available.
    pub minimum_ready: u32,
    /// Pods that there are, bound or not.
    pub pods: u32,
}

impl WorkloadMessage {
    /// What there is to tell of a declared workload.
    pub fn of(cluster: &Cluster, id: WorkloadId) -> Self {
        let workload = cluster.workloads().get(id);
        Self {
            workload: id.0,
            name: workload.name.as_deref().unwrap_or_default().to_owned(),
            wanted: workload.wanted,
            minimum_ready: workload.minimum_ready,
            pods: workload.pods,
        }
    }
}
