use super::*;
use crate::domain::state::{Block, BlockKind};
use BlockKind::{Caption, Heading, ListItem, Paragraph, Quote, TableRow};

/// A page with all the usual furniture, and `body` as its text.
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
            (Caption, "The bridge in 2019. Photo: Example"),
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
    let counted: Vec<Block> = explain(html.as_bytes(), None, None, &PageSelectors::default())
        .into_iter()
        .filter(|explained| explained.role.is_text())
        .map(|explained| explained.block)
        .collect();
    assert_eq!(counted, read(&html).state.body);
    let role = |text: &str| {
        let all = explain(html.as_bytes(), None, None, &PageSelectors::default());
        let mut all = all.into_iter();
        let found = all.find(|explained| explained.block.text.starts_with(text));
        found.unwrap().role
    };
    assert_eq!(role("The bridge in 2019"), Role::Caption);
    assert_eq!(role("Advertisement: save"), Role::Promotion);
    assert!(!role("© Example").is_watched());
    assert_eq!(role("The bridge is closed"), Role::Headline);
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

/// Deeply or wrongly nested pages must not overflow the stack of a worker thread.
#[test]
fn hostile_pages_end_on_a_small_stack() {
    let pages = [
        "<div>".repeat(100_000),
        "<a><b><i>".repeat(20_000),
        "<table><tr><td>".repeat(5_000),
        "<ul><li>".repeat(5_000),
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

/// The texts of the blocks that are read from a page with this body.
fn texts(body: &str) -> Vec<String> {
    let blocks = read(&page(body, 7)).state.body;
    blocks.into_iter().map(|block| block.text).collect()
}

/// Sentences that every extractor takes for an article.
fn prose(part: &str) -> String {
    (1..=4)
        .map(|at| {
            format!(
                "<p>In part {part} of the report, on page {at}, the engineers describe how they measured the bridge, what \
                 they found in its pillars, and why the city was not told before the winter.</p>"
            )
        })
        .collect()
}

#[test]
fn a_list_of_places_in_the_page_is_no_text_and_a_named_place_is_no_link() {
    let tabs = "<div><a href='#a'>What was found in the spring</a></div><div><a href='#b'>What was found in the autumn</a></div>\
        <div><a href='#c'>What is to be done about it</a></div>";
    let named: String = ["a", "b", "c"]
        .map(|name| {
            format!("<p><a name={name}></a>This is what the engineers wrote in chapter {name} of their report on the bridge.</p>")
        })
        .concat();
    let texts = texts(&format!("{}{tabs}{named}{}", prose("one"), prose("two")));
    assert!(
        !texts.iter().any(|text| text.starts_with("What ")),
        "{texts:?}"
    );
    assert_eq!(
        texts.iter().filter(|text| text.contains("chapter")).count(),
        3,
        "{texts:?}"
    );
}

#[test]
fn a_label_goes_with_the_links_below_it() {
    let links = "<p>More reading</p><ul><li><a href=/x>The river in the spring, and what it carries</a></li>\
        <li><a href=/y>The other bridge of the city, and who paid for it</a></li></ul>";
    let texts = texts(&format!("{}{links}{}", prose("one"), prose("two")));
    assert_eq!(texts.len(), 8, "{texts:?}");
}

#[test]
fn an_item_that_is_half_a_link_stays_with_its_list() {
    let list = "<p>We handle what you tell us:</p><ul>\
        <li>as needed to keep to our <a href=/terms>terms and conditions of the service</a> or our <a href=/more>further terms of the service</a>;</li>\
        <li>with your consent, which you can take back at any time, as the law of the country says;</li>\
        <li>as needed to keep to the duties that the law of the country puts upon us;</li></ul>";
    let texts = texts(&format!("{}{list}{}", prose("one"), prose("two")));
    assert!(
        texts
            .iter()
            .any(|text| text.starts_with("as needed to keep to our")),
        "{texts:?}"
    );
}

#[test]
fn a_note_above_the_text_belongs_to_it() {
    let html = format!(
        "<!DOCTYPE html><html><head><title>Rules of the service</title></head><body><nav><a href=/>Home</a></nav>\
         <div class=page><div class=top>Rules of the service of the city</div>\
         <div class=note>We have updated our rules. <a href=/new>Read them here</a>.</div><div class=rest>{}{}</div></div></body></html>",
        prose("one"),
        prose("two")
    );
    let blocks = read(&html).state.body;
    assert_eq!(blocks.len(), 9, "{blocks:?}");
    assert_eq!(blocks[0].text, "We have updated our rules. Read them here.");
}
