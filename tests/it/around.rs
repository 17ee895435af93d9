//! The text around an article: kicker, standfirst and link targets, from a stored state to every output.
//!
//! The pages of these tests have no kicker and no standfirst. The tests write earlier ones into the database, so
//! that the next check finds them gone.

use revisor::domain::state::{Link, PageState};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{Home, Page, SECRET, Server, rss};
use crate::upgrade::{rewrite, under_older_scheme};

const STANDFIRST: &str = "The harbour of Netherby will cost 12 million, twice as much as planned.";

pub(crate) struct Bench {
    pub(crate) publisher: Server,
    pub(crate) receiver: Server,
    pub(crate) home: Home,
}

impl Bench {
    /// A feed with one page that was checked once.
    pub(crate) fn new() -> Self {
        let (publisher, receiver) = (Server::start(), Server::start());
        let home = Home::new(&format!(
            "[[feed]]\nurl = \"{}\"\nname = \"courier\"\n\
             [[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n",
            publisher.url("/feed.xml"),
            receiver.url("/hook"),
        ));
        let bench = Self {
            publisher,
            receiver,
            home,
        };
        bench.publish(0);
        let url = bench.publisher.url("/a");
        let items = [("1", url.as_str(), "Report on the harbour", "In short.")];
        bench.publisher.set("/feed.xml", Page::rss(rss(&items)));
        bench.home.check();
        bench.home.check();
        bench
    }

    /// Serves the page with a change that no reader sees.
    pub(crate) fn publish(&self, nonce: u32) {
        let html = format!(
            "<!DOCTYPE html><html><head><title>Report</title><meta name=\"nonce\" content=\"{nonce}\"></head><body>\
             <article><h1>Report on the harbour</h1>\
             <p>The mayor, who has been in office since the spring, said that the money is to come from the \
             <a href=\"https://fund.example/spent\">building fund</a> of the region over the next four years, and that nobody will have to pay more taxes for it.</p>\
             <p>The council met for three hours on Monday evening and heard from residents who live near the old \
             harbour, several of whom asked for more time to read the plans before any decision is made.</p>\
             </article></body></html>"
        );
        self.publisher.set("/a", Page::html(html));
    }

    /// Changes the stored state of the page.
    pub(crate) fn knew(&self, change: impl Fn(&mut PageState)) {
        rewrite(&self.home.db_path(), |state| {
            if let Some(page) = &mut state.page {
                change(page);
            }
        });
    }
}

fn with_all(page: &mut PageState) {
    page.kicker = Some("Exclusive".to_owned());
    page.standfirst = Some(STANDFIRST.to_owned());
    page.links = vec![Link {
        words: "building fund".to_owned(),
        address: "https://fund.example/money?id=7".to_owned(),
    }];
}

#[test]
fn kicker_standfirst_and_links_are_told_everywhere() {
    let bench = Bench::new();
    bench.knew(with_all);
    bench.publish(1);
    bench.home.check();

    let events = bench.home.events();
    assert_eq!(events.len(), 1, "{events:#?}");
    let data = &events[0]["data"];
    let change = &data["change"];
    assert_eq!(change["fields"], json!(["title", "standfirst", "body"]));
    assert_eq!(change["headlines"], json!(["kicker"]));
    assert_eq!(
        change["labels"],
        json!(["headline", "wording", "number", "paragraph-removed", "link"])
    );
    assert_eq!(data["diff"]["title"], json!([["-", "Exclusive"]]));
    assert_eq!(data["diff"]["standfirst"], json!([["-", STANDFIRST]]));
    assert_eq!(
        data["diff"]["links"],
        json!([{"words": "building fund", "from": "https://fund.example/money?id=7", "to": "https://fund.example/spent"}])
    );
    let text = data["text"].as_str().unwrap();
    for line in [
        "Test Courier changed a kicker, a standfirst and a text",
        "kicker: [-Exclusive-]",
        &format!("standfirst: [-{STANDFIRST}-]"),
        "link “building fund”: https://fund.example/money?id=7 → https://fund.example/spent",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }

    let number = data["number"].to_string();
    for (arguments, wanted) in [
        (
            &["log"][..],
            &["KICKER + standfirst + text", "kicker: [-Exclusive-]"][..],
        ),
        (
            &["log", "--format", "full"],
            &[
                "KICKER",
                "STANDFIRST",
                STANDFIRST,
                "LINKS",
                "fund.example/spent",
            ],
        ),
        (&["log", "--format", "md"], &["kicker: ~~Exclusive~~"]),
        (
            &["log", "--format", "csv"],
            &["headline standfirst text", "paragraph-removed link"],
        ),
        (
            &["log", "--field", "standfirst", "--format", "oneline"],
            &["#1 "],
        ),
        (&["log", "--field", "dek", "--format", "oneline"], &["#1 "]),
        (
            &["show", &number],
            &["STANDFIRST", "“building fund”", "fund.example/money?id=7"],
        ),
        (&["history", &bench.publisher.url("/a")], &["standfirst"]),
        (
            &["diff", &bench.publisher.url("/a")],
            &["KICKER", "STANDFIRST", "LINKS"],
        ),
        (
            &["export", "evidence", &number],
            &[
                "<h3>Kicker</h3>",
                "<h3>Standfirst</h3>",
                "<h3>Link: <span lang=\"\" dir=\"auto\">building fund</span></h3>",
            ],
        ),
    ] {
        let ran = bench.home.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?} {}", ran.stderr);
        // A terminal breaks lines between words.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        for text in wanted {
            assert!(
                words(&ran.stdout).contains(&words(text)),
                "{text} in {arguments:?}: {}",
                ran.stdout
            );
        }
    }
    let verified = bench.home.run(&["db", "verify"]);
    assert_eq!(
        verified.code,
        Some(0),
        "{}{}",
        verified.stdout,
        verified.stderr
    );
    let body: Value = serde_json::from_slice(&bench.receiver.hooks()[0].body).unwrap();
    assert_eq!(body["data"]["diff"], data["diff"]);

    // It is only reported once.
    bench.publish(2);
    bench.home.check();
    assert_eq!(bench.home.events().len(), 1);
}

