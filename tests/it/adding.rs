//! `add` and `import`: what is asked of a site to find its feeds, and what is read of what a person types.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Home, Page, Server, rss};

fn feed() -> Page {
    let text = "Some words that are long enough.";
    Page::rss(rss(&[("1", "https://e.example/1", "A headline", text)]))
}

/// A page that names no feed.
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
    // The baseline is as good as one from a poll: the next one is conditional.
    assert_eq!(home.check()["feeds"][0]["outcome"], "not_modified");
}

#[test]
fn a_site_is_searched_with_the_pauses_that_it_is_polled_with() {
    let publisher = Server::start();
    publisher.set("/", front());
    publisher.set("/feed.xml", feed());
    let home = Home::new("");
    let config = "[fetch]\nhost_delay = \"100ms\"\nallow_private = [\"127.0.0.0/8\"]\n";
    std::fs::write(home.config_path(), config).expect("the configuration");
    let began = Instant::now();
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
