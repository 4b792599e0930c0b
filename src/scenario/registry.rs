//! What scenarios can call by name: the built-in policies, and those that a program adds.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::engine::Streams;
use crate::scheduling::placement::{Placement, Strategy, builtin};
use crate::scheduling::{BuildScheduler, Scheduler, SchedulerConfig, Setting, architectures};

/// Makes what scenarios can name from its options and the folder that files are relative to.
type Build<T> = Arc<dyn Fn(&Value, &Path) -> Result<T, String> + Send + Sync>;

/// Something that scenarios can name: a placement policy, a scheduler.
pub struct Entry<T> {
    /// What scenarios call it.
    pub name: String,
    /// One line on what it does.
    pub summary: String,
    /// Its options, with units, ranges and defaults; empty without any.
    pub options: String,
    /// What a scenario may say of the scheduler in general that this one does not follow.
    pub ignores: &'static [Setting],
    build: Build<T>,
}

/// A placement policy that scenarios can name.
pub type PlacementEntry = Entry<Strategy>;

/// A scheduler that scenarios can name.
pub type SchedulerEntry = Entry<BuildScheduler>;

impl<T> Entry<T> {
    /// One that a program adds; [`Registry::described`] may say more of it.
    fn added(name: &str, build: Build<T>) -> Self {
        let summary = "added by this program".to_owned();
        Self { name: name.to_owned(), summary, options: String::new(), ignores: &[], build }
    }

    /// Makes it from its options: an object, or null for the defaults. File names among them are
    /// relative to `folder`.
    ///
    /// # Errors
    /// A sentence that says which option is wrong and what would be right.
    pub fn build(&self, options: &Value, folder: &Path) -> Result<T, String> {
        (self.build)(options, folder)
    }
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            summary: self.summary.clone(),
            options: self.options.clone(),
            ignores: self.ignores,
            build: Arc::clone(&self.build),
        }
    }
}

impl<T> fmt::Debug for Entry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Everything that scenarios can call by name. The default holds what comes with cellsim.
#[derive(Clone, Debug)]
pub struct Registry {
    placements: Vec<PlacementEntry>,
    schedulers: Vec<SchedulerEntry>,
    /// What was added last, for [`Registry::described`].
    last: Last,
}

#[derive(Clone, Copy, Debug)]
enum Last {
    Nothing,
    Placement,
    Scheduler,
}

impl Default for Registry {
    fn default() -> Self {
        let placements = builtin().iter().map(|entry| PlacementEntry {
            name: entry.name.to_owned(),
            summary: entry.summary.to_owned(),
            options: entry.options.to_owned(),
            ignores: &[],
            build: Arc::new(|options, _| (entry.build)(options)),
        });
        let schedulers = architectures().iter().map(|entry| SchedulerEntry {
            name: entry.name.to_owned(),
            summary: entry.summary.to_owned(),
            options: entry.options.to_owned(),
            ignores: entry.ignores,
            build: Arc::new(entry.build),
        });
        Self {
            placements: placements.collect(),
            schedulers: schedulers.collect(),
            last: Last::Nothing,
        }
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
        self.placements.push(PlacementEntry::added(
            name,
            Arc::new(move |options, _| {
                build(options).map(|policy| Strategy::Scored(Box::new(policy)))
            }),
        ));
        self.last = Last::Placement;
        self
    }

    /// Adds a scheduler, in place of another of the same name if there is one.
    ///
    /// `build` is called for every run, with the `options` of the scenario, what the scenario says
    /// of placement, queue and preemption, and the streams that the scheduler may draw from; and
    /// once before, to see whether it takes the options.
    #[must_use]
    pub fn scheduler<S, F>(mut self, name: &str, build: F) -> Self
    where
        S: Scheduler + 'static,
        F: Fn(&Value, SchedulerConfig, Streams) -> Result<S, String> + Send + Sync + 'static,
    {
        let build = Arc::new(build);
        let entry = SchedulerEntry::added(
            name,
            Arc::new(move |options: &Value, _: &Path| {
                build(options, SchedulerConfig::default(), Streams { seed: 0, run: 0 })?;
                let (build, options) = (Arc::clone(&build), options.clone());
                let for_run: BuildScheduler = Box::new(move |config, streams| {
                    let scheduler = build(&options, config, streams);
                    Box::new(scheduler.expect("the same options have been accepted before"))
                });
                Ok(for_run)
            }),
        );
        self.schedulers.retain(|entry| entry.name != name);
        self.schedulers.push(entry);
        self.last = Last::Scheduler;
        self
    }

    /// Describes what was added last, for `cellsim policies`.
    #[must_use]
    pub fn described(mut self, summary: &str, options: &str) -> Self {
        fn describe<T>(entries: &mut [Entry<T>], summary: &str, options: &str) {
            if let Some(entry) = entries.last_mut() {
                entry.summary = summary.to_owned();
                entry.options = options.to_owned();
            }
        }
        match self.last {
            Last::Nothing => {}
            Last::Placement => describe(&mut self.placements, summary, options),
            Last::Scheduler => describe(&mut self.schedulers, summary, options),
        }
        self
    }

    /// The placement policies, in the order in which they are listed.
    pub fn placements(&self) -> &[PlacementEntry] {
        &self.placements
    }

    /// The schedulers, in the order in which they are listed.
    pub fn schedulers(&self) -> &[SchedulerEntry] {
        &self.schedulers
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
