//! The scenario file: reading, validation, documentation, and assembly into the configuration of
//! a run.

mod document;
mod error;
mod overrides;
mod quantity;

mod schema;
mod suggest;
mod validate;
mod yaml;

pub mod types;

pub use document::{Document, Path};
pub use error::{ErrorCode, Place, ScenarioError, ScenarioErrors};
