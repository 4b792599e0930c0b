//! What a pod asks for in all (`k8s.io/component-helpers/resource/helpers.go` v0.35.4).

use std::collections::BTreeMap;

use super::{Container, ContainerStatus, Pod, Quantity, ResourceList, ResourceRequirements};

/// The cpu of a container that asks for none, where pods are compared by what they ask for.
pub const DEFAULT_CPU: Quantity = Quantity::from_millis(100);
/// The memory of a container that asks for none.
pub const DEFAULT_MEMORY: Quantity = Quantity::from_units(200 << 20);

/// Name of the resource cpu.
pub const CPU: &str = "cpu";
/// Name of the resource memory.
pub const MEMORY: &str = "memory";

/// What counts. The default is what the scheduler's filters count of a pod without a status.
#[derive(Debug, Clone, Default)]
pub struct RequestOptions {
    /// Count what is in force and granted (in-place resize), where that is more.
    pub use_status_resources: bool,
    /// Count what is in force and granted of pod-level resources as well (alpha in v1.35).
    pub in_place_pod_level: bool,
    /// Leave pod-level resources out.
    pub skip_pod_level: bool,
    /// Leave the containers out.
    pub skip_containers: bool,
    /// Leave the overhead out.
    pub exclude_overhead: bool,
    /// Counted for containers that name no amount of these. Requests only.
    pub non_missing_container_requests: ResourceList,
}

/// True for a resource that can be asked for by the pod as a whole.
pub fn is_pod_level_resource(name: &str) -> bool {
    name == CPU || name == MEMORY || name.starts_with("hugepages-")
}

/// True if the pod as a whole asks for a resource.
pub fn has_pod_level_requests(pod: &Pod) -> bool {
    let resources = pod.spec.resources.as_ref();
    resources.is_some_and(|all| all.requests.keys().any(|name| is_pod_level_resource(name)))
}

/// True if the pod as a whole asks for a resource or is limited in one.
pub fn has_pod_level_resources(pod: &Pod) -> bool {
    let named = |all: &ResourceRequirements| {
        all.requests.keys().chain(all.limits.keys()).any(|name| is_pod_level_resource(name))
    };
    pod.spec.resources.as_ref().is_some_and(named)
}

/// Adds `more` to `total`.
pub fn add_list(total: &mut ResourceList, more: &ResourceList) {
    for (name, quantity) in more {
        total.entry(name.clone()).and_modify(|sum| *sum += *quantity).or_insert(*quantity);
    }
}

/// Raises `total` to `other` where that is more.
pub fn max_list(total: &mut ResourceList, other: &ResourceList) {
    for (name, quantity) in other {
        let highest = total.entry(name.clone()).or_insert(*quantity);
        if *quantity > *highest {
            *highest = *quantity;
        }
    }
}

/// What a pod asks for: the containers and sidecars together, or what the init containers need
/// at one time if that is more; or the pod-level amount; and the overhead.
pub fn pod_requests(pod: &Pod, options: &RequestOptions) -> ResourceList {
    let mut total = ResourceList::new();
    if !options.skip_containers {
        total = container_requests(pod, options);
    }
    if !options.skip_pod_level
        && let Some(resources) = &pod.spec.resources
    {
        let mut in_force = vec![&pod.status.allocated_resources];
        in_force.extend(pod.status.resources.as_ref().map(|actual| &actual.requests));
        let effective = pod_level(pod, &resources.requests, &in_force, options);
        total.extend(effective);
    }
    if !options.exclude_overhead {
        add_list(&mut total, &pod.spec.overhead);
    }
    total
}

/// What a pod is limited to, counted as [`pod_requests`] counts requests. Overhead is added only
/// to limits that there are.
pub fn pod_limits(pod: &Pod, options: &RequestOptions) -> ResourceList {
    let mut total = container_limits(pod, options);
    if !options.skip_pod_level
        && let Some(resources) = &pod.spec.resources
    {
        let in_force: Vec<_> = pod.status.resources.iter().map(|actual| &actual.limits).collect();
        total.extend(pod_level(pod, &resources.limits, &in_force, options));
    }
    if !options.exclude_overhead {
        for (name, quantity) in &pod.spec.overhead {
            if let Some(limit) = total.get_mut(name).filter(|limit| !limit.is_zero()) {
                *limit += *quantity;
            }
        }
    }
    total
}

/// Pod-level amounts: as specified, or as in force where that counts and there is a status.
fn pod_level(
    pod: &Pod,
    specified: &ResourceList,
    in_force: &[&ResourceList],
    options: &RequestOptions,
) -> ResourceList {
    let resized = options.in_place_pod_level
        && options.use_status_resources
        && pod.status.resources.is_some();
    let mut effective = specified.clone();
    if resized {
        effective = highest(specified, in_force, is_resize_infeasible(pod));
    }
    effective.retain(|name, _| is_pod_level_resource(name) && specified.contains_key(name));
    effective
}

