//! UTF-8 that was decoded as windows-1252 or ISO 8859-1: `â€™` for `’`, `Ã©` for `é`.
//!
//! A sequence is repaired only if its bytes are valid UTF-8 and the characters are unlikely to be intended.
//! `CAFÉ»` and `NESCAFÉ™` are valid sequences too, but a capital at the end of a word before a mark is part of the
//! word.

use std::borrow::Cow;

/// The characters of windows-1252 at 0x80–0x9F; the five gaps have the control characters of ISO 8859-1.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The character of a byte in windows-1252.
pub(super) fn from_windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// The byte of a character in windows-1252 or ISO 8859-1, from 0x80 on.
fn to_byte(c: char) -> Option<u8> {
    if ('\u{80}'..='\u{ff}').contains(&c) {
        return u8::try_from(u32::from(c)).ok();
    }
    let index = HIGH.iter().position(|&high| high == c)?;
    u8::try_from(index + 0x80).ok()
}

/// Whether the character can begin a sequence; a cheap test before [`repair`].
pub(super) fn is_lead(c: char) -> bool {
    ('\u{c2}'..='\u{f4}').contains(&c)
}

/// Whether the character can continue a sequence.
pub(super) fn is_continuation(c: char) -> bool {
    to_byte(c).is_some_and(|byte| (0x80..0xc0).contains(&byte))
}

/// Repairs the sequences of one level; text that was broken twice needs a second pass.
pub(super) fn repair(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    let mut before = None;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        if is_lead(c)
            && let Some((repaired, length)) =
                sequence_at(&text[at..], before, copied == at && at > 0)
        {
            out.push_str(&text[copied..at]);
            out.push(repaired);
            at += length;
            copied = at;
            before = Some(repaired);
        } else {
            at += c.len_utf8();
            before = Some(c);
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// The character that a broken sequence at the start of `text` stands for, and the length of the sequence.
///
/// Directly after another repaired sequence, no characters are taken as intended.
fn sequence_at(text: &str, before: Option<char>, behind_another: bool) -> Option<(char, usize)> {
    let mut chars = text.char_indices();
    let (_, lead) = chars.next()?;
    let lead_byte = to_byte(lead)?;
    let wanted = match lead_byte {
        0xc2..=0xdf => 1,
        0xe0..=0xef => 2,
        0xf0..=0xf4 => 3,
        _ => return None,
    };
    let mut bytes = [lead_byte, 0, 0, 0];
    let mut last = lead;
    for slot in bytes.iter_mut().skip(1).take(wanted) {
        let (_, c) = chars.next()?;
        *slot = to_byte(c).filter(|byte| (0x80..0xc0).contains(byte))?;
        last = c;
    }
    let end = chars.next();
    let repaired = std::str::from_utf8(bytes.get(..=wanted)?)
        .ok()?
        .chars()
        .next()?;
    let after = end.map(|(_, c)| c);
    let deliberate = !behind_another
        && if wanted == 1 {
            is_deliberate(before, lead, last, after)
        } else {
            // `été »` with a no-break space is a valid sequence of three.
            text.chars().skip(1).take(wanted).all(is_mark)
        };
    if deliberate || repaired.is_control() {
        return None;
    }
    Some((repaired, end.map_or(text.len(), |(index, _)| index)))
}

/// Marks that can follow a word.
fn is_mark(c: char) -> bool {
    matches!(
        c,
        '\u{a0}'
            | '\u{ad}'
            | '…'
            | '–'
            | '—'
            | '‘'
            | '’'
            | '“'
            | '”'
            | '„'
            | '‚'
            | '«'
            | '»'
            | '‹'
            | '›'
            | '™'
            | '®'
            | '©'
            | '°'
            | '·'
            | '´'
            | '¨'
            | '•'
            | '†'
            | '‡'
            | '¡'
            | '¿'
    )
}

/// Whether the two characters may well be intended: a capital at the end of a word, and a mark after it.
fn is_deliberate(before: Option<char>, lead: char, mark: char, after: Option<char>) -> bool {
    if !is_mark(mark) || before.is_some_and(char::is_lowercase) {
        return false;
    }
    if before.is_some_and(char::is_uppercase) {
        return true;
    }
    // Â and Ã begin nearly every broken sign or small letter, and are not words.
    let goes_on = after.is_some_and(|c| c.is_lowercase() || is_lead(c));
    !goes_on && !matches!(lead, 'Â' | 'Ã')
}
