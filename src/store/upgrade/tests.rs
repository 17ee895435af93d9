use super::super::compaction::{Compaction, CompactionStep};
use super::super::migrate;
use super::super::open::{OpenOptions, Store};
use super::*;
use crate::SCHEMA;

/// Every schema that a database may still have, with rows of its time. `dump_of_today` writes the dump of a new one.
const DUMPS: [(u32, &str); 18] = [
    (12, include_str!("../../../tests/fixtures/schemas/0012.sql")),
    (13, include_str!("../../../tests/fixtures/schemas/0013.sql")),
    (14, include_str!("../../../tests/fixtures/schemas/0014.sql")),
    (15, include_str!("../../../tests/fixtures/schemas/0015.sql")),
    (16, include_str!("../../../tests/fixtures/schemas/0016.sql")),
    (17, include_str!("../../../tests/fixtures/schemas/0017.sql")),
    (18, include_str!("../../../tests/fixtures/schemas/0018.sql")),
    (19, include_str!("../../../tests/fixtures/schemas/0019.sql")),
    (20, include_str!("../../../tests/fixtures/schemas/0020.sql")),
    (21, include_str!("../../../tests/fixtures/schemas/0021.sql")),
    (22, include_str!("../../../tests/fixtures/schemas/0022.sql")),
    (23, include_str!("../../../tests/fixtures/schemas/0023.sql")),
    (24, include_str!("../../../tests/fixtures/schemas/0024.sql")),
    (25, include_str!("../../../tests/fixtures/schemas/0025.sql")),
    (26, include_str!("../../../tests/fixtures/schemas/0026.sql")),
    (27, include_str!("../../../tests/fixtures/schemas/0027.sql")),
    (28, include_str!("../../../tests/fixtures/schemas/0028.sql")),
    (29, include_str!("../../../tests/fixtures/schemas/0029.sql")),
];

/// A file as the program of that time left it.
fn restore(path: &Path, dump: &str) -> Connection {
    let conn = Connection::open(path).unwrap();
    conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")
        .unwrap();
    conn.execute_batch(dump).unwrap();
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
        .unwrap();
    conn
}

#[test]
#[ignore = "writes a fixture; run once with each new migration"]
fn dump_of_today() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("revisor.db");
    let known = DUMPS.iter().rfind(|(schema, _)| *schema < SCHEMA).unwrap();
    drop(restore(&path, known.1));
    Store::open(&path, &OpenOptions::default())
        .unwrap()
        .close()
        .unwrap();
    let conn = Connection::open(&path).unwrap();
    if !conn
        .prepare("SELECT 1 FROM bodies WHERE base_id > id")
        .unwrap()
        .exists([])
        .unwrap()
    {
        // Daily maintenance does the same when there is more to compact.
        let (body, base) = (
            "SELECT min(body_id) FROM captures WHERE channel = 'page'",
            "SELECT max(body_id) FROM captures WHERE channel = 'page'",
        );
        let [body, base] =
            [body, base].map(|sql| conn.query_row(sql, [], |row| row.get(0)).unwrap());
        let steps = vec![
            CompactionStep {
                body: base,
                base: None,
            },
            CompactionStep {
                body,
                base: Some(base),
            },
        ];
        let mut compaction = Compaction {
            steps: steps.into_iter(),
        };
        let store = Store::open(&path, &OpenOptions::default()).unwrap();
        let packed = compaction.next(&store.reader().unwrap()).unwrap().unwrap();
        assert_eq!(store.writer().compact(packed).blocking().unwrap().bodies, 1);
        store.close().unwrap();
    }
    let list = |sql: &str| -> Vec<String> {
        let mut statement = conn.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut dump = format!(
        "-- A database of schema {SCHEMA} with a history of its time: what the program of that schema left.\n\
         PRAGMA foreign_keys = OFF;\nBEGIN TRANSACTION;\n"
    );
    for part in ["type = 'table'", "type = 'index'"] {
        let sql = format!(
            "SELECT sql FROM sqlite_schema WHERE {part} AND sql IS NOT NULL AND name NOT LIKE 'sqlite%' \
             AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')"
        );
        for created in list(&sql) {
            dump.extend([created.as_str(), ";\n"]);
        }
    }
    let mut names = tables(&conn);
    names.push("sqlite_sequence".into());
    for name in names {
        let columns = list(&format!(
            "SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('{name}')"
        ));
        let rows = list(&format!(
            "SELECT {} FROM {name}",
            columns.join(" || ',' || ")
        ));
        for row in rows {
            dump.extend(["INSERT INTO ", &name, " VALUES(", &row, ");\n"]);
        }
    }
    let application = number(&conn, "application_id").unwrap();
    dump = format!(
        "{dump}COMMIT;\nPRAGMA application_id = {application};\nPRAGMA user_version = {SCHEMA};\nPRAGMA foreign_keys = ON;\n"
    );
    let to = format!(
        "{}/../../tests/fixtures/schemas/{SCHEMA:04}.sql",
        env!("CARGO_MANIFEST_DIR")
    );
    fs::write(to, dump).unwrap();
}

