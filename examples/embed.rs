//! The library without the command line: one cell under three policies, with one seed, so that
//! all three meet the same arrivals and the same failures.
//!
//!     cargo run --release --example embed

use cellsim::Registry;
use cellsim::scenario::{Plan, parse};
use cellsim::simulation::Simulation;

const SCENARIO: &str = "
name: embedded
duration: 12h
cluster:
  pools:
    - {name: node, count: 100, cpu: 32, memory: 128Gi}
workload:
  generator: {allocation: 85%}
failures:
  processes:
    - name: crashes
      timeToFailure: {exponential: {mean: 5d}}
      timeToRepair: 20min
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let registry = Registry::default();
    println!("{:<12} {:>9} {:>14} {:>14}", "placement", "started", "waiting p99", "node failures");
    for policy in ["best-fit", "worst-fit", "random"] {
        let change = format!("scheduler.placement={policy}");
        let loaded = parse("embedded", SCENARIO, &[change], ".".into())?;
        let plan = Plan::new(&loaded, &registry)?;
        let run = plan.prepare(plan.seed, 0, false)?;
        let result = Simulation::new(run.config)?.run(&|_progress| {})?;
        let all = result.waiting.iter().find(|waiting| waiting.name == "all");
        let p99_s = all.map_or(0.0, |waiting| waiting.from_submit.p99_s);
        let (started, failures) = (result.pods.started, result.nodes.failures);
        println!("{policy:<12} {started:>9} {p99_s:>12.1} s {failures:>14}");
    }
    Ok(())
}
