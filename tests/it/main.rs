//! All integration tests, in one binary.

mod auditor;
mod bad_input;
mod cli;
mod determinism;
mod examples;
mod golden;
mod gpu_sharing;
mod healing;
mod layers;
mod queueing;
mod readme;
mod reliability;
mod support;
