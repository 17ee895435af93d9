//! The cost of comparing two texts.

use revisor::domain::assess::{Context, assess};
use revisor::domain::compare::compare;
use revisor::domain::diff::diff_blocks;
use revisor::domain::state::{Block, EntryState, PageState};
use revisor::time::Stopwatch;

use crate::server::WORDS;

/// Prints the cost of typical comparisons and of bounded ones.
pub(crate) fn run() {
    println!("{:<44} {:>10} {:>8}", "comparison", "ms", "coarse");
    let old = article(600, 7);
    let mut new = old.clone();
    new[3].text = new[3].text.replacen("not", "never", 1) + " At least 21 people were hurt.";
    let (before, after) = (state(old), state(new));
    let context = Context::default();
    let runs = 200;
    let watch = Stopwatch::start();
    for _ in 0..runs {
        let comparison = compare(&before, &after).unwrap();
        std::hint::black_box(assess(&comparison, &context));
    }
    let ms = watch.elapsed().as_secs_f64() * 1000.0 / f64::from(runs);
    println!(
        "{:<44} {ms:>10.3} {:>8}",
        "article of 600 words, two edits, assessed", ""
    );

    let long = |seed| vec![Block::paragraph(words(300_000, seed))];
    bounded(
        "two unrelated texts of 2 MB",
        &article(300_000, 1),
        &article(300_000, 2),
    );
    bounded("one line of 2 MB against another", &long(3), &long(4));
    let mut edited = long(5);
    edited[0].text = edited[0].text.replace("bridge", "tunnel");
    bounded("one line of 2 MB, edited all over", &long(5), &edited);
    let repeated = |n: usize| vec![Block::paragraph("word ".repeat(n))];
    bounded("2 MB of one word", &repeated(400_000), &repeated(399_000));
    let many = |seed: u64| -> Vec<Block> {
        (0..50_000)
            .map(|n| Block::paragraph(format!("{} {n}", words(6, seed + n))))
            .collect()
    };
    bounded(
        "50,000 blocks against 50,000 others",
        &many(6),
        &many(900_000),
    );
}

fn bounded(name: &str, old: &[Block], new: &[Block]) {
    let watch = Stopwatch::start();
    let diff = diff_blocks(old, new);
    let ms = watch.elapsed().as_secs_f64() * 1000.0;
    println!(
        "{name:<44} {ms:>10.1} {:>8}",
        if diff.coarse { "yes" } else { "no" }
    );
}

fn state(body: Vec<Block>) -> EntryState {
    EntryState {
        feed: None,
        page: Some(PageState {
            body,
            ..PageState::default()
        }),
    }
}

fn article(count: usize, seed: u64) -> Vec<Block> {
    (0..count / 50)
        .map(|n| Block::paragraph(words(50, seed * 1000 + n as u64)))
        .collect()
}

pub(crate) fn words(count: usize, seed: u64) -> String {
    let mut state = seed.wrapping_add(1);
    let mut out = String::with_capacity(count * 7);
    for place in 0..count {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        out.push_str(WORDS[(state >> 33) as usize % WORDS.len()]);
        out.push_str(if place % 12 == 11 { ". " } else { " " });
    }
    out
}
