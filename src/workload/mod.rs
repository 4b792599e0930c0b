//! Pod sources: trace readers (one file per format), the generator, and the records they yield.
//!
//! This floor knows pods and nodes as data; it must never import from `scheduling` or above.

mod record;
mod source;

mod ahead;
mod bands;
mod csv_table;
mod data;
mod input;
mod inspect;
mod row;

pub mod generator;
pub mod google2011;
pub mod kubernetes;
pub mod native;
pub mod openb;

pub use ahead::ReadAhead;
pub use bands::usual_priority;
pub use data::data_folder;
pub use input::ReadProgress;
pub use inspect::{Quantiles, TraceSummary, inspect};
pub use record::{
    Change, NodeKey, Outcome, PodKey, PodRecord, Record, Source, TemplateIndex, Work, WorkloadKey,
};
pub use source::{SourceError, SourceStatistics};