/// The most of what is specified (unless it is refused) and what is in force.
fn highest(specified: &ResourceList, in_force: &[&ResourceList], refused: bool) -> ResourceList {
    let mut result = if refused { ResourceList::new() } else { specified.clone() };
    for list in in_force {
        max_list(&mut result, list);
    }
    result
}

/// What the containers ask for together.
pub fn container_requests(pod: &Pod, options: &RequestOptions) -> ResourceList {
    aggregate(pod, |container, status| {
        let mut requests = container.resources.requests.clone();
        if let Some((status, actual)) = in_force(status, options) {
            let lists = [&actual.requests, &status.allocated_resources];
            requests = highest(&requests, &lists, is_resize_infeasible(pod));
        }
        for (name, quantity) in &options.non_missing_container_requests {
            requests.entry(name.clone()).or_insert(*quantity);
        }
        requests
    })
}

/// What the containers are limited to together.
pub fn container_limits(pod: &Pod, options: &RequestOptions) -> ResourceList {
    aggregate(pod, |container, status| {
        let limits = &container.resources.limits;
        match in_force(status, options) {
            Some((_, actual)) => highest(limits, &[&actual.limits], is_resize_infeasible(pod)),
            None => limits.clone(),
        }
    })
}

/// A status with the resources that are in force, where they count.
fn in_force<'a>(
    status: Option<&'a ContainerStatus>,
    options: &RequestOptions,
) -> Option<(&'a ContainerStatus, &'a ResourceRequirements)> {
    let status = status.filter(|_| options.use_status_resources)?;
    Some((status, status.resources.as_ref()?))
}

/// Sums over the containers what `amounts` says of each: containers and sidecars run together;
/// an init container runs beside the sidecars before it (KEP 753).
fn aggregate(
    pod: &Pod,
    amounts: impl Fn(&Container, Option<&ContainerStatus>) -> ResourceList,
) -> ResourceList {
    // The last status of a name counts.
    let statuses: BTreeMap<&str, &ContainerStatus> = pod
        .status
        .container_statuses
        .iter()
        .chain(&pod.status.init_container_statuses)
        .map(|status| (status.name.as_str(), status))
        .collect();
    let status = |container: &Container| statuses.get(container.name.as_str()).copied();
    let mut total = ResourceList::new();
    for container in &pod.spec.containers {
        add_list(&mut total, &amounts(container, status(container)));
    }
    let mut sidecars = ResourceList::new();
    let mut initial = ResourceList::new();
    for container in &pod.spec.init_containers {
        if container.is_sidecar() {
            let more = amounts(container, status(container));
            add_list(&mut total, &more);
            add_list(&mut sidecars, &more);
            max_list(&mut initial, &sidecars);
        } else {
            // Only sidecars can be resized, so the status of others does not count.
            let mut together = amounts(container, None);
            add_list(&mut together, &sidecars);
            max_list(&mut initial, &together);
        }
    }
    max_list(&mut total, &initial);
    total
}

/// True if the kubelet has refused what the specification asks for.
pub fn is_resize_infeasible(pod: &Pod) -> bool {
    let mut conditions = pod.status.conditions.iter();
    let pending = conditions.find(|condition| condition.kind == "PodResizePending");
    pending.is_some_and(|condition| condition.reason == "Infeasible")
}

/// What a pod asks for, where containers without cpu or memory count as small ones.
pub fn non_zero_requests(pod: &Pod) -> ResourceList {
    let mut options = RequestOptions { use_status_resources: true, ..RequestOptions::default() };
    let asked = has_pod_level_requests(pod).then(|| pod_requests(pod, &options));
    for (name, quantity) in [(CPU, DEFAULT_CPU), (MEMORY, DEFAULT_MEMORY)] {
        if asked.as_ref().is_none_or(|asked| !asked.contains_key(name)) {
            options.non_missing_container_requests.insert(name.to_owned(), quantity);
        }
    }
    pod_requests(pod, &options)
}

/// How much of the resource `name` is asked for: thousandths of cpu, units of anything else. With
/// `non_zero`, no cpu and no memory count as what a small container asks for
/// (`pkg/scheduler/util/pod_resources.go` v1.35).
pub fn request_for_resource(name: &str, requests: &ResourceList, non_zero: bool) -> i64 {
    let default = match name {
        CPU if non_zero => DEFAULT_CPU,
        MEMORY if non_zero => DEFAULT_MEMORY,
        _ => Quantity::default(),
    };
    let quantity = requests.get(name).copied().unwrap_or(default);
    if name == CPU { quantity.milli_value() } else { quantity.value() }
}

#[cfg(test)]
mod tests;
