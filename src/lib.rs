//! cellsim: a discrete-event simulator of cluster scheduling and self-healing.
//!
//! The floors of the house, lowest first; a file imports from its own floor or from below, never
//! from above (`ARCHITECTURE.md` says what each must never know).

pub mod engine;

pub mod kubernetes;

pub mod cluster;

pub mod workload;

pub mod failure;

pub mod metrics;

pub mod protocol;

pub mod healing;

pub mod scheduling;

pub mod simulation;

pub mod scenario;

pub mod report;

pub mod explain;

pub mod experiment;

pub mod cli;

pub use scenario::Registry;
