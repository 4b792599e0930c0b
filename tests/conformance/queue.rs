//! `queue.*`: how long a pod backs off.

use cellsim::scheduling::kube::queue::backoff_duration;
use serde_json::Value;

use crate::families::Runner;
use crate::support::{read, same};

pub fn runner(suite: &str) -> Option<Runner> {
    matches!(suite, "queue.backoff_duration" | "queue.backoff_flow").then_some(backoff as Runner)
}

fn backoff(case: &Value) -> Result<(), String> {
    let initial = read(case, "/input/initial_backoff_ns")?;
    let max = read(case, "/input/max_backoff_ns")?;
    let duration = backoff_duration(initial, max, read(case, "/input/attempts")?);
    same("back-off", &duration, &read(case, "/expected/backoff_ns")?)
}
