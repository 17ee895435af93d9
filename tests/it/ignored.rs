//! The record of ignored text: what changes in or near an article without being a change is counted, with its text
//! and reason.

use rusqlite::Connection;
use serde_json::Value;

use crate::support::{Home, PATIENCE, Page, Server, eventually, rss};

const STORY: &str = "The council of the lower town met on Monday evening to hear what the new bridge will cost, and \
                     after three hours of statements nobody in the room was able to say.";

/// A page with a text, boxes next to it, and a footer.
fn page(paragraphs: &[&str], beside: &[&str], year: usize) -> Page {
    let text: String = paragraphs
        .iter()
        .map(|text| format!("<p>{text}</p>"))
        .collect();
    let boxes: String = beside
        .iter()
        .map(|text| format!("<div class=\"box\"><p>{text}</p></div>"))
        .collect();
    Page::html(format!(
        "<!DOCTYPE html><html><head><title>Bridge</title></head><body><nav><a href=\"/\">Home</a> \
         <a href=\"/sport\">Sport</a></nav><main><article><h1>Bridge over budget</h1>{text}</article></main>\
         <aside class=\"sidebar\">{boxes}</aside><footer><p>© {year} The Courier of the lower town, all rights \
         reserved.</p></footer></body></html>"
    ))
}

/// A home with one feed that has one story.
fn one_story(publisher: &Server, keys: &str) -> Home {
    let url = publisher.url("/bridge");
    let items = [("1", url.as_str(), "Bridge over budget", "A summary of it.")];
    publisher.set("/feed.xml", Page::rss(rss(&items)));
    Home::new(&format!(
        "[[feed]]\nurl = \"{}\"\nname = \"courier\"\n{keys}",
        publisher.url("/feed.xml")
    ))
}

fn ledger(home: &Home) -> Vec<Value> {
    home.ok(&["log", "--ignored", "--format", "ndjson", "--reverse"])
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of ndjson is JSON"))
        .collect()
}

fn place<'a>(ledger: &'a [Value], words: &str) -> &'a Value {
    let has = |row: &&Value| {
        ["before", "after"]
            .iter()
            .any(|side| row[side].as_str().is_some_and(|text| text.contains(words)))
    };
    let found: Vec<&Value> = ledger.iter().filter(has).collect();
    assert_eq!(found.len(), 1, "one place with {words}: {ledger:?}");
    found[0]
}

fn changes(report: &Value) -> usize {
    report["changes"].as_array().map_or(0, Vec::len)
}

/// The rows of the record, to check whether anything was written.
fn written(home: &Home) -> Vec<(i64, i64, Vec<u8>)> {
    let conn = Connection::open(home.db_path()).expect("the database");
    let mut statement = conn
        .prepare("SELECT id, bytes, body FROM ignored_texts ORDER BY id")
        .expect("the table");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.expect("rows").map(Result::unwrap).collect()
}

#[test]
fn what_moves_beside_an_article_is_counted_and_never_told() {
    let publisher = Server::start();
    let home = one_story(&publisher, "");
    let readers =
        |count: usize| format!("{count} people are reading this story at the moment, join them");
    let texts = [
        STORY,
        "The mayor will speak on Thursday, when the figures of the builder are on the table.",
    ];
    publisher.set("/bridge", page(&texts, &[&readers(12)], 2026));
    home.check();
    assert_eq!(
        ledger(&home),
        [Value::Null; 0],
        "the first look is a baseline"
    );
    for round in 1..=5 {
        publisher.set("/bridge", page(&texts, &[&readers(12 + round)], 2026));
        assert_eq!(changes(&home.check()), 0, "round {round}");
    }
    let rows = ledger(&home);
    let row = place(&rows, "people are reading");
    assert_eq!(row["times"], 5, "{row}");
    assert_eq!(row["first"], readers(12));
    assert_eq!(
        (&row["before"], &row["after"]),
        (&readers(16).into(), &readers(17).into())
    );
    assert_eq!(row["channel"], "page");
    assert!(
        row["reason"].as_str().is_some_and(|why| !why.is_empty()),
        "{row}"
    );
    assert!(row["first_at"].as_str() < row["last_at"].as_str());
    assert_eq!(rows.len(), 1);

    // The same bytes, or the same ignored text around an edit, cause no writes.
    let before = written(&home);
    home.check();
    assert_eq!(written(&home), before);
    let edited = format!("{STORY} The vote is on Friday.");
    publisher.set("/bridge", page(&[&edited, texts[1]], &[&readers(17)], 2026));
    assert_eq!(changes(&home.check()), 1);
    assert_eq!(written(&home), before);

    // Ignored text that changes together with an edit is recorded, and is not part of the change.
    publisher.set("/bridge", page(&texts, &[&readers(17)], 2027));
    assert_eq!(changes(&home.check()), 1);
    let rows = ledger(&home);
    assert_eq!(place(&rows, "© 2027")["times"], 1);
    let all: String = home.events().iter().map(Value::to_string).collect();
    assert!(
        !all.contains("are reading") && !all.contains("© 20"),
        "{all}"
    );
    assert!(!Value::from(rows).to_string().contains("vote is on Friday"));

    // All ways to show it.
    let short = home.ok(&["log", "--ignored"]);
    assert!(short.contains("[-16-]{+17+} people"), "{short}");
    assert!(
        short.contains("5×") && short.contains("Bridge over budget"),
        "{short}"
    );
    let history = home.ok(&["history", &publisher.url("/bridge")]);
    assert!(history.contains("moved 6 times in 2 places"), "{history}");
    let status = home.ok(&["status"]);
    assert!(
        status.contains("moved in 2 places of 1 article"),
        "{status}"
    );
    let none = home.ok(&["log", "--ignored", "--until", "2020-01-01", "--json"]);
    assert_eq!(none.trim(), "[]");
    assert_eq!(home.run(&["log", "--ignored", "--headline"]).code, Some(2));
    home.ok(&["db", "verify"]);
}

