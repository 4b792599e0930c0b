//! VolumeBinding.

use serde_json::{Value, json};

use super::{Case, bound, claim, claiming, class, in_zone, pod, reached, run, volume};

pub const PLUGIN: &str = "VolumeBinding";
pub const ZONE: &str = "topology.kubernetes.io/zone";
pub const CONFLICT: &str =
    "UnschedulableAndUnresolvable: node(s) didn't match PersistentVolume's node affinity";
const NO_VOLUME: &str =
    "UnschedulableAndUnresolvable: node(s) didn't find available persistent volumes to bind";
const NO_ROOM: &str = "UnschedulableAndUnresolvable: node(s) did not have enough free storage";
pub const OK: &str = "Success";
pub const LATER: &str = "WaitForFirstConsumer";

/// The nodes `a` in zone `z1` and `b` in `z2`, and these objects.
pub fn with(more: Vec<Value>) -> Vec<Value> {
    let mut objects = vec![in_zone("a", "z1"), in_zone("b", "z2")];
    objects.extend(more);
    objects
}

fn case(name: &'static str, more: Vec<Value>, claims: &[&str], expected: &[&'static str]) -> Case {
    (name, with(more), claiming("new", claims), expected.to_vec())
}

/// A class whose volumes are made by hand.
pub fn by_hand() -> Value {
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
