//! A cell of the scheduler, made of the objects of a case.

use std::collections::BTreeMap;
use std::sync::Arc;

use cellsim::kubernetes::{Node, Object, ObjectMeta, Pod, PodDisruptionBudget};
use cellsim::scheduling::kube::args::PreemptionArgs;
use cellsim::scheduling::kube::profile::with_defaults;
use cellsim::scheduling::kube::{Cache, Enabled, NodeId, PodInfo, Profile, Scheduler, Status};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::fakes;

/// Reads a value as a type of the library.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|error| format!("{error}: {value}"))
}

/// The items of a list; none if it is absent.
pub fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Puts nodes, pods and objects of a case into a new cache.
pub fn cache(input: &Value) -> Result<Cache, String> {
    let mut cache = Cache::new();
    for node in items(&input["nodes"]).iter().chain(items(&input["infeasible_nodes"])) {
        cache.set_node(&read::<Node>(node)?);
    }
    for pod in items(&input["existing_pods"]) {
        place(&mut cache, pod)?;
    }
    for object in items(&input["objects"]) {
        add_object(&mut cache, object)?;
    }
    add_storage(&mut cache, input)?;
    for budget in items(&input["pdbs"]) {
        cache.disruption_budgets.push(read::<PodDisruptionBudget>(budget)?);
    }
    for pod in items(&input["nominated_pods"]) {
        let pod = cache.intern(&read(pod)?);
        let node = pod.nominated_node.clone();
        cache.nominator.add(pod, &node);
    }
    Ok(cache)
}

/// Puts a pod on its node, if it has one and the node is there.
pub fn place(cache: &mut Cache, pod: &Value) -> Result<(), String> {
    let pod = cache.intern(&read::<Pod>(pod)?);
    if !pod.node_name.is_empty()
        && let Some(node) = cache.node_id(&pod.node_name)
    {
        cache.add_pod(pod, node);
    }
    Ok(())
}

fn add_object(cache: &mut Cache, value: &Value) -> Result<(), String> {
    let object = Object::from_value(value).map_err(|error| error.to_string())?;
    if let Object::Namespace(namespace) = object {
        cache.set_namespace(namespace);
        return Ok(());
    }
    let objects = cache.objects_mut();
    let key = |meta: &ObjectMeta| (meta.namespace.clone(), meta.name.clone());
    match object {
        Object::Service(one) => {
            objects.services.insert(key(&one.metadata), one);
        }
        Object::ReplicaSet(one) => {
            objects.replica_sets.insert(key(&one.metadata), one);
        }
        Object::ReplicationController(one) => {
            objects.replication_controllers.insert(key(&one.metadata), one);
        }
        Object::StatefulSet(one) => {
            objects.stateful_sets.insert(key(&one.metadata), one);
        }
        other => return add_storage_object(cache, other),
    }
    Ok(())
}

fn add_storage_object(cache: &mut Cache, object: Object) -> Result<(), String> {
    let unexpected = |other| format!("an object of an unexpected kind: {other:?}");
    cache.storage_mut().set(object).map_err(unexpected)
}

/// Lists of one kind of storage object, by the names under which a case may have them. Their items
/// need not say their kind; a list of one may be the object itself.
const STORAGE_LISTS: [(&str, &[&str]); 6] = [
    (
        "PersistentVolumeClaim",
        &["pvcs", "pvc", "claims", "persistent_volume_claims", "persistentVolumeClaims"],
    ),
    ("PersistentVolume", &["pvs", "pv", "volumes", "persistent_volumes", "persistentVolumes"]),
    ("StorageClass", &["storage_classes", "storageClasses", "storage_class", "scs", "sc"]),
    ("CSINode", &["csi_nodes", "csiNodes", "csi_node", "csiNode"]),
    ("CSIDriver", &["csi_drivers", "csiDrivers", "csi_driver", "csiDriver"]),
    (
        "CSIStorageCapacity",
        &["csi_storage_capacities", "csiStorageCapacities", "storage_capacities", "capacities"],
    ),
];

fn add_storage(cache: &mut Cache, input: &Value) -> Result<(), String> {
    for (kind, names) in STORAGE_LISTS {
        for value in names.iter().map(|name| &input[name]).filter(|value| !value.is_null()) {
            let list = if value.is_object() { std::slice::from_ref(value) } else { items(value) };
            for item in list {
                let mut item = item.clone();
                item["kind"] = kind.into();
                add_storage_object(cache, Object::from_value(&item).map_err(|e| e.to_string())?)?;
            }
        }
    }
    Ok(())
}

