//! What Borg's designers published about packing: a hybrid that avoids stranding needs 3–5 % fewer
//! machines than best fit (Verma et al., EuroSys'15 §3.2), by cell compaction (§5.1).

use std::path::Path;

use cellsim::Registry;
use cellsim::engine::{SimDuration, SimTime};
use cellsim::experiment::Checkpoint;
use cellsim::scenario::{Plan, load};

fn plan(policy: &str) -> Plan {
    let changes =
        [format!("scheduler.placement={policy}"), "workload.generator.nodes=400".to_owned()];
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/borg-cell.yaml");
    let loaded = load(&scenario, &changes).unwrap();
    Plan::new(&loaded, &Registry::default()).unwrap()
}

#[test]
fn the_hybrid_needs_some_percent_fewer_machines_than_best_fit() {
    let at = SimTime::ZERO + SimDuration::from_secs_f64(43_200.0);
    let checkpoint = Checkpoint::take(&plan("best-fit"), at).unwrap();
    let machines = |policy: &str| {
        let plan = plan(policy);
        checkpoint.compact(3, &|| plan.scheduler_config()).percentile_90()
    };
    let (best_fit, hybrid) = (machines("best-fit"), machines("borg-hybrid"));
    let saved = 1.0 - hybrid as f64 / best_fit as f64;
    println!("best fit {best_fit}, hybrid {hybrid} machines: {:.1} % fewer", 100.0 * saved);
    assert!((0.02..0.09).contains(&saved), "best fit {best_fit}, hybrid {hybrid}");
}
