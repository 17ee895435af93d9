//! The edits of a run of segments, each with both of its sides.

use super::WordCount;
use super::segment::Segment;
use super::token::word_count;
use crate::domain::normalise::{same_to_the_eye, same_to_the_reader};

/// One edit: what was removed and what was added at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// Only in the old text.
    pub removed: String,
    /// Only in the new text.
    pub added: String,
    /// The index of its first segment.
    pub at: usize,
}

impl Hunk {
    /// Whether a reader sees no difference.
    #[must_use]
    pub fn is_invisible(&self) -> bool {
        same_to_the_eye(&self.removed, &self.added)
    }

    /// Whether a reader reads the same.
    #[must_use]
    pub fn is_typographic(&self) -> bool {
        same_to_the_reader(&self.removed, &self.added)
    }
}

/// The edits of a run of segments.
#[must_use]
pub fn hunks(segments: &[Segment]) -> Vec<Hunk> {
    let mut out: Vec<Hunk> = Vec::new();
    let mut open = false;
    for (at, segment) in segments.iter().enumerate() {
        if matches!(segment, Segment::Equal(_)) {
            open = false;
            continue;
        }
        if !open {
            out.push(Hunk {
                removed: String::new(),
                added: String::new(),
                at,
            });
            open = true;
        }
        let Some(hunk) = out.last_mut() else { continue };
        match segment {
            Segment::Delete(text) => hunk.removed.push_str(text),
            Segment::Insert(text) => hunk.added.push_str(text),
            Segment::Equal(_) => {}
        }
    }
    out
}

/// The words that came and went in a run of segments; edits that are read the same do not count.
#[must_use]
pub fn count_words(segments: &[Segment]) -> WordCount {
    let mut words = WordCount::default();
    for hunk in hunks(segments) {
        if !hunk.is_typographic() {
            words = words
                + WordCount {
                    added: word_count(&hunk.added),
                    removed: word_count(&hunk.removed),
                };
        }
    }
    words
}
