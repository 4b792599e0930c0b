//! Which plugins are enabled where, and the profile they make
//! (`mergePlugins` of `apis/config/v1/default_plugins.go`, `expandMultiPointPlugins` of
//! `framework/runtime/framework.go`, kube-scheduler v1.35).

use std::collections::BTreeMap;

use serde_json::Value;

use super::ConfiguredProfile;
use super::extensions::Extensions;
use super::points::{ExtensionPoint, Known, find, known_plugins};
use super::read::{Problems, nearest};
use super::types::{PluginRef, PluginSet, Plugins, SchedulerProfile};
use crate::scheduling::kube::args::PreemptionArgs;
use crate::scheduling::kube::profile::{PluginError, with_defaults};
use crate::scheduling::kube::{
    Cache, Enabled, NodeId, NodeInfo, Plugin, PodInfo, Prepared, Profile, Scores, State, Status,
};

/// Which plugins are enabled at a point, in their order, with their weights.
pub(super) type Enabling = BTreeMap<ExtensionPoint, Vec<(String, i32)>>;

/// Makes a profile; what is wrong with it is added to `problems`.
pub(super) fn profile(
    from: &SchedulerProfile,
    scheduler_name: String,
    percentage: i32,
    pointer: &str,
    problems: &mut Problems,
) -> Option<ConfiguredProfile> {
    let plugins = from.plugins.clone().unwrap_or_default();
    let at = format!("{pointer}/plugins");
    let multi_point = merged(&default_plugins(), &plugins.multi_point);
    let enabling = expand(&plugins, &multi_point, &at, problems);
    let args = arguments(from, pointer, problems);
    let queue_sort = queue_sort(&enabling, &at, problems)?;
    if enabling.get(&ExtensionPoint::Bind).is_none_or(Vec::is_empty) {
        problems.add(&at, "at least one bind plugin is needed");
    }
    let made = make(&enabling, &args, pointer, problems);
    let preempts = enabled_at(&enabling, ExtensionPoint::PostFilter, "DefaultPreemption");
    let preemption = preemption(args.get("DefaultPreemption"), pointer, problems);
    let mut not_modelled: Vec<String> = known_plugins()
        .iter()
        .filter(|plugin| !plugin.modelled && is_enabled(&enabling, plugin.name))
        .map(|plugin| plugin.name.to_owned())
        .collect();
    not_modelled.sort();
    Some(ConfiguredProfile {
        extensions: Extensions::new(&enabling, &args, pointer, problems),
        scheduler_name,
        profile: Profile {
            plugins: made,
            preemption: preempts.then_some(preemption).flatten(),
            percentage_of_nodes_to_score: percentage,
        },
        queue_sort,
        not_modelled,
    })
}

fn default_plugins() -> Vec<PluginRef> {
    let defaults = known_plugins().iter().filter_map(|plugin| {
        let weight = plugin.default_weight?;
        Some(PluginRef { name: plugin.name.to_owned(), weight })
    });
    defaults.collect()
}

/// The default plugins that are not disabled, each as the profile has it if it names it again, and
/// after them what the profile adds.
fn merged(defaults: &[PluginRef], own: &PluginSet) -> Vec<PluginRef> {
    let mut replaced = vec![false; own.enabled.len()];
    let mut result = Vec::new();
    for default in defaults.iter().filter(|plugin| !own.disables(&plugin.name)) {
        let again = own.enabled.iter().rposition(|plugin| plugin.name == default.name);
        match again {
            Some(place) => {
                replaced[place] = true;
                result.push(own.enabled[place].clone());
            }
            None => result.push(default.clone()),
        }
    }
    let added = own.enabled.iter().zip(replaced).filter(|(_, replaced)| !replaced);
    result.extend(added.map(|(plugin, _)| plugin.clone()));
    result
}

/// Spreads the plugins of `multiPoint` over the points at which they have something to say. A
/// plugin that is enabled at a point by itself stands there as it is enabled there: before those
/// that come from `multiPoint`. Plugins enabled at a point only come last.
fn expand(
    plugins: &Plugins,
    multi_point: &[PluginRef],
    at: &str,
    problems: &mut Problems,
) -> Enabling {
    twice(multi_point, &format!("{at}/multiPoint/enabled"), problems);
    let mut enabling = Enabling::new();
    for point in ExtensionPoint::ALL {
        let own = point.of(plugins);
        let place = format!("{at}/{}/enabled", point.name());
        twice(&own.enabled, &place, problems);
        for (index, plugin) in own.enabled.iter().enumerate() {
            if find(&plugin.name).is_some_and(|known| !known.points.contains(&point)) {
                let message = format!("`{}` has nothing to say at {}", plugin.name, point.name());
                problems.add(&format!("{place}/{index}/name"), message);
            }
        }
        let from_multi_point: Vec<&PluginRef> = multi_point
            .iter()
            .filter(|plugin| says_something(plugin, point) && !own.disables(&plugin.name))
            .collect();
        let is_both = |name: &str| from_multi_point.iter().any(|plugin| plugin.name == name);
        let both = own.enabled.iter().filter(|plugin| is_both(&plugin.name));
        let only_multi = from_multi_point
            .iter()
            .copied()
            .filter(|plugin| own.enabled.iter().all(|one| one.name != plugin.name));
        let only_own = own.enabled.iter().filter(|plugin| !is_both(&plugin.name));
        let all = both.chain(only_multi).chain(only_own);
        let all: Vec<_> = all.map(|plugin| (plugin.name.clone(), plugin.weight)).collect();
        enabling.insert(point, all);
    }
    enabling
}

