//! `cellsim validate`: checks scenarios without running them.

use super::args::ValidateArguments;
use super::failure::Failure;
use super::output::print;
use crate::scenario::{Plan, Registry, ScenarioErrors, load};

/// Checks every scenario that was named.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn validate(arguments: &ValidateArguments, registry: &Registry) -> Result<(), Failure> {
    let mut broken = 0;
    for file in &arguments.scenarios {
        let outcome: Result<Plan, ScenarioErrors> =
            load(file, &arguments.overrides).and_then(|loaded| Plan::new(&loaded, registry));
        match outcome {
            Ok(plan) => print(&format!("{}: fine ({})\n", file.display(), plan.name))?,
            Err(errors) => {
                broken += 1;
                eprintln!("{errors}");
            }
        }
    }
    match (broken, arguments.scenarios.len()) {
        (0, _) => Ok(()),
        (broken, all) => Err(Failure::Input(format!("{broken} of {all} scenarios cannot be run"))),
    }
}
