//! Describes for users what a document is if it is not a feed.

use crate::extract::fragment;
use crate::extract::markup::{MarkupToken, Tokens};

/// How much of a name or a title is shown.
const TOLD: usize = 80;

/// Describes what was found: `an HTML page titled “Example”`.
pub(super) fn describe(body: &[u8], text: &str) -> String {
    if body.iter().all(u8::is_ascii_whitespace) {
        return "an empty response".to_owned();
    }
    if let Some(kind) = by_signature(body) {
        return kind.to_owned();
    }
    if text.starts_with(['{', '[']) {
        return "JSON, but not a feed".to_owned();
    }
    match root(text).as_deref() {
        Some("html" | "head" | "body") => page(text),
        Some("opml") => "an OPML list of feeds; import it instead".to_owned(),
        Some("urlset" | "sitemapindex") => "a sitemap".to_owned(),
        Some("svg") => "an image".to_owned(),
        Some(name) => format!("an XML document with the root “{}”", told(name)),
        None if body.contains(&0) => "a binary file".to_owned(),
        None => format!(
            "text that begins with “{}”",
            told(&fragment::plain_line(text))
        ),
    }
}

fn by_signature(body: &[u8]) -> Option<&'static str> {
    let signatures: [(&[u8], &str); 9] = [
        (b"\x89PNG", "an image"),
        (b"\xff\xd8\xff", "an image"),
        (b"GIF8", "an image"),
        (b"RIFF", "an image or a sound"),
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"ID3", "a sound"),
        (b"\0\0\x01\0", "an image"),
    ];
    signatures
        .iter()
        .find(|(signature, _)| body.starts_with(signature))
        .map(|(_, kind)| *kind)
}

fn root(text: &str) -> Option<String> {
    Tokens::new(text).take(1_000).find_map(|token| match token {
        MarkupToken::Start(tag) => {
            let local = tag.name.rsplit(':').next().unwrap_or(tag.name);
            let name = local.to_ascii_lowercase();
            // A fragment of a page also counts as a page.
            let page = [
                "div", "p", "title", "meta", "script", "link", "br", "h1", "a", "table", "center",
            ];
            Some(if page.contains(&name.as_str()) {
                "html".to_owned()
            } else {
                name
            })
        }
        MarkupToken::Declaration(text) => {
            let text = text.to_ascii_lowercase();
            text.starts_with("<!doctype html")
                .then(|| "html".to_owned())
        }
        _ => None,
    })
}

fn page(text: &str) -> String {
    const LOOKED_AT: usize = 5_000;
    let mut tokens = Tokens::new(text);
    let (mut title, mut feed) = (String::new(), None);
    for _ in 0..LOOKED_AT {
        let Some(token) = tokens.next() else { break };
        if let MarkupToken::Start(tag) = &token
            && tag.name.eq_ignore_ascii_case("title")
            && title.is_empty()
        {
            title = fragment::line(tokens.raw_text("title"));
        } else if let MarkupToken::Start(tag) = token
            && tag.name.eq_ignore_ascii_case("link")
            && tag.attribute("type").is_some_and(|kind| is_feed(&kind))
            && let Some(address) = tag.attribute("href")
        {
            feed.get_or_insert(told(&address));
        }
    }
    let page = match title.is_empty() {
        true => "an HTML page".to_owned(),
        false => format!("an HTML page titled “{}”", told(&title)),
    };
    match feed {
        Some(feed) => format!("{page}, which links to a feed at {feed}"),
        None => page,
    }
}

fn is_feed(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    ["rss", "atom", "feed+json"]
        .iter()
        .any(|name| kind.contains(name))
}

fn told(text: &str) -> String {
    let mut told: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(TOLD)
        .collect();
    if told.len() < text.len() {
        told.push('…');
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_what_was_found() {
        for (text, expected) in [
            (" \n", "an empty response"),
            (
                "<!DOCTYPE html><title>My\n site</title>",
                "an HTML page titled “My site”",
            ),
            ("<html><body>x", "an HTML page"),
            (
                "<head><title>F</title><link rel=alternate type=application/rss+xml href=/real.xml>",
                "an HTML page titled “F”, which links to a feed at /real.xml",
            ),
            ("{\"a\":1}", "JSON, but not a feed"),
            ("<?xml version='1.0'?><urlset/>", "a sitemap"),
            ("<x:thing/>", "an XML document with the root “thing”"),
            ("not found", "text that begins with “not found”"),
            ("%PDF-1.4", "a PDF document"),
        ] {
            assert_eq!(describe(text.as_bytes(), text), expected);
        }
    }
}
