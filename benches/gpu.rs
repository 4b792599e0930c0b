//! How long one experiment of FGD's evaluation takes: 1,213 nodes with GPUs, about 10,900 pods, all
//! nodes considered for each. The authors' simulator takes 46 minutes of cpu for it. It needs the
//! trace (see README.md), and is left out without.

use std::path::Path;

use cellsim::Registry;
use cellsim::scenario::{Plan, load};
use cellsim::simulation::Simulation;
use cellsim::workload::data_folder;
use criterion::{Criterion, criterion_group, criterion_main};

fn experiment(criterion: &mut Criterion) {
    if !data_folder().is_some_and(|data| data.join("traces/alibaba-gpu-v2023").is_dir()) {
        eprintln!("skipped: no traces/alibaba-gpu-v2023 in the folder that CELLSIM_DATA names");
        return;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/fgd-openb.yaml");
    let mut group = criterion.benchmark_group("openb inflated to 130 %");
    group.sample_size(10);
    for (policy, fragmentation) in
        [("fgd", "always"), ("fgd", "never"), ("gpu-best-fit", "never"), ("random", "never")]
    {
        let overrides = [
            format!("scheduler.placement={policy}"),
            format!("measure.fragmentation={fragmentation}"),
        ];
        let loaded = load(&file, &overrides).unwrap_or_else(|errors| panic!("{errors}"));
        let plan = Plan::new(&loaded, &Registry::default()).unwrap_or_else(|e| panic!("{e}"));
        group.bench_function(format!("{policy}, fragmentation {fragmentation}"), |bencher| {
            bencher.iter(|| {
                let prepared = plan.prepare(42, 0, false).expect("the trace can be read");
                let simulation = Simulation::new(prepared.config).expect("it makes sense");
                simulation.run(&|_| {}).expect("the source does not fail").pods.bound
            });
        });
    }
    group.finish();
}

criterion_group!(benches, experiment);
criterion_main!(benches);
