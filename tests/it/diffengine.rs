//! `import diffengine`: a database as that program writes it, with some absurd values.

use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::support::{Home, Page, Server, rss};

/// The tables as created by its object mapper.
const SCHEMA: &str = "
CREATE TABLE feed (url VARCHAR(255) NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL, created DATETIME NOT NULL);
CREATE TABLE entry (id INTEGER NOT NULL PRIMARY KEY, url VARCHAR(255) NOT NULL, created DATETIME NOT NULL,
    checked DATETIME NOT NULL);
CREATE TABLE feedentry (id INTEGER NOT NULL PRIMARY KEY, feed_id VARCHAR(255) NOT NULL,
    entry_id INTEGER NOT NULL, created DATETIME NOT NULL);
CREATE TABLE entryversion (id INTEGER NOT NULL PRIMARY KEY, title VARCHAR(255) NOT NULL, url VARCHAR(255) NOT NULL,
    summary VARCHAR(255) NOT NULL, created DATETIME NOT NULL, archive_url VARCHAR(255), entry_id INTEGER NOT NULL);
CREATE TABLE diff (id INTEGER NOT NULL PRIMARY KEY, old_id INTEGER NOT NULL, new_id INTEGER NOT NULL,
    created DATETIME NOT NULL, tweeted DATETIME, blogged DATETIME);
";

struct Theirs(Connection);

impl Theirs {
    fn new(path: &Path) -> Self {
        let conn = Connection::open(path).expect("a database");
        conn.execute_batch(SCHEMA).expect("the tables");
        Self(conn)
    }

    fn feed(&self, url: &str, name: &str) {
        let sql = "INSERT INTO feed VALUES (?1, ?2, '2017-01-01 00:00:00')";
        self.0.execute(sql, [url, name]).expect("a feed");
    }

    fn article(&self, id: i64, feed: &str, url: &str) {
        let sql = "INSERT INTO entry VALUES (?1, ?2, '2017-01-01 00:00:00', '2017-01-02 00:00:00')";
        self.0.execute(sql, params![id, url]).expect("an entry");
        let sql = "INSERT INTO feedentry (feed_id, entry_id, created) VALUES (?1, ?2, '2017-01-01 00:00:00')";
        self.0.execute(sql, params![feed, id]).expect("its feed");
    }

    fn version(&self, article: i64, title: &str, text: &str, created: &str) {
        let sql = "INSERT INTO entryversion (title, url, summary, created, entry_id) VALUES (?1, '', ?2, ?3, ?4)";
        self.0
            .execute(sql, params![title, text, created, article])
            .expect("a version");
    }
}

fn imported(home: &Home, file: &Path, code: i32) -> Value {
    let file = file.to_str().expect("a path");
    let ran = home.run(&["import", "diffengine", file, "--json"]);
    assert_eq!(ran.code, Some(code), "{ran:?}");
    serde_json::from_str(&ran.stdout).expect("JSON")
}

fn paragraphs(cost: u32) -> String {
    format!(
        "<p>The harbour will cost {cost} million, said the mayor, and the money comes from the region.</p>\
         <p>The council met for three hours on Monday evening and heard many residents.</p>"
    )
}

