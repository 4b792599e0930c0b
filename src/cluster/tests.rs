//! The verbs, one promise at a time.

use std::sync::Arc;

use super::*;
use crate::engine::{SimDuration, SimTime};

fn spec(name: &str, cpu: i64, memory: i64) -> NodeSpec {
    NodeSpec {
        name: name.to_owned(),
        allocatable: Resources([cpu, memory, 0, 10, 0, 0, 0, 0]),
        ..NodeSpec::default()
    }
}

fn cell(nodes: &[NodeSpec]) -> Cluster {
    let mut cluster = Cluster::new(DomainGraph::default(), Overcommit::default());
    for node in nodes {
        cluster.add_node(Arc::new(node.clone()));
    }
    cluster
}

fn arrive(cluster: &mut Cluster, template: &PodTemplate, requests: Resources) -> PodId {
    let gpu = GpuRequest::default();
    arrive_with(cluster, template, requests, gpu, 1)
}

fn arrive_with(
    cluster: &mut Cluster,
    template: &PodTemplate,
    requests: Resources,
    gpu: GpuRequest,
    job: u64,
) -> PodId {
    let template = cluster.declare_template(template);
    let new = NewPod {
        key: 0,
        workload: cluster.workload_of_key(job),
        work: SimDuration::from_secs(100),
        work_end: WorkEnd::Succeeds,
        usage_permille: [1000, 1000],
    };
    cluster.submit(new, template, requests, gpu)
}

fn never(_: &Cluster, _: &Pod) -> Option<SimDuration> {
    None
}

#[test]
fn a_bound_pod_reserves_and_a_finished_pod_frees_its_node() {
    let mut cluster = cell(&[spec("a", 1000, 100)]);
    let pod = arrive(&mut cluster, &PodTemplate::default(), Resources::pod(600, 60));
    cluster.bind(pod, NodeId(0)).expect("there is room");
    cluster.start(pod);
    assert_eq!(cluster.nodes().free(NodeId(0)).0[..4], [400, 40, 0, 9]);
    cluster.audit().expect("the books are right");
    cluster.advance_to(SimTime::from_secs(100));
    cluster.end(pod, Ending::Succeeded);
    assert_eq!(cluster.nodes().free(NodeId(0)).0[..4], [1000, 100, 0, 10]);
    cluster.settle();
    assert_eq!(cluster.pods().live(), 0);
    cluster.audit().expect("the books are right");
}

#[test]
fn a_node_without_room_refuses_and_nothing_changes() {
    let mut cluster = cell(&[spec("a", 1000, 100)]);
    let pod = arrive(&mut cluster, &PodTemplate::default(), Resources::pod(600, 101));
    assert_eq!(cluster.bind(pod, NodeId(0)), Err(NotAdmitted));
    assert_eq!(cluster.pod(pod).state, PodState::Pending);
    cluster.audit().expect("the books are right");
}

#[test]
fn slots_follow_what_is_alive_not_what_ever_lived() {
    let mut cluster = cell(&[spec("a", 1000, 1_000_000)]);
    let template = cluster.declare_template(&PodTemplate::default());
    for number in 0..10_000 {
        let new = NewPod {
            key: number,
            workload: cluster.workload_of_key(number),
            work: SimDuration::from_secs(1),
            work_end: WorkEnd::Succeeds,
            usage_permille: [1000, 1000],
        };
        // Each pod a class of its own.
        let requests = Resources::pod(1, 1 + number as i64);
        let pod = cluster.submit(new, template, requests, GpuRequest::default());
        cluster.bind(pod, NodeId(0)).expect("there is room");
        cluster.start(pod);
        cluster.end(pod, Ending::Succeeded);
        cluster.settle();
    }
    assert_eq!(cluster.pods().submitted(), 10_000);
    assert!(cluster.classes().slots() <= 2, "{} classes", cluster.classes().slots());
    assert!(cluster.workloads().slots() <= 2, "{} workloads", cluster.workloads().slots());
}

