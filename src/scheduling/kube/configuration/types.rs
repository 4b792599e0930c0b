//! The fields of the file.

use serde::Deserialize;
use serde_json::Value;

/// The file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KubeSchedulerConfiguration {
    /// How many nodes are looked at at the same time; has no effect here, where they are looked at
    /// in order.
    pub parallelism: i32,
    /// How many of the nodes are scored, in percent; 0 to let it depend on their number.
    pub percentage_of_nodes_to_score: i32,
    /// Seconds a pod backs off after its first failure.
    pub pod_initial_backoff_seconds: i64,
    /// Seconds a pod backs off at most.
    pub pod_max_backoff_seconds: i64,
    /// The profiles; without any there is one with the default plugins.
    pub profiles: Vec<SchedulerProfile>,
}

impl Default for KubeSchedulerConfiguration {
    fn default() -> Self {
        Self {
            parallelism: 16,
            percentage_of_nodes_to_score: 0,
            pod_initial_backoff_seconds: 1,
            pod_max_backoff_seconds: 10,
            profiles: Vec::new(),
        }
    }
}

/// A profile: plugins under a name that pods can choose.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SchedulerProfile {
    /// The name; the only profile may leave it out.
    pub scheduler_name: Option<String>,
    /// In the place of the one of the file.
    pub percentage_of_nodes_to_score: Option<i32>,
    /// Which plugins are enabled beside, or instead of, the default ones.
    pub plugins: Option<Plugins>,
    /// Arguments of plugins.
    pub plugin_config: Vec<PluginConfig>,
}

/// Arguments of a plugin.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PluginConfig {
    /// The plugin.
    pub name: String,
    /// The arguments.
    pub args: Value,
}

/// Plugins by the point at which they are asked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Plugins {
    /// Whether a pod may enter the queue.
    pub pre_enqueue: PluginSet,
    /// Who is first in the queue.
    pub queue_sort: PluginSet,
    /// Before nodes are filtered.
    pub pre_filter: PluginSet,
    /// Which nodes will do.
    pub filter: PluginSet,
    /// When no node will do.
    pub post_filter: PluginSet,
    /// Before nodes are scored.
    pub pre_score: PluginSet,
    /// Which node is best.
    pub score: PluginSet,
    /// When a node is taken.
    pub reserve: PluginSet,
    /// Whether the pod may be bound.
    pub permit: PluginSet,
    /// Before the pod is bound.
    pub pre_bind: PluginSet,
    /// Binds the pod.
    pub bind: PluginSet,
    /// After the pod is bound.
    pub post_bind: PluginSet,
    /// At every point that a plugin has something to say.
    pub multi_point: PluginSet,
}

/// Plugins at one point.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PluginSet {
    /// Enabled beside the default ones.
    pub enabled: Vec<PluginRef>,
    /// Default ones that are not enabled; `*` is all of them.
    pub disabled: Vec<PluginRef>,
}

impl PluginSet {
    /// True if it disables the plugin, by its name or with all of them.
    pub fn disables(&self, name: &str) -> bool {
        self.disabled.iter().any(|plugin| plugin.name == name || plugin.name == "*")
    }

    /// True if it disables all default plugins.
    pub fn disables_all(&self) -> bool {
        self.disabled.iter().any(|plugin| plugin.name == "*")
    }
}

/// A plugin by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PluginRef {
    /// The name.
    pub name: String,
    /// What its score counts; 0 is 1.
    pub weight: i32,
}
