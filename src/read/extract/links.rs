//! The feeds that a page names in its head.

use url::Url;

use super::fragment;
use super::markup::{MarkupToken, Tag, Tokens};

/// The most feeds that are taken from one page; a blog with a feed for every tag names hundreds.
const MOST: usize = 50;

/// The kind of feed that a link promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeedLinkKind {
    /// RSS or RDF.
    Rss,
    /// Atom.
    Atom,
    /// JSON Feed.
    Json,
}

/// A feed that a page names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedLink {
    /// Its address, absolute.
    pub url: String,
    /// The title that the page gives it.
    pub title: Option<String>,
    /// The kind of feed that it promises.
    pub kind: FeedLinkKind,
}

/// The feeds that a page names by `<link rel="alternate">`: each address once, in page order, feeds of comments
/// last. If a page does not name any, links to feeds in its body are returned.
#[must_use]
pub fn feed_links(html: &str, base: &str) -> Vec<FeedLink> {
    feed_links_after(Vec::new(), html, base)
}

/// Like [`feed_links`], but preceded by the feeds in the response header.
#[must_use]
pub fn feed_links_after(head: Vec<FeedLink>, html: &str, base: &str) -> Vec<FeedLink> {
    let mut base = Url::parse(base).ok();
    let mut named = head;
    let mut linked: Vec<FeedLink> = Vec::new();
    let mut tokens = Tokens::new(html);
    while let Some(token) = tokens.next() {
        let MarkupToken::Start(tag) = token else {
            continue;
        };
        let is = |name: &str| tag.name.eq_ignore_ascii_case(name);
        if is("script") || is("style") {
            tokens.raw_text(tag.name);
        } else if is("base") {
            let joined = tag
                .attribute("href")
                .and_then(|href| join(base.as_ref(), &href));
            base = joined.or(base);
        } else if is("link") {
            push(&mut named, alternate(&tag, base.as_ref()));
        } else if is("a") && linked.len() < MOST {
            push(&mut linked, anchor(&tag, base.as_ref()));
        }
    }
    if named.is_empty() {
        return linked;
    }
    named.sort_by_key(is_of_comments);
    named
}

/// The feeds that the value of a `Link` header names (RFC 8288), such as
/// `</feed>; rel=alternate; type=application/rss+xml`.
#[must_use]
pub fn header_links(value: &str, base: &str) -> Vec<FeedLink> {
    let base = Url::parse(base).ok();
    let mut links = Vec::new();
    for link in parts(value, ',') {
        let mut parts = parts(link, ';').into_iter();
        let target = parts.next().unwrap_or_default().trim();
        let target = target.strip_prefix('<').and_then(|it| it.strip_suffix('>'));
        let Some(target) = target else { continue };
        let (mut relation, mut kind, mut title) = (None, None, None);
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim().trim_matches('"').to_owned();
            let place = match name.trim().to_ascii_lowercase().as_str() {
                "rel" => &mut relation,
                "type" => &mut kind,
                "title" => &mut title,
                _ => continue,
            };
            place.get_or_insert(value);
        }
        let (relation, kind) = (relation.unwrap_or_default(), kind.unwrap_or_default());
        push(
            &mut links,
            named_feed(&relation, &kind, target, title.as_deref(), base.as_ref()),
        );
    }
    links
}

/// Splits a header at a separator, except inside `<…>` and `"…"`.
fn parts(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut bracketed) = (false, false);
    text.split(|letter: char| {
        match letter {
            '"' if !bracketed => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            letter => return letter == separator && !quoted && !bracketed,
        }
        false
    })
    .collect()
}

fn push(links: &mut Vec<FeedLink>, found: Option<FeedLink>) {
    if let Some(found) = found
        && links.len() < MOST
        && links.iter().all(|link| link.url != found.url)
    {
        links.push(found);
    }
}

fn alternate(tag: &Tag<'_>, base: Option<&Url>) -> Option<FeedLink> {
    named_feed(
        &tag.attribute("rel")?,
        &tag.attribute("type").unwrap_or_default(),
        &tag.attribute("href")?,
        tag.attribute("title").as_deref(),
        base,
    )
}

/// A link that says what it leads to.
fn named_feed(
    relation: &str,
    kind: &str,
    href: &str,
    title: Option<&str>,
    base: Option<&Url>,
) -> Option<FeedLink> {
    let relation = relation.to_ascii_lowercase();
    let kind = kind.to_ascii_lowercase();
    let mut relations = relation.split_ascii_whitespace();
    let feed = relations.clone().any(|relation| relation == "feed");
    if !feed && !relations.any(|relation| relation == "alternate") {
        return None;
    }
    let kind = match kind.split(';').next().unwrap_or("").trim() {
        "application/rss+xml" | "application/rdf+xml" | "text/rss" | "text/rss+xml" => {
            FeedLinkKind::Rss
        }
        "application/atom+xml" | "text/atom+xml" | "text/atom" => FeedLinkKind::Atom,
        "application/feed+json" => FeedLinkKind::Json,
        // WordPress also declares its API as application/json.
        "application/json" if !href.contains("/wp-json/") => FeedLinkKind::Json,
        "application/xml" | "text/xml" => FeedLinkKind::Rss,
        "" if feed => FeedLinkKind::Atom,
        _ => return None,
    };
    Some(FeedLink {
        url: join(base, href)?.into(),
        title: title.map(fragment::line).filter(|title| !title.is_empty()),
        kind,
    })
}

