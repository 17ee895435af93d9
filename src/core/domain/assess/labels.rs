//! From the evidence to labels with reasons.

use super::Context;
use super::edits;
use super::evidence::{
    Edit, Evidence, Passage, Place, SHORTEST_SENTENCE, WholeBlock, ends_sentence,
};
use super::judge::{Judge, MANY, clip};
use super::notice::{self, Notice};
use crate::domain::classify::{Label, Significance};
use crate::domain::compare::Comparison;
use crate::domain::diff::{Segment, sentence_count, word_count};
use crate::domain::document::Replaced;
use crate::domain::event::Field;
use crate::domain::normalise::reading;
use crate::domain::state::{Channel, HeadlineSource};

/// In bytes, the length of `訂正`.
const SHORTEST_NOTICE: usize = 6;
/// An added or removed paragraph with at least this many words is substantive.
const TELLING: u32 = 5;

impl Judge {
    /// Judges everything.
    pub(super) fn all(&mut self, comparison: &Comparison, evidence: &Evidence, context: &Context) {
        for (place, shown) in &evidence.typographic {
            let text = format!("{} in {place}", clip(shown));
            self.found(Label::Typographic, Significance::Typographic, text);
        }
        if comparison.typographic_only {
            if !self.has(Label::Typographic) {
                let text = "only the shape of marks".to_owned();
                self.found(Label::Typographic, Significance::Typographic, text);
            }
            self.revert(context, Significance::Typographic);
            return;
        }
        self.texts(evidence);
        self.headlines(comparison, evidence);
        self.targets(comparison);
        self.fields(comparison, evidence);
        self.dates_beside(comparison, context);
        self.revert(context, Significance::Minor);
        self.unannounced(comparison, evidence, context);
    }

    /// Names what was changed in the texts.
    pub(super) fn texts(&mut self, evidence: &Evidence) {
        for edit in &evidence.edits {
            self.edit(edit, evidence);
        }
        self.quotations(evidence);
        self.blocks(evidence);
        self.notices(evidence);
    }

    /// A document that replaced another one, or a page.
    pub(super) fn replaced(&mut self, replaced: Replaced) {
        let (significance, text) = match replaced {
            // The new content is not known, so there is no sign that it matters.
            Replaced::Document => (Significance::Minor, "the document was replaced"),
            Replaced::Form { loses_text: false } => (
                Significance::Minor,
                "replaced by a document of another kind",
            ),
            Replaced::Form { loses_text: true } => (
                Significance::Substantive,
                "replaced by a document of another kind, without most of the words",
            ),
        };
        self.found(Label::Wording, significance, text.to_owned());
    }

    fn revert(&mut self, context: &Context, significance: Significance) {
        if let Some(revision) = context.revert_of {
            let text = format!("back to revision {revision}");
            self.found(Label::Revert, significance, text);
        } else if let Some(revision) = context.partly_back_to {
            let text = format!("one of the texts is back to revision {revision}");
            self.found(Label::Revert, significance, text);
        }
    }

    fn blocks(&mut self, evidence: &Evidence) {
        for block in &evidence.added {
            self.whole_block(block, Label::ParagraphAdded, evidence);
        }
        for block in &evidence.removed {
            self.whole_block(block, Label::ParagraphRemoved, evidence);
        }
        for (from, to) in &evidence.moved {
            let text = if from == to || *from == 0 || *to == 0 {
                "a sentence has moved".to_owned()
            } else {
                format!("from ¶{from} to ¶{to}")
            };
            self.found(Label::Moved, Significance::Minor, text);
        }
        for (count, what) in [(evidence.split, "split"), (evidence.joined, "joined")] {
            // A reader sees a new paragraph break but reads the same words.
            if count > 0 && evidence.edits.is_empty() {
                let noun = if count == 1 {
                    "paragraph"
                } else {
                    "paragraphs"
                };
                self.found(
                    Label::Typographic,
                    Significance::Typographic,
                    format!("{count} {noun} {what}, with the same words"),
                );
            }
        }
        let whats = ["written out", "no longer written out", "renumbered"];
        for (count, what) in evidence.renumbered.into_iter().zip(whats) {
            let noun = if count == 1 { "number" } else { "numbers" };
            if count > 0 {
                self.found(
                    Label::Typographic,
                    Significance::Typographic,
                    format!("{count} list {noun} {what}"),
                );
            }
        }
    }

    /// A block that was added or removed. If it is only one sentence, a row or an item, what it says decides.
    fn whole_block(&mut self, block: &WholeBlock, label: Label, evidence: &Evidence) {
        let before = self.findings();
        if sentence_count(&block.text) <= 1 {
            let edit = Edit::of_block(block, label == Label::ParagraphAdded);
            self.numbers(&edit, evidence);
            self.negations(&edit, evidence);
        }
        let words = word_count(&block.text);
        let is_sentence = words as usize >= SHORTEST_SENTENCE && ends_sentence(&block.text);
        let says = words >= TELLING || is_sentence || self.findings() > before;
        let significance = if says {
            Significance::Substantive
        } else {
            Significance::Minor
        };
        let text = format!("{}: “{}”", block.place, clip(&block.text));
        self.found(label, significance, text);
    }

