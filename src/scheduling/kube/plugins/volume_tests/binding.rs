//! VolumeBinding: what it says, and what becomes of the claims.

use serde_json::{Value, json};

use super::{
    Case, bound, cell, claim, claiming, class, in_zone, intern, pod, reached, run, text, verdict,
    volume,
};
use crate::scheduling::kube::{Cache, DEFAULT_PLUGINS, Profile, Scheduler};

const PLUGIN: &str = "VolumeBinding";
const ZONE: &str = "topology.kubernetes.io/zone";
const CONFLICT: &str =
    "UnschedulableAndUnresolvable: node(s) didn't match PersistentVolume's node affinity";
const NO_VOLUME: &str =
    "UnschedulableAndUnresolvable: node(s) didn't find available persistent volumes to bind";
const NO_ROOM: &str = "UnschedulableAndUnresolvable: node(s) did not have enough free storage";
const OK: &str = "Success";
const LATER: &str = "WaitForFirstConsumer";

/// The nodes `a` in zone `z1` and `b` in `z2`, and these objects.
fn with(more: Vec<Value>) -> Vec<Value> {
    let mut objects = vec![in_zone("a", "z1"), in_zone("b", "z2")];
    objects.extend(more);
    objects
}

fn case(name: &'static str, more: Vec<Value>, claims: &[&str], expected: &[&'static str]) -> Case {
    (name, with(more), claiming("new", claims), expected.to_vec())
}

/// A class whose volumes are made by hand.
fn by_hand() -> Value {
    class("c", "kubernetes.io/no-provisioner", LATER)
}

#[test]
fn claims_have_to_be_usable() {
    let mut lost = bound("data", "v");
    lost["status"]["phase"] = "Lost".into();
    let mut leaving = claim("data", "c");
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    let mut no_mode = class("c", "p", "");
    no_mode["volumeBindingMode"] = Value::Null;
    let immediate =
        "UnschedulableAndUnresolvable: pod has unbound immediate PersistentVolumeClaims";
    let mut reserved = claim("data", "c");
    reserved["spec"]["volumeName"] = "v".into();
    run(
        PLUGIN,
        vec![
            ("no claims", with(vec![]), pod("new", &json!([{ "name": "tmp" }])), vec!["Skip"]),
            case(
                "missing",
                vec![],
                &["data"],
                &["UnschedulableAndUnresolvable: persistentvolumeclaim \"data\" not found"],
            ),
            case(
                "lost",
                vec![lost],
                &["data"],
                &["UnschedulableAndUnresolvable: persistentvolumeclaim \"data\" bound to \
                   non-existent persistentvolume \"v\""],
            ),
            case(
                "being deleted",
                vec![leaving],
                &["data"],
                &["UnschedulableAndUnresolvable: persistentvolumeclaim \"data\" is being deleted"],
            ),
            case(
                "to be bound at once",
                vec![claim("data", "c"), class("c", "p", "Immediate")],
                &["data"],
                &[immediate],
            ),
            case("a class that is not there", vec![claim("data", "c")], &["data"], &[immediate]),
            case("no class", vec![claim("data", "")], &["data"], &[immediate]),
            case(
                "one of several",
                vec![claim("x", "c"), by_hand(), claim("data", "")],
                &["x", "data"],
                &[immediate],
            ),
            case(
                "names its volume, is not bound",
                vec![reserved, by_hand(), volume("v", "c", "5Gi")],
                &["data"],
                &[immediate],
            ),
            case(
                "a class without a mode",
                vec![claim("data", "c"), no_mode],
                &["data"],
                &["Error: VolumeBindingMode not set for StorageClass \"c\""],
            ),
        ],
    );
}

