//! Items that share names, pages that several items share, texts in a different form, and servers with wrong
//! responses.

use serde_json::Value;

use crate::support::{Home, Page, Server};

/// A feed with items given as XML.
fn feed(items: &[String]) -> Page {
    Page::rss(format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" \
         xmlns:itunes=\"http://www.itunes.com/dtds/podcast-1.0.dtd\"><channel><title>Harbour</title>{}</channel></rss>",
        items.concat()
    ))
}

fn item(rest: &str) -> String {
    format!("<item>{rest}</item>")
}

fn home(publisher: &Server, pages: &str) -> Home {
    Home::new(&format!(
        "[page]\nfetch = \"{pages}\"\nrobots = false\n[detect]\nconfirm_after = \"0s\"\n[[feed]]\nname = \"f\"\n\
         url = \"{}\"\n",
        publisher.url("/feed.xml")
    ))
}

fn first(checked: &Value, what: &str) -> u64 {
    checked["feeds"][0][what]
        .as_u64()
        .unwrap_or_else(|| panic!("{checked}"))
}

/// The summaries of the changes so far.
fn texts(home: &Home) -> Vec<String> {
    let events = home.events();
    events
        .iter()
        .map(|event| {
            event["data"]["text"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

/// Checks a feed in several states; returns how many entries and how many changes each brought.
fn play(states: &[Vec<String>]) -> (Vec<(u64, u64)>, Home) {
    let publisher = Server::start();
    let home = home(&publisher, "off");
    let seen = states.iter().map(|items| {
        publisher.set("/feed.xml", feed(items));
        let checked = home.check();
        assert_eq!(checked["feeds"][0]["error"], Value::Null, "{checked}");
        (first(&checked, "new"), first(&checked, "changed"))
    });
    (seen.collect(), home)
}

const NOTES: [(&str, &str); 3] = [
    (
        "Tide table 4.1",
        "The tables of the northern quay begin an hour later.",
    ),
    (
        "Tide table 4.2",
        "A new column shows the height of the water at noon.",
    ),
    (
        "Tide table 4.3",
        "Printing works again, and the letters are larger.",
    ),
];

#[test]
fn items_that_share_all_names_are_each_an_entry() {
    let dated = |n: usize| format!("<pubDate>Mon, 30 Nov 2026 1{n}:00:00 GMT</pubDate>");
    let placeholders = |_: usize| {
        "<guid isPermaLink=\"false\">none</guid><link>https://h.example/notes</link>".to_owned()
    };
    let link_only = |_: usize| "<link>https://h.example/notes</link>".to_owned();
    let home_page = |_: usize| "<link>https://h.example/</link>".to_owned();
    let fragments = |n: usize| format!("<link>https://h.example/notes#t{n}</link>");
    let same_guid = |_: usize| {
        "<guid>https://h.example/notes</guid><link>https://h.example/notes</link>".to_owned()
    };
    let ways: [(&dyn Fn(usize) -> String, bool); 6] = [
        (&placeholders, true),
        (&link_only, true),
        (&link_only, false),
        (&home_page, true),
        (&fragments, false),
        (&same_guid, true),
    ];
    for (at, (names, with_date)) in ways.into_iter().enumerate() {
        let one = |n: usize, text: &str| {
            let date = if with_date { dated(n) } else { String::new() };
            item(&format!(
                "{}<title>{}</title><description>{text}</description>{date}",
                names(n),
                NOTES[n].0
            ))
        };
        let plain = |n: usize| one(n, NOTES[n].1);
        let corrected = one(1, "A new column shows the height of the water at midnight.");
        let (seen, home) = play(&[
            vec![plain(1), plain(0)],
            vec![plain(2), plain(1), plain(0)],
            vec![plain(2), corrected.clone(), plain(0)],
            vec![plain(0), plain(2), corrected.clone()],
            vec![plain(2), corrected],
        ]);
        assert_eq!(
            seen,
            [(2, 0), (1, 0), (0, 1), (0, 0), (0, 0)],
            "way {at}: {:?}",
            texts(&home)
        );
    }
}

#[test]
fn of_two_copies_of_an_item_the_newer_one_counts_wherever_it_stands() {
    let copy = |hour: u32, text: &str| {
        item(&format!(
            "<guid isPermaLink=\"false\">7</guid><link>https://h.example/ferry</link><title>Ferry to the island</title>\
             <description>The ferry leaves at {text} from the northern quay.</description>\
             <pubDate>Mon, 30 Nov 2026 {hour}:00:00 GMT</pubDate>"
        ))
    };
    let other = item(
        "<guid isPermaLink=\"false\">8</guid><link>https://h.example/o</link><title>Other</title>",
    );
    let (old, new) = (copy(10, "nine"), copy(11, "ten"));
    let (seen, _home) = play(&[
        vec![old.clone(), new.clone(), other.clone()],
        vec![new.clone(), old.clone(), other.clone()],
        vec![old, new, other],
    ]);
    assert_eq!(seen, [(2, 0), (0, 0), (0, 0)]);
}

#[test]
fn two_notices_in_the_same_words_are_two_unless_the_feed_changes_its_guids() {
    let notice = |id: usize, place: &str, hour: usize| {
        item(&format!(
            "<guid isPermaLink=\"false\">{id}</guid><link>https://h.example/{id}</link><title>Flood warning for the river of the county\
             </title><description>{place}: the river will rise by a metre until the evening, and roads beside it are closed.\
             </description><pubDate>Mon, 30 Nov 2026 {hour:02}:00:00 GMT</pubDate>"
        ))
    };
    let (seen, _home) = play(&[
        vec![notice(1, "Northford", 8)],
        vec![notice(2, "Southford", 9)],
        vec![notice(3, "Southford", 10)],
    ]);
    assert_eq!(seen, [(1, 0), (1, 0), (1, 0)]);
}

#[test]
fn a_section_belongs_to_its_item_and_a_home_page_to_nobody() {
    let publisher = Server::start();
    let page = |visitors: u32, faults: &str| {
        let part = |n: u32| {
            let faults = if n == 2 { faults } else { "five" };
            format!(
                "<h2 id=\"t{n}\">Table {n}</h2><p>This edition repairs {faults} faults in the printing of the tables.</p>\
                 <p>Thanks go to everybody who reported them in spring.</p>"
            )
        };
        Page::html(format!(
            "<html><head><title>Notes, {visitors} readers</title></head><body><main><h1>Notes</h1><p>{visitors} people have \
             read these notes of the harbour office until now.</p>{}{}{}</main></body></html>",
            part(3),
            part(2),
            part(1)
        ))
    };
    let link = |address: String, n: u32| {
        item(&format!(
            "<guid isPermaLink=\"false\">{n}</guid><title>Number {n}</title><link>{address}</link>"
        ))
    };
    let parts = (1..4).map(|n| link(publisher.url(&format!("/notes#t{n}")), n));
    let front = (4..7).map(|n| link(publisher.url("/"), n));
    publisher.set("/feed.xml", feed(&parts.chain(front).collect::<Vec<_>>()));
    let home = home(&publisher, "always");
    for (visitors, faults) in [(1, "two"), (20, "two"), (300, "nine"), (300, "nine")] {
        publisher.set("/notes", page(visitors, faults));
        publisher.set("/", page(visitors * 7, faults));
        home.check();
    }
    assert_eq!(home.events().len(), 1, "{:?}", texts(&home));
    assert_eq!(publisher.hits("/"), 0);
    let history = home.ok(&["history", "4"]);
    assert!(history.contains("link to this page"), "{history}");
}

#[test]
fn another_form_of_a_text_is_no_edit() {
    let long =
        "The mayor took office in spring and promised three bridges to the people of the harbour. ";
    let more = "Two of them were never planned, as the books of the town show, and the money went elsewhere.";
    let post = |n: usize, rest: &str| {
        item(&format!(
            "<guid isPermaLink=\"false\">{n}</guid><link>https://h.example/{n}</link><title>Bridge {n}</title>{rest}"
        ))
    };
    let quiet = post(9, "<description>Another post that stays.</description>");
    let full = format!("<description>{long}{more}</description>");
    let cut = format!("<description>{} [&#8230;]</description>", &long[..60]);
    let wall = format!(
        "<content:encoded><![CDATA[<p>{long}</p><p>This one is for our members.</p><p><a href=\"https://h.example/subscribe\">\
         Join us</a></p>]]></content:encoded>"
    );
    let body = format!("<content:encoded><![CDATA[<p>{long}</p><p>{more}</p>]]></content:encoded>");
    let summary = "<itunes:summary>With Ann Lee, who counts whales.</itunes:summary>".to_owned();
    let both =
        format!("<description>We speak of whales and of their songs.</description>{summary}");
    for (one, other) in [
        (&full, &cut),
        (&body, &wall),
        (&summary, &both),
        (&cut, &full),
    ] {
        let state = |rest: &String| vec![post(1, rest), quiet.clone()];
        let (seen, home) = play(&[state(one), state(other), state(one), state(other)]);
        assert_eq!(
            seen,
            [(2, 0), (0, 0), (0, 0), (0, 0)],
            "{one} {other}: {:?}",
            texts(&home)
        );
    }
    let withdrawn = format!(
        "<content:encoded><![CDATA[<p>{long}</p><p>The rest was withdrawn.</p>]]></content:encoded>"
    );
    let (seen, _home) = play(&[
        vec![post(1, &body), quiet.clone()],
        vec![post(1, &withdrawn), quiet],
    ]);
    assert_eq!(seen, [(2, 0), (0, 1)]);
}

#[test]
fn a_server_that_says_that_nothing_is_new_is_found_out() {
    let publisher = Server::start();
    let says = |hour: &str| {
        let text = format!(
            "<guid isPermaLink=\"false\">1</guid><title>Ferry</title><description>It leaves at {hour}.</description>"
        );
        feed(&[item(&text)]).header("etag", "\"for ever\"")
    };
    publisher.set("/feed.xml", says("nine"));
    let home = home(&publisher, "off");
    home.check();
    publisher.set("/feed.xml", says("ten"));
    assert_eq!(home.check_due()["feeds"][0]["outcome"], "not_modified");
    assert_eq!(first(&home.check(), "changed"), 1);
}
