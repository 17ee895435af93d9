use proptest::prelude::*;

use super::has;
use crate::extract::{PageKind, PageSelectors, article, article_under};

fn check(html: &str, kind: PageKind) {
    assert_eq!(article(html.as_bytes(), None, None).kind, kind, "{html}");
}

#[test]
fn walls_and_notices_are_no_articles() {
    check(
        "<html><body><p>Please log in.</p></body></html>",
        PageKind::Paywall,
    );
    check(
        "<title>Page not found - Example</title><h1>Oops!</h1><p>The page that you are looking for is not here. Try a search?</p>",
        PageKind::Soft404,
    );
    check(
        "<title>Just a moment...</title><h1>news.example</h1><p>Verifying you are human. This may take a few seconds.</p>",
        PageKind::BotCheck,
    );
    check(
        "<title>News</title><div><h2>Before you continue</h2><p>We use cookies and data to deliver services, and with our partners to show ads.</p><button>Accept all</button></div>",
        PageKind::Consent,
    );
    check(
        "<h1>Minister resigns</h1><p>The minister has resigned.</p><div>Subscribe to continue reading. Already a subscriber? Log in</div>",
        PageKind::Paywall,
    );
    check(
        "<html><body><img src=a><nav><a href=/>Home</a></nav></body></html>",
        PageKind::NoText,
    );
    check("", PageKind::NoText);
}

#[test]
fn an_article_is_an_article_whatever_stands_around_it() {
    let text = "<p>The committee met on Monday and agreed on a new plan for the harbour, which is to be built over five years.</p>".repeat(8);
    for around in [
        "<div>We use cookies. Accept all</div>",
        "<div>Already a subscriber? Please log in</div>",
        "<div>404 page not found</div>",
        "<title>Just a moment: how the captcha began</title>",
    ] {
        check(
            &format!("{around}<article><h1>Plan agreed</h1>{text}</article>"),
            PageKind::Article,
        );
    }
    check(
        "<article><h1>Bank closes 404 branches</h1><p>The bank said on Monday that it will close 404 branches by June.</p></article>",
        PageKind::Article,
    );
    check(
        "<article><h1>Missing girl not found after three days</h1><p>The police said that the search would go on.</p></article>",
        PageKind::Article,
    );
    check(
        "<article><h1>Short</h1><p>A short note of one sentence.</p></article>",
        PageKind::Article,
    );
}

/// The rows of a table, split at tabs.
fn table(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split('\t').collect())
}

fn kind_under(html: &str, headline: Option<&str>) -> PageKind {
    article_under(
        html.as_bytes(),
        None,
        None,
        &PageSelectors::default(),
        headline,
    )
    .kind
}

#[test]
fn a_short_article_is_an_article_in_whatever_language_and_layout() {
    let articles = include_str!("../../../../tests/fixtures/kinds/articles.tsv");
    let banner = "<div class=cc><p>We use cookies and share data with our partners to show you what you may like.</p>\
                  <button>Accept all</button><button>Reject all</button></div>";
    let mut wrong = Vec::new();
    for row in table(articles) {
        let [language, title, text] = row[..] else {
            panic!("{row:?}");
        };
        let head = format!("<html lang={language}><head><title>{title} - Courier</title>");
        let typed = "<meta property=og:type content=article>";
        let plain = format!("</head><body><h1>{title}</h1><p>{text}</p></body></html>");
        let framed = format!(
            "</head><body><header><a href=/>Courier</a> <a href=/login>Please log in</a></header><div><div><h1>{title}</h1>\
             <div>{text}</div></div></div><footer>Subscribe to continue. © 2026 Courier</footer></body></html>"
        );
        let asked = format!(
            "</head><body><main><h1>{title}</h1><p>{text}</p></main>{banner}</body></html>"
        );
        for (layout, html, headline) in [
            ("plain", format!("{head}{plain}"), None),
            ("known", format!("{head}{plain}"), Some(title)),
            ("typed", format!("{head}{typed}{plain}"), None),
            ("framed", format!("{head}{framed}"), Some(title)),
            ("asked", format!("{head}{typed}{asked}"), Some(title)),
        ] {
            let kind = kind_under(&html, headline);
            if kind != PageKind::Article {
                wrong.push(format!("{layout} {kind:?}: {title}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn notices_are_told_with_and_without_a_headline() {
    let notices = include_str!("../../../../tests/fixtures/kinds/notices.tsv");
    for row in table(notices) {
        let [kind, language, title, text] = row[..] else {
            panic!("{row:?}");
        };
        let html = format!(
            "<html lang={language}><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>"
        );
        for headline in [None, Some("Council votes for a bridge")] {
            assert_eq!(kind_under(&html, headline).as_str(), kind, "{html}");
        }
    }
}

#[test]
fn a_page_of_menus_and_a_footer_has_no_text() {
    for body in [
        "<div id=root></div><footer><p>Copyright 2026 The Courier. All rights reserved.</p></footer>",
        "<nav><ul><li><a href=/>Start</a></li></ul></nav><div id=app></div><p>© 2026 Der Kurier, alle Rechte vorbehalten</p>",
        "<div class='site-footer'><p>Kontakt, Impressum und Datenschutz des Verlags in Bern</p></div>",
        "<div role=contentinfo>お問い合わせ | 利用規約 | 会社概要 © 2026</div>",
        "",
    ] {
        let html = format!("<html><head><title>Bridge</title></head><body>{body}</body></html>");
        let read = article(html.as_bytes(), None, None);
        assert_eq!(read.kind, PageKind::NoText, "{html}");
        assert!(read.state.body.is_empty(), "{html}");
    }
    // A note in the footer of the article is part of its text.
    let html = "<article><h1>Bridge</h1><footer><p>The bridge over the river is closed until Friday, said the council.</p></footer></article>";
    assert_eq!(kind_under(html, None), PageKind::Article);
}

#[test]
fn a_list_of_stories_is_seen_by_its_headings() {
    let card = |at: usize| {
        format!(
            "<h2><a href=/n/{at}>Story number {at}</a></h2><p>Something happened in the town today.</p>"
        )
    };
    let front: String = (0..6).map(card).collect();
    assert!(article(front.as_bytes(), None, None).is_listing);
    let story = format!(
        "<article><h1>One</h1><h2>First</h2><p>Text.</p><h2>Second</h2><h2>Third</h2>{}</article>",
        card(1)
    );
    assert!(!article(story.as_bytes(), None, None).is_listing);
}

#[test]
fn phrases_are_whole_words() {
    assert!(has("error 404 again", "404") && has("404", "404"));
    assert!(!has("cve-2023-34048", "404") && !has("4040", "404"));
    assert!(has("die zustimmung", "zustimm") && !has("bezustimmung", "zustimm"));
    assert!(has("这个页面不存在了", "页面不存在"));
}

proptest! {
    #[test]
    fn any_page_is_something(html in "(<p>|</p>|<h1>|<h2>|<a href=x>|</a>|<nav>|</nav>|<footer>|404|not found|accept|we use cookies| |\\.|©|2026|字){0,40}", headline in proptest::option::of("[a-z0-9 ]{0,8}")) {
        let read = article_under(html.as_bytes(), None, None, &PageSelectors::default(), headline.as_deref());
        prop_assert!(read.kind != PageKind::NoText || read.state.body.is_empty());
    }
}
