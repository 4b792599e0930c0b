//! The constraints of pods without constraints of their own
//! (`helper.DefaultSelector` of kube-scheduler v1.35).

use crate::kubernetes::labels::Selector;
use crate::kubernetes::{LabelSelector, Labels};
use crate::scheduling::kube::{Cache, Template};

/// The pods that belong together with a pod of `template`: those that its services select, and
/// those that its controller selects. Everything if there are none of either.
pub fn default_selector(cache: &Cache, template: &Template) -> Selector {
    let mut labels = Labels::new();
    for ((namespace, _), service) in &cache.objects().services {
        let selector = &service.spec.selector;
        if *namespace == template.namespace
            && selector.iter().all(|(key, value)| template.labels.get(key) == Some(value))
        {
            labels.extend(selector.clone());
        }
    }
    let Some(owner) = &template.controller else { return Selector::from_labels(&labels) };
    let name = (template.namespace.clone(), owner.name.clone());
    let objects = cache.objects();
    let selector = match (owner.api_version.as_str(), owner.kind.as_str()) {
        ("v1", "ReplicationController") => {
            if let Some(controller) = objects.replication_controllers.get(&name) {
                labels.extend(controller.spec.selector.clone());
            }
            None
        }
        ("apps/v1", "ReplicaSet") => {
            objects.replica_sets.get(&name).map(|set| set.spec.selector.as_ref())
        }
        ("apps/v1", "StatefulSet") => {
            objects.stateful_sets.get(&name).map(|set| set.spec.selector.as_ref())
        }
        _ => None,
    };
    let all = Selector::from_labels(&labels);
    selector.map_or_else(|| all.clone(), |selector| narrowed(&all, selector))
}

/// What both select; a malformed selector is left out, and so is one that selects nothing.
fn narrowed(all: &Selector, selector: Option<&LabelSelector>) -> Selector {
    let more = Selector::new(selector).unwrap_or(Selector::nothing());
    all.clone().and(more.requirements().unwrap_or_default().to_vec())
}
