//! Virtual time, the event queue, random streams and the fingerprint.
//!
//! The engine knows no cluster: it must never import from the floors above.

mod incarnation;
mod queue;
mod random;
mod time;

pub use incarnation::Incarnation;
pub use queue::{Event, EventClass, EventQueue};
pub use random::{Purpose, Stream, Streams};
pub use time::{SimDuration, SimTime};
