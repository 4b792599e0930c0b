//! What a pod asks for in all (`k8s.io/component-helpers/resource/helpers.go` v0.35).

use super::{Container, ContainerStatus, Pod, Quantity, ResourceList};

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
    /// Leave pod-level resources out.
    pub skip_pod_level: bool,
    /// Leave the containers out.
    pub skip_containers: bool,
    /// Leave the overhead out.
    pub exclude_overhead: bool,
    /// Counted for containers that name no amount of these.
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
        for (name, quantity) in &resources.requests {
            if is_pod_level_resource(name) {
                total.insert(name.clone(), *quantity);
            }
        }
    }
    if !options.exclude_overhead {
        add_list(&mut total, &pod.spec.overhead);
    }
    total
}

/// What the containers ask for together.
pub fn container_requests(pod: &Pod, options: &RequestOptions) -> ResourceList {
    let mut total = ResourceList::new();
    for container in &pod.spec.containers {
        let statuses = &pod.status.container_statuses;
        add_list(&mut total, &requests_of(pod, container, statuses, true, options));
    }
    let mut sidecars = ResourceList::new();
    let mut highest = ResourceList::new();
    for container in &pod.spec.init_containers {
        let sidecar = container.is_sidecar();
        let statuses = &pod.status.init_container_statuses;
        let mut requests = requests_of(pod, container, statuses, sidecar, options);
        if sidecar {
            add_list(&mut total, &requests);
            add_list(&mut sidecars, &requests);
            requests = sidecars.clone();
        } else {
            add_list(&mut requests, &sidecars);
        }
        max_list(&mut highest, &requests);
    }
    max_list(&mut total, &highest);
    total
}

fn requests_of(
    pod: &Pod,
    container: &Container,
    statuses: &[ContainerStatus],
    resizable: bool,
    options: &RequestOptions,
) -> ResourceList {
    let mut requests = container.resources.requests.clone();
    if options.use_status_resources && resizable {
        let status = statuses.iter().find(|status| status.name == container.name);
        if let Some((status, actual)) =
            status.and_then(|status| Some((status, status.resources.as_ref()?)))
        {
            if is_resize_infeasible(pod) {
                requests = ResourceList::new();
            }
            max_list(&mut requests, &actual.requests);
            max_list(&mut requests, &status.allocated_resources);
        }
    }
    for (name, quantity) in &options.non_missing_container_requests {
        requests.entry(name.clone()).or_insert(*quantity);
    }
    requests
}

/// True if the kubelet has refused what the specification asks for.
fn is_resize_infeasible(pod: &Pod) -> bool {
    pod.status
        .conditions
        .iter()
        .any(|condition| condition.kind == "PodResizePending" && condition.reason == "Infeasible")
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
