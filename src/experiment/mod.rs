//! Many runs: of one scenario under several seeds, in parallel, with results in the order of the
//! seeds; and the search for the smallest cell that holds a workload. This floor must never print.

mod compaction;
mod run;

pub use compaction::{Checkpoint, Compaction, TRIALS};
pub use run::{RunStarted, Watcher, run_seeds};
