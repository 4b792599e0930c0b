//! All integration tests, in one binary.

mod auditor;
mod determinism;
mod layers;
mod queueing;
mod reliability;
mod support;
