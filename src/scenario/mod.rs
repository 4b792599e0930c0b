//! The scenario file: reading, validation, documentation, and assembly into the configuration of
//! a run.
//!
//! A file goes through three gates, each of which reports everything it finds: `yaml` (is it YAML
//! at all), `validate` (does it have the fields and types of the schema), `assemble` (do they fit
//! together). This floor must never run anything.

mod load;
mod manual;
mod schema;

pub mod types;

mod document;
mod overrides;
mod yaml;

mod error;
mod problems;
mod quantity;
mod suggest;
mod validate;

mod assemble;
mod registry;

pub use assemble::{Plan, PreparedRun};
pub use document::{Document, Path};
pub use error::{ErrorCode, Place, ScenarioError, ScenarioErrors};
pub use load::{Loaded, load, parse};
pub use manual::manual;
pub use registry::{Entry, PlacementEntry, Registry, SchedulerEntry};
pub use schema::json_schema;
pub use suggest::{did_you_mean, likeness};
