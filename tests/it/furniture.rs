//! A site whose page furniture changes all the time, from the feed to the alert: silent once it is known, and no
//! edit is missed.

use serde_json::Value;

use crate::support::{Home, Page, Server, rss};

/// Articles of the site.
const ARTICLES: usize = 9;

/// Promotions that take turns between the paragraphs.
const PROMOTIONS: [&str; 3] = [
    "Read the news of the day in our app, wherever you are",
    "Our podcast has all about it every morning before breakfast",
    "Give a year of good reading to a friend for little money",
];

/// The text of an article in a round; only an edit changes `edited`.
fn sentences(article: usize, edited: &str) -> Vec<String> {
    let subjects = ["harbour", "budget", "bridge", "orchestra"];
    let mut texts: Vec<String> = subjects
        .iter()
        .map(|subject| {
            format!(
                "In the matter of the {subject} in district {article} the council heard three hours of statements, \
                 and nobody in the room of story {article} was able to say what the {subject} will have cost in the end."
            )
        })
        .collect();
    texts[1].push_str(edited);
    texts
}

fn page(article: usize, round: usize, edited: &str) -> Page {
    let mut paragraphs: Vec<String> = sentences(article, edited)
        .into_iter()
        .map(|text| format!("<p>{text}</p>"))
        .collect();
    let promotion = PROMOTIONS[(article + round) % PROMOTIONS.len()];
    paragraphs.insert(2, format!("<p>{promotion}</p>"));
    let readers = 100 + article * 13 + round * 7;
    paragraphs.insert(
        1,
        format!("<p>At the moment {readers} people are reading this page with you</p>"),
    );
    let text = paragraphs.concat();
    Page::html(format!(
        "<!DOCTYPE html><html><head><title>Story {article}</title></head><body>\
         <div class=weather>{round} °C</div><article><h1>Story number {article} of the district</h1>{text}</article>\
         <footer>© {round}</footer></body></html>"
    ))
}

/// A feed of all articles, with an advertisement after the first paragraph of each text.
fn feed(publisher: &Server, round: usize, edited: impl Fn(usize) -> String) {
    let items: Vec<(String, String, String, String)> = (0..ARTICLES)
        .map(|article| {
            let mut text: Vec<String> = sentences(article, &edited(article))
                .into_iter()
                .map(|text| format!("&lt;p&gt;{text}&lt;/p&gt;"))
                .collect();
            if (article + round).is_multiple_of(3) {
                let percent = 5 + (article * 7 + round * 11) % 60;
                text.insert(
                    1,
                    format!("&lt;div class=\"advert mid\"&gt;&lt;a href=\"https://ads.example/{round}\"&gt;Save {percent} percent on insurance&lt;/a&gt;&lt;/div&gt;"),
                );
            }
            (
                article.to_string(),
                publisher.url(&format!("/story/{article}")),
                format!("Story number {article} of the district"),
                text.concat(),
            )
        })
        .collect();
    let items: Vec<(&str, &str, &str, &str)> = items
        .iter()
        .map(|(guid, url, title, text)| {
            (guid.as_str(), url.as_str(), title.as_str(), text.as_str())
        })
        .collect();
    publisher.set("/feed.xml", Page::rss(rss(&items)));
}

fn json(home: &Home, arguments: &[&str]) -> Value {
    serde_json::from_str(&home.ok(arguments)).expect("an answer in JSON")
}

/// Compares what was reported with the stored texts, which keep the furniture.
fn whole(home: &Home) {
    let verified = home.run(&["db", "verify"]);
    assert_eq!(verified.code, Some(0), "{}", verified.stdout);
    crate::evidence::holds(home);
}

fn changes(report: &Value) -> usize {
    report["changes"].as_array().map_or(0, Vec::len)
}

#[test]
fn advertisements_in_the_text_of_a_feed_are_no_edits() {
    let publisher = Server::start();
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n",
        publisher.url("/feed.xml")
    ));
    for round in 0..6 {
        let edited = |article: usize| match (round, article) {
            (3.., 5) => " It voted at last.".to_owned(),
            _ => String::new(),
        };
        feed(&publisher, round, edited);
        let report = home.check();
        assert_eq!(
            changes(&report),
            usize::from(round == 3),
            "round {round}: {report}"
        );
    }
    let shown = home.ok(&["show", "1", "--json"]);
    assert!(shown.contains("It voted at last"), "{shown}");
    assert!(!shown.contains("insurance"), "{shown}");
    whole(&home);
}

