//! The program `revisor`.

use std::process::ExitCode;

fn main() -> ExitCode {
    revisor::cli::main(std::env::args_os()).into()
}
