//! Cells that several tenants share under the kube-scheduler: profiles that pods choose, gangs,
//! elastic quotas. Every run is audited.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use cellsim::Registry;
use cellsim::cluster::{Cluster, Fact};
use cellsim::engine::SimTime;
use cellsim::metrics::{Observer, RunResult};
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
        self.run_with(None)
    }

    fn run_with(&self, watcher: Option<Bound>) -> RunResult {
        let loaded = load(&self.path().join("shared.yaml"), &[]);
        let loaded = loaded.unwrap_or_else(|errors| panic!("{errors}"));
        let plan = Plan::new(&loaded, &Registry::default());
        let plan = plan.unwrap_or_else(|errors| panic!("{errors}"));
        let run = plan.prepare(plan.seed, 0, true).expect("its files can be read");
        let mut simulation = Simulation::new(run.config).expect("the scenario makes sense");
        if let Some(watcher) = watcher {
            simulation.observe(Box::new(watcher));
        }
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

/// A Job of pods that run for a while, in a namespace, with labels (as YAML).
fn job(namespace: &str, name: &str, pods: u32, run: &str, labels: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, namespace: \
         {namespace}}}\nspec:\n  parallelism: {pods}\n  completions: {pods}\n  template:\n    \
         metadata:\n      labels: {{{labels}}}\n      annotations: \
         {{pod-complete.stage.kwok.x-k8s.io/delay: {run}}}\n    spec: {{{spec}}}\n"
    )
}

/// A gang: its PodGroup and a Job with as many pods.
fn gang(name: &str, pods: u32, run: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: scheduling.x-k8s.io/v1alpha1\nkind: PodGroup\nmetadata: {{name: {name}, \
         namespace: team}}\nspec: {{minMember: {pods}, scheduleTimeoutSeconds: 120}}\n"
    ) + &job("team", name, pods, run, &format!("scheduling.x-k8s.io/pod-group: {name}"), spec)
}

const GANGS: &str = "\
profiles:
  - schedulerName: default-scheduler
    plugins:
      multiPoint: {enabled: [{name: Coscheduling}]}
      queueSort: {disabled: [{name: '*'}], enabled: [{name: Coscheduling}]}
    pluginConfig:
      - {name: Coscheduling, args: {permitWaitingTimeSeconds: 60}}
";

/// When something changed, and how many pods of each workload were bound then.
type Steps = Vec<(SimTime, BTreeMap<String, i64>)>;

/// Counts the pods that are bound.
#[derive(Clone, Default)]
struct Bound(Arc<Mutex<Steps>>);

impl Observer for Bound {
    fn observe(&mut self, now: SimTime, fact: &Fact, cluster: &Cluster) {
        let (pod, change) = match *fact {
            Fact::PodBound { pod, .. } => (pod, 1),
            Fact::PodUnbound { pod, .. } => (pod, -1),
            _ => return,
        };
        let mut steps = self.0.lock().unwrap();
        let mut counts = steps.last().map(|(_, counts)| counts.clone()).unwrap_or_default();
        let workload = cluster.workload_name(cluster.pod(pod).new.workload).to_string();
        *counts.entry(workload).or_default() += change;
        steps.push((now, counts));
    }
}

impl Cell {
    /// The run, and how many pods of each workload were bound after every change.
    fn watch(&self) -> (RunResult, Steps) {
        let bound = Bound::default();
        let result = self.run_with(Some(bound.clone()));
        let steps = bound.0.lock().unwrap().clone();
        (result, steps)
    }
}

/// What was left when an instant was over.
fn settled(steps: &Steps) -> Steps {
    let last = |place: usize| steps.get(place + 1).is_none_or(|(time, _)| *time != steps[place].0);
    (0..steps.len()).filter(|place| last(*place)).map(|place| steps[place].clone()).collect()
}

fn count(counts: &BTreeMap<String, i64>, workload: &str) -> i64 {
    counts.get(workload).copied().unwrap_or(0)
}

#[test]
fn two_gangs_that_do_not_fit_together_run_one_after_the_other() {
    // 40 cores; each gang needs 24 of them.
    let spec = format!("priority: 0, {}", cpu("4"));
    let manifests = nodes(4) + &gang("red", 6, "20m", &spec) + &gang("blue", 6, "20m", &spec);
    let (result, steps) = Cell::new(2, GANGS, &manifests).watch();
    assert_eq!(
        (result.pods.succeeded, result.pods.pending_at_end),
        (12, 0),
        "{:?}",
        result.notices
    );
    assert_eq!(result.pods.bound, 12, "nobody was bound in vain");
    for (time, counts) in &settled(&steps) {
        let (red, blue) = (count(counts, "team/red"), count(counts, "team/blue"));
        assert!([0, 6].contains(&red) && [0, 6].contains(&blue), "{time}: {counts:?}");
        assert!(red == 0 || blue == 0, "{time}: {counts:?}");
    }
}