#[test]
fn what_churns_over_a_site_is_learned_and_no_edit_is_missed() {
    let publisher = Server::start();
    let home = Home::new(&format!(
        "[detect]\nbulk_edit = 1000\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n",
        publisher.url("/feed.xml")
    ));
    feed(&publisher, 1, |_| String::new());
    let mut edits = Vec::new();
    for round in 0..10 {
        for article in 0..ARTICLES {
            let edited = match (round, article) {
                (6.., 2) => " The mayor was not there.",
                (8.., 6) => " It adjourned until May.",
                _ => "",
            };
            publisher.set(&format!("/story/{article}"), page(article, round, edited));
        }
        let report = home.check();
        match round {
            0 => assert_eq!(changes(&report), 0, "a baseline"),
            1 | 2 => assert!(changes(&report) > 0, "what nobody has seen move is told"),
            // Three checks are enough for the counter. A promotion has to come back after all of them have had
            // their turn.
            3 | 4 => {
                for number in report["changes"].as_array().unwrap() {
                    let shown = json(&home, &["show", &number.to_string(), "--json"]);
                    let text = shown["data"]["text"].as_str().unwrap();
                    assert!(!text.contains("are reading"), "round {round}: {text}");
                }
            }
            6 | 8 => {
                assert_eq!(changes(&report), 1, "round {round}: {report}");
                edits.extend(report["changes"].as_array().cloned().unwrap_or_default());
            }
            _ => assert_eq!(changes(&report), 0, "round {round}: {report}"),
        }
    }
    assert_eq!(edits.len(), 2);
    for (number, words) in edits.iter().zip(["was not there", "adjourned until May"]) {
        let shown = json(&home, &["show", &number.to_string(), "--json"]);
        let text = shown["data"]["text"].as_str().unwrap();
        assert!(text.contains(words), "{text}");
        assert!(
            !text.contains("podcast") && !text.contains("are reading"),
            "{text}"
        );
    }

    // The rules show what they were learned from.
    let rules = json(&home, &["rules", "--json"]);
    let rules = rules.as_array().unwrap().clone();
    let counter = rules
        .iter()
        .find(|rule| rule["kind"] == "template")
        .expect("the counter");
    assert_eq!(counter["origin"], "learned");
    assert_eq!(counter["feed"], "courier");
    assert!(
        counter["evidence"]["articles"].as_u64().unwrap() >= 5,
        "{counter}"
    );
    assert!(
        rules.iter().any(|rule| rule["pattern"] == PROMOTIONS[0]),
        "{rules:?}"
    );

    // No alert was sent for changes during learning: they waited for further checks.
    let replay = json(&home, &["rules", "test", "--since", "1d", "--json"]);
    assert_eq!(replay["alerts"], 2, "{replay}");
    assert_eq!(replay["instead_of"], 2, "{replay}");

    // Ending a rule is not an edit, and the text that it covered is compared from then on.
    let number = counter["number"].to_string();
    home.ok(&["rules", "drop", &number]);
    for (round, expected) in [(10, 0), (10, 0), (11, ARTICLES)] {
        for article in 0..ARTICLES {
            let edited = match article {
                2 => " The mayor was not there.",
                6 => " It adjourned until May.",
                _ => "",
            };
            publisher.set(&format!("/story/{article}"), page(article, round, edited));
        }
        let report = home.check();
        assert_eq!(changes(&report), expected, "round {round}: {report}");
    }
    // It is not learned again, and can be activated again.
    let active = |home: &Home| {
        let rules = json(home, &["rules", "--all", "--json"]);
        let rules = rules.as_array().unwrap().clone();
        rules
            .into_iter()
            .find(|rule| rule["number"] == counter["number"])
            .unwrap()["active"]
            .clone()
    };
    assert_eq!(active(&home), false);
    home.ok(&["rules", "keep", &number]);
    assert_eq!(active(&home), true);
    whole(&home);
}

