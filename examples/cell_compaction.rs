//! How many machines does each placement policy need for the same workload? Cell compaction, as
//! Borg's designers compare policies (EuroSys'15 §5.1): the fewer, the better it packs.
//!
//!     cargo run --release --example cell_compaction -- scenarios/borg-cell.yaml 1000
//!
//! The scenario comes first (default: a Borg-like cell), the number of its nodes second, then the
//! policies to compare, as a scenario names them: `'{name: e-pvm, options: {base: 100}}'`. Other
//! fields may follow a policy: `'best-fit + scheduler.index={scan: {equivalenceClasses: true}}'`.

use std::error::Error;
use std::path::Path;

use cellsim::Registry;
use cellsim::engine::{SimDuration, SimTime};
use cellsim::experiment::{Checkpoint, TRIALS};
use cellsim::scenario::{Plan, load};

const POLICIES: [&str; 6] =
    ["worst-fit", "e-pvm", "first-fit", "dot-product", "best-fit", "borg-hybrid"];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let scenario = arguments.next().unwrap_or_else(|| "scenarios/borg-cell.yaml".to_owned());
    let nodes = arguments.next().unwrap_or_else(|| "1000".to_owned());
    let mut policies: Vec<String> = arguments.collect();
    if policies.is_empty() {
        policies = POLICIES.map(str::to_owned).into();
    }
    let plan_for = |policy: &str| -> Result<Plan, Box<dyn Error>> {
        let mut fields = policy.split(" + ");
        let placement = fields.next().unwrap_or_default();
        let mut changes = vec![
            format!("scheduler.placement={placement}"),
            format!("workload.generator.nodes={nodes}"),
        ];
        changes.extend(fields.map(str::to_owned));
        let loaded = load(Path::new(&scenario), &changes)?;
        Ok(Plan::new(&loaded, &Registry::default())?)
    };
    let half_a_day = SimTime::ZERO + SimDuration::from_secs_f64(43_200.0);
    let checkpoint = Checkpoint::take(&plan_for("best-fit")?, half_a_day)?;
    println!("{} pods on {} nodes; {TRIALS} trials", checkpoint.pods(), checkpoint.nodes());
    println!("{:<12} {:>7} {:>7} {:>7} {:>10}", "placement", "90 %ile", "least", "most", "of cell");
    for policy in policies {
        let plan = plan_for(&policy)?;
        let needed = checkpoint.compact(TRIALS, &|| plan.scheduler_config());
        let (least, most) = (needed.trials[0], needed.trials[needed.trials.len() - 1]);
        let share = 100.0 * needed.percentile_90() as f64 / checkpoint.nodes() as f64;
        println!("{policy:<12} {:>7} {least:>7} {most:>7} {share:>8.1} %", needed.percentile_90());
    }
    Ok(())
}