/// What makes up a schema: columns with types and constraints, indices, references.
fn shape(conn: &Connection) -> Vec<String> {
    let mut statement = conn
        .prepare(
            "SELECT 'column ' || m.name || '.' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' \
               || COALESCE(c.dflt_value, '-') || ' ' || c.pk \
             FROM sqlite_schema AS m, pragma_table_xinfo(m.name) AS c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' \
             UNION ALL SELECT 'index ' || sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL \
             UNION ALL SELECT 'reference ' || m.name || '.' || f.\"from\" || ' ' || f.\"table\" \
             FROM sqlite_schema AS m, pragma_foreign_key_list(m.name) AS f WHERE m.type = 'table' ORDER BY 1",
        )
        .unwrap();
    statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// The number of rows of each table.
fn rows(conn: &Connection, of: &[String]) -> Vec<(String, i64)> {
    let count = |table: &String| {
        let sql = format!("SELECT count(*) FROM {table}");
        let count = conn.query_row(&sql, [], |row| row.get(0)).unwrap();
        (table.clone(), count)
    };
    of.iter().map(count).collect()
}

fn tables(conn: &Connection) -> Vec<String> {
    let mut statement = conn
        // The search index is excluded: a virtual table has no rows of its own, and can be rebuilt.
        .prepare(
            "SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main' AND name NOT LIKE 'sqlite%'",
        )
        .unwrap();
    statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

#[test]
fn there_is_a_dump_of_every_schema() {
    let numbers: Vec<u32> = DUMPS.iter().map(|dump| dump.0).collect();
    assert_eq!(numbers, (migrate::OLDEST..=SCHEMA).collect::<Vec<u32>>());
}

#[test]
fn a_database_of_every_schema_becomes_one_of_today_with_all_of_its_rows() {
    let dir = tempfile::tempdir().unwrap();
    let fresh = dir.path().join("fresh.db");
    Store::open(&fresh, &OpenOptions::default()).unwrap();
    let today = shape(&Connection::open(&fresh).unwrap());
    for (schema, dump) in DUMPS {
        let path = dir.path().join(format!("{schema}.db"));
        let conn = restore(&path, dump);
        assert_eq!(copy::version(&conn).unwrap(), schema);
        let names = tables(&conn);
        let before = rows(&conn, &names);
        assert!(
            before
                .iter()
                .any(|(name, count)| name == "revisions" && *count > 2)
        );
        drop(conn);

        let store = Store::open(&path, &OpenOptions::default()).unwrap();
        let found = store.reader().unwrap().verify(|_, _| {}).unwrap();
        assert_eq!(found.faults, [""; 0], "schema {schema}");
        assert!(found.changes > 0 && found.bodies > 0);
        store.close().unwrap();
        let conn = Connection::open(&path).unwrap();
        assert_eq!(rows(&conn, &names), before, "schema {schema}");
        assert_eq!(shape(&conn), today, "schema {schema}");
        let copy = beside(&path, &format!(".schema-{schema}.backup"));
        assert_eq!(copy.exists(), schema < SCHEMA);
        if copy.exists() {
            let copy = Connection::open(copy).unwrap();
            assert_eq!(copy::version(&copy).unwrap(), schema);
            assert_eq!(rows(&copy, &names), before);
        }
    }
}

#[test]
fn an_upgrade_that_is_killed_half_way_is_done_at_the_next_start() {
    for (schema, dump) in &DUMPS[..DUMPS.len() - 1] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("revisor.db");
        let mut conn = restore(&path, dump);
        // All writes go to the WAL immediately, as in a migration that is larger than the cache.
        conn.pragma_update(None, "cache_size", 1).unwrap();
        conn.pragma_update(None, "foreign_keys", false).unwrap();
        let tx = conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .unwrap();
        migrate::apply_number(&tx, *schema + 1);
        tx.execute_batch("UPDATE entries SET title = 'half'; UPDATE feeds SET name = 'half'")
            .unwrap();
        // The content of the disk at this moment is what a kill would leave.
        let left = dir.path().join("left.db");
        for end in ["", "-wal"] {
            fs::copy(beside(&path, end), beside(&left, end)).unwrap();
        }
        assert!(
            fs::metadata(beside(&left, "-wal")).unwrap().len() > 0,
            "something is half done"
        );
        drop(tx);
        let conn = Connection::open(&left).unwrap();
        assert_eq!(copy::version(&conn).unwrap(), *schema);
        drop(conn);
        let store = Store::open(&left, &OpenOptions::default()).unwrap();
        let found = store.reader().unwrap().verify(|_, _| {}).unwrap();
        assert_eq!(found.faults, [""; 0], "schema {schema}");
        store.close().unwrap();
        let conn = Connection::open(&left).unwrap();
        let half: i64 = conn
            .query_row(
                "SELECT count(*) FROM entries WHERE title = 'half'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!((copy::version(&conn).unwrap(), half), (SCHEMA, 0));
    }
}

#[test]
fn an_upgrade_on_a_disk_that_fills_up_leaves_the_schema_that_it_came_to() {
    let mut full = 0;
    for (schema, dump) in &DUMPS[..DUMPS.len() - 1] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("revisor.db");
        let mut conn = restore(&path, dump);
        let now: i64 = number(&conn, "page_count").unwrap().try_into().unwrap();
        for more in 0.. {
            conn.pragma_update_and_check(None, "max_page_count", now + more, |_| Ok(()))
                .unwrap();
            match migrate::migrate(&mut conn, &path) {
                Ok(()) => break,
                Err(error) => {
                    assert!(matches!(error, StoreError::Full { .. }), "{error}");
                    full += 1;
                }
            }
            let at = copy::version(&conn).unwrap();
            assert!((*schema..SCHEMA).contains(&at));
            assert_eq!(migrate::broken_foreign_key(&conn).unwrap(), None);
        }
        drop(conn);
        let store = Store::open(&path, &OpenOptions::default()).unwrap();
        let found = store.reader().unwrap().verify(|_, _| {}).unwrap();
        assert_eq!(found.faults, [""; 0], "schema {schema}");
    }
    // Most of them need room for a table or an index.
    assert!(full > DUMPS.len(), "{full}");
}

#[test]
fn without_room_for_a_copy_nothing_is_upgraded() {
    let path = Path::new("/srv/revisor.db");
    assert!(need_room(path, 10, None).is_ok());
    assert!(need_room(path, 10, Some(10)).is_ok());
    let error = need_room(path, room_needed(300 << 20), Some(100 << 20)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot upgrade the database /srv/revisor.db: a copy of it and the upgrade need 604 MiB on its disk, and 100 MiB are free"
    );
    assert_eq!(error.exit_code(), 5);
    assert!(error.hint().is_some());
    let folder = tempfile::tempdir().unwrap();
    assert!(free(&folder.path().join("revisor.db")).is_some());
}

#[test]
fn a_second_upgrade_from_the_same_schema_keeps_both_copies() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("revisor.db");
    let copies = || {
        fs::read_dir(dir.path())
            .unwrap()
            .filter(|item| {
                let name = item.as_ref().unwrap().file_name();
                name.to_string_lossy().contains(".backup")
            })
            .count()
    };
    let (schema, dump) = DUMPS[0];
    let mut conn = restore(&path, dump);
    keep_a_copy(&mut conn, &path, schema).unwrap();
    keep_a_copy(&mut conn, &path, schema).unwrap();
    assert_eq!(copies(), 1, "the same is not kept twice");
    conn.execute("UPDATE entries SET title = 'later'", [])
        .unwrap();
    keep_a_copy(&mut conn, &path, schema).unwrap();
    assert_eq!(copies(), 2);
    // Another process has upgraded it in the meantime.
    keep_a_copy(&mut conn, &path, schema - 1).unwrap();
    assert_eq!(copies(), 2);
}

