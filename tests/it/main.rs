//! All integration tests, in one binary.

mod auditor;
mod bad_input;
mod cli;
mod determinism;
mod examples;
mod explain;
mod golden;
mod healing;
mod layers;
mod process;
mod queueing;
mod readme;
mod reliability;
mod support;