#[test]
fn a_gang_that_is_too_large_holds_nothing_after_its_timeout() {
    // Eleven pods do not fit; one lacks, less than 10 %: those that fit wait for it until the
    // time-out, and the pods of nobody have to wait for as long.
    let spec = format!("priority: 5, {}", cpu("4"));
    let manifests =
        nodes(5) + &gang("huge", 11, "20m", &spec) + &deployment("small", 4, "by: me", &cpu("4"));
    let cell = Cell::new(1, GANGS, &manifests);
    let (result, steps) = cell.watch();
    assert_eq!((result.pods.running_at_end, result.pods.pending_at_end), (4, 11));
    for (time, counts) in &steps {
        assert_eq!(count(counts, "team/huge"), 0, "{time}: {counts:?}");
    }
    let settled = settled(&steps);
    let first = settled.iter().find(|(_, counts)| count(counts, "default/small") > 0);
    let (time, counts) = first.expect("the small ones run");
    assert_eq!((time.as_secs_f64(), count(counts, "default/small")), (120.0, 4));
    let notices = result.notices.join("\n");
    assert!(notices.contains("11 pods of tier best-effort-batch: "), "{notices}");
    let told = cell.explain("team/huge/10");
    let why = told["placement"]["rejections"].as_str().unwrap_or_default().to_owned();
    assert!(why.contains("PodGroup team/huge gets rejected due to Pod huge-"), "{why}");
}

#[test]
fn a_gang_waits_for_its_last_pod() {
    let spec = cpu("4");
    let manifests =
        nodes(4) + &gang("red", 6, "20m", &spec).replace("minMember: 6", "minMember: 7");
    let cell = Cell::new(1, GANGS, &manifests);
    let (result, steps) = cell.watch();
    assert_eq!((result.pods.bound, steps.len()), (0, 0));
    let told = cell.explain("team/red/0");
    let why = told["placement"]["rejections"].as_str().unwrap_or_default();
    let wanted = "cannot find enough sibling pods, current pods number: 6, minMember of group: 7";
    assert!(why.contains(wanted), "{why}");
}

fn quota(namespace: &str, min: u32, max: u32) -> String {
    format!(
        "---\napiVersion: scheduling.x-k8s.io/v1alpha1\nkind: ElasticQuota\nmetadata: {{name: \
         quota, namespace: {namespace}}}\nspec:\n  min: {{cpu: {min}, memory: 100Gi}}\n  max: {{cpu: {max}, \
         memory: 200Gi}}\n"
    )
}

const QUOTAS: &str = "\
profiles:
  - schedulerName: default-scheduler
    plugins:
      multiPoint: {enabled: [{name: CapacityScheduling}]}
      postFilter: {disabled: [{name: '*'}], enabled: [{name: CapacityScheduling}]}
";

#[test]
fn what_a_namespace_borrowed_goes_back_to_its_owner() {
    // 40 cores, 20 for each; `a` may use 32 and comes first. Of the 20 that `b` wants 8 are free.
    let manifests = nodes(4)
        + &quota("a", 20, 32)
        + &quota("b", 20, 40)
        + &job("a", "filler", 20, "10h", "by: a", &cpu("2"))
        + &job("b", "owner", 10, "30m", "by: b", &cpu("2"));
    let cell = Cell::new(4, QUOTAS, &manifests);
    let (result, steps) = cell.watch();
    for (time, counts) in &steps {
        let used = 2 * count(counts, "a/filler");
        assert!(used <= 32, "{time}: {counts:?}");
    }
    let most = steps.iter().map(|(_, counts)| count(counts, "a/filler")).max();
    assert_eq!(most, Some(16), "it borrows up to its max");
    let settled = settled(&steps);
    let at_first = |workload| count(&settled[0].1, workload);
    assert_eq!((at_first("a/filler"), at_first("b/owner")), (10, 10), "each has its min");
    let at_last = |workload| count(&settled[settled.len() - 1].1, workload);
    assert_eq!((at_last("a/filler"), at_last("b/owner")), (16, 0), "b is done, a borrows again");
    let preempted = result.evictions.iter().filter(|one| one.cause == "preemption");
    let preempted: u64 = preempted.map(|one| one.count).sum();
    assert_eq!(preempted, 6, "as many as were borrowed of what b needs");
    assert_eq!(result.pods.pending_at_end, 4, "a stays within its max");
    let told = cell.explain("a/filler/19");
    let why = told["placement"]["rejections"].as_str().unwrap_or_default();
    assert!(why.contains("because ElasticQuota a is more than Max"), "{why}");
}

