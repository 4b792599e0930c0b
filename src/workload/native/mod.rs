//! The project's own trace format: three CSV files in a folder, read and written as streams.
//! It is described in `docs/trace-format.md`; whatever a source can say, it can hold.

mod columns;
mod job_constraints;
mod jobs;
mod out_file;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use out_file::Compression;
pub use reader::{Native, NativeConfig};
pub use writer::{NativeWriter, WrittenTrace, write_trace};

/// Nodes that are there from the start.
const NODES: &str = "nodes.csv";
/// Nodes that come, change or go.
const NODE_EVENTS: &str = "node_events.csv";
/// Everything about pods.
const PODS: &str = "pods.csv";

/// Columns of amounts that every file has, in the order of their dimensions.
const AMOUNTS: [&str; 5] = ["cpu_milli", "memory_bytes", "storage_bytes", "pods", "gpu_milli"];
/// Prefix of the columns of extended resources.
const EXTENDED: &str = "resource:";