#[test]
fn selectors_and_expressions_of_a_feed_are_no_edits_when_they_begin_or_end() {
    let publisher = Server::start();
    let config = |keys: &str| {
        format!(
            "[[feed]]\nurl = \"{}\"\nname = \"courier\"\n{keys}",
            publisher.url("/feed.xml")
        )
    };
    let home = Home::new(&config(""));
    let story = |readers: usize, box_text: &str, edited: &str| {
        let text: String = sentences(1, edited)
            .into_iter()
            .map(|text| format!("<p>{text}</p>"))
            .collect();
        publisher.set(
            "/story/1",
            Page::html(format!(
                "<!DOCTYPE html><html><head><title>t</title></head><body><article><h1>The story</h1>{text}\
                 <section class=x-live><p>{box_text} is what they say in the room next door to this one.</p></section>\
                 <p>It was heard by {readers} people (counted {readers} times) who came to listen that day.</p>\
                 </article></body></html>"
            )),
        );
    };
    let (url, title) = (publisher.url("/story/1"), "The story");
    publisher.set(
        "/feed.xml",
        Page::rss(rss(&[("1", url.as_str(), title, "A summary.")])),
    );
    story(10, "Nothing new", "");
    home.check();

    // The rules begin while the page changes: what they cover is not an edit, the rest is.
    let keys = "page.remove = [\".x-live\"]\ndetect.ignore = ['\\(counted \\d+ times\\)', 'by \\d+ people']\n";
    home.configure(&config(keys));
    story(11, "Something new", "");
    assert_eq!(changes(&home.check()), 0);
    story(12, "Still something else", " They voted.");
    let report = home.check();
    assert_eq!(changes(&report), 1, "{report}");
    let shown = home.ok(&["show", "1", "--json"]);
    assert!(
        shown.contains("They voted") && !shown.contains("room next door"),
        "{shown}"
    );

    let explained = json(
        &home,
        &[
            "inspect",
            "article",
            &url,
            "--explain",
            "--feed",
            "courier",
            "--json",
        ],
    );
    let whys: Vec<&str> = explained["explained"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|block| block["why"].as_str())
        .collect();
    assert!(
        whys.iter().any(|why| why.contains("page.remove: .x-live")),
        "{whys:?}"
    );

    // The rules end while the page stays the same; after that it is compared completely.
    story(13, "Still something else", " They voted.");
    assert_eq!(changes(&home.check()), 0);
    home.configure(&config(""));
    assert_eq!(changes(&home.check()), 0);
    story(14, "Still something else", " They voted.");
    assert_eq!(changes(&home.check()), 1);
    whole(&home);
}

