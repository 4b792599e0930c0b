//! VolumeRestrictions.

use serde_json::{Value, json};

use super::{Case, bound, cell, claiming, intern, node, on, pod, run, verdict};
use crate::kubernetes::Time;
use crate::scheduling::kube::{Profile, Scheduler};

const PLUGIN: &str = "VolumeRestrictions";
const DISK: &str = "Unschedulable: node(s) had no available disk";
const CLAIM: &str = "Unschedulable: node has pod using PersistentVolumeClaim with the same name and \
                     ReadWriteOncePod access mode";

fn nodes() -> Vec<Value> {
    vec![node("a", &json!({})), node("b", &json!({}))]
}

/// A cell of the nodes `a` and `b` with a pod on `a` that has this volume.
fn with_volume_on_a(volume: Value) -> Vec<Value> {
    let mut objects = nodes();
    objects.push(on("a", pod("there", &json!([volume]))));
    objects
}

/// A claim that one pod may use at a time.
fn exclusive(name: &str) -> Value {
    let mut claim = bound(name, name);
    claim["spec"]["accessModes"] = json!(["ReadWriteOncePod"]);
    claim
}

#[test]
fn disks_can_be_attached_once() {
    let gce =
        |read_only: bool| json!({ "gcePersistentDisk": { "pdName": "d", "readOnly": read_only } });
    let aws = |read_only: bool| json!({ "awsElasticBlockStore": { "volumeID": "d", "readOnly": read_only } });
    let iscsi = |iqn: &str, read_only: bool| json!({ "iscsi": { "targetPortal": "p", "iqn": iqn, "lun": 0, "readOnly": read_only } });
    let rbd = |monitors: &[&str], pool: &str, read_only: bool| json!({ "rbd": { "monitors": monitors, "pool": pool, "image": "i", "readOnly": read_only } });
    let case = |name, there: Value, new: Value, taken: bool| -> Case {
        let first = if taken { DISK } else { "Success" };
        (name, with_volume_on_a(there), pod("new", &json!([new])), vec![first, "Success"])
    };
    run(
        PLUGIN,
        vec![
            case("gce", gce(false), gce(false), true),
            case("gce, one read only", gce(true), gce(false), true),
            case("gce, both read only", gce(true), gce(true), false),
            case("aws", aws(false), aws(false), true),
            case("aws, even if both read only", aws(true), aws(true), true),
            case("another kind of disk", aws(false), gce(false), false),
            case("iscsi", iscsi("x", false), iscsi("x", true), true),
            case("iscsi, both read only", iscsi("x", true), iscsi("x", true), false),
            case("iscsi, another name", iscsi("x", false), iscsi("y", false), false),
            case("rbd", rbd(&["1", "2"], "p", false), rbd(&["2", "3"], "p", false), true),
            case("rbd, read only", rbd(&["1"], "p", true), rbd(&["1"], "p", true), false),
            case(
                "rbd, no monitor in common",
                rbd(&["1"], "p", false),
                rbd(&["2"], "p", false),
                false,
            ),
            case("rbd, another pool", rbd(&["1"], "p", false), rbd(&["1"], "q", false), false),
        ],
    );
}

#[test]
fn pods_without_such_volumes_are_skipped() {
    let mut objects = nodes();
    objects.push(bound("shared", "v"));
    objects.push(on("a", claiming("there", &["shared"])));
    run(
        PLUGIN,
        vec![
            ("no volumes", nodes(), pod("new", &json!([])), vec!["Skip"]),
            ("an empty folder", nodes(), pod("new", &json!([{ "name": "tmp" }])), vec!["Skip"]),
            ("a claim for many", objects, claiming("new", &["shared"]), vec!["Skip"]),
        ],
    );
}

#[test]
fn a_claim_for_one_pod_is_for_one_pod_anywhere() {
    let with = |more: &[Value]| {
        let mut objects = nodes();
        objects.push(exclusive("mine"));
        objects.extend(more.iter().cloned());
        objects
    };
    let mut elsewhere = on("a", claiming("there", &["mine"]));
    elsewhere["metadata"]["namespace"] = "other".into();
    let missing = "UnschedulableAndUnresolvable: persistentvolumeclaim \"mine\" not found";
    run(
        PLUGIN,
        vec![
            ("free", with(&[]), claiming("new", &["mine"]), vec!["Skip"]),
            (
                "used",
                with(&[on("a", claiming("there", &["mine"]))]),
                claiming("new", &["mine"]),
                vec![CLAIM, CLAIM],
            ),
            ("another namespace", with(&[elsewhere]), claiming("new", &["mine"]), vec!["Skip"]),
            ("not there", nodes(), claiming("new", &["mine"]), vec![missing]),
        ],
    );
}

#[test]
fn a_claim_is_free_when_its_pod_leaves() {
    let mut objects = nodes();
    objects.push(exclusive("mine"));
    objects.push(on("a", claiming("there", &["mine"])));
    let mut cache = cell(&objects);
    let new = intern(&mut cache, &claiming("new", &["mine"]));
    assert_eq!(verdict(PLUGIN, &cache, &new), [CLAIM, CLAIM]);
    let a = cache.node_id("a").expect("there");
    let there = cache.node(a).pods[0].clone();
    let mut without = cache.clone();
    assert!(without.remove_pod(&there, a));
    assert_eq!(verdict(PLUGIN, &without, &new), ["Skip"]);
    assert!(cache.remove_node("a"), "its pods go with the node");
    assert_eq!(verdict(PLUGIN, &cache, &new), ["Skip"]);
}

#[test]
fn the_user_of_a_claim_can_be_preempted() {
    let mut objects = nodes();
    let low = |name: &str, claims: &[&str]| {
        let mut pod = claiming(name, claims);
        pod["spec"]["priority"] = 1.into();
        pod
    };
    objects.push(exclusive("mine"));
    objects.push(bound("shared", "w"));
    objects.push(on("a", low("bystander", &["shared"])));
    objects.push(on("a", low("there", &["mine"])));
    objects.push(on("b", low("other", &[])));
    let profile = Profile::of([(PLUGIN, 0)]).expect("it exists");
    let mut scheduler = Scheduler::new(cell(&objects), profile);
    let mut important = claiming("new", &["mine"]);
    important["spec"]["priority"] = 10.into();
    let important = intern(&mut scheduler.cache, &important);
    let cycle = scheduler.schedule(&important).expect("no plugin fails");
    assert!(cycle.best.is_empty());
    let found = scheduler.preempt(&important, &cycle, 0, Time(0));
    let candidate = found.first().expect("a candidate");
    assert_eq!(scheduler.cache.node(candidate.node).name(), "a");
    let victims: Vec<_> = candidate.victims.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(victims, ["there"], "who does not use the claim stays");
}
