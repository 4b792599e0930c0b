//! Cells that several tenants share under the kube-scheduler: profiles that pods choose, gangs,
//! elastic quotas. Every run is audited.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use cellsim::Registry;
use cellsim::metrics::RunResult;
use cellsim::scenario::{Plan, load};
use cellsim::simulation::Simulation;

/// A scenario of `hours` with the scheduler's configuration `config` and the objects `manifests`.
struct Cell {
    folder: tempfile::TempDir,
}

impl Cell {
    fn new(hours: u32, config: &str, manifests: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scenario = format!(
            "name: shared\nduration: {hours}h\n\
             kubernetes: {{files: [objects.yaml]}}\n\
             scheduler: {{architecture: {{name: kube-scheduler, options: {{config: config.yaml, ties: first}}}}}}\n\
             controlPlane: {{detection: 40s, startDelay: 0s}}\n"
        );
        let config = format!(
            "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n{config}"
        );
        fs::write(folder.path().join("shared.yaml"), scenario).unwrap();
        fs::write(folder.path().join("config.yaml"), config).unwrap();
        fs::write(folder.path().join("objects.yaml"), manifests).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What comes of it, audited.
    fn run(&self) -> RunResult {
        let loaded = load(&self.path().join("shared.yaml"), &[]);
        let loaded = loaded.unwrap_or_else(|errors| panic!("{errors}"));
        let plan = Plan::new(&loaded, &Registry::default());
        let plan = plan.unwrap_or_else(|errors| panic!("{errors}"));
        let run = plan.prepare(plan.seed, 0, true).expect("its files can be read");
        let simulation = Simulation::new(run.config).expect("the scenario makes sense");
        simulation.run(&|_| {}).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What `cellsim explain` says of a pod at the end.
    fn explain(&self, pod: &str) -> serde_json::Value {
        let output = Command::new(env!("CARGO_BIN_EXE_cellsim"))
            .args(["explain", "--json", "shared.yaml", &format!("pod/{pod}")])
            .current_dir(self.path())
            .output()
            .expect("the program can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The node of a pod at the end.
    fn node_of(&self, pod: &str) -> String {
        self.explain(pod)["node"].as_str().unwrap_or("none").to_owned()
    }

    /// What is wrong with it.
    fn complaint(&self) -> String {
        let loaded = load(&self.path().join("shared.yaml"), &[]);
        let loaded = loaded.unwrap_or_else(|errors| panic!("{errors}"));
        match Plan::new(&loaded, &Registry::default()) {
            Ok(_) => panic!("it is accepted"),
            Err(errors) => errors.to_string(),
        }
    }
}

/// So many nodes of 10 cores each.
fn nodes(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        writeln!(
            text,
            "---\napiVersion: v1\nkind: Node\nmetadata:\n  name: n{number}\n  labels: \
             {{kubernetes.io/hostname: n{number}}}\nstatus:\n  allocatable: {{cpu: \"10\", memory: \
             64Gi, pods: \"110\"}}"
        )
        .unwrap();
    }
    text
}

/// A Deployment of pods with these labels (as YAML) and this specification (as YAML).
fn deployment(name: &str, replicas: u32, labels: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  replicas: \
         {replicas}\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: \
         {{labels: {{app: {name}, {labels}}}}}\n    spec: {{{spec}}}\n"
    )
}

/// Containers that ask for `cpu`.
fn cpu(cpu: &str) -> String {
    format!("containers: [{{name: c, resources: {{requests: {{cpu: \"{cpu}\"}}}}}}]")
}

const TWO_PROFILES: &str = "\
profiles:
  - schedulerName: default-scheduler
  - schedulerName: pack
    pluginConfig:
      - name: NodeResourcesFit
        args: {scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 1}]}}
    plugins:
      score: {disabled: [{name: '*'}], enabled: [{name: NodeResourcesFit}]}
";

#[test]
fn pods_are_scheduled_by_the_profile_they_name() {
    let manifests = nodes(4)
        + &deployment("spread", 4, "by: default", &cpu("2"))
        + &deployment("packed", 3, "by: pack", &format!("schedulerName: pack, {}", cpu("2")))
        + &deployment("alien", 2, "by: nobody", &format!("schedulerName: other, {}", cpu("1")));
    let cell = Cell::new(1, TWO_PROFILES, &manifests);
    let result = cell.run();
    let alien = "no scheduler is called other (there are: default-scheduler, pack)";
    let notices = result.notices.join("\n");
    assert!(notices.contains(&format!("2 pods of tier production: {alien}")), "{notices}");
    assert_eq!((result.pods.running_at_end, result.pods.pending_at_end), (7, 2));
    let nodes: Vec<String> =
        (0..3).map(|pod| cell.node_of(&format!("default/packed/{pod}"))).collect();
    assert!(nodes.iter().all(|node| *node == nodes[0]), "{nodes:?}");
    let told = cell.explain("default/alien/0");
    assert_eq!(told["placement"]["rejections"], format!("0/4 nodes are available: 4 {alien}."));
}

#[test]
fn one_profile_can_be_made_to_decide_about_all_pods() {
    let manifests = nodes(2)
        + &deployment("alien", 4, "by: nobody", &format!("schedulerName: other, {}", cpu("2")));
    let cell = Cell::new(1, TWO_PROFILES, &manifests);
    let scenario = fs::read_to_string(cell.path().join("shared.yaml")).unwrap();
    let scenario = scenario.replace("ties: first", "ties: first, profile: pack");
    fs::write(cell.path().join("shared.yaml"), scenario).unwrap();
    assert_eq!(cell.run().pods.running_at_end, 4);
    let nodes: Vec<String> =
        (0..4).map(|pod| cell.node_of(&format!("default/alien/{pod}"))).collect();
    assert!(nodes.iter().all(|node| *node == nodes[0]), "{nodes:?}");
}

#[test]
fn profiles_must_order_the_queue_alike() {
    let config = "\
profiles:
  - schedulerName: default-scheduler
  - schedulerName: gangs
    plugins:
      queueSort: {disabled: [{name: '*'}], enabled: [{name: Coscheduling}]}
";
    let complaint = Cell::new(1, config, &nodes(1)).complaint();
    let wanted = "line 4: profiles: all profiles must have the same queueSort plugin: \
                  default-scheduler has PrioritySort, gangs has Coscheduling";
    assert!(complaint.contains(wanted), "{complaint}");
}
