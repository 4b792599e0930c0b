//! From text to fields: every field that does not exist and every value that makes no sense is
//! told with its line (`apis/config/validation/validation.go` of kube-scheduler v1.35).

use serde_json::Value;

use super::points::{ExtensionPoint, known_plugins};
use super::resolve::profile;
use super::types::{KubeSchedulerConfiguration, PluginSet, SchedulerProfile};
use super::{ConfigurationError, Configured, ConfiguredProfile};
use crate::engine::SimDuration;
use crate::kubernetes::DEFAULT_SCHEDULER;
use crate::kubernetes::text::{Document, documents};

const API_VERSION: &str = "kubescheduler.config.k8s.io/v1";
const KIND: &str = "KubeSchedulerConfiguration";

/// Fields that are known, by where they stand; `*` is any index. Those with `true` are only about
/// how a real scheduler is run: they are checked for their names alone.
const FIELDS: [(&str, &[(&str, bool)]); 6] = [
    (
        "",
        &[
            ("apiVersion", false),
            ("kind", false),
            ("parallelism", false),
            ("percentageOfNodesToScore", false),
            ("podInitialBackoffSeconds", false),
            ("podMaxBackoffSeconds", false),
            ("profiles", false),
            ("extenders", false),
            ("leaderElection", true),
            ("clientConnection", true),
            ("enableProfiling", true),
            ("enableContentionProfiling", true),
            ("delayCacheUntilActive", true),
        ],
    ),
    (
        "/profiles/*",
        &[
            ("schedulerName", false),
            ("percentageOfNodesToScore", false),
            ("plugins", false),
            ("pluginConfig", false),
        ],
    ),
    ("/profiles/*/pluginConfig/*", &[("name", false), ("args", true)]),
    ("/profiles/*/plugins/?", &[("enabled", false), ("disabled", false)]),
    ("/profiles/*/plugins/?/enabled/*", &[("name", false), ("weight", false)]),
    ("/profiles/*/plugins/?/disabled/*", &[("name", false), ("weight", false)]),
];

/// Collects what is wrong in a document.
pub(super) struct Problems<'a> {
    document: &'a Document,
    found: Vec<ConfigurationError>,
}

impl<'a> Problems<'a> {
    /// What is wrong with the value at `pointer`.
    pub(super) fn add(&mut self, pointer: &str, message: impl Into<String>) {
        self.found.push(ConfigurationError {
            line: self.document.line_of(pointer),
            field: field(pointer),
            message: message.into(),
        });
    }

    fn check(mut self) -> Result<(), Vec<ConfigurationError>> {
        self.found.sort();
        self.found.dedup();
        if self.found.is_empty() { Ok(()) } else { Err(self.found) }
    }
}

/// `/profiles/0/plugins` as `profiles[0].plugins`.
fn field(pointer: &str) -> String {
    let mut text = String::new();
    for segment in pointer.split('/').skip(1) {
        if segment.bytes().all(|byte| byte.is_ascii_digit()) {
            text.push_str(&format!("[{segment}]"));
        } else {
            let dot = if text.is_empty() { "" } else { "." };
            text.push_str(&format!("{dot}{}", segment.replace("~1", "/").replace("~0", "~")));
        }
    }
    text
}

/// `; did you mean …?` for the name among `known` that is nearest to `word`, if one is near.
pub(super) fn nearest<'n>(word: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    let scored = known.into_iter().map(|name| {
        (strsim::normalized_damerau_levenshtein(&word.to_lowercase(), &name.to_lowercase()), name)
    });
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score > 0.6);
    best.map_or_else(String::new, |(_, name)| format!("; did you mean `{name}`?"))
}

/// Reads the text of a configuration file.
///
/// # Errors
///
/// Everything that is wrong with it: unknown fields and plugins, values out of range, plugins that
/// are enabled twice, arguments that make no sense.
pub fn read(text: &str) -> Result<Configured, Vec<ConfigurationError>> {
    let whole =
        |line, message: String| vec![ConfigurationError { line, field: String::new(), message }];
    let found = documents(text).map_err(|error| whole(error.line, error.message))?;
    let mut found = found.into_iter().filter(|document| !document.value.is_null());
    let Some(document) = found.next() else {
        return Err(whole(1, format!("the file says nothing; expected a {KIND}")));
    };
    if let Some(second) = found.next() {
        return Err(whole(second.line, "a second document; expected one configuration".into()));
    }
    let mut problems = Problems { document: &document, found: Vec::new() };
    check_kind(&document.value, &mut problems);
    check_names(&document.value, "", "", &mut problems);
    if !problems.found.is_empty() {
        problems.check()?;
    }
    let file = serde_json::from_value::<KubeSchedulerConfiguration>(without_null(&document.value))
        .map_err(|error| whole(document.line, error.to_string()))?;
    let mut problems = Problems { document: &document, found: Vec::new() };
    check_numbers(&file, &mut problems);
    let configured = configure(&file, &mut problems);
    problems.check()?;
    Ok(configured)
}

fn check_kind(value: &Value, problems: &mut Problems) {
    for (name, expected) in [("apiVersion", API_VERSION), ("kind", KIND)] {
        match value.get(name).and_then(Value::as_str) {
            Some(text) if text == expected => {}
            Some(text) => problems.add(
                &format!("/{name}"),
                format!("`{text}` is not supported; expected `{expected}`"),
            ),
            None => problems.add("", format!("`{name}` is missing; expected `{expected}`")),
        }
    }
    if value.get("extenders").and_then(Value::as_array).is_some_and(|list| !list.is_empty()) {
        problems.add("/extenders", "extenders are not supported: they run outside the scheduler");
    }
}

