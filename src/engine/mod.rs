//! Virtual time, the event queue, random streams and the fingerprint.
//!
//! The engine knows no cluster: it must never import from the floors above.

mod time;

pub use time::{SimDuration, SimTime};
