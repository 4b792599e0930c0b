//! `matchLabelKeys` and `mismatchLabelKeys`: when a pod is made, its own values of those labels
//! become part of the selectors (`pkg/registry/core/pod/strategy.go` of Kubernetes v1.35,
//! `mutatePodAffinity` and, by `MatchLabelKeysInPodTopologySpreadSelectorMerge`,
//! `mutateTopologySpreadConstraints`).

use crate::kubernetes::{LabelSelector, LabelSelectorRequirement, Labels, Pod, PodAffinity};

/// Adds `key in (value)` and the like for the labels that the pod has. A selector that is absent
/// selects nothing and stays absent.
fn merge(selector: Option<&mut LabelSelector>, keys: &[String], operator: &str, labels: &Labels) {
    let Some(selector) = selector else { return };
    for (key, value) in keys.iter().filter_map(|key| labels.get_key_value(key)) {
        let requirement = LabelSelectorRequirement {
            key: key.clone(),
            operator: operator.to_owned(),
            values: vec![value.clone()],
        };
        // A pod of a dump went through this before.
        if !selector.match_expressions.contains(&requirement) {
            selector.match_expressions.push(requirement);
        }
    }
}

fn merge_terms(affinity: Option<&mut PodAffinity>, labels: &Labels) {
    let Some(PodAffinity { required, preferred }) = affinity else { return };
    let preferred = preferred.iter_mut().map(|weighted| &mut weighted.pod_affinity_term);
    for term in preferred.chain(required) {
        merge(term.label_selector.as_mut(), &term.match_label_keys, "In", labels);
        merge(term.label_selector.as_mut(), &term.mismatch_label_keys, "NotIn", labels);
    }
}

/// Merges the keys of a pod that is about to be made.
pub(super) fn merge_label_keys(pod: &mut Pod) {
    let labels = &pod.metadata.labels;
    if let Some(affinity) = &mut pod.spec.affinity {
        merge_terms(affinity.pod_affinity.as_mut(), labels);
        merge_terms(affinity.pod_anti_affinity.as_mut(), labels);
    }
    for constraint in &mut pod.spec.topology_spread_constraints {
        merge(constraint.label_selector.as_mut(), &constraint.match_label_keys, "In", labels);
    }
}
