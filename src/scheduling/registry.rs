//! The schedulers that come with the simulator, by the names that scenarios call them.

use std::path::Path;

use serde_json::Value;

use super::architectures::{FLOW, MESOS, MONOLITHIC, OMEGA, SPARROW};
use super::batch::{self, Backfill, BatchOptions, BatchScheduler};
use super::fair_share::{self, FairShare, FairShareOptions};
use super::kube_scheduler::{self, KubeOptions, KubeScheduler};
use super::placement::no_options;
use super::pod_at_a_time::PodAtATime;
use super::process::{ProcessScheduler, process_spec};
use super::scheduler::BuildScheduler;

/// A scheduler that scenarios can name.
#[derive(Clone, Copy, Debug)]
pub struct ArchitectureEntry {
    /// What scenarios call it.
    pub name: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// Its options, with units, range and default; empty without any.
    pub options: &'static str,
    /// What a scenario may say of the scheduler in general that this one does not follow.
    pub ignores: &'static [Setting],
    /// Makes it from its options (an object, or null for the defaults) and the folder that file
    /// names among them are relative to.
    ///
    /// # Errors
    /// A sentence that says which option is wrong and what would be right.
    pub build: fn(&Value, &Path) -> Result<BuildScheduler, String>,
}

/// Something that a scenario says of the scheduler in general, whatever its architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// `placement`: the policy.
    Placement,
    /// `queue`: in which order pods are tried.
    Queue,
    /// `headOfLineBlocking`.
    HeadOfLineBlocking,
    /// `preemption`.
    Preemption,
}

/// The schedulers that come with the simulator, in the order in which they are listed.
pub fn architectures() -> &'static [ArchitectureEntry] {
    &BUILTIN
}

/// Name of the scheduler that is a child process.
pub const PROCESS: &str = "process";

const BUILTIN: [ArchitectureEntry; 13] = [
    POD_AT_A_TIME,
    KUBE_SCHEDULER,
    MONOLITHIC,
    OMEGA,
    MESOS,
    SPARROW,
    FLOW,
    ArchitectureEntry {
        name: "job-queue",
        summary: "whole jobs in order; the first that does not fit holds up all behind it",
        options: batch::OPTIONS,
        ignores: &[],
        build: |options, _| batch(Backfill::None, options),
    },
    ArchitectureEntry {
        name: "greedy-jobs",
        summary: "whole jobs in order, whichever fits; large ones may starve",
        options: batch::OPTIONS,
        ignores: &[],
        build: |options, _| batch(Backfill::Greedy, options),
    },
    ArchitectureEntry {
        name: "easy-backfill",
        summary: "whole jobs in order; later ones go first where that does not delay the first \
                  (EASY, JSSPP 1995)",
        options: batch::OPTIONS,
        ignores: &[],
        build: |options, _| batch(Backfill::Easy, options),
    },
    ArchitectureEntry {
        name: "conservative-backfill",
        summary: "whole jobs, each with a reservation; later ones go first where that delays no \
                  other (TPDS 2001)",
        options: batch::OPTIONS,
        ignores: &[],
        build: |options, _| batch(Backfill::Conservative, options),
    },
    ArchitectureEntry {
        name: "fair-share",
        summary: "queues in turn by weighted dominant share (DRF, NSDI 2011), with guarantees, limits \
                  and borrowing",
        options: fair_share::OPTIONS,
        ignores: &[],
        build: |options, _| {
            let options = FairShareOptions::read(options)?;
            Ok(Box::new(move |config, streams| Box::new(FairShare::new(&options, config, streams))))
        },
    },
    CHILD,
];

const POD_AT_A_TIME: ArchitectureEntry = ArchitectureEntry {
    name: "pod-at-a-time",
    summary: "one scheduler that places one pod after another, in no time",
    options: "",
    ignores: &[],
    build: |options, _| {
        no_options(options)?;
        Ok(Box::new(|config, streams| Box::new(PodAtATime::new(config, streams))))
    },
};

const KUBE_SCHEDULER: ArchitectureEntry = ArchitectureEntry {
    name: "kube-scheduler",
    summary: "kube-scheduler v1.35 with its queue, default plugins and preemption",
    options: kube_scheduler::OPTIONS,
    ignores: &[
        Setting::Placement,
        Setting::Queue,
        Setting::HeadOfLineBlocking,
        Setting::Preemption,
    ],
    build: |options, folder| {
        let options = KubeOptions::read(options, folder)?;
        Ok(Box::new(move |config, streams| Box::new(KubeScheduler::new(options, &config, streams))))
    },
};

const CHILD: ArchitectureEntry = ArchitectureEntry {
    name: PROCESS,
    summary: "a program in any language, run as a child process (docs/protocol.md)",
    options: "command: the program and its arguments, as a list; replyWithin: seconds of real \
              time for a reply (60); options: whatever the program takes",
    ignores: &[],
    build: |options, folder| {
        let spec = process_spec(options, folder)?;
        Ok(Box::new(|_, streams| Box::new(ProcessScheduler::new(spec, streams))))
    },
};

fn batch(backfill: Backfill, options: &Value) -> Result<BuildScheduler, String> {
    let options = BatchOptions::read(backfill, options)?;
    Ok(Box::new(move |config, streams| Box::new(BatchScheduler::new(options, config, streams))))
}
