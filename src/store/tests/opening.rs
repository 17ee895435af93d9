use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::*;
use crate::domain::ids::{DeliveryId, EventId};
use crate::time::Stopwatch;

fn refused_untouched(path: &Path) -> StoreError {
    let before = std::fs::read(path).unwrap();
    let error = Store::open(path, &OpenOptions::default()).unwrap_err();
    assert_eq!(std::fs::read(path).unwrap(), before, "the file was touched");
    let reading = Reader::open(path).unwrap_err();
    assert_eq!(
        std::fs::read(path).unwrap(),
        before,
        "the reader touched the file"
    );
    assert_eq!(error.to_string(), reading.to_string());
    assert_eq!(error.exit_code(), EXIT_DATABASE);
    assert!(error.hint().is_some());
    assert!(error.to_string().contains(&path.display().to_string()));
    error
}

#[test]
fn what_was_stored_is_there_after_reopening() {
    let mut bench = Bench::new();
    let entry = bench.entry("a", "one");
    let public_id = bench.reader().entry(entry).unwrap().unwrap().public_id;
    bench.close();
    for leftover in ["revisor.db-wal", "revisor.db-shm"] {
        assert!(!bench.dir.path().join(leftover).exists(), "{leftover}");
    }
    bench.store = Some(Store::open(&bench.path(), &OpenOptions::default()).unwrap());
    let known = bench.reader().find_entries(&public_id, 9).unwrap();
    assert_eq!(known[0].id, entry);
}

#[test]
fn a_newer_database_is_refused_untouched() {
    let mut bench = Bench::new();
    bench.close();
    let conn = Connection::open(bench.path()).unwrap();
    conn.pragma_update(None, "user_version", SCHEMA + 1)
        .unwrap();
    drop(conn);
    let error = refused_untouched(&bench.path());
    assert!(matches!(error, StoreError::Newer { found, .. } if found == SCHEMA + 1));
}

#[test]
fn a_file_that_is_no_database_is_refused_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("letter.txt");
    std::fs::write(
        &path,
        "Dear reader, this is a letter and no database. ".repeat(50),
    )
    .unwrap();
    assert!(matches!(
        refused_untouched(&path),
        StoreError::NotOurs { .. }
    ));
}

#[test]
fn a_database_of_another_program_is_refused_untouched() {
    let dir = tempfile::tempdir().unwrap();
    for (name, sql) in [
        (
            "marked.db",
            "PRAGMA application_id = 42; CREATE TABLE t (x);",
        ),
        ("unmarked.db", "CREATE TABLE t (x);"),
    ] {
        let path = dir.path().join(name);
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch(sql).unwrap();
        drop(conn);
        assert!(matches!(
            refused_untouched(&path),
            StoreError::NotOurs { .. }
        ));
    }
}

#[test]
fn a_damaged_database_is_refused_and_never_replaced() {
    let mut bench = Bench::new();
    bench.entry("a", "one");
    bench.close();
    let mut bytes = std::fs::read(bench.path()).unwrap();
    // The page with the schema, behind the header that identifies the file.
    bytes[100..2000].fill(0xaa);
    std::fs::write(bench.path(), &bytes).unwrap();
    let error = Store::open(&bench.path(), &OpenOptions::default()).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert_eq!(error.exit_code(), EXIT_DATABASE);
    assert_eq!(std::fs::read(bench.path()).unwrap().len(), bytes.len());
}

#[test]
fn a_reader_does_not_upgrade() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("empty.db");
    std::fs::write(&path, b"").unwrap();
    let error = Reader::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Empty { .. }), "{error}");
    assert!(
        error
            .to_string()
            .ends_with("is empty, not a revisor database")
    );
    assert_eq!(std::fs::read(&path).unwrap(), b"");
}

#[test]
fn a_missing_file_and_a_missing_folder_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state/revisor.db");
    assert!(matches!(
        Reader::open(&path),
        Err(StoreError::NotFound { .. })
    ));
    let existing = OpenOptions {
        create: false,
        ..OpenOptions::default()
    };
    let error = Store::open(&path, &existing).unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }));
    assert_eq!(error.exit_code(), EXIT_USAGE);
    let error = Store::open(&path, &OpenOptions::default()).unwrap_err();
    assert!(matches!(error, StoreError::NoFolder { .. }));
    assert!(!dir.path().join("state").exists());
    let default_place = OpenOptions {
        create_folder: true,
        ..OpenOptions::default()
    };
    Store::open(&path, &default_place).unwrap().close().unwrap();
    assert!(path.exists());
}

