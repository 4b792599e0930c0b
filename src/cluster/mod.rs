//! The state of the cell: nodes, pods, classes, domains, and the verbs that change them.
//!
//! **One gateway.** Every change of state is a verb of [`Cluster`]: it checks the transition,
//! updates the tables, appends to the change log and yields the facts that observers fold. Nobody
//! else writes; policies get `&Cluster` and return decisions. This floor must never import from a
//! floor above, and knows neither schedulers nor traces.

mod alloc;
#[cfg(test)]
mod alloc_tests;
mod audit;
mod bits;
mod changes;
mod class;
mod domain;
mod draft;
mod fact;
mod gpu;
mod ids;
mod job;
mod matching;
mod node;
mod node_verbs;
mod overcommit;
mod pod;
mod pod_verbs;
mod preferences;
mod resizing;
mod resources;
mod scale;
mod spec;
#[cfg(test)]
mod tests;
mod view;
mod workload;

use crate::engine::SimTime;

pub use alloc::{AllocRole, AllocTable, Envelope, JobAlloc};
pub use audit::{Auditor, Touched, Violation};
pub use bits::BitSet;
pub use changes::{ChangeLog, Version};
pub use class::{ClassTable, PodClass};
pub use domain::{DomainError, DomainGraph, DomainSpec};
pub use draft::Draft;
pub use fact::{Ending, EvictionCause, Fact, StopReason};
pub use gpu::{DeviceShare, Devices, MAX_DEVICES, WHOLE_MILLI};
pub use ids::{
    ClassId, ConstraintId, DomainId, GroupId, NodeId, PodId, PodRef, PoolId, TemplateId, WorkloadId,
};
pub use job::{Job, JobSpec};
pub use matching::satisfies;
pub use node::{NodeCondition, NodeTable};
pub use node_verbs::Checkpoint;
pub use overcommit::{CapacityGroup, Overcommit};
pub use pod::{NewPod, Pod, PodState, PodTable, WorkEnd};
pub use pod_verbs::NotAdmitted;
pub use resources::{DIMENSIONS, Dimension, ResourceNames, Resources};
pub use scale::Scale;
pub use spec::{
    AttributeConstraint, AttributeOperator, GpuRequest, LabelExpression, NodeConstraints, NodeSpec,
    PodTemplate, Preference, SelectorOperator, Taint, TaintEffect, Tier, Toleration,
    TolerationOperator,
};
pub use view::NodeView;
pub use workload::{Workload, WorkloadTable};

/// The whole state of the cell.
#[derive(Clone, Debug)]
pub struct Cluster {
    now: SimTime,
    nodes: NodeTable,
    pods: PodTable,
    classes: ClassTable,
    workloads: WorkloadTable,
    allocs: AllocTable,
    domains: DomainGraph,
    templates: Vec<(PodTemplate, ConstraintId)>,
    facts: Vec<Fact>,
    /// Classes that pods left by being resized; readable until the facts are settled.
    retired_classes: Vec<ClassId>,
}

impl Cluster {
    /// A cell without nodes.
    pub fn new(domains: DomainGraph, overcommit: Overcommit) -> Self {
        Self {
            now: SimTime::ZERO,
            nodes: NodeTable::new(overcommit),
            pods: PodTable::default(),
            classes: ClassTable::default(),
            workloads: WorkloadTable::default(),
            allocs: AllocTable::default(),
            domains,
            templates: Vec::new(),
            facts: Vec::new(),
            retired_classes: Vec::new(),
        }
    }

    /// The instant at which the verbs take effect.
    #[inline]
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// Moves on to `now`.
    #[inline]
    pub fn advance_to(&mut self, now: SimTime) {
        debug_assert!(now >= self.now, "time goes back from {} to {now}", self.now);
        self.now = now;
    }

    /// The nodes.
    #[inline]
    pub fn nodes(&self) -> &NodeTable {
        &self.nodes
    }

    /// The pods.
    #[inline]
    pub fn pods(&self) -> &PodTable {
        &self.pods
    }

    /// The pod in slot `id`.
    #[inline]
    pub fn pod(&self, id: PodId) -> &Pod {
        self.pods.get(id)
    }

