//! All integration tests, in one binary.

mod auditor;
mod bad_input;
mod bad_scenarios;
mod cli;
mod determinism;
mod examples;
mod golden;
mod healing;
mod layers;
mod queueing;
mod readme;
mod reliability;
mod support;
