use super::{KubernetesCell, Manifests, OwnerKind};
use crate::kubernetes::LabelSelector;
use crate::kubernetes::requests::{RequestOptions, pod_requests};

fn manifests(text: &str) -> Manifests {
    let mut manifests = Manifests::default();
    manifests.add("cell.yaml", text).unwrap_or_else(|error| panic!("{error}"));
    manifests
}

fn cell(text: &str) -> KubernetesCell {
    KubernetesCell::new(manifests(text)).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn errors(text: &str) -> String {
    let errors = KubernetesCell::new(manifests(text)).expect_err(text);
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// How many pods there are.
fn count(cell: &KubernetesCell) -> u32 {
    cell.pods.iter().map(|one| one.copies).sum()
}

fn names(cell: &KubernetesCell) -> Vec<String> {
    cell.pods.iter().map(|one| one.pod.metadata.name.clone()).collect()
}

const WEB: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: c
        image: web
        resources: {limits: {cpu: 500m, memory: 1Gi}, requests: {cpu: 250m}}
";

const NODES: &str = "
apiVersion: v1
kind: List
items:
- {kind: Node, metadata: {name: a, labels: {disk: ssd}}, status: {allocatable: {cpu: 4}}}
- kind: Node
  metadata: {name: b}
  spec: {unschedulable: true, taints: [{key: node.kubernetes.io/unschedulable, effect: NoSchedule}]}
- kind: Node
  metadata: {name: c}
  spec: {taints: [{key: special, effect: NoExecute}]}
";

#[test]
fn a_deployment_becomes_a_replica_set_and_its_pods() {
    let cell = cell(WEB);
    let set = &cell.replica_sets[0].metadata;
    assert_eq!(set.controller().map(|owner| owner.kind.as_str()), Some("Deployment"));
    assert_eq!(count(&cell), 3);
    assert_eq!(cell.owners[0].kind, OwnerKind::Deployment);
    for one in &cell.pods {
        let pod = &one.pod;
        assert_eq!(pod.metadata.generate_name, format!("{}-", set.name));
        assert_eq!(pod.metadata.namespace, "shop");
        assert!(pod.metadata.labels.contains_key("pod-template-hash"));
        assert_eq!((one.owner, one.made), (Some(0), true));
        let requests = pod_requests(pod, &RequestOptions::default());
        assert_eq!(requests["cpu"].milli_value(), 250);
        assert_eq!(requests["memory"].value(), 1 << 30, "the limit, since nothing is asked for");
        assert_eq!(pod.spec.tolerations.len(), 2);
    }
    assert_eq!(cell, self::cell(WEB), "the same every time");
}

#[test]
fn pods_of_a_dump_are_not_made_again() {
    let dump = "
kind: PodList
items:
- metadata:
    name: web-abc-1
    namespace: shop
    labels: {app: web}
    ownerReferences: [{kind: ReplicaSet, name: web-abc, controller: true}]
  spec: {nodeName: a, containers: [{name: c}]}
- metadata:
    name: web-abc-2
    namespace: shop
    labels: {app: web}
    deletionTimestamp: '2026-01-01T00:00:00Z'
    ownerReferences: [{kind: ReplicaSet, name: web-abc, controller: true}]
  spec: {nodeName: a, containers: [{name: c}]}
- metadata: {name: done, namespace: shop}
  spec: {containers: [{name: c}]}
  status: {phase: Succeeded}
";
    let found = cell(&format!("{WEB}\n---\n{dump}"));
    assert_eq!((count(&found), found.ended), (4, 1), "one runs, one leaves, two are missing");
    assert!(found.pods.iter().all(|one| one.owner == Some(0)));
    let set = "
kind: ReplicaSet
metadata:
  name: web-abc
  namespace: shop
  ownerReferences: [{kind: Deployment, name: web, controller: true}]
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}
";
    let found = cell(&format!("{WEB}\n---\n{dump}\n---\n{set}"));
    assert_eq!((count(&found), found.owners.len()), (3, 1), "its ReplicaSet wants two");
    let found = cell(&format!("{dump}\n---\n{set}"));
    assert_eq!(found.owners[0].kind, OwnerKind::ReplicaSet, "its Deployment is not there");
}

#[test]
fn pods_of_a_stateful_set_have_numbers_and_claims() {
    let text = "
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  template: {spec: {containers: [{name: c}]}}
  volumeClaimTemplates: [{metadata: {name: data}}]
---
kind: Pod
metadata: {name: db-1, ownerReferences: [{kind: StatefulSet, name: db, controller: true}]}
spec: {containers: [{name: c}]}
";
    let cell = cell(text);
    assert_eq!(names(&cell), ["db-1", "db-0"]);
    let pod = &cell.pods[1].pod;
    let claim = pod.spec.volumes[0].persistent_volume_claim.as_ref().expect("a claim");
    assert_eq!(claim.claim_name, "data-db-0");
    assert_eq!(pod.metadata.namespace, "default");
    assert_eq!(pod.metadata.labels["apps.kubernetes.io/pod-index"], "0");
    let claims: Vec<&str> = cell.claims.iter().map(|one| one.metadata.name.as_str()).collect();
    assert_eq!(claims, ["data-db-0"], "pods of the files have theirs in the files");
}

#[test]
fn claims_are_made_once_and_get_the_default_class() {
    let text = "
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  template:
    spec:
      containers: [{name: c}]
      volumes: [{name: tmp, ephemeral: {volumeClaimTemplate: {spec: {}}}}]
  volumeClaimTemplates: [{metadata: {name: data}}, {metadata: {name: log}, spec: {storageClassName: ''}}]
---
kind: PersistentVolumeClaim
metadata: {name: data-db-1}
spec: {storageClassName: slow}
---
kind: StorageClassList
items:
- metadata: {name: slow}
  provisioner: p
- metadata:
    name: fast
    annotations: {storageclass.kubernetes.io/is-default-class: 'true'}
  provisioner: p
  volumeBindingMode: WaitForFirstConsumer
---
kind: PersistentVolume
metadata: {name: v}
---
kind: CSINode
metadata: {name: n}
spec: {drivers: [{name: p, allocatable: {count: 3}}]}
";
    let cell = cell(text);
    let claims: Vec<_> = cell
        .claims
        .iter()
        .map(|one| {
            let class = one.spec.storage_class_name.as_deref().expect("a class");
            (one.metadata.name.as_str(), class, one.metadata.namespace.as_str())
        })
        .collect();
    let expected = [
        ("data-db-1", "slow", "default"),
        ("data-db-0", "fast", "default"),
        ("log-db-0", "", "default"),
        ("log-db-1", "", "default"),
    ];
    assert_eq!(claims, expected);
    let source = cell.pods[0].pod.spec.volumes[0].ephemeral.as_ref().expect("ephemeral");
    let template = source.volume_claim_template.as_ref().expect("a template");
    assert_eq!(template.spec.storage_class_name.as_deref(), Some("fast"));
    let modes: Vec<_> =
        cell.objects.storage_classes.iter().map(|one| one.volume_binding_mode.as_deref()).collect();
    assert_eq!(modes, [Some("Immediate"), Some("WaitForFirstConsumer")]);
    assert_eq!(cell.objects.volumes[0].status.phase, "Available");
    assert_eq!(cell.objects.csi_nodes.len(), 1);
}

#[test]
fn a_daemon_set_has_a_pod_on_every_node_that_takes_it() {
    let daemon = |spec: &str| {
        format!(
            "{NODES}\n---\nkind: DaemonSet\nmetadata: {{name: log}}\nspec: {{template: {{spec: {spec}}}}}"
        )
    };
    let found = cell(&daemon("{containers: [{name: c}]}"));
    let targets: Vec<String> = found
        .pods
        .iter()
        .map(|one| serde_json::to_string(&one.pod.spec.affinity).expect("JSON"))
        .collect();
    assert_eq!(targets.len(), 2, "cordoned nodes too, but not those with other taints");
    assert!(targets[0].contains("\"a\"") && targets[1].contains("\"b\""), "{targets:?}");
    assert_eq!(found.owners[0].replicas, 2);
    let found = cell(&daemon("{nodeSelector: {disk: ssd}, containers: [{name: c}]}"));
    assert_eq!(count(&found), 1);
    let everywhere = "{tolerations: [{operator: Exists}], containers: [{name: c}]}";
    assert_eq!(count(&cell(&daemon(everywhere))), 3);
    let running = "
---
kind: Pod
metadata: {name: log-x, ownerReferences: [{kind: DaemonSet, name: log, controller: true}]}
spec: {nodeName: a, containers: [{name: c}]}
";
    let found = cell(&format!("{}{running}", daemon("{containers: [{name: c}]}")));
    assert_eq!(found.pods.iter().filter(|one| one.made).count(), 1);
}

#[test]
fn a_job_has_as_many_pods_as_may_run_and_are_missing() {
    let job = |spec: &str, status: &str| {
        let template = "template: {spec: {containers: [{name: c}]}}";
        cell(&format!(
            "kind: Job\nmetadata: {{name: j}}\nspec: {{{spec}, {template}}}\nstatus: {status}"
        ))
    };
    assert_eq!(count(&job("parallelism: 3, completions: 10", "{}")), 3);
    assert_eq!(count(&job("parallelism: 3, completions: 10", "{succeeded: 8}")), 2);
    assert_eq!(count(&job("parallelism: 3, suspend: true", "{}")), 0);
    let complete = "{conditions: [{type: Complete, status: 'True'}]}";
    assert_eq!(count(&job("parallelism: 3", complete)), 0);
    let indexed = "parallelism: 2, completions: 4, completionMode: Indexed";
    let found = job(indexed, "{succeeded: 2, completedIndexes: '0,2'}");
    let indexes: Vec<&str> = found
        .pods
        .iter()
        .map(|one| {
            one.pod.metadata.annotations["batch.kubernetes.io/job-completion-index"].as_str()
        })
        .collect();
    assert_eq!(indexes, ["1", "3"]);
    assert_eq!(found.owners[0].completions, Some(4));
}

#[test]
fn priorities_come_from_their_classes() {
    let text = "
kind: PriorityClass
metadata: {name: high}
value: 1000
preemptionPolicy: Never
---
kind: PriorityClass
metadata: {name: usual}
value: 7
globalDefault: true
---
kind: Pod
metadata: {name: a}
spec: {priorityClassName: high, containers: [{name: c}]}
---
kind: Pod
metadata: {name: b}
spec: {hostNetwork: true, containers: [{name: c, ports: [{containerPort: 80}]}]}
---
kind: Pod
metadata: {name: c}
spec: {priorityClassName: system-node-critical, containers: [{name: c}]}
";
    let found = cell(text);
    let priorities: Vec<_> = found.pods.iter().map(|one| one.pod.spec.priority).collect();
    assert_eq!(priorities, [Some(1000), Some(7), Some(2_000_001_000)]);
    assert_eq!(found.pods[0].pod.spec.preemption_policy.as_deref(), Some("Never"));
    assert_eq!(found.pods[1].pod.spec.containers[0].ports[0].host_port, 80);
    let lost = "kind: Pod\nmetadata: {name: a}\nspec: {priorityClassName: x, containers: [{}]}";
    assert!(errors(lost).contains("there is no PriorityClass `x`"));
}

#[test]
fn kinds_that_nothing_looks_at_are_counted() {
    let found =
        manifests("kind: ConfigMap\n---\nkind: Secret\n---\nkind: ConfigMap\n---\n# nothing\n");
    let counts: Vec<_> =
        found.other_kinds.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    assert_eq!(counts, [("ConfigMap", 2), ("Secret", 1)]);
}

#[test]
fn workloads_that_make_no_sense_are_told() {
    let wrong = [
        (
            WEB.replace("matchLabels: {app: web}", "matchLabels: {app: db}"),
            "does not select its own",
        ),
        (WEB.replace("replicas: 3", "replicas: -1"), "a negative number of replicas"),
        (
            "kind: Job\nmetadata: {name: j}".to_owned(),
            "Job default/j: its template has no containers",
        ),
        (
            "kind: Pod\nmetadata: {name: a}\n---\nkind: Pod\nmetadata: {name: a}".to_owned(),
            "is there twice",
        ),
    ];
    for (text, message) in wrong {
        let found = errors(&text);
        assert!(found.contains(message), "{text}: {found}");
    }
}

#[test]
fn files_that_cannot_be_read_are_told_with_their_line() {
    for (text, message) in [
        ("kind: Pod\n---\nmetadata: {}\n", "f.yaml: line 3: an object without `kind`"),
        ("a: [\n", "not valid YAML"),
        (
            "kind: Node\nmetadata: {name: n}\nstatus: {allocatable: {cpu: lots}}\n",
            "Node `n`: `lots` is no quantity",
        ),
        ("{\"kind\": \"Pod\", \"spec\": 3}", "Pod ``: invalid type"),
    ] {
        let error = Manifests::default().add("f.yaml", text).expect_err(text).to_string();
        assert!(error.contains(message), "{error}");
    }
}

const KEYED: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tenant: red}}
    spec:
      containers: [{name: c}]
      affinity:
        podAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
          - topologyKey: zone
            labelSelector: {matchLabels: {app: web}}
            matchLabelKeys: [pod-template-hash, version]
          - {topologyKey: zone, matchLabelKeys: [tenant]}
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 1
            podAffinityTerm:
              topologyKey: zone
              labelSelector: {matchExpressions: [{key: tenant, operator: Exists}]}
              mismatchLabelKeys: [tenant]
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule,
         labelSelector: {}, matchLabelKeys: [app]}