#[test]
fn what_an_older_version_did_not_read_is_no_edit() {
    for kept in [true, false] {
        let bench = Bench::new();
        bench.knew(with_all);
        under_older_scheme(&bench.home.db_path());
        if !kept {
            let conn = Connection::open(bench.home.db_path()).unwrap();
            conn.execute("UPDATE captures SET body_id = NULL", [])
                .unwrap();
        }
        bench.publish(1);
        bench.home.check();
        assert_eq!(bench.home.events(), Vec::<Value>::new(), "kept: {kept}");
        // From here on the standfirst is known, and a change of it is an edit.
        bench.knew(|page| page.standfirst = Some(STANDFIRST.to_owned()));
        bench.publish(2);
        bench.home.check();
        let events = bench.home.events();
        assert_eq!(events.len(), 1, "kept: {kept}");
        assert_eq!(events[0]["data"]["change"]["fields"], json!(["standfirst"]));
    }
}

#[test]
fn events_that_an_older_version_called_stealth_are_read_by_their_new_name() {
    let bench = Bench::new();
    bench.knew(|page| page.standfirst = Some(STANDFIRST.to_owned()));
    bench.publish(1);
    bench.home.check();
    let conn = Connection::open(bench.home.db_path()).unwrap();
    let (id, bytes, body): (i64, i64, Vec<u8>) = conn
        .query_row(
            "SELECT v.id, v.bytes, v.body FROM events AS v JOIN changes AS c ON c.event_id = v.id",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    let json = zstd::bulk::decompress(&body, usize::try_from(bytes).unwrap()).unwrap();
    let json = String::from_utf8(json).unwrap().replace(
        "\"labels\":[\"number\",\"paragraph-removed\"]",
        "\"labels\":[\"number\",\"paragraph-removed\",\"stealth\"]",
    );
    assert!(json.contains("stealth"), "{json}");
    conn.execute(
        "UPDATE events SET bytes = ?2, body = ?3 WHERE id = ?1",
        rusqlite::params![
            id,
            i64::try_from(json.len()).unwrap(),
            zstd::bulk::compress(json.as_bytes(), 1).unwrap()
        ],
    )
    .unwrap();
    conn.execute(
        "UPDATE changes SET labels = 'number,paragraph-removed,stealth'",
        [],
    )
    .unwrap();
    drop(conn);
    for arguments in [&["log"][..], &["log", "--format", "ndjson"], &["show", "1"]] {
        let out = bench.home.ok(arguments);
        assert!(
            out.contains("unannounced") && !out.contains("stealth"),
            "{out}"
        );
    }
    let verified = bench.home.run(&["db", "verify"]);
    assert_eq!(
        verified.code,
        Some(0),
        "{}{}",
        verified.stdout,
        verified.stderr
    );
}
