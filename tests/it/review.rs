//! What must not be lost, and what must not be reported, when two things happen at the same time or a site is
//! reorganised.

use std::sync::Arc;

use revisor::Assembly;
use revisor::WaitLimit;
use revisor::time::System;
use revisor::{Environment, Flags, Secrets, from_text};

use crate::support::{Home, Page, SECRET, Server, rss};

fn article(text: &str) -> Page {
    let body = format!(
        "<!DOCTYPE html><html><head><title>Report on the harbour</title></head><body><article>\
         <h1>Report on the harbour</h1><p>{text}</p>\
         <p>The council met for three hours on Monday evening and heard from residents who live near the old \
         harbour, several of whom asked for more time to read the plans before any decision is made.</p>\
         <p>Work on the northern pier is expected to begin next spring, according to the engineer in charge, and \
         it will take at least two years until ships of the larger kind can moor there again.</p>\
         </article></body></html>"
    );
    Page::html(body).header("etag", "\"same-everywhere\"")
}

const BEFORE: &str = "The harbour will cost 15 million, said the mayor, who has been in office since the spring, \
                      and the money is to come from the region's building fund over the next four years.";
const AFTER: &str = "The harbour will cost 95 million, said the mayor, who has been in office since the spring, \
                     and the money is to come from the region's building fund over the next four years.";

#[test]
fn the_validators_of_an_old_address_are_not_sent_to_a_new_one() {
    let publisher = Server::start();
    let home = Home::new(&format!(
        "[[feed]]\nurl = \"{}\"\nname = \"courier\"\n",
        publisher.url("/feed.xml")
    ));
    let feed = |path: &str, title: &str| {
        let item = ("1", publisher.url(path), title, "What the council heard.");
        publisher.set(
            "/feed.xml",
            Page::rss(rss(&[(item.0, item.1.as_str(), item.2, item.3)])),
        );
    };
    publisher.set("/old", article(BEFORE));
    publisher.set("/new", article(AFTER));
    feed("/old", "Report on the old harbour");
    home.check();
    feed("/new", "Report on the new harbour");
    home.check();
    let fields = home.events()[0]["data"]["change"]["fields"].clone();
    assert!(
        fields
            .as_array()
            .unwrap()
            .iter()
            .any(|field| field == "body"),
        "the page at the new address was not read: {fields}"
    );
}

#[test]
fn pages_of_known_entries_are_looked_at_once_pages_are_turned_on() {
    let publisher = Server::start();
    let config = |mode: &str| {
        format!(
            "[page]\nfetch = \"{mode}\"\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n",
            publisher.url("/feed.xml")
        )
    };
    let home = Home::new(&config("off"));
    publisher.set("/one", article(BEFORE));
    let (one, two) = (publisher.url("/one"), publisher.url("/two"));
    let first = (
        "1",
        one.as_str(),
        "Report on the harbour",
        "What was heard.",
    );
    publisher.set("/feed.xml", Page::rss(rss(&[first])));
    home.check();
    home.configure(&config("always"));
    let second = ("2", two.as_str(), "Another report", "Something else.");
    publisher.set("/feed.xml", Page::rss(rss(&[second, first])));
    home.check();
    assert_eq!(publisher.hits("/one"), 1);
    home.configure(&config("off"));
    home.check();
    assert_eq!(
        publisher.hits("/one"),
        1,
        "turned off is turned off at once"
    );
    home.configure(&config("always"));
    publisher.set("/feed.xml", Page::rss(rss(&[first])));
    home.check();
    home.check();
    assert!(publisher.hits("/one") > 1, "back on the clock");
}

#[test]
fn an_address_used_for_another_story_does_not_cost_the_feed_its_guids() {
    let publisher = Server::start();
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n",
        publisher.url("/feed.xml")
    ));
    let live = "https://e.example/live";
    let set =
        |items: &[(&str, &str, &str, &str)]| publisher.set("/feed.xml", Page::rss(rss(items)));
    let flood = "Thousands of homes are without power after heavy storms.";
    let match_ = "Manager blamed injuries for another late penalty defeat.";
    let vote = "Ministers survive narrow confidence ballot in parliament tonight.";
    set(&[("1", live, "Floods hit northern valleys", flood)]);
    home.check();
    set(&[("2", live, "Champions beaten again", match_)]);
    assert_eq!(home.check()["feeds"][0]["new"], 1, "another story");
    // Both at the same time: by their addresses they would be one item.
    set(&[
        ("3", live, "Government holds on", vote),
        ("2", live, "Champions beaten twice", match_),
    ]);
    let report = home.check();
    assert_eq!(report["feeds"][0]["entries"], 2, "{report}");
    assert_eq!(report["feeds"][0]["changed"], 1, "{report}");
}