fn says_something(plugin: &PluginRef, point: ExtensionPoint) -> bool {
    find(&plugin.name).is_some_and(|known: &Known| known.points.contains(&point))
}

fn twice(plugins: &[PluginRef], at: &str, problems: &mut Problems) {
    for (index, plugin) in plugins.iter().enumerate() {
        if plugins[..index].iter().any(|other| other.name == plugin.name) {
            problems.add(at, format!("plugin `{}` already registered", plugin.name));
        }
        if plugin.weight < 0 {
            problems.add(at, format!("the weight of `{}` is negative", plugin.name));
        }
    }
}

fn enabled_at(enabling: &Enabling, point: ExtensionPoint, name: &str) -> bool {
    enabling.get(&point).is_some_and(|list| list.iter().any(|(one, _)| one == name))
}

fn is_enabled(enabling: &Enabling, name: &str) -> bool {
    enabling.values().flatten().any(|(one, _)| one == name)
}

/// The one plugin that orders the queue.
fn queue_sort(enabling: &Enabling, at: &str, problems: &mut Problems) -> Option<String> {
    match enabling.get(&ExtensionPoint::QueueSort).map_or(&[][..], Vec::as_slice) {
        [(name, _)] => Some(name.clone()),
        list => {
            let found: Vec<&str> = list.iter().map(|(name, _)| name.as_str()).collect();
            problems.add(
                &format!("{at}/queueSort"),
                format!("exactly one queue sort plugin is needed, found [{}]", found.join(", ")),
            );
            None
        }
    }
}

/// The arguments of plugins by name.
fn arguments(
    from: &SchedulerProfile,
    pointer: &str,
    problems: &mut Problems,
) -> BTreeMap<String, Value> {
    let mut result = BTreeMap::new();
    for (index, config) in from.plugin_config.iter().enumerate() {
        let at = format!("{pointer}/pluginConfig/{index}");
        if find(&config.name).is_none() {
            let proposal = nearest(&config.name, known_plugins().iter().map(|plugin| plugin.name));
            problems.add(
                &format!("{at}/name"),
                format!("there is no plugin `{}`{proposal}", config.name),
            );
            continue;
        }
        let mut args = config.args.clone();
        if let Some(fields) = args.as_object_mut() {
            check_args_kind(fields, &config.name, &at, problems);
        }
        if result.insert(config.name.clone(), args).is_some() {
            problems.add(&format!("{at}/name"), format!("`{}` is there already", config.name));
        }
    }
    result
}

/// Takes `apiVersion` and `kind` off arguments, which may name them.
fn check_args_kind(
    fields: &mut serde_json::Map<String, Value>,
    plugin: &str,
    at: &str,
    problems: &mut Problems,
) {
    fields.remove("apiVersion");
    let expected = format!("{plugin}Args");
    match fields.remove("kind") {
        Some(Value::String(kind)) if kind != expected => {
            problems.add(&format!("{at}/args/kind"), format!("`{kind}`; expected `{expected}`"));
        }
        _ => {}
    }
}

/// The place of a plugin's arguments, for messages.
pub(super) fn args_pointer(enabling_pointer: &str) -> String {
    format!("{enabling_pointer}/pluginConfig")
}

fn preemption(
    args: Option<&Value>,
    pointer: &str,
    problems: &mut Problems,
) -> Option<PreemptionArgs> {
    let Some(args) = args.filter(|args| !args.is_null()) else {
        return Some(PreemptionArgs::default());
    };
    match serde_json::from_value::<PreemptionArgs>(args.clone()) {
        Err(error) => {
            let message = format!("arguments of DefaultPreemption: {error}");
            problems.add(&args_pointer(pointer), message);
            None
        }
        Ok(args) => {
            for error in args.validate().err().into_iter().flatten() {
                let message = format!("arguments of DefaultPreemption: {error}");
                problems.add(&args_pointer(pointer), message);
            }
            Some(args)
        }
    }
}

/// Plugins that are no part of a profile here: what they do is done elsewhere.
const ELSEWHERE: [&str; 5] =
    ["PrioritySort", "DefaultPreemption", "DefaultBinder", "Coscheduling", "CapacityScheduling"];

