//! All integration tests, in one binary.

mod architecture_rules;
mod architectures;
mod auditor;
mod bad_input;
mod bad_scenarios;
mod batch;
mod cli;
mod compaction;
mod determinism;
mod examples;
mod explain;
mod fair_share;
mod golden;
mod gpu_sharing;
mod healing;
mod jobs;
mod layers;
mod process;
mod queueing;
mod readme;
mod reliability;
mod shapes;
mod support;
mod volumes;
