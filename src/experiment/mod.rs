//! Many runs: of one scenario under several seeds, in parallel, with results in the order of the
//! seeds. This floor must never print, nor know what a scenario says.

mod run;

pub use run::{RunStarted, Watcher, run_seeds};
