//! What the tests share: small cells, sources made of a list, confidence intervals.

use std::collections::VecDeque;
use std::sync::Arc;

use cellsim::cluster::{NodeSpec, Resources, Tier};
use cellsim::engine::SimTime;
use cellsim::metrics::{RunResult, ScenarioInfo};
use cellsim::scheduling::placement::{Index, Strategy, builtin};
use cellsim::scheduling::{
    BuildScheduler, PreemptionRule, QueueOrder, SchedulerConfig, architectures,
};
use cellsim::simulation::{Simulation, SimulationConfig};
use cellsim::workload::{Change, Record, Source, SourceError, SourceStatistics};

/// Records from memory.
pub struct ListSource(pub VecDeque<Record>);

impl Source for ListSource {
    fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
        Ok(self.0.pop_front())
    }

    fn statistics(&self) -> SourceStatistics {
        SourceStatistics::default()
    }
}

/// A record of `change` at `time`.
pub fn at(time: SimTime, change: Change) -> Record {
    Record { time, change }
}

/// The built-in policy called `name`, without options.
pub fn strategy(name: &str) -> Strategy {
    let entry = builtin().iter().find(|entry| entry.name == name);
    let entry = entry.unwrap_or_else(|| panic!("there is no policy called {name}"));
    (entry.build)(&serde_json::Value::Null).expect("no options are needed")
}

/// A scheduler with the policy `placement`, a priority queue and no preemption.
pub fn scheduler(placement: &str) -> SchedulerConfig {
    SchedulerConfig {
        placement_name: placement.to_owned(),
        strategy: strategy(placement),
        index: Index::Auto,
        queue: QueueOrder::Priority,
        ties: cellsim::scheduling::placement::Ties::default(),
        head_of_line_blocking: false,
        preemption: PreemptionRule::Never,
        manifests: None,
    }
}

/// A run of an empty cell under `scheduler`.
pub fn config(seed: u64, scheduler: SchedulerConfig) -> SimulationConfig {
    let info = ScenarioInfo {
        name: "test".to_owned(),
        title: String::new(),
        seed,
        architecture: "pod-at-a-time".to_owned(),
        placement: scheduler.placement_name.clone(),
        queue: "priority".to_owned(),
        resolved: serde_json::Value::Null,
    };
    SimulationConfig::new(info, scheduler)
}

/// A node with room for `cpu_milli`, `memory_bytes` and `pods`.
pub fn node(name: &str, cpu_milli: i64, memory_bytes: i64, pods: i64) -> Arc<NodeSpec> {
    let allocatable = Resources([cpu_milli, memory_bytes, 0, pods, 0, 0, 0, 0]);
    Arc::new(NodeSpec {
        name: name.to_owned(),
        pool: "pool".to_owned(),
        allocatable,
        ..NodeSpec::default()
    })
}

/// Runs to the end.
pub fn run(config: SimulationConfig) -> RunResult {
    let simulation = Simulation::new(config).expect("the configuration makes sense");
    simulation.run(&|_| {}).expect("the run goes through")
}

/// Mean and half width of its 95 % confidence interval (Student's t) of twenty observations.
pub fn interval_of_twenty(values: &[f64]) -> (f64, f64) {
    /// 97.5 % quantile of Student's t with 19 degrees of freedom.
    const T_19: f64 = 2.093_024;
    assert_eq!(values.len(), 20, "the quantile is for twenty observations");
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
    (mean, T_19 * (variance / n).sqrt())
}

/// The tier that tests use where it does not matter.
pub const TIER: Tier = Tier::Production;

/// The built-in scheduler called `name`, with `options`.
pub fn architecture(name: &str, options: &serde_json::Value) -> BuildScheduler {
    let entry = architectures().iter().find(|entry| entry.name == name);
    let entry = entry.unwrap_or_else(|| panic!("there is no scheduler called {name}"));
    let built = (entry.build)(options, std::path::Path::new("."));
    built.unwrap_or_else(|error| panic!("{name}: {error}"))
}
