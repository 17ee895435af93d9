use proptest::prelude::*;
use serde_json::json;

use crate::extract::{PageKind, TextSource, article};

const TITLES: [&str; 3] = [
    "Old mill bridge to close",
    "Alte Mühlenbrücke wird gesperrt",
    "古い橋が閉鎖される",
];

fn paragraphs(title: &str) -> Vec<String> {
    let one = match title {
        "Old mill bridge to close" => {
            "The council said on Monday that the bridge will be closed to all traffic, after engineers found cracks in 2 of its piers."
        }
        "Alte Mühlenbrücke wird gesperrt" => {
            "Der Rat teilte am Montag mit, dass die Brücke für den Verkehr gesperrt wird, weil in 2 der Pfeiler Risse gefunden wurden."
        }
        _ => {
            "市議会は月曜日に、二本の橋脚にひびが見つかったため、古い橋を全面的に通行止めにすると発表した。工事は夏まで続く見込みである。"
        }
    };
    (1..=4).map(|at| format!("{one} ({at})")).collect()
}

/// Page shells of several kinds that contain the same text.
fn shells(title: &str) -> Vec<(&'static str, String)> {
    let texts = paragraphs(title);
    let html: String = texts.iter().map(|text| format!("<p>{text}</p>")).collect();
    let stories = json!([
        {"title": "Another story of the day in town", "url": "/n/1", "summary": "A long summary of another story, which has nothing to do with this one, and which goes on for a while to be as long as a paragraph is."},
        {"title": "A third story of the same day", "url": "/n/2", "summary": "A long summary of a third story, which has nothing to do with this one, and which goes on for a while to be as long as a paragraph is."},
        {"title": "A fourth story of the same day", "url": "/n/3", "summary": "A long summary of a fourth story, which has nothing to do with this one, and which goes on for a while to be as long as a paragraph is."}
    ]);
    let labels = json!({"login": "Log in", "cookies": "We use cookies", "share": "Share this story with your friends"});
    let page = |id: &str, data: serde_json::Value| {
        format!(
            "<div id=root></div><script id={id} type=application/json>{data}</script><footer>© 2026 Courier</footer>"
        )
    };
    let nodes: Vec<_> = texts
        .iter()
        .map(|text| json!({"type": "paragraph", "text": text}))
        .collect();
    let tree: Vec<_> = texts
        .iter()
        .map(|text| {
            let (a, b) = text.split_at(text.char_indices().nth(9).unwrap().0);
            json!({"type": "paragraph", "content": [
                {"type": "text", "text": a}, {"type": "text", "marks": [{"type": "strong"}], "text": b}]})
        })
        .collect();
    let rich: Vec<_> = texts
        .iter()
        .map(|text| json!({"nodeType": "paragraph", "data": {}, "content": [{"nodeType": "text", "value": text, "marks": []}]}))
        .collect();
    let state =
        json!({"article": {"headline": title, "bodyHtml": html}, "more": stories}).to_string();
    let escaped = serde_json::to_string(&state).unwrap();
    vec![
        (
            "nodes",
            page(
                "__NEXT_DATA__",
                json!({"props": {"pageProps": {"article": {"title": title, "body": nodes}, "related": stories}}, "labels": labels}),
            ),
        ),
        (
            "tree",
            page(
                "x",
                json!({"doc": {"title": title, "content": {"type": "doc", "content": tree}}}),
            ),
        ),
        (
            "rich",
            page(
                "x",
                json!({"entry": {"fields": {"name": title, "body": {"nodeType": "document", "content": rich}}}}),
            ),
        ),
        (
            "strings",
            page("x", json!({"a": {"t": title, "p": texts}, "z": stories})),
        ),
        (
            "html",
            page(
                "x",
                json!({"post": {"title": {"rendered": title}, "content": {"rendered": html}}, "labels": labels}),
            ),
        ),
        (
            "assigned",
            format!("<div id=app></div><script>window.__STATE__ = {state};window.x=1</script>"),
        ),
        (
            "escaped",
            format!("<div id=app></div><script>window.__S=JSON.parse({escaped});</script>"),
        ),
        (
            "attribute",
            format!(
                "<div id=app data-page=\"{}\"></div>",
                state.replace('&', "&amp;").replace('"', "&quot;")
            ),
        ),
        (
            "linked",
            format!(
                "<div id=app></div><script type=application/ld+json>{}</script>",
                json!({"@context": "https://schema.org", "@type": "NewsArticle", "headline": title, "articleBody": texts.join("\n\n")})
            ),
        ),
    ]
}

#[test]
fn a_text_that_is_only_in_data_is_read_whatever_its_shape() {
    for title in TITLES {
        for (shape, shell) in shells(title) {
            let html =
                format!("<html><head><title>{title}</title></head><body>{shell}</body></html>");
            let read = article(html.as_bytes(), None, None);
            let texts: Vec<&str> = read
                .state
                .body
                .iter()
                .map(|block| block.text.as_str())
                .collect();
            assert_eq!(texts, paragraphs(title), "{shape}");
            assert_eq!(read.kind, PageKind::Article, "{shape}");
            let source = if shape == "linked" {
                TextSource::LinkedData
            } else {
                TextSource::PageData
            };
            assert_eq!(read.source, source, "{shape}");
        }
    }
}

