//! Brings a database file to the schema of this program, one numbered file at a time.
//!
//! Each migration is one IMMEDIATE transaction that ends with a check of all foreign keys, so a file is never between two
//! schemas. A newer file is refused and not changed.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::error::StoreError;

/// `rvsr`: distinguishes our files from those of other programs.
const APPLICATION_ID: u32 = 0x7276_7372;

/// A step from one schema to the next.
#[derive(Debug, Clone, Copy)]
struct Migration {
    /// The schema that it creates: one more than the previous one in the list.
    number: u32,
    sql: &'static str,
}

/// All migrations in order. The files are never edited after a release.
const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 12,
        sql: include_str!("../../migrations/0012_initial.sql"),
    },
    Migration {
        number: 13,
        sql: include_str!("../../migrations/0013_ignored.sql"),
    },
    Migration {
        number: 14,
        sql: include_str!("../../migrations/0014_stand_ins.sql"),
    },
    Migration {
        number: 15,
        sql: include_str!("../../migrations/0015_restless.sql"),
    },
    Migration {
        number: 16,
        sql: include_str!("../../migrations/0016_nothing_stops.sql"),
    },
    Migration {
        number: 17,
        sql: include_str!("../../migrations/0017_search.sql"),
    },
    Migration {
        number: 18,
        sql: include_str!("../../migrations/0018_web.sql"),
    },
    Migration {
        number: 19,
        sql: include_str!("../../migrations/0019_bounds.sql"),
    },
    Migration {
        number: 20,
        sql: include_str!("../../migrations/0020_held.sql"),
    },
    Migration {
        number: 21,
        sql: include_str!("../../migrations/0021_waits.sql"),
    },
    Migration {
        number: 22,
        sql: include_str!("../../migrations/0022_speed.sql"),
    },
    Migration {
        number: 23,
        sql: include_str!("../../migrations/0023_digests.sql"),
    },
    Migration {
        number: 24,
        sql: include_str!("../../migrations/0024_snapshots.sql"),
    },
    Migration {
        number: 25,
        sql: include_str!("../../migrations/0025_outlines.sql"),
    },
    Migration {
        number: 26,
        sql: include_str!("../../migrations/0026_search_prefixes.sql"),
    },
    Migration {
        number: 27,
        sql: include_str!("../../migrations/0027_refusals.sql"),
    },
    Migration {
        number: 28,
        sql: include_str!("../../migrations/0028_requests.sql"),
    },
    Migration {
        number: 29,
        sql: include_str!("../../migrations/0029_search_merges.sql"),
    },
];

/// The oldest schema that can be upgraded; earlier ones were never released.
pub(super) const OLDEST: u32 = MIGRATIONS[0].number;

/// The schema that this program reads and writes.
pub const SCHEMA: u32 = MIGRATIONS[MIGRATIONS.len() - 1].number;

/// The state of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileSchema {
    /// Empty, or just created by opening it.
    Empty,
    /// One of ours, at this schema.
    Schema(u32),
}

/// Whether a statement is part of a migration.
#[cfg(test)]
pub(super) fn holds(sql: &str) -> bool {
    let sql = sql.trim().trim_end_matches(';');
    MIGRATIONS
        .iter()
        .any(|migration| migration.sql.contains(sql))
}

/// Inspects the file without writing to it; refuses foreign and newer files.
pub(super) fn inspect(conn: &Connection, path: &Path) -> Result<FileSchema, StoreError> {
    let at = |error: rusqlite::Error| StoreError::from(error).at(path);
    // One transaction for all queries: another program may be creating the file right now.
    let conn = conn.unchecked_transaction().map_err(at)?;
    let application: u32 = conn
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(at)?;
    let version: u32 = conn
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(at)?;
    if application == APPLICATION_ID {
        if version > SCHEMA {
            return Err(StoreError::Newer {
                path: path.to_path_buf(),
                found: version,
                known: SCHEMA,
            });
        }
        if version < OLDEST {
            return Err(StoreError::NeverReleased {
                path: path.to_path_buf(),
                found: version,
                oldest: OLDEST,
            });
        }
        return Ok(FileSchema::Schema(version));
    }
    let has_tables = conn
        .query_row("SELECT 1 FROM sqlite_schema LIMIT 1", [], |_| Ok(()))
        .optional()
        .map_err(at)?
        .is_some();
    if application != 0 || version != 0 || has_tables {
        return Err(StoreError::NotOurs {
            path: path.to_path_buf(),
        });
    }
    Ok(FileSchema::Empty)
}

