//! Addresses that are the same, and addresses that are not.

use super::*;
use proptest::prelude::*;

#[test]
fn redirectors_and_marks_of_a_visit_name_the_article() {
    let article = "https://town.example/2026/rates";
    for address in [
        "https://www.google.com/url?rct=j&sa=t&url=https://town.example/2026/rates/&ct=ga&cd=CAIy&usg=AOvV",
        "https://l.portal.example/l.php?u=https%3A%2F%2Ftown.example%2F2026%2Frates%3Futm_source%3Dx&h=AT0",
        "http://www.finder.example/news/apiclick.aspx?ref=FexRss&tid=6B2&url=https%3a%2f%2ftown.example%2f2026%2frates",
        "https://town.example/2026/rates?sid=9f86d081884c7d659a2feaa0c55ad015",
    ] {
        assert_eq!(canonical(address), article, "{address}");
    }
    for address in [
        "https://town.example/article?sid=26%2F11%2F30%2F123",
        "https://town.example/article?sid=12345",
        "https://town.example/news/rates?ref=https://other.example/a",
        "https://town.example/login?u=https://town.example/a",
    ] {
        assert!(
            canonical(address).starts_with("https://town.example/")
                && canonical(address).contains('?'),
            "{address}"
        );
    }
    assert_eq!(
        canonical("https://a.example/?q=x+y"),
        canonical("https://a.example/?q=x%20y")
    );
}

#[test]
fn no_login_is_shown_and_nothing_else_is_changed() {
    for (given, shown) in [
        (
            "https://anna:secret@news.example/a?b=c",
            "https://news.example/a?b=c",
        ),
        ("https://anna@news.example/", "https://news.example/"),
        (" http://:secret@news.example/a", "http://news.example/a"),
        ("https://News.example/a@b", "https://News.example/a@b"),
        ("no address", "no address"),
    ] {
        assert_eq!(without_login(given), shown);
    }
}

#[test]
fn a_site_is_told_from_its_articles() {
    for home in [
        "https://news.example",
        "http://www.news.example/",
        "https://news.example/#top",
    ] {
        assert!(is_home(home), "{home}");
    }
    for article in [
        "https://news.example/a",
        "https://news.example/?p=17",
        "https://news.example/#!/a",
    ] {
        assert!(!is_home(article), "{article}");
    }
}

#[test]
fn forms_of_one_address_are_equal() {
    for (given, expected) in [
        ("http://news.example/a", "https://news.example/a"),
        ("https://NEWS.example:443/a/", "https://news.example/a"),
        ("http://news.example:80/a", "https://news.example/a"),
        ("http://news.example:8080/a", "https://news.example:8080/a"),
        ("https://www.news.example./a", "https://news.example/a"),
        ("https://www.com/a", "https://www.com/a"),
        ("https://news.example", "https://news.example"),
        ("https://news.example/", "https://news.example"),
        ("https://user:pw@news.example/", "https://news.example"),
        ("https://news.example/a#comments", "https://news.example/a"),
        ("https://news.example/#!/a/7", "https://news.example#!/a/7"),
        (
            "https://news.example/app#/a/7",
            "https://news.example/app#/a/7",
        ),
        ("https://news.example/a?", "https://news.example/a"),
        (
            "https://news.example/a?UTM_Source=x&b=2&a=1&fbclid=z",
            "https://news.example/a?b=2&a=1",
        ),
        (
            "https://news.example/a?b=2&amp;utm_medium=rss&amp;c=3",
            "https://news.example/a?b=2&c=3",
        ),
        (
            "https://news.example/a?at_medium=RSS&at_campaign=KARANGA",
            "https://news.example/a",
        ),
        ("https://n.example/a?source=rss----1", "https://n.example/a"),
        (
            "https://n.example/a?source=wire",
            "https://n.example/a?source=wire",
        ),
        (
            "https://n.example/%7euser/caf%c3%a9",
            "https://n.example/~user/caf%C3%A9",
        ),
        ("https://n.example/café", "https://n.example/caf%C3%A9"),
        (
            "https://n.example/a;jsessionid=1F?id=3",
            "https://n.example/a?id=3",
        ),
        (
            "https://BÜCHER.example/x",
            "https://xn--bcher-kva.example/x",
        ),
        ("  urn:uuid:1-2 ", "urn:uuid:1-2"),
        ("not an address", "not an address"),
        ("", ""),
    ] {
        assert_eq!(canonical(given), expected, "{given}");
    }
}

#[test]
fn what_selects_an_article_is_kept() {
    for (one, other) in [
        ("https://n.example/a?id=1", "https://n.example/a?id=2"),
        ("https://n.example/A", "https://n.example/a"),
        ("https://n.example/a", "https://n.example/a/index.html"),
        ("https://n.example/a?page=2", "https://n.example/a"),
        ("https://n.example/a?utmost=2", "https://n.example/a"),
        ("https://n.example/a%2Fb", "https://n.example/a/b"),
        ("https://blog.n.example/a", "https://n.example/a"),
        ("https://n.example:8443/a", "https://n.example/a"),
    ] {
        assert_ne!(canonical(one), canonical(other), "{one} {other}");
    }
}

#[test]
fn host_has_its_port_only_when_unusual() {
    assert_eq!(
        host_of("HTTPS://News.example:443/x").as_deref(),
        Some("news.example")
    );
    assert_eq!(
        host_of("http://news.example.:8000/x").as_deref(),
        Some("news.example:8000")
    );
    assert_eq!(host_of("http://[::1]:81/").as_deref(), Some("[::1]:81"));
    assert_eq!(host_of("mailto:a@b.example"), None);
    assert_eq!(host_of("nothing"), None);
}

proptest! {
    #[test]
    fn canonical_is_idempotent(text in "(https?://)?[a-z.w:@]{0,9}[/.;?#&=%!aA0-9a-f ü]{0,24}") {
        let once = canonical(&text);
        prop_assert_eq!(canonical(&once), once.clone());
    }

    #[test]
    fn any_text_is_taken(text in any::<String>()) {
        let once = canonical(&text);
        prop_assert_eq!(canonical(&once), once.clone());
        let _ = host_of(&text);
    }

    #[test]
    fn an_address_that_is_not_parsed_has_no_other_form(
        host in "(m|mobile|amp|www|news|cdn)(\\.(ampproject|google|news|m))?\\.(org|com|example)",
        path in "(/(amp|a|AMP|c|s|x\\.amp|lamp)){0,4}/?",
        query in "(\\?(amp|m|view|output)(=(1|amp|mobile|2))?)?",
    ) {
        let known = canonical(&format!("https://{host}{path}{query}"));
        if !may_be_variant(&known) {
            prop_assert_eq!(without_variant(&known), None);
        }
    }

    #[test]
    fn tracking_parameters_make_no_difference(
        path in "(/[a-z0-9]{1,5}){1,4}",
        query in proptest::collection::vec("[bcd][a-z]{0,3}=[a-z0-9]{0,4}", 0..4),
        at in 0_usize..5,
        value in "[a-zA-Z0-9%_-]{0,12}",
    ) {
        let mut tracked = query.clone();
        tracked.insert(at.min(query.len()), format!("utm_campaign={value}"));
        let plain = format!("https://n.example{path}?{}", query.join("&"));
        let with = format!("http://www.n.example{path}/?{}#x", tracked.join("&"));
        prop_assert_eq!(canonical(&with), canonical(&plain));
    }
}
