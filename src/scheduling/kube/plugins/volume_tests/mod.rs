//! The volume plugins, case by case: what upstream says of a pod on each node of a small cell.

mod binding;
mod claims;
mod limits;
mod restrictions;
mod zone;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::kubernetes::{Object, Pod};
use crate::scheduling::kube::profile::plugin;
use crate::scheduling::kube::{Cache, PodInfo, Prepared, Status};

/// A cell of these objects. Pods that name a node are put on it.
fn cell(objects: &[Value]) -> Cache {
    let mut cache = Cache::new();
    let mut pods = Vec::new();
    for value in objects {
        match Object::from_value(value).expect("an object") {
            Object::Pod(pod) => pods.push(pod),
            Object::Node(node) => {
                cache.set_node(&node);
            }
            other => cache.storage_mut().set(other).expect("an object of storage"),
        }
    }
    for pod in pods {
        let pod = cache.intern(&pod);
        let node = cache.node_id(&pod.node_name).expect("the node is there");
        cache.add_pod(pod, node);
    }
    cache
}

/// A status in one line: `Success`, or the code and the reasons.
fn text(status: &Status) -> String {
    if status.is_success() {
        return "Success".to_owned();
    }
    format!("{}: {}", status.code.name(), status.message())
}

/// What a plugin says of a pod: `Skip`, why it cannot be placed at all, or one status per node in
/// the order of nodes.
fn verdict(name: &str, cache: &Cache, pod: &PodInfo) -> Vec<String> {
    let plugin = plugin(name, &Value::Null).expect("there is such a plugin");
    let state = match plugin.pre_filter(cache, pod) {
        Prepared::State(state) | Prepared::Only(state, _) => state,
        Prepared::Skip => return vec!["Skip".to_owned()],
        Prepared::Rejected(status) => return vec![text(&status)],
    };
    let nodes = cache.nodes();
    nodes.map(|(_, node)| text(&plugin.filter(state.as_deref(), cache, pod, node))).collect()
}

/// A case: what it is about, the cell, the pod, what is expected.
type Case = (&'static str, Vec<Value>, Value, Vec<&'static str>);

/// Runs cases of a plugin.
fn run(plugin: &str, cases: Vec<Case>) {
    for (name, objects, pod, expected) in cases {
        let mut cache = cell(&objects);
        let pod = intern(&mut cache, &pod);
        assert_eq!(verdict(plugin, &cache, &pod), expected, "{name}");
    }
}

fn intern(cache: &mut Cache, pod: &Value) -> Arc<PodInfo> {
    let pod: Pod = serde_json::from_value(pod.clone()).expect("a pod");
    cache.intern(&pod)
}

fn node(name: &str, labels: &Value) -> Value {
    json!({
        "kind": "Node",
        "metadata": { "name": name, "labels": labels },
        "status": { "allocatable": { "pods": "110" } },
    })
}

/// A node in a zone.
fn in_zone(name: &str, zone: &str) -> Value {
    node(name, &json!({ "topology.kubernetes.io/zone": zone }))
}

/// A pod in the namespace `default` with volumes.
fn pod(name: &str, volumes: &Value) -> Value {
    json!({
        "kind": "Pod",
        "metadata": { "name": name, "namespace": "default", "uid": name },
        "spec": { "volumes": volumes },
    })
}

/// The same, on a node.
fn on(node: &str, mut pod: Value) -> Value {
    pod["spec"]["nodeName"] = node.into();
    pod
}

/// A pod whose volumes are held by claims.
fn claiming(name: &str, claims: &[&str]) -> Value {
    let volume = |claim: &&str| json!({ "persistentVolumeClaim": { "claimName": claim } });
    pod(name, &claims.iter().map(volume).collect())
}

/// A claim for 5Gi of a class.
fn claim(name: &str, class: &str) -> Value {
    json!({
        "kind": "PersistentVolumeClaim",
        "metadata": { "name": name, "namespace": "default" },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": "5Gi" } },
            "storageClassName": class,
        },
    })
}

/// A claim that is bound to a volume.
fn bound(name: &str, volume: &str) -> Value {
    let mut claim = claim(name, "");
    claim["spec"]["volumeName"] = volume.into();
    claim["metadata"]["annotations"] = json!({ "pv.kubernetes.io/bind-completed": "yes" });
    claim["status"] = json!({ "phase": "Bound" });
    claim
}

/// A free volume of a class and a size.
fn volume(name: &str, class: &str, size: &str) -> Value {
    json!({
        "kind": "PersistentVolume",
        "metadata": { "name": name },
        "spec": {
            "accessModes": ["ReadWriteOnce", "ReadOnlyMany"],
            "capacity": { "storage": size },
            "storageClassName": class,
        },
        "status": { "phase": "Available" },
    })
}

/// A volume that only nodes with a label reach.
fn reached(mut volume: Value, key: &str, value: &str) -> Value {
    let term = json!({ "matchExpressions": [{ "key": key, "operator": "In", "values": [value] }] });
    volume["spec"]["nodeAffinity"] = json!({ "required": { "nodeSelectorTerms": [term] } });
    volume
}

/// A class.
fn class(name: &str, provisioner: &str, mode: &str) -> Value {
    json!({
        "kind": "StorageClass",
        "metadata": { "name": name },
        "provisioner": provisioner,
        "volumeBindingMode": mode,
    })
}
