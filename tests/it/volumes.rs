//! Volumes in a cell: a pod goes where its disk is, and waits as long as that is away.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const SCENARIO: &str = "kubernetes-volumes.yaml";

/// What `cellsim explain` says of something at a time.
fn explained(what: &str, at: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let output = Command::new(env!("CARGO_BIN_EXE_cellsim"))
        .args(["explain", "--json", SCENARIO, what, "--at", at])
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
