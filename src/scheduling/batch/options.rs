//! The options of the batch schedulers, as scenarios give them.

use serde_json::Value;

use super::{Backfill, JobOrder};
use crate::engine::SimDuration;

/// What a scenario says of a batch scheduler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchOptions {
    /// Which jobs may go before others.
    pub backfill: Backfill,
    /// In which order jobs are looked at; `None`: as `scheduler.queue` says.
    pub order: Option<JobOrder>,
    /// What is planned for jobs without an estimate; `None`: that they never end.
    pub default_estimate: Option<SimDuration>,
}

/// The options in one line, for `cellsim policies`.
pub const OPTIONS: &str = "order: fifo, sjf (shortest estimate first) or priority (default: as \
                           scheduler.queue); defaultEstimate: seconds planned for jobs without an \
                           estimate (default: they never end)";

impl BatchOptions {
    /// Reads them: an object, or null for the defaults.
    ///
    /// # Errors
    /// A sentence that says which option is wrong and what would be right.
    pub fn read(backfill: Backfill, options: &Value) -> Result<Self, String> {
        let mut read = Self { backfill, ..Self::default() };
        for (key, value) in options.as_object().into_iter().flatten() {
            match key.as_str() {
                "order" => read.order = Some(order(value)?),
                "defaultEstimate" => read.default_estimate = Some(seconds(value)?),
                _ => {
                    return Err(format!(
                        "unknown option `{key}`; there are `order` and `defaultEstimate`"
                    ));
                }
            }
        }
        Ok(read)
    }
}

fn order(value: &Value) -> Result<JobOrder, String> {
    match value.as_str() {
        Some("fifo") => Ok(JobOrder::Fifo),
        Some("sjf") => Ok(JobOrder::ShortestFirst),
        Some("priority") => Ok(JobOrder::Priority),
        _ => Err(format!("order must be fifo, sjf or priority; found {value}")),
    }
}

fn seconds(value: &Value) -> Result<SimDuration, String> {
    let given = value.as_u64().filter(|seconds| (1..=1 << 40).contains(seconds));
    given
        .map(SimDuration::from_secs)
        .ok_or_else(|| format!("defaultEstimate must be a number of seconds; found {value}"))
}