#[test]
fn pods_of_one_spec_share_a_class() {
    let mut cluster = cell(&[]);
    let template = PodTemplate::default();
    let id = cluster.declare_template(&template);
    let workload = cluster.workload_of_key(1);
    let new = NewPod {
        key: 0,
        workload,
        work: SimDuration::ZERO,
        work_end: WorkEnd::Never,
        usage_permille: [0, 0],
    };
    let gpu = GpuRequest::default();
    let one = cluster.submit(new, id, Resources::pod(1, 1), gpu);
    let other = cluster.submit(new, id, Resources::pod(1, 1), gpu);
    let third = cluster.submit(new, id, Resources::pod(2, 1), gpu);
    assert_eq!(cluster.pod(one).class, cluster.pod(other).class);
    assert_ne!(cluster.pod(one).class, cluster.pod(third).class);
    assert_eq!(cluster.classes().pods(cluster.pod(one).class), 2);
}

#[test]
fn a_stale_reference_does_not_resolve() {
    let mut cluster = cell(&[spec("a", 1000, 100)]);
    let pod = arrive(&mut cluster, &PodTemplate::default(), Resources::pod(1, 1));
    cluster.bind(pod, NodeId(0)).expect("there is room");
    let incarnation = cluster.start(pod);
    let reference = PodRef { pod, incarnation };
    assert!(cluster.pods().resolve(reference).is_some());
    cluster.evict(pod, EvictionCause::Other, None);
    assert!(cluster.pods().resolve(reference).is_none(), "it was evicted since");
}

#[test]
fn overcommit_stretches_capacity_by_tier() {
    let mut overcommit = Overcommit::default();
    overcommit.set(Tier::Free, Dimension::CPU, 1500);
    let mut cluster = Cluster::new(DomainGraph::default(), overcommit);
    cluster.add_node(Arc::new(spec("a", 1000, 100)));
    let free = PodTemplate { tier: Tier::Free, ..PodTemplate::default() };
    let production = PodTemplate { tier: Tier::Production, ..PodTemplate::default() };
    let first = arrive(&mut cluster, &free, Resources::pod(900, 1));
    cluster.bind(first, NodeId(0)).expect("an empty node");
    let second = arrive(&mut cluster, &production, Resources::pod(101, 1));
    assert!(cluster.bind(second, NodeId(0)).is_err(), "production may fill it up to 1000 only");
    let third = arrive(&mut cluster, &production, Resources::pod(100, 1));
    cluster.bind(third, NodeId(0)).expect("900 + 100 = 1000");
    let fourth = arrive(&mut cluster, &free, Resources::pod(500, 1));
    cluster.bind(fourth, NodeId(0)).expect("free work may fill it up to 1500");
    cluster.audit().expect("the books are right");
}

#[test]
fn gpu_shares_go_to_the_fullest_device_that_holds_them() {
    let mut node = spec("a", 8000, 800);
    node.gpu_devices = 2;
    node.allocatable[Dimension::GPU] = 2000;
    let mut cluster = cell(&[node]);
    let mut place = |devices: u8, milli: u16| {
        let gpu = GpuRequest { devices, milli };
        let mut requests = Resources::pod(1, 1);
        requests[Dimension::GPU] = gpu.total_milli();
        let pod = arrive_with(&mut cluster, &PodTemplate::default(), requests, gpu, 1);
        let bound = cluster.bind(pod, NodeId(0)).is_ok();
        (bound, cluster.nodes().devices(NodeId(0)).free_milli().to_vec())
    };
    assert_eq!(place(1, 600), (true, vec![400, 1000]));
    assert_eq!(place(1, 300), (true, vec![100, 1000]));
    assert_eq!(place(1, 300), (true, vec![100, 700]));
    // 800 milli are free in all, but no device is free as a whole.
    assert_eq!(place(1, 1000), (false, vec![100, 700]));
}

