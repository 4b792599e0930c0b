//! All integration tests, in one binary.

mod auditor;
mod bad_input;
mod cli;
mod determinism;
mod layers;
mod queueing;
mod reliability;
mod support;
