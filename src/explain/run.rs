//! The run that is asked about: a scenario file, or the folder of a report.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::Value;

use super::ExplainError;
use super::question::clock_text;
use super::units::Units;
use crate::cluster::{Cluster, Fact};
use crate::engine::SimTime;
use crate::healing::Action;
use crate::metrics::Observer;
use crate::scenario::{Plan, Registry, load, parse};
use crate::scheduling::Decision;
use crate::simulation::{Moment, Simulation, Witness};

/// A run that can be replayed.
pub struct Run {
    plan: Plan,
    seed: u64,
    /// What a report says of the run, where there is one.
    recorded: Option<Recorded>,
}

struct Recorded {
    folder: PathBuf,
    fingerprint: String,
    version: String,
}

/// Everything that watches a replay.
pub trait Watcher: Observer + Witness {}

impl<T: Observer + Witness> Watcher for T {}

/// A watcher that is shared with the replay that it watches.
pub struct Shared<T>(Rc<RefCell<T>>);

impl<T: Observer> Observer for Shared<T> {
    fn observe(&mut self, now: SimTime, fact: &Fact, cluster: &Cluster) {
        self.0.borrow_mut().observe(now, fact, cluster);
    }
}

impl<T: Witness> Witness for Shared<T> {
    fn decides(&mut self, moment: Moment<'_>, decision: &Decision) {
        self.0.borrow_mut().decides(moment, decision);
    }

    fn pass_ends(&mut self, moment: Moment<'_>) {
        self.0.borrow_mut().pass_ends(moment);
    }

    fn acts(&mut self, cluster: &Cluster, controller: &str, action: &Action) {
        self.0.borrow_mut().acts(cluster, controller, action);
    }
}

/// What a replay was of, and how it compares with what was recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Replayed {
    /// Name of the scenario.
    pub scenario: String,
    /// Scheduler and placement policy.
    pub policy: String,
    /// Seed.
    pub seed: u64,
    /// The moment that was asked about, in microseconds.
    pub as_of_us: u64,
    /// Fingerprint of the run up to there.
    pub fingerprint: String,
    /// What must be known to trust the answer: another version, another fingerprint.
    pub notices: Vec<String>,
}

impl Run {
    /// Opens the scenario file or report folder `path`. `overrides` are `--set` arguments, `seed`
    /// stands in for that of the file. Relative paths of a report's scenario begin in `beside`.
    ///
    /// # Errors
    /// What cannot be read or does not fit together.
    pub fn open(
        path: &Path,
        overrides: &[String],
        seed: Option<u64>,
        beside: &Path,
        registry: &Registry,
    ) -> Result<Self, ExplainError> {
        if path.is_dir() {
            return Self::open_report(path, overrides, seed, beside, registry);
        }
        let plan = Plan::new(&load(path, overrides)?, registry)?;
        Ok(Self { seed: seed.unwrap_or(plan.seed), plan, recorded: None })
    }

    fn open_report(
        folder: &Path,
        overrides: &[String],
        seed: Option<u64>,
        beside: &Path,
        registry: &Registry,
    ) -> Result<Self, ExplainError> {
        let file = folder.join("summary.json");
        let wrong = |reason: &str| ExplainError::Question(format!("{} {reason}", file.display()));
        let text = std::fs::read_to_string(&file)
            .map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        let summary: Value = serde_json::from_str(&text)
            .map_err(|error| wrong(&format!("is no summary: {error}")))?;
        let resolved = &summary["scenario"]["resolved"];
        if !resolved.is_object() {
            return Err(wrong("is no summary of a run: it has no scenario.resolved"));
        }
        let name = file.display().to_string();
        let text = resolved.to_string();
        let plan = Plan::new(&parse(&name, &text, overrides, beside.to_owned())?, registry)?;
        let of_report = summary["scenario"]["seed"].as_u64();
        let of_summary = |key: &str| summary[key].as_str().unwrap_or_default().to_owned();
        // A report on several seeds has a fingerprint for each.
        let seed = seed.or(of_report).unwrap_or(plan.seed);
        let of_seed = summary["runs"].as_array().into_iter().flatten();
        let of_seed = of_seed.filter(|run| run["seed"].as_u64() == Some(seed));
        let of_seed = of_seed.filter_map(|run| run["fingerprint"].as_str()).next();
        let fingerprint = of_seed.map_or_else(|| of_summary("fingerprint"), str::to_owned);
        let comparable = overrides.is_empty() && (of_seed.is_some() || of_report == Some(seed));
        let recorded = comparable.then(|| Recorded {
            folder: folder.to_owned(),
            fingerprint,
            version: of_summary("cellsim_version"),
        });
        Ok(Self { plan, seed, recorded })
    }

