//! NodeVolumeLimits.

use serde_json::{Value, json};

use super::{Case, bound, claim, claiming, class, node, on, pod, run, volume};

const PLUGIN: &str = "NodeVolumeLimits";
const FULL: &str = "Unschedulable: node(s) exceed max volume count";
const AWS: &str = "kubernetes.io/aws-ebs";
const EBS: &str = "ebs.csi.aws.com";

/// Says of the node `a` how many volumes of a driver it can hold, and which plugin was handed over.
fn limit(driver: &str, count: Option<i32>, migrated: &str) -> Value {
    let annotations = json!({ "storage.alpha.kubernetes.io/migrated-plugins": migrated });
    json!({
        "kind": "CSINode",
        "metadata": { "name": "a", "annotations": annotations },
        "spec": { "drivers": [{ "name": driver, "allocatable": { "count": count } }] },
    })
}

/// A volume of a driver and the claim of the same name that is bound to it.
fn csi(name: &str, driver: &str, handle: &str) -> [Value; 2] {
    let mut volume = volume(name, "", "5Gi");
    volume["spec"]["csi"] = json!({ "driver": driver, "volumeHandle": handle });
    [volume, bound(name, name)]
}

/// A cell of the node `a`, three volumes of `disk`, one of `other`, and these objects.
fn cell_with(more: Vec<Value>) -> Vec<Value> {
    let mut objects = vec![node("a", &json!({}))];
    for (name, driver) in [("one", "disk"), ("two", "disk"), ("three", "disk"), ("o", "other")] {
        objects.extend(csi(name, driver, name));
    }
    objects.extend(more);
    objects
}

fn case(name: &'static str, more: Vec<Value>, pod: Value, expected: &'static str) -> Case {
    (name, cell_with(more), pod, vec![expected])
}

#[test]
fn a_node_holds_so_many_volumes_of_a_driver() {
    let there = |claims: &[&str]| on("a", claiming("there", claims));
    let two = || limit("disk", Some(2), "");
    run(
        PLUGIN,
        vec![
            case("one is left", vec![two(), there(&["one"])], claiming("new", &["two"]), "Success"),
            case("full", vec![two(), there(&["one", "two"])], claiming("new", &["three"]), FULL),
            case(
                "a volume that is there already",
                vec![two(), there(&["one", "two"])],
                claiming("new", &["two", "one"]),
                "Success",
            ),
            case(
                "one is there, one is not",
                vec![two(), there(&["one", "two"])],
                claiming("new", &["two", "three"]),
                FULL,
            ),
            case("too many at once", vec![two()], claiming("new", &["one", "two", "three"]), FULL),
            case(
                "the same twice",
                vec![limit("disk", Some(1), "")],
                claiming("new", &["one", "one"]),
                "Success",
            ),
            case(
                "another driver",
                vec![two(), there(&["one", "two"])],
                claiming("new", &["o"]),
                "Success",
            ),
            case(
                "no limit",
                vec![limit("disk", None, ""), there(&["one", "two"])],
                claiming("new", &["three"]),
                "Success",
            ),
            case(
                "no CSINode",
                vec![there(&["one", "two"])],
                claiming("new", &["three"]),
                "Success",
            ),
            case(
                "no room at all",
                vec![limit("disk", Some(0), "")],
                claiming("new", &["one"]),
                FULL,
            ),
            case("no volumes", vec![two()], pod("new", &json!([])), "Skip"),
            case(
                "a claim that is missing",
                vec![two()],
                claiming("new", &["gone"]),
                "UnschedulableAndUnresolvable: looking up PVC default/gone: \
                 persistentvolumeclaim \"gone\" not found",
            ),
            case(
                "a claim of a pod there that is missing",
                vec![two(), there(&["gone", "one"])],
                claiming("new", &["two"]),
                "Success",
            ),
        ],
    );
}