/// A link in the body whose address looks like a feed's.
fn anchor(tag: &Tag<'_>, base: Option<&Url>) -> Option<FeedLink> {
    let url = join(base, &tag.attribute("href")?)?;
    let path = url.path().trim_end_matches('/').to_ascii_lowercase();
    let file = path.rsplit('/').next().unwrap_or("");
    let kind = match file {
        "atom" | "atom.xml" => FeedLinkKind::Atom,
        "feed.json" => FeedLinkKind::Json,
        "rss" | "rss.xml" | "feed" | "feed.xml" | "feeds" | "index.rdf" | "rss2" | "index.rss" => {
            FeedLinkKind::Rss
        }
        file => match file.rsplit_once('.')?.1 {
            "rss" | "rdf" => FeedLinkKind::Rss,
            "atom" => FeedLinkKind::Atom,
            _ => return None,
        },
    };
    Some(FeedLink {
        url: url.into(),
        title: None,
        kind,
    })
}

fn join(base: Option<&Url>, address: &str) -> Option<Url> {
    let address = address.trim();
    // `feed:` and `feed://` mean "open this with a feed reader".
    let address = address.strip_prefix("feed://").map_or_else(
        || address.strip_prefix("feed:").unwrap_or(address).to_owned(),
        |rest| format!("http://{rest}"),
    );
    let url = match base {
        Some(base) => base.join(&address).ok()?,
        None => Url::parse(&address).ok()?,
    };
    matches!(url.scheme(), "http" | "https").then_some(url)
}

fn is_of_comments(link: &FeedLink) -> bool {
    let title = link.title.as_deref().unwrap_or("").to_lowercase();
    link.url.contains("/comments") || title.contains("comment")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_an_answer_names_feeds() {
        let value = "<https://c.example/a,b;c>; rel=\"alternate home\"; type=\"application/atom+xml\"; \
                     title=\"A, <b>\", </style.css>; rel=preload, </feed>;REL=Alternate ;type=application/rss+xml, \
                     </wp-json/>; rel=alternate; type=application/json, </x>; rel=\"alternate\"; hreflang=de, broken";
        let links = header_links(value, "https://e.example/page");
        let urls: Vec<&str> = links.iter().map(|link| link.url.as_str()).collect();
        assert_eq!(urls, ["https://c.example/a,b;c", "https://e.example/feed"]);
        assert_eq!(links[0].title.as_deref(), Some("A,"));
        for odd in [
            "",
            "<",
            "<>;rel",
            "\"<\";=",
            ";;,,==",
            "<javascript:x>; rel=feed",
        ] {
            assert!(header_links(odd, "https://e.example/").len() <= 1, "{odd}");
        }
        let html = "<link rel=alternate type=application/rss+xml href=/feed><a href=/rss>x</a>";
        let all = feed_links_after(links, html, "https://e.example/page");
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn feeds_are_found_where_pages_name_them() {
        let html = r#"<head><base href="/x/"><link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed/">
            <LINK REL='alternate stylesheet' HREF=a.css><link rel="alternate" type="application/rss+xml" title="News &amp; more" href="rss.xml?a=1&amp;b=2">
            <link rel="alternate" hreflang="de" href="/de"><link rel="alternate" type="application/json" href="https://e.example/wp-json/wp/v2/posts/1">
            <link rel=alternate type=application/feed+json href=//cdn.example/feed.json></head><a href="/other.rss">x</a>"#;
        let found = feed_links(html, "https://e.example/page");
        let found: Vec<(&str, Option<&str>, FeedLinkKind)> = found
            .iter()
            .map(|link| (link.url.as_str(), link.title.as_deref(), link.kind))
            .collect();
        assert_eq!(
            found,
            [
                (
                    "https://e.example/x/rss.xml?a=1&b=2",
                    Some("News & more"),
                    FeedLinkKind::Rss
                ),
                ("https://cdn.example/feed.json", None, FeedLinkKind::Json),
                (
                    "https://e.example/comments/feed/",
                    Some("Comments"),
                    FeedLinkKind::Rss
                ),
            ]
        );
    }

    #[test]
    fn links_in_the_body_count_when_the_head_names_none() {
        let found = feed_links(
            "<a href='/feed/'>RSS</a><a href='feed://e.example/atom.xml'>A</a><a href='javascript:x'>no</a>",
            "https://e.example/",
        );
        let found: Vec<&str> = found.iter().map(|link| link.url.as_str()).collect();
        assert_eq!(
            found,
            ["https://e.example/feed/", "http://e.example/atom.xml"]
        );
    }
}