    /// What it is called: scenario, policy, seed.
    pub fn label(&self) -> String {
        format!("{}, {}, seed {}", self.plan.name, self.plan.policy_name(), self.seed)
    }

    /// The resources in use and their units.
    pub(super) fn units(&self) -> Units {
        Units(self.plan.metered().to_vec())
    }

    /// Checks that the run has a moment `at`.
    pub(super) fn check_time(&self, at: Option<SimTime>) -> Result<(), ExplainError> {
        match (at, self.plan.end) {
            (Some(at), Some(end)) if at > end => Err(ExplainError::Question(format!(
                "there is no {} in this run: it ends at {}",
                clock_text(at),
                clock_text(end)
            ))),
            _ => Ok(()),
        }
    }

    /// A replay that is about to begin, watched by `watcher`.
    pub(super) fn begin<T: Watcher + 'static>(
        &self,
        watcher: &Rc<RefCell<T>>,
    ) -> Result<Simulation, ExplainError> {
        let prepared = self.plan.prepare(self.seed, 0, false)?;
        let mut simulation = Simulation::new(prepared.config)?;
        simulation.observe(Box::new(Shared(Rc::clone(watcher))));
        simulation.watch(Box::new(Shared(Rc::clone(watcher))));
        simulation.begin()?;
        Ok(simulation)
    }

    /// Replays to the end of the moment `at`, or of the run; then asks `answer`. Where a report
    /// tells the fingerprint of the run, the replay goes on to its end to compare.
    pub(super) fn replay<T: Watcher + 'static, A>(
        &self,
        at: Option<SimTime>,
        watcher: T,
        answer: impl FnOnce(&mut T, Moment<'_>) -> A,
    ) -> Result<(A, Replayed), ExplainError> {
        let watcher = Rc::new(RefCell::new(watcher));
        let mut simulation = self.begin(&watcher)?;
        let within = |time: Option<SimTime>| match (time, at) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(time), Some(at)) => time <= at,
        };
        while within(simulation.next_time()) {
            simulation.step()?;
        }
        let fingerprint = simulation.fingerprint();
        let answer = answer(&mut watcher.borrow_mut(), simulation.moment());
        let as_of = at.or(self.plan.end).unwrap_or(simulation.cluster().now());
        let mut notices = Vec::new();
        if self.recorded.is_some() {
            simulation.forget_watchers();
            while simulation.step()? {}
            notices = self.differences(&simulation.fingerprint());
        }
        let replayed = Replayed {
            scenario: self.plan.name.clone(),
            policy: self.plan.policy_name(),
            seed: self.seed,
            as_of_us: as_of.0,
            fingerprint,
            notices,
        };
        Ok((answer, replayed))
    }

    /// What differs between the report and a whole replay with this fingerprint.
    fn differences(&self, fingerprint: &str) -> Vec<String> {
        let Some(recorded) = &self.recorded else { return Vec::new() };
        let (mut notices, folder) = (Vec::new(), recorded.folder.display());
        let version = env!("CARGO_PKG_VERSION");
        if recorded.version != version {
            notices.push(format!(
                "{folder} was written by cellsim {}, this is {version}.",
                recorded.version
            ));
        }
        if recorded.fingerprint != fingerprint {
            notices.push(format!(
                "This is not quite the run of {folder}: its fingerprint is {}, that of the replay \
                 {fingerprint}. What is said here holds for the replay.",
                recorded.fingerprint
            ));
        }
        notices
    }
}
