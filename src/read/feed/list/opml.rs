//! OPML 1 and 2, well-formed or not.
//!
//! Half of the lists in circulation are not XML: bare ampersands, quotation marks inside quotation marks, no end.
//! The lenient tokenizer reads them. If even that finds no attributes, the address is searched for directly.

use std::borrow::Cow;

use super::{
    LONGEST_TAG, ListItems, ListedFeed, NotListed, add_tag, line_of, newlines, no_address,
    put_address, tidy,
};
use crate::extract::entity;
use crate::extract::markup::{MarkupToken, Tag, Tokens};

/// Folders nested deeper than this do not add tags.
const DEEPEST_FOLDER: usize = 8;
/// The most unclosed comments after which reading starts again: each costs a search through the rest of the
/// document.
const MOST_RESTARTS: usize = 16;

/// Reads the outlines of a document.
pub(super) fn read(text: &str, items: &mut ListItems) {
    let mut reader = OpmlReader::default();
    let mut from = 0;
    for _ in 0..MOST_RESTARTS {
        match reader.read_from(text, from, items) {
            None => {
                if !reader.known && items.items.is_empty() {
                    items.add(1, "", Err(NotListed::NoList));
                }
                return;
            }
            Some(at) => from = at,
        }
    }
    items.add(line_of(text, from), "", Err(NotListed::Broken));
}

/// The position of the next outline tag.
pub(super) fn next_outline(text: &str) -> Option<usize> {
    text.match_indices('<').map(|(at, _)| at).find(|at| {
        text.get(at + 1..at + 8)
            .is_some_and(|name| name.eq_ignore_ascii_case("outline"))
    })
}

#[derive(Default)]
struct OpmlReader {
    /// The tags of the open outlines; `None` for those that are not folders.
    open: Vec<Option<String>>,
    /// Whether the document is OPML, with or without outlines.
    known: bool,
}

impl OpmlReader {
    /// Reads up to the end, or up to something that never ends. Then returns the position of the next outline
    /// after its start.
    fn read_from(&mut self, text: &str, from: usize, items: &mut ListItems) -> Option<usize> {
        let part = text.get(from..)?;
        let mut line = line_of(text, from);
        let mut tokens = Tokens::new(part);
        let mut at = 0;
        while let Some(token) = tokens.next() {
            let end = tokens.offset();
            let written = part.get(at..end).unwrap_or_default();
            match token {
                // An address without a closing mark extends over the tags after it.
                MarkupToken::Start(tag) if is_outline(tag.name) && swallows(&tag) => {
                    self.known = true;
                    let own = written.get(1..).and_then(next_outline).map(|next| next + 1);
                    let own = own.unwrap_or(written.len());
                    self.disordered(&written[..own], false, line, items);
                    if own < written.len() {
                        return Some(from + at + own);
                    }
                }
                MarkupToken::Start(tag) if is_outline(tag.name) => {
                    self.outline(tag, stretch(part, at), line, items);
                }
                MarkupToken::Start(tag) => self.known |= tag.name.eq_ignore_ascii_case("opml"),
                MarkupToken::End(name) if is_outline(name) => {
                    self.open.pop();
                }
                MarkupToken::End(name) if name.eq_ignore_ascii_case("body") => self.open.clear(),
                // A tag that cannot be read as one.
                MarkupToken::Text(text) if next_outline(text) == Some(0) => {
                    self.known = true;
                    let tag = stretch(part, at);
                    self.disordered(tag, part.ends_with(tag), line, items);
                }
                MarkupToken::Text(_) | MarkupToken::End(_) => {}
                // If brackets do not match, the end of a declaration is found far away.
                token
                    if tokens.is_cut()
                        || matches!(token, MarkupToken::Declaration(all) if next_outline(all).is_some()) =>
                {
                    let next = next_outline(part.get(at + 1..)?)?;
                    return Some(from + at + 1 + next);
                }
                _ => {}
            }
            if items.full {
                return None;
            }
            line += newlines(written);
            at = end;
        }
        None
    }

    /// A tag that cannot be read as one, and may be the last of its document.
    fn disordered(&mut self, tag: &str, is_last: bool, line: usize, items: &mut ListItems) {
        match raw_attribute(tag, "xmlUrl") {
            Some(url) if is_last && is_cut(tag, &url) => {
                items.add(line, &url, Err(NotListed::Cut));
            }
            Some(url) => {
                let title = raw_attribute(tag, "text").map(|text| tidy(&text));
                let feed = ListedFeed {
                    title,
                    ..ListedFeed::default()
                };
                add(line, &url, feed, &self.open, items);
            }
            None => items.add(line, tag, Err(NotListed::NoAddress)),
        }
    }

