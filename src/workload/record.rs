//! What every source of work yields: records in order of time, whatever the format they came from.
//!
//! Trace vocabulary (task, machine, attempt) stays in the readers; a record speaks of pods, nodes
//! and workloads only.

use std::sync::Arc;

use crate::cluster::{GpuRequest, JobSpec, NodeSpec, PodTemplate, Resources};
use crate::engine::{SimDuration, SimTime};

/// A pod as its source names it; unique within one source for the length of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodKey(pub u64);

/// A workload (a trace's job, a Deployment …) as its source names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkloadKey(pub u64);

/// A node as its source names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeKey(pub u64);

/// Number of a [`PodTemplate`] declared by a [`Change::Template`] before its first use; dense
/// from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateIndex(pub u32);

/// How an attempt ends once its work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It succeeds.
    Finish,
    /// It fails of its own accord (a crash in the trace).
    Fail,
}

/// How much there is to do in one attempt of a pod. Exogenous: the same for every policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Runs for `run` once started, then ends with `outcome`.
    For {
        /// Length of an uninterrupted run.
        run: SimDuration,
        /// How it ends.
        outcome: Outcome,
    },
    /// Runs until something from outside ends it (a service, or a task that was still running
    /// when the trace's window closed).
    UntilStopped,
    /// Not known yet: a [`Change::Work`] with the same key will tell.
    Unknown,
}

/// A pod that asks to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodRecord {
    /// Its name in the source. Only pods with `tracked` may be named by later records.
    pub key: PodKey,
    /// True where later records may name this key, so that it has to be remembered.
    pub tracked: bool,
    /// The workload (job) that it belongs to.
    pub workload: WorkloadKey,
    /// True where no other pod belongs to that workload, so that it need not be found again.
    pub alone: bool,
    /// Priority, tier and constraints.
    pub template: TemplateIndex,
    /// What it reserves. The pod slot (`Dimension::PODS` = 1) is part of it, and so is the total
    /// of `gpu` in `Dimension::GPU`.
    pub requests: Resources,
    /// What it asks of GPU devices.
    pub gpu: GpuRequest,
    /// What it has to do.
    pub work: Work,
    /// Mean usage as a share of its request in permille, for cpu and memory; `None` where the
    /// source does not tell.
    pub usage_permille: Option<[u16; 2]>,
    /// Of an alloc set's pod: its number among the instances (`None`: the next one). Of a pod that
    /// runs inside of an alloc set: the instance that it has to be in (`None`: any).
    pub alloc_index: Option<u32>,
}

/// Pods that are all alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PopularShape {
    /// Priority, tier and constraints.
    pub template: TemplateIndex,
    /// What each reserves.
    pub requests: Resources,
    /// What each asks of GPU devices.
    pub gpu: GpuRequest,
    /// How many there are.
    pub pods: u64,
}

/// One thing that the outside world does to the cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Declares the next template; takes no time.
    Template(Arc<PodTemplate>),
    /// Declares a job before its first pod comes. If it names jobs in `after` that are not over, its
    /// pods wait outside the cell; otherwise this takes no time. Its pods must not be `alone`.
    Job {
        /// The job.
        key: WorkloadKey,
        /// What is known of it.
        spec: Arc<JobSpec>,
    },
    /// What the pods will be like, where that is known beforehand; before the first pod.
    Population(Arc<[PopularShape]>),
    /// A pod arrives. If the source has named the same key before and that attempt has not ended
    /// in the simulation, the new attempt waits for its end.
    Submit(PodRecord),
    /// The work of a pod submitted with [`Work::Unknown`] becomes known. It may come long before
    /// the work is over.
    Work {
        /// The pod.
        key: PodKey,
        /// What it has to do; never [`Work::Unknown`].
        work: Work,
    },
    /// The user stops a pod, pending or running.
    Kill {
        /// The pod.
        key: PodKey,
    },
    /// The requests or the template of a pod change.
    Resize {
        /// The pod.
        key: PodKey,
        /// New template.
        template: TemplateIndex,
        /// New requests.
        requests: Resources,
    },
    /// A node joins the cell, or comes back.
    NodeAdd {
        /// Its name in the source.
        key: NodeKey,
        /// What it is.
        spec: Arc<NodeSpec>,
    },
    /// A node leaves the cell: what runs there is evicted at once.
    NodeRemove {
        /// Its name in the source.
        key: NodeKey,
    },
    /// A node's capacity or attributes change.
    NodeUpdate {
        /// Its name in the source.
        key: NodeKey,
        /// What it is from now on.
        spec: Arc<NodeSpec>,
    },
}

/// A [`Change`] and when it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When, in microseconds since the start of the run.
    pub time: SimTime,
    /// What.
    pub change: Change,
}

/// Work and node changes in order of time. Sources that read files do so ahead, in a thread of
/// their own.
pub trait Source: Send {
    /// The next record, or `None` at the end. Times never go back.
    ///
    /// # Errors
    /// A row that cannot be used, where the reader is strict, or a file that cannot be read.
    fn next_record(&mut self) -> Result<Option<Record>, super::SourceError>;

    /// What was read and what was skipped so far, by reason.
    fn statistics(&self) -> super::SourceStatistics;
}