#[test]
fn readers_work_while_a_writer_has_a_transaction_open() {
    let bench = Bench::new();
    let entry = bench.entry("a", "one");
    let other = Connection::open(bench.path()).unwrap();
    other
        .execute_batch("BEGIN IMMEDIATE; DELETE FROM aliases;")
        .unwrap();
    let known = bench
        .reader()
        .known_entries(bench.feed, &[guid("a")])
        .unwrap();
    assert_eq!(known[0].entry.id, entry);
    other.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn a_locked_database_is_answered_as_busy_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("revisor.db");
    let hurried = OpenOptions {
        busy_timeout: Duration::from_millis(1),
        ..OpenOptions::default()
    };
    let store = Store::open(&path, &hurried).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let feeds = vec![configured("https://news.example/rss.xml", "news")];
    let writer = store.writer();
    let feed = FeedId(1);
    let delivery = DeliveryId(1);
    let record = AttemptRecord {
        at: at(0),
        status: None,
        refused: false,
        post: None,
        duration_ms: 1,
        error: None,
    };
    let target = || String::from("desk");
    let errors = [
        writer
            .sync_feeds(feeds.clone(), None, at(0))
            .blocking()
            .unwrap_err(),
        writer.commit(outcome(feed)).blocking().unwrap_err(),
        writer
            .record_polls(vec![poll(feed, at(0), PollResult::Ok)])
            .blocking()
            .unwrap_err(),
        writer.pause_feed(feed, at(0)).blocking().unwrap_err(),
        writer.resume_feed(feed, at(0)).blocking().unwrap_err(),
        writer.reschedule_feeds(Vec::new()).blocking().unwrap_err(),
        writer.sync_targets(Vec::new()).blocking().unwrap_err(),
        writer.pause_target("desk", at(0)).blocking().unwrap_err(),
        writer.resume_target("desk").blocking().unwrap_err(),
        writer
            .lease_due(at(0), Duration::from_secs(9), 9)
            .blocking()
            .unwrap_err(),
        writer
            .record_attempt(delivery, record, Next::Dead)
            .blocking()
            .unwrap_err(),
        writer.release(delivery).blocking().unwrap_err(),
        writer
            .retry(Retry::Target(target()))
            .blocking()
            .unwrap_err(),
        writer
            .replay(
                "desk",
                ReplaySpan {
                    since: at(0),
                    until: None,
                },
            )
            .blocking()
            .unwrap_err(),
        writer
            .replay_events("desk", Vec::new())
            .blocking()
            .unwrap_err(),
        writer
            .request_work(
                at(0),
                RequestedWork::Check {
                    feeds: None,
                    force: true,
                },
            )
            .blocking()
            .unwrap_err(),
        writer.take_requests(at(0)).blocking().unwrap_err(),
        writer.reset_requests(at(0)).blocking().unwrap_err(),
        writer
            .prune_captures(Retain::Since(at(0)), 10)
            .blocking()
            .unwrap_err(),
        writer.optimize().blocking().unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_busy(), "{error}");
        assert!(error.to_string().contains("revisor.db"));
    }
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(
        writer
            .sync_feeds(feeds, None, at(0))
            .blocking()
            .unwrap()
            .added,
        1
    );
}

#[test]
fn a_writer_in_haste_does_not_wait_for_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("revisor.db");
    let store = Store::open(&path, &OpenOptions::default()).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let writer = store.writer();
    let since = Stopwatch::start();
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| writer.sync_feeds(Vec::new(), None, at(0)).blocking());
        writer.hurry();
        waiting.join().unwrap()
    });
    assert!(waiting.is_err_and(|error| error.is_busy()));
    for _ in 0..20 {
        let next = writer.sync_feeds(Vec::new(), None, at(0)).blocking();
        assert!(next.is_err_and(|error| error.is_busy()));
    }
    store.close().unwrap();
    assert!(
        since.elapsed() < OpenOptions::default().busy_timeout,
        "{:?}",
        since.elapsed()
    );
}

#[test]
fn a_database_locked_while_it_is_opened_is_busy() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("revisor.db");
    let other = Connection::open(&path).unwrap();
    other.pragma_update(None, "journal_mode", "WAL").unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let hurried = OpenOptions {
        busy_timeout: Duration::from_millis(1),
        ..OpenOptions::default()
    };
    let error = Store::open(&path, &hurried).unwrap_err();
    assert!(error.is_busy(), "{error}");
}

