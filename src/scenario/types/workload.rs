//! Section `workload`: where pods come from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DurationText, Service};

/// Where pods come from: at most one of `trace`, `generator`, `poisson` and `yardstick`, and any
/// number of services beside it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Workload {
    /// A recorded trace.
    pub trace: Option<Trace>,

    /// Workloads that want a number of equal pods all the time.
    pub services: Vec<Service>,
}

/// A recorded trace. Paths are files or folders of parts, plain, `.gz` or `.zst`. A relative path
/// is looked up beside the scenario file, then in the folder that `CELLSIM_DATA` names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Trace {
    /// Its format.
    pub format: TraceFormat,
    /// The folder that holds all of it (`google2011`, `native`).
    #[schemars(length(min = 1))]
    pub path: Option<String>,
    /// Table of task events (`google2011`), where it is not in `path`.
    #[schemars(length(min = 1))]
    pub tasks: Option<String>,
    /// Table of machine events (`google2011`), where it is not in `path`.
    #[schemars(length(min = 1))]
    pub machines: Option<String>,
    /// Table of task constraints (`google2011`).
    #[schemars(length(min = 1))]
    pub constraints: Option<String>,
    /// Table of machine attributes (`google2011`).
    #[schemars(length(min = 1))]
    pub attributes: Option<String>,
    /// Node list (`openb`).
    #[schemars(length(min = 1))]
    pub nodes: Option<String>,
    /// Pod list (`openb`).
    #[schemars(length(min = 1))]
    pub pods: Option<String>,
    /// Stop at the first broken row. Otherwise broken rows are counted, skipped and reported.
    #[serde(default)]
    pub strict: bool,
    /// Hold requests for disk space against the nodes too (`google2011`).
    #[serde(default)]
    pub disk: bool,
    /// How far ahead the reader looks for the end of a pod (`google2011`). Default: 12h. Longer
    /// takes more memory.
    pub horizon: Option<DurationText>,
}

/// Formats of traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TraceFormat {
    /// Google's cluster trace of 2011 (format 2.1): task and machine events.
    Google2011,
    /// Alibaba's GPU trace of 2023: a node list and a pod list.
    Openb,
    /// The CSV of this project (`docs/trace-format.md`).
    Native,
}
