//! The program `revisor`.

fn main() {}
