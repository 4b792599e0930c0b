//! Cells as Kubernetes objects: manifests, and dumps as `kubectl get … -o yaml` writes them.
//!
//! Objects are read from YAML or JSON, one or many per file, alone or in lists. Workloads are
//! expanded to the pods that their controllers would make, as far as the files do not have those
//! pods already. Kinds that nothing here looks at are counted.

mod defaults;
mod expand;
mod label_keys;
mod names;
mod read;
mod run_time;

pub use expand::{CellPod, ExpandError, KubernetesCell, Owner, OwnerKind};
pub use read::{ManifestError, Manifests};
pub use run_time::run_time;

#[cfg(test)]
mod tests;
