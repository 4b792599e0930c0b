use super::{Configured, read};
use crate::engine::SimDuration;
use crate::scheduling::kube::DEFAULT_PLUGINS;

fn configured(text: &str) -> Configured {
    let head = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";
    read(&format!("{head}{text}")).unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
}

fn errors(text: &str) -> String {
    let head = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";
    let errors = read(&format!("{head}{text}")).expect_err(text);
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Names, weights, and whether they filter and score.
fn plugins(configured: &Configured) -> Vec<(String, i64, bool, bool)> {
    let plugins = &configured.profiles[0].profile.plugins;
    let one = |enabled: &crate::scheduling::kube::Enabled| {
        let plugin = &enabled.plugin;
        (plugin.name().to_owned(), enabled.weight, plugin.filters(), plugin.scores())
    };
    plugins.iter().map(one).collect()
}

#[test]
fn without_anything_it_is_the_default_profile() {
    let configured = configured("");
    let profile = &configured.profiles[0];
    assert_eq!(profile.scheduler_name, "default-scheduler");
    assert_eq!(profile.queue_sort, "PrioritySort");
    assert!(profile.profile.preemption.is_some());
    assert_eq!(configured.initial_backoff, SimDuration::from_secs(1));
    assert_eq!(configured.max_backoff, SimDuration::from_secs(10));
    let mut found: Vec<_> =
        plugins(&configured).into_iter().map(|(name, weight, _, _)| (name, weight)).collect();
    let mut expected: Vec<_> = DEFAULT_PLUGINS
        .iter()
        .map(|(name, weight)| ((*name).to_owned(), (*weight).max(1)))
        .collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(profile.not_modelled, ["DynamicResources"]);
}

#[test]
fn scores_can_be_weighted_disabled_and_added() {
    let text = "
profiles:
- schedulerName: packing
  percentageOfNodesToScore: 30
  plugins:
    score:
      disabled:
      - name: NodeResourcesBalancedAllocation
      - name: TaintToleration
      enabled:
      - name: NodeResourcesFit
        weight: 7
      - name: NodeResourcesAllocatable
  pluginConfig:
  - name: NodeResourcesFit
    args:
      apiVersion: kubescheduler.config.k8s.io/v1
      kind: NodeResourcesFitArgs
      scoringStrategy:
        type: MostAllocated
";
    let configured = configured(text);
    let found = plugins(&configured);
    let find = |name: &str| found.iter().find(|one| one.0 == name).cloned();
    assert_eq!(find("NodeResourcesFit"), Some(("NodeResourcesFit".into(), 7, true, true)));
    assert_eq!(find("NodeResourcesBalancedAllocation"), None);
    assert_eq!(find("TaintToleration"), Some(("TaintToleration".into(), 1, true, false)));
    assert_eq!(
        find("NodeResourcesAllocatable"),
        Some(("NodeResourcesAllocatable".into(), 1, false, true))
    );
    assert_eq!(configured.profiles[0].profile.percentage_of_nodes_to_score, 30);
}

#[test]
fn a_star_disables_all_default_plugins() {
    let text = "
profiles:
- plugins:
    multiPoint:
      disabled: [{name: '*'}]
      enabled: [{name: DefaultBinder}, {name: PrioritySort}, {name: NodeName}, {name: ImageLocality, weight: 4}]
";
    let configured = configured(text);
    let expected = [("NodeName", 1, true, false), ("ImageLocality", 4, false, true)];
    let expected =
        expected.map(|(name, weight, filters, scores)| (name.to_owned(), weight, filters, scores));
    assert_eq!(plugins(&configured), expected);
    assert!(configured.profiles[0].profile.preemption.is_none());
    let text = "
profiles:
- plugins:
    preScore: {disabled: [{name: '*'}]}
    score: {disabled: [{name: '*'}], enabled: [{name: ImageLocality}]}
";
    let found = self::configured(text);
    let scorers: Vec<_> =
        plugins(&found).into_iter().filter(|one| one.3).map(|one| one.0).collect();
    assert_eq!(scorers, ["ImageLocality"]);
}

#[test]
fn plugins_of_one_point_come_before_those_of_all_points() {
    let text = "
profiles:
- plugins:
    filter: {enabled: [{name: NodePorts}, {name: NodeName}]}
";
    let found = plugins(&configured(text));
    let names: Vec<&str> = found.iter().map(|one| one.0.as_str()).take(3).collect();
    assert_eq!(names, ["NodePorts", "NodeName", "NodeUnschedulable"]);
}

#[test]
fn the_queue_can_be_ordered_by_gangs() {
    let text = "
podInitialBackoffSeconds: 2
podMaxBackoffSeconds: 60
profiles:
- plugins:
    queueSort: {enabled: [{name: Coscheduling}], disabled: [{name: '*'}]}
    multiPoint: {enabled: [{name: Coscheduling}]}
  pluginConfig:
  - name: DefaultPreemption
    args: {minCandidateNodesPercentage: 50}
";
    let configured = configured(text);
    assert_eq!(configured.profiles[0].queue_sort, "Coscheduling");
    assert_eq!(configured.max_backoff, SimDuration::from_secs(60));
    let preemption = configured.profiles[0].profile.preemption.as_ref().expect("it preempts");
    assert_eq!(preemption.min_candidate_nodes_percentage, 50);
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_field() {
    for (text, message) in [
        ("parallelism: 0\n", "line 3: parallelism: should be an integer value greater"),
        ("percentageOfNodesToScore: 101\n", "not in the valid range [0, 100]"),
        ("podInitialBackoffSeconds: 0\n", "must be greater than 0"),
        ("podMaxBackoffSeconds: 0\n", "must be greater than or equal to podInitialBackoffSeconds"),
        ("profile: []\n", "line 3: profile: unknown field; did you mean `profiles`?"),
        ("extenders: [{urlPrefix: x}]\n", "extenders are not supported"),
        ("profiles:\n- {schedulerName: a}\n- {}\n", "`schedulerName` is missing"),
        ("profiles:\n- {schedulerName: a}\n- {schedulerName: a}\n", "`a` is there already"),
        ("profiles: 3\n", "invalid type"),
        (
            "profiles:\n- plugins:\n    scores: {}\n",
            "line 5: profiles[0].plugins.scores: unknown field; did you mean `score`?",
        ),
        (
            "profiles:\n- plugins:\n    score:\n      enabled:\n      - name: NodeResourceFit\n",
            "line 7: profiles[0].plugins.score.enabled[0].name: there is no plugin \
             `NodeResourceFit`; did you mean `NodeResourcesFit`?",
        ),
        (
            "profiles:\n- plugins: {score: {enabled: [{name: NodeName}]}}\n",
            "`NodeName` has nothing to say at score",
        ),
        (
            "profiles:\n- plugins: {score: {enabled: [{name: ImageLocality}, {name: ImageLocality}]}}\n",
            "plugin `ImageLocality` already registered",
        ),
        (
            "profiles:\n- plugins: {queueSort: {disabled: [{name: '*'}]}}\n",
            "exactly one queue sort plugin is needed, found []",
        ),
        (
            "profiles:\n- plugins: {multiPoint: {enabled: [{name: Coscheduling}]}}\n",
            "found [PrioritySort, Coscheduling]",
        ),
        (
            "profiles:\n- plugins: {preFilter: {disabled: [{name: NodePorts}]}}\n",
            "`NodePorts` needs to be enabled at both preFilter and filter",
        ),
        ("profiles:\n- plugins: {bind: {disabled: [{name: '*'}]}}\n", "at least one bind plugin"),
        (
            "profiles:\n- pluginConfig: [{name: InterPodAffinity, args: {hardPodAffinityWeight: 101}}]\n",
            "hardPodAffinityWeight",
        ),
        (
            "profiles:\n- pluginConfig: [{name: NodeResourcesFit, args: {kind: NodeAffinityArgs}}]\n",
            "expected `NodeResourcesFitArgs`",
        ),
        (
            "profiles:\n- pluginConfig: [{name: NodeResourcesFit, args: {strategy: x}}]\n",
            "unknown field `strategy`",
        ),
        (
            "profiles:\n- pluginConfig: [{name: NodeName}, {name: NodeName}]\n",
            "`NodeName` is there already",
        ),
    ] {
        let found = errors(text);
        assert!(found.contains(message), "{text}: {found}");
    }
}

#[test]
fn other_files_are_refused() {
    for (text, message) in [
        ("", "the file says nothing"),
        ("a: [1", "not valid YAML"),
        ("kind: Pod\napiVersion: v1\n", "`Pod` is not supported; expected `KubeSchedulerConfig"),
        ("kind: KubeSchedulerConfiguration\n", "`apiVersion` is missing"),
        ("kind: Pod\n---\nkind: Pod\n", "a second document"),
        (
            "kind: KubeSchedulerConfiguration\napiVersion: kubescheduler.config.k8s.io/v1beta3\n",
            "expected `kubescheduler.config.k8s.io/v1`",
        ),
    ] {
        let found = read(text).expect_err(text);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(found.join("\n").contains(message), "{text}: {found:?}");
    }
}
