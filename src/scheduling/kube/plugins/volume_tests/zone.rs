//! VolumeZone.

use serde_json::{Value, json};

use super::{Case, bound, claim, claiming, class, in_zone, node, pod, run, volume};

const PLUGIN: &str = "VolumeZone";
const CONFLICT: &str = "UnschedulableAndUnresolvable: node(s) had no available volume zone";
const ZONE: &str = "topology.kubernetes.io/zone";
const REGION: &str = "topology.kubernetes.io/region";
const OLD_ZONE: &str = "failure-domain.beta.kubernetes.io/zone";

/// These nodes, and a volume with labels that the claim `data` is bound to.
fn with_labels(nodes: &[Value], labels: &Value) -> Vec<Value> {
    let mut volume = volume("v", "", "5Gi");
    volume["metadata"]["labels"] = labels.clone();
    let mut objects = nodes.to_vec();
    objects.extend([volume, bound("data", "v")]);
    objects
}

#[test]
fn nodes_are_in_the_zones_of_the_volume() {
    let nodes = [
        in_zone("a", "z1"),
        in_zone("b", "z2"),
        node("c", &json!({})),
        node("d", &json!({ OLD_ZONE: "z1" })),
    ];
    let case = |name, labels: Value, expected: [&'static str; 4]| -> Case {
        (name, with_labels(&nodes, &labels), claiming("new", &["data"]), expected.to_vec())
    };
    let ok = "Success";
    run(
        PLUGIN,
        vec![
            case("a zone", json!({ ZONE: "z1" }), [ok, CONFLICT, ok, CONFLICT]),
            case("several zones", json!({ ZONE: "z2__ z1" }), [ok, ok, ok, CONFLICT]),
            case("the old label", json!({ OLD_ZONE: "z1" }), [ok, CONFLICT, ok, ok]),
            case(
                "a region too",
                json!({ ZONE: "z1", REGION: "r" }),
                [CONFLICT, CONFLICT, ok, CONFLICT],
            ),
        ],
    );
    run(
        PLUGIN,
        vec![
            (
                "no labels",
                with_labels(&nodes, &json!({})),
                claiming("new", &["data"]),
                vec!["Skip"],
            ),
            (
                "an empty part",
                with_labels(&nodes, &json!({ ZONE: "z1__" })),
                claiming("new", &["data"]),
                vec!["Skip"],
            ),
            ("no claims", nodes.to_vec(), pod("new", &json!([{ "name": "tmp" }])), vec!["Skip"]),
        ],
    );
}

#[test]
fn claims_without_a_volume() {
    let case = |name, objects: Vec<Value>, expected: &'static str| -> Case {
        let mut all = vec![in_zone("a", "z1")];
        all.extend(objects);
        (name, all, claiming("new", &["data"]), vec![expected])
    };
    let mut no_mode = class("c", "p", "");
    no_mode["volumeBindingMode"] = Value::Null;
    run(
        PLUGIN,
        vec![
            case(
                "wait for the first consumer",
                vec![claim("data", "c"), class("c", "p", "WaitForFirstConsumer")],
                "Skip",
            ),
            case(
                "bound at once",
                vec![claim("data", "c"), class("c", "p", "Immediate")],
                "UnschedulableAndUnresolvable: PersistentVolume had no name",
            ),
            case(
                "a class without a mode",
                vec![claim("data", "c"), no_mode],
                "UnschedulableAndUnresolvable: VolumeBindingMode not set for StorageClass \"c\"",
            ),
            case(
                "a class that is not there",
                vec![claim("data", "c")],
                "UnschedulableAndUnresolvable: storageclass.storage.k8s.io \"c\" not found",
            ),
            case(
                "no class",
                vec![claim("data", "")],
                "UnschedulableAndUnresolvable: PersistentVolumeClaim had no pv name and \
                 storageClass name",
            ),
            case(
                "a volume that is not there",
                vec![bound("data", "v")],
                "UnschedulableAndUnresolvable: persistentvolume \"v\" not found",
            ),
            case(
                "a claim that is not there",
                vec![],
                "UnschedulableAndUnresolvable: persistentvolumeclaim \"data\" not found",
            ),
        ],
    );
}

#[test]
fn ephemeral_volumes_are_not_looked_at() {
    let volumes = json!([{ "name": "tmp", "ephemeral": { "volumeClaimTemplate": {} } }]);
    run(PLUGIN, vec![("ephemeral", vec![in_zone("a", "z1")], pod("new", &volumes), vec!["Skip"])]);
}
