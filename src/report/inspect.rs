//! The output of `inspect feed` and `inspect article`.
//!
//! The JSON forms are a contract (design §5): members may be added, but none may change its meaning.

use std::fmt::Write as _;

use serde::Serialize;

use super::clean;
use crate::domain::state::{Block, BlockKind, Document, FeedState, Link};
use crate::extract::{Article, Explained, TextSource};
use crate::feed::{ParsedFeed, Repair};
use crate::time::Timestamp;

/// `inspect feed --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeedJson {
    /// The feed's title.
    pub title: Option<String>,
    /// `rss`, `atom`, `rdf` or `json`.
    pub format: &'static str,
    /// The site that the feed belongs to.
    pub home: Option<String>,
    /// Names of the repairs that were needed.
    pub repairs: Vec<Repair>,
    /// The entries, in the order of the feed.
    pub entries: Vec<FeedEntryJson>,
    /// Entries over the limit that were left out.
    pub dropped: usize,
}

/// One entry of `inspect feed --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeedEntryJson {
    /// The guid as given by the feed.
    pub id: Option<String>,
    /// The article's address.
    pub url: Option<String>,
    /// The headline.
    pub title: Option<String>,
    /// The authors.
    pub author: Option<String>,
    /// The claimed date of publication.
    pub published: Option<Timestamp>,
    /// The claimed date of the last update.
    pub updated: Option<Timestamp>,
    /// The description: block texts joined by blank lines.
    pub summary_text: Option<String>,
    /// The full text: block texts joined by blank lines.
    pub content_text: Option<String>,
}

/// `inspect article --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArticleJson {
    /// The headline.
    pub title: Option<String>,
    /// The line above the headline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kicker: Option<String>,
    /// The sentences under the headline.
    pub standfirst: Option<String>,
    /// The authors.
    pub byline: Option<String>,
    /// The claimed date of publication.
    pub published: Option<Timestamp>,
    /// The claimed date of the last change.
    pub modified: Option<Timestamp>,
    /// The canonical address.
    pub canonical_url: Option<String>,
    /// The language that the page claims.
    pub language: Option<String>,
    /// What the page is.
    pub kind: &'static str,
    /// Why it is not an article, with the phrase that shows it, or why a document has no text; absent for an
    /// article.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The document, if it is not a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    /// Where the text was found: `html`, `json_ld`, `page_data`, or the element whose fallback it is (`noscript`
    /// …).
    pub source: &'static str,
    /// The blocks of the text.
    pub blocks: Vec<BlockJson>,
    /// Block texts joined by blank lines.
    pub text: String,
    /// The links in the text: words and address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Whether the page was longer than the limit for reading.
    pub truncated: bool,
}

/// One block of `inspect article --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlockJson {
    /// `paragraph`, `heading`, `list_item`, `quote`, `caption`, `table_row`, `code`, `furniture`.
    pub kind: BlockKind,
    /// The text.
    pub text: String,
}

/// The JSON form of a feed.
#[must_use]
pub fn feed_json(feed: &ParsedFeed) -> FeedJson {
    FeedJson {
        title: feed.title.clone(),
        format: feed.format.as_str(),
        home: feed.home.clone(),
        repairs: feed.repairs.clone(),
        entries: feed.entries.iter().map(entry_json).collect(),
        dropped: feed.dropped,
    }
}

fn entry_json(entry: &FeedState) -> FeedEntryJson {
    FeedEntryJson {
        id: entry.guid.clone(),
        url: entry.address.clone(),
        title: entry.title.clone(),
        author: entry.byline.clone(),
        published: entry.published,
        updated: entry.updated,
        summary_text: joined(&entry.summary),
        content_text: joined(&entry.body),
    }
}

/// The JSON form of an article page.
#[must_use]
pub fn article_json(article: &Article) -> ArticleJson {
    let state = &article.state;
    ArticleJson {
        title: article.title.clone(),
        kicker: state.kicker.clone(),
        standfirst: state.standfirst.clone(),
        byline: state.byline.clone(),
        published: state.published,
        modified: state.modified,
        canonical_url: state.canonical.clone(),
        language: article.language.clone(),
        kind: article.kind.as_str(),
        reason: reason(article),
        document: state.document.clone(),
        source: article.source.as_str(),
        blocks: state
            .body
            .iter()
            .map(|block| BlockJson {
                kind: block.kind,
                text: block.text.clone(),
            })
            .collect(),
        text: joined(
            state
                .body
                .iter()
                .filter(|block| block.kind != BlockKind::Caption),
        )
        .unwrap_or_default(),
        links: state.links.clone(),
        truncated: article.truncated,
    }
}

