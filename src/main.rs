//! The command line of cellsim.

fn main() {}
