//! `add` and `import`: which requests find the feeds of a site, and how typed addresses are read.

use std::time::Duration;

use revisor::time::Stopwatch;
use serde_json::Value;

use crate::support::{Home, Page, Server, rss};

fn feed() -> Page {
    let text = "Some words that are long enough.";
    Page::rss(rss(&[("1", "https://e.example/1", "A headline", text)]))
}

/// A page that does not link to a feed.
fn front() -> Page {
    Page::html("<!DOCTYPE html><html><title>Welcome</title><p>Read us.")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn a_feed_is_asked_for_once_when_it_is_added() {
    let publisher = Server::start();
    publisher.set("/feed.xml", feed().header("etag", "\"1\""));
    let home = Home::new("");
    let url = publisher.url("/feed.xml");
    let added = json(&home.ok(&["add", &url, "--json"]));
    assert_eq!(added[0]["entries"], 1);
    assert_eq!(publisher.hits("/feed.xml"), 1);
    assert_eq!(publisher.log().len(), 1, "{:?}", publisher.log());
    // The first snapshot is as good as one from a poll: the next poll is conditional.
    assert_eq!(home.check_due()["feeds"][0]["outcome"], "not_modified");
}

#[test]
fn a_site_is_searched_with_the_pauses_that_it_is_polled_with() {
    let publisher = Server::start();
    publisher.set("/", front());
    publisher.set("/feed.xml", feed());
    let home = Home::new("");
    let config = "[fetch]\nhost_delay = \"100ms\"\nallow_private = [\"127.0.0.0/8\"]\n";
    std::fs::write(home.config_path(), config).expect("the configuration");
    let began = Stopwatch::start();
    home.ok(&["add", &publisher.url("/")]);
    let asked = publisher.log().len();
    assert!(asked >= 3, "{asked}");
    let pauses = u32::try_from(asked - 1).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(100) * pauses);
}

#[test]
fn a_host_that_has_had_enough_is_not_searched_any_further() {
    let publisher = Server::start();
    publisher.set("/", front());
    publisher.set("/feed", Page::status(429).header("retry-after", "3600"));
    publisher.set("/feed.xml", feed());
    let home = Home::new("");
    let ran = home.run(&["add", &publisher.url("/")]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("429"), "{ran:?}");
    assert_eq!(publisher.log().len(), 2);
}

#[test]
fn a_feed_beside_the_page_and_one_in_the_head_of_the_answer_are_found() {
    let publisher = Server::start();
    publisher.set("/site/", front());
    publisher.set("/site/feed.xml", feed());
    publisher.set("/news", front().header(
        "link",
        "</style.css>; rel=preload, </deep/feed>; rel=\"alternate\"; type=\"application/rss+xml\"",
    ));
    publisher.set("/deep/feed", feed());
    let home = Home::new("");
    home.ok(&["add", &publisher.url("/site/")]);
    home.ok(&["add", &publisher.url("/news")]);
    let feeds = json(&home.ok(&["feeds", "--json"]));
    assert_eq!(feeds[0]["url"], publisher.url("/site/feed.xml"));
    assert_eq!(feeds[1]["url"], publisher.url("/deep/feed"));
}

