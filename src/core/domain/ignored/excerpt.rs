//! The part of two texts that shows their difference.

use super::SHOWN_BYTES;

/// How much is shown before the first difference if a text does not fit, in bytes.
const LEAD: usize = 80;

/// The largest character boundary that is not after `at`.
pub(super) fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// Two texts, each shortened to [`SHOWN_BYTES`] around the first difference.
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

/// A text, shortened to [`SHOWN_BYTES`].
pub(super) fn beginning(text: &str) -> String {
    part(text, 0)
}

/// The beginning of the word at or before `at`. It is the same in both texts, since they are equal up to there.
fn word_before(text: &str, at: usize) -> usize {
    let at = floor(text, at);
    let head = text.get(..at).unwrap_or_default();
    let word = head.rfind(char::is_whitespace).map_or(0, |space| space + 1);
    // Scripts without spaces have no such place nearby.
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
