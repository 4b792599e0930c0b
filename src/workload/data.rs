//! Where the real traces lie, if they are here at all. Only tests, benches and scenarios ask.

use std::path::PathBuf;

/// The folder that holds `traces/` and `conformance/`: what `CELLSIM_DATA` names, or `../shared`
/// beside the crate where that exists.
pub fn data_folder() -> Option<PathBuf> {
    let folder = std::env::var_os("CELLSIM_DATA").map_or_else(beside_the_crate, PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// The folder to look in where the environment names none.
fn beside_the_crate() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared")
}
