//! A revision as a Markdown page: the file whose history `export git` writes.

use std::fmt::Write as _;

use crate::domain::state::{Block, BlockKind, EntryState};
use crate::report::clean;

/// The text of a revision. A block is one line, so that a line diff shows the paragraph that changed.
pub(super) fn markdown(state: &EntryState) -> String {
    let mut out = String::new();
    let page = state.page.as_ref();
    let feed = state.feed.as_ref();
    if let Some(kicker) = page.and_then(|page| page.kicker.as_deref()) {
        put(&mut out, "", kicker);
    }
    let headline = page.and_then(|page| page.headline()).or(state.title());
    put(&mut out, "# ", headline.unwrap_or("(no headline)"));
    if let Some(standfirst) = state.standfirst() {
        put(&mut out, "> ", standfirst);
    }
    if let Some(byline) = state.byline() {
        put(&mut out, "By ", byline);
    }
    if let Some(document) = page.and_then(|page| page.document.as_ref()) {
        let what = format!(
            "{}, {} bytes, SHA-256 {}",
            document.media_type, document.bytes, document.sha256
        );
        put(&mut out, "Document: ", &what);
    }
    blocks(&mut out, page.map_or(&[], |page| &page.body));
    if let Some(feed) = feed {
        if page.is_some() {
            put(&mut out, "## ", "In the feed");
            if let Some(title) = feed
                .title
                .as_deref()
                .filter(|title| Some(*title) != headline)
            {
                put(&mut out, "Headline: ", title);
            }
        }
        blocks(&mut out, &feed.summary);
        blocks(&mut out, &feed.body);
    }
    out
}

fn blocks(out: &mut String, blocks: &[Block]) {
    for block in blocks {
        let mark = match block.kind {
            BlockKind::Heading => "## ",
            BlockKind::ListItem => "- ",
            BlockKind::Quote => "> ",
            BlockKind::Caption => "Caption: ",
            BlockKind::Code => {
                for line in block.text.lines() {
                    let _ = writeln!(out, "    {}", clean::line(line));
                }
                out.push('\n');
                continue;
            }
            // It is not part of the article and would show as a change that did not happen.
            BlockKind::Furniture => continue,
            BlockKind::Paragraph | BlockKind::TableRow => "",
        };
        put(out, mark, &block.text);
    }
}

fn put(out: &mut String, mark: &str, text: &str) {
    let _ = writeln!(out, "{mark}{}\n", clean::line(text));
}
