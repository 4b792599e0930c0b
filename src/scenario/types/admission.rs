//! Section `admission`: who may bring how much into the cell.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ByteQuantity, CpuQuantity, TierName};

/// Who may bring how much into the cell (Borg, EuroSys'15 §2.5). It is checked when a job is
/// submitted, and only then: a job that would exceed its quota is turned away as a whole and never
/// becomes pending (`docs/borg.md`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Admission {
    /// Quota, by user and band. Users and bands without an entry are not limited.
    pub quota: Vec<QuotaEntry>,
}

/// How much a user may have in the cell at a time, at one band. What is left out is not limited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct QuotaEntry {
    /// Whose: the name of a queue (tenant). Default: every user that has no entry for the band,
    /// each for itself.
    #[schemars(length(min = 1))]
    pub user: Option<String>,
    /// The priority band: any tier but `free`, of which everybody has as much as they like.
    pub band: TierName,
    /// Cpu that may be requested.
    pub cpu: Option<CpuQuantity>,
    /// Memory that may be requested.
    pub memory: Option<ByteQuantity>,
    /// Local storage that may be requested.
    pub storage: Option<ByteQuantity>,
}