#[test]
fn taints_labels_and_attributes_decide_where_a_pod_may_go() {
    let mut tainted = spec("tainted", 1000, 100);
    tainted.taints = vec![Taint {
        key: "dedicated".to_owned(),
        value: "db".to_owned(),
        effect: TaintEffect::NoSchedule,
    }];
    let mut labelled = spec("labelled", 1000, 100);
    labelled.labels.insert("disk".to_owned(), "ssd".to_owned());
    labelled.attributes.insert("kernel".to_owned(), "5".to_owned());
    let mut cluster = cell(&[tainted, labelled]);
    let mut places = |constraints: NodeConstraints| {
        let template = PodTemplate { constraints, ..PodTemplate::default() };
        let pod = arrive(&mut cluster, &template, Resources::pod(1, 1));
        let class = *cluster.class_of(pod);
        let admitting = cluster.nodes().ids().filter(|node| cluster.admits(&class, *node));
        admitting.map(|node| node.0).collect::<Vec<u32>>()
    };
    let attribute = |operator, value: &str| NodeConstraints {
        attributes: vec![AttributeConstraint {
            name: "kernel".to_owned(),
            operator,
            value: value.to_owned(),
        }],
        tolerations: vec![Toleration {
            key: String::new(),
            operator: TolerationOperator::Exists,
            value: String::new(),
            effect: None,
        }],
        ..NodeConstraints::default()
    };
    assert_eq!(places(NodeConstraints::default()), [1]);
    assert_eq!(places(attribute(AttributeOperator::Equal, "5")), [1]);
    // An absent attribute is "" as a string and 0 as a number (trace format v2.1).
    assert_eq!(places(attribute(AttributeOperator::NotEqual, "5")), [0]);
    assert_eq!(places(attribute(AttributeOperator::LessThan, "5")), [0]);
    assert_eq!(places(attribute(AttributeOperator::GreaterThan, "4")), [1]);
    assert_eq!(places(attribute(AttributeOperator::Present, "")), [1]);
    let selector = [("disk".to_owned(), "ssd".to_owned())].into();
    let wanted = NodeConstraints { node_selector: selector, ..NodeConstraints::default() };
    assert_eq!(places(wanted), [1]);
}

