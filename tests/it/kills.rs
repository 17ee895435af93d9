//! SIGKILL at random moments of ingest and delivery: nothing is lost or duplicated, and everything that was sent
//! is stored.
//!
//! Only a few kills; `tests/endurance/kill.py` does hundreds, against a larger publisher.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;

use crate::support::{END, Home, PATIENCE, Page, SECRET, Server, eventually, rss};

const FEEDS: usize = 2;
const ENTRIES: usize = 6;
const ROUNDS: usize = 2;
const KILLS_A_ROUND: usize = 2;

/// A small pseudo-random number generator (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// The seed from the environment, to repeat a run as far as its timing is the same; otherwise a random one.
fn seed() -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test runner is told by its environment"
    )]
    let asked = std::env::var("REVISOR_TEST_SEED").ok();
    match asked.filter(|text| !text.is_empty()) {
        // A generator that starts at zero stays at zero.
        Some(text) => text
            .parse::<u64>()
            .expect("REVISOR_TEST_SEED is a number")
            .max(1),
        None => u64::from(getrandom::u32().unwrap()) + 1,
    }
}

/// Half of the entries are edited in each round, each to its own headline.
fn headline(feed: usize, entry: usize, round: usize) -> String {
    let edits = (1..=round)
        .filter(|round| (entry + round).is_multiple_of(2))
        .count();
    let words = ["harbour", "railway", "library", "hospital"];
    format!(
        "The {} of town {feed} is closed for {} days",
        words[entry % words.len()],
        entry * 100 + edits
    )
}

fn publish(server: &Server, round: usize) {
    for feed in 0..FEEDS {
        let items: Vec<_> = (0..ENTRIES)
            .map(|entry| {
                let (id, url) = (
                    format!("{feed}-{entry}"),
                    format!("https://e.example/{feed}/{entry}"),
                );
                (
                    id,
                    url,
                    headline(feed, entry, round),
                    format!("Text number {entry} stays."),
                )
            })
            .collect();
        let items: Vec<_> = items
            .iter()
            .map(|(id, url, title, text)| {
                (id.as_str(), url.as_str(), title.as_str(), text.as_str())
            })
            .collect();
        server.set(&format!("/{feed}.xml"), Page::rss(rss(&items)));
    }
}

fn count(home: &Home, sql: &str) -> i64 {
    let Ok(conn) =
        Connection::open_with_flags(home.db_path(), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
    else {
        return -1;
    };
    conn.query_row(sql, [], |row| row.get(0)).unwrap_or(-1)
}

#[test]
fn kills_lose_nothing_and_tell_nothing_twice() {
    let seed = seed();
    let _ = std::io::stderr().write_all(format!("kills: REVISOR_TEST_SEED={seed}\n").as_bytes());
    let mut numbers = Numbers(seed);
    let server = Server::start();
    // A receiver that often fails at first, and works later.
    let answers: Vec<u16> = (0..12)
        .map(|_| if numbers.below(3) == 0 { 503 } else { 204 })
        .collect();
    server.answer_hooks_with(&answers);
    let mut config = format!(
        "every = \"1s\"\n[page]\nfetch = \"off\"\n[detect]\nbulk_edit = 1000\n\
         [[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n",
        server.url("/hook")
    );
    for feed in 0..FEEDS {
        let url = server.url(&format!("/{feed}.xml"));
        let _ = write!(config, "[[feed]]\nurl = \"{url}\"\nname = \"f{feed}\"\n");
    }
    let home = Home::new(&config);

    let mut truth = BTreeMap::new();
    let mut edits = 0;
    for round in 0..=ROUNDS {
        publish(&server, round);
        for (feed, entry) in
            (0..FEEDS).flat_map(|feed| (0..ENTRIES).map(move |entry| (feed, entry)))
        {
            if round > 0 && headline(feed, entry, round) != headline(feed, entry, round - 1) {
                edits += 1;
                *truth.entry(headline(feed, entry, round)).or_insert(0) += 1;
            }
        }
        let kills = if round == 0 { 1 } else { KILLS_A_ROUND };
        for _ in 0..kills {
            let daemon = home.daemon();
            let (_keep, never) = std::sync::mpsc::channel::<()>();
            let _ = never.recv_timeout(Duration::from_millis(numbers.below(700)));
            // Dropped: SIGKILL.
            drop(daemon);
        }
        let _daemon = home.daemon();
        let entries = i64::try_from(FEEDS * ENTRIES).unwrap();
        eventually(PATIENCE, "the round is seen", || {
            count(&home, "SELECT count(*) FROM entries") == entries
                && count(&home, "SELECT count(*) FROM changes") >= edits
        });
    }

    let mut daemon = home.daemon();
    eventually(PATIENCE, "the daemon runs", || {
        home.run(&["status"]).stdout.contains("running, pid ")
    });
    eventually(PATIENCE, "everything is delivered", || {
        home.run(&["notify", "retry", "desk"]);
        // A reload checks the outbox immediately.
        daemon.signal("HUP");
        count(
            &home,
            "SELECT count(*) FROM deliveries WHERE done_at IS NULL",
        ) == 0
    });
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));

    home.ok(&["db", "verify"]);
    let events = home.events();
    let mut found = BTreeMap::new();
    for event in &events {
        let title = event["data"]["after"]["title"].as_str().unwrap().to_owned();
        *found.entry(title).or_insert(0) += 1;
    }
    assert_eq!(found, truth, "each edit is one change");
    assert_eq!(home.check()["changes"], serde_json::json!([]));
    held_against_the_receiver(&home, &server, &answers);
}

/// Every event arrived, with one id and one body, in order; and nothing else did.
fn held_against_the_receiver(home: &Home, server: &Server, answers: &[u16]) {
    let conn = Connection::open(home.db_path()).unwrap();
    let mut statement = conn.prepare("SELECT uid FROM events ORDER BY id").unwrap();
    let uids: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut bodies: BTreeMap<String, BTreeSet<Vec<u8>>> = BTreeMap::new();
    let mut ids: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    let mut taken: Vec<String> = Vec::new();
    for (place, hook) in server.hooks().into_iter().enumerate() {
        let uid = hook.headers["webhook-id"].clone();
        let body: Value = serde_json::from_slice(&hook.body).unwrap();
        ids.entry(body["data"]["number"].as_i64().unwrap())
            .or_default()
            .insert(uid.clone());
        bodies.entry(uid.clone()).or_default().insert(hook.body);
        if answers.get(place).is_none_or(|status| *status == 204) && !taken.contains(&uid) {
            taken.push(uid);
        }
    }
    assert_eq!(taken, uids, "all of them, in order, and no others");
    assert!(
        bodies.values().all(|bodies| bodies.len() == 1),
        "one body under one id"
    );
    assert!(
        ids.values().all(|ids| ids.len() == 1),
        "one id for one change"
    );
}
