//! Entries whose names change, many edits at once, and articles that grow all day.

use serde_json::{Value, json};

use crate::support::{Home, Page, SECRET, Server, rss};

const LONG: &str = "The minister answered questions about the meeting on Monday, after a newspaper had reported that \
                    the two delegations met twice in a hotel near the border, and said that nothing would be added.";

fn home(publisher: &Server, receiver: &Server, more: &str) -> Home {
    Home::new(&format!(
        "{more}\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n\n[[target]]\nname = \"desk\"\nkind = \"webhook\"\n\
         url = \"{}\"\nsecret = \"{SECRET}\"\nevents = [\"entry.*\", \"feed.*\"]\n",
        publisher.url("/feed.xml"),
        receiver.url("/hook"),
    ))
}

const NO_PAGES: &str = "[page]\nfetch = \"off\"\n";

/// Serves items, each with its own guid, address and date.
fn serve(publisher: &Server, items: &[(String, String, String, String)]) {
    let items: String = items
        .iter()
        .map(|(guid, link, title, text)| {
            format!(
                "<item><guid isPermaLink=\"false\">{guid}</guid><link>{link}</link><title>{title}</title>\
                 <description>{text}</description></item>"
            )
        })
        .collect();
    let feed = format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>Courier</title>\
         <link>https://courier.example/</link><description>News</description>{items}</channel></rss>"
    );
    publisher.set("/feed.xml", Page::rss(feed));
}

fn kinds(receiver: &Server) -> Vec<String> {
    let hooks = receiver.hooks().into_iter();
    hooks
        .map(|hook| {
            let event: Value = serde_json::from_slice(&hook.body).expect("a webhook is JSON");
            event["type"].as_str().unwrap_or_default().to_owned()
        })
        .collect()
}

fn item(n: usize, guid: &str, link: &str) -> (String, String, String, String) {
    let subjects = [
        "harbour", "railway", "hospital", "theatre", "stadium", "library",
    ];
    let subject = subjects[n % subjects.len()];
    (
        guid.to_owned(),
        link.to_owned(),
        format!("Council puts off decision on the {subject}"),
        format!("The {subject} was on the agenda of the meeting for the third time this year."),
    )
}

#[test]
fn a_feed_that_moves_to_other_addresses_makes_no_new_entries_and_one_event() {
    /// Guid and address of the nth item.
    type Names = fn(usize) -> (String, String);
    let moves: [(&str, Names); 4] = [
        ("to https and www", |n| {
            (
                format!("http://courier.example/{n}"),
                format!("https://www.courier.example/{n}/"),
            )
        }),
        ("to another host", |n| {
            (
                format!("http://courier.example/{n}"),
                format!("https://news.example/{n}"),
            )
        }),
        ("to other guids", |n| {
            (
                format!("tag:courier.example,2026:{n}"),
                format!("http://courier.example/{n}"),
            )
        }),
        ("to other guids and addresses", |n| {
            (
                format!("tag:news.example,2026:{n}"),
                format!("https://news.example/stories/s-{n}"),
            )
        }),
    ];
    for (what, to) in moves {
        let (publisher, receiver) = (Server::start(), Server::start());
        let home = home(&publisher, &receiver, NO_PAGES);
        let before: Vec<_> = (0..6)
            .map(|n| {
                let address = format!("http://courier.example/{n}");
                item(n, &address, &address)
            })
            .collect();
        serve(&publisher, &before);
        home.check();
        let after: Vec<_> = (0..6)
            .map(|n| {
                let (guid, link) = to(n);
                item(n, &guid, &link)
            })
            .collect();
        serve(&publisher, &after);
        let report = home.check();
        assert_eq!(report["feeds"][0]["new"], 0, "{what}: {report}");
        let told = kinds(&receiver);
        if what == "to https and www" {
            assert_eq!(told, [""; 0], "{what}");
        } else {
            assert_eq!(told, ["feed.bulk_edit"], "{what}");
            let fields = &home.events()[0]["data"]["change"]["fields"];
            let moved = fields.as_array().unwrap().iter();
            let mut moved = moved.map(|field| field.as_str().unwrap());
            assert!(
                moved.all(|field| field == "address" || field == "guid"),
                "{fields}"
            );
        }
        let third = home.check();
        assert_eq!(third["changes"], json!([]), "{what}");
    }
}

