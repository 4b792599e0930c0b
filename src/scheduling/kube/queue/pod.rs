//! Pods in the queue, and the plugins that hold them there.

use crate::engine::SimTime;

/// A plugin, by its place in the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PluginId(pub u8);

/// Plugins of a profile; it may have 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct PluginSet(u64);

impl PluginSet {
    /// No plugin.
    pub const EMPTY: Self = Self(0);

    /// Puts a plugin in.
    ///
    /// # Panics
    ///
    /// If its place is not below 64.
    pub fn insert(&mut self, plugin: PluginId) {
        assert!(plugin.0 < 64, "a profile has at most 64 plugins");
        self.0 |= 1 << plugin.0;
    }

    /// True if it has the plugin.
    pub fn contains(self, plugin: PluginId) -> bool {
        plugin.0 < 64 && self.0 & (1 << plugin.0) != 0
    }

    /// True if it has no plugin.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The plugins of either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Its plugins, in their order.
    pub fn iter(self) -> impl Iterator<Item = PluginId> {
        (0..64).map(PluginId).filter(move |plugin| self.contains(*plugin))
    }
}

impl FromIterator<PluginId> for PluginSet {
    fn from_iter<I: IntoIterator<Item = PluginId>>(plugins: I) -> Self {
        let mut set = Self::EMPTY;
        plugins.into_iter().for_each(|plugin| set.insert(plugin));
        set
    }
}

/// A pod that is to be scheduled, with what the queue knows of it (`framework.QueuedPodInfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedPod<P> {
    /// The pod.
    pub pod: P,
    /// Its priority.
    pub priority: i32,
    /// When it was last added.
    pub timestamp: SimTime,
    /// When it could be tried for the first time.
    pub initial_attempt: Option<SimTime>,
    /// How often it was tried.
    pub attempts: u32,
    /// How often plugins rejected it.
    pub unschedulable_count: u32,
    /// How often in a row it failed for another reason.
    pub consecutive_errors: u32,
    /// The plugins that rejected it.
    pub unschedulable_plugins: PluginSet,
    /// The plugins that wait for something outside; when it comes, the pod does not back off.
    pub pending_plugins: PluginSet,
    /// The plugin that keeps it out of the queue.
    pub gating_plugin: Option<PluginId>,
    /// When its back-off ends, where that has been worked out.
    pub(super) backoff_expiry: Option<SimTime>,
}

impl<P> QueuedPod<P> {
    /// A pod that comes to the queue at `now`.
    pub fn new(pod: P, priority: i32, now: SimTime) -> Self {
        Self {
            pod,
            priority,
            timestamp: now,
            initial_attempt: None,
            attempts: 0,
            unschedulable_count: 0,
            consecutive_errors: 0,
            unschedulable_plugins: PluginSet::EMPTY,
            pending_plugins: PluginSet::EMPTY,
            gating_plugin: None,
            backoff_expiry: None,
        }
    }

    /// The plugins that rejected it or wait.
    pub fn rejectors(&self) -> PluginSet {
        self.unschedulable_plugins.union(self.pending_plugins)
    }

    /// What its back-off grows with: errors in a row, or else rejections.
    pub(super) fn failures(&self) -> u32 {
        if self.consecutive_errors > 0 { self.consecutive_errors } else { self.unschedulable_count }
    }
}
