//! Schedulers of the literature, each behind the seam [`Scheduler`](super::Scheduler).
//!
//! | name | what it is |
//! |---|---|
//! | `monolithic` | one scheduler whose decisions take time |
//! | `omega` | schedulers side by side on shared state, optimistic (Omega, EuroSys'13) |
//! | `mesos` | frameworks that are offered what is free, pessimistic (Mesos, NSDI'11) |
//! | `sparrow` | samples of nodes with queues and late binding (Sparrow, SOSP'13) |
//! | `flow` | rounds of minimum-cost flow (Quincy, SOSP'09; Firmament, OSDI'16) |

mod crew;
mod flow;
mod jobs;
mod mesos;
mod options;
mod planner;
mod shared_state;
mod sparrow;
mod tally;

use serde_json::Value;

use self::crew::Crew;
use self::flow::{Flow, Model, Shape, Waiting};
use self::mesos::Mesos;
use self::options::{DecisionTime, Options, Time};
use self::shared_state::{Detection, Mode, Rules, SharedState};
use self::sparrow::Sparrow;
use super::registry::{ArchitectureEntry, Setting};
use super::scheduler::BuildScheduler;
use crate::engine::SimDuration;

/// One scheduler whose decisions take time.
pub(super) const MONOLITHIC: ArchitectureEntry = ArchitectureEntry {
    name: "monolithic",
    summary: "one scheduler that decides on one job after another, each taking its time",
    options: "job: duration or distribution, for each job (0); task: the same for each of its pods \
              (0); maxAttempts: a job is given up after so many (never)",
    ignores: &[],
    build: |options, _| monolithic(options),
};

/// Omega.
pub(super) const OMEGA: ArchitectureEntry = ArchitectureEntry {
    name: "omega",
    summary: "schedulers side by side that see the whole cell and commit what does not conflict",
    options: "schedulers: [{name, count (1), tiers (all others), job (100ms), task (5ms)}, …] (one \
              for batch tiers, one for services); conflicts: resource-fit or sequence-numbers \
              (resource-fit); commit: incremental or all-or-nothing (incremental); maxAttempts: a \
              job is given up after so many (1000)",
    ignores: &[],
    build: |options, _| omega(options),
};

/// Mesos.
pub(super) const MESOS: ArchitectureEntry = ArchitectureEntry {
    name: "mesos",
    summary: "frameworks that are offered all that is free, one at a time, and hold it while they \
              decide",
    options: "schedulers: the frameworks, as for omega; allocator: duration or distribution, for \
              each offer (1ms); maxAttempts: a job is given up after so many (1000)",
    ignores: &[Setting::HeadOfLineBlocking, Setting::Preemption],
    build: |options, _| mesos(options),
};

/// Sparrow.
pub(super) const SPARROW: ArchitectureEntry = ArchitectureEntry {
    name: "sparrow",
    summary: "probes a few nodes at random for each job; nodes queue and ask for pods",
    options: "probeRatio: probes for each pod, 1 to 100 (2); lateBinding (true); sampling: batch or \
              per-task (batch); cancellation: nodes are told when they need not ask (true); \
              schedulers: how many share the jobs (1); networkDelay: one way (500us)",
    ignores: &[
        Setting::Placement,
        Setting::Queue,
        Setting::HeadOfLineBlocking,
        Setting::Preemption,
    ],
    build: |options, _| sparrow(options),
};

/// Quincy and Firmament.
pub(super) const FLOW: ArchitectureEntry = ArchitectureEntry {
    name: "flow",
    summary: "places all that is pending at once, in rounds, by the cheapest flow through a network",
    options: "costs: quincy (as best fit), load-spreading or trivial (quincy); waitCost: what waiting \
              costs at once, where a placement costs 0 to 1000 (2000); waitCostPerSecond, 1 or more \
              (10); priorityCost: for each unit of priority (10); candidates: most nodes that a class \
              of pods is offered (256); perNode: most pods for a node in a round (1); batch: most \
              pods in a round (1000); interval between rounds (0); round: duration or distribution, \
              for each round (0); task: the same for each pod in it (0)",
    ignores: &[Setting::Placement, Setting::HeadOfLineBlocking, Setting::Preemption],
    build: |options, _| flow(options),
};

/// Most attempts that an option can ask for.
const MOST_ATTEMPTS: u64 = 1_000_000_000;

