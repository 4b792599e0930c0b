//! A random cell that changes.

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::{Map, Value, json};

use crate::kubernetes::{
    Namespace, Node, PersistentVolumeClaim, Pod, ReplicaSet, Service, StorageClass,
};
use crate::scheduling::kube::storage::WAIT_FOR_FIRST_CONSUMER;
use crate::scheduling::kube::{Cache, NodeId, PodInfo};

const NAMESPACES: [&str; 2] = ["prod", "test"];
const APPS: [&str; 4] = ["web", "db", "batch", "cron"];
const KEYS: [&str; 3] = ["kubernetes.io/hostname", "topology.kubernetes.io/zone", "rack"];

/// The cell, apart from what the scheduler's cache holds.
pub struct World {
    rng: Pcg64Mcg,
    nodes: Vec<Value>,
    templates: Vec<Value>,
    made: usize,
    /// Pods for which room was made.
    nominated: Vec<Arc<PodInfo>>,
}

impl World {
    pub fn new(seed: u64, nodes: usize) -> Self {
        let mut world = Self {
            rng: Pcg64Mcg::seed_from_u64(seed),
            nodes: Vec::new(),
            templates: Vec::new(),
            made: 0,
            nominated: Vec::new(),
        };
        for _ in 0..nodes {
            let node = world.node();
            world.nodes.push(node);
        }
        for _ in 0..8 {
            let template = world.template();
            world.templates.push(template);
        }
        world
    }

    fn chance(&mut self, of: f64) -> bool {
        self.rng.random_bool(of)
    }

