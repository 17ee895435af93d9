//! Real feeds and pages, and figures that no change may fall below.
//!
//! The material is other people's text and lies outside of the repository, in the folder that `REVISOR_CORPORA` names,
//! with the scripts that score it; it is measured with one's own eyes by `cargo test --release --test it corpora --
//! --nocapture`. A build without optimisation takes a part of the slow sets, always the same one, and says which.

mod feeds;
mod folder;
mod history;
mod pages;
mod sentences;

use std::io::Write as _;

/// A file of the kits that lie beside the material; as with the material itself, without it the test is skipped.
pub(crate) fn kit(name: &str) -> Option<std::path::PathBuf> {
    folder::Corpora::find().map(|corpora| corpora.kit(name))
}

/// Every `nth` of the items, or all of them in an optimised build.
fn sample<T>(what: &str, items: Vec<T>, nth: usize) -> Vec<T> {
    let all = items.len();
    let nth = if cfg!(debug_assertions) { nth } else { 1 };
    let taken: Vec<T> = items.into_iter().step_by(nth).collect();
    say(&format!("{what}: {} of {all} taken", taken.len()));
    taken
}

/// Prints a line; the test runner shows it when the test fails, or with `--nocapture`.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Fails with a sentence when a share is below what was reached before.
fn at_least(what: &str, reached: f64, floor: f64) {
    say(&format!("{what}: {reached:.4}, at least {floor}"));
    assert!(reached >= floor, "{what}: {reached:.4} is below {floor}");
}
