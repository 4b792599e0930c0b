//! Writes a Kubernetes cell of any size as manifests, with a scenario that schedules it: how fast is
//! the kube-scheduler of cellsim on a cell of your size?
//!
//!     cargo run --release --example kubernetes_cell -- FOLDER NODES DEPLOYMENTS REPLICAS [TERMS]
//!     time cellsim run FOLDER/cell.yaml --no-report
//!
//! `TERMS` is `none` (the default), `preferred` or `required`. With terms every pod has a hard
//! constraint on spreading over zones, a soft one over hosts, and a preferred or required
//! anti-affinity to its own kind.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

const SCENARIO: &str = "\
# A cell that is filled at once, under kube-scheduler with its default profile.
name: cell
seed: 1
duration: 1h

kubernetes:
  files: [cell.json]

scheduler:
  architecture: kube-scheduler
";

/// What pods say about each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Terms {
    None,
    Preferred,
    Required,
}

fn node(number: usize) -> Value {
    let (cpu, memory) = [("32", "128Gi"), ("64", "256Gi"), ("96", "384Gi")][number % 3];
    let name = format!("node-{number:05}");
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "topology.kubernetes.io/zone": format!("zone-{}", number % 3),
                "topology.kubernetes.io/region": "region",
            },
        },
        "status": { "allocatable": { "cpu": cpu, "memory": memory, "pods": "400" } },
    })
}

fn deployment(number: usize, replicas: usize, terms: Terms) -> Value {
    let app = format!("app-{number:03}");
    let selector = json!({ "matchLabels": { "app": app } });
    let mut spec = json!({
        "containers": [{
            "name": "main",
            "image": "registry.example/app:1",
            "resources": { "requests": {
                "cpu": format!("{}m", 50 + 10 * (number % 17)),
                "memory": format!("{}Mi", 128 + 32 * (number % 23)),
            } },
        }],
    });
    if terms != Terms::None {
        let constraint = |key: &str, what: &str, skew: i32| {
            json!({
                "maxSkew": skew, "topologyKey": key, "whenUnsatisfiable": what,
                "labelSelector": selector,
            })
        };
        spec["topologySpreadConstraints"] = json!([
            constraint("topology.kubernetes.io/zone", "DoNotSchedule", 5),
            constraint("kubernetes.io/hostname", "ScheduleAnyway", 1),
        ]);
        let term = json!({ "topologyKey": "kubernetes.io/hostname", "labelSelector": selector });
        spec["affinity"]["podAntiAffinity"] = if terms == Terms::Required {
            json!({ "requiredDuringSchedulingIgnoredDuringExecution": [term] })
        } else {
            let weighted = json!({ "weight": 10, "podAffinityTerm": term });
            json!({ "preferredDuringSchedulingIgnoredDuringExecution": [weighted] })
        };
    }
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": app, "namespace": "default" },
        "spec": {
            "replicas": replicas,
            "selector": selector,
            "template": { "metadata": { "labels": { "app": app } }, "spec": spec },
        },
    })
}

/// The folder, the numbers of nodes, Deployments and replicas, and the terms.
fn arguments() -> Option<(PathBuf, [usize; 3], Terms)> {
    let mut given = std::env::args().skip(1);
    let folder = PathBuf::from(given.next()?);
    let mut numbers = [0; 3];
    for number in &mut numbers {
        *number = given.next()?.parse().ok()?;
    }
    let terms = match given.next().as_deref() {
        None | Some("none") => Terms::None,
        Some("preferred") => Terms::Preferred,
        Some("required") => Terms::Required,
        Some(_) => return None,
    };
    Some((folder, numbers, terms))
}

fn main() -> ExitCode {
    let Some((folder, [nodes, deployments, replicas], terms)) = arguments() else {
        eprintln!(
            "usage: kubernetes_cell FOLDER NODES DEPLOYMENTS REPLICAS [none|preferred|required]"
        );
        return ExitCode::from(2);
    };
    let objects = (0..nodes).map(node);
    let objects = objects.chain((0..deployments).map(|one| deployment(one, replicas, terms)));
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": Value::from_iter(objects) });
    let written = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(folder.join("cell.json"), list.to_string()))
        .and_then(|()| std::fs::write(folder.join("cell.yaml"), SCENARIO));
    match written {
        Ok(()) => {
            println!("{}", folder.join("cell.yaml").display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", folder.display());
            ExitCode::from(2)
        }
    }
}