/// The plugins of the profile, in the order in which they filter; those that only score, or only
/// hold pods back, after them.
fn make(
    enabling: &Enabling,
    args: &BTreeMap<String, Value>,
    pointer: &str,
    problems: &mut Problems,
) -> Vec<Enabled> {
    let points = [ExtensionPoint::Filter, ExtensionPoint::Score, ExtensionPoint::PreEnqueue];
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in points.iter().filter_map(|point| enabling.get(point)).flatten() {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut made = Vec::new();
    for name in names {
        let Some(known) = find(name).filter(|known| known.modelled) else { continue };
        if ELSEWHERE.contains(&name) {
            continue;
        }
        check_halves(known, enabling, pointer, problems);
        let weight = enabling.get(&ExtensionPoint::Score).into_iter().flatten();
        let weight = weight.filter(|(one, _)| one == name).map(|(_, weight)| *weight).next();
        let plugin = match with_defaults(name, args.get(name).unwrap_or(&Value::Null)) {
            Ok(plugin) => plugin,
            Err(error) => {
                problems.add(&args_pointer(pointer), text_of(&error));
                continue;
            }
        };
        let plugin = limited(plugin, enabling, known);
        made.push(Enabled { plugin, weight: i64::from(weight.unwrap_or(0).max(1)) });
    }
    made
}

fn text_of(error: &PluginError) -> String {
    error.to_string()
}

/// A plugin that filters or scores needs to prepare for it. One that only prepares does nothing,
/// but for NodeAffinity, whose preparation rules out nodes by their names.
fn check_halves(known: &Known, enabling: &Enabling, pointer: &str, problems: &mut Problems) {
    let halves = [
        (ExtensionPoint::PreFilter, ExtensionPoint::Filter),
        (ExtensionPoint::PreScore, ExtensionPoint::Score),
    ];
    for (before, point) in halves {
        if !known.points.contains(&before) || !known.points.contains(&point) {
            continue;
        }
        let prepares = enabled_at(enabling, before, known.name);
        let acts = enabled_at(enabling, point, known.name);
        let matters = known.name == "NodeAffinity" && before == ExtensionPoint::PreFilter;
        if prepares != acts && (acts || matters) {
            let (before, point, name) = (before.name(), point.name(), known.name);
            problems.add(
                &format!("{pointer}/plugins"),
                format!("`{name}` needs to be enabled at both {before} and {point}, or neither"),
            );
        }
    }
}

/// The plugin, without the points at which it is not enabled.
fn limited(plugin: Box<dyn Plugin>, enabling: &Enabling, known: &Known) -> Box<dyn Plugin> {
    let at = |point| enabled_at(enabling, point, known.name);
    let filters = plugin.filters() && at(ExtensionPoint::Filter);
    let scores = plugin.scores() && at(ExtensionPoint::Score);
    let gates = at(ExtensionPoint::PreEnqueue);
    let whole = filters == plugin.filters()
        && scores == plugin.scores()
        && gates == known.points.contains(&ExtensionPoint::PreEnqueue);
    if whole { plugin } else { Box::new(Limited { plugin, filters, scores, gates }) }
}

/// A plugin that is not asked at every point at which it has something to say.
struct Limited {
    plugin: Box<dyn Plugin>,
    filters: bool,
    scores: bool,
    gates: bool,
}

impl Plugin for Limited {
    fn name(&self) -> &str {
        self.plugin.name()
    }

    fn filters(&self) -> bool {
        self.filters
    }

    fn scores(&self) -> bool {
        self.scores
    }

    fn pre_enqueue(&self, pod: &PodInfo) -> Status {
        if self.gates { self.plugin.pre_enqueue(pod) } else { Status::SUCCESS }
    }

    fn pre_filter(&self, cache: &Cache, pod: &PodInfo) -> Prepared {
        self.plugin.pre_filter(cache, pod)
    }

    fn filter(
        &self,
        state: Option<&dyn State>,
        cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Status {
        self.plugin.filter(state, cache, pod, node)
    }

    fn add_pod(
        &self,
        state: &mut dyn State,
        cache: &Cache,
        pod: &PodInfo,
        other: &PodInfo,
        node: &NodeInfo,
    ) {
        self.plugin.add_pod(state, cache, pod, other, node);
    }

    fn remove_pod(
        &self,
        state: &mut dyn State,
        cache: &Cache,
        pod: &PodInfo,
        other: &PodInfo,
        node: &NodeInfo,
    ) {
        self.plugin.remove_pod(state, cache, pod, other, node);
    }

    fn pre_score(&self, cache: &Cache, pod: &PodInfo, nodes: &[NodeId]) -> Prepared {
        self.plugin.pre_score(cache, pod, nodes)
    }

    fn score(
        &self,
        state: Option<&dyn State>,
        cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Result<i64, Status> {
        self.plugin.score(state, cache, pod, node)
    }

    fn normalize(&self, state: Option<&dyn State>, scores: Scores<'_>) {
        self.plugin.normalize(state, scores);
    }
}
