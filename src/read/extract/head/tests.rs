use super::*;

#[test]
fn the_most_trustworthy_place_counts() {
    let head = Head::read(
        r#"<html lang="en-GB"><head><title>Head &amp; shoulders | Site</title>
            <meta property="og:title" content="Head &quot;line&quot;"><meta name="author" content="By Meta Author">
            <meta property="article:modified_time" content="2026-11-23T10:00:00Z">
            <link rel="canonical" href="/a/1">
            <script type="application/ld+json">{"@context":"https://schema.org","@graph":[{"@type":"WebSite","name":"Site"},
            {"@type":["NewsArticle"],"headline":"Head line","datePublished":"2026-11-22","author":[{"@type":"Person","name":"Ann"},{"name":"Bob"}]}]}</script></head>
            <body><h1><a href="/">The Site</a></h1><h1>Head <i>"line"</i></h1><time datetime="2020-01-01">x</time></body>"#,
    );
    assert_eq!(head.language.as_deref(), Some("en-GB"));
    assert_eq!(head.title.as_deref(), Some("Head & shoulders | Site"));
    assert_eq!(head.og_title().as_deref(), Some("Head \"line\""));
    assert_eq!(head.ld_headline().as_deref(), Some("Head line"));
    assert_eq!(head.h1().as_deref(), Some("Head \"line\""));
    assert_eq!(head.byline().as_deref(), Some("Ann, Bob"));
    assert_eq!(
        head.published().unwrap().to_rfc3339(),
        "2026-11-22T00:00:00Z"
    );
    assert_eq!(
        head.modified().unwrap().to_rfc3339(),
        "2026-11-23T10:00:00Z"
    );
    let base = Url::parse("https://n.example/x/").unwrap();
    assert_eq!(
        head.canonical(Some(&base)).as_deref(),
        Some("https://n.example/a/1")
    );
    assert!(!head.claims_wall());
}

#[test]
fn a_by_line_is_taken_from_the_page_when_nothing_else_names_it() {
    let head = Head::read(
        "<p class='byline'>By <a rel=author href=x>Cy Dee</a> <time datetime='2026-01-02'>2 Jan</time></p>",
    );
    assert_eq!(head.byline().as_deref(), Some("Cy Dee"));
    assert_eq!(
        head.published().unwrap().to_rfc3339(),
        "2026-01-02T00:00:00Z"
    );
}

#[test]
fn broken_json_ld_is_read_or_skipped() {
    let head = Head::read(
        "<script type='application/ld+json'>{\"@type\":\"Article\",\"headline\":\"a\nb\"}</script>",
    );
    assert_eq!(head.ld_headline().as_deref(), Some("a b"));
    assert_eq!(
        Head::read("<script type='application/ld+json'>{</script>").ld_headline(),
        None
    );
}