#[test]
fn a_merge_is_listed_with_its_reason_and_can_be_undone() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let home = home(&publisher, &receiver, NO_PAGES);
    let address = "https://courier.example/live";
    serve(&publisher, &[item(0, "a", address)]);
    home.check();
    serve(&publisher, &[item(0, "b", address)]);
    home.check();
    let history: Value = serde_json::from_str(&home.ok(&["history", "b", "--json"])).unwrap();
    let reasons: Vec<&str> = history["names"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name["reason"].as_str().unwrap())
        .collect();
    assert_eq!(
        reasons,
        ["first sight", "first sight", "same address, new guid"]
    );
    let first = history["entry"]["id"].as_str().unwrap();
    assert!(
        home.ok(&["history", "b"])
            .contains("guid b (same address, new guid)")
    );

    let split: Value = serde_json::from_str(&home.ok(&["split", first, "b", "--json"])).unwrap();
    assert_eq!(split["names"], json!([{"kind": "guid", "value": "b"}]));
    let new = split["new"].as_str().unwrap();
    assert_ne!(new, first);
    serve(
        &publisher,
        &[
            item(0, "b", address),
            item(1, "c", "https://courier.example/c"),
        ],
    );
    let report = home.check();
    assert_eq!(report["feeds"][0]["new"], 1, "only c is new: {report}");
    let history: Value = serde_json::from_str(&home.ok(&["history", "b", "--json"])).unwrap();
    assert_eq!(history["entry"]["id"], new, "the two stay apart");
    for (entry, name) in [(new, "b"), (first, "nobody")] {
        assert_eq!(
            home.run(&["split", entry, name]).code,
            Some(2),
            "{entry} {name}"
        );
    }
}

#[test]
fn shuffled_items_moving_dates_and_returns_make_the_events_that_they_are() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let home = home(&publisher, &receiver, NO_PAGES);
    let title = |n: usize| format!("Headline number {n}");
    let feed = |round: usize, flip: &str| {
        let items: String = (0..20)
            // 7 and 20 have no common factor: another order each time, with all items.
            .map(|n| (n * 7 + round * 3) % 20)
            .map(|n| {
                let text = if n == 0 { flip } else { LONG };
                format!(
                    "<item><guid>https://courier.example/{n}</guid><title>{}</title><description>{text}</description>\
                     <pubDate>Mon, 23 Nov 2026 10:{:02}:00 GMT</pubDate></item>",
                    title(n),
                    round * 5
                )
            })
            .collect();
        publisher.set(
            "/feed.xml",
            Page::rss(format!(
                "<rss version=\"2.0\"><channel><title>Courier</title>\
                 <lastBuildDate>Mon, 23 Nov 2026 10:{:02}:00 GMT</lastBuildDate>{items}</channel></rss>",
                round * 5
            )),
        );
    };
    for round in 0..4 {
        feed(round, LONG);
        let report = home.check();
        assert_eq!(report["changes"], json!([]), "{round}: {report}");
    }
    for (round, version) in (4..10).zip([
        "version B",
        "version A",
        "version B",
        "version A",
        "version B",
        "version C",
    ]) {
        feed(round, version);
        home.check();
    }
    // B and A as new texts, a return to B, the second return, and the new text C.
    assert_eq!(
        kinds(&receiver),
        [
            "entry.revised",
            "entry.revised",
            "entry.revised",
            "entry.flapping",
            "entry.revised"
        ]
    );
    assert_eq!(
        home.events().len(),
        7,
        "every change is kept, and the flapping beside them"
    );
}

fn page(title: &str, sharing: &str, paragraphs: &[String], noise: usize) -> Page {
    let text: String = paragraphs
        .iter()
        .map(|text| format!("<p>{text}</p>"))
        .collect();
    Page::html(format!(
        "<!DOCTYPE html><html lang=\"en\"><head><title>{title} | Courier</title>\
         <meta name=\"csrf-token\" content=\"{noise:032x}\"><meta property=\"og:title\" content=\"{sharing}\">\
         <script nonce=\"n{noise}\">var ad = {noise};</script></head><body><header><time>10:{:02}</time></header>\
         <main><article><h1>{title}</h1>{text}</article></main><footer>© Courier {noise}</footer></body></html>",
        noise % 60
    ))
}

fn paragraphs() -> Vec<String> {
    let last = "The council had put off repairs of the piers in March, when the cheapest offer came in above the budget.";
    vec![LONG.to_owned(), last.to_owned()]
}