";

#[test]
fn label_keys_become_part_of_the_selectors_with_the_values_of_the_pod() {
    let cell = cell(KEYED);
    let pod = &cell.pods[0].pod;
    let hash = pod.metadata.labels["pod-template-hash"].as_str();
    let text = |selector: Option<&LabelSelector>| {
        let requirements = selector?.match_expressions.iter();
        let text = requirements.map(|one| {
            format!("{} {} {}", one.key, one.operator, one.values.join(",")).trim().to_owned()
        });
        Some(text.collect::<Vec<_>>().join("; "))
    };
    let affinity = pod.spec.affinity.as_ref().expect("it has some");
    let near = &affinity.pod_affinity.as_ref().expect("it has some").required;
    // The pod has no label `version`: that key is ignored.
    assert_eq!(text(near[0].label_selector.as_ref()), Some(format!("pod-template-hash In {hash}")));
    assert_eq!(text(near[1].label_selector.as_ref()), None, "nothing stays nothing");
    let away = &affinity.pod_anti_affinity.as_ref().expect("it has some").preferred[0];
    let selector = away.pod_affinity_term.label_selector.as_ref();
    assert_eq!(text(selector).as_deref(), Some("tenant Exists; tenant NotIn red"));
    let spread = &pod.spec.topology_spread_constraints[0];
    assert_eq!(text(spread.label_selector.as_ref()).as_deref(), Some("app In web"));
    // What was made once is not made again of a dump.
    let mut dumped = pod.clone();
    dumped.metadata.name = "web-1".to_owned();
    let manifests = Manifests { pods: vec![dumped.clone()], ..Manifests::default() };
    let again = KubernetesCell::new(manifests).expect("it is a pod");
    assert_eq!(again.pods[0].pod, dumped);
}
