//! The command line: parses, calls, prints. Results go to stdout, everything else to stderr.
//!
//! Exit codes: 0 fine, 1 the run did not reach its own goal (an objective missed under
//! `--fail-on-slo`, a state that `--check` found broken), 2 bad input. It must never decide
//! anything that a program using the library could not.

mod args;
mod describe;
mod explain;
mod failure;
mod output;
mod progress;
mod run;
mod trace;
mod validate;

use std::process::ExitCode;

use clap::Parser;

use self::args::{Arguments, Command};
use crate::scenario::Registry;

/// Everything that the program does: reads the arguments, carries out the command, returns the
/// exit code. `registry` is what scenarios can call by name.
pub fn main(registry: Registry) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Help and version are no errors; clap prints them to stdout and everything else to
        // stderr.
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let outcome = match arguments.command {
        Command::Run(options) => run::run(&options, &registry),
        Command::Explain(options) => explain::explain(&options, &registry),
        Command::Validate(options) => validate::validate(&options, &registry),
        Command::Schema(options) => describe::schema(&options),
        Command::Policies(options) => describe::policies(&options, &registry),
        Command::Trace(command) => trace::trace(&command),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
