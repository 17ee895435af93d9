//! Backup, verification and retention, with the real program on a used database.

use rusqlite::Connection;
use serde_json::Value;

use crate::support::{END, Home, PATIENCE, Page, Server, eventually, rss};

mod retention;

/// A database with an entry whose headline, description and page were edited in several ways.
pub(crate) fn lived(keep: &str) -> (Server, Home) {
    let publisher = Server::start();
    let home = Home::new(&format!(
        "[keep]\n{keep}\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n",
        publisher.url("/feed.xml")
    ));
    let publish = |title: &str, short: &str, paragraphs: &[&str]| {
        let url = publisher.url("/a");
        publisher.set("/feed.xml", Page::rss(rss(&[("1", &url, title, short)])));
        let text: String = paragraphs
            .iter()
            .map(|text| format!("<p>{text}</p>"))
            .collect();
        publisher.set(
            "/a",
            Page::html(format!(
                "<!DOCTYPE html><html><head><title>x</title></head><body><article><h1>{title}</h1>{text}</article></body></html>"
            )),
        );
        home.check();
        home.check();
    };
    let council = "The council met for three hours on Monday evening and heard from residents who live near the old \
                   harbour, several of whom asked for more time to read the plans before any decision is made.";
    let cost = "The harbour will cost 15 million, said the mayor. The money is to come from the region's building \
                fund over the next four years, and nothing else was said about it on Monday.";
    let pier = "Work on the northern pier is expected to begin next spring, according to the engineer in charge.";
    publish(
        "Harbour to be rebuilt",
        "The council agrees.",
        &[cost, council, pier],
    );
    publish(
        "Harbour to be rebuilt",
        "The council agrees.",
        &[council, cost, pier],
    );
    publish(
        "Harbour may be rebuilt",
        "The council does not agree.",
        &[council, pier],
    );
    let more = cost.replace("15", "95");
    publish(
        "Harbour to be rebuilt",
        "The council agrees.",
        &[&more, council, pier, "New: a bridge is planned too."],
    );
    (publisher, home)
}

fn verify(home: &Home) -> (Option<i32>, Value) {
    let ran = home.run(&["db", "verify", "--json"]);
    (ran.code, serde_json::from_str(&ran.stdout).unwrap())
}

fn execute(home: &Home, sql: &str) {
    let conn = Connection::open(home.db_path()).unwrap();
    conn.pragma_update(None, "foreign_keys", false).unwrap();
    assert!(conn.execute(sql, []).unwrap() > 0, "{sql}");
}

#[test]
fn what_is_whole_is_found_whole_and_every_fault_has_a_name() {
    let (_publisher, home) = lived("");
    let (code, report) = verify(&home);
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(report["ok"], true);
    assert!(report["changes"].as_u64().unwrap() >= 3, "{report:#}");
    assert!(report["bodies"].as_u64().unwrap() >= 4, "{report:#}");

    let copy = home.path().join("whole.db");
    std::fs::copy(home.db_path(), &copy).unwrap();
    // Changes the last byte, whatever it was: ids and hashes differ from run to run.
    let flip = |table: &str, column: &str| {
        format!(
            "UPDATE {table} SET {column} = CAST(substr({column}, 1, length({column}) - 1) || \
             CASE substr({column}, -1) WHEN x'00' THEN x'01' ELSE x'00' END AS BLOB) \
             WHERE rowid = (SELECT max(rowid) FROM {table})"
        )
    };
    let another_text = zstd::bulk::compress(b"{}", 1).unwrap();
    let another_text: String = another_text
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for (sql, named) in [
        (flip("states", "body"), "state "),
        (
            format!("UPDATE states SET bytes = 2, body = x'{another_text}' WHERE id = 1"),
            "state 1: its text",
        ),
        (flip("bodies", "body"), "body "),
        (flip("captures", "body_sha256"), "capture "),
        (
            "UPDATE revisions SET seen_at = seen_at + 1 WHERE number = 2".to_owned(),
            "revision 2 of entry 1",
        ),
        (flip("revisions", "hash"), "revision "),
        (flip("events", "body"), "change #"),
        (
            "UPDATE changes SET before_revision = after_revision".to_owned(),
            "change #1",
        ),
        (
            "DELETE FROM revisions WHERE number = 2".to_owned(),
            "revision 2 is missing",
        ),
        ("UPDATE entries SET revision = 1".to_owned(), "entry 1"),
        (
            "UPDATE captures SET headers = replace(headers, 'content-type', 'content-tape') WHERE id = 1".to_owned(),
            "its responses are not those",
        ),
        (
            "UPDATE captures SET request = '[]' WHERE id = 1".to_owned(),
            "its responses are not those",
        ),
        (
            "UPDATE revisions SET captures_hash = NULL WHERE number = 1".to_owned(),
            "revision 1 of entry 1",
        ),
        (
            "UPDATE captures SET feed_id = 99 WHERE id = 1".to_owned(),
            "table captures",
        ),
    ] {
        std::fs::copy(&copy, home.db_path()).unwrap();
        execute(&home, &sql);
        let (code, report) = verify(&home);
        assert_eq!(code, Some(5), "{sql}: {report:#}");
        let faults = report["faults"].to_string();
        assert!(faults.contains(named), "{sql}: {faults}");
    }
}

