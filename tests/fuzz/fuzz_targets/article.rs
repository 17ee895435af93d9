//! Any bytes as an article page, as HTML in a feed, and as a site that links to feeds.

#![no_main]

use libfuzzer_sys::fuzz_target;
use revisor_core::domain::state::{Block, BlockKind};
use revisor_read::extract::{PageSelectors, article, explain, feed_html, feed_links};

const PAGE: &str = "https://news.example/2026/11/a.html";

/// Checks what all later steps rely on.
fn check(blocks: &[Block]) {
    for block in blocks {
        assert!(!block.text.trim().is_empty(), "an empty block");
        let lines = block.text.contains('\n') && block.kind != BlockKind::Code;
        assert!(!lines, "a block of several lines: {block:?}");
    }
}

fuzz_target!(|data: &[u8]| {
    let page = article(data, Some("text/html"), Some(PAGE));
    check(&page.state.body);
    let again = article(data, Some("text/html"), Some(PAGE));
    assert!(
        again.state == page.state && again.kind == page.kind,
        "the same bytes are the same page"
    );
    let _ = explain(data, Some("text/html"), Some(PAGE), &PageSelectors::default());
    let text = String::from_utf8_lossy(data);
    check(&feed_html::blocks(&text));
    check(&feed_html::plain_blocks(&text));
    let _ = feed_links(&text, PAGE);
});
