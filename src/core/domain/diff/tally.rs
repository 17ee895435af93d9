//! Words added and removed over several texts, with each edit counted once.

use std::collections::HashMap;

use super::hunks::{as_read, count_words, hunks};
use super::segment::Segment;
use super::token::word_count;
use super::{BlockOp, ProseDiff, WordCount};
use crate::domain::normalise::reading;

/// Counts an edit once, even if several texts repeat it: the headlines of feed and page, or a summary and the
/// paragraph that it was taken from. An edit that occurs twice in one text counts twice.
#[derive(Debug, Default)]
pub(crate) struct WordTally {
    seen: HashMap<[String; 2], u32>,
    words: WordCount,
}

impl WordTally {
    /// Counts the edits of a line.
    pub(crate) fn line(&mut self, segments: &[Segment]) {
        let mut edits = Vec::new();
        of_line(segments, &mut edits);
        self.add(count_words(segments), edits);
    }

    /// Counts the edits of a text.
    pub(crate) fn prose(&mut self, diff: &ProseDiff) {
        let mut edits = Vec::new();
        for block in &diff.blocks {
            match block.op {
                BlockOp::Equal => {}
                _ if block.part_of.is_some() => {}
                BlockOp::Edit | BlockOp::Move | BlockOp::Insert | BlockOp::Delete => {
                    of_line(&block.segments, &mut edits);
                }
            }
        }
        self.add(diff.words, edits);
    }

    /// All words that were counted.
    pub(crate) fn words(&self) -> WordCount {
        self.words
    }

    fn add(&mut self, words: WordCount, edits: Vec<[String; 2]>) {
        let mut repeated = WordCount::default();
        let mut own: HashMap<[String; 2], u32> = HashMap::new();
        for edit in edits {
            let times = own.entry(edit).or_default();
            *times += 1;
        }
        for (edit, times) in own {
            let before = self.seen.entry(edit.clone()).or_default();
            let again = times.min(*before);
            *before = times.max(*before);
            let [removed, added] = edit.map(|text| word_count(&text).saturating_mul(again));
            repeated = repeated + WordCount { added, removed };
        }
        self.words = self.words
            + WordCount {
                added: words.added.saturating_sub(repeated.added),
                removed: words.removed.saturating_sub(repeated.removed),
            };
    }
}

fn of_line(segments: &[Segment], edits: &mut Vec<[String; 2]>) {
    let read = |text: &str| reading(text).trim().to_lowercase();
    let counted = hunks(&as_read(segments));
    let counted = counted.iter().filter(|hunk| !hunk.is_typographic());
    edits.extend(counted.map(|hunk| [read(&hunk.removed), read(&hunk.added)]));
}
