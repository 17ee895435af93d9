//! Character references, as HTML reads them.

use std::borrow::Cow;

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// The longest name in HTML's table (`CounterClockwiseContourIntegral;`).
const LONGEST_NAME: usize = 32;

/// Resolves the references in a text; unknown ones stay as they are.
#[must_use]
pub(crate) fn decode(text: &str) -> Cow<'_, str> {
    decode_with(text, false)
}

/// Resolves the references in an attribute's value: `?a=1&copy=2` keeps its `&copy`.
#[must_use]
pub(crate) fn decode_attribute(value: &str) -> Cow<'_, str> {
    decode_with(value, true)
}

fn decode_with(text: &str, attribute: bool) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if let Some((decoded, length)) = reference(from, attribute) {
            out.extend(decoded.into_iter().flatten());
            rest = from.get(length..).unwrap_or("");
        } else {
            out.push('&');
            rest = &from[1..];
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The characters that the reference at the start of `text` stands for, and its length in bytes.
fn reference(text: &str, attribute: bool) -> Option<([Option<char>; 2], usize)> {
    let body = text.strip_prefix('&')?;
    if body.starts_with('#') {
        return numeric(body).map(|(decoded, length)| ([Some(decoded), None], length + 1));
    }
    let name_end = body
        .bytes()
        .take(LONGEST_NAME)
        .take_while(u8::is_ascii_alphanumeric)
        .count();
    let semicolon = body.as_bytes().get(name_end) == Some(&b';');
    let longest = name_end + usize::from(semicolon);
    // The longest name in the table wins: `&notit;` is `¬it;`.
    for length in (2..=longest).rev() {
        let name = body.get(..length)?;
        let Some((first, second)) = NAMED_ENTITIES.get(name).filter(|found| found.0 != 0) else {
            continue;
        };
        let next = body.as_bytes().get(length);
        let glued = next.is_some_and(|byte| *byte == b'=' || byte.is_ascii_alphanumeric());
        if attribute && !name.ends_with(';') && glued {
            return None;
        }
        let second = char::from_u32(*second).filter(|c| *c != '\0');
        return Some(([char::from_u32(*first), second], length + 1));
    }
    None
}

/// `#8217;`, `#x2019` … → the character and the length in bytes.
pub(crate) fn numeric(body: &str) -> Option<(char, usize)> {
    let digits = body.strip_prefix('#')?;
    let hex = digits.starts_with(['x', 'X']);
    let number = if hex { &digits[1..] } else { digits };
    let radix = if hex { 16 } else { 10 };
    let length = number.chars().take_while(|c| c.is_digit(radix)).count();
    if length == 0 {
        return None;
    }
    let value = u32::from_str_radix(number.get(..length)?, radix).unwrap_or(u32::MAX);
    let semicolon = usize::from(number.as_bytes().get(length) == Some(&b';'));
    let decoded = match value {
        // HTML reads C1 controls as windows-1252.
        0x80..=0x9f => C1_REPLACEMENTS
            .get(usize::try_from(value - 0x80).ok()?)
            .copied()
            .flatten(),
        // Nobody writes a control character on purpose.
        0..=8 | 11 | 14..=31 | 127 => None,
        value => char::from_u32(value),
    };
    let length = 1 + usize::from(hex) + length + semicolon;
    Some((decoded.unwrap_or(char::REPLACEMENT_CHARACTER), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_a_browser_reads_them() {
        for (text, expected) in [
            ("AT&T", "AT&T"),
            ("AT&amp;T", "AT&T"),
            ("&lt;b&gt;", "<b>"),
            ("caf&eacute; &#8217;&#x2019;&#x2019", "café ’’’"),
            ("&#146;", "’"),
            ("&notit; &copy2024", "¬it; ©2024"),
            ("&nosuch; &; &#; &#xZ; &", "&nosuch; &; &#; &#xZ; &"),
            ("&#0;&#xD800;&#99999999999;", "\u{fffd}\u{fffd}\u{fffd}"),
            ("&acE;", "\u{223e}\u{333}"),
            ("&é", "&é"),
        ] {
            assert_eq!(decode(text), expected, "{text}");
        }
    }

    #[test]
    fn addresses_keep_their_parameters() {
        assert_eq!(decode_attribute("?a=1&copy=2&amp;b&reg"), "?a=1&copy=2&b®");
    }
}