    /// `written` is the longest extent of the tag: a `>` inside an attribute can make it seem shorter.
    fn outline(&mut self, tag: Tag<'_>, written: &str, line: usize, items: &mut ListItems) {
        self.known = true;
        let mut closed = tag.self_closing;
        let attribute = |name: &str| tag.attribute(name).filter(|value| !value.trim().is_empty());
        let text = attribute("text").or_else(|| attribute("title"));
        let kind = attribute("type").unwrap_or_default().trim().to_lowercase();
        let mut url = attribute("xmlUrl");
        if url.is_none() {
            url = raw_attribute(written, "xmlUrl").map(Cow::Owned);
            closed |= url.is_some() && written.trim_end().ends_with("/>");
        }
        let is_feed = matches!(kind.as_str(), "rss" | "rss1" | "rss2" | "atom" | "feed");
        if is_feed {
            // Other programs use these names.
            url = url.or_else(|| ["url", "feedUrl"].iter().find_map(|name| attribute(name)));
        }
        let mut folder = None;
        if let Some(url) = url {
            let mut feed = ListedFeed {
                title: text.map(|text| tidy(&text)).filter(|text| !text.is_empty()),
                ..ListedFeed::default()
            };
            for category in attribute("category").unwrap_or_default().split(',') {
                add_tag(&mut feed.tags, category.trim().trim_matches('/'));
            }
            if attribute("filtercmd").is_some() {
                feed.left_aside = Some("its filter command is ignored");
            }
            add(line, &url, feed, &self.open, items);
        } else if is_feed {
            let what = text.unwrap_or(Cow::Borrowed(written));
            items.add(line, &what, Err(NotListed::NoAddress));
        } else if let Some(url) =
            attribute("url").filter(|_| matches!(kind.as_str(), "link" | "include"))
        {
            items.add(line, &url, Err(NotListed::Link));
        } else {
            folder = text.and_then(|text| self.path(&text));
        }
        if !closed {
            self.open.push(folder);
        }
    }

    /// The tag of a folder including those around it, up to the greatest length of a tag.
    fn path(&self, text: &str) -> Option<String> {
        let name = tidy(text);
        let outer = self.open.iter().rev().flatten().next();
        let depth = self.open.iter().flatten().take(DEEPEST_FOLDER).count();
        if name.is_empty() || depth == DEEPEST_FOLDER {
            return outer.cloned();
        }
        let whole = outer.map(|outer| format!("{outer}/{name}"));
        whole
            .filter(|whole| whole.chars().count() <= LONGEST_TAG)
            .or(Some(name))
    }
}

fn add(
    line: usize,
    url: &str,
    mut feed: ListedFeed,
    open: &[Option<String>],
    items: &mut ListItems,
) {
    if let Some(reason) = no_address(url.trim()) {
        items.add(line, url, Err(reason));
        return;
    }
    // Escaped twice.
    let url = &*url.replace("&amp;", "&");
    put_address(&mut feed, url);
    let categories = std::mem::take(&mut feed.tags);
    for tag in open
        .iter()
        .flatten()
        .take(DEEPEST_FOLDER)
        .chain(&categories)
    {
        add_tag(&mut feed.tags, tag);
    }
    items.add(line, url, Ok(feed));
}

fn is_outline(name: &str) -> bool {
    let name = name.rsplit(':').next().unwrap_or(name);
    name.eq_ignore_ascii_case("outline")
}

/// From the outline at a position to the next outline, or to an end tag: the longest extent of a malformed tag.
fn stretch(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    let end = rest
        .match_indices('<')
        .map(|(at, _)| at)
        .skip(1)
        .find(|at| {
            let name = rest.get(at + 1..).unwrap_or_default();
            let name = name.strip_prefix('/').unwrap_or(name);
            ["outline", "body", "!--"].iter().any(|one| {
                name.get(..one.len())
                    .is_some_and(|name| name.eq_ignore_ascii_case(one))
            })
        });
    rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
}

/// Whether the text read as the address of an outline continues after the address has ended.
fn swallows(tag: &Tag<'_>) -> bool {
    let written = tag
        .attributes()
        .find(|(name, _)| name.eq_ignore_ascii_case("xmlUrl"));
    written.is_some_and(|(_, value)| value.contains('<'))
}

/// Whether a tag at the end of its document is cut off inside this address.
fn is_cut(tag: &str, address: &str) -> bool {
    entity::decode_attribute(tag).ends_with(address)
}

/// The value of an attribute in a tag with malformed attributes.
fn raw_attribute(tag: &str, name: &str) -> Option<String> {
    let at = tag.as_bytes().windows(name.len() + 1).position(|found| {
        let (before, found) = found.split_at(1);
        !before.iter().any(u8::is_ascii_alphanumeric) && found.eq_ignore_ascii_case(name.as_bytes())
    })?;
    let value = tag.get(at + 1 + name.len()..)?.trim_start();
    let value = value.strip_prefix('=')?.trim_start();
    let value = match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        Some(quote) => {
            let inside = &value[1..];
            match inside.find([quote, '<', '>']) {
                Some(end) if inside[end..].starts_with(quote) => inside.get(..end),
                // The closing mark is missing: the value ends where an address ends, or the tag.
                Some(end) => {
                    let value = inside[..end].split(char::is_whitespace).next();
                    let tag_ends = inside[end..].starts_with('>');
                    value.map(|value| {
                        value
                            .strip_suffix('/')
                            .filter(|_| tag_ends)
                            .unwrap_or(value)
                    })
                }
                None => Some(inside),
            }
        }
        None => value
            .split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\''))
            .next(),
    };
    let value = entity::decode_attribute(value?);
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}
