//! `resources.*`: what a pod asks for and is limited to, `util.*requests`: how it is counted.

use cellsim::kubernetes::requests::{
    RequestOptions, container_limits, container_requests, pod_limits, pod_requests,
    request_for_resource,
};
use cellsim::kubernetes::{Pod, ResourceList};
use serde_json::{Value, json};

use crate::families::Runner;
use crate::support::{read, read_or_default, same};

pub fn runner(suite: &str) -> Option<Runner> {
    Some(match suite {
        "resources.aggregate_containers" => aggregate_containers,
        "resources.pod_level_requests" | "resources.pod_requests" => requests,
        "resources.pod_limits" => limits,
        "resources.pod_requests_and_limits" => |case| both(case, false),
        "resources.pod_requests_and_limits_no_overhead" => |case| both(case, true),
        "util.request_for_resource" => for_resource,
        "util.non_zero_requests" => non_zero,
        _ => return None,
    })
}

/// The options of a case: `options` or `opts`, by the names of Go.
fn options(case: &Value) -> Result<RequestOptions, String> {
    let name = if case.pointer("/input/opts").is_some() { "opts" } else { "options" };
    let flag = |field: &str| read_or_default::<bool>(case, &format!("/input/{name}/{field}"));
    let non_missing = format!("/input/{name}/NonMissingContainerRequests");
    Ok(RequestOptions {
        use_status_resources: flag("UseStatusResources")?,
        in_place_pod_level: flag("InPlacePodLevelResourcesVerticalScalingEnabled")?,
        skip_pod_level: flag("SkipPodLevelResources")?,
        skip_containers: flag("SkipContainerLevelResources")?,
        exclude_overhead: flag("ExcludeOverhead")?,
        non_missing_container_requests: read_or_default(case, &non_missing)?,
    })
}

/// The pod whose parts the case lists.
fn pod(case: &Value) -> Result<Pod, String> {
    let input = |names: &[&str]| {
        let mut values = names.iter().filter_map(|name| case["input"].get(name));
        values.next().cloned().unwrap_or_default()
    };
    let pod = json!({
        "spec": {
            "containers": input(&["containers"]),
            "initContainers": input(&["initContainers"]),
            "overhead": input(&["overhead"]),
            "resources": input(&["podResources"]),
        },
        "status": {
            "containerStatuses": input(&["containerStatuses", "containerStatus"]),
            "initContainerStatuses": input(&["initContainerStatuses"]),
            "conditions": input(&["podResizeStatus"]),
            "resources": input(&["podStatusResources"]),
            "allocatedResources": input(&["podAllocatedResources"]),
        },
    });
    serde_json::from_value(pod).map_err(|error| error.to_string())
}

fn expect(case: &Value, name: &str, actual: &ResourceList) -> Result<(), String> {
    same(name, actual, &read_or_default(case, &format!("/expected/{name}"))?)
}

fn aggregate_containers(case: &Value) -> Result<(), String> {
    let (pod, options) = (pod(case)?, options(case)?);
    expect(case, "expectedRequests", &container_requests(&pod, &options))?;
    expect(case, "expectedLimits", &container_limits(&pod, &options))
}

fn requests(case: &Value) -> Result<(), String> {
    expect(case, "expectedRequests", &pod_requests(&pod(case)?, &options(case)?))
}

fn limits(case: &Value) -> Result<(), String> {
    expect(case, "expectedLimits", &pod_limits(&pod(case)?, &options(case)?))
}

fn both(case: &Value, exclude_overhead: bool) -> Result<(), String> {
    let pod: Pod = read(case, "/input/pod")?;
    let options = RequestOptions { exclude_overhead, ..RequestOptions::default() };
    expect(case, "expectedRequests", &pod_requests(&pod, &options))?;
    expect(case, "expectedLimits", &pod_limits(&pod, &options))
}

fn for_resource(case: &Value) -> Result<(), String> {
    let name: String = read(case, "/input/resource")?;
    let requests: ResourceList = read_or_default(case, "/input/requests")?;
    let value = request_for_resource(&name, &requests, read(case, "/input/non_zero")?);
    same(&name, &value, &read(case, "/expected/value")?)
}

fn non_zero(case: &Value) -> Result<(), String> {
    let requests: ResourceList = read_or_default(case, "/input/requests")?;
    let amount = |name: &str| request_for_resource(name, &requests, true);
    same("cpu", &amount("cpu"), &read(case, "/expected/milli_cpu")?)?;
    same("memory", &amount("memory"), &read(case, "/expected/memory_bytes")?)
}
