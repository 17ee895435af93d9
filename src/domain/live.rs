//! Live articles: text is added to them all day, and each addition alone is no news.
//!
//! An addition leaves everything that stood there as it was: new paragraphs, or whole sentences at the end or the
//! beginning of one. A live page that shows only its newest posts drops the oldest at its end as it adds at its top;
//! that is an addition, too. Anything else is an edit and is told as such.

use std::time::Duration;

use super::compare::Comparison;
use super::diff::{BlockDiff, BlockOp, ProseDiff, Segment, word_count};
use super::event::Field;
use super::outcome::Quiet;
use super::past::PastRevision;
use crate::time::Timestamp;

/// An article is live after so many additions …
const ADDITIONS: usize = 4;

/// … in this time …
const WINDOW: Duration = Duration::from_hours(6);

/// … and stays so while there are this many of them.
const STILL: usize = 2;

/// Fewer words inside a paragraph may turn its meaning round: `not`.
const WHOLE_SENTENCE: u32 = 5;

/// Whether text was added, and nothing else was changed.
#[must_use]
pub fn is_additive(comparison: &Comparison) -> bool {
    let texts = [&comparison.body, &comparison.summary, &comparison.feed_body];
    comparison
        .fields
        .iter()
        .all(|field| matches!(field, Field::Body | Field::Summary))
        && !comparison.typographic_only
        && texts.into_iter().flatten().all(adds)
}

/// Whether an entry is a live article: it was added to again and again of late.
pub(super) fn is_live(past: &[PastRevision], now: Timestamp) -> bool {
    let recent = || {
        past.iter()
            .rev()
            .take_while(|past| now.since(past.seen) <= WINDOW)
            .filter(|past| past.additive)
    };
    let additions = recent().count();
    let is_summed_up = recent().any(|past| past.quiet == Some(Quiet::Digest));
    additions >= if is_summed_up { STILL } else { ADDITIONS }
}

fn adds(diff: &ProseDiff) -> bool {
    if diff.coarse || diff.words.added == 0 {
        return false;
    }
    let kept = || diff.blocks.iter().filter(|block| is_kept(block));
    let last_kept = kept().filter_map(|block| block.from).max();
    let first_kept = kept().filter_map(|block| block.to).min();
    let above = |block: &BlockDiff| block.to.is_some() && block.to < first_kept;
    let below = |block: &BlockDiff| last_kept.is_some() && block.from > last_kept;
    let is_new = |block: &BlockDiff| block.op != BlockOp::Delete && !is_kept(block);
    let on_top = diff
        .blocks
        .iter()
        .any(|block| is_new(block) && above(block));
    diff.blocks.iter().all(|block| match block.op {
        _ if is_kept(block) => true,
        BlockOp::Insert => true,
        // Its words stand in another block now, or it has scrolled off at the end.
        BlockOp::Delete => block.part_of.is_some() || (on_top && below(block)),
        // A new post on top that happens to be like the one that has scrolled off.
        BlockOp::Equal | BlockOp::Move | BlockOp::Edit => above(block) && below(block),
    })
}

/// Whether a block of the old text stands in the new one, nothing being taken out of it.
fn is_kept(block: &BlockDiff) -> bool {
    match block.op {
        BlockOp::Equal => true,
        BlockOp::Move | BlockOp::Edit => is_appended(&block.segments),
        BlockOp::Insert | BlockOp::Delete => false,
    }
}

/// Whether whole sentences came at the end or the beginning of a paragraph, and nothing else.
fn is_appended(segments: &[Segment]) -> bool {
    let last = segments.len().saturating_sub(1);
    segments
        .iter()
        .enumerate()
        .all(|(at, segment)| match segment {
            Segment::Equal(_) => true,
            Segment::Delete(_) => false,
            Segment::Insert(text) => (at == 0 || at == last) && word_count(text) >= WHOLE_SENTENCE,
        })
}