#[test]
fn a_bulk_edit_reaches_those_who_would_have_been_told_of_the_edits() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n[detect]\nbulk_edit = 3\n\
         [[feed]]\nurl = \"{}\"\nname = \"courier\"\n\
         [[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n\
         events = [\"entry.*\"]\n",
        publisher.url("/feed.xml"),
        receiver.url("/hook"),
    ));
    let serve = |verb: &str| {
        let items: Vec<[String; 3]> = (1..=4)
            .map(|n| {
                let url = format!("https://e.example/{n}");
                [
                    n.to_string(),
                    url,
                    format!("Minister number {n} {verb} it all"),
                ]
            })
            .collect();
        let items: Vec<_> = items
            .iter()
            .map(|[guid, url, title]| (guid.as_str(), url.as_str(), title.as_str(), "A text."))
            .collect();
        publisher.set("/feed.xml", Page::rss(rss(&items)));
    };
    serve("denies");
    home.check();
    serve("confirms");
    assert_eq!(home.check()["changes"].as_array().unwrap().len(), 4);
    let hooks = receiver.hooks();
    assert_eq!(hooks.len(), 1);
    assert!(String::from_utf8_lossy(&hooks[0].body).contains("feed.bulk_edit"));
}

#[test]
fn a_feed_that_is_gone_is_told_once() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n[detect]\nremoved_after = \"0s\"\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n\
         [[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n\
         events = [\"feed.*\"]\n",
        publisher.url("/feed.xml"),
        receiver.url("/hook"),
    ));
    publisher.set("/feed.xml", Page::status(410));
    for _ in 0..5 {
        home.check();
    }
    let told: Vec<_> = receiver.hooks();
    let gone = told
        .iter()
        .filter(|hook| String::from_utf8_lossy(&hook.body).contains("feed.gone"));
    assert_eq!(gone.count(), 1);
}

#[test]
fn two_polls_of_a_feed_at_once_make_no_entry_twice() {
    let publisher = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let items: Vec<[String; 3]> = (0..200)
        .map(|n| {
            [
                n.to_string(),
                format!("https://e.example/{n}"),
                format!("Headline {n}"),
            ]
        })
        .collect();
    let items: Vec<_> = items
        .iter()
        .map(|[guid, url, title]| (guid.as_str(), url.as_str(), title.as_str(), "A text."))
        .collect();
    publisher.set("/feed.xml", Page::rss(rss(&items)));
    let text = format!(
        "[fetch]\nhost_delay = \"0s\"\nper_host = 8\nallow_private = [\"127.0.0.0/8\"]\n\
         [page]\nfetch = \"off\"\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n",
        publisher.url("/feed.xml")
    );
    let database = folder.path().join("revisor.db");
    let flags = Flags {
        config: None,
        database: Some(&database),
    };
    let config = from_text(
        &text,
        None,
        flags,
        &Environment::default(),
        Secrets::Required,
    )
    .unwrap()
    .config;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let new = runtime.block_on(async {
        let assembly = Assembly::open(config, Arc::new(System)).await.unwrap();
        let feed = assembly.checker.read(|reader| reader.feeds(false)).unwrap()[0].id;
        let (a, b, c) = tokio::join!(
            assembly.checker.check_feed(feed, WaitLimit::Endless),
            assembly.checker.check_feed(feed, WaitLimit::Endless),
            assembly.checker.check_feed(feed, WaitLimit::Endless)
        );
        let new = [a, b, c].into_iter().map(|report| report.unwrap().new);
        let new: usize = new.sum();
        assembly.close().await.unwrap();
        new
    });
    assert_eq!(new, 200);
}