/// Alters the event of a change, like someone who knows how events are stored.
fn forge(home: &Home, change: i64, alter: impl Fn(&mut Value)) {
    let conn = Connection::open(home.db_path()).unwrap();
    let packed: Vec<u8> = conn
        .query_row(
            "SELECT body FROM events WHERE id = (SELECT event_id FROM changes WHERE number = ?1)",
            [change],
            |row| row.get(0),
        )
        .unwrap();
    let json = zstd::stream::decode_all(packed.as_slice()).unwrap();
    let mut event: Value = serde_json::from_slice(&json).unwrap();
    alter(&mut event);
    let json = serde_json::to_vec(&event).unwrap();
    let packed = zstd::bulk::compress(&json, 1).unwrap();
    conn.execute(
        "UPDATE events SET bytes = ?2, body = ?3 WHERE id = (SELECT event_id FROM changes WHERE number = ?1)",
        rusqlite::params![change, i64::try_from(json.len()).unwrap(), packed],
    )
    .unwrap();
}

/// A forgery: what it is, in which change, and how it alters the event.
type Forgery = (&'static str, i64, Box<dyn Fn(&mut Value)>);

#[test]
fn an_event_that_was_written_anew_is_held_against_the_texts_and_the_list_of_changes() {
    let (_publisher, home) = lived("");
    let copy = home.path().join("whole.db");
    std::fs::copy(home.db_path(), &copy).unwrap();
    let last = i64::try_from(home.events().len()).unwrap();
    let events = home.events();
    let has = |field: &str| {
        let change = events
            .iter()
            .find(|event| event["data"]["diff"].get(field).is_some());
        change.unwrap()["data"]["number"].as_i64().unwrap()
    };
    let forgery =
        |name, change, alter: fn(&mut Value)| -> Forgery { (name, change, Box::new(alter)) };
    let forgeries = [
        forgery("headlines", has("title"), |event| {
            event["data"]["diff"]["headlines"] =
                serde_json::json!([{"source": "og:title", "segments": [["-", "x"], ["+", "y"]]}]);
        }),
        forgery("address", 1, |event| {
            event["data"]["diff"]["address"] =
                serde_json::json!(["https://b.example/1", "https://b.example/2"]);
        }),
        forgery("guid", 1, |event| {
            event["data"]["diff"]["guid"] = serde_json::json!(["x", "y"]);
        }),
        forgery("lists the", 1, |event| {
            event["data"].as_object_mut().unwrap().remove("diff");
        }),
        forgery("the text before in its event", 1, |event| {
            event["data"]["before"]["body_sha256"] = "00".into();
        }),
        forgery("the text after in its event", 1, |event| {
            event["data"]["after"]["title"] = "Another".into();
        }),
        forgery("the text after in its event", 1, |event| {
            event["data"]["after"]["revision"] = 9.into();
        }),
        forgery("its window", 1, |event| {
            event["data"]["change"]["window"]["first_changed"] = "2020-01-01T00:00:00Z".into();
        }),
        forgery("its score", 1, |event| {
            event["data"]["change"]["score"] = 99.into();
        }),
        forgery("the kind or time", 1, |event| {
            event["timestamp"] = "2020-01-01T00:00:00Z".into();
        }),
    ];
    for (name, change, alter) in &forgeries {
        std::fs::copy(&copy, home.db_path()).unwrap();
        forge(&home, *change, |_| {});
        assert_eq!(verify(&home).0, Some(0), "written anew as it was");
        forge(&home, *change, alter);
        let (code, report) = verify(&home);
        assert_eq!(code, Some(5), "{name}: {report:#}");
        let faults = report["faults"].to_string();
        assert!(faults.contains(name), "{name}: {faults}");
    }

    // The newest change is deleted with everything that refers to it; then one in the middle.
    for number in [last, 1] {
        std::fs::copy(&copy, home.db_path()).unwrap();
        for table in ["deliveries", "events"] {
            let conn = Connection::open(home.db_path()).unwrap();
            conn.pragma_update(None, "foreign_keys", false).unwrap();
            let of = match table {
                "events" => "id",
                _ => "event_id",
            };
            conn.execute(
                &format!("DELETE FROM {table} WHERE {of} IN (SELECT event_id FROM changes WHERE number = ?1)"),
                [number],
            )
            .unwrap();
        }
        execute(
            &home,
            &format!("DELETE FROM changes WHERE number = {number}"),
        );
        let (code, report) = verify(&home);
        assert_eq!(code, Some(5), "{number}: {report:#}");
        let faults = report["faults"].to_string();
        assert!(
            faults.contains("changes: ") && faults.contains("events: "),
            "{faults}"
        );
    }

    // An event that does not belong to a change.
    std::fs::copy(&copy, home.db_path()).unwrap();
    execute(
        &home,
        "INSERT INTO events (uid, type, created_at, bytes, body) VALUES ('msg_x', 'ping.test', 0, 4, x'00112233')",
    );
    let (code, report) = verify(&home);
    assert_eq!(code, Some(5), "{report:#}");
    assert!(
        report["faults"].to_string().contains("it cannot be read"),
        "{report:#}"
    );
}

#[test]
fn a_copy_is_made_while_the_daemon_runs_and_never_replaces_a_file() {
    let (_publisher, home) = lived("");
    let mut daemon = home.daemon();
    let copy = home.path().join("copy.db");
    let name = copy.to_str().unwrap();
    home.ok(&["db", "backup", name]);
    let again = home.run(&["db", "backup", name]);
    assert_ne!(again.code, Some(0));
    assert!(again.stderr.contains("exists"), "{}", again.stderr);
    daemon.signal("TERM");
    daemon.wait(END);
    home.ok(&["--db", name, "db", "verify"]);
    let log = |db: &str| home.ok(&["--db", db, "log", "--format", "ndjson", "--all"]);
    assert_eq!(log(name), log(home.db_path().to_str().unwrap()));
}

#[test]
fn a_copy_that_is_killed_leaves_its_name_free_for_the_next_one() {
    let (_publisher, home) = lived("");
    let copy = home.path().join("copy.db");
    let name = copy.to_str().unwrap();
    let whole = std::fs::metadata(home.db_path()).unwrap().len();
    assert!(whole > 100 * 1024, "{whole}");
    // The system kills a process that writes more than that to a file.
    let backup = home.command(&["db", "backup", name]);
    let mut limited = std::process::Command::new("sh");
    limited
        .args(["-c", "ulimit -f 128; exec \"$0\" \"$@\""])
        .arg(backup.get_program())
        .args(backup.get_args())
        .env_clear()
        .envs(
            backup
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
    let ended = limited.output().unwrap();
    assert!(!ended.status.success(), "{ended:?}");
    assert!(!copy.exists(), "half a copy has the name of a whole one");
    home.ok(&["db", "backup", name]);
    home.ok(&["--db", name, "db", "verify"]);
    let left: Vec<_> = std::fs::read_dir(home.path())
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .filter(|file| file.to_string_lossy().contains(".part"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    // And a file left by an older revisor.
    let empty = home.path().join("empty.db");
    std::fs::write(&empty, b"").unwrap();
    let ran = home.run(&["--db", empty.to_str().unwrap(), "db", "verify"]);
    assert_eq!(ran.code, Some(5));
    assert!(ran.stderr.contains("is empty"), "{}", ran.stderr);
}

/// The findings of `doctor` with its exit code: check, level, text.
fn doctor(home: &Home) -> (Option<i32>, Vec<(String, String, String)>) {
    let ran = home.run(&["doctor", "--json"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
    let word = |found: &Value, name: &str| found[name].as_str().unwrap().to_owned();
    let checks = report["checks"].as_array().unwrap();
    for found in checks {
        assert_eq!(found["level"] == "ok", found["hint"].is_null(), "{found:#}");
    }
    let checks = checks
        .iter()
        .map(|found| {
            (
                word(found, "check"),
                word(found, "level"),
                word(found, "text"),
            )
        })
        .collect();
    (ran.code, checks)
}

#[test]
fn the_doctor_names_what_is_wrong_and_fails_only_over_what_does_not_work() {
    let (publisher, home) = lived("");
    let has = |found: &[(String, String, String)], check: &str, level: &str, says: &str| {
        let fits = |one: &&(String, String, String)| {
            one.0 == check && one.1 == level && one.2.contains(says)
        };
        assert_eq!(
            found.iter().filter(fits).count(),
            1,
            "{check} {level} {says}: {found:#?}"
        );
    };
    let (code, found) = doctor(&home);
    assert_eq!(code, Some(0), "{found:#?}");
    for check in ["configuration", "clock", "database", "identity"] {
        has(&found, check, "ok", "");
    }
    // A copy in place of the file is recognised, and no longer counts as one after a write.
    let copy = home.path().join("copy.db");
    std::fs::copy(home.db_path(), &copy).unwrap();
    std::fs::rename(&copy, home.db_path()).unwrap();
    has(&doctor(&home).1, "identity", "warn", "copied or moved");
    home.ok(&["db", "renew"]);
    has(&doctor(&home).1, "identity", "ok", "its own");
    has(&found, "feeds", "ok", "1 of 1");
    has(&found, "targets", "warn", "no alerts will be sent");
    assert!(home.ok(&["doctor"]).contains("hint: "));

    // A failing feed, a receiver that is gone, and a clock that was ahead.
    publisher.set("/feed.xml", Page::status(500));
    let config = std::fs::read_to_string(home.config_path()).unwrap();
    let target = format!(
        "{config}\n[[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{}\"\n",
        publisher.url("/hook"),
        crate::support::SECRET
    );
    std::fs::write(home.config_path(), &target).unwrap();
    home.run(&["check", "--force"]);
    execute(
        &home,
        "UPDATE targets SET disabled_at = 5, disabled_reason = 'gone'",
    );
    execute(
        &home,
        "UPDATE feeds SET last_poll_at = last_poll_at + 86400000000",
    );
    let (code, found) = doctor(&home);
    assert_eq!(code, Some(3), "{found:#?}");
    has(&found, "clock", "fail", "went back");
    has(&found, "feeds", "warn", "courier");
    has(&found, "feeds", "ok", "0 of 1");
    has(&found, "targets", "fail", "desk has been disabled");

    // It works even if neither the configuration nor the database is valid.
    std::fs::write(home.db_path(), "no database").unwrap();
    let (code, found) = doctor(&home);
    assert_eq!(code, Some(3), "{found:#?}");
    has(&found, "database", "fail", "not a revisor database");
    std::fs::remove_file(home.db_path()).unwrap();
    let (code, found) = doctor(&home);
    assert_eq!(code, Some(0), "{found:#?}");
    has(&found, "database", "warn", "no database at");
    std::fs::write(home.config_path(), "[fetch]\nevery = 5\n").unwrap();
    let (code, found) = doctor(&home);
    assert_eq!(code, Some(3), "{found:#?}");
    assert_eq!(found.len(), 1);
    has(&found, "configuration", "fail", "every");
}

#[test]
fn answers_that_resemble_one_another_take_little_room_and_are_read_as_before() {
    let publisher = Server::start();
    let home = Home::new(&format!(
        "[keep]\ncaptures = \"all\"\n[page]\nfetch = \"off\"\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n",
        publisher.url("/feed.xml")
    ));
    // Words that do not repeat, so that a response can only be compressed with the help of the others.
    let other = |seed: u32| -> String {
        (0..300)
            .map(|n| format!("w{:x} ", (seed + n).wrapping_mul(2_654_435_761)))
            .collect()
    };
    let publish = |edition: u32| {
        let items = [
            ("1", "/1", format!("The {edition}th report"), other(1000)),
            ("2", "/2", "Archive".to_owned(), other(2000)),
        ];
        let items: Vec<(&str, &str, &str, &str)> = items
            .iter()
            .map(|(id, url, title, text)| (*id, *url, title.as_str(), text.as_str()))
            .collect();
        publisher.set("/feed.xml", Page::rss(rss(&items)));
        home.check();
    };
    (0..20).for_each(publish);
    let bodies = |name: &str| -> Vec<String> {
        let file = home.path().join(name);
        home.ok(&["export", "evidence", "5", "-o", file.to_str().unwrap()]);
        let text = std::fs::read_to_string(file).unwrap();
        let parts = text.split("\"body\":\"").skip(1);
        parts
            .map(|part| part.split('"').next().unwrap().to_owned())
            .collect()
    };
    let before = bodies("before.html");
    assert_eq!(before.len(), 2);
    let would: Value = serde_json::from_str(&home.ok(&["db", "prune", "-n", "--json"])).unwrap();
    assert_eq!(would["compacted"], 19);
    assert_eq!(would["compacted_to"], 0, "a dry run compacts nothing");
    let said = home.ok(&["db", "prune"]);
    assert!(said.starts_with("compacted 19 answers, "), "{said}");
    let room = |what: &str| -> i64 {
        let conn = Connection::open(home.db_path()).unwrap();
        conn.query_row(&format!("SELECT {what} FROM bodies"), [], |row| row.get(0))
            .unwrap()
    };
    assert!(
        room("sum(length(body))") < 2 * room("max(length(body))"),
        "twenty answers take the room of two"
    );
    assert_eq!(home.ok(&["db", "prune"]), "nothing to delete\n");
    assert!(
        bodies("after.html") == before,
        "the evidence has other bodies"
    );
    let (code, report) = verify(&home);
    assert_eq!((code, &report["bodies"]), (Some(0), &Value::from(20)));

    // Later responses are stored as usual, and the daemon compacts on its own.
    (20..36).for_each(publish);
    let mut daemon = home.daemon();
    eventually(PATIENCE, "the daemon compacts", || {
        room("sum(base_id > id)") == 19 + 15
    });
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
    assert_eq!(verify(&home).0, Some(0));
}

#[test]
fn pruning_gives_space_back_also_from_a_file_that_another_program_made() {
    let server = Server::start();
    server.set(
        "/feed",
        Page::rss(rss(&[("1", "https://e.example/1", "Headline", "Words.")])),
    );
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n[[feed]]\nurl = \"{}\"\nname = \"news\"\n",
        server.url("/feed")
    ));
    home.check();
    let conn = Connection::open(home.db_path()).expect("the database");
    // As `sqlite3 old.db .dump | sqlite3 new.db` leaves it; then much is written and deleted.
    conn.execute_batch(
        "PRAGMA auto_vacuum = NONE; VACUUM; CREATE TABLE filler (bytes BLOB); \
         INSERT INTO filler VALUES (zeroblob(8000000)); DROP TABLE filler; PRAGMA wal_checkpoint(TRUNCATE);",
    )
    .expect("a larger file");
    drop(conn);
    let size = || std::fs::metadata(home.db_path()).expect("the file").len();
    assert!(size() > 8_000_000);
    let pruned = home.run(&["db", "prune"]);
    assert_eq!(pruned.code, Some(0), "{}", pruned.stderr);
    assert!(pruned.stderr.contains("rebuilt"), "{}", pruned.stderr);
    assert!(size() < 2_000_000, "{}", size());
    // Only once: from now on it frees space on its own.
    let again = home.run(&["db", "prune"]);
    assert!(!again.stderr.contains("rebuilt"), "{}", again.stderr);
    home.ok(&["db", "verify"]);
}