#[test]
fn what_a_rule_leaves_out_is_shown_with_the_rule() {
    let publisher = Server::start();
    let home = one_story(&publisher, "detect.ignore = ['counted \\d+ times']\n");
    let story = |guests: usize, counted: usize| {
        let guests = format!(
            "A count of {guests} guests was made at the door of the town hall that evening"
        );
        let counted =
            format!("{STORY} Their voices were counted {counted} times before the end of it.");
        publisher.set("/bridge", page(&[&counted, &guests, STORY], &[], 2026));
    };
    story(40, 3);
    home.check();
    home.ok(&[
        "rules",
        "add",
        "--like",
        "A count of 40 guests was made at the door of the town hall that evening",
    ]);
    for round in 1..=3 {
        story(40 + round, 3 + round);
        assert_eq!(changes(&home.check()), 0, "round {round}");
    }
    let rows = ledger(&home);
    let (template, part) = (
        place(&rows, "guests was made"),
        place(&rows, "counted 6 times"),
    );
    assert_eq!(
        template["times"], 3,
        "a rule that is new has a past: {template}"
    );
    assert_eq!(part["before"], "counted 5 times");
    let rules: Value = serde_json::from_str(&home.ok(&["rules", "--json"])).unwrap();
    for row in [template, part] {
        let mut rules = rules.as_array().unwrap().iter();
        let rule = rules
            .find(|rule| rule["number"] == row["rule"])
            .expect("its rule");
        assert_eq!(rule["left_out"]["times"], 3, "{rule}");
        assert_eq!(rule["left_out"]["after"], row["after"]);
    }
    let shown = home.ok(&["rules"]);
    assert!(
        shown.contains("ignored 3 movements in 1 article"),
        "{shown}"
    );

    // A rule that has ended ignores nothing, and its end is not a movement.
    home.ok(&["rules", "drop", &template["rule"].to_string()]);
    home.check();
    assert_eq!(ledger(&home), rows);
    story(50, 6);
    assert_eq!(changes(&home.check()), 1);
    assert_eq!(ledger(&home), rows);
}

#[test]
fn what_is_left_out_of_the_text_of_a_feed_is_counted_too() {
    let publisher = Server::start();
    let home = one_story(&publisher, "page.fetch = \"off\"\n");
    let feed = |offer: Option<usize>| {
        let offer = offer.map_or_else(String::new, |offer| {
            format!("&lt;div class=\"advert mid\"&gt;&lt;a href=\"https://ads.example/\"&gt;Save {offer} percent on insurance&lt;/a&gt;&lt;/div&gt;")
        });
        let text = format!("&lt;p&gt;{STORY}&lt;/p&gt;{offer}&lt;p&gt;{STORY} Again.&lt;/p&gt;");
        let url = publisher.url("/bridge");
        publisher.set(
            "/feed.xml",
            Page::rss(rss(&[("1", &url, "Bridge over budget", &text)])),
        );
        assert_eq!(changes(&home.check()), 0);
    };
    for offer in [None, Some(5), Some(7), None, Some(9)] {
        feed(offer);
    }
    let rows = ledger(&home);
    let row = place(&rows, "percent on insurance");
    assert_eq!(
        (&row["times"], &row["channel"]),
        (&4.into(), &"feed".into()),
        "{row}"
    );
    assert_eq!(row["after"], "Save 9 percent on insurance");
    assert_eq!(row.get("first"), None);
}

#[test]
fn the_daemon_keeps_the_record_and_prune_drops_it_with_the_entry() {
    let publisher = Server::start();
    let home = one_story(&publisher, "");
    publisher.set(
        "/bridge",
        page(&[STORY, STORY], &["Box one of the page says this"], 2026),
    );
    home.check();
    publisher.set(
        "/bridge",
        page(&[STORY, STORY], &["Box two of the page says this"], 2026),
    );
    let daemon = home.daemon();
    eventually(PATIENCE, "the daemon answers", || {
        home.run(&["check", "--force"]).code == Some(0) && !ledger(&home).is_empty()
    });
    drop(daemon);
    assert_eq!(place(&ledger(&home), "Box two")["times"], 1);

    // As long as the entry is checked, the record is kept, however old it is.
    let conn = Connection::open(home.db_path()).expect("the database");
    conn.execute("UPDATE ignored_moves SET last_at = 0", [])
        .unwrap();
    home.ok(&["db", "prune", "--trust-clock"]);
    assert_eq!(ledger(&home).len(), 1);
    conn.execute("UPDATE entries SET in_feed = 0, page_next_at = NULL", [])
        .unwrap();
    let dry = home.ok(&["db", "prune", "--trust-clock", "--dry-run", "--json"]);
    assert!(dry.contains("\"ignored\":1"), "{dry}");
    home.ok(&["db", "prune", "--trust-clock"]);
    assert_eq!(ledger(&home), [Value::Null; 0]);
    assert_eq!(written(&home), []);
    home.ok(&["db", "verify"]);
}

