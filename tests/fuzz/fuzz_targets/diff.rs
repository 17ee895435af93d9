//! Two texts, separated by a zero byte, with one block per line: the diff rebuilds both, and assessing it never
//! fails.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use revisor_core::domain::assess::{Context, assess};
use revisor_core::domain::compare::compare;
use revisor_core::domain::diff::{Segment, diff_blocks, diff_line};
use revisor_core::domain::state::{Block, EntryState, PageState};

fn blocks(text: &str) -> Vec<Block> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(Block::paragraph)
        .collect()
}

/// The blocks of one side, by number.
fn side<'d>(sides: impl Iterator<Item = (Option<u32>, String)> + 'd) -> Vec<String> {
    let numbered: BTreeMap<u32, String> = sides
        .filter_map(|(number, text)| Some((number?, text)))
        .collect();
    assert!(
        numbered.keys().copied().eq(1..=numbered.len() as u32),
        "each block once"
    );
    numbered.into_values().collect()
}

fn state(headline: &str, body: Vec<Block>) -> EntryState {
    EntryState {
        feed: None,
        page: Some(PageState {
            h1: Some(headline.to_owned()),
            body,
            ..PageState::default()
        }),
    }
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (old, new) = text.split_once('\0').unwrap_or((&text, ""));
    let line = diff_line(old, new);
    assert_eq!(Segment::old_side(&line), old);
    assert_eq!(Segment::new_side(&line), new);

    let (old_blocks, new_blocks) = (blocks(old), blocks(new));
    let diff = diff_blocks(&old_blocks, &new_blocks);
    let before = side(
        diff.blocks
            .iter()
            .map(|block| (block.from, Segment::old_side(&block.segments))),
    );
    let after = side(
        diff.blocks
            .iter()
            .map(|block| (block.to, Segment::new_side(&block.segments))),
    );
    assert!(before.iter().eq(old_blocks.iter().map(|block| &block.text)));
    assert!(after.iter().eq(new_blocks.iter().map(|block| &block.text)));
    assert!((0.0..=1.0).contains(&diff.similarity));

    let headline = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let old = state(&headline(old), old_blocks);
    let new = state(&headline(new), new_blocks);
    assert!(compare(&old, &old).is_none(), "a text is equal to itself");
    if let Some(comparison) = compare(&old, &new) {
        let judged = assess(&comparison, &Context::default());
        assert!(judged.score <= 100);
    }
});