    fn one<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.rng.random_range(0..list.len())]
    }

    fn taints(&mut self) -> Value {
        let mut taints = Vec::new();
        for effect in ["NoSchedule", "PreferNoSchedule", "PreferNoSchedule"] {
            if self.chance(0.12) {
                taints.push(json!({ "key": self.one(&["a", "b"]), "effect": effect }));
            }
        }
        taints.into()
    }

    fn node(&mut self) -> Value {
        self.made += 1;
        let name = format!("node-{}", self.made);
        let mut labels = Map::new();
        if self.chance(0.95) {
            labels.insert(KEYS[0].to_owned(), name.as_str().into());
        }
        if self.chance(0.9) {
            labels.insert(KEYS[1].to_owned(), self.one(&["z1", "z2", "z3"]).into());
        }
        if self.chance(0.6) {
            labels.insert(KEYS[2].to_owned(), self.rng.random_range(0..90).to_string().into());
        }
        labels.insert("disk".to_owned(), self.one(&["ssd", "hdd"]).into());
        let taints = self.taints();
        let images = if self.chance(0.4) {
            json!([{ "names": ["app:1"], "sizeBytes": 700_000_000 }])
        } else {
            json!([])
        };
        json!({
            "metadata": { "name": name, "labels": labels },
            "spec": { "taints": taints },
            "status": {
                "allocatable": {
                    "cpu": self.one(&["2", "4", "8"]), "memory": self.one(&["4Gi", "8Gi"]),
                    "pods": self.one(&["3", "20"]), "example.com/gpu": self.one(&["0", "2"]),
                },
                "images": images,
            },
        })
    }

    fn selector(&mut self) -> Value {
        match self.rng.random_range(0..8) {
            0 => json!({}),
            1 => json!({ "matchExpressions": [{ "key": "app", "operator": "Exists" }] }),
            2 => Value::Null,
            _ => json!({ "matchLabels": { "app": self.one(&APPS) } }),
        }
    }

    fn term(&mut self) -> Value {
        let mut term = json!({ "topologyKey": self.one(&KEYS), "labelSelector": self.selector() });
        if self.chance(0.3) {
            term["namespaces"] = json!([self.one(&NAMESPACES)]);
        } else if self.chance(0.3) {
            term["namespaceSelector"] = json!({ "matchLabels": { "env": self.one(&NAMESPACES) } });
        }
        term
    }

    fn affinity(&mut self, often: f64) -> Value {
        let mut affinity = json!({});
        if self.chance(often) {
            affinity["requiredDuringSchedulingIgnoredDuringExecution"] = json!([self.term()]);
        }
        if self.chance(0.5) {
            let weight = self.rng.random_range(1..101);
            affinity["preferredDuringSchedulingIgnoredDuringExecution"] =
                json!([{ "weight": weight, "podAffinityTerm": self.term() }]);
        }
        affinity
    }

    fn constraint(&mut self) -> Value {
        let mut constraint = json!({
            "maxSkew": self.rng.random_range(1..4),
            "topologyKey": self.one(&KEYS),
            "whenUnsatisfiable": self.one(&["DoNotSchedule", "ScheduleAnyway", "ScheduleAnyway"]),
            "labelSelector": self.selector(),
        });
        if self.chance(0.2) {
            constraint["nodeTaintsPolicy"] = "Honor".into();
        }
        if self.chance(0.2) {
            constraint["nodeAffinityPolicy"] = "Ignore".into();
        }
        if self.chance(0.2) {
            constraint["minDomains"] = self.rng.random_range(1..5).into();
        }
        if self.chance(0.2) {
            constraint["matchLabelKeys"] = json!(["app"]);
        }
        constraint
    }

    fn node_affinity(&mut self) -> Value {
        let of_disk = |operator: &str, value: &str| json!({ "matchExpressions": [{ "key": "disk", "operator": operator, "values": [value] }] });
        let mut affinity = json!({});
        if self.chance(0.3) {
            let term = if self.chance(0.1) {
                json!({ "matchFields": [{ "key": "metadata.name", "operator": "In", "values": ["node-1"] }] })
            } else {
                of_disk(self.one(&["In", "NotIn"]), "ssd")
            };
            affinity["requiredDuringSchedulingIgnoredDuringExecution"] =
                json!({ "nodeSelectorTerms": [term] });
        }
        if self.chance(0.4) {
            let weight = self.rng.random_range(1..101);
            affinity["preferredDuringSchedulingIgnoredDuringExecution"] =
                json!([{ "weight": weight, "preference": of_disk("In", "hdd") }]);
        }
        affinity
    }

    fn template(&mut self) -> Value {
        let app = self.one(&APPS);
        let mut requests = Map::new();
        for (name, amounts) in
            [("cpu", ["100m", "500m", "1"]), ("memory", ["64Mi", "300Mi", "1Gi"])]
        {
            if self.chance(0.8) {
                requests.insert(name.to_owned(), self.one(&amounts).into());
            }
        }
        if self.chance(0.1) {
            requests.insert("example.com/gpu".to_owned(), "1".into());
        }
        let ports = if self.chance(0.1) { json!([{ "hostPort": 80 }]) } else { json!([]) };
        let mut spec = json!({
            "containers": [{ "image": "app:1", "resources": { "requests": requests }, "ports": ports }],
            "affinity": { "nodeAffinity": self.node_affinity() },
            "priority": self.one(&[0, 0, 1]),
        });
        if self.chance(0.35) {
            spec["affinity"]["podAffinity"] = self.affinity(0.3);
        }
        if self.chance(0.45) {
            spec["affinity"]["podAntiAffinity"] = self.affinity(0.6);
        }
        if self.chance(0.6) {
            let count = self.rng.random_range(1..4);
            spec["topologySpreadConstraints"] = (0..count).map(|_| self.constraint()).collect();
        }
        if self.chance(0.3) {
            spec["tolerations"] = json!([{ "key": "a", "operator": "Exists" }]);
        }
        if self.chance(0.12) {
            let disk = json!({ "pdName": self.one(&["d", "e"]), "readOnly": self.chance(0.5) });
            let claim = json!({ "claimName": "data" });
            spec["volumes"] = match self.chance(0.5) {
                true => json!([{ "gcePersistentDisk": disk }]),
                false => json!([{ "persistentVolumeClaim": claim }]),
            };
        }
        let owner = json!([{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": app, "controller": true }]);
        json!({
            "metadata": {
                "namespace": self.one(&NAMESPACES), "labels": { "app": app },
                "ownerReferences": if self.chance(0.5) { owner } else { json!([]) },
            },
            "spec": spec,
        })
    }

    /// The cache at the beginning.
    pub fn cache(&mut self) -> Cache {
        let mut cache = Cache::new();
        for node in &self.nodes {
            cache.set_node(&node_of(node));
        }
        for name in NAMESPACES {
            cache.set_namespace(namespace(name, name));
            let key = (name.to_owned(), "data".to_owned());
            cache.storage_mut().claims.insert(key, claim(name));
        }
        let class = StorageClass {
            provisioner: "disk".to_owned(),
            volume_binding_mode: Some(WAIT_FOR_FIRST_CONSUMER.to_owned()),
            ..StorageClass::default()
        };
        cache.storage_mut().classes.insert("made".to_owned(), class);
        cache
    }

    /// A new pod of one of the templates.
    pub fn pod(&mut self, cache: &mut Cache) -> Arc<PodInfo> {
        self.made += 1;
        let place = self.rng.random_range(0..self.templates.len());
        let mut pod = self.templates[place].clone();
        pod["metadata"]["name"] = format!("pod-{}", self.made).into();
        pod["metadata"]["uid"] = pod["metadata"]["name"].clone();
        cache.intern(&serde_json::from_value::<Pod>(pod).expect("a valid pod"))
    }

    fn some_pod(&mut self, cache: &Cache) -> Option<(NodeId, Arc<PodInfo>)> {
        let all: Vec<_> = cache
            .nodes()
            .flat_map(|(id, node)| node.pods.iter().map(move |pod| (id, Arc::clone(pod))))
            .collect();
        (!all.is_empty()).then(|| all[self.rng.random_range(0..all.len())].clone())
    }

    /// Something happens in the cell.
    pub fn change(&mut self, cache: &mut Cache) {
        match self.rng.random_range(0..44) {
            0..20 => {
                if let Some((node, pod)) = self.some_pod(cache) {
                    cache.remove_pod(&pod, node);
                }
            }
            20..27 => {
                if let Some((node, pod)) = self.some_pod(cache) {
                    let leaving = PodInfo { terminating: true, ..(*pod).clone() };
                    cache.replace_pod(&pod, Arc::new(leaving), node);
                }
            }
            27..34 => self.change_node(cache),
            34 => {
                let node = self.node();
                cache.set_node(&node_of(&node));
                self.nodes.push(node);
            }
            35 if self.nodes.len() > 1 => {
                let place = self.rng.random_range(0..self.nodes.len());
                let node = self.nodes.remove(place);
                cache.remove_node(node["metadata"]["name"].as_str().unwrap_or_default());
            }
            36 => {
                let (name, env) = (self.one(&NAMESPACES), self.one(&NAMESPACES));
                cache.set_namespace(namespace(name, env));
            }
            37 => {
                let template = self.template();
                self.templates.push(template);
            }
            38..42 => self.nominate(cache),
            _ => self.change_objects(cache),
        }
    }

    /// Room is made for a pod on some node, or one of those for which it was made goes.
    fn nominate(&mut self, cache: &mut Cache) {
        if self.chance(0.5) && !self.nominated.is_empty() {
            let place = self.rng.random_range(0..self.nominated.len());
            cache.nominator.remove(&self.nominated.swap_remove(place));
            return;
        }
        let pod = self.pod(cache);
        let place = self.rng.random_range(0..self.nodes.len());
        let node = self.nodes[place]["metadata"]["name"].as_str().unwrap_or_default();
        cache.nominator.add(Arc::clone(&pod), node);
        self.nominated.push(pod);
    }

    fn change_node(&mut self, cache: &mut Cache) {
        let place = self.rng.random_range(0..self.nodes.len());
        let taints = self.taints();
        self.nodes[place]["spec"]["taints"] = taints;
        self.nodes[place]["spec"]["unschedulable"] = self.chance(0.2).into();
        if self.chance(0.1) {
            self.nodes[place]["metadata"]["labels"]["disk"] = "tape".into();
        }
        cache.set_node(&node_of(&self.nodes[place]));
    }

    fn change_objects(&mut self, cache: &mut Cache) {
        let (namespace, app) = (self.one(&NAMESPACES), self.one(&APPS));
        let key = (namespace.to_owned(), app.to_owned());
        let meta = json!({ "name": app, "namespace": namespace });
        if self.chance(0.5) {
            let service = json!({ "metadata": meta, "spec": { "selector": { "app": app } } });
            let service: Service = serde_json::from_value(service).expect("valid");
            cache.objects_mut().services.insert(key, service);
        } else {
            let spec = json!({ "selector": { "matchLabels": { "app": app } } });
            let set = json!({ "metadata": meta, "spec": spec });
            let set: ReplicaSet = serde_json::from_value(set).expect("valid");
            cache.objects_mut().replica_sets.insert(key, set);
        }
    }
}

fn node_of(value: &Value) -> Node {
    serde_json::from_value(value.clone()).expect("a valid node")
}

fn namespace(name: &str, env: &str) -> Namespace {
    let value = json!({ "metadata": { "name": name, "labels": { "env": env } } });
    serde_json::from_value(value).expect("a valid namespace")
}

/// The claim `data` of a namespace, which waits for a pod.
fn claim(namespace: &str) -> PersistentVolumeClaim {
    let mut claim = PersistentVolumeClaim::default();
    "data".clone_into(&mut claim.metadata.name);
    namespace.clone_into(&mut claim.metadata.namespace);
    claim.spec.storage_class_name = Some("made".to_owned());
    claim
}