/// Runs the migrations that the file lacks.
pub(super) fn migrate(conn: &mut Connection, path: &Path) -> Result<(), StoreError> {
    create(conn).map_err(|error| error.at(path))?;
    run(conn, path, MIGRATIONS, Some(SCHEMA))
}

/// Creates the whole schema of an empty file in one transaction, so that nobody sees a new database with an older schema
/// and tries to upgrade it.
fn create(conn: &mut Connection) -> Result<(), StoreError> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if version_of(&tx)? > 0 {
        return Ok(());
    }
    for migration in MIGRATIONS {
        apply(&tx, *migration)?;
    }
    tx.commit()?;
    Ok(())
}

fn version_of(conn: &Connection) -> rusqlite::Result<u32> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// The schema before an unfinished upgrade; the copy of that schema is the one to restore.
pub(super) fn began_at(conn: &Connection) -> rusqlite::Result<Option<u32>> {
    let there = conn
        .query_row(
            "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'upgrade_under_way'",
            [],
            |_| Ok(()),
        )
        .optional()?;
    match there {
        None => Ok(None),
        Some(()) => conn
            .query_row("SELECT began_at FROM upgrade_under_way", [], |row| {
                row.get(0)
            })
            .optional(),
    }
}

/// Records where an upgrade began, in the transaction of its first step, and removes that record in the last one.
fn note_upgrade(tx: &Connection, before: u32, after: u32, aim: u32) -> rusqlite::Result<()> {
    let noted = began_at(tx)?.is_some();
    if after == aim && noted {
        tx.execute_batch("DROP TABLE upgrade_under_way")?;
    } else if after != aim && !noted {
        tx.execute_batch(&format!(
            "CREATE TABLE upgrade_under_way (began_at INTEGER NOT NULL) STRICT; \
             INSERT INTO upgrade_under_way VALUES ({before})"
        ))?;
    }
    Ok(())
}

/// Runs migrations up to the schema `aim`; with `None`, it is not recorded where they began.
fn run(
    conn: &mut Connection,
    path: &Path,
    migrations: &[Migration],
    aim: Option<u32>,
) -> Result<(), StoreError> {
    for migration in migrations {
        // Off, because a migration may rebuild a table; all of them are checked before COMMIT.
        conn.pragma_update(None, "foreign_keys", false)
            .map_err(|error| StoreError::from(error).at(path))?;
        let result = step(conn, *migration, aim);
        conn.pragma_update(None, "foreign_keys", true)
            .map_err(|error| StoreError::from(error).at(path))?;
        result.map_err(|error| match error.at(path) {
            busy @ (StoreError::Busy { .. }
            | StoreError::Full { .. }
            | StoreError::ReadOnly { .. }) => busy,
            error => StoreError::Migration {
                path: path.to_path_buf(),
                number: migration.number,
                source: match error {
                    // The message already has the path.
                    StoreError::Sqlite { source, .. } => source,
                    other => Arc::new(other),
                },
            },
        })?;
    }
    Ok(())
}

/// Creates a database as a program with an older schema would have.
#[cfg(test)]
pub(super) fn create_at(mut conn: Connection, path: &Path, schema: u32) {
    run(&mut conn, path, &up_to(schema), None).unwrap();
}

/// An upgrade that is interrupted after some of its steps.
#[cfg(test)]
pub(super) fn upgrade_up_to(conn: &mut Connection, path: &Path, schema: u32) {
    run(conn, path, &up_to(schema), Some(SCHEMA)).unwrap();
}

#[cfg(test)]
fn up_to(schema: u32) -> Vec<Migration> {
    let leads_there = |migration: &&Migration| migration.number <= schema;
    MIGRATIONS.iter().take_while(leads_there).copied().collect()
}

/// Applies one migration in the transaction of the caller.
#[cfg(test)]
pub(super) fn apply_number(tx: &Connection, number: u32) {
    let mut migrations = MIGRATIONS.iter();
    let migration = migrations.find(|migration| migration.number == number);
    apply(tx, *migration.unwrap()).unwrap();
}

/// Applies one migration, unless the file already has it. The version is read in the transaction, because two programs may
/// start at the same time.
fn step(conn: &mut Connection, migration: Migration, aim: Option<u32>) -> Result<(), StoreError> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let before = version_of(&tx)?;
    if before >= migration.number {
        return Ok(());
    }
    apply(&tx, migration)?;
    if let Some(aim) = aim {
        note_upgrade(&tx, before, migration.number, aim)?;
    }
    if let Some(table) = broken_foreign_key(&tx)? {
        return Err(StoreError::damaged(format!(
            "table {table} refers to rows that do not exist"
        )));
    }
    tx.commit()?;
    Ok(())
}

