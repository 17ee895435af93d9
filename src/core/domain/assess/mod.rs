//! Labels, score and significance of a comparison, each with its reason.
//!
//! All verdicts come from rules about the words of the edits; nothing is learned or downloaded. A changed digit,
//! sign, negation, name or quotation mark is always named. A change that reads the same is
//! [`Significance::Typographic`] and nothing else. Score and significance affect only alerts, never what is
//! stored.

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

/// What an assessment needs besides the difference itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Context {
    /// The earlier revision that the new state goes back to.
    pub revert_of: Option<RevisionNumber>,
    /// The earlier revision that one of the texts goes back to while another text becomes something new.
    pub partly_back_to: Option<RevisionNumber>,
    /// Whether a claimed date changed: see [`dates_moved`](super::compare::dates_moved).
    pub dates_moved: bool,
    /// Whether a channel that shows the change has a date of the last change, and that date is unchanged.
    pub dates_stayed: bool,
}

impl Context {
    /// The context of the step between two states, as far as the states themselves show it.
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

/// Assesses a difference.
#[must_use]
pub fn assess(comparison: &Comparison, context: &Context) -> Assessment {
    // The placeholder text of a document must not be judged by its words.
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

/// How much the edit of a block matters by itself: its significance first, then points. It decides what is shown
/// first; the score of a change is computed from the whole change.
#[must_use]
pub fn weigh(block: &BlockDiff) -> (Significance, i32) {
    let evidence = Evidence::of_block(block);
    let mut judge = Judge::default();
    judge.texts(&evidence);
    score::weight(&judge.finish())
}

/// Whether a text would be missed for its content: it negates something, has a figure, or quotes somebody. It is
/// judged like the removal of such a paragraph.
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

/// The comparison without the placeholder text of a document on the page.
fn without_page_body(comparison: &Comparison) -> Comparison {
    let mut texts = comparison.clone();
    texts.body = texts.feed_body.take();
    if texts.body.is_none() {
        texts.fields.retain(|field| *field != Field::Body);
    }
    texts
}

/// Whether a text announces a correction or an update. Such a text is never page furniture.
#[must_use]
pub fn is_notice(text: &str) -> bool {
    notice::find(text).is_some()
}

#[cfg(test)]
mod tests;
