//! Observers: folds over facts. They never influence a run.

mod results;

pub use results::*;
