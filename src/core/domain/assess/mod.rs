//! Labels, score and significance of a comparison, each with its reason.
//!
//! Everything is judged by rules over the words of the edits; nothing is learned or downloaded. A changed digit, sign,
//! negation, name or quotation mark is always named; what a reader reads the same is [`Significance::Typographic`] and
//! nothing else. Score and significance decide on alerts only, never on what is kept.

mod edits;
mod evidence;
mod judge;
mod labels;
mod lexicon;
mod listing;
mod notice;
mod quotes;
mod recut;
mod score;
mod side;
mod typo;

use super::classify::{Assessment, Label, LabelReason, Significance};
use super::compare::{Comparison, dates_moved};
use super::diff::{BlockDiff, BlockOp, Segment};
use super::event::Field;
use super::ids::RevisionNumber;
use super::outcome::ClaimedDates;
use super::state::EntryState;
use evidence::Evidence;
use judge::Judge;

/// What the judgement needs to know besides the difference itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Context {
    /// The earlier revision that the new state is a return to.
    pub revert_of: Option<RevisionNumber>,
    /// The earlier revision that one of the texts returns to, while another one becomes something new.
    pub partly_back_to: Option<RevisionNumber>,
    /// Whether a claimed date moved: see [`dates_moved`](super::compare::dates_moved).
    pub dates_moved: bool,
    /// Whether a channel that shows the change claims a date of its last change, which did not move.
    pub dates_stayed: bool,
}

impl Context {
    /// Of the step between two states, by nothing but what they say.
    #[must_use]
    pub fn between(old: &EntryState, new: &EntryState, comparison: &Comparison) -> Self {
        let (before, now) = (ClaimedDates::of(old), ClaimedDates::of(new));
        Self {
            dates_moved: dates_moved(old, new),
            dates_stayed: before.unmoved(&now, &comparison.channels),
            ..Self::default()
        }
    }
}

/// Judges a difference.
#[must_use]
pub fn assess(comparison: &Comparison, context: &Context) -> Assessment {
    // What stands for a document is no text to be judged by its words.
    let texts = comparison.replaced.map(|_| without_page_body(comparison));
    let texts = texts.as_ref().unwrap_or(comparison);
    let evidence = Evidence::of(texts);
    let mut judge = Judge::default();
    if let Some(replaced) = comparison.replaced {
        judge.replaced(replaced);
    }
    judge.all(texts, &evidence, context);
    let findings = judge.finish();
    let significance = findings
        .iter()
        .map(|finding| finding.significance)
        .max()
        .unwrap_or(Significance::Minor);
    let mut score_parts = score::parts(&findings, comparison);
    let score = score::total(&mut score_parts, significance);
    let mut labels: Vec<Label> = findings.iter().map(|finding| finding.label).collect();
    labels.sort_unstable();
    labels.dedup();
    Assessment {
        labels,
        reasons: findings
            .into_iter()
            .map(|finding| LabelReason {
                label: finding.label,
                text: finding.text,
            })
            .collect(),
        significance,
        score,
        score_parts,
    }
}

/// How much the edit of one block matters, by itself: its significance first, then points. For choosing what is shown
/// first; the score of a change is made of all of it.
#[must_use]
pub fn weigh(block: &BlockDiff) -> (Significance, i32) {
    let evidence = Evidence::of_block(block);
    let mut judge = Judge::default();
    judge.texts(&evidence);
    score::weight(&judge.finish())
}

/// Whether a text would be missed for what it says: it denies or counts something, or quotes somebody.
/// Judged as the removal of such a paragraph is.
#[must_use]
pub fn states_a_fact(text: &str) -> bool {
    let removed = BlockDiff {
        op: BlockOp::Delete,
        from: Some(1),
        to: None,
        part_of: None,
        segments: vec![Segment::Delete(text.to_owned())],
    };
    let mut judge = Judge::default();
    judge.texts(&Evidence::of_block(&removed));
    let findings = judge.finish();
    findings.iter().any(|finding| {
        matches!(
            finding.label,
            Label::Negation
                | Label::Number
                | Label::Name
                | Label::Quote
                | Label::Attribution
                | Label::CorrectionNotice
        )
    })
}

/// A comparison without what stands for a document on the page.
fn without_page_body(comparison: &Comparison) -> Comparison {
    let mut texts = comparison.clone();
    texts.body = texts.feed_body.take();
    if texts.body.is_none() {
        texts.fields.retain(|field| *field != Field::Body);
    }
    texts
}

/// Whether a text tells of a correction or an update: such a text is never furniture.
#[must_use]
pub fn is_notice(text: &str) -> bool {
    notice::find(text).is_some()
}

#[cfg(test)]
mod tests;
