//! The cost of a poll: CPU time per feed and peak memory, by kind of round; the cost of checking a page compared with
//! the extractor alone; and the cost of comparisons.
//!
//! `cargo bench` runs against a small built-in server in its own process; `cargo bench -- --server HOST:PORT` runs
//! against a server of synthetic feeds that serves `/feed/N.xml`, `/__round/N` and `/__set`; with `--summaries`, it reads
//! `/sfeed/N.xml`, feeds without whole texts. Nothing is asserted: the figures are for people, and for comparing two
//! builds on one quiet machine.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and has nobody to hand an error to"
)]

mod meter;
mod pages;
mod rounds;
mod server;
mod texts;

use std::process::ExitCode;

fn main() -> ExitCode {
    revisor::bound_arenas();
    let mut feeds = 2_000;
    let mut repeats = 0;
    let mut address = None;
    let mut serve = false;
    let mut summaries = false;
    let mut comparisons = true;
    let mut folder = None;
    let mut polls = true;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--feeds" => {
                feeds = arguments
                    .next()
                    .and_then(|n| n.parse().ok())
                    .unwrap_or(feeds);
            }
            "--repeat" => {
                repeats = arguments
                    .next()
                    .and_then(|n| n.parse().ok())
                    .unwrap_or(repeats);
            }
            "--server" => address = arguments.next(),
            "--summaries" => summaries = true,
            "--serve" => serve = true,
            "--polls-only" => comparisons = false,
            "--pages-only" => polls = false,
            "--pages" => folder = arguments.next(),
            // Added by cargo.
            "--bench" => {}
            other => {
                println!(
                    "unknown argument {other}; known: --feeds N, --repeat N, --server HOST:PORT, --summaries, --polls-only, --pages FOLDER, --pages-only"
                );
                return ExitCode::from(2);
            }
        }
    }
    if serve {
        server::serve();
        return ExitCode::SUCCESS;
    }

    if !polls {
        pages::run(folder.as_deref());
        return ExitCode::SUCCESS;
    }

    let world = match address {
        Some(address) => rounds::World::synthetic(&address, summaries),
        None => rounds::World::built_in(server::start()),
    };
    rounds::run(&world, feeds, repeats);
    // These come last: they need a lot of memory, which would show in the peaks.
    if comparisons {
        pages::run(folder.as_deref());
        texts::run();
    }
    ExitCode::SUCCESS
}
