//! cellsim: a discrete-event simulator of cluster scheduling and self-healing.
//!
//! The layers, each importing only from its own floor or below, are listed in `ARCHITECTURE.md`.

pub mod engine;

pub mod cluster;

pub mod workload;

pub mod metrics;

pub mod scenario;
