//! A feed inside an HTML page: a browser or a proxy has rendered it, and the result was sent on.

use crate::extract::entity;
use crate::extract::markup::{self, MarkupToken, Tokens};

/// Roots of feeds, as they are written in a page's source.
const ROOTS: [&str; 4] = ["<rss", "<feed", "<rdf:RDF", "<rdf:rdf"];

/// The source of a feed in a page: unescaped, in the viewer of a browser, or escaped, in a `<pre>`.
pub(super) fn feed_in_page(page: &str) -> Option<String> {
    if let Some(at) = root_of(page) {
        return page.get(at..).map(str::to_owned);
    }
    let shown = shown_source(page)?;
    let at = root_of(&shown)?;
    shown.get(at..).map(str::to_owned)
}

/// Where the root of a feed begins.
fn root_of(text: &str) -> Option<usize> {
    let begins = |root: &str| {
        let mut from = 0;
        while let Some(found) = text.get(from..).and_then(|rest| markup::find(rest, root)) {
            let behind = from + found + root.len();
            let next = text.as_bytes().get(behind);
            if next.is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b'>') {
                return Some(from + found);
            }
            from = behind;
        }
        None
    };
    ROOTS.into_iter().filter_map(begins).min()
}

/// The text of the first `<pre>`, or of the whole page if there is none, as a reader sees it, without syntax
/// colouring.
fn shown_source(page: &str) -> Option<String> {
    let escaped = ["&lt;rss", "&lt;feed", "&lt;rdf:RDF"];
    if !escaped
        .iter()
        .any(|root| markup::find(page, root).is_some())
    {
        return None;
    }
    let mut shown = String::with_capacity(page.len());
    let mut inside = false;
    for token in Tokens::new(page) {
        match token {
            MarkupToken::Start(tag) if tag.name.eq_ignore_ascii_case("pre") => inside = true,
            MarkupToken::End(name) if name.eq_ignore_ascii_case("pre") && inside => break,
            MarkupToken::Text(text) | MarkupToken::CData(text) => {
                shown.push_str(&entity::decode(text));
            }
            _ => {}
        }
    }
    Some(shown)
}

#[cfg(test)]
mod tests {
    use crate::feed::{Limits, parse};

    const FEED: &str = "<rss version=\"2.0\"><channel><title>Courier</title><item><title>Q&amp;A on the harbour</title>\
                        <link>https://n.example/a</link></item></channel></rss>";

    fn titles(page: &str) -> Vec<String> {
        let read = parse(
            page.as_bytes(),
            Some("text/html"),
            "https://n.example/",
            &Limits::default(),
        );
        let entries = read.map(|read| read.entries).unwrap_or_default();
        entries
            .into_iter()
            .filter_map(|entry| entry.title)
            .collect()
    }

    #[test]
    fn a_feed_that_was_shown_in_a_browser_is_read() {
        let escaped = FEED
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let coloured = escaped.replace("&lt;item", "<span class=t>&lt;item</span>");
        for page in [
            format!("<html><head></head><body><pre style=\"x\">{escaped}</pre></body></html>"),
            format!(
                "<!DOCTYPE html><html><body><pre>&lt;?xml version=\"1.0\"?&gt;{coloured}</pre><p>x</p></body></html>"
            ),
            format!(
                "<html><body><div id=\"webkit-xml-viewer-source-xml\">{FEED}</div></body></html>"
            ),
        ] {
            assert_eq!(titles(&page), ["Q&A on the harbour"], "{page}");
        }
        for page in [
            "<html><body><p>Use the tag <code>&lt;rss&gt;</code> for that.</p></body></html>",
            "<html><body><feedback>no</feedback></body></html>",
        ] {
            assert_eq!(titles(page), [""; 0], "{page}");
        }
    }
}
