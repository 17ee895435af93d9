//! Feeds and pages that are never the same twice: several polls of several feeds at the same time report only
//! edits.

use serde_json::Value;

use crate::support::{Home, Page, Server, rss};

/// The number of polls; even, so that anything that alternates ends as it began.
const POLLS: usize = 6;

/// The names of the feeds, which are also their paths.
const FEEDS: [&str; 7] = [
    "one-guid",
    "shuffled",
    "dates",
    "flip-flop",
    "noise",
    "wall",
    "walls",
];

const TEXT: &str = "The council of Harrow Bay voted for the new pier on Monday, after three hours in which residents of the \
    old town had asked for more time to read the plans, and the engineer had promised to come back in the spring.";

fn story(around: &str) -> Page {
    let paragraphs: String = ["first", "second", "third", "fourth"]
        .iter()
        .map(|which| format!("<p>In the {which} session: {TEXT}</p>"))
        .collect();
    Page::html(format!(
        "<!DOCTYPE html><html><head><title>The pier</title>{around}</head><body>\
         <article><h1>The pier</h1>{paragraphs}</article></body></html>"
    ))
}

/// Serves everything as of this poll.
fn serve(publisher: &Server, poll: usize) {
    let set = |name: &str, feed: String| publisher.set(&format!("/{name}.xml"), Page::rss(feed));
    let url = |path: &str| publisher.url(path);
    for path in ["/plain", "/flip-flop"] {
        publisher.set(path, story(""));
    }

    // Three items claim to be the same.
    let links = [url("/a"), url("/b"), url("/c")];
    let items = ["First", "Second", "Third"]
        .iter()
        .zip(&links)
        .map(|(title, link)| ("same", link.as_str(), *title, *title))
        .collect::<Vec<_>>();
    for path in ["/a", "/b", "/c"] {
        publisher.set(path, story(""));
    }
    set("one-guid", rss(&items));

    // 7 and 20 have no common factor: another order each time, with all items.
    let titles: Vec<(String, String)> = (0..20)
        .map(|n| (n * 7 + poll * 3) % 20)
        .map(|n| (n.to_string(), format!("Session number {n}")))
        .collect();
    let items: Vec<_> = titles
        .iter()
        .map(|(guid, title)| (guid.as_str(), "", title.as_str(), TEXT))
        .collect();
    set("shuffled", rss(&items));

    let date = format!("Mon, 23 Nov 2026 10:{:02}:00 GMT", poll * 7);
    set(
        "dates",
        format!(
            "<rss version=\"2.0\"><channel><title>Dates</title><lastBuildDate>{date}</lastBuildDate>\
             <item><guid>1</guid><title>The pier</title><description>{TEXT}</description><pubDate>{date}</pubDate></item>\
             </channel></rss>"
        ),
    );

    let text = if poll.is_multiple_of(2) {
        "Two people were hurt."
    } else {
        "Three people were hurt."
    };
    set("flip-flop", rss(&[("1", "", "The pier", text)]));

    // A nonce, a token, a clock, an advertisement: none of it is part of the text.
    let noise = format!(
        "<meta name=\"csrf-token\" content=\"{poll:032x}\"><script nonce=\"n{poll}\">var ad = {poll};</script>\
         <link rel=stylesheet href=\"/style.css?v={poll}\">"
    );
    let mut page = story(&noise);
    let clock = format!(
        "<header>10:{poll:02} visitor {poll}</header><aside>ad {}</aside></body>",
        poll * 17
    );
    page.body = String::from_utf8(page.body)
        .unwrap()
        .replace("</body>", &clock)
        .into_bytes();
    publisher.set("/noise", page);
    set(
        "noise",
        rss(&[("1", &url("/noise"), "The pier", "A summary.")]),
    );

    // A wall from the second check on, and one at every second check; the feed causes a check each time.
    let wall = || Page::html("<html><body><p>Please log in.</p></body></html>");
    publisher.set("/wall", if poll == 0 { story("") } else { wall() });
    publisher.set(
        "/walls",
        if poll.is_multiple_of(2) {
            story("")
        } else {
            wall()
        },
    );
    for name in ["wall", "walls"] {
        set(
            name,
            rss(&[("1", &url(&format!("/{name}")), "The pier", "A summary.")]),
        );
    }
}

/// The events of a feed, each with its fields and labels.
fn told(home: &Home, feed: &str) -> Vec<String> {
    let words = |list: &Value| -> String {
        let list = list.as_array().into_iter().flatten();
        list.filter_map(Value::as_str).collect::<Vec<_>>().join(",")
    };
    home.events()
        .iter()
        .filter(|event| event["data"]["feed"]["name"] == feed)
        .map(|event| {
            let change = &event["data"]["change"];
            format!(
                "{} {} {}",
                event["type"].as_str().unwrap(),
                words(&change["fields"]),
                words(&change["labels"])
            )
        })
        .collect()
}

#[test]
fn what_is_never_the_same_twice_tells_its_edits_and_nothing_else() {
    let publisher = Server::start();
    let config: Vec<String> = FEEDS
        .iter()
        .map(|name| {
            format!(
                "[[feed]]\nurl = \"{}\"\nname = \"{name}\"\n",
                publisher.url(&format!("/{name}.xml"))
            )
        })
        .collect();
    let home = Home::new(&config.concat());
    for poll in 0..POLLS {
        serve(&publisher, poll);
        home.check();
    }
    for feed in FEEDS.into_iter().filter(|feed| *feed != "flip-flop") {
        assert_eq!(told(&home, feed), Vec::<String>::new(), "{feed}");
    }
    // A new text, the return, its return, and from the second return on a single event that says that it
    // continues.
    let flips = told(&home, "flip-flop");
    let count = |kind: &str| flips.iter().filter(|event| event.starts_with(kind)).count();
    assert_eq!(count("entry.flapping"), 1, "{flips:?}");
    assert_eq!(
        count("entry.revised"),
        POLLS - 1,
        "every change is kept: {flips:?}"
    );
    let returns = flips
        .iter()
        .filter(|event| event.contains("revert"))
        .count();
    assert_eq!(returns, flips.len() - 1, "{flips:?}");
    let shown = home.ok(&["log", "--format", "ndjson"]);
    let shown = shown
        .lines()
        .filter(|line| line.contains("\"flip-flop\""))
        .count();
    assert_eq!(shown, 3, "what is told stops with the flapping");

    // The walled articles keep the text from before the wall.
    for path in ["/wall", "/walls"] {
        let history = home.ok(&["history", &publisher.url(path), "--json"]);
        assert!(!history.contains("Please log in"), "{path}: {history}");
        assert!(publisher.hits(path) > 1, "{path} was looked at again");
    }
    let verified = home.run(&["db", "verify"]);
    assert_eq!(verified.code, Some(0), "{}", verified.stdout);
}
