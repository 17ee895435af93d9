//! The text of an element: plain or HTML, and how it was encoded.

use std::borrow::Cow;

use base64::Engine as _;
use url::Url;

use super::field::ElementField;
use super::repair::Repairs;
use super::{Format, Repair};
use crate::domain::state::{Block, Link};
use crate::extract::markup::{MarkupToken, Tag, Tokens};
use crate::extract::{feed_html, fragment};

/// A decoded text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FeedText {
    /// Whether it is a fragment of HTML.
    pub(super) is_html: bool,
    /// The text.
    pub(super) text: String,
}

impl FeedText {
    fn html(text: impl Into<String>) -> Self {
        Self {
            is_html: true,
            text: text.into(),
        }
    }

    fn plain(text: impl Into<String>) -> Self {
        Self {
            is_html: false,
            text: text.into(),
        }
    }

    /// HTML if it has tags that an HTML reader would not show.
    fn guessed(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            is_html: has_tags(&text),
            text,
        }
    }

    /// Whether it is empty.
    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// The text of a headline.
pub(super) fn of_title(
    tag: &Tag<'_>,
    field: &ElementField<'_>,
    format: Format,
    repairs: &mut Repairs,
) -> FeedText {
    read(tag, field, format, false, repairs)
}

/// The text of a description or a body.
pub(super) fn of_body(
    tag: &Tag<'_>,
    field: &ElementField<'_>,
    format: Format,
    repairs: &mut Repairs,
) -> FeedText {
    read(tag, field, format, true, repairs)
}

fn read(
    tag: &Tag<'_>,
    field: &ElementField<'_>,
    format: Format,
    is_body: bool,
    repairs: &mut Repairs,
) -> FeedText {
    let kind = tag.attribute("type").unwrap_or_default();
    let kind = kind
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase();
    let mode = tag
        .attribute("mode")
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if mode == "base64" {
        let text = from_base64(field, repairs);
        return match kind.as_str() {
            "html" | "text/html" | "xhtml" | "application/xhtml+xml" => FeedText::html(text.text),
            _ => text,
        };
    }
    match kind.as_str() {
        "" if format == Format::Atom && mode != "escaped" => {
            if field.nested {
                return FeedText::html(field.inside);
            }
            let text = field.plain(repairs);
            // Untyped bodies with tags are HTML whose publisher forgot to declare it.
            if is_body {
                FeedText::guessed(text)
            } else {
                FeedText::plain(text)
            }
        }
        // RSS never declares it, but everyone uses HTML.
        "" => FeedText::html(field.unescaped(repairs)),
        "text" | "text/plain" | "plain" => {
            if field.nested && mode != "escaped" {
                FeedText::plain(fragment::line(field.inside))
            } else {
                FeedText::plain(field.plain(repairs))
            }
        }
        // Atom 0.3 uses `text/html` for elements as well, unless its mode says that they are escaped.
        "html" | "text/html" => {
            if field.nested && mode != "escaped" {
                FeedText::html(field.inside)
            } else {
                FeedText::html(field.unescaped(repairs))
            }
        }
        "xhtml" | "application/xhtml+xml" | "application/xhtml" => inline(field, repairs),
        kind if kind.ends_with("+xml") || kind.ends_with("/xml") => inline(field, repairs),
        kind => {
            repairs.note(Repair::ContentType);
            if field.nested {
                FeedText::html(field.inside)
            } else if kind.contains('/') && !kind.starts_with("text/") {
                from_base64(field, repairs)
            } else {
                FeedText::guessed(field.unescaped(repairs))
            }
        }
    }
}

/// Unescaped markup in the feed; some publishers escape it nevertheless.
fn inline(field: &ElementField<'_>, repairs: &mut Repairs) -> FeedText {
    if !field.nested {
        let text = field.unescaped(repairs);
        if has_tags(&text) {
            return FeedText::html(text);
        }
    }
    FeedText::html(field.inside)
}

/// A base64 text; anything that is not text, such as a picture, is left out.
fn from_base64(field: &ElementField<'_>, repairs: &mut Repairs) -> FeedText {
    let text = field.unescaped(repairs);
    let packed: String = text.split_whitespace().collect();
    match base64::engine::general_purpose::STANDARD.decode(packed.as_bytes()) {
        Ok(bytes) if !bytes.is_empty() => String::from_utf8(bytes)
            .ok()
            .filter(|text| !text.contains('\0'))
            .map(FeedText::guessed)
            .unwrap_or_default(),
        _ => FeedText::guessed(text),
    }
}