/// Arguments with the names of Go's fields, as the API names them.
pub fn arguments(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let named = fields.iter().map(|(name, value)| {
                let mut letters = name.chars();
                let first = letters.next().map(|first| first.to_ascii_lowercase());
                (first.into_iter().chain(letters).collect::<String>(), arguments(value))
            });
            Value::Object(named.collect::<Map<_, _>>())
        }
        Value::Array(list) => list.iter().map(arguments).collect(),
        other => other.clone(),
    }
}

/// A profile of the plugins of a case: `Name` or `Name:weight`, or pairs of both.
pub fn profile(plugins: &Value, input: &Value) -> Result<Profile, String> {
    let mut enabled = Vec::new();
    // Where a made-up filter is to say something, it is asked first.
    if input["fake_filter_code"].is_string() {
        let plugin = fakes::by_name(fakes::COUNTED, input).ok_or("no such plugin")?;
        enabled.push(Enabled { plugin, weight: 1 });
    }
    for plugin in items(plugins) {
        let (name, weight) = match plugin {
            Value::Array(pair) => (pair[0].as_str().unwrap_or_default(), pair[1].as_i64()),
            other => {
                let text = other.as_str().unwrap_or_default();
                let (name, weight) = text.split_once(':').unwrap_or((text, "1"));
                (name, weight.parse().ok())
            }
        };
        // A plugin that upstream has removed; the case says what the sum is without it.
        if name == "SelectorSpread" {
            continue;
        }
        let plugin = match fakes::by_name(name, input) {
            Some(fake) => fake,
            None => with_defaults(name, &Value::Null).map_err(|error| error.to_string())?,
        };
        enabled.push(Enabled { plugin, weight: weight.unwrap_or(1).max(1) });
    }
    let mut args = arguments(&input["args"]);
    if args.is_null() {
        args = json!({});
    }
    let percentage = input["percentage_of_nodes_to_score"].as_i64().unwrap_or(0);
    Ok(Profile {
        plugins: enabled,
        preemption: Some(read::<PreemptionArgs>(&args)?),
        percentage_of_nodes_to_score: i32::try_from(percentage).map_err(|e| e.to_string())?,
    })
}

/// A scheduler with the plugins of a case.
pub fn scheduler(plugins: &Value, input: &Value) -> Result<Scheduler, String> {
    Ok(Scheduler::new(cache(input)?, profile(plugins, input)?))
}

/// The pod of a case.
pub fn pod(scheduler: &mut Scheduler, value: &Value) -> Result<Arc<PodInfo>, String> {
    Ok(scheduler.cache.intern(&read(value)?))
}

/// Names of nodes.
pub fn names(cache: &Cache, nodes: &[NodeId]) -> Vec<String> {
    nodes.iter().map(|node| cache.node(*node).name().to_owned()).collect()
}

/// An error that says both sides, unless they are equal.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, want: &T) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{what}: got {got:?}, expected {want:?}")) }
}

/// A status as a case writes it: code and, where given, plugin and reasons.
pub fn same_status(what: &str, got: &Status, want: &Value) -> Result<(), String> {
    let code = want["code"].as_str().unwrap_or("Success");
    same(&format!("{what}: code"), &got.code.name(), &code)?;
    if let Some(plugin) = want["plugin"].as_str() {
        same(&format!("{what}: plugin"), &got.plugin.as_ref(), &plugin)?;
    }
    if let Some(reasons) = want["reasons"].as_array() {
        let reasons: Vec<_> = reasons.iter().map(|one| one.as_str().unwrap_or("")).collect();
        let own: Vec<_> = got.reasons.iter().map(AsRef::as_ref).collect();
        same(&format!("{what}: reasons"), &own, &reasons)?;
    }
    Ok(())
}

/// Counts by two texts.
pub type Counts = BTreeMap<(String, String), i64>;

/// Counts as cases write them: `{topologyKey, value, count}`.
pub fn counts(value: &Value) -> Counts {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    items(value)
        .iter()
        .map(|one| {
            ((text(&one["topologyKey"]), text(&one["value"])), one["count"].as_i64().unwrap_or(0))
        })
        .collect()
}