const BOTH: &str = "\
profiles:
  - schedulerName: default-scheduler
    plugins:
      multiPoint: {enabled: [{name: Coscheduling}, {name: CapacityScheduling}]}
      queueSort: {disabled: [{name: '*'}], enabled: [{name: Coscheduling}]}
      postFilter:
        disabled: [{name: '*'}]
        enabled: [{name: CapacityScheduling}, {name: Coscheduling}]
    pluginConfig:
      - {name: Coscheduling, args: {permitWaitingTimeSeconds: 90, podGroupBackoffSeconds: 20}}
";

/// Random gangs beside ordinary pods, within a quota: whatever happens, no gang is bound in parts,
/// and no namespace uses more than its max.
#[test]
fn gangs_are_never_bound_in_parts_and_quotas_never_exceeded() {
    for seed in 0..24_u32 {
        let draw = |salt: u32, below: u32| (seed * 7_919 + salt * 104_729) / 7 % below;
        let max = 20 + draw(1, 30);
        let mut manifests = nodes(2 + draw(2, 4) as usize)
            + &quota("team", max / 2, max)
            + &quota("other", 20, 60)
            + &job("other", "single", 6, "15m", "by: other", &cpu("3"));
        let mut sizes = Vec::new();
        for number in 0..4 {
            let (pods, cores) = (2 + draw(3 + number, 7), 1 + draw(9 + number, 5));
            let name = format!("g{number}");
            manifests += &gang(&name, pods, "10m", &cpu(&cores.to_string()));
            sizes.push((format!("team/{name}"), i64::from(pods), i64::from(cores)));
        }
        let (_, steps) = Cell::new(2, BOTH, &manifests).watch();
        let mut together = vec![false; sizes.len()];
        for (time, counts) in &steps {
            let used: i64 = sizes.iter().map(|(name, _, cores)| cores * count(counts, name)).sum();
            assert!(used <= i64::from(max), "seed {seed} at {time}: {used} of {max}");
        }
        for (time, counts) in &settled(&steps) {
            for ((name, pods, _), together) in sizes.iter().zip(&mut together) {
                let bound = count(counts, name);
                // Pods that ran together end one after the other, and may be preempted.
                assert!(bound == 0 || bound == *pods || *together, "seed {seed} at {time}: {name}");
                *together |= bound == *pods;
            }
        }
        assert!(together.iter().any(|one| *one), "seed {seed}: nobody ran");
    }
}

#[test]
fn objects_that_make_no_sense_are_refused() {
    let refused = |manifests: &str, wanted: &str| {
        let cell = Cell::new(1, GANGS, &(nodes(1) + manifests));
        let complaint = cell.complaint();
        assert!(complaint.contains(wanted), "{complaint}");
    };
    let spec = cpu("1");
    refused(
        &gang("red", 2, "20m", &spec).replace("minMember: 2", "minMember: 0"),
        "PodGroup team/red: minMember is 0; expected at least 1",
    );
    refused(
        &gang("red", 2, "soon", &spec),
        "is `soon`; expected a duration such as `1h30m` or `90s`",
    );
    let second = quota("team", 1, 2).replace("name: quota", "name: second");
    refused(
        &(quota("team", 1, 2) + &second),
        "ElasticQuota team/second: its namespace has an ElasticQuota already; expected one at most",
    );
}

#[test]
fn the_scenario_of_a_shared_cluster_tells_who_waits_for_what() {
    let says = |pod: &str, wanted: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_cellsim"))
            .args(["explain", "--json", "scenarios/shared-cluster.yaml", pod, "--at", "1h"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("the program can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let why = told["placement"]["rejections"].as_str().unwrap_or_default();
        assert!(told["state"] == "pending" && why.contains(wanted), "{pod}: {told:#}");
    };
    says(
        "pod/research/language/0",
        "PodGroup research/language gets rejected due to Pod language-",
    );
    says("pod/research/notebooks/15", "because total ElasticQuota used is more than min");
}