    /// Reads the pod in slot `id`, which will end soon. Nothing comes of it but that the memory is
    /// in the cache then: a cell is larger than that, and pods end in no order that the processor
    /// could foresee. [`Cluster::touch_around`] is for a second round: the processor waits for
    /// many pods at a time only where it need not know one to ask for the next thing.
    #[inline]
    pub fn touch(&self, id: PodId) {
        let pod = self.pods.get(id);
        std::hint::black_box((pod.serial, pod.started_at, self.pods.links(id).next));
    }

    /// Reads what else will be needed when the pod in slot `id` ends; returns its node.
    #[inline]
    pub fn touch_around(&self, id: PodId) -> NodeId {
        let pod = self.pods.get(id);
        let links = self.pods.links(id);
        let class = self.classes.get(pod.class);
        let workload = self.workloads.get(pod.new.workload);
        std::hint::black_box((class.requests[Dimension::CPU], class.tier, workload.ready));
        for neighbour in [links.previous, links.next] {
            if neighbour.is_some() {
                std::hint::black_box(self.pods.links(neighbour).next);
            }
        }
        if pod.node.is_some() {
            let (free, first) = (self.nodes.free(pod.node), self.nodes.first_pod[pod.node.index()]);
            let count = self.nodes.pod_count(pod.node);
            std::hint::black_box((free[Dimension::CPU], first, count));
        }
        pod.node
    }

    /// The class of the pod in slot `id`.
    #[inline]
    pub fn class_of(&self, id: PodId) -> &PodClass {
        self.classes.get(self.pods.get(id).class)
    }

    /// The classes.
    #[inline]
    pub fn classes(&self) -> &ClassTable {
        &self.classes
    }

    /// The workloads.
    pub fn workloads(&self) -> &WorkloadTable {
        &self.workloads
    }

    /// The failure domains.
    pub fn domains(&self) -> &DomainGraph {
        &self.domains
    }

    /// The template `id`.
    pub fn template(&self, id: TemplateId) -> &PodTemplate {
        &self.templates[id.index()].0
    }

    /// The node constraints of the template `id`, interned.
    pub fn constraints_of(&self, id: TemplateId) -> ConstraintId {
        self.templates[id.index()].1
    }

    /// What people call `workload`: its name, or for a trace's job what its source calls it.
    pub fn workload_name(&self, workload: WorkloadId) -> String {
        let record = self.workloads.get(workload);
        record.name.as_ref().map_or_else(|| record.key.to_string(), |name| name.to_string())
    }

    /// What people call `pod`: its workload and what its source, or its controller, calls it.
    pub fn pod_name(&self, pod: &Pod) -> String {
        format!("{}/{}", self.workload_name(pod.new.workload), pod.new.key)
    }

    /// Number of templates: ids are below this.
    pub fn template_count(&self) -> usize {
        self.templates.len()
    }

    /// What a placement policy sees of `node`.
    #[inline]
    pub fn node_view(&self, node: NodeId) -> NodeView<'_> {
        NodeView::new(&self.nodes, node)
    }

    /// Pods bound to `node`, newest first; those inside of alloc instances are not among them.
    pub fn pods_on(&self, node: NodeId) -> impl Iterator<Item = (PodId, &Pod)> {
        let first = self.nodes.first_pod[node.index()];
        let chain = std::iter::successors(first.is_some().then_some(first), |id| {
            let next = self.pods.links(*id).next;
            next.is_some().then_some(next)
        });
        chain.map(|id| (id, self.pods.get(id)))
    }

    /// True if a pod of `class` may go to `node` now: eligible, room for it, and no pod there that
    /// it has to be apart from.
    #[inline]
    pub fn admits(&self, class: &PodClass, node: NodeId) -> bool {
        self.nodes.has_room(class, node)
            && self.nodes.is_eligible(class.constraints, node)
            && !self.is_kept_apart(class, node)
    }

    /// True if `node` holds a pod that a pod of `class` may not share a node with: one of the same
    /// workload that is `one_per_node` as well.
    #[inline]
    pub fn is_kept_apart(&self, class: &PodClass, node: NodeId) -> bool {
        class.apart_from.is_some() && self.workloads.get(class.apart_from).is_apart_on(node)
    }

    /// Facts since the last call of [`Cluster::settle`], in order.
    #[inline]
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// Forgets the facts and reuses the slots of what ended; call when observers have seen them.
    pub fn settle(&mut self) {
        self.facts.clear();
        self.workloads.recycle();
        for class in self.pods.recycle().chain(self.retired_classes.drain(..)) {
            self.classes.release(class);
        }
    }
}
