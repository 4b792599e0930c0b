//! Pod sources: trace readers (one file per format), the generator, and the records they yield.
//!
//! This floor knows pods and nodes as data; it must never import from `scheduling` or above.

mod record;
mod source;

pub use record::{
    Change, NodeKey, Outcome, PodKey, PodRecord, Record, Source, TemplateIndex, Work, WorkloadKey,
};
pub use source::{SourceError, SourceStatistics};
