//! The `cellsim` program: the command line with the policies that come with the library.

fn main() -> std::process::ExitCode {
    cellsim::cli::main(cellsim::Registry::default())
}