#[test]
fn many_may_create_the_same_database_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("revisor.db");
    let start = std::sync::Barrier::new(6);
    let stores: Vec<Store> = std::thread::scope(|scope| {
        let open = || {
            start.wait();
            Store::open(&path, &OpenOptions::default())
        };
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(open)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap().unwrap())
            .collect()
    });
    for (number, store) in stores.iter().enumerate() {
        let url = format!("https://news.example/{number}");
        let feeds = vec![configured(&url, "news")];
        let report = store
            .writer()
            .sync_feeds(feeds, None, at(0))
            .blocking()
            .unwrap();
        assert_eq!(report.added, 1);
    }
}

#[test]
fn an_upgrade_leaves_a_copy_of_the_older_file_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("revisor.db");
    let conn = Connection::open(&path).unwrap();
    let oldest = migrate::OLDEST;
    migrate::create_at(conn, &path, oldest);
    // Left behind by an upgrade that was interrupted.
    let copy = dir
        .path()
        .join(format!("revisor.db.schema-{oldest}.backup"));
    std::fs::write(copy.with_extension("backup.part"), "half").unwrap();
    Store::open(&path, &OpenOptions::default())
        .unwrap()
        .close()
        .unwrap();
    let version = |path: &Path| -> u32 {
        Connection::open(path)
            .unwrap()
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap()
    };
    assert_eq!(version(&path), SCHEMA);
    assert_eq!(version(&copy), oldest);
    let files = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(files, 2, "nothing half done is left");
    // A database with the current schema leaves none.
    let fresh = dir.path().join("fresh.db");
    Store::open(&fresh, &OpenOptions::default())
        .unwrap()
        .close()
        .unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3);
}

#[test]
fn a_restored_copy_gives_no_event_a_name_that_was_used() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("revisor.db");
    let told = |path: &Path| {
        let store = Store::open(path, &OpenOptions::default()).unwrap();
        let event = plain_event(EventKind::PingTest, &[]).event;
        let id = store.writer().add_event(event, vec![]).blocking().unwrap();
        let stored = store.reader().unwrap().events_after(EventId(id.0 - 1), 1);
        store.close().unwrap();
        (id, stored.unwrap().remove(0).uid)
    };
    drop(told(&path));
    let kept = std::fs::read(&path).unwrap();
    let (row, lost) = told(&path);
    // Overwrites the content of the file in place, which leaves no trace.
    std::fs::write(&path, kept).unwrap();
    let (same_row, new) = told(&path);
    assert_eq!(row, same_row);
    assert_ne!(lost, new);
    assert!(new.starts_with("msg_") && new.len() == 30, "{new}");
}

#[test]
fn the_random_source_is_the_callers() {
    let dir = tempfile::tempdir().unwrap();
    let options = OpenOptions {
        random: |bytes| {
            bytes.fill(7);
            Ok(())
        },
        ..OpenOptions::default()
    };
    let store = Store::open(&dir.path().join("revisor.db"), &options).unwrap();
    let event = plain_event(EventKind::PingTest, &[]).event;
    store
        .writer()
        .add_event(event.clone(), vec![])
        .blocking()
        .unwrap();
    let uid = "msg_a4dqobyha4dqobyha4dqobyha4";
    let stored = store.reader().unwrap().event_by_uid(uid).unwrap();
    assert_eq!(stored.unwrap().event, event);
    // A name that is already used is an error, and adds no second event.
    store
        .writer()
        .add_event(event, vec![])
        .blocking()
        .unwrap_err();
}

/// Once a WAL was removed, nobody who opens the file afterwards sees what is still written to it.
#[test]
fn a_wal_that_is_taken_away_is_noticed_as_a_file_that_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("revisor.db");
    let store = Store::open(&path, &OpenOptions::default()).unwrap();
    store.writer().optimize().blocking().unwrap();
    store.writer().still_there().unwrap();
    store.writer().still_there().unwrap();
    let wal = beside(&path, "-wal");
    std::fs::remove_file(&wal).unwrap();
    let error = store.writer().still_there().unwrap_err();
    assert!(error.to_string().contains("revisor.db-wal"), "{error}");
    assert!(error.is_unfit());
}