#[test]
fn a_person_selects_the_text_adds_a_rule_and_sees_why_each_block_counts() {
    let publisher = Server::start();
    let home = Home::new(&format!(
        "[[feed]]\nurl = \"{}\"\nname = \"courier\"\npage.select = [\"div.text\"]\n",
        publisher.url("/feed.xml")
    ));
    let url = publisher.url("/story/1");
    let story = |readers: usize, aside: &str, edited: &str| {
        let text: String = sentences(1, edited)
            .into_iter()
            .map(|text| format!("<p>{text}</p>"))
            .collect();
        publisher.set(
            "/story/1",
            Page::html(format!(
                "<!DOCTYPE html><html><head><title>t</title></head><body><article><h1>The story</h1>\
                 <div class=text>{text}<p>It was heard by {readers} people in the room</p></div>\
                 <div class=mood><p>{aside} is what they say in the room next door to this one.</p></div>\
                 </article></body></html>"
            )),
        );
    };
    publisher.set(
        "/feed.xml",
        Page::rss(rss(&[("1", url.as_str(), "The story", "A summary.")])),
    );
    story(10, "Nothing new", "");
    home.check();
    story(11, "Something new", "");
    assert_eq!(changes(&home.check()), 1, "the readers, who are selected");
    story(11, "Still something else", " They voted.");
    assert_eq!(changes(&home.check()), 1, "the edit");

    home.ok(&[
        "rules",
        "add",
        "It was heard by 10 people in the room",
        "--like",
        "--feed",
        "courier",
    ]);
    story(12, "Nothing at all", " They voted.");
    assert_eq!(changes(&home.check()), 0, "the readers are left out");

    let explained = home.ok(&["inspect", "article", &url, "--explain", "--feed", "courier"]);
    for (text, why) in [
        (
            "In the matter of the harbour",
            "+ text: selected by page.select",
        ),
        ("It was heard by 12", "- text: left out by rule 1"),
    ] {
        let lines: Vec<&str> = explained.lines().collect();
        let at = lines.iter().position(|line| line.contains(text));
        let before = at
            .and_then(|at| lines.get(at - 1))
            .copied()
            .unwrap_or_default();
        assert!(before.starts_with(why), "{text}: {before}\n{explained}");
    }
    assert!(!explained.contains("next door"), "{explained}");

    let replay = home.ok(&["rules", "test", "--since", "1d", "--feed", "courier"]);
    assert!(
        replay.starts_with("1 alert instead of 2 since "),
        "{replay}"
    );
    let told: Vec<&str> = replay.lines().skip(1).collect();
    assert!(
        told.iter().any(|line| line.starts_with("reported  #2")),
        "{replay}"
    );
    assert!(
        told.iter().any(|line| line.starts_with("ignored   #1")),
        "{replay}"
    );
    assert_eq!(
        home.run(&["rules", "test", "--since", "soon"]).code,
        Some(2)
    );
    whole(&home);
}

#[test]
fn a_number_that_moves_in_one_place_at_every_look_is_told_a_few_times_and_then_counted() {
    let publisher = Server::start();
    let home = Home::new(&format!(
        "[[feed]]\nurl = \"{}\"\nname = \"courier\"\n",
        publisher.url("/feed.xml")
    ));
    let url = publisher.url("/story/1");
    publisher.set(
        "/feed.xml",
        Page::rss(rss(&[("1", url.as_str(), "The story", "A summary.")])),
    );
    let story = |percent: usize, volunteers: usize, edited: &str| {
        let text: String = sentences(1, edited)
            .into_iter()
            .map(|text| format!("<p>{text}</p>"))
            .collect();
        publisher.set(
            "/story/1",
            Page::html(format!(
                "<!DOCTYPE html><html><head><title>t</title></head><body><article><h1>The story</h1>{text}\
                 <p>This page was translated to {percent} percent by {volunteers} people.</p></article></body></html>"
            )),
        );
    };
    // The time from which the interval between two checks of the page grows.
    let anchor = |home: &Home| -> i64 {
        let database = rusqlite::Connection::open(home.db_path()).expect("the database");
        let anchor = database.query_row("SELECT last_change_at FROM entries", [], |row| row.get(0));
        anchor.expect("an entry that was changed")
    };
    let mut last_told = 0;
    let told: Vec<usize> = (0..9)
        .map(|look| {
            story(10 + look, 12, "");
            let changes = changes(&home.check());
            if look == 4 {
                last_told = anchor(&home);
            }
            changes
        })
        .collect();
    assert_eq!(told, [0, 1, 1, 1, 1, 0, 0, 0, 0]);
    // Counted changes do not shorten the check interval of the page.
    assert_eq!(anchor(&home), last_told);
    let ignored = home.ok(&["log", "--ignored"]);
    assert!(
        ignored.contains("moves at every look") && ignored.contains("translated to"),
        "{ignored}"
    );
    // An edit next to it is reported, and only the edit.
    story(20, 12, " They voted at last.");
    let report = home.check();
    assert_eq!(changes(&report), 1, "{report}");
    let number = report["changes"][0].to_string();
    let shown = json(&home, &["show", &number, "--json"]);
    let text = shown["data"]["text"].as_str().unwrap();
    assert!(
        text.contains("They voted") && !text.contains("percent"),
        "{text}"
    );
    // Another number in the same sentence is an edit, whatever else changes.
    let volunteers = |percent: usize, count: usize| story(percent, count, " They voted at last.");
    volunteers(21, 13);
    assert_eq!(changes(&home.check()), 1);
    // After it has stayed the same for one check, its next change is news again.
    volunteers(21, 13);
    assert_eq!(changes(&home.check()), 0);
    volunteers(22, 13);
    assert_eq!(changes(&home.check()), 1);
    whole(&home);
}

