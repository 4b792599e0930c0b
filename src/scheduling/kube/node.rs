//! Nodes as the scheduler keeps them (`framework.NodeInfo` of kube-scheduler v1.35).

use std::sync::Arc;

use super::pod::PodInfo;
use super::resource::Resource;
use super::symbols::{Symbol, Symbols};
use super::template::TemplateId;
use crate::kubernetes::Node;
use crate::kubernetes::ports::HostPort;

/// A node and what is on it.
#[derive(Debug, Clone)]
pub struct NodeInfo {
    /// The object.
    pub node: Arc<Node>,
    /// Its labels, sorted by key.
    labels: Arc<[(Symbol, Symbol)]>,
    /// What it has.
    pub allocatable: Resource,
    /// What its pods ask for.
    pub requested: Resource,
    /// Cpu and memory that its pods ask for, where containers that ask for none count as small.
    pub non_zero_requested: [i64; 2],
    /// Its pods. One that leaves is replaced by the last one, as upstream does.
    pub pods: Vec<Arc<PodInfo>>,
    /// The templates of its pods, in the same order.
    templates: Vec<TemplateId>,
    /// How many of its pods have an affinity to pods.
    pub with_affinity: usize,
    /// How many of its pods have required anti-affinity to pods.
    pub with_required_anti_affinity: usize,
    /// Its host ports that are taken.
    pub used_ports: Vec<HostPort>,
    /// Images it holds.
    pub images: Arc<[Symbol]>,
}

impl NodeInfo {
    /// An empty node.
    pub fn new(node: &Node, symbols: &mut Symbols) -> Self {
        let mut info = Self {
            node: Arc::new(node.clone()),
            labels: Arc::new([]),
            allocatable: Resource::default(),
            requested: Resource::default(),
            non_zero_requested: [0; 2],
            pods: Vec::new(),
            templates: Vec::new(),
            with_affinity: 0,
            with_required_anti_affinity: 0,
            used_ports: Vec::new(),
            images: Arc::new([]),
        };
        info.replace(node, symbols);
        info
    }

    /// Puts a new version of the object in place. The pods stay.
    pub fn replace(&mut self, node: &Node, symbols: &mut Symbols) {
        let mut labels: Vec<_> = node
            .metadata
            .labels
            .iter()
            .map(|(key, value)| (symbols.intern(key), symbols.intern(value)))
            .collect();
        labels.sort_unstable();
        self.labels = labels.into();
        self.allocatable = Resource::new(&node.status.allocatable, symbols);
        let names = node.status.images.iter().flat_map(|image| &image.names);
        let mut images: Vec<_> = names.map(|name| symbols.intern(name)).collect();
        images.sort_unstable();
        images.dedup();
        self.images = images.into();
        self.node = Arc::new(node.clone());
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.node.metadata.name
    }

    /// Its labels, sorted by key.
    pub fn labels(&self) -> &[(Symbol, Symbol)] {
        &self.labels
    }

    /// The value of a label.
    pub fn label(&self, key: Symbol) -> Option<Symbol> {
        let position = self.labels.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        Some(self.labels[position].1)
    }

    /// The templates of its pods, in the order of the pods.
    pub fn templates(&self) -> &[TemplateId] {
        &self.templates
    }

    /// Puts a pod on it.
    pub fn add_pod(&mut self, pod: Arc<PodInfo>) {
        self.count(&pod, 1);
        for port in &pod.template.host_ports {
            if !self.used_ports.contains(port) {
                self.used_ports.push(port.clone());
            }
        }
        self.templates.push(pod.template.id);
        self.pods.push(pod);
    }

    /// Takes a pod off it; false if it is not there.
    pub fn remove_pod(&mut self, pod: &Arc<PodInfo>) -> bool {
        let Some(position) = self.pods.iter().position(|other| Arc::ptr_eq(other, pod)) else {
            return false;
        };
        self.pods.swap_remove(position);
        self.templates.swap_remove(position);
        self.count(pod, -1);
        // As upstream: a port that two pods hold is free as soon as one is gone.
        self.used_ports.retain(|port| !pod.template.host_ports.contains(port));
        true
    }

    fn count(&mut self, pod: &PodInfo, times: i64) {
        let template = &pod.template;
        self.requested.add(&template.requests, times);
        for (sum, amount) in self.non_zero_requested.iter_mut().zip(template.non_zero) {
            *sum += amount * times;
        }
        let step = |counter: &mut usize| {
            *counter = counter.checked_add_signed(times.signum() as isize).unwrap_or(0);
        };
        if template.has_affinity {
            step(&mut self.with_affinity);
        }
        if !template.anti_affinity.required.is_empty() {
            step(&mut self.with_required_anti_affinity);
        }
    }
}