fn monolithic(options: &Value) -> Result<BuildScheduler, String> {
    let options = Options::new(options, &["job", "task", "maxAttempts"])?;
    let nothing = || Time::Constant(SimDuration::ZERO);
    let time = DecisionTime::read(&options, &DecisionTime { job: nothing(), task: nothing() })?;
    let never = u64::MAX;
    let max_attempts = match options.value("maxAttempts") {
        Some(_) => options.whole("maxAttempts", 1..=MOST_ATTEMPTS, never)?,
        None => never,
    };
    let crew = Crew::single("monolithic", time);
    let rules = Rules { detection: Detection::ResourceFit, mode: Mode::Incremental, max_attempts };
    Ok(Box::new(move |config, streams| Box::new(SharedState::new(crew, rules, config, streams))))
}

fn omega(options: &Value) -> Result<BuildScheduler, String> {
    let options = Options::new(options, &["schedulers", "conflicts", "commit", "maxAttempts"])?;
    let crew = Crew::read(&options)?;
    let detections = [
        ("resource-fit", Detection::ResourceFit),
        ("sequence-numbers", Detection::SequenceNumbers),
    ];
    let modes = [("incremental", Mode::Incremental), ("all-or-nothing", Mode::AllOrNothing)];
    let rules = Rules {
        detection: options.choice("conflicts", &detections)?,
        mode: options.choice("commit", &modes)?,
        max_attempts: options.whole("maxAttempts", 1..=MOST_ATTEMPTS, 1000)?,
    };
    Ok(Box::new(move |config, streams| Box::new(SharedState::new(crew, rules, config, streams))))
}

fn mesos(options: &Value) -> Result<BuildScheduler, String> {
    let options = Options::new(options, &["schedulers", "allocator", "maxAttempts"])?;
    let crew = Crew::read(&options)?;
    let rules = mesos::Rules {
        allocator: options.time("allocator", SimDuration(1_000))?,
        max_attempts: options.whole("maxAttempts", 1..=MOST_ATTEMPTS, 1000)?,
    };
    Ok(Box::new(move |config, streams| Box::new(Mesos::new(crew, rules, config, streams))))
}

fn sparrow(options: &Value) -> Result<BuildScheduler, String> {
    let known =
        ["probeRatio", "lateBinding", "sampling", "cancellation", "schedulers", "networkDelay"];
    let options = Options::new(options, &known)?;
    let rules = sparrow::Rules {
        probe_ratio: options.number("probeRatio", 1.0..=100.0, 2.0)?,
        late_binding: options.flag("lateBinding", true)?,
        batch_sampling: options.choice("sampling", &[("batch", true), ("per-task", false)])?,
        cancellation: options.flag("cancellation", true)?,
        schedulers: options.whole("schedulers", 1..=1000, 1)? as usize,
        delay: options.duration("networkDelay", SimDuration(500))?,
    };
    Ok(Box::new(move |_, streams| Box::new(Sparrow::new(rules, streams))))
}

fn flow(options: &Value) -> Result<BuildScheduler, String> {
    const MOST: u64 = 1_000_000;
    let known = [
        "costs",
        "waitCost",
        "waitCostPerSecond",
        "priorityCost",
        "candidates",
        "perNode",
        "batch",
        "interval",
        "round",
        "task",
    ];
    let options = Options::new(options, &known)?;
    let models = [
        ("quincy", Model::Quincy),
        ("load-spreading", Model::LoadSpreading),
        ("trivial", Model::Trivial),
    ];
    let whole = |name, least, default| options.whole(name, least..=MOST, default);
    let waiting = Waiting {
        base: whole("waitCost", 0, 2000)? as i64,
        per_second: whole("waitCostPerSecond", 1, 10)? as i64,
        per_priority: whole("priorityCost", 0, 10)? as i64,
    };
    let shape = Shape {
        model: options.choice("costs", &models)?,
        waiting,
        candidates: whole("candidates", 1, 256)? as usize,
        per_node: whole("perNode", 1, 1)? as usize,
    };
    let rules = flow::Rules {
        shape,
        batch: whole("batch", 1, 1000)? as usize,
        time: DecisionTime {
            job: options.time("round", SimDuration::ZERO)?,
            task: options.time("task", SimDuration::ZERO)?,
        },
        interval: options.duration("interval", SimDuration::ZERO)?,
    };
    Ok(Box::new(move |config, streams| Box::new(Flow::new(rules, &config, streams))))
}
