//! Virtual time, the event queue, random streams and the fingerprint.
//!
//! The engine knows no cluster: it must never import from the floors above.

mod decimal;
mod distribution;
mod duration_text;
mod fingerprint;
mod incarnation;
mod queue;
mod random;
mod time;

pub use decimal::Decimal;
pub use distribution::{Distribution, DistributionError};
pub use fingerprint::{Fingerprint, FingerprintValue, NotAFingerprint};
pub use incarnation::Incarnation;
pub use queue::{Event, EventClass, EventQueue};
pub use random::{Purpose, Stream, Streams};
pub use time::{SimDuration, SimTime};