#[test]
fn a_difference_of_files_says_what_it_leaves_out() {
    let home = Home::new("");
    let file = |name: &str, page: Page| {
        let path = home.path().join(name);
        std::fs::write(&path, page.body).expect("a file");
        path.display().to_string()
    };
    let beside = |text| page(&[STORY, STORY], &[text], 2026);
    let old = file("old.html", beside("Twelve readers wrote to us about it"));
    let new = file("new.html", beside("Forty readers wrote to us about it"));
    let diff: Value =
        serde_json::from_str(&home.ok(&["diff", "--files", &old, &new, "--json"])).unwrap();
    assert_eq!(diff["equal"], true, "{diff}");
    let ignored = diff["ignored"].as_array().expect("ignored text");
    assert_eq!(ignored.len(), 1, "{ignored:?}");
    assert_eq!(ignored[0]["after"], "Forty readers wrote to us about it");
    assert!(ignored[0]["reason"].is_string());
    let ran = home.run(&["diff", "--files", &old, &new]);
    assert!(ran.stderr.contains("1 ignored movement"), "{}", ran.stderr);
    let same: Value =
        serde_json::from_str(&home.ok(&["diff", "--files", &old, &old, "--json"])).unwrap();
    assert_eq!(same.get("ignored"), None);
}

/// An article with a box that may be an advertisement, depending on its share of the text.
fn with_box(paragraphs: &[usize], in_box: &[&str], year: usize) -> Page {
    let text: String = paragraphs
        .iter()
        .map(|number| {
            format!(
                "<p>{STORY} It was statement {number} of the evening in the hall of the town.</p>"
            )
        })
        .collect();
    let in_box: String = in_box.iter().map(|text| format!("<p>{text}</p>")).collect();
    Page::html(format!(
        "<!DOCTYPE html><html><head><title>Bridge</title></head><body><article><h1>Bridge over budget</h1>{text}\
         <div class=\"advert\">{in_box}</div><p>{STORY} The meeting ended at midnight.</p></article>\
         <footer><p>© {year} The Courier of the lower town</p></footer></body></html>"
    ))
}

#[test]
fn a_block_that_nobody_touched_is_not_in_the_change_and_one_that_was_is() {
    let publisher = Server::start();
    let home = one_story(&publisher, "");
    let offer = "Our builders offer the town a bridge of wood, which costs less and lasts for longer than one of steel";
    let terms = "Whoever signs before the end of the month gets the railings for nothing, say the builders of the bridge, who \
                 have worked all over the country for forty years and know what a river does to steel in a hard winter";
    let in_box = [offer, terms];
    for (before, after) in [(&[1, 2][..], &[1, 2, 3][..]), (&[1, 2, 3], &[1, 2])] {
        publisher.set("/bridge", with_box(before, &in_box, 2026));
        home.check();
        publisher.set("/bridge", with_box(after, &in_box, 2026));
        let report = home.check();
        assert_eq!(changes(&report), 1, "{report}");
        let shown = home.ok(&["show", &report["changes"][0].to_string(), "--json"]);
        let shown: Value = serde_json::from_str(&shown).expect("an event");
        let blocks = shown["data"]["diff"]["body"]["blocks"]
            .as_array()
            .expect("blocks");
        let touched = blocks.iter().filter(|block| block["op"] != "equal");
        let touched: String = touched.map(Value::to_string).collect();
        assert!(touched.contains("statement 3"), "{touched}");
        assert!(
            !touched.contains("of wood") && !touched.contains("railings"),
            "{touched}"
        );
        // The verdict of the last check stays valid as long as the block is there.
        publisher.set("/bridge", with_box(after, &in_box, 2027));
        assert_eq!(changes(&home.check()), 0);
        publisher.set("/bridge", with_box(before, &in_box, 2026));
        home.check();
    }
    // An edit in it is not just a change of verdict: it is a change, or it is in the record.
    publisher.set("/bridge", with_box(&[1, 2, 3], &in_box, 2026));
    home.check();
    let edited = offer.replace("a bridge of wood", "a bridge of paper");
    publisher.set("/bridge", with_box(&[1, 2, 3], &[&edited, terms], 2026));
    home.check();
    let events: String = home.events().iter().map(Value::to_string).collect();
    let record = Value::from(ledger(&home)).to_string();
    assert!(
        events.contains("paper") || record.contains("paper"),
        "{events} {record}"
    );
    home.ok(&["db", "verify"]);
}