#[test]
fn counters_that_say_what_they_count_are_no_edits_and_are_counted() {
    let publisher = Server::start();
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n",
        publisher.url("/feed.xml")
    ));
    let feed = |count: usize, edited: &str| {
        let text = format!(
            "&lt;p&gt;{}{edited}&lt;/p&gt;&lt;p&gt;Points: {count}&lt;/p&gt;&lt;p&gt;# Comments: {count}&lt;/p&gt;\
             &lt;p&gt;▲ {count} · 💬 {count} · via story.example&lt;/p&gt;",
            sentences(1, "")[0]
        );
        let title = format!("The story [{count} comments]");
        publisher.set(
            "/feed.xml",
            Page::rss(rss(&[("1", "https://story.example/1", &title, &text)])),
        );
    };
    let mut told = Vec::new();
    for look in 0..4 {
        feed(10 + look, "");
        told.push(changes(&home.check()));
    }
    assert_eq!(told, [0; 4]);
    let ignored = home.ok(&["log", "--ignored"]);
    for text in [
        "# Comments:",
        "Points:",
        "via story.example",
        "comments]",
        "a counter",
    ] {
        assert!(ignored.contains(text), "{text}: {ignored}");
    }
    feed(40, " They voted at last.");
    let report = home.check();
    assert_eq!(changes(&report), 1, "{report}");
    let shown = json(&home, &["show", "1", "--json"]);
    let text = shown["data"]["text"].as_str().unwrap();
    assert!(
        text.contains("They voted") && !text.contains("Points"),
        "{text}"
    );
    whole(&home);
}

#[test]
fn rules_of_an_older_version_end_without_an_edit_and_are_learned_again() {
    let publisher = Server::start();
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n[detect]\nbulk_edit = 1000\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n",
        publisher.url("/feed.xml")
    ));
    let feed = |look: usize, severity: usize| {
        let items: Vec<(String, String, String)> = (0..8)
            .map(|flaw: usize| {
                let text = format!(
                    "&lt;p&gt;{}&lt;/p&gt;&lt;p&gt;Seen by {} people, severity {severity} of 10&lt;/p&gt;",
                    sentences(flaw, "")[0],
                    100 + flaw * 7 + look
                );
                (flaw.to_string(), format!("https://flaws.example/{flaw}"), text)
            })
            .collect();
        let items: Vec<(&str, &str, &str, &str)> = items
            .iter()
            .map(|(guid, url, text)| (guid.as_str(), url.as_str(), "A flaw", text.as_str()))
            .collect();
        publisher.set("/feed.xml", Page::rss(rss(&items)));
    };
    let look = |home: &Home, look: usize, severity: usize| {
        feed(look, severity);
        changes(&home.check())
    };
    let told: Vec<usize> = (0..4).map(|at| look(&home, at, 6)).collect();
    assert_eq!(told, [0, 8, 8, 0]);
    // The older version did not know places: it ignored the whole line, and the upgrade ends that.
    let conn = rusqlite::Connection::open(home.db_path()).expect("the database");
    conn.execute_batch(
        "UPDATE rules SET active = 0, since = CAST(unixepoch('subsec') * 1000 AS INTEGER), \
         evidence = json_set(json_remove(evidence, '$.places'), '$.retired', json('true'))",
    )
    .expect("an update");
    drop(conn);
    assert_eq!(
        look(&home, 9, 6),
        0,
        "the line that was left out is no edit now"
    );
    let rules = home.ok(&["rules", "--all"]);
    assert!(rules.contains("learned by an older version"), "{rules}");
    let told: Vec<usize> = (10..15).map(|at| look(&home, at, 6)).collect();
    assert_eq!(told[3..], [0, 0], "learned again: {told:?}");
    assert_eq!(look(&home, 15, 9), 8, "the severity counts");
    whole(&home);
}
