use std::sync::Arc;

use serde_json::json;

use super::{GangConfig, Gangs, GroupName, Permit, PodGroup, PostFilter};
use crate::engine::{SimDuration, SimTime};
use crate::kubernetes::{Node, Pod, Time};
use crate::scheduling::kube::{Cache, PodInfo};

const SECOND: fn(u64) -> SimTime = SimTime::from_secs;

struct Cell {
    cache: Cache,
    gangs: Gangs<u32>,
}

fn name() -> GroupName {
    GroupName { namespace: "ns".to_owned(), name: "g".to_owned() }
}

/// Two nodes of 4 cpus, and a group of three pods.
fn cell(config: GangConfig) -> Cell {
    let mut cache = Cache::new();
    for node in ["x", "y"] {
        let node: Node = serde_json::from_value(json!({
            "metadata": { "name": node },
            "status": { "allocatable": { "cpu": "4", "pods": "2", "example.com/gpu": "1" } },
        }))
        .expect("a node");
        cache.set_node(&node);
    }
    let mut gangs = Gangs::new(config);
    gangs.set_group(name(), PodGroup { min_member: 3, ..PodGroup::default() });
    Cell { cache, gangs }
}

fn pod(cell: &mut Cell, name: &str, group: Option<&str>, cpu: &str) -> Arc<PodInfo> {
    let labels = group.map(|group| json!({ "scheduling.x-k8s.io/pod-group": group }));
    let pod: Pod = serde_json::from_value(json!({
        "metadata": { "name": name, "namespace": "ns", "uid": name, "labels": labels },
        "spec": { "containers": [{ "resources": { "requests": { "cpu": cpu } } }] },
    }))
    .expect("a pod");
    cell.cache.intern(&pod)
}

#[test]
fn pods_of_a_group_wait_for_each_other() {
    let mut cell = cell(GangConfig::default());
    let members: Vec<_> = ["a", "b", "c"].map(|name| pod(&mut cell, name, Some("g"), "1")).into();
    let deadline = SECOND(61);
    let first = cell.gangs.permit(1, &members[0], 0, SECOND(1));
    assert_eq!(first, Permit::Wait { deadline, activate_siblings: true });
    let second = cell.gangs.permit(2, &members[1], 1, SECOND(2));
    assert_eq!(second, Permit::Wait { deadline: SECOND(62), activate_siblings: false });
    assert_eq!(cell.gangs.next_deadline(), Some(deadline));
    let last = cell.gangs.permit(3, &members[2], 2, SECOND(3));
    assert_eq!(last, Permit::Success { allowed: vec![1, 2] });
    assert_eq!(cell.gangs.next_deadline(), None);
}

#[test]
fn pods_without_a_group_are_let_through_and_those_of_an_unknown_one_are_not() {
    let mut cell = cell(GangConfig::default());
    let (free, lost) = (pod(&mut cell, "a", None, "1"), pod(&mut cell, "b", Some("other"), "1"));
    assert_eq!(cell.gangs.permit(1, &free, 0, SECOND(0)), Permit::NotSpecified);
    assert_eq!(cell.gangs.permit(2, &lost, 0, SECOND(0)), Permit::NotFound);
    assert_eq!(cell.gangs.pre_filter(&lost, 0, &cell.cache, SECOND(0)), Ok(()));
    let (result, text) = cell.gangs.post_filter(&free, 0, 0, SECOND(0));
    assert_eq!((result, text.as_str()), (PostFilter::NoGroup, "can not find pod group"));
}

#[test]
fn when_one_waits_for_too_long_all_give_their_nodes_back() {
    let mut cell = cell(GangConfig::default());
    let timeout = Some(SimDuration::from_secs(5));
    let group = PodGroup { min_member: 3, schedule_timeout: timeout, ..PodGroup::default() };
    cell.gangs.set_group(name(), group);
    let (a, b) = (pod(&mut cell, "a", Some("g"), "1"), pod(&mut cell, "b", Some("g"), "1"));
    cell.gangs.permit(1, &a, 0, SECOND(0));
    cell.gangs.permit(2, &b, 1, SECOND(3));
    assert!(cell.gangs.timed_out(SECOND(4)).is_empty());
    assert_eq!(cell.gangs.timed_out(SECOND(5)), [1]);
    assert_eq!(cell.gangs.unreserve(1, &a), [2]);
    assert!(!cell.gangs.is_waiting(2) && cell.gangs.next_deadline().is_none());
}

