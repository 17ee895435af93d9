use super::*;
use crate::domain::state::{Block, BlockKind};
use BlockKind::{Heading, ListItem, Paragraph, Quote, TableRow};

/// A page with all the furniture that a page has, and `body` as its text.
fn page(body: &str, noise: u32) -> String {
    let links: String = (0..30)
        .map(|at| format!("<li><a href='/t/{at}'>Topic number {at}</a></li>"))
        .collect();
    format!(
        r#"<!DOCTYPE html><html lang="en"><head><title>The bridge is closed | Example News</title>
        <meta property="og:title" content="The bridge is closed"><meta name="csrf" content="{noise:x}">
        <script>var t = {noise};</script></head><body><nav><ul>{links}</ul></nav>
        <div class="widget weather" id="u_{noise}_AD">Lisbon {noise}°C Sunny</div>
        <main><article class="post"><h1>The bridge is closed</h1>
        <p class="byline">By <a rel="author" href="/ann">Ann Lee</a> <time datetime="2026-11-20T08:00:00Z">20 Nov</time> <span>{noise} views</span></p>
        <ul class="share"><li><a href="https://share.example">Share on X</a></li></ul>
        <div class="entry-content" id="x{noise}">{body}</div>
        <div class="ad-slot"><p>Sponsored: {noise} percent off everything in the shop today</p></div></article>
        <aside><h2>Most read</h2><ol>{links}</ol><p>Sign up to get our daily briefing by e-mail, free of charge.</p></aside></main>
        <section class="related"><h2>Related stories</h2><div><a href="/r"><h3>Another story {noise}</h3></a><p>What the other story number {noise} says in one sentence.</p></div></section>
        <footer><p>© Example News {noise}</p></footer></body></html>"#
    )
}

const TEXT: &str = "<p>The bridge over the river was closed on Monday after <a href='/inspectors'>inspectors found cracks</a> in two of its pillars, the city said.</p>\
    <h2>What was found</h2><p>Engineers measured cracks of up to 12 millimetres, three times as wide as in the spring.</p>\
    <ul><li>Two pillars on the northern side</li><li>One bearing in the middle</li></ul>\
    <blockquote><p>“We had no choice,” said the mayor, who had asked for money in vain for six years.</p></blockquote>\
    <figure><img src=a><figcaption>The bridge in 2019. Photo: Example</figcaption></figure>\
    <div class='ad'>Advertisement: save 20 percent on insurance</div>\
    <table><tr><th>Year</th><th>Width</th></tr><tr><td>2025</td><td>4 mm</td></tr></table>\
    <p>It is not known when the bridge will open again. The work is to cost four million euros.</p>\
    <p>Correction: an earlier version of this article misstated the width of the cracks.</p>";

fn read(html: &str) -> Article {
    article(
        html.as_bytes(),
        Some("text/html; charset=utf-8"),
        Some("https://news.example/bridge"),
    )
}

#[test]
fn the_text_is_whole_and_nothing_else_is_in_it() {
    let article = read(&page(TEXT, 7));
    assert_eq!(article.kind, PageKind::Article);
    assert_eq!(article.title.as_deref(), Some("The bridge is closed"));
    assert_eq!(article.language.as_deref(), Some("en"));
    assert_eq!(article.state.byline.as_deref(), Some("Ann Lee"));
    assert_eq!(
        article.state.published.unwrap().to_rfc3339(),
        "2026-11-20T08:00:00Z"
    );
    let found: Vec<(BlockKind, &str)> = article
        .state
        .body
        .iter()
        .map(|block| (block.kind, block.text.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (
                Paragraph,
                "The bridge over the river was closed on Monday after inspectors found cracks in two of its pillars, the city said."
            ),
            (Heading, "What was found"),
            (
                Paragraph,
                "Engineers measured cracks of up to 12 millimetres, three times as wide as in the spring."
            ),
            (ListItem, "Two pillars on the northern side"),
            (ListItem, "One bearing in the middle"),
            (
                Quote,
                "“We had no choice,” said the mayor, who had asked for money in vain for six years."
            ),
            (TableRow, "Year | Width"),
            (TableRow, "2025 | 4 mm"),
            (
                Paragraph,
                "It is not known when the bridge will open again. The work is to cost four million euros."
            ),
            (
                Paragraph,
                "Correction: an earlier version of this article misstated the width of the cracks."
            ),
        ]
    );
}

