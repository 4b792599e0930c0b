//! What happens *to* the cell: failure processes over the domain graph, and scripted faults.
//!
//! Everything here is exogenous: drawn from streams of its own, in calendar time, whatever the
//! cell does. It must never look at pods or policies.

mod process;
mod script;

pub use process::{FailureProcess, FailureTarget, ProcessClock, Target};
pub use script::ScriptedFault;
