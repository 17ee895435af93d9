//! Live articles: text is added to them all day, and no single addition is news.
//!
//! An addition leaves the existing text as it was: new paragraphs, or whole sentences at the end or the beginning
//! of a paragraph. A live page that shows only its newest posts drops the oldest ones at the end when it adds new
//! ones at the top; that is an addition, too. Anything else is an edit and is reported as one.

use std::time::Duration;

use super::compare::Comparison;
use super::diff::{BlockDiff, BlockOp, ProseDiff, Segment, word_count};
use super::event::Field;
use super::outcome::Quiet;
use super::past::PastRevision;
use crate::time::Timestamp;

/// An article is live after this many additions …
const ADDITIONS: usize = 4;

/// … within this time …
const WINDOW: Duration = Duration::from_hours(6);

/// … and stays live as long as there are at least this many.
const STILL: usize = 2;

/// Fewer words inside a paragraph may reverse its meaning: `not`.
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
        && comparison.links.is_empty()
        && texts.into_iter().flatten().all(adds)
}

/// Whether an entry is a live article, with repeated additions in the last hours.
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
        // Its words are now in another block, or it has scrolled off at the end.
        BlockOp::Delete => block.part_of.is_some() || (on_top && below(block)),
        // A new post at the top that happens to resemble the one that has scrolled off.
        BlockOp::Equal | BlockOp::Move | BlockOp::Edit => above(block) && below(block),
    })
}

/// Whether a block of the old text is still in the new one, with nothing removed from it.
fn is_kept(block: &BlockDiff) -> bool {
    match block.op {
        BlockOp::Equal => true,
        BlockOp::Move | BlockOp::Edit => is_appended(&block.segments),
        BlockOp::Insert | BlockOp::Delete => false,
    }
}

/// Whether whole sentences were added at the end or the beginning of a paragraph, and nothing else changed.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::compare::compare;
    use crate::domain::fingerprint::Fingerprints;
    use crate::domain::ids::RevisionNumber;
    use crate::domain::state::{Block, EntryState, PageState};

    const OLD: [&str; 2] = [
        "The talks began at noon in the old town hall.",
        "Ministers of seven countries have arrived for them.",
    ];

    fn page(title: &str, texts: &[&str]) -> EntryState {
        EntryState {
            page: Some(PageState {
                h1: Some(title.to_owned()),
                body: texts.iter().map(|text| Block::paragraph(*text)).collect(),
                ..PageState::default()
            }),
            ..EntryState::default()
        }
    }

    fn adds(old: &[&str], new: &[&str]) -> bool {
        let comparison = compare(&page("Talks", old), &page("Talks", new));
        is_additive(&comparison.unwrap())
    }

    #[test]
    fn new_paragraphs_and_whole_sentences_are_additions() {
        const POST: &str = "16:40 The delegates have left the hall without a word.";
        let longer = format!("{} Nobody spoke to the press so far today.", OLD[1]);
        assert!(adds(&OLD, &[POST, OLD[0], OLD[1]]));
        assert!(adds(&OLD, &[OLD[0], POST, OLD[1]]));
        assert!(adds(&OLD, &[OLD[0], OLD[1], POST]));
        assert!(adds(&OLD, &[OLD[0], &longer]));
        // The oldest post drops off as a new one is added at the top.
        assert!(adds(&OLD, &[POST, OLD[0]]));
    }

    #[test]
    fn what_takes_away_or_turns_round_is_none() {
        const POST: &str = "16:40 The delegates have left the hall without a word.";
        let turned = OLD[1].replace("have arrived", "have not arrived");
        let short = format!("{} Not true.", OLD[1]);
        assert!(!adds(&OLD, &OLD[..1]));
        assert!(!adds(&OLD, &[POST, OLD[1]]), "the newest went");
        assert!(!adds(&OLD, &[OLD[0], &turned]));
        assert!(!adds(&OLD, &[OLD[0], &turned, POST]));
        assert!(!adds(&OLD, &[OLD[0], &short]));
        let retitled = compare(
            &page("Talks", &OLD),
            &page("No talks", &[OLD[0], OLD[1], POST]),
        );
        assert!(!is_additive(&retitled.unwrap()));
    }

    fn past(minutes: i64, additive: bool, quiet: Option<Quiet>) -> PastRevision {
        PastRevision {
            number: RevisionNumber(1),
            seen: Timestamp::from_millis(minutes * 60_000),
            fingerprints: Fingerprints::default(),
            links: Vec::new(),
            additive,
            quiet,
        }
    }

    #[test]
    fn an_article_is_live_after_four_additions_in_six_hours_and_stays_so_with_two() {
        let now = Timestamp::from_millis(1000 * 60_000);
        let at = |minutes: &[i64], quiet| {
            let past: Vec<_> = minutes.iter().map(|at| past(*at, true, quiet)).collect();
            is_live(&past, now)
        };
        assert!(!at(&[], None));
        assert!(!at(&[700, 800, 900], None));
        assert!(at(&[640, 700, 800, 900], None));
        assert!(
            !at(&[639, 700, 800, 900], None),
            "one is older than six hours"
        );
        assert!(at(&[800, 900], Some(Quiet::Digest)));
        assert!(!at(&[900], Some(Quiet::Digest)));
        let edits: Vec<_> = [640, 700, 800, 900].map(|at| past(at, false, None)).into();
        assert!(!is_live(&edits, now));
    }
}
