//! An upgrade of how pages are read never counts as an edit: databases as an older revisor would have left them.
//!
//! The older revisor of these tests read a line above each article that today's does not count as text. Its
//! database is made from one of today's: states, hashes, fingerprints and schemes are rewritten as it would have
//! stored them.

use std::path::Path;
use std::sync::Arc;

use revisor::domain::fingerprint::Fingerprints;
use revisor::domain::state::{Block, EntryState};
use revisor::store::{OpenOptions, Store};
use revisor::time::{Clock as _, System};
use revisor::{Environment, Flags, Secrets, from_text};
use revisor::{Reextracted, Reextraction, Settings};
use rusqlite::{Connection, params};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{Home, Page, Server, rss};

/// What the older revisor counted as part of the text.
const ONCE_READ: &str = "Read also: 12 things that you did not know about harbours";

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_vec()
}

/// Turns the database into one of the older revisor, with a correct chain.
fn age(database: &Path) {
    rewrite(database, |state| {
        if let Some(page) = &mut state.page {
            page.body.insert(0, Block::paragraph(ONCE_READ));
        }
    });
    under_older_scheme(database);
}

/// Marks the texts of the database as read under an older scheme.
pub(crate) fn under_older_scheme(database: &Path) {
    let conn = Connection::open(database).unwrap();
    conn.execute_batch("UPDATE revisions SET page_scheme = 0; UPDATE entries SET page_scheme = 0;")
        .unwrap();
}

/// Replaces the stored states as if they had been read like this; the chain is correct.
pub(crate) fn rewrite(database: &Path, mut change: impl FnMut(&mut EntryState)) {
    let mut conn = Connection::open(database).unwrap();
    let tx = conn.transaction().unwrap();
    let states: Vec<(i64, i64, Vec<u8>)> = tx
        .prepare("SELECT id, bytes, body FROM states")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (id, bytes, body) in states {
        let json = zstd::bulk::decompress(&body, usize::try_from(bytes).unwrap()).unwrap();
        let mut state: EntryState = serde_json::from_slice(&json).unwrap();
        change(&mut state);
        let prints = Fingerprints::of(&state);
        let json = serde_json::to_vec(&state).unwrap();
        tx.execute(
            "UPDATE states SET sha256 = ?2, bytes = ?3, body = ?4 WHERE id = ?1",
            params![
                id,
                sha256(&[&json]),
                i64::try_from(json.len()).unwrap(),
                zstd::bulk::compress(&json, 1).unwrap()
            ],
        )
        .unwrap();
        let print = |print: Option<revisor::domain::fingerprint::Fingerprint>| {
            print.map(|print| print.0.to_vec())
        };
        tx.execute(
            "UPDATE revisions SET page_fp = ?2, page_body_fp = ?3 WHERE state_id = ?1",
            params![id, print(prints.page), print(prints.page_body)],
        )
        .unwrap();
    }
    tx.execute_batch(
        "UPDATE entries SET page_fp = (SELECT page_fp FROM revisions AS r \
         WHERE r.entry_id = entries.id AND r.number = entries.revision);",
    )
    .unwrap();
    chain(&tx, |id, previous, hash| {
        tx.execute(
            "UPDATE revisions SET previous_hash = ?2, hash = ?3 WHERE id = ?1",
            params![id, previous, hash],
        )
        .unwrap();
    });
    tx.commit().unwrap();
}

/// Row, number, time, hash of the state, hash of the responses.
type Row = (i64, i64, i64, Vec<u8>, Option<Vec<u8>>);

/// Walks the chain of every entry with the hashes that it should have.
fn chain(conn: &Connection, mut link: impl FnMut(i64, &[u8], &[u8])) {
    let mut rows = conn
        .prepare(
            "SELECT r.id, r.number, r.seen_at, s.sha256, r.captures_hash FROM revisions AS r \
             JOIN states AS s ON s.id = r.state_id \
             ORDER BY r.entry_id, r.number",
        )
        .unwrap();
    let rows: Vec<Row> = rows
        .query_map([], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
            ))
        })
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut previous = vec![0; 32];
    for (id, number, seen, state, captures) in rows {
        if number == 1 {
            previous = vec![0; 32];
        }
        let hash = sha256(&[
            &previous,
            &state,
            &number.to_be_bytes(),
            &seen.to_be_bytes(),
            &captures.unwrap_or_default(),
        ]);
        link(id, &previous, &hash);
        previous = hash;
    }
}

