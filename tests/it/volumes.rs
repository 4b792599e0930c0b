//! Volumes in a cell: a pod goes where its disk is, and waits as long as that is away.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const SCENARIO: &str = "kubernetes-volumes.yaml";

/// What `cellsim explain` says of something at a time.
fn explained(what: &str, at: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    explained_of(&folder, SCENARIO, what, at)
}

fn explained_of(folder: &Path, scenario: &str, what: &str, at: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_cellsim"))
        .args(["explain", "--json", scenario, what, "--at", at])
        .current_dir(folder)
        .output()
        .expect("the program can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Where the three members of the database are, by the zone of their node, and whether they wait.
fn members(at: &str) -> Vec<(String, Option<String>)> {
    let member = |number: usize| {
        let answer = explained(&format!("pod/shop/database-{number}/0"), at);
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        (text(&answer["state"]).expect("a state"), text(&answer["node"]))
    };
    (0..3).map(member).collect()
}

/// The zone of a node of the scenario: they go round.
fn zone(node: &str) -> usize {
    node.strip_prefix("node-").and_then(|number| number.parse::<usize>().ok()).expect("a node") % 3
}

#[test]
fn a_pod_waits_for_the_zone_of_its_disk() {
    let before = members("3h");
    let zones: Vec<usize> =
        before.iter().map(|(_, node)| zone(node.as_deref().expect("it runs"))).collect();
    let lost = zones.iter().position(|zone| *zone == 1).expect("a member in zone-b");
    assert_eq!(zones.iter().filter(|zone| **zone == 1).count(), 1, "{zones:?}");

    let during = members("5h");
    for (number, member) in during.iter().enumerate() {
        let waits = member.0 == "pending";
        assert_eq!(waits, number == lost, "{number}: {member:?}");
    }
    let answer = explained(&format!("pod/shop/database-{lost}/0"), "5h");
    assert_eq!(
        answer["placement"]["rejections"],
        "0/6 nodes are available: 2 node(s) had untolerated taint(s), 4 node(s) didn't match \
         PersistentVolume's node affinity."
    );

    let after = members("7h");
    let back = after[lost].1.as_deref().expect("it runs again");
    assert_eq!((after[lost].0.as_str(), zone(back)), ("running", 1));
}

#[test]
fn scratch_space_is_made_anew_elsewhere() {
    let zones = |at: &str| -> Vec<usize> {
        let answer = explained("workload/shop/worker", at);
        let pods = answer["pods"].as_array().expect("a list");
        assert!(pods.iter().all(|pod| pod["state"] == "running"), "{pods:?}");
        pods.iter().map(|pod| zone(pod["node"].as_str().expect("a node"))).collect()
    };
    assert!(zones("3h").contains(&1));
    let during = zones("5h");
    assert_eq!((during.len(), during.contains(&1)), (9, false), "{during:?}");
}

/// Two nodes in a zone; two pods that share a claim for one; the node of the first fails.
const SHARED: &str = "\
apiVersion: v1
kind: List
items:
- {kind: Node, metadata: {name: a, labels: {topology.kubernetes.io/zone: z}}, status: {allocatable: {cpu: 4, memory: 8Gi, pods: 9}}}
- {kind: Node, metadata: {name: b, labels: {topology.kubernetes.io/zone: z}}, status: {allocatable: {cpu: 4, memory: 8Gi, pods: 9}}}
- kind: StorageClass
  metadata: {name: slow}
  provisioner: kubernetes.io/no-provisioner
- kind: PersistentVolume
  metadata: {name: disk, labels: {topology.kubernetes.io/zone: z}}
  spec: {accessModes: [ReadWriteOncePod], capacity: {storage: 1Gi}, storageClassName: slow}
- kind: PersistentVolumeClaim
  metadata: {name: mine}
  spec: {accessModes: [ReadWriteOncePod], storageClassName: slow, resources: {requests: {storage: 1Gi}}}
- kind: PersistentVolumeClaim
  metadata: {name: none}
  spec: {accessModes: [ReadWriteOncePod], storageClassName: slow, resources: {requests: {storage: 1Gi}}}
- kind: Deployment
  metadata: {name: pair}
  spec:
    replicas: 2
    template:
      spec:
        containers: [{name: c, image: i}]
        volumes: [{name: v, persistentVolumeClaim: {claimName: mine}}]
- kind: Deployment
  metadata: {name: late}
  spec:
    replicas: 1
    template:
      spec:
        containers: [{name: c, image: i}]
        volumes: [{name: v, persistentVolumeClaim: {claimName: none}}]
";

const SHARED_SCENARIO: &str = "\
name: shared
duration: 2h
kubernetes: {files: [cell.yaml]}
scheduler: {architecture: {name: kube-scheduler, options: {ties: first}}}
controlPlane: {detection: 40s, startDelay: 1s}
healing: {nodeLifecycle: {toleration: 1min}}
failures: {faults: [{at: 30min, lasts: 60min, nodes: [a]}]}
";

#[test]
fn a_claim_for_one_pod_goes_to_the_next_when_its_pod_leaves() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("cell.yaml"), SHARED).expect("it can be written");
    fs::write(folder.path().join("s.yaml"), SHARED_SCENARIO).expect("it can be written");
    let of = |what: &str, at: &str| explained_of(folder.path(), "s.yaml", what, at);
    let nodes = |at: &str| -> Vec<Option<String>> {
        let one = |number| of(&format!("pod/default/pair/{number}"), at)["node"].clone();
        (0..2).map(|number| one(number).as_str().map(ToOwned::to_owned)).collect()
    };
    assert_eq!(nodes("20min"), [Some("a".to_owned()), None]);
    assert_eq!(
        of("pod/default/pair/1", "20min")["placement"]["rejections"],
        "0/2 nodes are available: 2 node has pod using PersistentVolumeClaim with the same name \
         and ReadWriteOncePod access mode."
    );
    // Two minutes after the failure the pod has been evicted, and one of the two runs on b.
    let mut after: Vec<_> = nodes("32min").into_iter().flatten().collect();
    assert_eq!(after.pop().as_deref(), Some("b"));
    assert_eq!(after.pop(), None, "not both");
    // There is one disk; the other claim never gets any.
    assert_eq!(
        of("pod/default/late/0", "1h")["placement"]["rejections"],
        "0/2 nodes are available: 2 pod has unbound immediate PersistentVolumeClaims."
    );
}
