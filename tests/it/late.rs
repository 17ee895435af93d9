//! What is overdue, and why: with a running daemon, and without one.

use rusqlite::Connection;
use serde_json::Value;

use crate::support::{END, Home, PATIENCE, Page, Server, eventually, rss};

/// Makes a feed two hours overdue.
fn overdue(home: &Home, feed: &str) {
    let conn = Connection::open(home.db_path()).unwrap();
    conn.busy_timeout(PATIENCE).unwrap();
    let sql = "UPDATE feeds SET next_poll_at = (unixepoch() - 7200) * 1000 WHERE name = ?1";
    assert_eq!(conn.execute(sql, [feed]).unwrap(), 1);
}

/// The findings of `doctor` for a check: level, text, hint.
fn doctor(home: &Home, check: &str) -> Vec<(String, String, String)> {
    let ran = home.run(&["doctor", "--json"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
    let word = |found: &Value, name: &str| found[name].as_str().unwrap_or_default().to_owned();
    let checks = report["checks"].as_array().unwrap().iter();
    checks
        .filter(|found| found["check"] == check)
        .map(|found| {
            (
                word(found, "level"),
                word(found, "text"),
                word(found, "hint"),
            )
        })
        .collect()
}

fn late(home: &Home) -> Vec<(String, String, String)> {
    let mut found = doctor(home, "feeds");
    found.retain(|(_, text, _)| text.contains(" is late"));
    found
}

#[test]
fn a_late_feed_is_told_with_its_reason() {
    let server = Server::start();
    let feed = || {
        Page::rss(rss(&[(
            "1",
            "https://e.example/1",
            "A headline",
            "Text that stays as it is.",
        )]))
    };
    server.set("/busy.xml", feed());
    server.set("/slow.xml", feed());
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n\n[[feed]]\nurl = \"{}\"\nname = \"busy\"\nevery = \"1s\"\n\
         [[feed]]\nurl = \"{}\"\nname = \"slow\"\nevery = \"1h\"\n",
        server.url("/busy.xml"),
        server.url("/slow.xml"),
    ));
    home.check();
    assert_eq!(late(&home), []);

    // Without a daemon, the service is reported instead, since all feeds are late for the same reason.
    overdue(&home, "slow");
    assert_eq!(late(&home), []);
    let service = doctor(&home, "service");
    assert!(
        service
            .iter()
            .any(|(level, text, _)| level == "warn" && text.contains("no daemon is running")),
        "{service:#?}"
    );
    let status: Value = serde_json::from_str(&home.run(&["status", "--json"]).stdout).unwrap();
    let told = &status["feeds"]["late"];
    assert_eq!(told.as_array().unwrap().len(), 1, "{told:#}");
    assert_eq!(told[0]["feed"], "slow");
    assert!(
        told[0]["why"]
            .as_str()
            .unwrap()
            .contains("the daemon is not running"),
        "{told:#}"
    );

    // A daemon reschedules it at the start, after which it is no longer late.
    let busy = server.hits("/busy.xml");
    let mut daemon = home.daemon();
    eventually(PATIENCE, "the daemon polls", || {
        server.hits("/busy.xml") > busy
    });
    eventually(PATIENCE, "nothing is late", || late(&home).is_empty());

    // A feed that must not be polled is reported with the reason: its host is rate-limiting us.
    server.set("/busy.xml", Page::status(429).header("retry-after", "3600"));
    eventually(PATIENCE, "the host has said so", || {
        let feeds: Value = serde_json::from_str(&home.ok(&["feeds", "--json"])).unwrap();
        feeds[0]["status"] == 429
    });
    let slow = server.hits("/slow.xml");
    overdue(&home, "slow");
    let found = late(&home);
    assert_eq!(found.len(), 1, "{found:#?}");
    let (level, text, why) = &found[0];
    assert_eq!(level, "warn");
    assert!(text.starts_with("slow is late, due "), "{text}");
    assert!(why.contains("asked us to wait"), "{why}");
    assert_eq!(server.hits("/slow.xml"), slow);
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
}
