//! The titles that a page claims, used to recognise where its headline is repeated.

use super::coverage::words;
use super::furniture;
use super::page::PageBlock;
use crate::domain::state::BlockKind;

/// The most bytes of a block that may be a headline.
const LONGEST: usize = 400;

/// The most words that a label adds to a headline.
const LABEL: usize = 8;

/// A shorter headline, in words, may be part of any line.
const FEWEST: usize = 5;

/// The titles of a page, as hashes of their words.
pub(super) struct Headlines(Vec<Vec<u64>>);

impl Headlines {
    /// Collects the titles that the page claims, without duplicates.
    pub(super) fn of<'a>(titles: impl Iterator<Item = &'a str>) -> Self {
        let mut all: Vec<Vec<u64>> = titles
            .map(words)
            .filter(|words| !words.is_empty())
            .collect();
        all.sort_unstable();
        all.dedup();
        Self(all)
    }

    /// Whether a block repeats one of them.
    pub(super) fn said_by(&self, block: &PageBlock) -> bool {
        block.block.text.len() <= LONGEST
            && block.block.kind != BlockKind::Code
            && self.0.contains(&block.words)
    }

    /// Whether a block repeats one of them with a label around it: `Share this article: …`, a path of sections.
    pub(super) fn named_by(&self, block: &PageBlock) -> bool {
        let is_named = |headline: &Vec<u64>| {
            headline.len() >= FEWEST
                && block.words.len() <= headline.len() + LABEL
                && block
                    .words
                    .windows(headline.len())
                    .any(|run| run == headline)
        };
        block.block.text.len() <= LONGEST
            && self.0.iter().any(is_named)
            && !furniture::ends_as_sentence(&block.block.text)
    }
}