/// Each start after a kill upgrades a little further; only the file from before all that is worth keeping.
#[test]
fn an_upgrade_that_is_cut_off_again_and_again_leaves_one_copy() {
    let (first, dump) = DUMPS[0];
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("revisor.db");
    let mut conn = restore(&path, dump);
    for schema in first..SCHEMA {
        keep_a_copy(&mut conn, &path, schema).unwrap();
        migrate::upgrade_up_to(&mut conn, &path, schema + 1);
        assert_eq!(copy::version(&conn).unwrap(), schema + 1);
    }
    assert_eq!(migrate::began_at(&conn).unwrap(), None, "it is done");
    drop(conn);
    let store = Store::open(&path, &OpenOptions::default()).unwrap();
    assert_eq!(
        store.reader().unwrap().verify(|_, _| {}).unwrap().faults,
        [""; 0]
    );
    let mut copies: Vec<String> = fs::read_dir(dir.path())
        .unwrap()
        .map(|item| item.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".backup"))
        .collect();
    copies.sort();
    assert_eq!(copies, [format!("revisor.db.schema-{first}.backup")]);
}

#[test]
fn a_copy_that_cannot_be_made_is_no_upgrade() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("revisor.db");
    let (schema, dump) = DUMPS[0];
    drop(restore(&path, dump));
    // Where styles mark an edit, the letters of such a mark in a text mean nothing.
    let unfinished = beside(&path, &format!(".schema-{schema}.backup.part"));
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("x"), "x").unwrap();
    let error = Store::open(&path, &OpenOptions::default()).unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    let conn = Connection::open(&path).unwrap();
    assert_eq!(copy::version(&conn).unwrap(), schema);
    assert!(conn.prepare("SELECT place FROM ignored_moves").is_err());
}

