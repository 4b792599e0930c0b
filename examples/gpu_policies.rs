//! The evaluation of FGD (Weng et al., USENIX ATC 2023, section 6.2): six policies fill the cell of
//! Alibaba's GPU trace, each under ten seeds. Shown are means over seeds: what is allocated of the
//! GPUs when as much has been asked for as there is, and at the end at 130 %, and what of the
//! rest is of no use to the workload at these moments.
//!
//!     CELLSIM_DATA=FOLDER cargo run --release --example gpu_policies [SEEDS]

use std::path::Path;

use cellsim::Registry;
use cellsim::metrics::RunResult;
use cellsim::scenario::{Plan, load};
use cellsim::simulation::Simulation;

const POLICIES: [&str; 6] =
    ["fgd", "gpu-best-fit", "gpu-packing", "gpu-clustering", "gpu-dot-product", "random"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seeds: u64 = std::env::args().nth(1).map_or(Ok(10), |seeds| seeds.parse())?;
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/fgd-openb.yaml");
    let registry = Registry::default();
    println!("{:<16} {:>9} {:>9} {:>9}", "placement", "at 100 %", "at 130 %", "no use");
    for policy in POLICIES {
        let loaded = load(&scenario, &[format!("scheduler.placement={policy}")])?;
        let plan = Plan::new(&loaded, &registry)?;
        let mut sums = [0.0; 3];
        for run in 0..seeds {
            let prepared = plan.prepare(plan.seed + run, 0, false)?;
            let result = Simulation::new(prepared.config)?.run(&|_progress| {})?;
            sums.iter_mut().zip(figures(&result)).for_each(|(sum, figure)| *sum += figure);
        }
        let [full, end, unusable] = sums.map(|sum| 100.0 * sum / seeds as f64);
        println!("{policy:<16} {full:>7.2} % {end:>7.2} % {unusable:>7.2} %");
    }
    Ok(())
}

/// Allocated at full demand and at the end; fragmentation at the end.
fn figures(result: &RunResult) -> [f64; 3] {
    let gpu = result.resources.iter().find(|resource| resource.resource == "gpu");
    let gpu = gpu.expect("the trace has GPUs");
    let column = result.timeseries.columns.iter();
    let mut column = column.filter(|column| column.name == "gpu");
    let unusable = column.find(|column| column.group == "fragmentation");
    let last = unusable.and_then(|column| column.values.last().copied());
    [
        gpu.allocation_at_full_demand.unwrap_or(f64::NAN),
        gpu.peak_allocation_ratio.unwrap_or(f64::NAN),
        last.unwrap_or(f64::NAN),
    ]
}