fn chain_is_whole(database: &Path) {
    let conn = Connection::open(database).unwrap();
    let mut links = 0;
    chain(&conn, |id, previous, hash| {
        let stored: (Vec<u8>, Vec<u8>) = conn
            .query_row(
                "SELECT previous_hash, hash FROM revisions WHERE id = ?1",
                [id],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        assert_eq!(
            stored,
            (previous.to_vec(), hash.to_vec()),
            "revision row {id}"
        );
        links += 1;
    });
    assert!(links > 0);
}

fn count(database: &Path, what: &str) -> i64 {
    let conn = Connection::open(database).unwrap();
    conn.query_row(&format!("SELECT count(*) FROM {what}"), [], |row| {
        row.get(0)
    })
    .unwrap()
}

struct Bench {
    publisher: Server,
    home: Home,
    entries: usize,
}

impl Bench {
    /// A feed with pages that were checked once.
    fn new(entries: usize) -> Self {
        let publisher = Server::start();
        let home = Home::new(&format!(
            "[[feed]]\nurl = \"{}\"\nname = \"courier\"\n",
            publisher.url("/feed.xml")
        ));
        let bench = Self {
            publisher,
            home,
            entries,
        };
        bench.publish("15 million", 0);
        let items: Vec<[String; 3]> = (0..entries)
            .map(|n| {
                [
                    n.to_string(),
                    bench.publisher.url(&format!("/{n}")),
                    format!("Report number {n} on the harbour"),
                ]
            })
            .collect();
        let items: Vec<(&str, &str, &str, &str)> = items
            .iter()
            .map(|[guid, url, title]| (guid.as_str(), url.as_str(), title.as_str(), "In short."))
            .collect();
        bench.publisher.set("/feed.xml", Page::rss(rss(&items)));
        bench.home.check();
        bench.home.check();
        bench
    }

    /// The pages, with a figure in the text of the first one; `nonce` is on all of them, where no reader sees it.
    fn publish(&self, figure: &str, nonce: u32) {
        for n in 0..self.entries {
            let figure = if n == 0 { figure } else { "15 million" };
            let html = format!(
                "<!DOCTYPE html><html><head><title>Report</title><meta name=\"nonce\" content=\"{nonce}\"></head><body>\
                 <article><h1>Report number {n} on the harbour</h1>\
                 <p>The harbour will cost {figure}, said the mayor, who has been in office since the spring, and the \
                 money is to come from the region's building fund over the next four years.</p>\
                 <p>The council met for three hours on Monday evening and heard from residents who live near the old \
                 harbour, several of whom asked for more time to read the plans before any decision is made.</p>\
                 </article></body></html>"
            );
            self.publisher.set(&format!("/{n}"), Page::html(html));
        }
    }

    fn age(&self) {
        age(&self.home.db_path());
        chain_is_whole(&self.home.db_path());
    }

    fn history(&self) -> Value {
        let url = self.publisher.url("/0");
        serde_json::from_str(&self.home.ok(&["history", &url, "--json"])).unwrap()
    }

    fn origins(&self) -> Vec<String> {
        let history = self.history();
        let rows = history["revisions"].as_array().unwrap();
        rows.iter()
            .map(|row| {
                let change = row["change"]["number"].as_i64();
                let origin = row["origin"].as_str().unwrap_or("look");
                change.map_or_else(|| origin.to_owned(), |number| format!("#{number}"))
            })
            .collect()
    }

    fn reextract(&self) -> Value {
        serde_json::from_str(&self.home.ok(&["reextract", "--json"])).unwrap()
    }
}

#[test]
fn a_look_after_an_upgrade_finds_no_edit_and_the_next_edit_is_told_alone() {
    let bench = Bench::new(1);
    let before = bench.origins();
    bench.age();
    bench.publish("15 million", 1);
    bench.home.check();
    assert_eq!(bench.home.events(), Vec::<Value>::new());
    let mut after = before.clone();
    after.push("reread".to_owned());
    assert_eq!(bench.origins(), after);
    // It happens only once.
    bench.publish("15 million", 2);
    bench.home.check();
    assert_eq!(bench.origins(), after);

    bench.publish("95 million", 3);
    bench.home.check();
    let events = bench.home.events();
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!(
        events[0]["data"]["change"]["fields"],
        serde_json::json!(["body"])
    );
    assert!(!events[0].to_string().contains("Read also"));
    chain_is_whole(&bench.home.db_path());
}

#[test]
fn an_edit_that_comes_with_an_upgrade_is_told_without_what_our_reading_changed() {
    let bench = Bench::new(1);
    bench.age();
    bench.publish("95 million", 1);
    bench.home.check();
    let events = bench.home.events();
    assert_eq!(events.len(), 1, "{events:#?}");
    let data = &events[0]["data"];
    assert_eq!(
        data["change"]["words"],
        serde_json::json!({"added": 1, "removed": 1})
    );
    assert!(!events[0].to_string().contains("Read also"));
    let before = data["before"]["revision"].as_i64().unwrap();
    assert_eq!(data["after"]["revision"].as_i64(), Some(before + 1));
    let origins = bench.origins();
    assert_eq!(
        origins[origins.len() - 2..],
        ["reread".to_owned(), "#1".to_owned()]
    );
    // And back to a text that the older revisor stored differently.
    bench.publish("15 million", 2);
    bench.home.check();
    let labels = bench.home.events()[1]["data"]["change"]["labels"].clone();
    assert!(
        labels
            .as_array()
            .unwrap()
            .iter()
            .any(|label| label == "revert"),
        "{labels}"
    );
    chain_is_whole(&bench.home.db_path());
}

#[test]
fn without_the_old_answer_the_text_begins_anew_and_that_is_counted() {
    let bench = Bench::new(1);
    bench.age();
    let conn = Connection::open(bench.home.db_path()).unwrap();
    conn.execute("UPDATE captures SET body_id = NULL", [])
        .unwrap();
    drop(conn);
    bench.publish("95 million", 1);
    bench.home.check();
    assert_eq!(bench.home.events(), Vec::<Value>::new());
    assert_eq!(bench.origins().last().unwrap(), "rebased");
    let report = bench.reextract();
    assert_eq!(report["begun_anew"], 1);
    bench.publish("96 million", 2);
    bench.home.check();
    assert_eq!(bench.home.events().len(), 1);
    chain_is_whole(&bench.home.db_path());
}

#[test]
fn one_damaged_answer_stops_neither_its_feed_nor_what_else_is_read_anew() {
    const ENTRIES: usize = 3;
    let bench = Bench::new(ENTRIES);
    bench.age();
    let conn = Connection::open(bench.home.db_path()).unwrap();
    let broken = conn
        .execute(
            "UPDATE bodies SET body = x'00112233' WHERE id = (SELECT body_id FROM captures WHERE url LIKE '%/0')",
            [],
        )
        .unwrap();
    assert_eq!(broken, 1);
    drop(conn);
    let report = bench.reextract();
    assert_eq!(
        (report["reread"].as_u64(), report["lost"].as_u64()),
        (Some(2), Some(1)),
        "{report:#}"
    );
    bench.publish("95 million", 1);
    bench.home.check();
    assert_eq!(bench.origins().last().unwrap(), "rebased");
    bench.publish("96 million", 2);
    bench.home.check();
    assert_eq!(bench.home.events().len(), 1);
    let verified = bench.home.run(&["db", "verify"]);
    assert_eq!(verified.code, Some(5), "{}", verified.stdout);

    // The feed's response, from which all of them were read.
    let bench = Bench::new(ENTRIES);
    let conn = Connection::open(bench.home.db_path()).unwrap();
    conn.execute_batch(
        "UPDATE bodies SET body = x'00112233' WHERE id = (SELECT body_id FROM captures WHERE channel = 'feed'); \
         UPDATE entries SET feed_scheme = 0; UPDATE revisions SET feed_scheme = 0;",
    )
    .unwrap();
    drop(conn);
    let report = bench.reextract();
    assert_eq!(report["lost"].as_u64(), Some(ENTRIES as u64), "{report:#}");
    bench.home.check();
    assert_eq!(bench.home.events(), Vec::<Value>::new());
}

#[test]
fn fingerprints_of_an_older_scheme_still_find_a_return() {
    let bench = Bench::new(1);
    bench.publish("95 million", 1);
    bench.home.check();
    let conn = Connection::open(bench.home.db_path()).unwrap();
    for column in ["feed_fp", "page_fp"] {
        for table in ["revisions", "entries"] {
            let sql =
                format!("UPDATE {table} SET {column} = zeroblob(16) WHERE {column} IS NOT NULL");
            conn.execute(&sql, []).unwrap();
        }
    }
    drop(conn);
    bench.publish("95 million", 2);
    bench.home.check();
    assert_eq!(bench.home.events().len(), 1);
    bench.publish("15 million", 3);
    bench.home.check();
    let events = bench.home.events();
    assert!(
        !events[1]["data"]["change"]["revert_of"].is_null(),
        "{:#}",
        events[1]
    );
    let stale = "revisions WHERE hex(substr(page_fp, 1, 1)) = '00'";
    assert!(
        count(&bench.home.db_path(), stale) > 0,
        "old revisions wait for `reextract`"
    );
    assert_eq!(bench.reextract()["reread"], 0);
    assert_eq!(count(&bench.home.db_path(), stale), 0);
}

#[test]
fn reextract_renews_everything_makes_no_change_and_goes_on_after_an_interruption() {
    const ENTRIES: usize = 40;
    let bench = Bench::new(ENTRIES);
    bench.publish("95 million", 1);
    bench.home.check();
    let database = bench.home.db_path();
    bench.age();
    let before = (
        count(&database, "changes"),
        count(&database, "events"),
        count(&database, "deliveries"),
        count(&database, "revisions"),
    );
    assert_eq!(before.0, 1);

    // Interrupted after the first step.
    let text = std::fs::read_to_string(bench.home.config_path()).unwrap();
    let config = from_text(
        &text,
        None,
        Flags::default(),
        &Environment::default(),
        Secrets::WhereReadable,
    );
    let settings = Arc::new(Settings::new(config.unwrap().config));
    let store = Store::open(&database, &OpenOptions::default()).unwrap();
    let mut done = Reextracted::default();
    let mut work = Reextraction::new(store.readers(), store.writer().clone(), settings);
    assert!(work.step(&mut done, System.now()).unwrap());
    let half = done.renewed;
    assert!(half > 0 && half < ENTRIES as u64, "{done:?}");
    drop(work);
    store.close().unwrap();

    let report = bench.reextract();
    assert_eq!(
        report["renewed"].as_u64(),
        Some(ENTRIES as u64 - half),
        "{report}"
    );
    assert_eq!(report["reread"], report["renewed"]);
    assert_eq!(report["lost"], 0);
    let again = bench.reextract();
    assert_eq!(again["renewed"], 0);
    let after = (
        count(&database, "changes"),
        count(&database, "events"),
        count(&database, "deliveries"),
        count(&database, "revisions"),
    );
    assert_eq!(
        after,
        (
            before.0,
            before.1,
            before.2,
            before.3 + i64::try_from(ENTRIES).unwrap()
        )
    );
    chain_is_whole(&database);
    let stale = count(
        &database,
        "revisions WHERE page_fp IS NOT NULL AND page_scheme = 0",
    );
    assert_eq!(stale, 0);

    // The next text is compared with the one that was read again.
    bench.publish("95 million", 2);
    bench.home.check();
    assert_eq!(bench.home.events().len(), 1);
    bench.publish("15 million", 3);
    bench.home.check();
    let events = bench.home.events();
    assert_eq!(events.len(), 2);
    let labels = events[1]["data"]["change"]["labels"].as_array().unwrap();
    assert!(labels.iter().any(|label| label == "revert"), "{labels:?}");
}
