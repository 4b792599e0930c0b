//! Same scenario, same seed, same version: the same fingerprint.

use cellsim::metrics::RunResult;

use crate::auditor::random_scenario;
use crate::support::run;

fn fingerprint(seed: u64, check: bool) -> RunResult {
    let mut config = random_scenario(seed, "best-fit");
    config.check = check;
    run(config)
}

#[test]
fn a_run_repeated_is_the_same_to_the_bit() {
    for seed in 0..20 {
        let (first, second) = (fingerprint(seed, false), fingerprint(seed, false));
        assert_eq!(first, second, "seed {seed}");
        assert_ne!(first.fingerprint, fingerprint(seed + 1000, false).fingerprint);
    }
}

#[test]
fn the_auditor_does_not_change_the_run() {
    for seed in 0..20 {
        assert_eq!(fingerprint(seed, false), fingerprint(seed, true), "seed {seed}");
    }
}

#[test]
fn runs_in_several_threads_are_those_of_one() {
    let alone: Vec<String> = (0..10).map(|seed| fingerprint(seed, false).fingerprint).collect();
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let together: Vec<String> = pool.expect("threads can be made").install(|| {
            use rayon::prelude::*;
            (0..10u64).into_par_iter().map(|seed| fingerprint(seed, false).fingerprint).collect()
        });
        assert_eq!(alone, together, "{threads} threads");
    }
}
