//! The pods of the cell as the kube-scheduler knows them: one compiled template for each class, and
//! for each pod what is its own.

use std::sync::Arc;

use super::translate;
use crate::cluster::{ClassId, Cluster, PodClass, PodId, PodRef, ResourceNames};
use crate::engine::SimTime;
use crate::kubernetes::Time;
use crate::scheduling::kube::{Cache, NodeId, PodInfo, Template};

/// A pod that the scheduler has been told of.
pub struct Known {
    /// Which life of the pod is meant.
    pub reference: PodRef,
    /// Its class.
    pub class: ClassId,
    /// What the scheduler knows of it.
    pub info: Arc<PodInfo>,
    /// Where it is, in the scheduler's cache.
    pub node: Option<NodeId>,
}

/// All pods that the scheduler has been told of, and the templates of their classes.
#[derive(Default)]
pub struct Book {
    pods: Vec<Option<Known>>,
    /// By class; the class that it was compiled for is kept, because numbers are reused.
    templates: Vec<Option<(PodClass, Arc<Template>)>>,
}

impl Book {
    /// The pod in a slot, if it is known.
    pub fn get(&self, pod: PodId) -> Option<&Known> {
        self.pods.get(pod.index())?.as_ref()
    }

    /// The same, to change.
    pub fn get_mut(&mut self, pod: PodId) -> Option<&mut Known> {
        self.pods.get_mut(pod.index())?.as_mut()
    }

    /// Forgets the pod in a slot.
    pub fn forget(&mut self, pod: PodId) -> Option<Known> {
        self.pods.get_mut(pod.index())?.take()
    }

    /// Notes `pod` as it is now.
    pub fn note(
        &mut self,
        cluster: &Cluster,
        pod: PodId,
        names: &ResourceNames,
        cache: &mut Cache,
    ) -> &Known {
        let record = cluster.pod(pod);
        let template = self.template(cluster, record.class, names, cache);
        let info = PodInfo {
            name: name_of(cluster, pod, &template),
            template,
            // Pods are told from each other by it: the number of a pod is never used twice.
            uid: record.serial.to_string(),
            node_name: wanted_node(cluster, record.class),
            nominated_node: String::new(),
            start_time: None,
            terminating: false,
            preempted: false,
        };
        let reference = cluster.pods().reference(pod);
        let known = Known { reference, class: record.class, info: Arc::new(info), node: None };
        if self.pods.len() <= pod.index() {
            self.pods.resize_with(pod.index() + 1, || None);
        }
        self.pods[pod.index()].insert(known)
    }

    /// The compiled template of a class.
    fn template(
        &mut self,
        cluster: &Cluster,
        id: ClassId,
        names: &ResourceNames,
        cache: &mut Cache,
    ) -> Arc<Template> {
        let class = cluster.classes().get(id);
        if self.templates.len() <= id.index() {
            self.templates.resize_with(id.index() + 1, || None);
        }
        let slot = &mut self.templates[id.index()];
        if let Some((of, template)) = slot
            && of == class
        {
            return Arc::clone(template);
        }
        let template = Arc::clone(&cache.intern(&translate::pod(cluster, class, names)).template);
        *slot = Some((*class, Arc::clone(&template)));
        template
    }
}

/// The name of a pod, without its namespace.
fn name_of(cluster: &Cluster, pod: PodId, template: &Template) -> String {
    let name = cluster.pod_name(cluster.pod(pod));
    let own = name.strip_prefix(&format!("{}/", template.namespace));
    own.unwrap_or(&name).replace('/', "-")
}

/// The node that a pod of the class asks for by name; empty where it asks for none.
fn wanted_node(cluster: &Cluster, class: ClassId) -> String {
    let template = cluster.template(cluster.classes().get(class).template);
    template.kubernetes.as_ref().map_or_else(String::new, |pod| pod.spec.node_name.clone())
}

/// An instant of the run as a time of the API.
pub fn api_time(time: SimTime) -> Time {
    Time(i64::try_from(time.0).unwrap_or(i64::MAX).saturating_mul(1000))
}