#[test]
fn what_is_preferred_of_a_node_is_the_weight_of_what_holds_there() {
    let mut labelled = spec("a", 1000, 100);
    labelled.labels.insert("disk".to_owned(), "ssd".to_owned());
    labelled.attributes.insert("kernel".to_owned(), "5".to_owned());
    let mut cluster = cell(&[labelled, spec("b", 1000, 100)]);
    let disk = |operator, values: &[&str]| LabelExpression {
        key: "disk".to_owned(),
        operator,
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    let kernel = |operator, value: &str| AttributeConstraint {
        name: "kernel".to_owned(),
        operator,
        value: value.to_owned(),
    };
    let preference = |weight, labels, attributes| Preference { weight, labels, attributes };
    let constraints = NodeConstraints {
        preferences: vec![
            preference(10, vec![disk(SelectorOperator::In, &["ssd", "nvme"])], Vec::new()),
            // Both halves have to hold.
            preference(
                100,
                vec![disk(SelectorOperator::Exists, &[])],
                vec![kernel(AttributeOperator::GreaterThan, "5")],
            ),
            preference(1000, Vec::new(), vec![kernel(AttributeOperator::NotPresent, "")]),
        ],
        ..NodeConstraints::default()
    };
    let template = PodTemplate { constraints, ..PodTemplate::default() };
    let pod = arrive(&mut cluster, &template, Resources::pod(1, 1));
    let id = cluster.class_of(pod).constraints;
    let preferred =
        |cluster: &Cluster| [0, 1].map(|node| cluster.nodes().preferred(id, NodeId(node)));
    assert_eq!(preferred(&cluster), [10, 1000]);
    assert_eq!(cluster.nodes().preference_weight(id), 1110);
    let mut newer = spec("a", 1000, 100);
    newer.labels.insert("disk".to_owned(), "nvme".to_owned());
    newer.attributes.insert("kernel".to_owned(), "6".to_owned());
    cluster.update_node(NodeId(0), Arc::new(newer));
    assert_eq!(preferred(&cluster), [110, 1000]);
    assert_eq!(cluster.nodes().preference_levels(id), [1000, 110, 10, 0]);
    cluster.audit().expect("the books are right");
}

#[test]
fn a_cordoned_or_unready_node_takes_no_new_pods_and_keeps_its_old_ones() {
    let mut cluster = cell(&[spec("a", 1000, 100)]);
    let old = arrive(&mut cluster, &PodTemplate::default(), Resources::pod(1, 1));
    cluster.bind(old, NodeId(0)).expect("there is room");
    assert!(cluster.cordon(NodeId(0), true));
    assert!(!cluster.cordon(NodeId(0), true), "that is no news");
    let new = arrive(&mut cluster, &PodTemplate::default(), Resources::pod(1, 1));
    assert!(cluster.bind(new, NodeId(0)).is_err());
    cluster.cordon(NodeId(0), false);
    cluster.observe_readiness(NodeId(0), false);
    assert!(cluster.bind(new, NodeId(0)).is_err());
    assert_eq!(cluster.nodes().pod_count(NodeId(0)), 1);
    cluster.audit().expect("the books are right");
}

#[test]
fn a_shrunken_node_keeps_its_pods_and_admits_no_more() {
    let mut cluster = cell(&[spec("a", 1000, 100)]);
    let pod = arrive(&mut cluster, &PodTemplate::default(), Resources::pod(800, 10));
    cluster.bind(pod, NodeId(0)).expect("there is room");
    cluster.update_node(NodeId(0), Arc::new(spec("a", 500, 100)));
    assert_eq!(cluster.nodes().free(NodeId(0))[Dimension::CPU], -300);
    let other = arrive(&mut cluster, &PodTemplate::default(), Resources::pod(0, 1));
    assert!(cluster.bind(other, NodeId(0)).is_err());
    cluster.audit().expect("the books are right all the same");
}

#[test]
fn one_of_a_job_per_node_where_that_is_asked() {
    let mut cluster = cell(&[spec("a", 1000, 100), spec("b", 1000, 100)]);
    let alone = PodTemplate { one_per_node: true, ..PodTemplate::default() };
    let request = Resources::pod(1, 1);
    let gpu = GpuRequest::default();
    let first = arrive_with(&mut cluster, &alone, request, gpu, 1);
    cluster.bind(first, NodeId(0)).expect("there is room");
    let second = arrive_with(&mut cluster, &alone, request, gpu, 1);
    assert!(cluster.bind(second, NodeId(0)).is_err());
    let stranger = arrive_with(&mut cluster, &alone, request, gpu, 2);
    cluster.bind(stranger, NodeId(0)).expect("another job's pod may");
    cluster.evict(first, EvictionCause::Other, None);
    cluster.bind(second, NodeId(0)).expect("the first is gone");
    cluster.audit().expect("the books are right");
}

#[test]
fn domains_must_not_contain_themselves() {
    let domain = |name: &str, parent: &str| DomainSpec {
        name: name.to_owned(),
        kind: "rack".to_owned(),
        parents: vec![parent.to_owned()],
    };
    let cycle = DomainGraph::new(&[domain("a", "b"), domain("b", "a")]);
    assert!(matches!(cycle, Err(DomainError::Cycle(_))));
    let stranger = DomainGraph::new(&[domain("a", "b")]);
    assert!(matches!(stranger, Err(DomainError::UnknownParent { .. })));
}

#[test]
fn a_node_that_joins_below_a_failed_domain_is_down() {
    let rack = DomainSpec { name: "r".to_owned(), kind: "rack".to_owned(), parents: Vec::new() };
    let domains = DomainGraph::new(&[rack]).expect("one domain");
    let mut cluster = Cluster::new(domains, Overcommit::default());
    let mut node = spec("a", 1000, 100);
    node.domains = vec!["r".to_owned()];
    let rack = cluster.domains().find("r").expect("it was declared");
    cluster.begin_domain_fault(rack, &never);
    let id = cluster.add_node(Arc::new(node));
    assert!(!cluster.nodes().condition(id).is_up());
    cluster.end_domain_fault(rack, &never);
    assert!(cluster.nodes().condition(id).is_up());
}
