//! Real feeds and pages, with minimum scores that no change may fall below.
//!
//! The material is other people's text, so it is outside the repository, in the folder that `REVISOR_CORPORA` names,
//! together with the scripts that score it. To see the scores, run `cargo test --release --test it corpora --
//! --nocapture`. A debug build reads only a part of the slow sets, always the same one, and prints which.

mod feeds;
mod folder;
mod history;
mod pages;
mod sentences;

use std::io::Write as _;

/// A file of the kits next to the material; if it is missing, the test is skipped, as it is without the material.
pub(crate) fn kit(name: &str) -> Option<std::path::PathBuf> {
    folder::Corpora::find().map(|corpora| corpora.kit(name))
}

/// Every `nth` item, or all items in an optimised build.
fn sample<T>(what: &str, items: Vec<T>, nth: usize) -> Vec<T> {
    let all = items.len();
    let nth = if cfg!(debug_assertions) { nth } else { 1 };
    let taken: Vec<T> = items.into_iter().step_by(nth).collect();
    say(&format!("{what}: {} of {all} taken", taken.len()));
    taken
}

/// Prints a line; the test runner shows it if the test fails, or with `--nocapture`.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Fails with a message if a share is below its minimum.
fn at_least(what: &str, reached: f64, floor: f64) {
    say(&format!("{what}: {reached:.4}, at least {floor}"));
    assert!(reached >= floor, "{what}: {reached:.4} is below {floor}");
}
