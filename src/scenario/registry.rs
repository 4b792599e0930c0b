//! What scenarios can call by name: the built-in policies, and those that a program adds.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::scheduling::placement::{Placement, Strategy, builtin};

type BuildPlacement = Arc<dyn Fn(&Value) -> Result<Strategy, String> + Send + Sync>;

/// A placement policy that scenarios can name.
#[derive(Clone)]
pub struct PlacementEntry {
    /// What scenarios call it.
    pub name: String,
    /// One line on what it does.
    pub summary: String,
    /// Its options, with units, ranges and defaults; empty without any.
    pub options: String,
    build: BuildPlacement,
}

impl PlacementEntry {
    /// Makes the policy from its options: an object, or null for the defaults.
    ///
    /// # Errors
    /// A sentence that says which option is wrong and what would be right.
    pub fn build(&self, options: &Value) -> Result<Strategy, String> {
        (self.build)(options)
    }
}

impl fmt::Debug for PlacementEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlacementEntry").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Everything that scenarios can call by name. The default holds what comes with cellsim.
#[derive(Clone, Debug)]
pub struct Registry {
    placements: Vec<PlacementEntry>,
}

impl Default for Registry {
    fn default() -> Self {
        let entries = builtin().iter().map(|entry| PlacementEntry {
            name: entry.name.to_owned(),
            summary: entry.summary.to_owned(),
            options: entry.options.to_owned(),
            build: Arc::new(entry.build),
        });
        Self { placements: entries.collect() }
    }
}

impl Registry {
    /// Adds a placement policy, in place of another of the same name if there is one.
    ///
    /// `build` makes the policy from the `options` of the scenario (an object, or null where there
    /// are none) or says in a sentence what is wrong with them.
    #[must_use]
    pub fn placement<P, F>(mut self, name: &str, build: F) -> Self
    where
        P: Placement + 'static,
        F: Fn(&Value) -> Result<P, String> + Send + Sync + 'static,
    {
        self.placements.retain(|entry| entry.name != name);
        self.placements.push(PlacementEntry {
            name: name.to_owned(),
            summary: "added by this program".to_owned(),
            options: String::new(),
            build: Arc::new(move |options| {
                build(options).map(|policy| Strategy::Scored(Box::new(policy)))
            }),
        });
        self
    }

    /// Describes the policy that was added last, for `cellsim policies`.
    #[must_use]
    pub fn described(mut self, summary: &str, options: &str) -> Self {
        if let Some(entry) = self.placements.last_mut() {
            entry.summary = summary.to_owned();
            entry.options = options.to_owned();
        }
        self
    }

    /// The placement policies, in the order in which they are listed.
    pub fn placements(&self) -> &[PlacementEntry] {
        &self.placements
    }

    /// The placement policy called `name`.
    pub fn find_placement(&self, name: &str) -> Option<&PlacementEntry> {
        self.placements.iter().find(|entry| entry.name == name)
    }
}