#[test]
fn volumes_of_bound_claims_have_to_be_within_reach() {
    let here = |name: &str| reached(volume(name, "", "5Gi"), ZONE, "z1");
    let mut malformed = here("v");
    malformed["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0]
        ["operator"] = "Near".into();
    let gone = "UnschedulableAndUnresolvable: node(s) unavailable due to one or more pvc(s) bound \
                to non-existent pv(s)";
    let both = "UnschedulableAndUnresolvable: node(s) didn't match PersistentVolume's node \
                affinity, node(s) didn't find available persistent volumes to bind";
    run(
        PLUGIN,
        vec![
            case("a zone", vec![here("v"), bound("data", "v")], &["data"], &[OK, CONFLICT]),
            case(
                "anywhere",
                vec![volume("v", "", "5Gi"), bound("data", "v")],
                &["data"],
                &[OK, OK],
            ),
            case(
                "two zones",
                vec![
                    here("v"),
                    bound("data", "v"),
                    reached(volume("w", "", "5Gi"), ZONE, "z2"),
                    bound("log", "w"),
                ],
                &["data", "log"],
                &[CONFLICT, CONFLICT],
            ),
            case(
                "malformed",
                vec![malformed, bound("data", "v")],
                &["data"],
                &[CONFLICT, CONFLICT],
            ),
            case("gone", vec![bound("data", "v")], &["data"], &[gone, gone]),
            case(
                "one out of reach, none for the other",
                vec![here("v"), bound("data", "v"), claim("log", "c"), by_hand()],
                &["data", "log"],
                &[NO_VOLUME, both],
            ),
        ],
    );
}

#[test]
fn claims_that_wait_need_a_volume_that_suits() {
    let free = |change: fn(&mut Value)| {
        let mut volume = reached(volume("v", "c", "5Gi"), ZONE, "z1");
        change(&mut volume);
        vec![claim("data", "c"), by_hand(), volume]
    };
    let wanting = |change: fn(&mut Value)| {
        let mut claim = claim("data", "c");
        change(&mut claim);
        vec![claim, by_hand(), reached(volume("v", "c", "5Gi"), ZONE, "z1")]
    };
    let none = [NO_VOLUME, NO_VOLUME];
    let here = [OK, NO_VOLUME];
    let reserve = |volume: &mut Value, claim: &str, uid: &str| {
        volume["spec"]["claimRef"] = json!({ "namespace": "default", "name": claim, "uid": uid });
    };
    let reserved = |claim: &str, uid: &str| {
        let mut objects = free(|_| {});
        reserve(&mut objects[2], claim, uid);
        objects
    };
    let mut elsewhere = free(|_| {});
    reserve(&mut elsewhere[2], "data", "");
    elsewhere.push(volume("w", "c", "5Gi"));
    run(
        PLUGIN,
        vec![
            case("it suits", free(|_| {}), &["data"], &here),
            case("no volume", vec![claim("data", "c"), by_hand()], &["data"], &none),
            case(
                "too small",
                free(|v| v["spec"]["capacity"]["storage"] = "4Gi".into()),
                &["data"],
                &none,
            ),
            case(
                "larger",
                free(|v| v["spec"]["capacity"]["storage"] = "1Ti".into()),
                &["data"],
                &here,
            ),
            case(
                "another class",
                free(|v| v["spec"]["storageClassName"] = "d".into()),
                &["data"],
                &none,
            ),
            case("released", free(|v| v["status"]["phase"] = "Released".into()), &["data"], &none),
            case(
                "being deleted",
                free(|v| v["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into()),
                &["data"],
                &none,
            ),
            case(
                "a block device",
                free(|v| v["spec"]["volumeMode"] = "Block".into()),
                &["data"],
                &none,
            ),
            case(
                "said to be a file system",
                free(|v| v["spec"]["volumeMode"] = "Filesystem".into()),
                &["data"],
                &here,
            ),
            case(
                "other attributes",
                free(|v| v["spec"]["volumeAttributesClassName"] = "gold".into()),
                &["data"],
                &none,
            ),
            case(
                "an access mode that it has",
                wanting(|c| c["spec"]["accessModes"] = json!(["ReadOnlyMany"])),
                &["data"],
                &here,
            ),
            case(
                "one that it lacks",
                wanting(|c| c["spec"]["accessModes"] = json!(["ReadWriteMany"])),
                &["data"],
                &none,
            ),
            case(
                "a selector",
                wanting(|c| c["spec"]["selector"] = json!({ "matchLabels": { "disk": "ssd" } })),
                &["data"],
                &none,
            ),
            case(
                "a selector that selects it",
                free(|v| v["metadata"]["labels"] = json!({ "disk": "ssd" }))
                    .into_iter()
                    .map(|mut one| {
                        if one["kind"] == "PersistentVolumeClaim" {
                            one["spec"]["selector"] = json!({ "matchLabels": { "disk": "ssd" } });
                        }
                        one
                    })
                    .collect(),
                &["data"],
                &here,
            ),
            case("reserved for it", reserved("data", ""), &["data"], &here),
            case("reserved for another", reserved("other", ""), &["data"], &none),
            case(
                "reserved for an older one of that name",
                reserved("data", "old"),
                &["data"],
                &none,
            ),
            case("its own out of reach, another free", elsewhere, &["data"], &here),
            case(
                "two claims, one volume",
                [free(|_| {}), vec![claim("log", "c")]].concat(),
                &["data", "log"],
                &none,
            ),
            case(
                "two claims, two volumes",
                [free(|_| {}), vec![claim("log", "c"), volume("w", "c", "9Gi")]].concat(),
                &["data", "log"],
                &here,
            ),
        ],
    );
}

#[test]
fn volumes_can_be_made_where_the_class_allows() {
    let class_in = |zones: &[&str]| {
        let mut class = class("c", "disk", LATER);
        let expression = json!({ "key": ZONE, "values": zones });
        class["allowedTopologies"] = json!([{ "matchLabelExpressions": [expression] }]);
        class
    };
    let mut nowhere = class("c", "disk", LATER);
    nowhere["allowedTopologies"] = json!([{ "matchLabelExpressions": [] }]);
    let mut selected = claim("data", "c");
    selected["metadata"]["annotations"] = json!({ "volume.kubernetes.io/selected-node": "b" });
    let anywhere = || class("c", "disk", LATER);
    run(
        PLUGIN,
        vec![
            case("anywhere", vec![claim("data", "c"), anywhere()], &["data"], &[OK, OK]),
            case(
                "in a zone",
                vec![claim("data", "c"), class_in(&["z2"])],
                &["data"],
                &[NO_VOLUME, OK],
            ),
            case(
                "in both",
                vec![claim("data", "c"), class_in(&["z1", "z2"])],
                &["data"],
                &[OK, OK],
            ),
            case(
                "an empty term",
                vec![claim("data", "c"), nowhere],
                &["data"],
                &[NO_VOLUME, NO_VOLUME],
            ),
            case(
                "a volume that is there outside of it",
                vec![
                    claim("data", "c"),
                    class_in(&["z2"]),
                    reached(volume("v", "c", "5Gi"), ZONE, "z1"),
                ],
                &["data"],
                &[OK, OK],
            ),
            case("being made elsewhere", vec![selected, anywhere()], &["data"], &[NO_VOLUME, OK]),
        ],
    );
}

#[test]
fn drivers_may_say_how_much_room_they_have() {
    let driver = |says: bool| json!({ "kind": "CSIDriver", "metadata": { "name": "disk" }, "spec": { "storageCapacity": says } });
    let room = |zone: &str, capacity: &str, largest: Option<&str>| {
        json!({
            "kind": "CSIStorageCapacity",
            "metadata": { "name": zone, "namespace": "default" },
            "storageClassName": "c",
            "nodeTopology": { "matchLabels": { ZONE: zone } },
            "capacity": capacity,
            "maximumVolumeSize": largest,
        })
    };
    let open =
        |more: Vec<Value>| [vec![claim("data", "c"), class("c", "disk", LATER)], more].concat();
    let mut nowhere = room("z1", "1Ti", None);
    nowhere["nodeTopology"] = Value::Null;
    run(
        PLUGIN,
        vec![
            case("it does not say", open(vec![driver(false)]), &["data"], &[OK, OK]),
            case("nothing is known", open(vec![driver(true)]), &["data"], &[NO_ROOM, NO_ROOM]),
            case(
                "in one zone",
                open(vec![driver(true), room("z1", "5Gi", None)]),
                &["data"],
                &[OK, NO_ROOM],
            ),
            case(
                "too little",
                open(vec![driver(true), room("z1", "4Gi", None)]),
                &["data"],
                &[NO_ROOM, NO_ROOM],
            ),
            case(
                "only small volumes",
                open(vec![driver(true), room("z1", "1Ti", Some("4Gi"))]),
                &["data"],
                &[NO_ROOM, NO_ROOM],
            ),
            case("for no node", open(vec![driver(true), nowhere]), &["data"], &[NO_ROOM, NO_ROOM]),
        ],
    );
}

/// The volume that a claim in `default` is bound to, and the zone from which that can be reached.
fn volume_of(cache: &Cache, claim: &str) -> (String, Option<String>) {
    let claim = cache.storage().claim("default", claim).expect("there");
    let name = claim.spec.volume_name.clone();
    let volume = cache.storage().volumes.get(&name);
    let affinity = volume.and_then(|volume| volume.spec.node_affinity.clone());
    let terms = affinity.and_then(|one| one.required).map(|one| one.node_selector_terms);
    (name, terms.map(|terms| terms[0].match_expressions[0].values[0].clone()))
}

/// Binds the claims of `pod` to volumes for the node `name`.
fn bind(cache: &mut Cache, pod: &Value, name: &str) -> usize {
    let pod = intern(cache, pod);
    let node = cache.node_id(name).expect("there");
    cache.bind_volumes(&pod, node).expect("it can be bound").len()
}

#[test]
fn the_smallest_volume_that_suits_is_taken() {
    let mut cache = cell(&with(vec![
        claim("data", "c"),
        claim("log", "c"),
        by_hand(),
        volume("large", "c", "20Gi"),
        volume("medium", "c", "10Gi"),
        reached(volume("small", "c", "5Gi"), ZONE, "z2"),
    ]));
    assert_eq!(bind(&mut cache, &claiming("new", &["data"]), "a"), 1);
    assert_eq!(volume_of(&cache, "data").0, "medium", "the small one is in the other zone");
    assert_eq!(bind(&mut cache, &claiming("new", &["data"]), "a"), 0, "it is bound for good");
    assert_eq!(bind(&mut cache, &claiming("next", &["log"]), "a"), 1);
    assert_eq!(volume_of(&cache, "log").0, "large", "the medium one is taken");
    assert_eq!(cache.storage().volumes["large"].status.phase, "Bound");
}

#[test]
fn small_claims_choose_first() {
    let mut large = claim("large", "c");
    large["spec"]["resources"]["requests"]["storage"] = "8Gi".into();
    let mut cache = cell(&with(vec![
        large,
        claim("small", "c"),
        by_hand(),
        volume("v8", "c", "8Gi"),
        volume("v6", "c", "6Gi"),
    ]));
    assert_eq!(bind(&mut cache, &claiming("new", &["large", "small"]), "a"), 2);
    assert_eq!(volume_of(&cache, "small").0, "v6");
    assert_eq!(volume_of(&cache, "large").0, "v8");
}

#[test]
fn a_volume_that_was_made_pulls_later_pods_to_its_zone() {
    let profile = || Profile::of(DEFAULT_PLUGINS).expect("they exist");
    let objects = with(vec![claim("data", "c"), class("c", "disk", LATER), in_zone("a2", "z1")]);
    let mut scheduler = Scheduler::new(cell(&objects), profile());
    let first = intern(&mut scheduler.cache, &claiming("first", &["data"]));
    let cycle = scheduler.schedule(&first).expect("no plugin fails");
    assert_eq!(cycle.feasible.len(), 3, "anywhere as long as there is no volume");
    let a = scheduler.cache.node_id("a").expect("there");
    scheduler.cache.bind_volumes(&first, a).expect("it can be bound");
    scheduler.assume(first, a);
    let (name, zone) = volume_of(&scheduler.cache, "data");
    assert_eq!((name.as_str(), zone.as_deref()), ("pvc-default-data", Some("z1")));
    let second = intern(&mut scheduler.cache, &claiming("second", &["data"]));
    let cycle = scheduler.schedule(&second).expect("no plugin fails");
    let names: Vec<_> = cycle.feasible.iter().map(|id| scheduler.cache.node(*id).name()).collect();
    assert_eq!(names, ["a", "a2"]);
    let b = scheduler.cache.node_id("b").expect("there");
    let status = cycle.diagnosis.statuses.get(b);
    assert_eq!((status.plugin.as_ref(), text(status)), (PLUGIN, CONFLICT.to_owned()));
    assert_eq!(scheduler.potential_nodes(&cycle.diagnosis.statuses), [], "nobody's leaving helps");
}

#[test]
fn a_volume_is_made_where_the_driver_says() {
    let csi_node = |keys: Value| {
        json!({
            "kind": "CSINode",
            "metadata": { "name": "a" },
            "spec": { "drivers": [{ "name": "disk", "nodeID": "a", "topologyKeys": keys }] },
        })
    };
    let made_with = |keys: Value| {
        let mut cache =
            cell(&with(vec![claim("data", "c"), class("c", "disk", LATER), csi_node(keys)]));
        bind(&mut cache, &claiming("new", &["data"]), "a");
        volume_of(&cache, "data").1
    };
    assert_eq!(made_with(json!([ZONE])).as_deref(), Some("z1"));
    assert_eq!(made_with(json!([])), None, "it can be reached from everywhere");
    assert_eq!(made_with(json!(["rack"])), None, "the node has no such label");
}

#[test]
fn claims_that_do_not_wait_are_bound_at_once() {
    let mut elsewhere = claim("elsewhere", "slow");
    elsewhere["spec"]["volumeName"] = "mine".into();
    let mut reserved = volume("reserved", "later", "5Gi");
    reserved["spec"]["claimRef"] = json!({ "namespace": "default", "name": "early" });
    let mut cache = cell(&with(vec![
        class("fast", "disk", "Immediate"),
        class("later", "disk", LATER),
        class("slow", "kubernetes.io/no-provisioner", "Immediate"),
        claim("data-db-0", "fast"),
        claim("data-db-1", "fast"),
        claim("early", "later"),
        elsewhere,
        claim("found", "slow"),
        bound("lost", "vanished"),
        claim("none", "slow"),
        claim("waits", "later"),
        volume("free", "slow", "5Gi"),
        volume("mine", "slow", "1Gi"),
        volume("other", "later", "5Gi"),
        reserved,
    ]));
    cache.settle_volumes();
    let of = |claim: &str| volume_of(&cache, claim).0;
    assert_eq!(of("found"), "free");
    assert_eq!(of("none"), "", "there is none left");
    assert_eq!(of("elsewhere"), "mine", "named by hand");
    assert_eq!(of("early"), "reserved", "reserved by hand, although its class waits");
    assert_eq!(of("waits"), "");
    assert_eq!(cache.storage().claim("default", "lost").expect("there").status.phase, "Lost");
    let zones = ["data-db-0", "data-db-1"].map(|claim| volume_of(&cache, claim).1);
    assert_ne!(zones[0], zones[1], "a StatefulSet is spread over the zones");
}

#[test]
fn the_claims_of_ephemeral_volumes_come_and_go_with_the_pod() {
    let spec = json!({
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "c",
        "resources": { "requests": { "storage": "1Gi" } },
    });
    let volumes =
        json!([{ "name": "tmp", "ephemeral": { "volumeClaimTemplate": { "spec": spec } } }]);
    let mut cache = cell(&with(vec![class("c", "disk", LATER)]));
    let pod = intern(&mut cache, &pod("new", &volumes));
    assert_eq!(
        verdict(PLUGIN, &cache, &pod),
        ["UnschedulableAndUnresolvable: waiting for ephemeral volume controller to create the \
          persistentvolumeclaim \"new-tmp\""]
    );
    cache.add_ephemeral_claims(&pod);
    assert_eq!(verdict(PLUGIN, &cache, &pod), [OK, OK]);
    let b = cache.node_id("b").expect("there");
    assert_eq!(cache.bind_volumes(&pod, b).map(|claims| claims.len()), Ok(1));
    assert_eq!(volume_of(&cache, "new-tmp").1.as_deref(), Some("z2"));
    assert_eq!(verdict(PLUGIN, &cache, &pod), [CONFLICT, OK]);
    cache.storage_mut().delete_ephemeral_claims(&pod);
    assert!(cache.storage().claims.is_empty());
    assert!(cache.storage().volumes.is_empty(), "what was made for it is deleted with it");
    let mut kept = volume("kept", "c", "1Gi");
    kept["spec"]["persistentVolumeReclaimPolicy"] = "Retain".into();
    let mut cache = cell(&with(vec![class("c", "disk", LATER), kept]));
    cache.add_ephemeral_claims(&pod);
    let a = cache.node_id("a").expect("there");
    cache.bind_volumes(&pod, a).expect("it can be bound");
    cache.storage_mut().delete_ephemeral_claims(&pod);
    assert_eq!(cache.storage().volumes["kept"].status.phase, "Released");
}
