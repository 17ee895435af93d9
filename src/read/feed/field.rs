//! An element and its text: where it ends, and how to read the text.

use std::borrow::Cow;

use super::repair::Repairs;
use super::{FeedError, Repair};
use crate::extract::entity;
use crate::extract::markup::{MarkupToken, Tag, Tokens};

/// The greatest depth of elements; no feed comes near it.
pub(super) const DEPTH_LIMIT: usize = 128;

/// How an element ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With its own end tag.
    Own,
    /// At the end of an element around it, or at the start of the next entry.
    Outer,
    /// At the end of the document.
    Document,
}

/// The content of an element.
#[derive(Debug, Clone, Copy)]
pub(super) struct ElementField<'a> {
    /// The source between its tags.
    pub(super) inside: &'a str,
    /// Whether it contains elements.
    pub(super) nested: bool,
    /// Whether the elements in it match.
    pub(super) balanced: bool,
    /// How it ended.
    pub(super) end: End,
}

/// Elements that HTML leaves open; they do not count towards the depth.
const LEFT_OPEN: [&str; 19] = [
    "p", "br", "img", "hr", "li", "input", "meta", "link", "td", "th", "tr", "dd", "dt", "option",
    "col", "embed", "source", "area", "wbr",
];

/// Reads up to the end of the element that `tag` started. `open` names the elements around it. Without patience,
/// an element ends at the next tag: in a document whose elements have no ends, searching for each would take
/// forever.
pub(super) fn capture<'a>(
    tokens: &mut Tokens<'a>,
    text: &'a str,
    tag: Tag<'a>,
    open: &[&str],
    patient: bool,
) -> Result<ElementField<'a>, FeedError> {
    let from = tokens.offset();
    let mut field = ElementField {
        inside: "",
        nested: false,
        balanced: true,
        end: End::Own,
    };
    if tag.self_closing {
        return Ok(field);
    }
    // Elements that are open inside: all of them, those of the same name, and those with the name of an element
    // around.
    let (mut depth, mut same, mut like_outer) = (0usize, 0usize, 0usize);
    let mut first_tag = None;
    let mut holds_entry = false;
    loop {
        let before = tokens.clone();
        let inside = text.get(from..before.offset()).unwrap_or("");
        let Some(token) = tokens.next() else {
            if !holds_entry {
                field.end = End::Document;
                field.inside = inside;
                return Ok(field);
            }
            return Ok(unclosed(
                field,
                text,
                from,
                tokens,
                first_tag.unwrap_or(before),
            ));
        };
        match token {
            MarkupToken::Start(_) | MarkupToken::End(_) if !patient => {
                let own =
                    matches!(token, MarkupToken::End(name) if name.eq_ignore_ascii_case(tag.name));
                field.inside = inside;
                field.end = if own { End::Own } else { End::Outer };
                if !own {
                    *tokens = before;
                }
                return Ok(field);
            }
            MarkupToken::Start(inner) => {
                field.nested = true;
                first_tag = first_tag.or_else(|| Some(before.clone()));
                holds_entry |= is_entry(inner.name);
                if inner.self_closing {
                    continue;
                }
                same += usize::from(inner.name.eq_ignore_ascii_case(tag.name));
                like_outer += usize::from(is_one_of(inner.name, open));
                if !is_one_of(inner.name, &LEFT_OPEN) {
                    depth += 1;
                    if depth + open.len() > DEPTH_LIMIT {
                        return Err(FeedError::TooDeep { limit: DEPTH_LIMIT });
                    }
                }
            }
            MarkupToken::End(name) if name.eq_ignore_ascii_case(tag.name) => {
                if same == 0 {
                    field.balanced = depth == 0;
                    field.inside = inside;
                    return Ok(field);
                }
                same -= 1;
                depth = depth.saturating_sub(1);
            }
            MarkupToken::End(name) if is_one_of(name, open) => {
                if like_outer == 0 {
                    return Ok(unclosed(
                        field,
                        text,
                        from,
                        tokens,
                        first_tag.unwrap_or(before),
                    ));
                }
                like_outer -= 1;
                depth = depth.saturating_sub(1);
            }
            MarkupToken::End(name) if !is_one_of(name, &LEFT_OPEN) => {
                field.balanced &= depth > 0;
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
    }
}

/// An element without an end: its text ends at the next tag, and anything after that belongs to the element around
/// it.
fn unclosed<'a>(
    mut field: ElementField<'a>,
    text: &'a str,
    from: usize,
    tokens: &mut Tokens<'a>,
    next: Tokens<'a>,
) -> ElementField<'a> {
    *tokens = next;
    field.inside = text.get(from..tokens.offset()).unwrap_or("");
    field.nested = false;
    field.end = End::Outer;
    field
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|other| name.eq_ignore_ascii_case(other))
}