/// An unpacked digest used to be a member of itself, and a rejected key used to be recognised by its error message.
#[test]
fn what_was_told_by_a_trick_is_told_by_a_column() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("revisor.db");
    let dump = DUMPS.iter().find(|(schema, _)| *schema == 27).unwrap().1;
    let conn = restore(&path, dump);
    conn.execute_batch(
        "UPDATE deliveries SET gathered_at = 5, digest_id = 1, state = 'disabled', done_at = 5, lease_until = NULL WHERE id = 1; \
         UPDATE deliveries SET digest_id = 1 WHERE id = 2; \
         INSERT INTO snapshots (entry_id, url, wanted_at, due_at, error) \
           SELECT id, '', 1, 2, 'the key is not accepted: its file cannot be read' FROM entries LIMIT 1;",
    )
    .unwrap();
    drop(conn);
    let store = Store::open(&path, &OpenOptions::default()).unwrap();
    let reader = store.reader().unwrap();
    let states = reader.deliveries(None, &[], 10).unwrap().into_iter();
    let unpacked: Vec<_> = states
        .filter(|row| row.state.as_str() == "unpacked")
        .collect();
    assert_eq!(unpacked.len(), 1);
    let members = reader.members_of(unpacked[0].id, 10).unwrap();
    assert_eq!(members.iter().map(|row| row.id.0).collect::<Vec<_>>(), [2]);
    assert!(reader.digest_of(members[0].id).unwrap().unwrap().1);
    assert_eq!(reader.snapshot_counts().unwrap().without_key, 1);
}