#[test]
fn claims_without_a_volume_count_for_their_class() {
    let open = |provisioner: &str| {
        vec![
            claim("x", "c"),
            claim("y", "c"),
            class("c", provisioner, "WaitForFirstConsumer"),
            on("a", claiming("there", &["x"])),
        ]
    };
    let with = |mut objects: Vec<Value>, more: Value| {
        objects.push(more);
        objects
    };
    let mut lost = bound("z", "vanished");
    lost["spec"]["storageClassName"] = "c".into();
    run(
        PLUGIN,
        vec![
            case(
                "full",
                with(open("disk"), limit("disk", Some(1), "")),
                claiming("new", &["y"]),
                FULL,
            ),
            case(
                "the same claim",
                with(open("disk"), limit("disk", Some(1), "")),
                claiming("new", &["x"]),
                "Success",
            ),
            case(
                "another driver",
                with(open("disk"), limit("other", Some(0), "")),
                claiming("new", &["y"]),
                "Success",
            ),
            case(
                "a built-in provisioner that was handed over",
                with(open(AWS), limit(EBS, Some(1), AWS)),
                claiming("new", &["y"]),
                FULL,
            ),
            case(
                "one that was not",
                with(open(AWS), limit(EBS, Some(1), "")),
                claiming("new", &["y"]),
                "Success",
            ),
            case(
                "a volume that is gone counts for the class",
                with(with(open("disk"), limit("disk", Some(1), "")), lost),
                claiming("new", &["z"]),
                FULL,
            ),
        ],
    );
}

#[test]
fn volumes_of_built_in_plugins_count_for_the_driver_that_took_over() {
    let inline = |id: &str| json!([{ "awsElasticBlockStore": { "volumeID": id } }]);
    let mut in_tree = volume("t", "", "5Gi");
    in_tree["spec"]["awsElasticBlockStore"] = json!({ "volumeID": "aws://z1/vol-1" });
    let there = || vec![in_tree.clone(), bound("t", "t"), on("a", claiming("there", &["t"]))];
    let with = |limit: Value| {
        let mut objects = there();
        objects.push(limit);
        objects
    };
    run(
        PLUGIN,
        vec![
            case("full", with(limit(EBS, Some(1), AWS)), pod("new", &inline("vol-2")), FULL),
            case(
                "the same disk",
                with(limit(EBS, Some(1), AWS)),
                pod("new", &inline("vol-1")),
                "Success",
            ),
            case(
                "not handed over",
                with(limit(EBS, Some(1), "kubernetes.io/gce-pd")),
                pod("new", &inline("vol-2")),
                "Success",
            ),
            case(
                "a name that is none",
                with(limit(EBS, Some(1), AWS)),
                pod("new", &inline("aws://z1/disk")),
                "Error: converting volume() from inline to csi: invalid format for AWS volume \
                 (aws://z1/disk)",
            ),
        ],
    );
}

#[test]
fn disks_of_google_are_told_apart_by_zone() {
    let gce = "kubernetes.io/gce-pd";
    let disk = |name: &str, zones: &str| {
        let mut volume = volume(name, "", "5Gi");
        volume["metadata"]["labels"] = json!({ "topology.kubernetes.io/zone": zones });
        volume["spec"]["gcePersistentDisk"] = json!({ "pdName": "d" });
        [volume, bound(name, name)]
    };
    let with = |first: &str, second: &str| {
        let mut objects = vec![limit("pd.csi.storage.gke.io", Some(1), gce)];
        objects.extend(disk("x", first));
        objects.extend(disk("y", second));
        objects.push(on("a", claiming("there", &["x"])));
        objects
    };
    let new = || claiming("new", &["y"]);
    run(
        PLUGIN,
        vec![
            case("the same", with("eu-west1-b", "eu-west1-b"), new(), "Success"),
            case("another zone", with("eu-west1-b", "eu-west1-c"), new(), FULL),
            case(
                "the same region",
                with("eu-west1-b__eu-west1-c", "eu-west1-c__eu-west1-d"),
                new(),
                "Success",
            ),
            case(
                "no region in common",
                with("eu-west1-b", "eu-west1-b__us-east1-b"),
                new(),
                "Success",
            ),
        ],
    );
}

#[test]
fn ephemeral_volumes_count_by_their_claim() {
    let ephemeral = json!([{ "name": "tmp", "ephemeral": { "volumeClaimTemplate": {} } }]);
    let mut own = claim("new-tmp", "c");
    own["metadata"]["ownerReferences"] = json!([{ "uid": "new", "controller": true }]);
    let with = |claim: Value, count: i32| {
        vec![claim, class("c", "disk", "WaitForFirstConsumer"), limit("disk", Some(count), "")]
    };
    run(
        PLUGIN,
        vec![
            case("its own", with(own.clone(), 0), pod("new", &ephemeral), FULL),
            case("room", with(own, 1), pod("new", &ephemeral), "Success"),
            case(
                "somebody else's",
                with(claim("new-tmp", "c"), 1),
                pod("new", &ephemeral),
                "Error: PVC default/new-tmp was not created for pod default/new (pod is not owner)",
            ),
        ],
    );
}