/// Runs the statements of a migration in a transaction.
fn apply(tx: &Connection, migration: Migration) -> Result<(), StoreError> {
    tx.execute_batch(migration.sql)?;
    if migration.number == OLDEST {
        let mut instance = [0_u8; 16];
        getrandom::fill(&mut instance).map_err(|error| StoreError::io(Path::new(""), error))?;
        tx.execute(
            "INSERT INTO meta (id, instance) VALUES (1, ?1)",
            [&instance],
        )?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    tx.pragma_update(None, "user_version", migration.number)?;
    Ok(())
}

/// The first table with a broken reference.
pub(super) fn broken_foreign_key(conn: &Connection) -> Result<Option<String>, StoreError> {
    let mut statement = conn.prepare("PRAGMA foreign_key_check")?;
    let table = statement.query_row([], |row| row.get(0)).optional()?;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(conn: &Connection) -> Vec<String> {
        let mut statement = conn
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
            .unwrap();
        statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    }

    #[test]
    fn each_migration_leads_to_the_next_schema() {
        let numbers: Vec<u32> = MIGRATIONS
            .iter()
            .map(|migration| migration.number)
            .collect();
        assert_eq!(numbers, (OLDEST..=SCHEMA).collect::<Vec<u32>>());
    }

    #[test]
    fn a_schema_that_was_never_released_is_refused() {
        let conn = Connection::open_in_memory().unwrap();
        conn.pragma_update(None, "application_id", APPLICATION_ID)
            .unwrap();
        conn.pragma_update(None, "user_version", OLDEST - 1)
            .unwrap();
        let error = inspect(&conn, Path::new("x.db")).unwrap_err();
        assert!(matches!(error, StoreError::NeverReleased { .. }));
        assert!(error.hint().is_some());
    }

    #[test]
    fn an_empty_file_gets_the_whole_schema_once() {
        let mut conn = Connection::open_in_memory().unwrap();
        let path = Path::new("x.db");
        assert_eq!(inspect(&conn, path).unwrap(), FileSchema::Empty);
        migrate(&mut conn, path).unwrap();
        assert_eq!(inspect(&conn, path).unwrap(), FileSchema::Schema(SCHEMA));
        let first: Vec<u8> = conn
            .query_row("SELECT instance FROM meta", [], |row| row.get(0))
            .unwrap();
        migrate(&mut conn, path).unwrap();
        let second: Vec<u8> = conn
            .query_row("SELECT instance FROM meta", [], |row| row.get(0))
            .unwrap();
        assert_eq!(first, second);
        assert!(names(&conn).contains(&"deliveries".to_owned()));
    }

    #[test]
    fn segments_of_the_search_index_are_merged_by_eight() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate(&mut conn, Path::new("x.db")).unwrap();
        for table in ["article_text", "change_text"] {
            let sql = format!("SELECT v FROM {table}_config WHERE k = 'automerge'");
            let merged_by: i64 = conn.query_row(&sql, [], |row| row.get(0)).unwrap();
            assert_eq!(merged_by, 8, "{table}");
        }
    }

    #[test]
    fn every_table_is_strict() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate(&mut conn, Path::new("x.db")).unwrap();
        let loose: Vec<String> = conn
            .prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite%'")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(loose, Vec::<String>::new());
    }

    #[test]
    fn a_migration_that_fails_leaves_the_schema_before() {
        let mut conn = Connection::open_in_memory().unwrap();
        let path = Path::new("x.db");
        migrate(&mut conn, path).unwrap();
        let before = names(&conn);
        let broken = Migration {
            number: SCHEMA + 1,
            sql: "CREATE TABLE half (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);",
        };
        let error = run(&mut conn, path, &[broken], None).unwrap_err();
        assert!(matches!(error, StoreError::Migration { .. }));
        let text = error.to_string();
        assert!(text.contains("no such table: nowhere"), "{text}");
        assert_eq!(names(&conn), before);
        assert_eq!(inspect(&conn, path).unwrap(), FileSchema::Schema(SCHEMA));
    }

    #[test]
    fn a_migration_that_breaks_references_is_undone() {
        let mut conn = Connection::open_in_memory().unwrap();
        let path = Path::new("x.db");
        migrate(&mut conn, path).unwrap();
        let broken = Migration {
            number: SCHEMA + 1,
            sql: "INSERT INTO aliases (feed_id, kind, value, entry_id, reason, added_at) VALUES (9, 'guid', 'x', 9, 'r', 0);",
        };
        let error = run(&mut conn, path, &[broken], None).unwrap_err();
        assert!(matches!(error, StoreError::Migration { .. }));
        assert_eq!(inspect(&conn, path).unwrap(), FileSchema::Schema(SCHEMA));
    }
}