    /// The headlines, and the kicker above them. A kicker matters less, and its words are named separately.
    fn headlines(&mut self, comparison: &Comparison, evidence: &Evidence) {
        let (kickers, titles): (Vec<_>, Vec<_>) = comparison
            .headlines
            .iter()
            .partition(|headline| headline.source == HeadlineSource::Kicker);
        for (place, moved) in [(Place::Headline, titles), (Place::Kicker, kickers)] {
            let edits: Vec<&Edit> = evidence
                .edits
                .iter()
                .filter(|edit| edit.place == place)
                .collect();
            let Some(first) = moved.first().filter(|_| !edits.is_empty()) else {
                continue;
            };
            let slips = edits.iter().all(|edit| edits::slip(edit).is_some());
            let significance = if slips || place == Place::Kicker {
                Significance::Minor
            } else {
                Significance::Substantive
            };
            let mut sources: Vec<&str> = moved
                .iter()
                .map(|headline| headline.source.as_str())
                .collect();
            sources.dedup();
            let text = format!(
                "“{}” → “{}” ({})",
                clip(&Segment::old_side(&first.segments)),
                clip(&Segment::new_side(&first.segments)),
                sources.join(", ")
            );
            self.found(Label::Headline, significance, text);
        }
    }

    /// Links with the same words and a new target.
    fn targets(&mut self, comparison: &Comparison) {
        for link in &comparison.links {
            let words = clip(&link.words);
            let text = format!("“{words}”: {} → {}", clip(&link.from), clip(&link.to));
            let significance = if link.moves_host() {
                Significance::Substantive
            } else {
                Significance::Minor
            };
            self.found(Label::Link, significance, text);
        }
    }

    fn fields(&mut self, comparison: &Comparison, evidence: &Evidence) {
        if let Some(byline) = &comparison.byline {
            let old = Segment::old_side(byline);
            let new = Segment::new_side(byline);
            if reading(&old) != reading(&new) {
                let text = match (old.is_empty(), new.is_empty()) {
                    (true, _) => format!("{} added", clip(&new)),
                    (_, true) => format!("{} dropped", clip(&old)),
                    _ => format!("{} → {}", clip(&old), clip(&new)),
                };
                self.found(Label::Byline, Significance::Minor, text);
            }
        }
        if let Some([old, new]) = &comparison.address {
            self.found(
                Label::Address,
                Significance::Minor,
                format!("{old} → {new}"),
            );
        }
        if let Some([old, new]) = &comparison.guid {
            self.found(
                Label::Guid,
                Significance::Minor,
                format!("{} → {}", clip(old), clip(new)),
            );
        }
        // The text changed in a way that no rule has a name for. Report it anyway.
        let text_moved = comparison
            .fields
            .iter()
            .any(|field| !matches!(field, Field::Byline | Field::Address | Field::Guid));
        if text_moved && !evidence.is_only_recut() && self.has_nothing_but(Label::Typographic) {
            self.found(Label::Wording, Significance::Minor, "the text".to_owned());
        }
    }

    /// Claimed dates that changed together with the text; alone they do not make a change.
    fn dates_beside(&mut self, comparison: &Comparison, context: &Context) {
        if !context.dates_moved {
            return;
        }
        for date in &comparison.dates {
            let channel = match date.channel {
                Channel::Feed => "feed",
                Channel::Page => "page",
            };
            let what = if date.of_publication {
                "published"
            } else {
                "updated"
            };
            let text = match (date.old, date.new) {
                (Some(old), Some(new)) => format!("{} → {}", old.to_rfc3339(), new.to_rfc3339()),
                (Some(old), None) => format!("{} dropped", old.to_rfc3339()),
                (None, Some(new)) => format!("{} added", new.to_rfc3339()),
                (None, None) => continue,
            };
            self.found(
                Label::Date,
                Significance::Minor,
                format!("{what} {text} ({channel})"),
            );
        }
    }

    fn notices(&mut self, evidence: &Evidence) {
        let added = evidence
            .added
            .iter()
            .map(|block| (block.place, block.text.as_str()))
            .chain(
                evidence
                    .edits
                    .iter()
                    .map(|edit| (edit.place, edit.added.text.as_str())),
            );
        let added: Vec<(Place, &str)> = added
            .filter(|(_, text)| text.len() >= SHORTEST_NOTICE)
            .collect();
        // A notice is at the beginning or at the end.
        let far = added.len().saturating_sub(MANY).max(MANY.min(added.len()));
        for &(place, text) in added.iter().take(MANY).chain(&added[far..]) {
            let Some(notice) = notice::find(text) else {
                continue;
            };
            // A reworded notice is not a new one.
            let known = evidence.passages.iter().any(|passage| {
                passage.place == place
                    && !passage.old.is_empty()
                    && notice::find(&passage.old).is_some_and(|old| old >= notice)
            });
            if known {
                continue;
            }
            let (significance, what) = match notice {
                Notice::Correction => (Significance::Substantive, "correction"),
                Notice::Update => (Significance::Minor, "update"),
            };
            self.found(
                Label::CorrectionNotice,
                significance,
                format!("{what} in {place}: “{}”", clip(text)),
            );
        }
    }

    fn unannounced(&mut self, comparison: &Comparison, evidence: &Evidence, context: &Context) {
        let material = self.significance() == Some(Significance::Substantive);
        let read = comparison
            .fields
            .iter()
            .any(|field| matches!(field, Field::Title | Field::Standfirst | Field::Body));
        let still = context.dates_stayed && !context.dates_moved;
        if !material || !read || !still || self.has(Label::CorrectionNotice) {
            return;
        }
        // An old notice that was reworded announces the change, too.
        let retold = |passage: &Passage| {
            passage.old != passage.new
                && passage.new.len() >= SHORTEST_NOTICE
                && notice::find(&passage.new).is_some()
        };
        if !evidence.passages.iter().take(MANY).any(retold) {
            let text = "no notice appeared, and the date of the last change is the same".to_owned();
            self.found(Label::Unannounced, Significance::Substantive, text);
        }
    }
}
