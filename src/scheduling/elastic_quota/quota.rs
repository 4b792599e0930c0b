//! The quota of one namespace.

use std::collections::BTreeSet;

use crate::kubernetes::ResourceList;
use crate::kubernetes::amounts::Amounts;
use crate::scheduling::kube::PodInfo;

/// What a namespace may use, and uses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ElasticQuota {
    /// The namespace.
    pub namespace: String,
    /// What it is sure of; `None` is nothing.
    pub min: Option<Amounts>,
    /// What it may use at most; `None` is without limit.
    pub max: Option<Amounts>,
    /// What its pods use.
    pub used: Amounts,
    /// The pods that are counted.
    pods: BTreeSet<String>,
}

/// True if `request` and `used` together are more than `limit`. Of extended resources only those
/// that `request` names are looked at; of them a limit that is not given is `unnamed`.
pub(super) fn exceeds(request: &Amounts, used: &Amounts, limit: &Amounts, unnamed: i64) -> bool {
    let more = |a: i64, b: i64, limit: i64| a.saturating_add(b) > limit;
    more(request.milli_cpu, used.milli_cpu, limit.milli_cpu)
        || more(request.memory, used.memory, limit.memory)
        || more(request.ephemeral_storage, used.ephemeral_storage, limit.ephemeral_storage)
        || more(request.pods, used.pods, limit.pods)
        || request.scalars.iter().any(|(name, amount)| {
            let used = used.scalars.get(name).copied().unwrap_or(0);
            more(*amount, used, limit.scalars.get(name).copied().unwrap_or(unnamed))
        })
}

/// What a pod asks for, as quotas count it: the containers together, or the largest init container,
/// and the overhead. Sidecars count as init containers do, and pod-level resources do not count.
pub fn pod_request(pod: &PodInfo) -> Amounts {
    let spec = &pod.template.spec;
    let mut request = Amounts::default();
    for container in &spec.containers {
        request.add_list(&container.resources.requests);
    }
    for container in &spec.init_containers {
        request.raise_to(&container.resources.requests);
    }
    request.add_list(&spec.overhead);
    request
}

/// Tells pods apart.
fn key(pod: &PodInfo) -> String {
    if pod.uid.is_empty() {
        format!("{}/{}", pod.template.namespace, pod.name)
    } else {
        pod.uid.clone()
    }
}

/// The limit of what is not limited. The number of pods is not counted by quotas.
fn without_limit() -> Amounts {
    Amounts {
        milli_cpu: i64::MAX,
        memory: i64::MAX,
        ephemeral_storage: i64::MAX,
        ..Amounts::default()
    }
}

impl ElasticQuota {
    /// A quota as its object says it; without `min` it is sure of nothing, without `max` there is
    /// no limit.
    pub fn new(
        namespace: &str,
        min: Option<&ResourceList>,
        max: Option<&ResourceList>,
        used: &ResourceList,
    ) -> Self {
        Self {
            namespace: namespace.to_owned(),
            min: Some(min.map_or_else(Amounts::default, Amounts::new)),
            max: Some(max.map_or_else(without_limit, Amounts::new)),
            used: Amounts::new(used),
            pods: BTreeSet::new(),
        }
    }

    /// A quota that uses `used` already, by pods that it does not know.
    pub fn of(namespace: &str, min: Option<Amounts>, max: Option<Amounts>, used: Amounts) -> Self {
        Self { namespace: namespace.to_owned(), min, max, used, pods: BTreeSet::new() }
    }

    /// Goes on from what `old` counted.
    pub(super) fn take_over(&mut self, old: Self) {
        self.used = old.used;
        self.pods = old.pods;
    }

    /// The number of pods that are counted.
    pub fn pods(&self) -> usize {
        self.pods.len()
    }

    /// True if it uses more than it is sure of.
    pub fn used_over_min(&self) -> bool {
        self.min.as_ref().is_none_or(|min| exceeds(&self.used, &Amounts::default(), min, 0))
    }

    /// True if it uses more than it is sure of once `request` is added.
    pub fn used_over_min_with(&self, request: &Amounts) -> bool {
        self.min.as_ref().is_none_or(|min| exceeds(request, &self.used, min, 0))
    }

    /// True if it uses more than it may once `request` is added.
    pub fn used_over_max_with(&self, request: &Amounts) -> bool {
        self.max.as_ref().is_some_and(|max| exceeds(request, &self.used, max, i64::MAX))
    }

    pub(super) fn add_pod(&mut self, pod: &PodInfo) {
        if self.pods.insert(key(pod)) {
            self.used.add(&pod_request(pod));
        }
    }

    pub(super) fn remove_pod(&mut self, pod: &PodInfo) {
        if self.pods.remove(&key(pod)) {
            self.used.subtract(&pod_request(pod));
        }
    }
}
