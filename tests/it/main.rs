//! All integration tests, in one binary.

mod auditor;
mod bad_input;
mod batch;
mod cli;
mod determinism;
mod examples;
mod fair_share;
mod golden;
mod healing;
mod jobs;
mod layers;
mod queueing;
mod readme;
mod reliability;
mod support;