#[test]
fn a_group_that_cannot_be_placed_is_rejected_and_left_alone_for_a_while() {
    let config = GangConfig { backoff: SimDuration::from_secs(10), ..GangConfig::default() };
    let mut cell = cell(config);
    let (a, b) = (pod(&mut cell, "a", Some("g"), "1"), pod(&mut cell, "b", Some("g"), "1"));
    cell.gangs.permit(1, &a, 0, SECOND(0));
    let (result, text) = cell.gangs.post_filter(&b, 3, 3, SECOND(1));
    assert_eq!((result, text.as_str()), (PostFilter::Kept, ""), "there are enough");
    let (result, text) = cell.gangs.post_filter(&b, 1, 3, SECOND(1));
    assert_eq!(result, PostFilter::Rejected { rejected: vec![1] });
    assert!(text.contains("PodGroup ns/g gets rejected due to Pod b"), "{text}");
    let error = cell.gangs.pre_filter(&a, 3, &cell.cache, SECOND(10)).expect_err("it backs off");
    assert_eq!(error, "podGroup ns/g failed recently");
    assert_eq!(cell.gangs.pre_filter(&a, 3, &cell.cache, SECOND(11)), Ok(()));
}

#[test]
fn a_group_that_is_nearly_complete_is_not_rejected() {
    let mut cell = cell(GangConfig { reject_percentage: 34, ..GangConfig::default() });
    let a = pod(&mut cell, "a", Some("g"), "1");
    assert_eq!(cell.gangs.post_filter(&a, 2, 3, SECOND(0)).0, PostFilter::Kept);
    let rejected = PostFilter::Rejected { rejected: Vec::new() };
    assert_eq!(cell.gangs.post_filter(&a, 1, 3, SECOND(0)).0, rejected);
}

#[test]
fn a_group_needs_its_members_and_its_resources() {
    let mut cell = cell(GangConfig::default());
    let a = pod(&mut cell, "a", Some("g"), "3");
    let error = cell.gangs.pre_filter(&a, 2, &cell.cache, SECOND(0)).expect_err("one is missing");
    assert!(error.contains("current pods number: 2, minMember of group: 3"), "{error}");
    let needs = |cpu: &str, gpu: &str| {
        let list = json!({ "cpu": cpu, "example.com/gpu": gpu });
        PodGroup {
            min_member: 3,
            min_resources: Some(serde_json::from_value(list).expect("amounts")),
            ..PodGroup::default()
        }
    };
    cell.gangs.set_group(name(), needs("8", "2"));
    assert_eq!(cell.gangs.pre_filter(&a, 3, &cell.cache, SECOND(0)), Ok(()));
    // What was found lasts as long as a pod waits for the others.
    cell.gangs.set_group(name(), needs("9", "2"));
    assert_eq!(cell.gangs.pre_filter(&a, 3, &cell.cache, SECOND(59)), Ok(()));
    let error = cell.gangs.pre_filter(&a, 3, &cell.cache, SECOND(60)).expect_err("too little cpu");
    assert_eq!(error, "resource gap: 1 cpu");
    cell.gangs.set_group(name(), needs("1", "3"));
    assert!(cell.gangs.pre_filter(&a, 3, &cell.cache, SECOND(60)).is_err());
    // What members of the group hold already counts as free, what others hold does not.
    cell.gangs.set_group(name(), needs("8", "0"));
    let node = cell.cache.node_id("x").expect("the node is there");
    cell.cache.add_pod(a.clone(), node);
    assert_eq!(cell.gangs.pre_filter(&a, 3, &cell.cache, SECOND(60)), Ok(()));
    assert_eq!(Gangs::<u32>::assigned(&name(), &cell.cache), 1);
    let other = pod(&mut cell, "o", None, "1");
    cell.cache.add_pod(other, node);
    assert!(cell.gangs.pre_filter(&a, 3, &cell.cache, SECOND(200)).is_err());
}

#[test]
fn pods_of_a_group_stand_together_in_the_queue() {
    let mut cell = cell(GangConfig::default());
    let created = Some(Time(5));
    let group = PodGroup { min_member: 3, created, ..PodGroup::default() };
    cell.gangs.set_group(name(), group);
    let pods = [("z", Some("g")), ("m", None), ("b", Some("g"))];
    let mut keys: Vec<_> = pods
        .iter()
        .zip([9, 6, 7])
        .map(|((name, group), attempt)| {
            let pod = pod(&mut cell, name, *group, "1");
            cell.gangs.key(&pod, Some(Time(attempt)))
        })
        .collect();
    keys.sort();
    let order: Vec<&str> = keys.iter().map(|key| key.pod.as_str()).collect();
    assert_eq!(order, ["ns/b", "ns/z", "ns/m"]);
}