#[test]
fn noise_around_the_text_changes_nothing() {
    let first = read(&page(TEXT, 1)).state;
    for noise in [2, 30, 456, 78_901] {
        assert_eq!(read(&page(TEXT, noise)).state, first);
    }
}

#[test]
fn every_edit_of_the_text_is_seen() {
    let first = read(&page(TEXT, 1)).state;
    for (old, new) in [
        ("12 millimetres", "21 millimetres"),
        ("two of its pillars", "three of its pillars"),
        ("is not known", "is known"),
        ("4 mm", "5 mm"),
        ("One bearing", "A bearing"),
        ("What was found", "What was not found"),
        ("no choice", "a choice"),
        ("inspectors found cracks", "inspectors found no cracks"),
    ] {
        let second = read(&page(&TEXT.replace(old, new), 1)).state;
        assert_ne!(second.body, first.body, "{old} → {new}");
    }
}

#[test]
fn explaining_and_reading_agree() {
    let html = page(TEXT, 3);
    let counted: Vec<Block> = explain(html.as_bytes(), None, None, &View::default())
        .into_iter()
        .filter(|explained| explained.counts)
        .map(|explained| explained.block)
        .collect();
    assert_eq!(counted, read(&html).state.body);
    let why = |text: &str| {
        let all = explain(html.as_bytes(), None, None, &View::default());
        all.into_iter()
            .find(|explained| explained.block.text.starts_with(text))
            .unwrap()
            .why
    };
    assert_eq!(
        why("The bridge in 2019"),
        "inside of an element marked as a caption"
    );
    assert_eq!(
        why("Advertisement: save"),
        "inside of an element marked as an advertisement"
    );
    assert_eq!(why("© Example"), "outside of the article");
}

#[test]
fn short_and_odd_pages_have_their_text() {
    for (html, text) in [
        (
            "<p>One sentence, and no more.</p>",
            "One sentence, and no more.",
        ),
        (
            "<div>Text without a paragraph.<br><br></div>",
            "Text without a paragraph.",
        ),
        (
            "plain text without any markup",
            "plain text without any markup",
        ),
        (
            "<article><p>日本語の短い記事です。</p></article>",
            "日本語の短い記事です。",
        ),
    ] {
        let article = read(html);
        let texts: Vec<&str> = article
            .state
            .body
            .iter()
            .map(|block| block.text.as_str())
            .collect();
        assert_eq!(texts, [text], "{html}");
        assert_eq!(article.kind, PageKind::Article);
    }
}

#[test]
fn a_page_in_another_character_set_is_read() {
    let html = "<meta charset=\"windows-1251\"><article><p>Мост закрыт с понедельника, сообщили в городе.</p></article>";
    let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(html);
    let article = article(&bytes, Some("text/html"), None);
    assert_eq!(
        article.state.body[0].text,
        "Мост закрыт с понедельника, сообщили в городе."
    );
}

/// Deep and misnested pages must not overflow the stack of a worker thread.
#[test]
fn hostile_pages_end_on_a_small_stack() {
    let pages = [
        "<div>".repeat(100_000),
        "<a><b><i>".repeat(20_000),
        "<table><tr><td>".repeat(5_000),
        "<ul><li>".repeat(20_000),
        "<p><b id=x><font>".repeat(5_000),
        "<".repeat(200_000),
        "&".repeat(200_000),
        "<noscript>".repeat(50_000),
    ];
    let worker = std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || {
            for html in &pages {
                let _ = read(&format!("{html}text of the page"));
            }
        });
    worker.unwrap().join().unwrap();
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn the_same_page_twice_is_the_same(html in "(<p>|</p>|<article>|<b>|</b>|<li>|<ul>|<table>|<td>|</table>|<div class=ad>|</div>|<h1>|</h1>|word |other |<a href=x>|</a>|&amp;|<){0,60}") {
        proptest::prop_assert_eq!(read(&html), read(&html));
    }
}
