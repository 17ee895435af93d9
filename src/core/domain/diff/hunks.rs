//! The edits in a run of segments, each with both sides, and the segments as a reader sees them.

use std::borrow::Cow;

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

    /// Whether it reads the same.
    #[must_use]
    pub fn is_typographic(&self) -> bool {
        same_to_the_reader(&self.removed, &self.added)
    }
}

/// The segments as a reader sees them. A word that gained or lost its capital only because a sentence begins there
/// counts as the same word and is shown as in the new text: `In winter` → `However, in winter` only adds `However,
/// `.
///
/// Use the result to show and assess edits. Only the original segments rebuild both sides.
#[must_use]
pub fn as_read(segments: &[Segment]) -> Cow<'_, [Segment]> {
    let is_pair = |pair: &[Segment]| matches!(pair, [Segment::Delete(old), Segment::Insert(new)] if differ_in_capital(old, new));
    if !segments.windows(2).any(is_pair) {
        return Cow::Borrowed(segments);
    }
    let mut out: Vec<Segment> = Vec::with_capacity(segments.len());
    let (mut old_end, mut new_end) = (None, None);
    let mut rest = segments;
    while let [first, behind @ ..] = rest {
        rest = behind;
        if let (Segment::Delete(old), Some(Segment::Insert(new))) = (first, behind.first())
            && differ_in_capital(old, new)
        {
            let (upper, lower) = if old.starts_with(char::is_uppercase) {
                (old_end, new_end)
            } else {
                (new_end, old_end)
            };
            if may_begin(upper) && !must_begin(lower) {
                push_equal(&mut out, new);
                (old_end, new_end) = (last_char(old), last_char(new));
                rest = &behind[1..];
                continue;
            }
        }
        let end = last_char(first.text());
        match first {
            Segment::Equal(text) => {
                push_equal(&mut out, text);
                (old_end, new_end) = (end.or(old_end), end.or(new_end));
            }
            Segment::Delete(_) => {
                old_end = end.or(old_end);
                out.push(first.clone());
            }
            Segment::Insert(_) => {
                new_end = end.or(new_end);
                out.push(first.clone());
            }
        }
    }
    Cow::Owned(out)
}

fn push_equal(out: &mut Vec<Segment>, text: &str) {
    match out.last_mut() {
        Some(Segment::Equal(last)) => last.push_str(text),
        _ => out.push(Segment::Equal(text.to_owned())),
    }
}

fn last_char(text: &str) -> Option<char> {
    text.trim_end().chars().next_back()
}

/// Whether two words differ only in the case of the first letter.
fn differ_in_capital(old: &str, new: &str) -> bool {
    let (mut a, mut b) = (old.chars(), new.chars());
    match (a.next(), b.next()) {
        (Some(first), Some(other)) if first != other => {
            a.as_str() == b.as_str() && first.to_lowercase().eq(other.to_lowercase())
        }
        _ => false,
    }
}

/// Whether a sentence may begin after this character; `None` is the start of the text.
fn may_begin(before: Option<char>) -> bool {
    must_begin(before)
        || matches!(
            before,
            Some(
                ':' | ';'
                    | '…'
                    | '"'
                    | '“'
                    | '„'
                    | '«'
                    | '»'
                    | '\''
                    | '‘'
                    | '‚'
                    | '('
                    | '['
                    | '¿'
                    | '¡'
                    | '–'
                    | '—'
                    | '-'
                    | '•'
                    | '*'
            )
        )
}

/// Whether a sentence always begins after this character.
fn must_begin(before: Option<char>) -> bool {
    matches!(before, None | Some('.' | '!' | '?'))
}

/// The edits in a run of segments.
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

/// The words that were added and removed in a run of segments. Edits that read the same do not count.
#[must_use]
pub fn count_words(segments: &[Segment]) -> WordCount {
    let mut words = WordCount::default();
    for hunk in hunks(&as_read(segments)) {
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
