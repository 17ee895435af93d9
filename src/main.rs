//! The program `revisor`.

use std::process::ExitCode;

fn main() -> ExitCode {
    revisor::main(std::env::args_os()).into()
}
