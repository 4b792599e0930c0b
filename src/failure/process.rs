//! Failure processes: every node (or every domain of a kind) fails and is repaired by a clock of
//! its own, which runs on whatever else happens to it; faults of several processes overlap.

use crate::cluster::{DomainId, NodeId};
use crate::engine::{Distribution, Purpose, SimDuration, Stream, Streams};

/// What a process makes fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailureTarget {
    /// Every node of a pool, or of all pools, each on its own.
    Nodes {
        /// Name of the pool; `None` means all.
        pool: Option<String>,
    },
    /// Every failure domain of a kind, each as a whole.
    Domains {
        /// The kind: `rack`, `zone`, …
        kind: String,
    },
}

/// How often something fails and how long it then stays down.
#[derive(Clone, Debug)]
pub struct FailureProcess {
    /// Name, for error messages and reports.
    pub name: String,
    /// What fails.
    pub target: FailureTarget,
    /// From a repair (or the start of the run) to the next failure, in seconds.
    pub time_to_failure: Distribution,
    /// From a failure to its repair, in seconds.
    pub time_to_repair: Distribution,
}

/// One thing that a process makes fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A node.
    Node(NodeId),
    /// A domain.
    Domain(DomainId),
}

/// The alternating clock of one process and one thing: its next times to failure and to repair.
#[derive(Clone, Debug)]
pub struct ProcessClock {
    /// Position of the process in the scenario.
    pub process: u32,
    /// What fails.
    pub target: Target,
    failures: Stream,
    repairs: Stream,
}

impl ProcessClock {
    /// The clock of `target` under the `process`-th process of the scenario. Its draws depend on
    /// the seed, the process and the target alone.
    pub fn new(streams: &Streams, process: u32, target: Target) -> Self {
        let (failure, repair, index) = match target {
            Target::Node(node) => (Purpose::NodeFailure, Purpose::NodeRepair, node.0),
            Target::Domain(domain) => (Purpose::DomainFailure, Purpose::DomainRepair, domain.0),
        };
        let entity = u64::from(process) << 32 | u64::from(index);
        Self {
            process,
            target,
            failures: streams.stream(failure, entity),
            repairs: streams.stream(repair, entity),
        }
    }

    /// How long it stays up.
    pub fn time_to_failure(&mut self, process: &FailureProcess) -> SimDuration {
        process.time_to_failure.sample_duration(&mut self.failures)
    }

    /// How long it stays down.
    pub fn time_to_repair(&mut self, process: &FailureProcess) -> SimDuration {
        process.time_to_repair.sample_duration(&mut self.repairs)
    }
}
