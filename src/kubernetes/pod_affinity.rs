//! Affinity to nodes and to pods.

use super::LabelSelector;
use super::object::object;

object! {
    /// All affinities of a pod.
    pub struct Affinity {
        pub node_affinity: Option<NodeAffinity>,
        pub pod_affinity: Option<PodAffinity>,
        pub pod_anti_affinity: Option<PodAffinity>,
    }
}

object! {
    /// Affinity to nodes.
    pub struct NodeAffinity {
        #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
        pub required: Option<NodeSelector>,
        #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution")]
        pub preferred: Vec<PreferredSchedulingTerm>,
    }
}

object! {
    /// Terms of which one must match.
    pub struct NodeSelector {
        pub node_selector_terms: Vec<NodeSelectorTerm>,
    }
}

object! {
    /// Conditions all of which must hold; without any, the term matches nothing.
    pub struct NodeSelectorTerm {
        pub match_expressions: Vec<NodeSelectorRequirement>,
        pub match_fields: Vec<NodeSelectorRequirement>,
    }
}

object! {
    /// One condition: `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`.
    pub struct NodeSelectorRequirement {
        pub key: String,
        pub operator: String,
        pub values: Vec<String>,
    }
}

object! {
    /// A term that is worth `weight` where it matches.
    pub struct PreferredSchedulingTerm {
        pub weight: i32,
        pub preference: NodeSelectorTerm,
    }
}

object! {
    /// Affinity or anti-affinity to pods.
    pub struct PodAffinity {
        #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
        pub required: Vec<PodAffinityTerm>,
        #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution")]
        pub preferred: Vec<WeightedPodAffinityTerm>,
    }
}

object! {
    /// Which pods are meant, and how near is near.
    pub struct PodAffinityTerm {
        pub label_selector: Option<LabelSelector>,
        pub namespaces: Vec<String>,
        pub namespace_selector: Option<LabelSelector>,
        pub topology_key: String,
        pub match_label_keys: Vec<String>,
        pub mismatch_label_keys: Vec<String>,
    }
}

object! {
    /// A term that is worth `weight` where it matches.
    pub struct WeightedPodAffinityTerm {
        pub weight: i32,
        pub pod_affinity_term: PodAffinityTerm,
    }
}