/// Whether it contains tags that HTML knows.
fn has_tags(text: &str) -> bool {
    const KNOWN: [&str; 24] = [
        "p",
        "br",
        "div",
        "span",
        "a",
        "b",
        "i",
        "em",
        "strong",
        "img",
        "ul",
        "ol",
        "li",
        "blockquote",
        "table",
        "h1",
        "h2",
        "h3",
        "h4",
        "pre",
        "code",
        "figure",
        "hr",
        "u",
    ];
    text.contains('<')
        && Tokens::new(text).any(|token| match token {
            MarkupToken::Start(tag) => KNOWN.iter().any(|name| tag.name.eq_ignore_ascii_case(name)),
            _ => false,
        })
}

/// The name in an author element: Atom's `name`, or RSS's text without an e-mail address.
pub(super) fn author(field: &ElementField<'_>, repairs: &mut Repairs) -> String {
    if field.nested {
        for wanted in ["name", "email", "uri", "url"] {
            if let Some(text) = child(field.inside, wanted) {
                return text;
            }
        }
        return fragment::line(field.inside);
    }
    let text = fragment::line(&field.unescaped(repairs));
    person(&text).to_owned()
}

/// The text of the first child with that name, if there is one.
fn child(inside: &str, wanted: &str) -> Option<String> {
    let mut tokens = Tokens::new(inside);
    while let Some(token) = tokens.next() {
        let MarkupToken::Start(tag) = token else {
            continue;
        };
        let local = tag.name.rsplit(':').next().unwrap_or("");
        if local.eq_ignore_ascii_case(wanted) && !tag.self_closing {
            let text = fragment::line(tokens.raw_text(tag.name));
            if !text.is_empty() {
                return Some(text);
            }
        }
    }
    None
}

/// `joe@example.org (Joe Doe)` and `Joe Doe <joe@example.org>` → `Joe Doe`.
fn person(text: &str) -> &str {
    let text = text.trim();
    let named = match (text.split_once('('), text.split_once('<')) {
        (Some((address, name)), _) if address.contains('@') => name.trim_end_matches(')'),
        (_, Some((name, address))) if address.contains('@') => name,
        _ => text,
    };
    let named = named.trim().trim_matches('"');
    if named.is_empty() { text } else { named }
}

/// The blocks of an HTML or plain text that feed-rs has returned.
pub(super) fn blocks(is_html: bool, text: &str) -> Vec<Block> {
    if is_html {
        feed_html::blocks(text)
    } else {
        feed_html::plain_blocks(text)
    }
}

/// The links of such a text.
pub(super) fn links(is_html: bool, text: &str, base: Option<&str>) -> Vec<Link> {
    match is_html {
        true => feed_html::links(text, base.and_then(|base| Url::parse(base).ok()).as_ref()),
        false => Vec::new(),
    }
}

/// A headline as one line.
pub(super) fn line(is_html: bool, text: &str) -> Option<String> {
    let line = if is_html {
        fragment::line(text)
    } else {
        fragment::plain_line(text)
    };
    Some(line).filter(|line| !line.is_empty())
}

/// Removes the control characters that XML forbids.
pub(super) fn without_controls<'a>(text: Cow<'a, str>, repairs: &mut Repairs) -> Cow<'a, str> {
    let forbidden =
        |byte: u8| (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c)) || byte == 0x7f;
    // Without an early exit, the inner loop processes many bytes at a time.
    let clean = text.as_bytes().chunks(1024).all(|chunk| {
        !chunk
            .iter()
            .fold(false, |found, byte| found | forbidden(*byte))
    });
    if clean {
        return text;
    }
    repairs.note(Repair::ControlCharacters);
    Cow::Owned(
        text.chars()
            .filter(|c| !u8::try_from(*c).is_ok_and(forbidden))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_is_a_name() {
        for (text, expected) in [
            ("joe@example.org (Joe Doe)", "Joe Doe"),
            ("Joe Doe <joe@example.org>", "Joe Doe"),
            ("joe@example.org", "joe@example.org"),
            ("foo@example.com（山田）", "foo@example.com（山田）"),
            ("Jane (reporter)", "Jane (reporter)"),
        ] {
            assert_eq!(person(text), expected);
        }
    }
}