/// Compares the names of fields with those that there are.
fn check_names(value: &Value, pointer: &str, pattern: &str, problems: &mut Problems) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let (pointer, pattern) = (format!("{pointer}/{index}"), format!("{pattern}/*"));
                check_names(item, &pointer, &pattern, problems);
            }
        }
        Value::Object(fields) => {
            let points: Vec<(&str, bool)> =
                ExtensionPoint::ALL.iter().map(|point| (point.name(), false)).collect();
            let mut known = points;
            known.push(("multiPoint", false));
            let at_points = pattern == "/profiles/*/plugins";
            if !at_points {
                let Some((_, names)) = FIELDS.iter().find(|(at, _)| *at == pattern) else { return };
                known = names.to_vec();
            }
            for (name, value) in fields {
                let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                let Some((_, free)) = known.iter().find(|(known, _)| known == name) else {
                    let proposal = nearest(name, known.iter().map(|(name, _)| *name));
                    problems.add(&pointer, format!("unknown field{proposal}"));
                    continue;
                };
                let segment = if at_points { "?" } else { name.as_str() };
                if !free {
                    check_names(value, &pointer, &format!("{pattern}/{segment}"), problems);
                }
            }
        }
        _ => {}
    }
}

/// Fields that say `null` are the same as fields that are not there.
fn without_null(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.clone(), without_null(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(without_null).collect()),
        other => other.clone(),
    }
}

fn check_numbers(file: &KubeSchedulerConfiguration, problems: &mut Problems) {
    if file.parallelism <= 0 {
        problems.add("/parallelism", "should be an integer value greater than zero");
    }
    let percentage = |problems: &mut Problems, pointer: &str, value: i32| {
        if !(0..=100).contains(&value) {
            problems.add(pointer, format!("{value} is not in the valid range [0, 100]"));
        }
    };
    percentage(problems, "/percentageOfNodesToScore", file.percentage_of_nodes_to_score);
    for (index, profile) in file.profiles.iter().enumerate() {
        if let Some(value) = profile.percentage_of_nodes_to_score {
            percentage(problems, &format!("/profiles/{index}/percentageOfNodesToScore"), value);
        }
    }
    let (initial, max) = (file.pod_initial_backoff_seconds, file.pod_max_backoff_seconds);
    if initial <= 0 {
        problems.add("/podInitialBackoffSeconds", "must be greater than 0");
    }
    if max < initial {
        problems.add(
            "/podMaxBackoffSeconds",
            "must be greater than or equal to podInitialBackoffSeconds",
        );
    }
}

/// Checks the profiles and makes them.
fn configure(file: &KubeSchedulerConfiguration, problems: &mut Problems) -> Configured {
    let default = [SchedulerProfile::default()];
    let listed = if file.profiles.is_empty() { &default[..] } else { &file.profiles };
    let mut profiles: Vec<ConfiguredProfile> = Vec::new();
    for (index, one) in listed.iter().enumerate() {
        let pointer = format!("/profiles/{index}");
        let name = match &one.scheduler_name {
            Some(name) if !name.is_empty() => name.clone(),
            // As upstream: the only profile is the default one.
            _ if listed.len() == 1 => DEFAULT_SCHEDULER.to_owned(),
            _ => {
                problems.add(&pointer, "`schedulerName` is missing");
                continue;
            }
        };
        if listed[..index].iter().any(|other| other.scheduler_name.as_ref() == Some(&name)) {
            problems.add(&format!("{pointer}/schedulerName"), format!("`{name}` is there already"));
        }
        check_plugin_names(one, &pointer, problems);
        let percentage =
            one.percentage_of_nodes_to_score.unwrap_or(file.percentage_of_nodes_to_score);
        profiles.extend(profile(one, name, percentage, &pointer, problems));
    }
    if let [first, others @ ..] = profiles.as_slice()
        && let Some(other) = others.iter().find(|other| other.queue_sort != first.queue_sort)
    {
        let has =
            |one: &ConfiguredProfile| format!("{} has {}", one.scheduler_name, one.queue_sort);
        let (first, other) = (has(first), has(other));
        let message = "all profiles must have the same queueSort plugin";
        problems.add("/profiles", format!("{message}: {first}, {other}"));
    }
    let seconds = |value: i64| SimDuration::from_secs(u64::try_from(value).unwrap_or(0));
    Configured {
        profiles,
        initial_backoff: seconds(file.pod_initial_backoff_seconds),
        max_backoff: seconds(file.pod_max_backoff_seconds),
    }
}

fn check_plugin_names(profile: &SchedulerProfile, pointer: &str, problems: &mut Problems) {
    let mut unknown = |pointer: String, name: &str| {
        if known_plugins().iter().all(|plugin| plugin.name != name) {
            let proposal = nearest(name, known_plugins().iter().map(|plugin| plugin.name));
            problems.add(&pointer, format!("there is no plugin `{name}`{proposal}"));
        }
    };
    let Some(plugins) = &profile.plugins else { return };
    let points = ExtensionPoint::ALL.map(|point| (point.name(), point.of(plugins)));
    for (point, PluginSet { enabled, disabled }) in
        points.into_iter().chain([("multiPoint", &plugins.multi_point)])
    {
        for (index, plugin) in enabled.iter().enumerate() {
            let at = format!("{pointer}/plugins/{point}/enabled/{index}/name");
            unknown(at, &plugin.name);
        }
        for (index, plugin) in disabled.iter().enumerate().filter(|(_, one)| one.name != "*") {
            let at = format!("{pointer}/plugins/{point}/disabled/{index}/name");
            unknown(at, &plugin.name);
        }
    }
}
