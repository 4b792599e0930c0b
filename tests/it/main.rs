//! All integration tests, in one binary.

mod architecture_rules;
mod architectures;
mod auditor;
mod bad_input;
mod cli;
mod determinism;
mod examples;
mod golden;
mod healing;
mod layers;
mod queueing;
mod readme;
mod reliability;
mod shapes;
mod support;