/// Why a page is not an article, or a document has no text.
fn reason(article: &Article) -> Option<String> {
    if article.no_text.is_some() {
        return article.no_text.clone();
    }
    let notice = article.kind.notice()?;
    Some(match article.said {
        Some(phrase) => format!("{notice}: “{phrase}”"),
        None => notice.to_owned(),
    })
}

/// `inspect article --explain --json`: the article, and all blocks of the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedJson {
    /// The article.
    #[serde(flatten)]
    pub article: ArticleJson,
    /// All blocks of the page, those removed from it last.
    pub explained: Vec<ExplainedBlock>,
}

/// A block, and why it does or does not count.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedBlock {
    /// As in the article's blocks.
    pub kind: BlockKind,
    /// The text.
    pub text: String,
    /// Its role in the article: `text`, `standfirst`, `caption`, `navigation` …
    pub role: &'static str,
    /// Whether it is compared.
    pub counts: bool,
    /// Why, for people.
    pub why: String,
}

/// The JSON form of an article page with all of its blocks.
#[must_use]
pub fn explained_json(article: ArticleJson, explained: &[Explained]) -> ExplainedJson {
    let explained = explained.iter().map(|explained| ExplainedBlock {
        kind: explained.block.kind,
        text: explained.block.text.clone(),
        role: explained.role.as_str(),
        counts: explained.counts,
        why: explained.why.clone(),
    });
    ExplainedJson {
        article,
        explained: explained.collect(),
    }
}

/// All blocks of a page for people: a sign, the reason, the text.
#[must_use]
pub fn explained_text(explained: &[Explained]) -> String {
    let mut out = String::new();
    for explained in explained {
        let sign = if explained.counts { '+' } else { '-' };
        let text = clean::excerpt(&explained.block.text, 100);
        let why = clean::line(&explained.why);
        // Writing to a String cannot fail.
        let role = explained.role.as_str();
        let _ = writeln!(out, "{sign} {role}: {why}\n    {text}");
    }
    let counting = explained.iter().filter(|block| block.counts).count();
    let _ = writeln!(
        out,
        "{counting} of {} blocks are part of the article",
        explained.len()
    );
    out
}

/// Block texts joined by blank lines; `None` if there is no text.
fn joined<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> Option<String> {
    let texts: Vec<&str> = blocks
        .into_iter()
        .map(|block| block.text.as_str())
        .collect();
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}

/// A feed for people: a header, then a line or two per entry.
#[must_use]
pub fn feed_text(feed: &ParsedFeed) -> String {
    let mut out = String::new();
    line(&mut out, "title", feed.title.as_deref());
    line(&mut out, "format", Some(feed.format.as_str()));
    line(&mut out, "site", feed.home.as_deref());
    let repairs: Vec<&str> = feed.repairs.iter().map(|repair| repair.as_str()).collect();
    let repairs = repairs.join(", ");
    line(
        &mut out,
        "repairs",
        Some(&repairs)
            .filter(|names| !names.is_empty())
            .map(String::as_str),
    );
    line(&mut out, "entries", Some(&feed.entries.len().to_string()));
    for entry in &feed.entries {
        out.push('\n');
        let title = entry.title.as_deref().unwrap_or("(no title)");
        out.push_str(&clean::line(title));
        out.push('\n');
        let published = entry.published.map(Timestamp::to_rfc3339);
        let updated = entry.updated.map(Timestamp::to_rfc3339);
        line(&mut out, "  address", entry.address.as_deref());
        line(&mut out, "  guid", entry.guid.as_deref());
        line(&mut out, "  author", entry.byline.as_deref());
        line(&mut out, "  published", published.as_deref());
        line(&mut out, "  updated", updated.as_deref());
        line(&mut out, "  summary", counted(&entry.summary).as_deref());
        line(&mut out, "  text", counted(&entry.body).as_deref());
    }
    out
}