fn is_entry(name: &str) -> bool {
    is_one_of(name, &["item", "entry"])
}

impl<'a> ElementField<'a> {
    /// The text with XML's escapes undone, as it was before the publisher escaped it. Markup inside stays as it
    /// is.
    pub(super) fn unescaped(&self, repairs: &mut Repairs) -> Cow<'a, str> {
        if !self.inside.contains(['<', '&']) {
            return Cow::Borrowed(self.inside);
        }
        let mut out = String::with_capacity(self.inside.len());
        let mut tokens = Tokens::new(self.inside);
        loop {
            let from = tokens.offset();
            let Some(token) = tokens.next() else { break };
            match token {
                MarkupToken::Text(text) => unescape(text, &mut out, repairs),
                MarkupToken::CData(text) => out.push_str(text),
                MarkupToken::Start(_) | MarkupToken::End(_) => {
                    out.push_str(self.inside.get(from..tokens.offset()).unwrap_or(""));
                }
                _ => {}
            }
        }
        Cow::Owned(out)
    }

    /// The text of a field without markup, such as an address, a name or a date.
    pub(super) fn plain(&self, repairs: &mut Repairs) -> String {
        self.with(entity::decode, repairs)
    }

    /// An address: `&copy=` in it is a parameter, as in an attribute.
    pub(super) fn address(&self, repairs: &mut Repairs) -> String {
        self.with(entity::decode_attribute, repairs)
    }

    fn with(&self, decode: fn(&str) -> Cow<'_, str>, repairs: &mut Repairs) -> String {
        let mut out = String::new();
        for token in Tokens::new(self.inside) {
            match token {
                MarkupToken::Text(text) if text.contains(['&', '<']) => {
                    note_escapes(text, repairs);
                    out.push_str(&decode(text));
                }
                MarkupToken::Text(text) | MarkupToken::CData(text) => out.push_str(text),
                _ => {}
            }
        }
        out
    }
}

/// Undoes XML's own escapes; HTML's named entities are left to the HTML reader. A `<` that is left in a text did not
/// start a tag.
fn unescape(text: &str, out: &mut String, repairs: &mut Repairs) {
    const ESCAPES: [(&str, char); 5] = [
        ("lt;", '<'),
        ("gt;", '>'),
        ("amp;", '&'),
        ("quot;", '"'),
        ("apos;", '\''),
    ];
    if text.contains('<') {
        repairs.note(Repair::BareLessThan);
    }
    let mut parts = text.split('&');
    out.push_str(parts.next().unwrap_or(""));
    for part in parts {
        let escape = ESCAPES
            .iter()
            .find_map(|(name, c)| part.strip_prefix(name).map(|rest| (*c, rest)));
        if let Some((c, rest)) = escape {
            out.push(c);
            out.push_str(rest);
        } else if let Some((c, length)) = entity::numeric(part) {
            out.push(c);
            out.push_str(part.get(length..).unwrap_or(""));
        } else {
            repairs.note(Repair::Entities);
            out.push('&');
            out.push_str(part);
        }
    }
}

fn note_escapes(text: &str, repairs: &mut Repairs) {
    let mut sink = String::new();
    unescape(text, &mut sink, repairs);
}