#[test]
fn http_is_taken_where_there_is_no_https_and_nobody_asked_for_it() {
    let publisher = Server::start();
    publisher.set("/feed.xml", feed());
    let home = Home::new("");
    let url = publisher.url("/feed.xml");
    let bare = url.trim_start_matches("http://");
    let asked = home.run(&["add", &format!("https://{bare}")]);
    assert_eq!(asked.code, Some(2), "{asked:?}");
    for typed in [bare.to_owned(), format!("feed://{bare}")] {
        let ran = home.run(&["add", &typed]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(
            ran.stderr.contains("https does not work") && ran.stderr.contains(&url),
            "{ran:?}"
        );
    }
    assert_eq!(json(&home.ok(&["feeds", "--json"]))[0]["url"], url);
    // The policy applies to both.
    let strict = Home::new("");
    std::fs::write(strict.config_path(), "").expect("the configuration");
    let before = publisher.log().len();
    assert_eq!(strict.run(&["add", bare]).code, Some(2));
    assert_eq!(publisher.log().len(), before);
}

#[test]
fn who_needs_a_login_is_told_how_to_give_it() {
    let publisher = Server::start();
    publisher.set("/feed.xml", Page::status(401));
    let home = Home::new("");
    let ran = home.run(&["add", &publisher.url("/feed.xml")]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("password_file"), "{ran:?}");

    let list = home.path().join("urls");
    let lines = "www.a.example/feed\nfeed://b.example/rss\nhttps://me:s3cret@c.example/rss\n";
    std::fs::write(&list, lines).expect("a list");
    let ran = home.run(&["import", list.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let told: Vec<&str> = ran.stdout.lines().collect();
    assert!(told[0].contains("https://www.a.example/feed") && told[0].contains("no scheme given"));
    assert!(told[1].contains("https://b.example/rss") && told[1].contains("no scheme given"));
    assert!(
        told[2].contains("password_file") && told[2].contains("c.example"),
        "{ran:?}"
    );
    assert!(!ran.stdout.contains("s3cret"), "{ran:?}");
}

#[test]
fn a_page_without_a_feed_is_watched_moved_and_removed() {
    let publisher = Server::start();
    let terms = |days: u32| {
        Page::html(format!(
            "<!DOCTYPE html><html><head><title>Terms</title></head><body><main><h1>Terms of service</h1>\
             <p>You may return what you have bought within {days} days, and we pay for the parcel.</p>\
             <p>We keep your address until the parcel has arrived, and nobody else gets it from us.</p></main></body></html>"
        ))
    };
    publisher.set("/terms", terms(30));
    let home = Home::new("");
    let url = publisher.url("/terms");
    let added = json(&home.ok(&[
        "add",
        "--watch-page",
        &url,
        "--name",
        "terms",
        "--every",
        "6h",
        "--json",
    ]));
    assert_eq!(added[0]["format"], "page", "{added}");
    assert_eq!(added[0]["entries"], 1, "{added}");
    assert_eq!(publisher.hits("/terms"), 1);
    let again = home.run(&["add", "--watch-page", &url]);
    assert!(
        again.stderr.contains("already in the configuration"),
        "{again:?}"
    );
    let text = std::fs::read_to_string(home.config_path()).expect("the configuration");
    assert!(text.contains("kind = \"page\"\n"), "{text}");
    assert!(home.ok(&["config", "show"]).contains("kind = \"page\""));

    publisher.set("/terms", terms(14));
    let checked = home.check();
    assert_eq!(checked["feeds"][0]["outcome"], "new_content", "{checked}");
    assert_eq!(checked["pages"]["checked"], 1, "{checked}");
    assert_eq!(checked["changes"], serde_json::json!([1]));
    let event = &home.events()[0];
    assert_eq!(event["data"]["entry"]["url"], url, "{event}");
    assert_eq!(event["data"]["after"]["title"], "Terms of service");
    assert_eq!(
        event["data"]["change"]["channel"],
        serde_json::json!(["page"]),
        "{event}"
    );
    let entries = json(&home.ok(&["entries", "--json"]));
    assert_eq!(entries.as_array().map(Vec::len), Some(1), "{entries}");
    assert_eq!(entries[0]["state"], "watched", "{entries}");
    assert!(home.ok(&["entries"]).contains("  watched page  "));
    assert!(home.ok(&["feeds"]).contains("terms"));
    home.ok(&["db", "verify"]);

    // The history moves with the page, and that sends no alert.
    publisher.set("/legal/terms", terms(14));
    let moved = publisher.url("/legal/terms");
    home.ok(&["mv", "terms", &moved]);
    home.check();
    publisher.set("/legal/terms", terms(7));
    home.check();
    let events = home.events();
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(events[1]["data"]["entry"]["url"], moved);
    assert_eq!(
        events[0]["data"]["entry"]["id"],
        events[1]["data"]["entry"]["id"]
    );
    home.ok(&["db", "verify"]);

    home.ok(&["rm", "terms"]);
    let hits = publisher.hits("/legal/terms");
    home.check();
    assert_eq!(publisher.hits("/legal/terms"), hits);
    assert_eq!(home.events().len(), 2);
    let wrong = home.run(&["add", "--watch-page", "ftp://e.example/terms"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}