#[test]
fn the_history_of_diffengine_becomes_revisions_without_alerts_and_once() {
    let publisher = Server::start();
    let home = Home::new(
        "[page]\nrecheck = [[\"36500d\", \"1m\"]]\n[[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\nsecret = \"whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0\"\n",
    );
    let file = home.path().join("diffengine.db");
    let theirs = Theirs::new(&file);
    let (feed, url) = (publisher.url("/feed.xml"), publisher.url("/a"));
    theirs.feed(&feed, "The Courier");
    theirs.article(1, &feed, &url);
    theirs.version(1, "The harbour", &paragraphs(15), "2017-01-05 12:34:56.789");
    theirs.version(1, "The harbour", &paragraphs(51), "2017-01-05 14:00:00");
    // Looks the same to a reader.
    theirs.version(
        1,
        "The harbour",
        &paragraphs(51).replace(' ', "  "),
        "2017-01-05 15:00:00",
    );
    theirs.version(
        1,
        "The harbour again",
        &paragraphs(51),
        "2017-01-06 09:00:00.5",
    );
    let expected = json!({"articles": 1, "revisions": 3, "changes": 2, "watched": 0, "skipped": 0});
    assert_eq!(imported(&home, &file, 0), expected);
    let nothing = json!({"articles": 0, "revisions": 0, "changes": 0, "watched": 0, "skipped": 0});
    assert_eq!(imported(&home, &file, 0), nothing);

    let events = home.events();
    assert_eq!(events.len(), 2, "{events:?}");
    let first = events
        .iter()
        .find(|event| event["data"]["number"] == 1)
        .expect("the first change");
    assert_eq!(first["data"]["entry"]["url"], url);
    assert_eq!(first["data"]["change"]["labels"][0], "number");
    let window = &first["data"]["change"]["window"];
    assert_eq!(window["last_unchanged"], "2017-01-05T12:34:56.789Z");
    assert_eq!(window["first_changed"], "2017-01-05T14:00:00Z");
    assert!(home.ok(&["search", "51", "--added"]).contains("harbour"));
    let waiting = home.ok(&["notify", "list", "--json"]);
    assert!(!waiting.contains("entry.revised"), "{waiting}");
    home.ok(&["db", "verify"]);

    // Later versions are appended.
    theirs.version(
        1,
        "The harbour again",
        &paragraphs(99),
        "2017-01-07 09:00:00",
    );
    assert_eq!(imported(&home, &file, 0)["revisions"], 1);

    // From now on we check it ourselves; our first check is not an edit.
    publisher.set(
        "/feed.xml",
        Page::rss(rss(&[(
            "1",
            &url,
            "The harbour, once more",
            "What the council heard.",
        )])),
    );
    let page = |cost| {
        Page::html(format!(
            "<html><body><article><h1>The harbour, once more</h1>{}</article></body></html>",
            paragraphs(cost)
        ))
    };
    publisher.set("/a", page(7));
    home.ok(&["add", &feed]);
    home.check();
    assert_eq!(home.events().len(), 3);
    publisher.set("/a", page(8));
    let checked = home.check();
    assert_eq!(checked["changes"], json!([4]), "{checked}");
    assert_eq!(home.events().len(), 4);
    let entries = home.ok(&["entries", "--json"]);
    let entries: Value = serde_json::from_str(&entries).expect("JSON");
    assert_eq!(entries.as_array().map(Vec::len), Some(1), "{entries}");
    assert_eq!(imported(&home, &file, 0)["watched"], 1);
    home.ok(&["db", "verify"]);
}

#[test]
fn values_that_nobody_would_write_are_bounded_and_counted() {
    let home = Home::new("");
    let file = home.path().join("hostile.db");
    let theirs = Theirs::new(&file);
    theirs.feed(
        "https://e.example/feed",
        "\u{202e}Evil \u{1b}[31m/../name\n",
    );
    theirs.feed("javascript:alert(1)", "x");
    theirs.article(1, "https://e.example/feed", "https://e.example/1");
    theirs.article(2, "javascript:alert(1)", "https://e.example/2");
    theirs.article(3, "https://e.example/feed", "file:///etc/passwd");
    theirs.article(4, "https://nowhere.example/", "https://e.example/4");
    theirs.article(-5, "https://e.example/feed", "https://e.example/5");
    theirs.version(
        1,
        &"T".repeat(3_000_000),
        &"<div>".repeat(200_000),
        "2017-01-05 12:00:00",
    );
    theirs.version(
        1,
        "<script>",
        "<p>Words \u{1b}[2J that</p>\0 end",
        "2017-01-06 12:00:00",
    );
    theirs.version(1, "never", "", "2999-01-06 12:00:00");
    theirs.version(1, "nonsense", "", "when it was");
    theirs.version(-5, "", "", "2017-01-05 12:00:00");
    let sql = "INSERT INTO entryversion (title, url, summary, created, entry_id) VALUES (x'ff00fe', '', 7, 20170107, 1)";
    theirs.0.execute(sql, []).expect("other types");
    let done = imported(&home, &file, 3);
    assert_eq!(done["skipped"], 6, "{done}");
    assert!(done["revisions"].as_u64() >= Some(2), "{done}");
    let shown = home.ok(&["log"]);
    assert!(
        !shown.contains('\u{1b}') && !shown.contains('\u{202e}'),
        "{shown}"
    );
    home.ok(&["db", "verify"]);

    let other = home.path().join("other.db");
    std::fs::write(&other, "not a database").expect("a file");
    let missing = home.path().join("missing.db");
    for file in [&other, &missing, &home.db_path()] {
        let ran = home.run(&["import", "diffengine", file.to_str().expect("a path")]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(
            ran.stderr.contains("as a database of diffengine"),
            "{ran:?}"
        );
    }
    assert!(!missing.exists());
}
