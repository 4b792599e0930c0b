use serde_json::{Value, json};

use super::{ElasticQuota, ElasticQuotas};
use crate::kubernetes::{Node, Pod, ResourceList, Time};
use crate::scheduling::kube::{Code, Profile, Scheduler, Status};

fn list(memory: i64) -> ResourceList {
    serde_json::from_value(json!({ "memory": memory.to_string() })).expect("amounts")
}

fn pod(name: &str, namespace: &str, priority: i32, memory: i64, node: &str) -> Pod {
    let value: Value = json!({
        "metadata": { "name": name, "namespace": namespace, "uid": name },
        "spec": {
            "priority": priority,
            "nodeName": node,
            "containers": [{ "resources": { "requests": list(memory) } }],
        },
    });
    serde_json::from_value(value).expect("a pod")
}

/// One node with 300 bytes of memory.
fn scheduler() -> Scheduler {
    let profile = Profile::of([("NodeResourcesFit", 1)]).expect("the plugin exists");
    let mut scheduler = Scheduler::new(crate::scheduling::kube::Cache::new(), profile);
    let node: Node = serde_json::from_value(json!({
        "metadata": { "name": "n" },
        "status": { "allocatable": { "memory": "300", "pods": "10" } },
    }))
    .expect("a node");
    scheduler.cache.set_node(&node);
    scheduler
}

/// Namespaces `a` (min 200) and `b` (min 100), both at most 300.
fn quotas() -> ElasticQuotas {
    let mut quotas = ElasticQuotas::default();
    for (namespace, min) in [("a", 200), ("b", 100)] {
        let none = ResourceList::new();
        let quota = ElasticQuota::new(namespace, Some(&list(min)), Some(&list(300)), &none);
        quotas.set(quota);
    }
    quotas
}

fn place(scheduler: &mut Scheduler, quotas: &mut ElasticQuotas, pod: &Pod) {
    let pod = scheduler.cache.intern(pod);
    let node = scheduler.cache.node_id("n").expect("the node is there");
    quotas.add_pod(&pod);
    quotas.add_pod(&pod);
    scheduler.cache.add_pod(pod, node);
}

/// Names of the victims, or the code of the failure.
fn victims(
    scheduler: &mut Scheduler,
    quotas: &ElasticQuotas,
    pod: &Pod,
) -> Result<Vec<String>, Status> {
    let pod = scheduler.cache.intern(pod);
    let cycle = scheduler.schedule(&pod)?;
    let (state, _) = quotas.pre_filter(&pod, []);
    let result = state.preempt(scheduler, &pod, &cycle.state, &cycle.diagnosis.statuses, Time(0));
    match result.first() {
        Some(candidate) => Ok(candidate.victims.iter().map(|pod| pod.name.clone()).collect()),
        None => Err(result.status),
    }
}

#[test]
fn a_namespace_may_borrow_what_others_leave_over() {
    let mut scheduler = scheduler();
    let mut quotas = quotas();
    place(&mut scheduler, &mut quotas, &pod("b1", "b", 0, 200, "n"));
    let quota = quotas.get("b").expect("it has one");
    assert_eq!((quota.used.memory, quota.pods()), (200, 1), "a pod is counted once");
    assert!(quota.used_over_min());
    let code = |quotas: &ElasticQuotas, scheduler: &mut Scheduler, one: &Pod| {
        let one = scheduler.cache.intern(one);
        quotas.pre_filter(&one, []).1.code
    };
    let more = pod("b2", "b", 0, 100, "");
    assert_eq!(code(&quotas, &mut scheduler, &more), Code::Success);
    let too_much = pod("b2", "b", 0, 101, "");
    assert_eq!(code(&quotas, &mut scheduler, &too_much), Code::Unschedulable);
    let free = pod("c1", "c", 0, 1_000, "");
    assert_eq!(code(&quotas, &mut scheduler, &free), Code::Success, "no quota, no limit");
    place(&mut scheduler, &mut quotas, &pod("a1", "a", 0, 100, "n"));
    assert_eq!(code(&quotas, &mut scheduler, &pod("b2", "b", 0, 1, "")), Code::Unschedulable);
}

#[test]
fn what_was_borrowed_is_taken_back_whatever_its_priority() {
    let mut scheduler = scheduler();
    let mut quotas = quotas();
    for one in
        [pod("b1", "b", 9, 100, "n"), pod("b2", "b", 5, 100, "n"), pod("b3", "b", 5, 100, "n")]
    {
        place(&mut scheduler, &mut quotas, &one);
    }
    // Only as many go as bring `b` back to its min, and the least important ones.
    let found = victims(&mut scheduler, &quotas, &pod("a1", "a", 0, 200, ""));
    let mut found = found.expect("there is a candidate");
    found.sort();
    assert_eq!(found, ["b2", "b3"]);
    let found = victims(&mut scheduler, &quotas, &pod("a1", "a", 0, 100, ""));
    assert_eq!(found.map(|names| names.len()), Ok(1));
}

#[test]
fn beyond_its_min_a_namespace_preempts_its_own_pods_only() {
    let mut scheduler = scheduler();
    let mut quotas = quotas();
    for one in [pod("a1", "a", 1, 200, "n"), pod("b1", "b", 0, 100, "n")] {
        place(&mut scheduler, &mut quotas, &one);
    }
    let found = victims(&mut scheduler, &quotas, &pod("a2", "a", 5, 50, ""));
    assert_eq!(found.as_deref(), Ok(&["a1".to_owned()][..]));
    let found = victims(&mut scheduler, &quotas, &pod("a2", "a", 1, 50, ""));
    assert!(found.expect_err("nobody is lower").message().contains("No victims found on node n"));
    let found = victims(&mut scheduler, &quotas, &pod("c1", "c", 9, 50, ""));
    assert!(found.is_err(), "without a quota nobody with one makes way");
}

#[test]
fn a_changed_quota_goes_on_counting() {
    let mut scheduler = scheduler();
    let mut quotas = quotas();
    let one = pod("b1", "b", 0, 100, "n");
    place(&mut scheduler, &mut quotas, &one);
    quotas.set(ElasticQuota::new("b", None, None, &ResourceList::new()));
    let quota = quotas.get("b").expect("it has one");
    assert_eq!(quota.used.memory, 100);
    assert!(quota.used_over_min(), "it is sure of nothing now");
    let one = scheduler.cache.intern(&one);
    quotas.remove_pod(&one);
    quotas.remove_pod(&one);
    assert_eq!(quotas.get("b").map(|quota| quota.used.memory), Some(0));
    quotas.remove("b");
    assert_eq!(quotas.get("b"), None);
}