/// An article page for people: a header, then the text.
#[must_use]
pub fn article_text(article: &Article) -> String {
    let mut out = String::new();
    let state = &article.state;
    let published = state.published.map(Timestamp::to_rfc3339);
    let modified = state.modified.map(Timestamp::to_rfc3339);
    line(&mut out, "kind", Some(article.kind.as_str()));
    line(&mut out, "reason", reason(article).as_deref());
    line(&mut out, "kicker", state.kicker.as_deref());
    line(&mut out, "title", article.title.as_deref());
    line(&mut out, "standfirst", state.standfirst.as_deref());
    line(&mut out, "by", state.byline.as_deref());
    line(&mut out, "published", published.as_deref());
    line(&mut out, "modified", modified.as_deref());
    line(&mut out, "canonical", state.canonical.as_deref());
    if let Some(document) = &state.document {
        let Document {
            media_type,
            bytes,
            sha256,
            ..
        } = document;
        let known = format!("{media_type}, {bytes} bytes, SHA-256 {sha256}");
        line(&mut out, "document", Some(&known));
    }
    line(&mut out, "text", counted(&state.body).as_deref());
    if article.source != TextSource::Html {
        line(&mut out, "source", Some(article.source.as_str()));
    }
    for block in &state.body {
        out.push('\n');
        out.push_str(match block.kind {
            BlockKind::Heading => "# ",
            BlockKind::ListItem => "- ",
            BlockKind::Quote => "> ",
            BlockKind::Caption => "[caption] ",
            BlockKind::Furniture => "[furniture] ",
            BlockKind::Paragraph | BlockKind::TableRow | BlockKind::Code => "",
        });
        out.push_str(&clean::lines(&block.text));
        out.push('\n');
    }
    for (at, link) in state.links.iter().enumerate() {
        if at == 0 {
            out.push('\n');
        }
        let (words, address) = (clean::line(&link.words), clean::address(&link.address));
        // Writing to a String cannot fail.
        let _ = writeln!(out, "[link] {words} → {address}");
    }
    out
}

fn line(out: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        out.push_str(name);
        out.push_str(": ");
        out.push_str(&clean::line(value));
        out.push('\n');
    }
}

/// `2 blocks, 61 words`.
fn counted(blocks: &[Block]) -> Option<String> {
    let words: usize = blocks
        .iter()
        .map(|block| block.text.split_whitespace().count())
        .sum();
    let plural = if blocks.len() == 1 { "" } else { "s" };
    (!blocks.is_empty()).then(|| format!("{} block{plural}, {words} words", blocks.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract;
    use crate::feed::{self, Limits};

    const FEED: &str = "<rss><channel><title>T</title><item><title>A &amp; B</title><guid>g</guid>\
        <link>https://e.example/1</link><author>a@b.c (Ann)</author><pubDate>Mon, 23 Nov 2026 10:04:12 GMT</pubDate>\
        <description>&lt;p&gt;one&lt;/p&gt;&lt;p&gt;two three&lt;/p&gt;</description></item></channel></rss>";

    fn feed() -> ParsedFeed {
        feed::parse(
            FEED.as_bytes(),
            None,
            "https://e.example/rss",
            &Limits::default(),
        )
        .unwrap()
    }

    #[test]
    fn the_machine_form_of_a_feed_is_the_contract() {
        let json = serde_json::to_value(feed_json(&feed())).unwrap();
        let expected = serde_json::json!({
            "title": "T", "format": "rss", "home": null, "repairs": ["rss-version"], "dropped": 0,
            "entries": [{
                "id": "g", "url": "https://e.example/1", "title": "A & B", "author": "Ann",
                "published": "2026-11-23T10:04:12Z", "updated": null,
                "summary_text": "one\n\ntwo three", "content_text": null,
            }],
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn the_machine_form_of_an_article_is_the_contract() {
        let html = "<html lang=en><head><link rel=canonical href=/c></head><body><article><h1>Head</h1>\
            <p>One sentence of the text.</p><ul><li>first item of it</li></ul></article></body></html>";
        let article = extract::article(html.as_bytes(), None, Some("https://e.example/x"));
        let json = serde_json::to_value(article_json(&article)).unwrap();
        let expected = serde_json::json!({
            "title": "Head", "standfirst": null, "byline": null, "published": null, "modified": null,
            "canonical_url": "https://e.example/c", "language": "en", "kind": "article", "source": "html", "truncated": false,
            "blocks": [
                {"kind": "paragraph", "text": "One sentence of the text."},
                {"kind": "list_item", "text": "first item of it"},
            ],
            "text": "One sentence of the text.\n\nfirst item of it",
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn people_get_a_head_and_the_entries() {
        let text = feed_text(&feed());
        assert_eq!(
            text,
            "title: T\nformat: rss\nrepairs: rss-version\nentries: 1\n\nA & B\n  address: https://e.example/1\n  guid: g\n  \
             author: Ann\n  published: 2026-11-23T10:04:12Z\n  summary: 2 blocks, 3 words\n"
        );
    }
}
