use serde_json::{Value, json};

use super::{RequestOptions, has_pod_level_resources, non_zero_requests, pod_limits, pod_requests};
use crate::kubernetes::{Pod, ResourceList};

fn pod(value: Value) -> Pod {
    serde_json::from_value(value).expect("a pod")
}

fn list(value: Value) -> ResourceList {
    serde_json::from_value(value).expect("amounts")
}

fn with_status() -> RequestOptions {
    RequestOptions { use_status_resources: true, ..RequestOptions::default() }
}

#[test]
fn an_init_container_runs_beside_the_sidecars_before_it() {
    let pod = pod(json!({ "spec": {
        "containers": [{ "resources": { "requests": { "cpu": "1" }, "limits": { "cpu": "2" } } }],
        "initContainers": [
            { "resources": { "requests": { "cpu": "3" }, "limits": { "cpu": "3" } } },
            { "restartPolicy": "Always",
              "resources": { "requests": { "cpu": "2" }, "limits": { "cpu": "2" } } },
            { "resources": { "requests": { "cpu": "4" }, "limits": { "memory": "1" } } },
        ],
        "overhead": { "cpu": "100m", "memory": "5", "storage": "1" },
    }}));
    let options = RequestOptions::default();
    let expected = json!({ "cpu": "6100m", "memory": "5", "storage": "1" });
    assert_eq!(pod_requests(&pod, &options), list(expected));
    assert_eq!(pod_limits(&pod, &options), list(json!({ "cpu": "4100m", "memory": "6" })));
    let bare = RequestOptions { exclude_overhead: true, ..options };
    assert_eq!(pod_requests(&pod, &bare), list(json!({ "cpu": "6" })));
}

#[test]
fn what_is_in_force_counts_while_a_resize_is_under_way() {
    let resized = |reason: &str| {
        pod(json!({
            "spec": { "containers": [
                { "name": "a", "resources": { "requests": { "cpu": "3" }, "limits": { "cpu": "3" } } }
            ]},
            "status": {
                "conditions": [{ "type": "PodResizePending", "reason": reason }],
                "containerStatuses": [{
                    "name": "a",
                    "resources": { "requests": { "cpu": "1" }, "limits": { "cpu": "1" } },
                    "allocatedResources": { "cpu": "2" },
                }],
            },
        }))
    };
    let cpu = |amount: &str| list(json!({ "cpu": amount }));
    assert_eq!(pod_requests(&resized("Deferred"), &with_status()), cpu("3"));
    assert_eq!(pod_requests(&resized("Infeasible"), &with_status()), cpu("2"));
    assert_eq!(pod_limits(&resized("Deferred"), &with_status()), cpu("3"));
    assert_eq!(pod_limits(&resized("Infeasible"), &with_status()), cpu("1"));
    assert_eq!(pod_requests(&resized("Infeasible"), &RequestOptions::default()), cpu("3"));
}

#[test]
fn pod_level_amounts_stand_in_for_those_of_the_containers() {
    let pod = pod(json!({
        "spec": {
            "containers": [{ "resources": { "requests": { "cpu": "1", "example.com/gpu": "1" } } }],
            "resources": {
                "requests": { "cpu": "2", "hugepages-2Mi": "4Mi", "example.com/gpu": "7" },
                "limits": { "memory": "1Gi" },
            },
            "overhead": { "cpu": "1" },
        },
        "status": {
            "resources": { "requests": { "cpu": "5", "memory": "1" }, "limits": { "memory": "2Gi" } },
            "allocatedResources": { "cpu": "4" },
        },
    }));
    let requests =
        |cpu: &str| list(json!({ "cpu": cpu, "hugepages-2Mi": "4Mi", "example.com/gpu": "1" }));
    assert!(has_pod_level_resources(&pod));
    assert_eq!(pod_requests(&pod, &RequestOptions::default()), requests("3"));
    assert_eq!(pod_requests(&pod, &with_status()), requests("3"));
    let in_place = RequestOptions { in_place_pod_level: true, ..with_status() };
    assert_eq!(pod_requests(&pod, &in_place), requests("6"));
    assert_eq!(pod_limits(&pod, &in_place), list(json!({ "memory": "2Gi" })));
    let skipped = RequestOptions { skip_pod_level: true, ..RequestOptions::default() };
    let of_containers = list(json!({ "cpu": "2", "example.com/gpu": "1" }));
    assert_eq!(pod_requests(&pod, &skipped), of_containers);
    let only = RequestOptions { skip_containers: true, ..RequestOptions::default() };
    assert_eq!(pod_requests(&pod, &only), list(json!({ "cpu": "3", "hugepages-2Mi": "4Mi" })));
}

#[test]
fn containers_that_ask_for_nothing_count_as_small() {
    let pod = pod(json!({ "spec": { "containers": [
        {},
        { "resources": { "requests": { "cpu": "0", "memory": "1Mi" } } },
    ]}}));
    let expected = list(json!({ "cpu": "100m", "memory": "201Mi" }));
    assert_eq!(non_zero_requests(&pod), expected);
}
