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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{NodeView, PodClass};
    use crate::scenario::{Plan, parse};
    use crate::scheduling::placement::Score;

    struct Mine;

    impl Placement for Mine {
        fn score(&self, _: &PodClass, _: NodeView<'_>) -> Score {
            0
        }
    }

    fn mine(options: &Value) -> Result<Mine, String> {
        options["answer"].as_u64().map(|_| Mine).ok_or("answer must be a whole number".to_owned())
    }

    fn plan(placement: &str) -> Result<Plan, String> {
        let text = format!(
            "duration: 1h\ncluster: {{pools: [{{name: n, count: 1, cpu: 1, memory: 1}}]}}\n\
             workload: {{services: [{{name: s, replicas: 1, cpu: 1, memory: 1}}]}}\n\
             scheduler: {{placement: {placement}}}\n"
        );
        let loaded = parse("s.yaml", &text, &[], "".into()).map_err(|errors| errors.to_string())?;
        let registry = Registry::default().placement("mine", mine).described("mine", "answer: any");
        Plan::new(&loaded, &registry).map_err(|errors| errors.to_string())
    }

    #[test]
    fn a_policy_that_a_program_adds_is_known_by_its_name() {
        let plan = plan("{name: mine, options: {answer: 42}}").unwrap();
        let run = plan.prepare(1, 0, false).unwrap();
        assert_eq!(run.config.scheduler.placement_name, "mine");
    }

    #[test]
    fn options_are_refused_with_their_place() {
        let error = plan("{name: mine, options: {answer: no}}").err().unwrap();
        assert!(error.starts_with("E0205 s.yaml:4:55 policy \"mine\": answer"), "{error}");
        assert!(plan("mien").err().unwrap().contains("did you mean \"mine\"?"));
    }
}
