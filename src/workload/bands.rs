//! The priority bands of Borg, for sources whose format has none of its own.

use crate::cluster::Tier;

/// A usual priority in the band of `tier`: free 0–99, best-effort batch 100–115, mid 116–119,
/// production 120–359, monitoring from 360 (trace format v3; EuroSys'20 Table 1). The values
/// are among those that occur in the 2019 trace (0, 25, 100–119, 199–215, 360, 450).
pub const fn usual_priority(tier: Tier) -> i32 {
    match tier {
        Tier::Free => 25,
        Tier::BestEffortBatch => 103,
        Tier::Mid => 117,
        Tier::Production => 200,
        Tier::Monitoring => 360,
    }
}
