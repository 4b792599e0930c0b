//! Synthetic work: a Borg-like cell of any size and length, the yardstick of the benches, and
//! plain queues with known answers.
//!
//! Everything is exogenous and drawn from streams of its own: the same seed gives the same
//! records whatever the cell does with them. Memory is bounded by the pods that wait for a kill.

mod alloc_sets;
mod config;
mod moments;
mod poisson;
mod population;
mod presets;
mod sampler;
mod stream;
#[cfg(test)]
mod tests;

pub use alloc_sets::AllocSets;
pub use config::{
    AllocSetMix, DeclaredJobs, Diurnal, GeneratorConfig, GeneratorError, InitialPopulation, Pool,
    TierMix,
};
pub use poisson::{Poisson, PoissonConfig};
pub use presets::{
    CAPACITY_CLASSES, LARGEST_CPU_MILLI, LARGEST_MEMORY_BYTES, borg_like, yardstick,
};
pub use stream::Generator;
