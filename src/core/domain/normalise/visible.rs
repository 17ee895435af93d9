//! The form of a text that is equal for texts that look the same.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::chars::{
    TAG_BASE, is_invisible, is_joiner, is_nfc_stable, is_shaped_by_joiner, is_space, is_tag,
};
use super::{entities, mojibake};

/// Text that was broken or escaped more often than this stays as the last pass left it.
const MAX_PASSES: usize = 8;

/// The text without anything that a reader cannot see; see the [module](super).
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut current = pass(text);
    for _ in 1..MAX_PASSES {
        if is_plain(&current) {
            break;
        }
        let next = match pass(&current) {
            Cow::Borrowed(_) => break,
            Cow::Owned(next) => next,
        };
        current = Cow::Owned(next);
    }
    current
}

/// Whether the text surely is its own visible form: the common case, decided in one pass over the bytes.
fn is_plain(text: &str) -> bool {
    let mut after_space = true;
    for &byte in text.as_bytes() {
        if byte == b' ' {
            if after_space {
                return false;
            }
            after_space = true;
        } else if byte.is_ascii_graphic() && byte != b'&' {
            after_space = false;
        } else {
            return is_plain_unicode(text);
        }
    }
    !after_space || text.is_empty()
}

fn is_plain_unicode(text: &str) -> bool {
    let mut before = ' ';
    let mut stable = true;
    for c in text.chars() {
        match c {
            ' ' if before == ' ' => return false,
            ' '..='~' => {
                // An entity has a letter or `#` after its ampersand.
                if before == '&' && (c == '#' || c.is_ascii_alphabetic()) {
                    return false;
                }
            }
            _ => {
                if is_space(c) || is_invisible(c) || is_joiner(c) || is_tag(c) {
                    return false;
                }
                if mojibake::is_lead(before) && mojibake::is_continuation(c) {
                    return false;
                }
                stable &= is_nfc_stable(c);
            }
        }
        before = c;
    }
    (before != ' ' || text.is_empty()) && (stable || is_nfc(text))
}

/// One pass; borrowed if there is nothing to do.
fn pass(text: &str) -> Cow<'_, str> {
    let decoded = then(entities::decode(text), mojibake::repair);
    then(then(decoded, strip), compose)
}

/// Applies a step, without copying a text that no step has changed.
fn then(text: Cow<'_, str>, step: fn(&str) -> Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => step(text),
        Cow::Owned(text) => match step(&text) {
            Cow::Owned(next) => Cow::Owned(next),
            Cow::Borrowed(_) => Cow::Owned(text),
        },
    }
}

/// Removes invisible characters, reduces runs of white space to one space, and trims the ends.
fn strip(text: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    let mut in_flag = false;
    for c in text.chars() {
        if is_space(c) {
            gap = true;
            in_flag = false;
            continue;
        }
        let last = out.chars().next_back().filter(|_| !gap);
        let hidden = if is_tag(c) {
            !in_flag
        } else if is_joiner(c) {
            !last.is_some_and(is_shaped_by_joiner)
        } else {
            is_invisible(c)
        };
        if hidden {
            continue;
        }
        if gap && !out.is_empty() {
            out.push(' ');
        }
        gap = false;
        in_flag = c == TAG_BASE || (in_flag && is_tag(c));
        out.push(c);
    }
    if out == text {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(out)
    }
}

fn compose(text: &str) -> Cow<'_, str> {
    if is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}
