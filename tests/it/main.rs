//! All integration tests, in one binary.

mod auditor;
mod bad_input;
mod batch;
mod cli;
mod compaction;
mod determinism;
mod examples;
mod golden;
mod healing;
mod jobs;
mod layers;
mod process;
mod queueing;
mod readme;
mod reliability;
mod support;
