//! Scheduling: the pluggable half of the simulator. Policies read the cluster and return
//! decisions; nothing here may change it.

pub mod placement;