#[test]
fn data_beside_a_text_is_not_read() {
    let title = TITLES[0];
    let text: String = paragraphs(title)
        .iter()
        .map(|text| format!("<p>{text}</p>"))
        .collect();
    let (_, shell) = &shells(title)[3];
    let html = format!("<title>{title}</title><article><h1>{title}</h1>{text}</article>{shell}");
    let read = article(html.as_bytes(), None, None);
    assert_eq!((read.source, read.state.body.len()), (TextSource::Html, 4));
    // Labels, other stories and settings are not text.
    for data in [
        r#"{"labels":{"a":"Log in to read this","b":"Share it"},"flags":[1,2,3],"css":".a{color:red;border:1px solid;margin:0 0 0 0;padding:1px}"}"#,
        r#"{"stories":[{"title":"One of the stories here","url":"/1","text":"A summary of a story that is not this one, of some length, so that it could be taken for a paragraph of a text that it is not."},{"title":"Two of the stories here","url":"/2","text":"A summary"}]}"#,
        "{broken",
    ] {
        let html = format!(
            "<title>{title}</title><div id=app></div><script type=application/json>{data}</script>"
        );
        assert_eq!(
            article(html.as_bytes(), None, None).kind,
            PageKind::NoText,
            "{data}"
        );
    }
}

#[test]
fn text_behind_scripts_is_read_where_a_reader_sees_it() {
    let title = TITLES[0];
    let text: String = paragraphs(title)
        .iter()
        .map(|text| format!("<p>{text}</p>"))
        .collect();
    let quoted = text.replace('&', "&amp;").replace('"', "&quot;");
    let page = |body: &str| {
        let html = format!(
            "<html><head><title>{title}</title></head><body><nav><a href=/>Home</a></nav><h1>{title}</h1>{body}<footer>© 2026</footer></body></html>"
        );
        let read = article(html.as_bytes(), None, None);
        (read.source.as_str(), read.state.body.len())
    };
    for (body, found) in [
        (
            format!(
                "<story-body><template shadowrootmode=open><style>p{{}}</style><div>{text}</div></template></story-body>"
            ),
            ("html", 4),
        ),
        (
            format!(
                "<a-b><template shadowrootmode=open><c-d><template shadowrootmode=closed>{text}</template></c-d></template></a-b>"
            ),
            ("html", 4),
        ),
        (
            format!("<div id=app></div><noscript><div>{text}</div></noscript>"),
            ("noscript", 4),
        ),
        (
            format!("<iframe srcdoc=\"{quoted}\"></iframe>"),
            ("iframe", 4),
        ),
        (
            format!("<object data=a.pdf type=application/pdf>{text}</object>"),
            ("object", 4),
        ),
        (
            format!(
                "<svg><title>Map</title><foreignObject><div>{text}</div></foreignObject></svg>"
            ),
            ("html", 4),
        ),
        // Next to a text they are notices and advertisements.
        (
            format!(
                "<article>{text}</article><noscript><p>Please turn on JavaScript so that this page can show all that it has.</p></noscript>"
            ),
            ("html", 4),
        ),
        (
            format!("<article>{text}</article><iframe srcdoc=\"{quoted}\"></iframe>"),
            ("html", 4),
        ),
        (
            format!(
                "<article>{text}<noscript><img src=a alt='A bridge over a river in the evening light'></noscript></article>"
            ),
            ("html", 4),
        ),
        (
            format!(
                "<article>{text}</article><template><p>A template that a script will use one day, or never, who knows that.</p></template>"
            ),
            ("html", 4),
        ),
        (
            format!(
                "<article>{text}<object data=old.swf><p>The reservoir holds 12 million litres, enough for nine days.</p></object></article>"
            ),
            ("html", 5),
        ),
        (
            "<div id=app></div><noscript>You need to enable JavaScript to run this app.</noscript>"
                .to_owned(),
            ("html", 0),
        ),
    ] {
        assert_eq!(page(&body), found, "{body}");
    }
}

#[test]
fn hostile_data_is_bounded() {
    let nested = format!("{}1{}", "[".repeat(120), "]".repeat(120));
    let deep = format!(
        "{}\"{}\"{}",
        "[".repeat(100),
        "a word ".repeat(100_000),
        "]".repeat(100)
    );
    let many = format!(
        "[{}]",
        vec!["{\"a\":\"some words of a text here\"}"; 60_000].join(",")
    );
    let open = "={\"a\":[".repeat(100_000);
    let objects = "<object><noscript><template shadowrootmode=open><svg><text>".repeat(20_000);
    let srcdoc = format!(
        "<iframe srcdoc=\"{}\">",
        "<p>word word word word word word word word word ".repeat(2_000)
    );
    for body in [
        format!("<script type=application/json>{nested}</script>"),
        format!("<script type=application/json>{deep}</script>"),
        format!("<script type=application/json>{many}</script>"),
        format!("<script>{open}</script>"),
        objects,
        srcdoc.repeat(3),
    ] {
        // The main thing is that it ends; the text that it reads is bounded as well.
        let read = article(body.as_bytes(), None, None);
        assert!(read.state.body.len() <= 40_000, "{}", &body[..60]);
    }
}

proptest! {
    #[test]
    fn any_data_is_read(json in "(\\{|\\}|\\[|\\]|\"|a b c d e f g|,|:|<p>|1|\\\\|title){0,60}") {
        for html in [
            format!("<title>title</title><script type=application/json>{json}</script>"),
            format!("<script>x={json}</script><div data-page='{json}'></div>"),
            format!("<template shadowrootmode=open>{json}<svg>{json}<text>{json}</text><iframe srcdoc='{json}'><noscript>{json}"),
        ] {
            let _ = article(html.as_bytes(), None, None);
        }
    }
}