#[test]
fn a_headline_for_sharing_that_moves_alone_is_told_as_such() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let home = home(&publisher, &receiver, "");
    let link = publisher.url("/news/1");
    publisher.set(
        "/feed.xml",
        Page::rss(rss(&[("1", &link, "Old bridge closed", "The river rose.")])),
    );
    for (noise, sharing) in [
        (1, "Bridge shut"),
        (2, "Bridge shut"),
        (3, "Bridge shut: five dead"),
        (4, "Bridge shut: five dead"),
    ] {
        publisher.set(
            "/news/1",
            page("Old bridge closed", sharing, &paragraphs(), noise),
        );
        home.check();
    }
    let hooks = receiver.hooks();
    assert_eq!(hooks.len(), 1);
    let event: Value = serde_json::from_slice(&hooks[0].body).unwrap();
    assert_eq!(event["data"]["change"]["headlines"], json!(["og:title"]));
    let text = event["data"]["text"].as_str().unwrap();
    assert!(text.contains("a headline for search and sharing"), "{text}");
    let shown = home.ok(&["show", "1"]);
    assert!(shown.contains("HEADLINE   og:title"), "{shown}");
}

#[test]
fn the_same_edit_on_many_pages_is_one_event() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let home = home(&publisher, &receiver, "[detect]\nconfirm_after = \"0s\"\n");
    let links: Vec<String> = (0..6)
        .map(|n| publisher.url(&format!("/news/{n}")))
        .collect();
    let titles: Vec<String> = (0..6).map(|n| item(n, "", "").2).collect();
    let items: Vec<_> = links
        .iter()
        .zip(&titles)
        .map(|(link, title)| (link.as_str(), link.as_str(), title.as_str(), "In brief."))
        .collect();
    publisher.set("/feed.xml", Page::rss(rss(&items)));
    let put = |last: &str| {
        for (n, title) in titles.iter().enumerate() {
            let mut text = paragraphs();
            text.insert(1, item(n, "", "").3);
            text.push(last.to_owned());
            publisher.set(&format!("/news/{n}"), page(title, title, &text, n));
        }
    };
    put("Reporters of the Courier have followed the work of the council for many years.");
    home.check();
    put("Write to the newsroom of the Courier when you know more than we do about all of this.");
    let report = home.check();
    assert_eq!(report["pages"]["changed"], 6, "{report}");
    // A text that several articles share may be page furniture: no alert before further checks.
    assert!(kinds(&receiver).is_empty());
    for _ in 0..4 {
        home.check();
    }
    assert_eq!(kinds(&receiver), ["entry.revised", "feed.bulk_edit"]);
    let log = home.ok(&["log", "--all", "--format", "oneline"]);
    assert_eq!(log.lines().count(), 6, "{log}");
}

#[test]
fn additions_to_a_live_article_are_told_as_a_sum() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let home = home(&publisher, &receiver, "");
    let link = publisher.url("/live");
    publisher.set(
        "/feed.xml",
        Page::rss(rss(&[("1", &link, "Storm: live", "All the news.")])),
    );
    let posts = [
        "The bridge over the northern river is closed to lorries from tonight, the police say.",
        "More than forty flights were cancelled at the airport before noon, most of them to islands.",
        "Schools in three districts stay shut tomorrow, and the buses run as on a Sunday.",
        "A tree has fallen on the line between the capital and the coast; trains are turned round.",
        "The ferry company says that it will not sail before the wind has dropped below fifty knots.",
        "Firefighters have pumped out two hundred cellars in the old town since this morning.",
        "The mayor asks people to stay away from the promenade, where waves break over the wall.",
    ];
    for count in 0..=posts.len() {
        let mut text = paragraphs();
        for post in &posts[..count] {
            text.insert(0, (*post).to_owned());
        }
        publisher.set("/live", page("Storm: live", "Storm: live", &text, count));
        home.check();
    }
    // Four additions make it a live article; further ones wait for their summary.
    assert_eq!(kinds(&receiver), ["entry.revised"; 4]);
    home.check();
    assert_eq!(receiver.hooks().len(), 4, "the hour is not over");
    // The hour passes.
    let conn = rusqlite::Connection::open(home.db_path()).unwrap();
    let due = conn.execute(
        "UPDATE entries SET digest_due_at = 1 WHERE digest_due_at > 1",
        [],
    );
    assert_eq!(due, Ok(1));
    drop(conn);
    home.check();
    let hooks = receiver.hooks();
    assert_eq!(hooks.len(), 5);
    let event: Value = serde_json::from_slice(&hooks[4].body).unwrap();
    assert_eq!(event["type"], "entry.revised");
    let digest = &event["data"]["digest"];
    assert_eq!(
        *digest,
        json!({"changes": 3, "first": 5, "last": 7, "paragraphs": 3})
    );
    assert_eq!(event["data"]["before"]["revision"], 6);
    assert_eq!(event["data"]["after"]["revision"], 9);
    assert_eq!(home.check()["changes"], json!([]));
    assert_eq!(receiver.hooks().len(), 5, "a sum is told once");
}
