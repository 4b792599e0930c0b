//! Pod templates: what pods of one kind have in common, compiled once.

use std::hash::{Hash, Hasher};

use super::constraints::Constraints;
use super::resource::Resource;
use super::storage::is_restricted;
use super::symbols::{Symbol, Symbols};
use super::terms::Terms;
use crate::kubernetes::node_selector::{PreferredNodes, RequiredNodes};
use crate::kubernetes::ports::{HostPort, host_ports};
use crate::kubernetes::requests::{
    CPU, DEFAULT_CPU, DEFAULT_MEMORY, MEMORY, RequestOptions, non_zero_requests, pod_requests,
};
use crate::kubernetes::{Labels, OwnerReference, Pod, PodSpec, ResourceList};

/// The number of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateId(pub u32);

impl TemplateId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What tells one template from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateKey {
    namespace: String,
    labels: Labels,
    controller: Option<OwnerReference>,
    spec: PodSpec,
    /// These depend on the pod's status, too.
    requests: ResourceList,
    non_zero: ResourceList,
}

// Requests follow from the specification nearly always: they need not be part of the hash.
impl Hash for TemplateKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.namespace.hash(state);
        self.labels.hash(state);
        self.spec.hash(state);
    }
}

impl TemplateKey {
    /// What `pod` is a copy of. The node it is bound to or asks for is not part of it.
    pub fn new(pod: &Pod) -> Self {
        let options = RequestOptions { use_status_resources: true, ..RequestOptions::default() };
        let mut spec = pod.spec.clone();
        spec.node_name.clear();
        Self {
            namespace: pod.metadata.namespace.clone(),
            labels: pod.metadata.labels.clone(),
            controller: pod.metadata.controller().cloned(),
            spec,
            requests: pod_requests(pod, &options),
            non_zero: non_zero_requests(pod),
        }
    }
}

/// What pods of one kind have in common.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its number.
    pub id: TemplateId,
    /// The namespace.
    pub namespace: String,
    /// The labels.
    pub labels: Labels,
    /// The owner that manages the pods.
    pub controller: Option<OwnerReference>,
    /// The specification, without a node.
    pub spec: PodSpec,
    /// The priority; 0 if none is given.
    pub priority: i32,
    /// What a pod asks for.
    pub requests: Resource,
    /// What it asks for by name; scores of real requests are taken from these.
    pub request_list: ResourceList,
    /// Cpu and memory, where containers that ask for none count as small ones.
    pub non_zero: [i64; 2],
    /// What scores of the Fit plugin are taken from: as `non_zero`, for all resources, and without
    /// pod-level resources, which upstream leaves out here.
    pub score_list: ResourceList,
    /// Where a pod must go.
    pub required_nodes: RequiredNodes,
    /// Where it had better go.
    pub preferred_nodes: Result<PreferredNodes, String>,
    /// True if there is a list of preferred nodes, even one that says nothing.
    pub has_preferred_nodes: bool,
    /// Host ports.
    pub host_ports: Vec<HostPort>,
    /// Images of containers and init containers, with a tag.
    pub images: Vec<Symbol>,
    /// Pods it wants to be near.
    pub affinity: Terms,
    /// Pods it wants to be away from.
    pub anti_affinity: Terms,
    /// How pods are to be spread.
    pub spread: Constraints,
    /// What is wrong with the affinities to pods.
    pub affinity_errors: Vec<String>,
    /// True if it has any affinity or anti-affinity to pods.
    pub has_affinity: bool,
    /// True if it has volumes that are held by claims, or of which a node can have so many.
    pub uses_storage: bool,
}

impl Template {
    /// Compiles a template.
    pub(super) fn new(id: TemplateId, key: &TemplateKey, symbols: &mut Symbols) -> Self {
        let spec = &key.spec;
        let affinity = spec.affinity.as_ref();
        let node_affinity = affinity.and_then(|affinity| affinity.node_affinity.as_ref());
        let preferred = node_affinity.map_or(&[][..], |affinity| &affinity.preferred);
        let to_pods = affinity.and_then(|affinity| affinity.pod_affinity.as_ref());
        let from_pods = affinity.and_then(|affinity| affinity.pod_anti_affinity.as_ref());
        let mut errors = Vec::new();
        let non_zero = Resource::new(&key.non_zero, symbols);
        let containers = spec.init_containers.iter().chain(&spec.containers);
        Self {
            id,
            namespace: key.namespace.clone(),
            labels: key.labels.clone(),
            controller: key.controller.clone(),
            priority: spec.priority.unwrap_or(0),
            requests: Resource::new(&key.requests, symbols),
            request_list: key.requests.clone(),
            non_zero: [non_zero.milli_cpu, non_zero.memory],
            score_list: score_list(spec),
            required_nodes: RequiredNodes::new(spec),
            preferred_nodes: PreferredNodes::new(preferred),
            has_preferred_nodes: !preferred.is_empty(),
            host_ports: host_ports(spec),
            images: containers
                .map(|container| symbols.intern(&normalized_image_name(&container.image)))
                .collect(),
            affinity: Terms::new(to_pods, &key.namespace, "Affinity", symbols, &mut errors),
            anti_affinity: Terms::new(
                from_pods,
                &key.namespace,
                "AntiAffinity",
                symbols,
                &mut errors,
            ),
            spread: Constraints::new(&spec.topology_spread_constraints, &key.labels, symbols),
            affinity_errors: errors,
            has_affinity: to_pods.is_some() || from_pods.is_some(),
            uses_storage: spec.volumes.iter().any(is_restricted),
            spec: key.spec.clone(),
        }
    }
}

fn score_list(spec: &PodSpec) -> ResourceList {
    let defaults = [(CPU.to_owned(), DEFAULT_CPU), (MEMORY.to_owned(), DEFAULT_MEMORY)];
    let options = RequestOptions {
        skip_pod_level: true,
        non_missing_container_requests: defaults.into(),
        ..RequestOptions::default()
    };
    pod_requests(&Pod { spec: spec.clone(), ..Pod::default() }, &options)
}

/// An image's name with a tag: `latest` if it has none.
pub fn normalized_image_name(name: &str) -> String {
    if name.rfind(':') <= name.rfind('/') { format!("{name}:latest") } else { name.to_owned() }
}
