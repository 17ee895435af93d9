//! The part of two texts that shows where they differ.

use super::SHOWN_BYTES;

/// So much is shown before the first difference of a text that does not fit.
const LEAD: usize = 80;

/// The largest border of a character that is not behind `at`.
pub(super) fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// Two texts, each in at most [`SHOWN_BYTES`] bytes around the first difference.
pub(super) fn around_difference(before: &str, after: &str) -> (String, String) {
    if before.len() <= SHOWN_BYTES && after.len() <= SHOWN_BYTES {
        return (before.to_owned(), after.to_owned());
    }
    let same = before
        .bytes()
        .zip(after.bytes())
        .take_while(|(one, other)| one == other)
        .count();
    let start = word_before(before, floor(before, same).saturating_sub(LEAD));
    (part(before, start), part(after, start))
}

/// A text in at most [`SHOWN_BYTES`] bytes.
pub(super) fn beginning(text: &str) -> String {
    part(text, 0)
}

/// The beginning of a word at or before `at`; of both texts, since they are the same up to there.
fn word_before(text: &str, at: usize) -> usize {
    let at = floor(text, at);
    let head = text.get(..at).unwrap_or_default();
    let word = head.rfind(char::is_whitespace).map_or(0, |space| space + 1);
    // Scripts without blanks have no such place near by.
    if at - word <= LEAD {
        floor(text, word)
    } else {
        at
    }
}

fn part(text: &str, start: usize) -> String {
    let rest = text.get(floor(text, start)..).unwrap_or_default();
    let lead = if start > 0 { "…" } else { "" };
    let room = SHOWN_BYTES - lead.len();
    if rest.len() <= room {
        return format!("{lead}{rest}");
    }
    let end = floor(rest, room - "…".len());
    format!("{lead}{}…", rest.get(..end).unwrap_or_default())
}
